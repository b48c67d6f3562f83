//! A stream of changes.

use std::collections::VecDeque;

use api::Object;
use api::http::{Body, Chunk, Response};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::LocalBoxStream;
use json::Value;

use crate::Error;

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchKind {
    /// It came to be (or into the selection).
    Added,
    /// It changed.
    Modified,
    /// It went (or left the selection).
    Deleted,
    /// Only the resource version moved on.
    Bookmark,
}

impl WatchKind {
    /// As on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            WatchKind::Added => "ADDED",
            WatchKind::Modified => "MODIFIED",
            WatchKind::Deleted => "DELETED",
            WatchKind::Bookmark => "BOOKMARK",
        }
    }

    fn parse(text: &str) -> Option<WatchKind> {
        [WatchKind::Added, WatchKind::Modified, WatchKind::Deleted, WatchKind::Bookmark]
            .into_iter()
            .find(|k| k.as_str() == text)
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchEvent {
    /// What happened.
    pub kind: WatchKind,
    /// The object after it (before it, for deletions).
    pub object: Object,
}

/// The changes as they come. Dropping it ends the watch.
pub struct WatchStream {
    chunks: LocalBoxStream<'static, Chunk>,
    partial: Vec<u8>,
    ready: VecDeque<Result<WatchEvent, Error>>,
}

impl WatchStream {
    pub(crate) fn new(response: Response) -> Result<WatchStream, Error> {
        let chunks = match response.into_body() {
            Body::Stream(chunks) => chunks,
            other => {
                let bytes = other.into_bytes().unwrap_or_default();
                futures_util::stream::iter([Chunk::Bytes(bytes)]).boxed_local()
            }
        };
        Ok(WatchStream { chunks, partial: Vec::new(), ready: VecDeque::new() })
    }

    /// The next change; `None` when the server ended the watch. An `ERROR` event is an [`Error::Status`].
    pub async fn next(&mut self) -> Option<Result<WatchEvent, Error>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            match self.chunks.next().await? {
                Chunk::Event { event, object } => self.ready.push_back(read_event(event, object)),
                Chunk::Bytes(bytes) => self.take_lines(&bytes),
            }
        }
    }

    fn take_lines(&mut self, bytes: &Bytes) {
        self.partial.extend_from_slice(bytes);
        while let Some(end) = self.partial.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = self.partial.drain(..=end).collect();
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            self.ready.push_back(match json::from_slice::<Value>(&line) {
                Ok(mut value) => {
                    let kind = value.get("type").and_then(Value::as_str).unwrap_or("").to_owned();
                    let object = value.get_mut("object").map(Value::take).unwrap_or_default();
                    read_event(&kind, Object::new(object))
                }
                Err(error) => Err(Error::Decode(error.to_string())),
            });
        }
    }
}

fn read_event(kind: &str, object: Object) -> Result<WatchEvent, Error> {
    if kind == "ERROR" {
        return Err(Error::from_status(500, object.value(), String::new));
    }
    match WatchKind::parse(kind) {
        Some(kind) => Ok(WatchEvent { kind, object }),
        None => Err(Error::Decode(format!("unknown watch event type {kind:?}"))),
    }
}
