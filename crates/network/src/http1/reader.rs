//! Buffered reading from a stream.

use bytes::{Bytes, BytesMut};

use super::HttpError;
use crate::TcpStream;
use crate::limits::HTTP_HEAD_BYTES_MAX;

/// A stream and what was read ahead.
pub(super) struct Reader {
    pub(super) stream: TcpStream,
    ahead: BytesMut,
}

impl Reader {
    pub(super) fn new(stream: TcpStream) -> Reader {
        Reader { stream, ahead: BytesMut::new() }
    }

    /// Reads more; false at the end of the stream.
    async fn fill(&mut self) -> Result<bool, HttpError> {
        let bytes = self.stream.read().await?;
        self.ahead.extend_from_slice(&bytes);
        Ok(!bytes.is_empty())
    }

    /// Everything up to and including the empty line; none if the stream ends before the first byte.
    pub(super) async fn head(&mut self) -> Result<Option<Bytes>, HttpError> {
        let mut searched = 0;
        loop {
            if let Some(end) = find(&self.ahead[searched..], b"\r\n\r\n") {
                return Ok(Some(self.ahead.split_to(searched + end + 4).freeze()));
            }
            searched = self.ahead.len().saturating_sub(3);
            if self.ahead.len() > HTTP_HEAD_BYTES_MAX {
                return Err(HttpError::TooLarge("HTTP_HEAD_BYTES_MAX"));
            }
            if !self.fill().await? {
                return if self.ahead.is_empty() { Ok(None) } else { Err(HttpError::Closed) };
            }
        }
    }

    /// A line without its end.
    pub(super) async fn line(&mut self) -> Result<Bytes, HttpError> {
        loop {
            if let Some(end) = find(&self.ahead, b"\r\n") {
                let line = self.ahead.split_to(end + 2).freeze();
                return Ok(line.slice(..end));
            }
            if self.ahead.len() > HTTP_HEAD_BYTES_MAX {
                return Err(HttpError::TooLarge("HTTP_HEAD_BYTES_MAX"));
            }
            if !self.fill().await? {
                return Err(HttpError::Closed);
            }
        }
    }

    /// Between one and `max` bytes; empty at the end of the stream.
    pub(super) async fn some(&mut self, max: u64) -> Result<Bytes, HttpError> {
        if self.ahead.is_empty() && !self.fill().await? {
            return Ok(Bytes::new());
        }
        let take = self.ahead.len().min(usize::try_from(max).unwrap_or(usize::MAX));
        Ok(self.ahead.split_to(take).freeze())
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
