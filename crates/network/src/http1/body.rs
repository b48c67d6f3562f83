//! Bodies: framed reading as a stream, and writing.

use api::http::{Body, Chunk, HeaderMap, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::stream::{self, LocalBoxStream};

use super::HttpError;
use super::head::Framing;
use super::reader::Reader;
use crate::TcpStream;

/// Reads the pieces of one body.
pub(super) struct BodyReader {
    framing: Framing,
    /// Of the whole body, or of the current chunk.
    left: u64,
    started: bool,
    done: bool,
}

impl BodyReader {
    pub(super) fn new(framing: Framing) -> BodyReader {
        let left = if let Framing::Length(length) = framing { length } else { 0 };
        BodyReader { framing, left, started: false, done: framing == Framing::Length(0) }
    }

    /// The next piece; none at the end.
    pub(super) async fn next(&mut self, reader: &mut Reader) -> Result<Option<Bytes>, HttpError> {
        if self.done {
            return Ok(None);
        }
        if self.framing == Framing::Chunked && self.left == 0 && !self.next_chunk(reader).await? {
            self.done = true;
            return Ok(None);
        }
        let max = if self.framing == Framing::Close { u64::MAX } else { self.left };
        let bytes = reader.some(max).await?;
        if bytes.is_empty() {
            self.done = true;
            return if self.framing == Framing::Close { Ok(None) } else { Err(HttpError::Closed) };
        }
        if self.framing != Framing::Close {
            self.left -= bytes.len() as u64;
            self.done = self.left == 0 && self.framing != Framing::Chunked;
        }
        Ok(Some(bytes))
    }

    /// Reads a chunk's size; false at the last chunk, whose trailers are skipped.
    async fn next_chunk(&mut self, reader: &mut Reader) -> Result<bool, HttpError> {
        if std::mem::replace(&mut self.started, true) {
            reader.line().await?; // the end of the previous chunk
        }
        let line = reader.line().await?;
        let text = String::from_utf8_lossy(&line);
        let digits = text.split(';').next().unwrap_or_default().trim();
        self.left =
            u64::from_str_radix(digits, 16).map_err(|_| HttpError::Malformed(format!("chunk size {digits:?}")))?;
        if self.left > 0 {
            return Ok(true);
        }
        while !reader.line().await?.is_empty() {}
        Ok(false)
    }

    /// The whole rest; an error if it is longer than `max` bytes.
    pub(super) async fn whole(mut self, reader: &mut Reader, max: usize) -> Result<Bytes, HttpError> {
        let mut all = BytesMut::new();
        while let Some(piece) = self.next(reader).await? {
            if all.len() + piece.len() > max {
                return Err(HttpError::TooLarge("HTTP_BODY_BYTES_MAX"));
            }
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }

    /// The pieces as a stream that owns its reader. A broken connection ends it early.
    pub(super) fn into_stream(self, reader: Reader) -> LocalBoxStream<'static, Chunk> {
        let pieces = stream::unfold((self, reader), |(mut body, mut reader)| async move {
            let piece = body.next(&mut reader).await.ok()??;
            Some((Chunk::Bytes(piece), (body, reader)))
        });
        pieces.boxed_local()
    }
}

/// Completes `headers` for `body`; gives whether it must be sent in chunks.
pub(super) fn frame(headers: &mut HeaderMap, body: &Body, known: Option<usize>, always: bool) -> bool {
    headers.remove(header::TRANSFER_ENCODING);
    match known {
        Some(length) => {
            if always || length > 0 {
                headers.insert(header::CONTENT_LENGTH, length.into());
            }
            false
        }
        None => {
            let streaming = matches!(body, Body::Stream(_)) && !headers.contains_key(header::CONTENT_LENGTH);
            if streaming {
                headers.insert(header::TRANSFER_ENCODING, http::HeaderValue::from_static("chunked"));
            }
            streaming
        }
    }
}

/// Sends a streamed body.
pub(super) async fn write_stream(
    stream: &TcpStream,
    mut pieces: LocalBoxStream<'static, Chunk>,
    chunked: bool,
) -> Result<(), HttpError> {
    while let Some(piece) = pieces.next().await {
        let bytes = piece.into_bytes();
        if bytes.is_empty() {
            continue;
        }
        if chunked {
            stream.write_all(format!("{:x}\r\n", bytes.len()).as_bytes()).await?;
            stream.write_all(&bytes).await?;
            stream.write_all(b"\r\n").await?;
        } else {
            stream.write_all(&bytes).await?;
        }
    }
    if chunked {
        stream.write_all(b"0\r\n\r\n").await?;
    }
    Ok(())
}
