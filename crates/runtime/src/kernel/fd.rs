//! Descriptors: what a number stands for in one process.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::Context;

use vfs::{DirEntry, Errno, FileHandle};

use super::socket::Socket;
use super::{PipeReader, PipeWriter, Sink, Tty};
use crate::limits::DESCRIPTORS_MAX;

/// `FDFLAGS_APPEND`
pub(crate) const APPEND: u16 = 1;
/// `FDFLAGS_NONBLOCK`
pub(crate) const NONBLOCK: u16 = 4;
/// The descriptor of `/` in every process.
pub(crate) const ROOT_FD: u32 = 3;

/// What a descriptor refers to.
pub enum Kind {
    /// A file or a device.
    File(FileHandle),
    /// A directory; paths are relative to it. The listing is taken when reading begins.
    Directory {
        /// Absolute path.
        path: String,
        /// As of the last reading from the start.
        listing: RefCell<Option<Rc<[DirEntry]>>>,
    },
    /// The reading end of a pipe.
    PipeReader(PipeReader),
    /// The writing end of a pipe.
    PipeWriter(PipeWriter),
    /// A socket.
    Socket(Socket),
    /// A terminal.
    Tty(Rc<Tty>),
    /// Something that takes all output, such as the container's log.
    Sink(Rc<dyn Sink>),
    /// Reads the end, takes everything.
    Null,
}

/// An open file description: shared by the descriptors that were copied from one another.
pub struct Description {
    /// What it is.
    pub kind: Kind,
    pub(crate) offset: Cell<u64>,
    pub(crate) flags: Cell<u16>,
}

impl Description {
    /// A new description at offset 0.
    pub fn new(kind: Kind) -> Rc<Self> {
        Rc::new(Description { kind, offset: Cell::new(0), flags: Cell::new(0) })
    }

    pub(crate) fn is_nonblocking(&self) -> bool {
        self.flags.get() & NONBLOCK != 0
    }

    /// Wakes the current task when something about it changes.
    pub(crate) fn register(&self, cx: &Context<'_>) {
        match &self.kind {
            Kind::PipeReader(pipe) => pipe.register(cx),
            Kind::PipeWriter(pipe) => pipe.register(cx),
            Kind::Socket(socket) => socket.register(cx),
            Kind::Tty(tty) => tty.register(cx),
            Kind::File(_) | Kind::Directory { .. } | Kind::Sink(_) | Kind::Null => {}
        }
    }
}

/// The descriptors of one process.
#[derive(Default)]
pub struct FdTable(BTreeMap<u32, Rc<Description>>);

impl FdTable {
    /// What a number stands for.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn get(&self, fd: u32) -> Result<&Rc<Description>, Errno> {
        self.0.get(&fd).ok_or(Errno::BadFd)
    }

    /// Sets a number.
    pub fn set(&mut self, fd: u32, description: Rc<Description>) {
        self.0.insert(fd, description);
    }

    /// Gives the lowest free number.
    ///
    /// # Errors
    /// `EMFILE`.
    pub fn add(&mut self, description: Rc<Description>) -> Result<u32, Errno> {
        if self.0.len() >= DESCRIPTORS_MAX {
            return Err(Errno::TooManyFiles);
        }
        let free = (0_u32..).find(|fd| !self.0.contains_key(fd)).unwrap_or(u32::MAX);
        self.0.insert(free, description);
        Ok(free)
    }

    /// Frees a number.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn remove(&mut self, fd: u32) -> Result<Rc<Description>, Errno> {
        self.0.remove(&fd).ok_or(Errno::BadFd)
    }

    /// Frees every number.
    pub fn clear(&mut self) -> Vec<Rc<Description>> {
        std::mem::take(&mut self.0).into_values().collect()
    }

    /// The first terminal among the descriptors.
    pub(crate) fn tty(&self) -> Option<Rc<Tty>> {
        self.0.values().find_map(|d| match &d.kind {
            Kind::Tty(tty) => Some(Rc::clone(tty)),
            _ => None,
        })
    }
}
