//! The request that the options describe, and the lines that `-v` shows of it.

use api::http::{Body, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::url::Url;
use super::{Failure, Options};

/// A request as it will be sent.
pub(super) struct Prepared {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Bytes>,
}

/// What is sent to `url`; after a redirect the body may be dropped.
pub(super) fn prepare(options: &Options, url: &Url, method: Option<&str>, with_body: bool) -> Prepared {
    let data = options.data.clone().filter(|_| with_body && !options.get);
    let default = if options.head {
        "HEAD"
    } else if data.is_some() {
        "POST"
    } else {
        "GET"
    };
    let method = method.or(options.method.as_deref()).unwrap_or(default).to_owned();
    let mut headers = vec![("Host".to_owned(), url.authority())];
    if let Some(user) = options.user.as_ref().or(url.user.as_ref()) {
        headers.push(("Authorization".into(), format!("Basic {}", STANDARD.encode(user))));
    }
    headers.push(("User-Agent".into(), options.user_agent.clone().unwrap_or("curl/7.88.1".into())));
    let accept = if options.json { "application/json" } else { "*/*" };
    headers.push(("Accept".into(), accept.into()));
    if let Some(data) = &data {
        headers.push(("Content-Length".into(), data.len().to_string()));
        let kind = if options.json { "application/json" } else { "application/x-www-form-urlencoded" };
        headers.push(("Content-Type".into(), kind.into()));
    }
    for line in &options.headers {
        let (name, value) = match line.split_once([':', ';']) {
            Some((name, value)) => (name.trim(), value.trim()),
            None => continue,
        };
        headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        // `Name:` removes a header, `Name;` sends it empty.
        if !value.is_empty() || line.ends_with(';') {
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    let mut target = url.target.clone();
    if let Some(data) = options.data.as_ref().filter(|_| options.get) {
        target.push(if target.contains('?') { '&' } else { '?' });
        target.push_str(&String::from_utf8_lossy(data));
    }
    Prepared { method, target, headers, body: data.map(Bytes::from) }
}

impl Prepared {
    /// For the wire.
    pub(super) fn build(&self) -> Result<Request, Failure> {
        let mut builder = http::Request::builder().method(self.method.as_str()).uri(self.target.as_str());
        for (name, value) in &self.headers {
            builder = builder.header(name.as_str(), value.as_str());
        }
        let body = self.body.clone().map_or(Body::Empty, Body::Bytes);
        builder.body(body).map_err(|_| Failure(3, "URL using bad/illegal format or missing URL".into()))
    }

    /// As `-v` shows it.
    pub(super) fn shown(&self) -> String {
        let mut text = format!("> {} {} HTTP/1.1\n", self.method, self.target);
        for (name, value) in &self.headers {
            text.push_str(&format!("> {name}: {value}\n"));
        }
        text.push_str("> \n");
        text
    }
}
