//! Reading files and standard input, and complaining about it.

use bytes::Bytes;
use machine::{Ctx, Reader};
use vfs::{Errno, OpenOptions};

use crate::streams::Fd;

/// Bytes of one input that a tool keeps in memory; more is refused with `File too large`.
pub(crate) const INPUT_BYTES_MAX: usize = 64 * 1024 * 1024;
const CHUNK_BYTES: usize = 64 * 1024;

/// `name: message` on standard error.
pub(crate) async fn complain(ctx: &Ctx, name: &str, message: impl AsRef<str>) {
    ctx.err(format!("{name}: {}\n", message.as_ref())).await;
}

/// Opens a file for reading; `-` is standard input.
pub(crate) fn open(ctx: &Ctx, path: &str) -> Result<Reader, Errno> {
    if path == "-" || path == "/dev/stdin" {
        return Ok(ctx.stdin.clone());
    }
    if ctx.fs.stat(&ctx.path(path))?.is_dir() {
        return Err(Errno::IsDirectory);
    }
    let handle = ctx.fs.open(&ctx.path(path), OpenOptions::READ)?;
    Ok(Fd::file(handle).read.unwrap_or_else(Reader::empty))
}

/// The whole of a file or of standard input.
pub(crate) async fn read(ctx: &Ctx, path: &str) -> Result<Vec<u8>, Errno> {
    let reader = open(ctx, path)?;
    let mut all = Vec::new();
    loop {
        let chunk = reader.read(CHUNK_BYTES).await;
        if chunk.is_empty() {
            return Ok(all);
        }
        all.extend_from_slice(&chunk);
        if all.len() > INPUT_BYTES_MAX {
            return Err(Errno::FileTooBig);
        }
    }
}

/// The same as text.
pub(crate) async fn read_text(ctx: &Ctx, path: &str) -> Result<String, Errno> {
    read(ctx, path).await.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The operands, or `-` when there are none.
pub(crate) fn inputs(operands: &[String]) -> Vec<String> {
    if operands.is_empty() { vec!["-".into()] } else { operands.to_vec() }
}

/// Lines of a stream as they come.
pub(crate) struct Lines {
    reader: Reader,
    buffer: Vec<u8>,
    from: usize,
    ended: bool,
}

impl Lines {
    pub(crate) fn new(reader: Reader) -> Lines {
        Lines { reader, buffer: Vec::new(), from: 0, ended: false }
    }

    /// The next line with its newline (the last one may have none).
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        let mut searched = self.from;
        loop {
            if let Some(at) = self.buffer[searched..].iter().position(|b| *b == b'\n') {
                let line = Bytes::copy_from_slice(&self.buffer[self.from..=searched + at]);
                self.from = searched + at + 1;
                return Some(line);
            }
            if self.ended || self.buffer.len() - self.from > INPUT_BYTES_MAX {
                let line = Bytes::copy_from_slice(&self.buffer[self.from..]);
                self.from = self.buffer.len();
                return (!line.is_empty()).then_some(line);
            }
            self.buffer.drain(..self.from);
            self.from = 0;
            searched = self.buffer.len();
            let chunk = self.reader.read(CHUNK_BYTES).await;
            self.ended = chunk.is_empty();
            self.buffer.extend_from_slice(&chunk);
        }
    }

    /// The next line as text without its newline, and whether it had one.
    pub(crate) async fn next_text(&mut self) -> Option<(String, bool)> {
        let line = self.next().await?;
        let text = String::from_utf8_lossy(&line);
        Some(match text.strip_suffix('\n') {
            Some(text) => (text.to_owned(), true),
            None => (text.into_owned(), false),
        })
    }
}
