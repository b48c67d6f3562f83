//! Open files.

use std::rc::Rc;

use bytes::Bytes;
use simulation::Time;

use crate::walk::Place;
use crate::{Device, Errno, FileKind, Metadata};

/// How to open a path, as the flags of `open(2)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// Reading is wanted.
    pub read: bool,
    /// Writing is wanted.
    pub write: bool,
    /// Every write goes to the end.
    pub append: bool,
    /// Make a regular file when there is none.
    pub create: bool,
    /// With `create`: fail when the name exists.
    pub exclusive: bool,
    /// Empty the file.
    pub truncate: bool,
    /// Fail unless it is a directory.
    pub directory: bool,
    /// Fail with `ELOOP` when the last component is a link.
    pub no_follow: bool,
    /// Permission bits of a file that is made; 0 stands for 0666. The view's umask is taken off.
    pub mode: u16,
}

impl OpenOptions {
    /// For reading.
    pub const READ: OpenOptions = OpenOptions {
        read: true,
        write: false,
        append: false,
        create: false,
        exclusive: false,
        truncate: false,
        directory: false,
        no_follow: false,
        mode: 0,
    };
    /// For writing from the start of an empty file, made if need be (`>`).
    pub const CREATE: OpenOptions =
        OpenOptions { read: false, write: true, create: true, truncate: true, ..OpenOptions::READ };
    /// For writing at the end, made if need be (`>>`).
    pub const APPEND: OpenOptions =
        OpenOptions { read: false, write: true, create: true, append: true, ..OpenOptions::READ };
}

struct Open {
    place: Place,
    path: String,
    options: OpenOptions,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.place.fs.closed(self.place.ino);
    }
}

/// An open file or directory. Clones share it. Offsets are the caller's business, except for appending.
#[derive(Clone)]
pub struct FileHandle(Rc<Open>);

impl FileHandle {
    pub(crate) fn new(place: Place, path: String, options: OpenOptions) -> Self {
        place.fs.opened(place.ino);
        FileHandle(Rc::new(Open { place, path, options }))
    }

    /// The path it was opened by, without links.
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// How it was opened.
    pub fn options(&self) -> OpenOptions {
        self.0.options
    }

    /// Up to `max` bytes from `offset`; empty at the end.
    ///
    /// # Errors
    /// `EBADF` when not opened for reading, `EISDIR`.
    pub fn read_at(&self, offset: u64, max: usize) -> Result<Bytes, Errno> {
        if !self.0.options.read {
            return Err(Errno::BadFd);
        }
        self.0.place.fs.read_at(self.0.place.ino, offset, max)
    }

    /// Writes all of `bytes` at `offset`, or at the end when opened for appending.
    ///
    /// # Errors
    /// `EBADF` when not opened for writing, `ENOSPC`, `EFBIG`.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<usize, Errno> {
        if !self.0.options.write {
            return Err(Errno::BadFd);
        }
        let offset = if self.0.options.append { None } else { Some(offset) };
        self.0.place.fs.write_at(self.0.place.ino, offset, bytes)
    }

    /// Writes at the end.
    ///
    /// # Errors
    /// As [`FileHandle::write_at`].
    pub fn append(&self, bytes: &[u8]) -> Result<usize, Errno> {
        if !self.0.options.write {
            return Err(Errno::BadFd);
        }
        self.0.place.fs.write_at(self.0.place.ino, None, bytes)
    }

    /// Cuts or lengthens (with zeros).
    ///
    /// # Errors
    /// `EBADF` when not opened for writing, `EINVAL` for anything but a regular file, `ENOSPC`, `EFBIG`.
    pub fn truncate(&self, length: u64) -> Result<(), Errno> {
        if !self.0.options.write {
            return Err(Errno::BadFd);
        }
        self.0.place.fs.truncate(self.0.place.ino, length)
    }

    /// Replaces the content, sharing `bytes` instead of copying them.
    ///
    /// # Errors
    /// As [`FileHandle::truncate`].
    pub fn set_bytes(&self, bytes: Bytes) -> Result<(), Errno> {
        if !self.0.options.write {
            return Err(Errno::BadFd);
        }
        self.0.place.fs.set_bytes(self.0.place.ino, bytes)
    }

    /// What `fstat` tells.
    ///
    /// # Errors
    /// None while the handle lives; the type is that of the tree's calls.
    pub fn stat(&self) -> Result<Metadata, Errno> {
        self.0.place.stat()
    }

    /// Bytes of the file.
    pub fn len(&self) -> u64 {
        self.stat().map_or(0, |m| m.size)
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What it is.
    pub fn kind(&self) -> FileKind {
        self.0.place.kind().unwrap_or(FileKind::Regular)
    }

    /// The device behind it, if it is one.
    pub fn device(&self) -> Option<Rc<dyn Device>> {
        self.0.place.fs.device(self.0.place.ino)
    }

    /// Sets access and modification time; none leaves one as it is.
    ///
    /// # Errors
    /// `EROFS`.
    pub fn set_times(&self, accessed: Option<Time>, modified: Option<Time>) -> Result<(), Errno> {
        if self.0.place.read_only {
            return Err(Errno::ReadOnly);
        }
        set_times(&self.0.place, accessed, modified)
    }
}

pub(crate) fn set_times(place: &Place, accessed: Option<Time>, modified: Option<Time>) -> Result<(), Errno> {
    let now = place.fs.now();
    place.fs.write(place.ino, |n| {
        n.accessed = accessed.unwrap_or(n.accessed);
        n.modified = modified.unwrap_or(n.modified);
        n.changed = now;
    })
}

impl std::fmt::Debug for FileHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileHandle({})", self.0.path)
    }
}
