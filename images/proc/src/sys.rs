//! The imports. All that is unsafe in the guests with std is here and in `net`'s counterpart: pointers to our own memory, valid
//! for the length that goes with them, which the host only reads or fills during the call.

#[cfg(target_os = "wasi")]
pub(crate) use wasi::*;

#[cfg(not(target_os = "wasi"))]
pub(crate) use native::*;

#[cfg(target_os = "wasi")]
mod wasi {
    use crate::{Ended, Errno, Result};
    use std::fs::File;
    use std::os::fd::{FromRawFd, IntoRawFd};

    #[link(wasm_import_module = "kubonsai")]
    unsafe extern "C" {
        fn proc_wait(pid: u32, flags: u32, out_status: *mut u32, out_pid: *mut u32) -> u32;
        fn proc_kill(pid: u32, signal: u32) -> u32;
        fn proc_getpid(out: *mut u32) -> u32;
        fn proc_getppid(out: *mut u32) -> u32;
        #[link_name = "pipe"]
        fn pipe_(out_read: *mut u32, out_write: *mut u32) -> u32;
        fn fd_dup(fd: u32, out: *mut u32) -> u32;
        #[link_name = "tty_get"]
        fn tty_get_(fd: u32, out_cols: *mut u32, out_rows: *mut u32) -> u32;
        #[link_name = "tty_set"]
        fn tty_set_(fd: u32, mode: u32) -> u32;
        #[link_name = "signal_take"]
        fn signal_take_(out: *mut u32) -> u32;
        #[link_name = "signal_handle"]
        fn signal_handle_(signal: u32, mode: u32) -> u32;
        fn getcwd(out: *mut u8, out_max: usize, out_len: *mut u32) -> u32;
        fn proc_list(out: *mut u8, out_max: usize, out_len: *mut u32) -> u32;
        fn mount_info(out: *mut u8, out_max: usize, out_len: *mut u32) -> u32;
        fn getgroups(out: *mut u8, out_max: usize, out_len: *mut u32) -> u32;
        #[link_name = "getuid"]
        fn getuid_(out_uid: *mut u32, out_gid: *mut u32) -> u32;
        #[link_name = "chmod"]
        fn chmod_(path: *const u8, path_len: usize, mode: u32) -> u32;
        #[link_name = "chown"]
        fn chown_(path: *const u8, path_len: usize, uid: u32, gid: u32) -> u32;
        #[link_name = "stat_mode"]
        fn stat_mode_(
            path: *const u8,
            path_len: usize,
            flags: u32,
            out_mode: *mut u32,
            out_uid: *mut u32,
            out_gid: *mut u32,
        ) -> u32;
        fn proc_spawn_as(
            path: *const u8,
            path_len: usize,
            argv: *const u8,
            argv_len: usize,
            env: *const u8,
            env_len: usize,
            cwd: *const u8,
            cwd_len: usize,
            fds: *const u32,
            fds_count: usize,
            out_pid: *mut u32,
        ) -> u32;
        #[link_name = "chdir"]
        fn chdir_(path: *const u8, path_len: usize) -> u32;
        #[link_name = "hostname"]
        fn hostname_(out: *mut u8, out_max: usize, out_len: *mut u32) -> u32;
    }

    fn check(errno: u32) -> Result<()> {
        match u16::try_from(errno) {
            Ok(0) => Ok(()),
            Ok(number) => Err(Errno(number)),
            Err(_) => Err(Errno::IO),
        }
    }

    pub(crate) fn spawn(path: &[u8], argv: &[u8], env: &[u8], cwd: &[u8], fds: &[u32]) -> Result<u32> {
        let mut pid = 0;
        check(unsafe {
            proc_spawn_as(
                path.as_ptr(),
                path.len(),
                argv.as_ptr(),
                argv.len(),
                env.as_ptr(),
                env.len(),
                cwd.as_ptr(),
                cwd.len(),
                fds.as_ptr(),
                fds.len(),
                &mut pid,
            )
        })?;
        Ok(pid)
    }

    pub(crate) fn wait(pid: u32, flags: u32) -> Result<Ended> {
        let mut ended = Ended { pid: 0, status: 0 };
        check(unsafe { proc_wait(pid, flags, &mut ended.status, &mut ended.pid) })?;
        Ok(ended)
    }

    pub(crate) fn kill(pid: u32, signal: u32) -> Result<()> {
        check(unsafe { proc_kill(pid, signal) })
    }

    pub(crate) fn getpid() -> Result<u32> {
        let mut out = 0;
        check(unsafe { proc_getpid(&mut out) })?;
        Ok(out)
    }

    pub(crate) fn getppid() -> Result<u32> {
        let mut out = 0;
        check(unsafe { proc_getppid(&mut out) })?;
        Ok(out)
    }

    pub(crate) fn pipe() -> Result<(u32, u32)> {
        let (mut read, mut write) = (0, 0);
        check(unsafe { pipe_(&mut read, &mut write) })?;
        Ok((read, write))
    }

    pub(crate) fn dup(fd: u32) -> Result<u32> {
        let mut out = 0;
        check(unsafe { fd_dup(fd, &mut out) })?;
        Ok(out)
    }

    pub(crate) fn tty_get(fd: u32) -> Result<(u32, u32)> {
        let (mut columns, mut rows) = (0, 0);
        check(unsafe { tty_get_(fd, &mut columns, &mut rows) })?;
        Ok((columns, rows))
    }

    pub(crate) fn tty_set(fd: u32, mode: u32) -> Result<()> {
        check(unsafe { tty_set_(fd, mode) })
    }

    pub(crate) fn signal_take() -> Result<u32> {
        let mut out = 0;
        check(unsafe { signal_take_(&mut out) })?;
        Ok(out)
    }

    pub(crate) fn signal_handle(signal: u32, mode: u32) -> Result<()> {
        check(unsafe { signal_handle_(signal, mode) })
    }

    pub(crate) fn chdir(path: &[u8]) -> Result<()> {
        check(unsafe { chdir_(path.as_ptr(), path.len()) })
    }

    /// Error number of an answer that does not fit.
    const ERANGE: u32 = 68;

    /// Asks for text of unknown length: again with enough room if the first buffer is too small.
    fn text(ask: impl Fn(*mut u8, usize, *mut u32) -> u32) -> Result<String> {
        let mut buffer = vec![0u8; 256];
        loop {
            let mut length = 0u32;
            let errno = ask(buffer.as_mut_ptr(), buffer.len(), &mut length);
            if errno == ERANGE && length as usize > buffer.len() {
                buffer.resize(length as usize + 64, 0);
                continue;
            }
            check(errno)?;
            buffer.truncate(length as usize);
            return Ok(String::from_utf8_lossy(&buffer).into_owned());
        }
    }

    pub(crate) fn hostname() -> Result<String> {
        text(|out, max, length| unsafe { hostname_(out, max, length) })
    }

    pub(crate) fn cwd() -> Result<String> {
        text(|out, max, length| unsafe { getcwd(out, max, length) })
    }

    pub(crate) fn list() -> Result<String> {
        text(|out, max, length| unsafe { proc_list(out, max, length) })
    }

    pub(crate) fn mounts() -> Result<String> {
        text(|out, max, length| unsafe { mount_info(out, max, length) })
    }

    pub(crate) fn groups() -> Result<String> {
        text(|out, max, length| unsafe { getgroups(out, max, length) })
    }

    pub(crate) fn getuid() -> Result<(u32, u32)> {
        let (mut uid, mut gid) = (0, 0);
        check(unsafe { getuid_(&mut uid, &mut gid) })?;
        Ok((uid, gid))
    }

    pub(crate) fn chmod(path: &[u8], mode: u32) -> Result<()> {
        check(unsafe { chmod_(path.as_ptr(), path.len(), mode) })
    }

    pub(crate) fn chown(path: &[u8], uid: u32, gid: u32) -> Result<()> {
        check(unsafe { chown_(path.as_ptr(), path.len(), uid, gid) })
    }

    pub(crate) fn stat_mode(path: &[u8], follow: bool) -> Result<(u32, u32, u32)> {
        let (mut mode, mut uid, mut gid) = (0, 0, 0);
        check(unsafe { stat_mode_(path.as_ptr(), path.len(), u32::from(follow), &mut mode, &mut uid, &mut gid) })?;
        Ok((mode, uid, gid))
    }

    pub(crate) fn file(fd: u32) -> File {
        unsafe { File::from_raw_fd(fd as i32) }
    }

    pub(crate) fn into_fd(file: File) -> u32 {
        file.into_raw_fd() as u32
    }
}

#[cfg(not(target_os = "wasi"))]
mod native {
    use crate::{Ended, Errno, Result};
    use std::fs::File;
    use std::os::fd::{FromRawFd, IntoRawFd};

    pub(crate) fn spawn(_: &[u8], _: &[u8], _: &[u8], _: &[u8], _: &[u32]) -> Result<u32> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn cwd() -> Result<String> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn list() -> Result<String> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn mounts() -> Result<String> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn groups() -> Result<String> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn getuid() -> Result<(u32, u32)> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn chmod(_: &[u8], _: u32) -> Result<()> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn chown(_: &[u8], _: u32, _: u32) -> Result<()> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn stat_mode(_: &[u8], _: bool) -> Result<(u32, u32, u32)> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn wait(_: u32, _: u32) -> Result<Ended> {
        Err(Errno::CHILD)
    }
    pub(crate) fn kill(_: u32, _: u32) -> Result<()> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn getpid() -> Result<u32> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn getppid() -> Result<u32> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn pipe() -> Result<(u32, u32)> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn dup(_: u32) -> Result<u32> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn tty_get(_: u32) -> Result<(u32, u32)> {
        Err(Errno::NOTTY)
    }
    pub(crate) fn tty_set(_: u32, _: u32) -> Result<()> {
        Err(Errno::NOTTY)
    }
    pub(crate) fn signal_take() -> Result<u32> {
        Ok(0)
    }
    pub(crate) fn signal_handle(_: u32, _: u32) -> Result<()> {
        Ok(())
    }
    pub(crate) fn chdir(_: &[u8]) -> Result<()> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn hostname() -> Result<String> {
        Err(Errno::NOSYS)
    }
    pub(crate) fn file(fd: u32) -> File {
        unsafe { File::from_raw_fd(fd as i32) }
    }
    pub(crate) fn into_fd(file: File) -> u32 {
        file.into_raw_fd() as u32
    }
}
