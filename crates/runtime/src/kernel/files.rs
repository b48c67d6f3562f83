//! Files and directories of a process.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::{BufMut, Bytes, BytesMut};
use simulation::Time;
use vfs::{DirEntry, Errno, FileKind, Metadata, OpenOptions, Vfs, path};

use super::fd::{self, Description, Kind};
use super::{Kernel, pipe};
use crate::abi::{Fdstat, Filestat, FiletypeCode, OpenFlags, Reply, Syscall, TimesFlags};
use crate::limits::DESCRIPTORS_MAX;

/// Links between a name and `/dev/stdout`.
const LINKS_TO_DESCRIPTORS_MAX: u32 = 4;

fn filestat(meta: &Metadata) -> Filestat {
    Filestat {
        dev: meta.dev,
        ino: meta.ino,
        filetype: meta.kind.into(),
        links: u64::from(meta.links),
        size: meta.size,
        accessed: meta.accessed,
        modified: meta.modified,
        changed: meta.changed,
    }
}

/// Type bits of `st_mode`.
fn type_bits(kind: FileKind) -> u32 {
    match kind {
        FileKind::Regular => 0o100_000,
        FileKind::Directory => 0o040_000,
        FileKind::Symlink => 0o120_000,
        FileKind::CharDevice => 0o020_000,
    }
}

impl Kernel<'_> {
    fn files(&self) -> Vfs {
        self.proc.files.borrow().clone()
    }

    /// The absolute path that `path` below the directory `dir` means.
    fn path(&self, dir: u32, path: &str) -> Result<String, Errno> {
        if path.starts_with('/') {
            return Ok(path.to_owned());
        }
        match &self.description(dir)?.kind {
            Kind::Directory { path: base, .. } => Ok(path::join(base, path)),
            _ => Err(Errno::NotDirectory),
        }
    }

    pub(super) fn file_call(&mut self, call: &Syscall) -> Result<Reply, Errno> {
        use Syscall as S;
        let files = self.files();
        let done = |()| Reply::Ok;
        match call {
            S::Open { dir, path, flags } => self.open(&self.path(*dir, path)?, *flags),
            S::CreateDirectory { dir, path } => files.mkdir(&self.path(*dir, path)?, 0o777).map(done),
            S::PathFilestat { dir, path, follow } => {
                let path = self.path(*dir, path)?;
                let meta = if *follow { files.stat(&path) } else { files.lstat(&path) }?;
                Ok(Reply::Filestat(filestat(&meta)))
            }
            S::PathSetTimes { dir, path, follow, times } => {
                let path = self.path(*dir, path)?;
                let (accessed, modified) = self.times(*times);
                let set = if *follow {
                    files.utimes(&path, accessed, modified)
                } else {
                    files.lutimes(&path, accessed, modified)
                };
                set.map(done)
            }
            S::Link { dir, path, follow, new_dir, new_path } => {
                let (from, to) = (self.path(*dir, path)?, self.path(*new_dir, new_path)?);
                let from = if *follow { files.canonicalize(&from)? } else { from };
                files.link(&from, &to).map(done)
            }
            S::Readlink { dir, path } => {
                let path = self.path(*dir, path)?;
                files.readlink(&path).map(|target| Reply::Bytes(target.into()))
            }
            S::RemoveDirectory { dir, path } => files.rmdir(&self.path(*dir, path)?).map(done),
            S::Rename { dir, path, new_dir, new_path } => {
                files.rename(&self.path(*dir, path)?, &self.path(*new_dir, new_path)?).map(done)
            }
            S::Symlink { target, dir, path } => files.symlink(target, &self.path(*dir, path)?).map(done),
            S::Unlink { dir, path } => files.unlink(&self.path(*dir, path)?).map(done),
            S::Getcwd => Ok(Reply::Bytes(Bytes::copy_from_slice(files.cwd().as_bytes()))),
            S::Chdir { path } => {
                let target = files.canonicalize(path)?;
                if !files.is_dir(&target) {
                    return Err(Errno::NotDirectory);
                }
                files.access(&target, 1)?;
                *self.proc.files.borrow_mut() = files.at(&target);
                Ok(Reply::Ok)
            }
            S::Chmod { path, mode } => files.chmod(path, (mode & 0o7777) as u16).map(done),
            S::Chown { path, uid, gid } => files.chown(path, *uid, *gid).map(done),
            S::StatMode { path, follow } => {
                let meta = if *follow { files.stat(path) } else { files.lstat(path) }?;
                Ok(Reply::Triple(type_bits(meta.kind) | u32::from(meta.mode), meta.uid, meta.gid))
            }
            S::MountInfo => Ok(Reply::Bytes(mount_info(&files).into())),
            _ => self.fd_call(call),
        }
    }

    fn fd_call(&mut self, call: &Syscall) -> Result<Reply, Errno> {
        use Syscall as S;
        match call {
            S::Touch { fd } => self.description(*fd).map(|_| Reply::Ok),
            S::Close { fd } => {
                // Dropped after the borrow ends: closing wakes others.
                let closed = self.proc.fds.borrow_mut().remove(*fd);
                closed.map(|_| Reply::Ok)
            }
            S::Dup { fd } => {
                let description = self.description(*fd)?;
                self.proc.fds.borrow_mut().add(description).map(Reply::U32)
            }
            S::Renumber { from, to } => {
                if *to as usize >= DESCRIPTORS_MAX * 4 {
                    return Err(Errno::BadFd);
                }
                let moved = self.proc.fds.borrow_mut().remove(*from)?;
                let replaced = self.proc.fds.borrow_mut().remove(*to);
                self.proc.fds.borrow_mut().set(*to, moved);
                drop(replaced);
                Ok(Reply::Ok)
            }
            S::Pipe => {
                let (reader, writer) = pipe();
                let Reply::U32(read) = self.add(Kind::PipeReader(reader))? else { return Err(Errno::Io) };
                let Reply::U32(write) = self.add(Kind::PipeWriter(writer))? else { return Err(Errno::Io) };
                Ok(Reply::Pair(read, write))
            }
            S::Fdstat { fd } => {
                let description = self.description(*fd)?;
                Ok(Reply::Fdstat(fdstat(&description)))
            }
            S::SetFlags { fd, flags } => {
                self.description(*fd)?.flags.set(*flags & (fd::APPEND | fd::NONBLOCK));
                Ok(Reply::Ok)
            }
            S::Filestat { fd } => self.fd_filestat(&*self.description(*fd)?).map(Reply::Filestat),
            S::Prestat { fd } if *fd == super::ROOT_FD => match &self.description(*fd)?.kind {
                Kind::Directory { path, .. } => Ok(Reply::Bytes(Bytes::copy_from_slice(path.as_bytes()))),
                _ => Err(Errno::BadFd),
            },
            S::Prestat { .. } => Err(Errno::BadFd),
            S::Readdir { fd, cookie, max } => self.readdir(&*self.description(*fd)?, *cookie, *max),
            S::Seek { fd, delta, whence } => seek(&*self.description(*fd)?, *delta, *whence).map(Reply::U64),
            S::Allocate { fd, .. } | S::SetSize { fd, .. } | S::SetTimes { fd, .. } => {
                let description = self.description(*fd)?;
                let Kind::File(file) = &description.kind else { return Err(Errno::Invalid) };
                match call {
                    S::Allocate { end, .. } if *end <= file.len() => Ok(()),
                    S::Allocate { end: size, .. } | S::SetSize { size, .. } => file.truncate(*size),
                    S::SetTimes { times, .. } => {
                        let (accessed, modified) = self.times(*times);
                        file.set_times(accessed, modified)
                    }
                    _ => Err(Errno::NotSupportedCall),
                }
                .map(|()| Reply::Ok)
            }
            _ => Err(Errno::NotSupportedCall),
        }
    }

    fn times(&self, times: TimesFlags) -> (Option<Time>, Option<Time>) {
        let choose = |value: u64, set: bool, now: bool| {
            let value = Time::from_nanos(i64::try_from(value).unwrap_or(i64::MAX));
            if now { Some(self.now) } else { set.then_some(value) }
        };
        let bit = |n: u16| times.flags & n != 0;
        (choose(times.accessed, bit(1), bit(2)), choose(times.modified, bit(4), bit(8)))
    }

    fn open(&mut self, path: &str, flags: OpenFlags) -> Result<Reply, Errno> {
        let files = self.files();
        let target = if flags.follow { last_link(&files, path) } else { path.to_owned() };
        if let Some(description) = self.own_descriptor(&target)? {
            return self.proc.fds.borrow_mut().add(description).map(Reply::U32);
        }
        let append = flags.fdflags & fd::APPEND != 0;
        let options = OpenOptions {
            read: flags.read,
            write: flags.write,
            append: false, // kept as a flag of the description, which can be changed
            create: flags.create,
            exclusive: flags.exclusive,
            truncate: flags.truncate,
            directory: flags.directory,
            no_follow: !flags.follow,
            mode: 0,
        };
        let is_dir = if flags.follow { files.stat(path) } else { files.lstat(path) }.is_ok_and(|m| m.is_dir());
        let kind = if is_dir {
            // C libraries ask for all rights when they open a directory.
            if flags.create && flags.exclusive {
                return Err(Errno::Exists);
            }
            if flags.truncate || flags.create && !flags.directory {
                return Err(Errno::IsDirectory);
            }
            if flags.write && !flags.directory {
                return Err(Errno::IsDirectory);
            }
            Kind::Directory { path: files.canonicalize(path)?, listing: RefCell::default() }
        } else {
            Kind::File(files.open(path, options)?)
        };
        let description = Description::new(kind);
        description.flags.set(flags.fdflags & (fd::APPEND | fd::NONBLOCK));
        if append && let Kind::File(file) = &description.kind {
            description.offset.set(file.len());
        }
        self.proc.fds.borrow_mut().add(description).map(Reply::U32)
    }

    /// `/dev/stdin` and its kin: the names by which a process opens what it has open.
    fn own_descriptor(&self, path: &str) -> Result<Option<Rc<Description>>, Errno> {
        let fd = match path {
            "/dev/stdin" => 0,
            "/dev/stdout" => 1,
            "/dev/stderr" => 2,
            "/dev/tty" => {
                let tty = self.proc.tty.clone().ok_or(Errno::NoSuchDevice)?;
                return Ok(Some(Description::new(Kind::Tty(tty))));
            }
            _ => {
                let number = path.strip_prefix("/dev/fd/").or_else(|| path.strip_prefix("/proc/self/fd/"));
                match number.map(str::parse) {
                    Some(Ok(fd)) => fd,
                    Some(Err(_)) => return Err(Errno::NotFound),
                    None => return Ok(None),
                }
            }
        };
        self.description(fd).map(Some).map_err(|_| Errno::NotFound)
    }

    fn fd_filestat(&self, description: &Description) -> Result<Filestat, Errno> {
        let bare = |filetype| Filestat {
            dev: 0,
            ino: 0,
            filetype,
            links: 1,
            size: 0,
            accessed: self.now,
            modified: self.now,
            changed: self.now,
        };
        match &description.kind {
            Kind::File(file) => file.stat().map(|meta| filestat(&meta)),
            Kind::Directory { path, .. } => self.files().stat(path).map(|meta| filestat(&meta)),
            _ => Ok(bare(fdstat(description).filetype)),
        }
    }

    /// Entries as WASI packs them: next cookie, inode, length of the name, type, name.
    fn readdir(&self, description: &Description, cookie: u64, max: usize) -> Result<Reply, Errno> {
        let Kind::Directory { path, listing } = &description.kind else { return Err(Errno::NotDirectory) };
        if cookie == 0 || listing.borrow().is_none() {
            let files = self.files();
            let ino = files.stat(path)?.ino;
            let dot = |name: &str| DirEntry { name: name.to_owned(), kind: FileKind::Directory, ino };
            let entries = [dot("."), dot("..")].into_iter().chain(files.readdir(path)?);
            *listing.borrow_mut() = Some(entries.collect());
        }
        let entries = listing.borrow().clone().unwrap_or_default();
        let mut packed = BytesMut::new();
        let first = usize::try_from(cookie).unwrap_or(usize::MAX);
        for (i, entry) in entries.iter().enumerate().skip(first) {
            if packed.len() >= max {
                break;
            }
            packed.put_u64_le(i as u64 + 1);
            packed.put_u64_le(entry.ino);
            packed.put_u32_le(u32::try_from(entry.name.len()).unwrap_or(u32::MAX));
            packed.put_u8(FiletypeCode::from(entry.kind) as u8);
            packed.put_bytes(0, 3);
            packed.put_slice(entry.name.as_bytes());
        }
        packed.truncate(max); // a cut entry tells that there is more
        Ok(Reply::Bytes(packed.freeze()))
    }
}

/// Follows links in the last place by their text, as far as they go: a log file that is a link to `/dev/stdout` leads
/// to a descriptor, which is no file of the tree.
fn last_link(files: &Vfs, path: &str) -> String {
    let mut at = path.to_owned();
    for _ in 0..LINKS_TO_DESCRIPTORS_MAX {
        match files.readlink(&at) {
            Ok(target) => at = path::join(path::dirname(&at), &target),
            Err(_) => break,
        }
    }
    at
}

fn fdstat(description: &Description) -> Fdstat {
    let (filetype, is_stream) = match &description.kind {
        Kind::File(file) => (file.kind().into(), false),
        Kind::Directory { .. } => (FiletypeCode::Directory, false),
        Kind::PipeReader(_) | Kind::PipeWriter(_) | Kind::Sink(_) => (FiletypeCode::Unknown, true),
        Kind::Socket(socket) if socket.is_stream => (FiletypeCode::SocketStream, true),
        Kind::Socket(_) => (FiletypeCode::SocketDatagram, true),
        Kind::Tty(_) => (FiletypeCode::CharacterDevice, true),
        Kind::Null => (FiletypeCode::CharacterDevice, false),
    };
    Fdstat { filetype, flags: description.flags.get(), is_stream }
}

fn seek(description: &Description, delta: i64, whence: u32) -> Result<u64, Errno> {
    let Kind::File(file) = &description.kind else { return Err(Errno::BadSeek) };
    let base = match whence {
        0 => 0,
        1 => description.offset.get(),
        2 => file.len(),
        _ => return Err(Errno::Invalid),
    };
    let at = base.checked_add_signed(delta).ok_or(Errno::Invalid)?;
    description.offset.set(at);
    Ok(at)
}

fn mount_info(files: &Vfs) -> String {
    let root = [("/".to_owned(), false)];
    let line = |(path, read_only): (String, bool)| {
        let usage = files.usage_at(&path).ok()?;
        let mode = if read_only { "ro" } else { "rw" };
        let kind = if usage.in_memory { "tmpfs" } else { "" };
        Some(format!("{path}\t{mode}\t{}\t{}\t{kind}\n", usage.bytes, usage.bytes_max))
    };
    root.into_iter().chain(files.mounts()).filter_map(line).collect()
}
