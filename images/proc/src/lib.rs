//! Processes, pipes, terminals and signals for guests: the `kubonsai` import module.
//!
//! WASI preview 1 has no processes. The container runtime adds them as a module of imports of its own; this crate gives
//! them safe signatures. On other targets every call fails with `ENOSYS`, so that guests' logic can be tested natively.

mod errno;
mod sys;

use std::fs::File;
use std::mem::ManuallyDrop;

pub use errno::Errno;

/// A result of a system call.
pub type Result<T> = std::result::Result<T, Errno>;

/// SIGINT.
pub const SIGINT: u32 = 2;
/// SIGQUIT.
pub const SIGQUIT: u32 = 3;
/// SIGKILL.
pub const SIGKILL: u32 = 9;
/// SIGTERM.
pub const SIGTERM: u32 = 15;
/// SIGWINCH.
pub const SIGWINCH: u32 = 28;

/// What a signal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The default action.
    Default = 0,
    /// Nothing.
    Ignore = 1,
    /// Blocking calls fail with `EINTR`, and [`take_signal`] tells which it was.
    Catch = 2,
}

/// A child that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its process id.
    pub pid: u32,
    /// Its exit code, or 128 and the signal.
    pub status: u32,
}

/// Starts the program in a file. The child's descriptors 0, 1, 2 are copies of the given ones of ours.
///
/// # Errors
/// `ENOENT` if there is no such file, `EACCES` if it may not be run, `ENOEXEC` if it is no program.
pub fn spawn(path: &str, argv: &[String], env: &[(String, String)], cwd: &str, fds: &[u32]) -> Result<u32> {
    let mut args = Vec::new();
    for arg in argv {
        args.extend_from_slice(arg.as_bytes());
        args.push(0);
    }
    let mut vars = Vec::new();
    for (name, value) in env {
        vars.extend_from_slice(name.as_bytes());
        vars.push(b'=');
        vars.extend_from_slice(value.as_bytes());
        vars.push(0);
    }
    sys::spawn(path.as_bytes(), &args, &vars, cwd.as_bytes(), fds)
}

/// Runs a command in place of this program, as `exec` of a script would: signals go on to it, and its status is given
/// back. `complaint` begins the line that says that it cannot be run; the status is then 126 or 127.
pub fn exec(command: &[String], complaint: &str) -> i32 {
    let Some(program) = command.first() else { return 0 };
    let path = std::env::var("PATH").unwrap_or_default();
    let file = if program.contains('/') {
        Some(program.clone())
    } else {
        path.split(':').map(|dir| format!("{dir}/{program}")).find(|f| std::fs::metadata(f).is_ok())
    };
    let Some(file) = file else {
        eprintln!("{complaint}: {program}: not found");
        return 127;
    };
    let env: Vec<(String, String)> = std::env::vars().collect();
    for signal in [SIGTERM, SIGINT, SIGQUIT] {
        let _ = on_signal(signal, Disposition::Catch);
    }
    let pid = match spawn(&file, command, &env, "", &[0, 1, 2]) {
        Ok(pid) => pid,
        Err(error) => {
            eprintln!("{complaint}: {program}: {error}");
            return 126;
        }
    };
    loop {
        match wait(pid) {
            Ok(ended) => return ended.status.cast_signed(),
            Err(Errno::INTR) => {
                if let Some(signal) = take_signal() {
                    let _ = kill(pid, signal);
                }
            }
            Err(_) => return 1,
        }
    }
}

/// Waits until a child has ended; 0 means any of them.
///
/// # Errors
/// `ECHILD` if there is none, `EINTR` if a caught signal came first.
pub fn wait(pid: u32) -> Result<Ended> {
    sys::wait(pid, 0)
}

/// A child that has ended, or `None` if none has yet.
///
/// # Errors
/// `ECHILD` if there is none.
pub fn try_wait(pid: u32) -> Result<Option<Ended>> {
    match sys::wait(pid, 1) {
        Ok(ended) if ended.pid == 0 => Ok(None),
        Ok(ended) => Ok(Some(ended)),
        Err(Errno::AGAIN) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Sends a signal.
///
/// # Errors
/// `ESRCH` if there is no such process.
pub fn kill(pid: u32, signal: u32) -> Result<()> {
    sys::kill(pid, signal)
}

/// Our process id; 1 on targets without processes.
pub fn id() -> u32 {
    sys::getpid().unwrap_or(1)
}

/// Our parent's process id; 0 for the container's first process.
pub fn parent_id() -> u32 {
    sys::getppid().unwrap_or(0)
}

/// A pipe: the descriptors to read from and to write to.
///
/// # Errors
/// `EMFILE` if there are too many descriptors.
pub fn pipe() -> Result<(u32, u32)> {
    sys::pipe()
}

/// A second descriptor for the same open file.
///
/// # Errors
/// `EBADF` if it is not open.
pub fn dup(fd: u32) -> Result<u32> {
    sys::dup(fd)
}

/// The columns and rows of the terminal behind a descriptor.
///
/// # Errors
/// `ENOTTY` if it is no terminal.
pub fn tty_size(fd: u32) -> Result<(u32, u32)> {
    sys::tty_get(fd)
}

/// Whether a descriptor is a terminal.
pub fn is_tty(fd: u32) -> bool {
    sys::tty_get(fd).is_ok()
}

/// Switches the terminal between lines with echo and raw bytes.
///
/// # Errors
/// `ENOTTY` if it is no terminal.
pub fn tty_raw(fd: u32, raw: bool) -> Result<()> {
    sys::tty_set(fd, u32::from(raw))
}

/// Says what a signal does from now on.
///
/// # Errors
/// `EINVAL` for signals that cannot be caught.
pub fn on_signal(signal: u32, disposition: Disposition) -> Result<()> {
    sys::signal_handle(signal, disposition as u32)
}

/// A caught signal that is pending.
pub fn take_signal() -> Option<u32> {
    sys::signal_take().ok().filter(|signal| *signal != 0)
}

/// The name of the host: in a pod, the pod's name.
pub fn hostname() -> String {
    sys::hostname().ok().or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_else(|| "localhost".to_owned())
}

/// Changes the working directory, for this program's paths and for the kernel's view of it.
///
/// # Errors
/// `ENOENT`, `ENOTDIR`.
pub fn chdir(path: &str) -> Result<()> {
    std::env::set_current_dir(path).map_err(|e| Errno::from_io(&e))?;
    match sys::chdir(path.as_bytes()) {
        Err(Errno::NOSYS) | Ok(()) => Ok(()),
        Err(error) => Err(error),
    }
}

/// To be called first: enters the working directory of the process. C libraries for WASI start every program in `/`.
pub fn start() {
    if let Ok(path) = sys::cwd() {
        // A directory that is gone leaves us in the root, as a deleted working directory would be of no use either.
        let _ = std::env::set_current_dir(path);
    }
}

/// One process of the container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// The parent's.
    pub parent: u32,
    /// User.
    pub uid: u32,
    /// `R`, `S`, `Z`, ...
    pub state: String,
    /// When it started, in ns since 1970.
    pub started_nanos: u64,
    /// CPU time used, in ns.
    pub cpu_nanos: u64,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// Its arguments.
    pub argv: Vec<String>,
}

/// The processes of the container.
///
/// # Errors
/// None in a container.
pub fn processes() -> Result<Vec<Process>> {
    Ok(sys::list()?.lines().filter_map(parse_process).collect())
}

fn parse_process(line: &str) -> Option<Process> {
    let mut fields = line.splitn(8, '\t');
    Some(Process {
        pid: fields.next()?.parse().ok()?,
        parent: fields.next()?.parse().ok()?,
        uid: fields.next()?.parse().ok()?,
        state: fields.next()?.to_owned(),
        started_nanos: fields.next()?.parse().ok()?,
        cpu_nanos: fields.next()?.parse().ok()?,
        memory_bytes: fields.next()?.parse().ok()?,
        argv: fields.next()?.split('\x1f').map(str::to_owned).collect(),
    })
}

/// A mounted file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Where.
    pub path: String,
    /// Whether it is read-only.
    pub read_only: bool,
    /// Bytes used.
    pub used_bytes: u64,
    /// Bytes at most.
    pub max_bytes: u64,
    /// Whether it lies in memory.
    pub in_memory: bool,
}

/// The mounts of the container.
///
/// # Errors
/// None in a container.
pub fn mounts() -> Result<Vec<Mount>> {
    let parse = |line: &str| {
        let mut fields = line.split('\t');
        Some(Mount {
            path: fields.next()?.to_owned(),
            read_only: fields.next()? == "ro",
            used_bytes: fields.next()?.parse().ok()?,
            max_bytes: fields.next()?.parse().ok()?,
            in_memory: fields.next() == Some("tmpfs"),
        })
    };
    Ok(sys::mounts()?.lines().filter_map(parse).collect())
}

/// Our user and group; root where there are none.
pub fn user() -> (u32, u32) {
    sys::getuid().unwrap_or((0, 0))
}

/// Our groups, the primary one first.
pub fn groups() -> Vec<u32> {
    let all = sys::groups().unwrap_or_default();
    all.lines().filter_map(|line| line.parse().ok()).collect()
}

/// Changes a file's permission bits.
///
/// # Errors
/// `ENOENT`, `EPERM`, `EROFS`.
pub fn chmod(path: &str, mode: u32) -> Result<()> {
    sys::chmod(path.as_bytes(), mode)
}

/// Changes a file's owner.
///
/// # Errors
/// `ENOENT`, `EPERM`, `EROFS`.
pub fn chown(path: &str, uid: u32, gid: u32) -> Result<()> {
    sys::chown(path.as_bytes(), uid, gid)
}

/// Type and permission bits, user and group of a file.
///
/// # Errors
/// `ENOENT`.
pub fn mode(path: &str, follow: bool) -> Result<(u32, u32, u32)> {
    sys::stat_mode(path.as_bytes(), follow)
}

/// The file behind a descriptor, which stays open when the file is dropped.
pub fn file(fd: u32) -> ManuallyDrop<File> {
    ManuallyDrop::new(sys::file(fd))
}

/// The file behind a descriptor, which is closed when the file is dropped.
pub fn owned_file(fd: u32) -> File {
    sys::file(fd)
}

/// The descriptor of a file, which is left open.
pub fn into_fd(file: File) -> u32 {
    sys::into_fd(file)
}

/// Closes a descriptor.
pub fn close(fd: u32) {
    drop(sys::file(fd));
}

#[cfg(all(test, not(target_os = "wasi")))]
mod tests {
    use super::*;

    #[test]
    fn without_a_kernel_calls_fail_by_name() {
        assert_eq!(spawn("/bin/true", &["true".into()], &[], "/", &[0, 1, 2]), Err(Errno::NOSYS));
        assert_eq!(pipe(), Err(Errno::NOSYS));
        assert!(!is_tty(0) && take_signal().is_none());
        assert_eq!(Errno::NOENT.to_string(), "No such file or directory");
    }
}
