//! Requests to the API server: JSON in and out, tables, watches, warnings.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use api::Object;
use api::http::header::HeaderName;
use api::http::{Body, Chunk, HeaderValue, Method, Request, Response, TransportError, header};
use bytes::Bytes;
use futures_util::StreamExt;
use json::Value;

use crate::discovery::Discovery;
use crate::failure::{Failure, Outcome};
use crate::kubeconfig::Connection;
use crate::session::Session;

/// Asks for whole objects.
pub const JSON: &str = "application/json";
/// Asks for a table, and accepts whole objects.
pub const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
/// The content type of a JSON patch.
pub const JSON_PATCH: &str = "application/json-patch+json";
/// The content type of a merge patch.
pub const MERGE_PATCH: &str = "application/merge-patch+json";
/// The content type of a strategic merge patch.
pub const STRATEGIC_PATCH: &str = "application/strategic-merge-patch+json";
/// The content type of server-side apply.
pub const APPLY_PATCH: &str = "application/apply-patch+yaml";

const USER_AGENT: &str = "kubectl/v1.36.3 (linux/amd64) kubernetes/0f29094";

/// A client of one API server.
#[derive(Clone)]
pub struct Rest {
    /// The session it belongs to.
    pub session: Rc<Session>,
    /// Where it goes.
    pub connection: Connection,
    warned: Rc<RefCell<BTreeSet<String>>>,
}

impl Rest {
    /// A client for a connection.
    pub fn new(session: Rc<Session>, connection: Connection) -> Rest {
        Rest { session, connection, warned: Rc::default() }
    }

    /// The namespace to work in.
    pub fn namespace(&self) -> &str {
        &self.connection.namespace
    }

    /// The failure for a transport error.
    pub fn unreachable(&self, error: TransportError) -> Failure {
        Failure::Transport(error, self.connection.server.clone())
    }

    /// Sends a request as it is; answers of any status come back.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        accept: &str,
        content: Option<(&str, Body)>,
    ) -> Outcome<Response> {
        let (kind, body) = content.map_or((None, Body::Empty), |(kind, body)| (Some(kind), body));
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().map_err(|why| Failure::message(format!("{path}: {why}")))?;
        for (name, value) in [(header::ACCEPT, Some(accept)), (header::CONTENT_TYPE, kind)] {
            if let Some(value) = value.and_then(|v| HeaderValue::from_str(v).ok()) {
                request.headers_mut().insert(name, value);
            }
        }
        let response = self.forward(request).await?;
        self.warn(&response).await;
        Ok(response)
    }

    /// Passes somebody's request on with our credentials. A user agent that it has stays, as behind `kubectl proxy`.
    pub async fn forward(&self, mut request: Request) -> Outcome<Response> {
        let transport = self.session.place.api(&self.connection.server).map_err(|e| self.unreachable(e))?;
        let headers = request.headers_mut();
        if !headers.contains_key(header::USER_AGENT) {
            headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        }
        if let Some(token) = &self.connection.token
            && let Ok(value) = HeaderValue::from_str(&format!("Bearer {token}"))
        {
            headers.insert(header::AUTHORIZATION, value);
        }
        for (name, value) in &self.connection.impersonate {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value)) {
                headers.append(name, value);
            }
        }
        transport.call(request).await.map_err(|e| self.unreachable(e))
    }

    /// Prints the warnings that the server sent, each once.
    async fn warn(&self, response: &Response) {
        let texts: Vec<String> = response.headers().get_all(header::WARNING).iter().filter_map(warning).collect();
        for text in texts {
            if self.warned.borrow_mut().insert(text.clone()) {
                self.session.err(format!("Warning: {text}\n")).await;
            }
        }
    }

    /// Sends a request and refuses answers that are not 2xx.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        accept: &str,
        content: Option<(&str, Body)>,
    ) -> Outcome<Response> {
        let response = self.send(method, path, accept, content).await?;
        if response.status().is_success() || response.status().as_u16() == 101 {
            return Ok(response);
        }
        Err(refusal(response).await)
    }

    /// Reads one thing.
    pub async fn get(&self, path: &str) -> Outcome<Value> {
        let response = self.call(Method::GET, path, JSON, None).await?;
        json(response.into_body()).await
    }

    /// Reads one thing as a table if the server can.
    pub async fn get_table(&self, path: &str) -> Outcome<Value> {
        let response = self.call(Method::GET, path, TABLE, None).await?;
        json(response.into_body()).await
    }

    /// Creates an object.
    pub async fn post(&self, path: &str, object: &Value) -> Outcome<Value> {
        let body = Body::Object(Object::new(object.clone()));
        let response = self.call(Method::POST, path, JSON, Some((JSON, body))).await?;
        json(response.into_body()).await
    }

    /// Replaces an object.
    pub async fn put(&self, path: &str, object: &Value) -> Outcome<Value> {
        let body = Body::Object(Object::new(object.clone()));
        let response = self.call(Method::PUT, path, JSON, Some((JSON, body))).await?;
        json(response.into_body()).await
    }

    /// Patches an object.
    pub async fn patch(&self, path: &str, kind: &str, patch: &Value) -> Outcome<Value> {
        self.patch_text(path, kind, &patch.to_string()).await
    }

    /// Patches an object with text as it was typed.
    pub async fn patch_text(&self, path: &str, kind: &str, patch: &str) -> Outcome<Value> {
        let body = Body::Bytes(Bytes::from(patch.to_owned()));
        let response = self.call(Method::PATCH, path, JSON, Some((kind, body))).await?;
        json(response.into_body()).await
    }

    /// Deletes an object.
    pub async fn delete(&self, path: &str, options: &Value) -> Outcome<Value> {
        let body = Body::Object(Object::new(options.clone()));
        let response = self.call(Method::DELETE, path, JSON, Some((JSON, body))).await?;
        json(response.into_body()).await
    }

    /// Starts a watch.
    pub async fn watch(&self, path: &str, accept: &str) -> Outcome<Watch> {
        let response = self.call(Method::GET, path, accept, None).await?;
        Ok(Watch { body: response.into_body(), rest: Vec::new() })
    }

    /// What the server serves; asked once and kept.
    pub async fn discovery(&self) -> Outcome<Rc<Discovery>> {
        let kept = self.session.discovery.borrow().get(&self.connection.server).cloned();
        match kept {
            // A stopped cluster must be noticed, so the way there is tried even when discovery is kept.
            Some(kept) => {
                self.session.place.api(&self.connection.server).map_err(|e| self.unreachable(e))?;
                Ok(kept)
            }
            None => self.discover().await,
        }
    }

    /// Asks the server again what it serves.
    pub async fn discover(&self) -> Outcome<Rc<Discovery>> {
        let found = Rc::new(Discovery::fetch(self).await?);
        self.session.discovery.borrow_mut().insert(self.connection.server.clone(), Rc::clone(&found));
        Ok(found)
    }
}

/// The text of a `Warning: 299 - "text"` header.
fn warning(value: &HeaderValue) -> Option<String> {
    let text = value.to_str().ok()?;
    let start = text.find('"')? + 1;
    let end = text.rfind('"').filter(|end| *end > start)?;
    Some(text[start..end].replace("\\\"", "\"").replace("\\\\", "\\"))
}

/// The failure that an answer stands for.
pub async fn refusal(response: Response) -> Failure {
    let code = response.status().as_u16();
    let bytes = bytes_of(response.into_body()).await;
    let status: Value = json::from_slice(&bytes).unwrap_or(Value::Null);
    if status.get("kind").and_then(Value::as_str) == Some("Status") {
        return Failure::Status(Box::new(status), String::new());
    }
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    let (reason, message) = match code {
        400 => ("BadRequest", text),
        404 => ("NotFound", "the server could not find the requested resource".to_owned()),
        503 => ("ServiceUnavailable", "the server is currently unable to handle the request".to_owned()),
        500 => (
            "InternalError",
            format!(
                "an error on the server ({}) has prevented the request from succeeding",
                crate::flags::parse::go_quote(&text)
            ),
        ),
        _ => ("", if text.is_empty() { "unknown".to_owned() } else { text }),
    };
    Failure::Status(Box::new(json::json!({"reason": reason, "message": message, "code": code})), String::new())
}

/// A body read to its end.
pub async fn bytes_of(body: Body) -> Vec<u8> {
    match body {
        Body::Stream(mut stream) => {
            let mut all = Vec::new();
            while let Some(chunk) = stream.next().await {
                all.extend_from_slice(&chunk.into_bytes());
            }
            all
        }
        whole => whole.into_bytes().map(|b| b.to_vec()).unwrap_or_default(),
    }
}

/// A body as JSON.
pub async fn json(body: Body) -> Outcome<Value> {
    match body {
        Body::Object(object) => Ok(object.into_value()),
        Body::List(list) => Ok(list.to_value()),
        other => {
            let bytes = bytes_of(other).await;
            json::from_slice(&bytes).map_err(|why| Failure::message(format!("unable to decode the answer: {why}")))
        }
    }
}

/// A running watch. Dropping it ends it.
pub struct Watch {
    body: Body,
    rest: Vec<u8>,
}

impl Watch {
    /// The next event: its type and object. None when the server ended the watch.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some(end) = self.rest.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                let event: Value = json::from_slice(&line).ok()?;
                let kind = event.get("type")?.as_str()?.to_owned();
                return Some((kind, event.get("object").cloned().unwrap_or(Value::Null)));
            }
            let Body::Stream(stream) = &mut self.body else { return None };
            match stream.next().await? {
                Chunk::Event { event, object } => return Some((event.to_owned(), object.into_value())),
                Chunk::Bytes(bytes) => self.rest.extend_from_slice(&bytes),
            }
        }
    }
}

/// Adds parameters to a path; empty values are left out.
pub fn with_query(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut out = path.to_owned();
    let mut mark = if path.contains('?') { '&' } else { '?' };
    for (name, value) in parameters.iter().filter(|(_, v)| !v.is_empty()) {
        out.push(mark);
        out.push_str(name);
        out.push('=');
        out.push_str(&escape(value));
        mark = '&';
    }
    out
}

/// Percent-encodes a query value or path segment.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte as char),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_and_warnings() {
        assert_eq!(
            with_query("/api/v1/pods", &[("labelSelector", "a=b"), ("limit", "")]),
            "/api/v1/pods?labelSelector=a%3Db"
        );
        let value = HeaderValue::from_static("299 - \"v1 Endpoints is deprecated\"");
        assert_eq!(warning(&value).as_deref(), Some("v1 Endpoints is deprecated"));
    }
}
