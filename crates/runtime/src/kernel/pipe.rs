//! Bounded byte pipes, between programs and between a program and the kubelet.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use simulation::notify::Waiters;
use vfs::Errno;

use crate::limits::PIPE_BYTES_MAX;

#[derive(Default)]
struct Shared {
    buffer: RefCell<VecDeque<u8>>,
    reader_gone: Cell<bool>,
    writer_gone: Cell<bool>,
    waiters: Waiters,
}

struct ReadEnd(Rc<Shared>);
struct WriteEnd(Rc<Shared>);

impl Drop for ReadEnd {
    fn drop(&mut self) {
        self.0.reader_gone.set(true);
        self.0.waiters.wake_all();
    }
}

impl Drop for WriteEnd {
    fn drop(&mut self) {
        self.0.writer_gone.set(true);
        self.0.waiters.wake_all();
    }
}

/// The end to read from. Clones share it; when the last one goes, writers get `EPIPE`.
#[derive(Clone)]
pub struct PipeReader(Rc<ReadEnd>);

/// The end to write to. Clones share it; when the last one goes, readers see the end.
#[derive(Clone)]
pub struct PipeWriter(Rc<WriteEnd>);

/// A new pipe of [`PIPE_BYTES_MAX`] bytes.
pub fn pipe() -> (PipeReader, PipeWriter) {
    let shared = Rc::new(Shared::default());
    (PipeReader(Rc::new(ReadEnd(Rc::clone(&shared)))), PipeWriter(Rc::new(WriteEnd(shared))))
}

impl PipeReader {
    fn shared(&self) -> &Shared {
        &self.0.0
    }

    /// Up to `max` bytes. None = would block; empty = the end.
    pub fn try_read(&self, max: usize) -> Option<Bytes> {
        let shared = self.shared();
        let mut buffer = shared.buffer.borrow_mut();
        if buffer.is_empty() {
            return (shared.writer_gone.get() || max == 0).then(Bytes::new);
        }
        let count = buffer.len().min(max);
        let bytes: Bytes = buffer.drain(..count).collect();
        drop(buffer);
        shared.waiters.wake_all();
        Some(bytes)
    }

    /// Bytes that are there.
    pub fn available(&self) -> usize {
        self.shared().buffer.borrow().len()
    }

    /// Whether the writers are gone.
    pub fn is_hung_up(&self) -> bool {
        self.shared().writer_gone.get()
    }

    /// Whether [`PipeReader::try_read`] would not block.
    pub fn is_readable(&self) -> bool {
        self.is_hung_up() || self.available() > 0
    }

    /// Wakes the current task at the next change.
    pub fn register(&self, cx: &Context<'_>) {
        self.shared().waiters.register(cx);
    }

    /// The next bytes; empty at the end.
    pub async fn read(&self) -> Bytes {
        poll_fn(|cx| match self.try_read(usize::MAX) {
            Some(bytes) => Poll::Ready(bytes),
            None => {
                self.register(cx);
                Poll::Pending
            }
        })
        .await
    }

    /// Everything up to the end.
    pub async fn read_to_end(&self) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let bytes = self.read().await;
            if bytes.is_empty() {
                return all;
            }
            all.extend_from_slice(&bytes);
        }
    }
}

impl PipeWriter {
    fn shared(&self) -> &Shared {
        &self.0.0
    }

    /// Takes as many bytes as there is room for. None = would block.
    pub fn try_write(&self, bytes: &[u8]) -> Option<Result<usize, Errno>> {
        let shared = self.shared();
        if shared.reader_gone.get() || shared.writer_gone.get() {
            return Some(Err(Errno::BrokenPipe));
        }
        let count = bytes.len().min(self.room());
        if count == 0 && !bytes.is_empty() {
            return None;
        }
        shared.buffer.borrow_mut().extend(&bytes[..count]);
        shared.waiters.wake_all();
        Some(Ok(count))
    }

    /// Bytes that fit now.
    pub fn room(&self) -> usize {
        PIPE_BYTES_MAX - self.shared().buffer.borrow().len()
    }

    /// Whether the readers are gone.
    pub fn is_broken(&self) -> bool {
        self.shared().reader_gone.get()
    }

    /// Whether [`PipeWriter::try_write`] would not block.
    pub fn is_writable(&self) -> bool {
        self.is_broken() || self.room() > 0
    }

    /// Ends the stream for every clone: readers see the end after what was written.
    pub fn close(&self) {
        self.shared().writer_gone.set(true);
        self.shared().waiters.wake_all();
    }

    /// Wakes the current task at the next change.
    pub fn register(&self, cx: &Context<'_>) {
        self.shared().waiters.register(cx);
    }

    /// Writes everything, waiting for room.
    ///
    /// # Errors
    /// `EPIPE` when nobody reads any more.
    pub async fn write_all(&self, bytes: &[u8]) -> Result<(), Errno> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let written = poll_fn(|cx| match self.try_write(rest) {
                Some(result) => Poll::Ready(result),
                None => {
                    self.register(cx);
                    Poll::Pending
                }
            })
            .await?;
            rest = &rest[written..];
        }
        Ok(())
    }
}
