//! Sessions: the streams of a process between the container and the kubelet.

use std::rc::Rc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{LocalBoxStream, unfold};

use simulation::notify::Signal;

use super::{ExecSession, InputSink};
use crate::kernel::{PipeReader, PipeWriter, Tty};

/// A pipe's bytes as a stream.
pub(super) fn stream(reader: PipeReader) -> LocalBoxStream<'static, Bytes> {
    unfold(reader, |reader| async move {
        let bytes = reader.read().await;
        if bytes.is_empty() { None } else { Some((bytes, reader)) }
    })
    .boxed_local()
}

/// A stream that ends at once.
pub(super) fn nothing() -> LocalBoxStream<'static, Bytes> {
    futures_util::stream::empty().boxed_local()
}

/// Input by a pipe.
pub(super) struct PipeInput {
    pub(super) pipe: PipeWriter,
    /// Ends the input for everyone when the session goes.
    pub(super) closes: bool,
}

impl InputSink for PipeInput {
    fn write(&mut self, bytes: Bytes) -> LocalBoxFuture<'_, bool> {
        async move { self.pipe.write_all(&bytes).await.is_ok() }.boxed_local()
    }
}

impl Drop for PipeInput {
    fn drop(&mut self) {
        if self.closes {
            self.pipe.close();
        }
    }
}

/// Input by a terminal. It never waits: what does not fit is dropped, as on Linux.
pub(super) struct TtyInput(pub(super) Rc<Tty>);

impl InputSink for TtyInput {
    fn write(&mut self, bytes: Bytes) -> LocalBoxFuture<'_, bool> {
        self.0.input(&bytes);
        std::future::ready(true).boxed_local()
    }
}

/// What ends a session before its process ends.
pub(super) struct Leaving {
    pub(super) pipes: [PipeWriter; 2],
    pub(super) left: Signal,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.pipes.iter().for_each(PipeWriter::close);
        self.left.raise();
    }
}

/// An input with whose end the session ends.
pub(super) struct Left<I>(pub(super) I, #[expect(dead_code, reason = "acts when it is dropped")] pub(super) Leaving);

impl<I: InputSink> InputSink for Left<I> {
    fn write(&mut self, bytes: Bytes) -> LocalBoxFuture<'_, bool> {
        self.0.write(bytes)
    }
}

/// A session that could not be started: the daemon's words on standard error, and the exit code.
pub(super) fn refused(words: String, code: i32) -> ExecSession {
    ExecSession {
        stdin: None,
        stdout: nothing(),
        stderr: futures_util::stream::once(std::future::ready(Bytes::from(words))).boxed_local(),
        exit: std::future::ready(code).boxed_local(),
        resize: Rc::new(|_, _| {}),
        kill: Rc::new(|| {}),
    }
}
