//! Heads of messages: reading with httparse, writing, and what they say of the body.

use api::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};

use super::HttpError;
use crate::limits::HTTP_HEADERS_MAX;

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    /// Until the peer closes.
    Close,
}

fn malformed(what: impl ToString) -> HttpError {
    HttpError::Malformed(what.to_string())
}

fn headers(parsed: &[httparse::Header<'_>]) -> Result<HeaderMap, HttpError> {
    let mut map = HeaderMap::new();
    for line in parsed {
        let name = header::HeaderName::from_bytes(line.name.as_bytes()).map_err(malformed)?;
        map.append(name, HeaderValue::from_bytes(line.value).map_err(malformed)?);
    }
    Ok(map)
}

pub(super) fn read_request(head: &[u8]) -> Result<http::request::Parts, HttpError> {
    let mut lines = [httparse::EMPTY_HEADER; HTTP_HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut lines);
    parsed.parse(head).map_err(malformed)?;
    let method = Method::from_bytes(parsed.method.unwrap_or_default().as_bytes()).map_err(malformed)?;
    let uri: Uri = parsed.path.unwrap_or_default().parse().map_err(malformed)?;
    let mut request = Request::new(api::http::Body::Empty);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers(parsed.headers)?;
    Ok(request.into_parts().0)
}

pub(super) fn read_response(head: &[u8]) -> Result<http::response::Parts, HttpError> {
    let mut lines = [httparse::EMPTY_HEADER; HTTP_HEADERS_MAX];
    let mut parsed = httparse::Response::new(&mut lines);
    parsed.parse(head).map_err(malformed)?;
    let mut response = Response::new(api::http::Body::Empty);
    *response.status_mut() = StatusCode::from_u16(parsed.code.unwrap_or_default()).map_err(malformed)?;
    *response.headers_mut() = headers(parsed.headers)?;
    Ok(response.into_parts().0)
}

/// What the headers say of the body; none if they say nothing.
pub(super) fn framing(headers: &HeaderMap) -> Result<Option<Framing>, HttpError> {
    if let Some(coding) = headers.get(header::TRANSFER_ENCODING) {
        return match coding.to_str() {
            Ok(text) if text.eq_ignore_ascii_case("chunked") => Ok(Some(Framing::Chunked)),
            _ => Err(malformed("unsupported transfer encoding")),
        };
    }
    let Some(length) = headers.get(header::CONTENT_LENGTH) else { return Ok(None) };
    let text = length.to_str().map_err(malformed)?;
    text.trim().parse().map(|n| Some(Framing::Length(n))).map_err(malformed)
}

pub(super) fn wants_close(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::CONNECTION).iter().filter_map(|v| v.to_str().ok());
    values.flat_map(|v| v.split(',')).any(|token| token.trim().eq_ignore_ascii_case("close"))
}

pub(super) fn write_headers(out: &mut Vec<u8>, headers: &HeaderMap) {
    for (name, value) in headers {
        out.extend_from_slice(canonical(name.as_str()).as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// `content-type` as `Content-Type`.
fn canonical(name: &str) -> String {
    let mut start = true;
    name.chars()
        .map(|c| {
            let c = if start { c.to_ascii_uppercase() } else { c };
            start = c == '-';
            c
        })
        .collect()
}
