//! The asking side.

use std::net::SocketAddrV4;

use api::http::{Body, Method, Request, Response, StatusCode, header};

use super::HttpError;
use super::body::{BodyReader, frame, write_stream};
use super::head::{Framing, framing, read_response, write_headers};
use super::reader::Reader;
use crate::limits::HTTP_BODY_BYTES_MAX;
use crate::{NetNs, TcpStream};

/// Sends a request and reads the answer's head; the stream serves this one exchange and closes with the body.
///
/// A body with a known length of up to 8 MiB arrives whole ([`Body::Bytes`]), any other as [`Body::Stream`].
/// `Host` comes from the URI's authority, else from the peer's address, unless it is set.
pub async fn request(stream: TcpStream, request: Request) -> Result<Response, HttpError> {
    let (mut parts, body) = request.into_parts();
    if !parts.headers.contains_key(header::HOST) {
        let host = parts.uri.authority().map_or_else(|| stream.peer_addr().to_string(), ToString::to_string);
        if let Ok(value) = host.parse() {
            parts.headers.insert(header::HOST, value);
        }
    }
    let (body, whole) = match body {
        Body::Upgrade(_) => return Err(HttpError::Upgrade),
        Body::Stream(pieces) => (Body::Stream(pieces), None),
        body => (Body::Empty, body.into_bytes()),
    };
    let always = matches!(parts.method, Method::POST | Method::PUT | Method::PATCH);
    let chunked = frame(&mut parts.headers, &body, whole.as_ref().map(bytes::Bytes::len), always);
    let target = parts.uri.path_and_query().map_or("/", |p| p.as_str());
    let mut head = format!("{} {target} HTTP/1.1\r\n", parts.method).into_bytes();
    write_headers(&mut head, &parts.headers);
    head.extend_from_slice(&whole.unwrap_or_default());
    // A server may answer and close before it has read everything: then its answer counts.
    let sent = stream.write_all(&head).await;
    if let (Ok(()), Body::Stream(pieces)) = (&sent, body) {
        let _ = write_stream(&stream, pieces, chunked).await;
    }
    read(Reader::new(stream), &parts.method).await
}

async fn read(mut reader: Reader, method: &Method) -> Result<Response, HttpError> {
    let parts = loop {
        let head = reader.head().await?.ok_or(HttpError::Closed)?;
        let parts = read_response(&head)?;
        // After a switch of protocols comes whatever the other one says, until the connection closes.
        if !parts.status.is_informational() || parts.status == StatusCode::SWITCHING_PROTOCOLS {
            break parts;
        }
    };
    let bodiless = *method == Method::HEAD || matches!(parts.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    let framing = if bodiless { Framing::Length(0) } else { framing(&parts.headers)?.unwrap_or(Framing::Close) };
    let body = BodyReader::new(framing);
    let body = match framing {
        Framing::Length(length) if length <= HTTP_BODY_BYTES_MAX as u64 => {
            Body::Bytes(body.whole(&mut reader, HTTP_BODY_BYTES_MAX).await?)
        }
        _ => Body::Stream(body.into_stream(reader)),
    };
    Ok(Response::from_parts(parts, body))
}

/// Connects from `ns` and sends a request.
pub async fn request_to(ns: &NetNs, to: SocketAddrV4, message: Request) -> Result<Response, HttpError> {
    let stream = ns.connect(to).await?;
    request(stream, message).await
}
