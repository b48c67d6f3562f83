//! Files as streams, and the table of open descriptors.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use machine::{BrokenPipe, ReadEnd, Reader, WriteEnd, Writer};
use vfs::{Errno, FileHandle};

/// Bytes that a command substitution keeps; what comes after ends its writer as a broken pipe would.
pub const SUBSTITUTION_BYTES_MAX: usize = 16 * 1024 * 1024;

/// An open descriptor.
#[derive(Clone, Default)]
pub struct Fd {
    /// Set if it can be read.
    pub read: Option<Reader>,
    /// Set if it can be written.
    pub write: Option<Writer>,
    /// Set by a failed write to a file, for the message after the command.
    pub failure: Option<Rc<Cell<Option<Errno>>>>,
}

impl Fd {
    /// For reading.
    pub fn reader(reader: Reader) -> Fd {
        Fd { read: Some(reader), ..Fd::default() }
    }

    /// For writing.
    pub fn writer(writer: Writer) -> Fd {
        Fd { write: Some(writer), ..Fd::default() }
    }

    /// An open file.
    pub fn file(handle: FileHandle) -> Fd {
        let failure = Rc::new(Cell::new(None));
        let options = handle.options();
        let file = Rc::new(File { handle, offset: Cell::new(0), failure: Rc::clone(&failure) });
        Fd {
            read: options.read.then(|| Reader::new(FileEnd(Rc::clone(&file)))),
            write: options.write.then(|| Writer::new(FileEnd(file))),
            failure: Some(failure),
        }
    }
}

/// The descriptors of a shell.
pub type Fds = BTreeMap<u32, Fd>;

struct File {
    handle: FileHandle,
    offset: Cell<u64>,
    failure: Rc<Cell<Option<Errno>>>,
}

struct FileEnd(Rc<File>);

impl ReadEnd for FileEnd {
    fn poll_read(&self, _: &Context<'_>, max: usize) -> Poll<Bytes> {
        let file = &self.0;
        let bytes = file.handle.read_at(file.offset.get(), max).unwrap_or_else(|errno| {
            file.failure.set(Some(errno));
            Bytes::new()
        });
        file.offset.set(file.offset.get() + bytes.len() as u64);
        Poll::Ready(bytes)
    }
}

impl WriteEnd for FileEnd {
    fn poll_write(&self, _: &Context<'_>, bytes: &[u8]) -> Poll<Result<usize, BrokenPipe>> {
        let file = &self.0;
        let result = if file.handle.options().append {
            file.handle.append(bytes)
        } else {
            file.handle.write_at(file.offset.get(), bytes)
        };
        Poll::Ready(match result {
            Ok(count) if count > 0 => {
                file.offset.set(file.offset.get() + count as u64);
                Ok(count)
            }
            other => {
                file.failure.set(Some(other.err().unwrap_or(Errno::NoSpace)));
                Err(BrokenPipe)
            }
        })
    }
}

/// Collects the output of a command substitution.
pub(crate) struct Capture {
    pub bytes: Rc<RefCell<Vec<u8>>>,
    pub overflow: Rc<Cell<bool>>,
}

impl WriteEnd for Capture {
    fn poll_write(&self, _: &Context<'_>, new: &[u8]) -> Poll<Result<usize, BrokenPipe>> {
        let mut bytes = self.bytes.borrow_mut();
        let room = SUBSTITUTION_BYTES_MAX - bytes.len();
        if room == 0 {
            self.overflow.set(true);
            return Poll::Ready(Err(BrokenPipe));
        }
        let take = room.min(new.len());
        bytes.extend_from_slice(&new[..take]);
        Poll::Ready(Ok(take))
    }
}
