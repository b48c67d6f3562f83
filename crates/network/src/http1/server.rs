//! The answering side.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use api::http::{Body, HeaderValue, Method, Request, Response, StatusCode, header};
use futures_util::future::LocalBoxFuture;
use simulation::{Sim, Task, TraceKind};

use super::HttpError;
use super::body::{BodyReader, frame, write_stream};
use super::head::{Framing, framing, read_request, wants_close, write_headers};
use super::reader::Reader;
use crate::limits::{HTTP_BODY_BYTES_MAX, HTTP_SERVER_CONNECTIONS_MAX};
use crate::{Listener, TcpStream};

/// Answers one request.
pub type Handler = Rc<dyn Fn(Request) -> LocalBoxFuture<'static, Response>>;

type Connections = Rc<RefCell<BTreeMap<u64, Task<()>>>>;

/// A running server; it stops when dropped.
pub struct Server {
    accepting: Task<()>,
    connections: Connections,
    listener: Listener,
}

impl Server {
    /// Stops listening and drops the connections.
    pub fn stop(&self) {
        self.accepting.abort();
        self.listener.close();
        let tasks = std::mem::take(&mut *self.connections.borrow_mut());
        tasks.values().for_each(Task::abort);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Serves HTTP/1.1 with keep-alive on a listener, one task a connection.
pub fn serve(sim: &Sim, listener: Listener, handler: Handler) -> Server {
    let connections = Connections::default();
    let accepting = sim.spawn(accept(sim.clone(), listener.clone(), handler, Rc::clone(&connections)));
    Server { accepting, connections, listener }
}

async fn accept(sim: Sim, listener: Listener, handler: Handler, connections: Connections) {
    let mut next = 0_u64;
    while let Ok(stream) = listener.accept().await {
        if connections.borrow().len() >= HTTP_SERVER_CONNECTIONS_MAX {
            let what = format!("connection to {} dropped", listener.local_addr());
            sim.trace(TraceKind::Limit { limit: "HTTP_SERVER_CONNECTIONS_MAX".into(), what });
            stream.abort();
            continue;
        }
        next += 1;
        let (id, handler, open) = (next, Rc::clone(&handler), Rc::clone(&connections));
        let task = sim.spawn(async move {
            // Whatever went wrong, the peer sees the connection close.
            let _ = connection(stream, &handler).await;
            open.borrow_mut().remove(&id);
        });
        connections.borrow_mut().insert(id, task);
    }
}

async fn connection(stream: TcpStream, handler: &Handler) -> Result<(), HttpError> {
    let mut reader = Reader::new(stream.clone());
    loop {
        let Some(head) = reader.head().await? else { return Ok(()) };
        let parts = match read_request(&head) {
            Ok(parts) => parts,
            Err(_) => return respond(&stream, plain(StatusCode::BAD_REQUEST), true, true).await,
        };
        let framing = framing(&parts.headers)?.unwrap_or(Framing::Length(0));
        let body = match BodyReader::new(framing).whole(&mut reader, HTTP_BODY_BYTES_MAX).await {
            Ok(bytes) if bytes.is_empty() => Body::Empty,
            Ok(bytes) => Body::Bytes(bytes),
            Err(HttpError::TooLarge(_)) => {
                return respond(&stream, plain(StatusCode::PAYLOAD_TOO_LARGE), true, true).await;
            }
            Err(error) => return Err(error),
        };
        let close = wants_close(&parts.headers);
        let with_body = parts.method != Method::HEAD;
        let response = handler(Request::from_parts(parts, body)).await;
        let close = close || wants_close(response.headers());
        respond(&stream, response, with_body, close).await?;
        if close {
            stream.shutdown_write();
            return Ok(());
        }
    }
}

fn plain(status: StatusCode) -> Response {
    let text = format!("{status}\n");
    let mut response = Response::new(Body::Bytes(text.into()));
    *response.status_mut() = status;
    response
}

async fn respond(stream: &TcpStream, response: Response, with_body: bool, close: bool) -> Result<(), HttpError> {
    let (mut parts, body) = response.into_parts();
    let (body, whole) = match body {
        Body::Upgrade(_) => return Err(HttpError::Upgrade),
        Body::Stream(pieces) => (Body::Stream(pieces), None),
        body => (Body::Empty, body.into_bytes()),
    };
    let chunked = frame(&mut parts.headers, &body, whole.as_ref().map(bytes::Bytes::len), true);
    if close {
        parts.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let reason = parts.status.canonical_reason().unwrap_or("");
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", parts.status.as_u16()).into_bytes();
    write_headers(&mut head, &parts.headers);
    if with_body {
        head.extend_from_slice(&whole.unwrap_or_default());
    }
    stream.write_all(&head).await?;
    if let (true, Body::Stream(pieces)) = (with_body, body) {
        write_stream(stream, pieces, chunked).await?;
    }
    Ok(())
}
