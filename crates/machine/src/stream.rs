//! Byte streams between programs: bounded, asynchronous, with end-of-file and broken pipes.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use simulation::notify::Waiters;

/// Bytes in flight in one pipe, as on Linux.
pub const PIPE_BYTES_MAX: usize = 64 * 1024;

/// The reading side has gone: a program that writes on is ended, as by SIGPIPE (exit code 141).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenPipe;

/// Something that can be read: a pipe, a file, a terminal.
pub trait ReadEnd {
    /// At most `max` bytes; empty at the end.
    fn poll_read(&self, cx: &Context<'_>, max: usize) -> Poll<Bytes>;
    /// Whether it is a terminal.
    fn is_tty(&self) -> bool {
        false
    }
}

/// Something that can be written: a pipe, a file, a terminal.
pub trait WriteEnd {
    /// Takes some of the bytes (at least one) when there is room.
    fn poll_write(&self, cx: &Context<'_>, bytes: &[u8]) -> Poll<Result<usize, BrokenPipe>>;
    /// Whether it is a terminal.
    fn is_tty(&self) -> bool {
        false
    }
}

/// A shared reading end.
#[derive(Clone)]
pub struct Reader(Rc<dyn ReadEnd>);

impl Reader {
    /// Wraps an end.
    pub fn new(end: impl ReadEnd + 'static) -> Reader {
        Reader(Rc::new(end))
    }

    /// Always at its end, like /dev/null.
    pub fn empty() -> Reader {
        Reader::from_bytes(Bytes::new())
    }

    /// Gives `bytes` and then ends.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Reader {
        struct Whole(RefCell<Bytes>);
        impl ReadEnd for Whole {
            fn poll_read(&self, _: &Context<'_>, max: usize) -> Poll<Bytes> {
                let mut rest = self.0.borrow_mut();
                let take = max.min(rest.len());
                Poll::Ready(rest.split_to(take))
            }
        }
        Reader::new(Whole(RefCell::new(bytes.into())))
    }

    /// Whether it is a terminal.
    pub fn is_tty(&self) -> bool {
        self.0.is_tty()
    }

    /// The next bytes, at most `max`; empty at the end.
    pub async fn read(&self, max: usize) -> Bytes {
        std::future::poll_fn(|cx| self.0.poll_read(cx, max)).await
    }

    /// As [`Reader::read`], for callers that poll.
    pub fn poll_read(&self, cx: &Context<'_>, max: usize) -> Poll<Bytes> {
        self.0.poll_read(cx, max)
    }

    /// Everything up to the end.
    pub async fn read_to_end(&self) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let chunk = self.read(PIPE_BYTES_MAX).await;
            if chunk.is_empty() {
                return all;
            }
            all.extend_from_slice(&chunk);
        }
    }

    /// Everything up to the end as text; bytes that are no UTF-8 are replaced.
    pub async fn read_to_string(&self) -> String {
        String::from_utf8_lossy(&self.read_to_end().await).into_owned()
    }
}

/// A shared writing end. The stream ends for its reader when the last clone is dropped.
#[derive(Clone)]
pub struct Writer(Rc<dyn WriteEnd>);

impl Writer {
    /// Wraps an end.
    pub fn new(end: impl WriteEnd + 'static) -> Writer {
        Writer(Rc::new(end))
    }

    /// Takes everything and keeps nothing, like /dev/null.
    pub fn null() -> Writer {
        struct Null;
        impl WriteEnd for Null {
            fn poll_write(&self, _: &Context<'_>, bytes: &[u8]) -> Poll<Result<usize, BrokenPipe>> {
                Poll::Ready(Ok(bytes.len()))
            }
        }
        Writer::new(Null)
    }

    /// Collects everything into `buffer`: for command substitution and tests.
    pub fn into_buffer(buffer: Rc<RefCell<Vec<u8>>>) -> Writer {
        struct Buffer(Rc<RefCell<Vec<u8>>>);
        impl WriteEnd for Buffer {
            fn poll_write(&self, _: &Context<'_>, bytes: &[u8]) -> Poll<Result<usize, BrokenPipe>> {
                self.0.borrow_mut().extend_from_slice(bytes);
                Poll::Ready(Ok(bytes.len()))
            }
        }
        Writer::new(Buffer(buffer))
    }

    /// Offers bytes, for callers that poll: how many were taken.
    pub fn poll_write(&self, cx: &Context<'_>, bytes: &[u8]) -> Poll<Result<usize, BrokenPipe>> {
        self.0.poll_write(cx, bytes)
    }

    /// Whether it is a terminal.
    pub fn is_tty(&self) -> bool {
        self.0.is_tty()
    }

    /// Writes all bytes, waiting for room as needed.
    pub async fn write_all(&self, mut bytes: &[u8]) -> Result<(), BrokenPipe> {
        while !bytes.is_empty() {
            let written = std::future::poll_fn(|cx| self.0.poll_write(cx, bytes)).await?;
            bytes = &bytes[written..];
        }
        Ok(())
    }

    /// Writes text.
    pub async fn print(&self, text: impl AsRef<str>) -> Result<(), BrokenPipe> {
        self.write_all(text.as_ref().as_bytes()).await
    }

    /// Writes text and a newline.
    pub async fn println(&self, text: impl AsRef<str>) -> Result<(), BrokenPipe> {
        let mut line = text.as_ref().to_owned();
        line.push('\n');
        self.write_all(line.as_bytes()).await
    }
}

#[derive(Default)]
struct PipeState {
    bytes: RefCell<VecDeque<u8>>,
    writer_gone: Cell<bool>,
    reader_gone: Cell<bool>,
    readable: Waiters,
    writable: Waiters,
}

struct PipeReader(Rc<PipeState>);
struct PipeWriter(Rc<PipeState>);

/// A bounded pipe.
pub fn pipe() -> (Reader, Writer) {
    let state = Rc::new(PipeState::default());
    (Reader::new(PipeReader(Rc::clone(&state))), Writer::new(PipeWriter(state)))
}

impl ReadEnd for PipeReader {
    fn poll_read(&self, cx: &Context<'_>, max: usize) -> Poll<Bytes> {
        let mut bytes = self.0.bytes.borrow_mut();
        if bytes.is_empty() {
            if self.0.writer_gone.get() {
                return Poll::Ready(Bytes::new());
            }
            self.0.readable.register(cx);
            return Poll::Pending;
        }
        let take = max.min(bytes.len());
        let chunk: Vec<u8> = bytes.drain(..take).collect();
        drop(bytes);
        self.0.writable.wake_all();
        Poll::Ready(chunk.into())
    }
}

impl Drop for PipeReader {
    fn drop(&mut self) {
        self.0.reader_gone.set(true);
        self.0.writable.wake_all();
    }
}

impl WriteEnd for PipeWriter {
    fn poll_write(&self, cx: &Context<'_>, new: &[u8]) -> Poll<Result<usize, BrokenPipe>> {
        if self.0.reader_gone.get() {
            return Poll::Ready(Err(BrokenPipe));
        }
        let mut bytes = self.0.bytes.borrow_mut();
        let room = PIPE_BYTES_MAX - bytes.len();
        if room == 0 {
            self.0.writable.register(cx);
            return Poll::Pending;
        }
        let take = room.min(new.len());
        bytes.extend(&new[..take]);
        drop(bytes);
        self.0.readable.wake_all();
        Poll::Ready(Ok(take))
    }
}

impl Drop for PipeWriter {
    fn drop(&mut self) {
        self.0.writer_gone.set(true);
        self.0.readable.wake_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use simulation::{Sim, SimConfig, StepLimits, Time};

    fn run<T: 'static>(future: impl Future<Output = T> + 'static) -> T {
        let sim = Sim::new(SimConfig { seed: 1, start: Time::default() });
        let slot = Rc::new(RefCell::new(None));
        let out = Rc::clone(&slot);
        sim.spawn(async move {
            let value = future.await;
            *out.borrow_mut() = Some(value);
        });
        sim.step(Time::from_unix_seconds(60), StepLimits::default());
        let value = slot.borrow_mut().take();
        value.expect("the future finished")
    }

    #[test]
    fn a_pipe_holds_back_a_fast_writer_and_ends_when_it_goes() {
        let (reader, writer) = pipe();
        let total = run(async move {
            let write = async move {
                let big = vec![7_u8; PIPE_BYTES_MAX * 2];
                writer.write_all(&big).await.expect("the reader is there");
            };
            let (all, ()) = futures_util::future::join(reader.read_to_end(), write).await;
            all.len()
        });
        assert_eq!(total, PIPE_BYTES_MAX * 2);
    }

    #[test]
    fn a_writer_learns_that_its_reader_has_gone() {
        let (reader, writer) = pipe();
        drop(reader);
        assert_eq!(run(async move { writer.print("x").await }), Err(BrokenPipe));
    }

    #[test]
    fn bytes_are_read_in_pieces() {
        let reader = Reader::from_bytes("hello");
        let parts = run(async move { (reader.read(2).await, reader.read_to_string().await) });
        assert_eq!(parts, (Bytes::from_static(b"he"), "llo".to_owned()));
    }
}
