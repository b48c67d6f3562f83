//! HTTP-shaped requests and answers: the only way into the API server.
//!
//! In the tab no socket lies between a client and the server, so a body may carry shared objects instead of their text;
//! the native shell turns them into bytes. Both forms mean the same.

use std::fmt;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::LocalBoxStream;

use json::Value;

use crate::structs::InOrder;
use crate::{Object, ObjectList};

/// A request.
pub type Request = http::Request<Body>;
/// An answer.
pub type Response = http::Response<Body>;

/// Who a client's certificate says it is. Whoever ends TLS before the server adds it to a request's extensions; without
/// it a request is the administrator's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certified {
    /// The common name: the user.
    pub name: String,
    /// The organizations: the groups.
    pub groups: Vec<String>,
    /// SHA-256 of the certificate, in hexadecimal digits.
    pub digest: String,
}

pub use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};

/// Who sends a request, when a part of the cluster does: an extension of the request, put there by the way that leads from the
/// part to the API server, as a client certificate or a token would say it. What comes over a real wire has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component(pub std::sync::Arc<str>);

/// A request or response body.
#[derive(Default)]
pub enum Body {
    /// No body.
    #[default]
    Empty,
    /// Bytes, typed by the content-type header.
    Bytes(Bytes),
    /// One JSON object (content type application/json).
    Object(Object),
    /// A list (content type application/json).
    List(ObjectList),
    /// A body that arrives over time: watches and followed logs. Dropping it tells the sender.
    Stream(LocalBoxStream<'static, Chunk>),
    /// A connection that was upgraded (status 101): exec, attach, port-forward.
    Upgrade(Duplex),
}

/// A piece of a streamed body.
#[derive(Clone, Debug, PartialEq)]
pub enum Chunk {
    /// Raw bytes (logs).
    Bytes(Bytes),
    /// One watch event, written on the wire as one JSON line `{"type":...,"object":...}`.
    Event {
        /// `ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`.
        event: &'static str,
        /// The object; a Status for `ERROR`.
        object: Object,
    },
}

impl Chunk {
    /// As on the wire.
    pub fn into_bytes(self) -> Bytes {
        match self {
            Chunk::Bytes(bytes) => bytes,
            Chunk::Event { event, object } => {
                let mut line = format!("{{\"type\":\"{event}\",\"object\":").into_bytes();
                json::to_writer(&mut line, &InOrder::new(&object.wire())).expect("JSON values serialise to memory");
                line.extend_from_slice(b"}\n");
                line.into()
            }
        }
    }
}

impl Body {
    /// The bytes of a body that is whole; `None` for streams and upgraded connections.
    pub fn into_bytes(self) -> Option<Bytes> {
        fn json(value: &Value) -> Option<Bytes> {
            let mut text = json::to_vec(&InOrder::new(value)).expect("JSON values serialise to memory");
            text.push(b'\n');
            Some(Bytes::from(text))
        }
        match self {
            Body::Empty => Some(Bytes::new()),
            Body::Bytes(bytes) => Some(bytes),
            Body::Object(object) => json(&object.wire()),
            Body::List(list) => json(&list.to_value()),
            Body::Stream(_) | Body::Upgrade(_) => None,
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Body::Empty => f.write_str("Empty"),
            Body::Bytes(b) => write!(f, "Bytes({})", String::from_utf8_lossy(b)),
            Body::Object(o) => write!(f, "Object({})", o.value()),
            Body::List(l) => write!(f, "List({} x {})", l.kind, l.items.len()),
            Body::Stream(_) => f.write_str("Stream"),
            Body::Upgrade(_) => f.write_str("Upgrade"),
        }
    }
}

impl From<Object> for Body {
    fn from(object: Object) -> Self {
        Body::Object(object)
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Body::Bytes(bytes)
    }
}

/// Both directions of an upgraded connection. One message is one frame of the `v5.channel.k8s.io` protocol: a channel
/// byte (0 stdin, 1 stdout, 2 stderr, 3 error, 4 resize, 255 close) and then the payload.
pub struct Duplex {
    /// To the peer. Bounded: awaits when the peer is slow.
    pub send: futures_channel::mpsc::Sender<Bytes>,
    /// From the peer; ends when the peer has gone.
    pub recv: futures_channel::mpsc::Receiver<Bytes>,
}

/// Frames in flight in one direction of an upgraded connection.
pub const DUPLEX_FRAMES_MAX: usize = 64;

/// Two connected ends.
pub fn duplex() -> (Duplex, Duplex) {
    let (a_tx, a_rx) = futures_channel::mpsc::channel(DUPLEX_FRAMES_MAX);
    let (b_tx, b_rx) = futures_channel::mpsc::channel(DUPLEX_FRAMES_MAX);
    (Duplex { send: a_tx, recv: b_rx }, Duplex { send: b_tx, recv: a_rx })
}

/// Why no answer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransportError {
    /// Nothing listens there.
    Refused,
    /// No route to the host.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// The connection broke.
    Closed,
    /// A part is not built; the sentence says which.
    Unsupported(&'static str),
}

/// Carries requests to an API server (or a kubelet): in process, or over HTTP.
pub trait Transport {
    /// Sends a request. The path and query are in the URI; scheme and authority are optional.
    fn call(&self, request: Request) -> LocalBoxFuture<'static, Result<Response, TransportError>>;
}
