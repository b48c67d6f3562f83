//! What a backend is sent (ngx_http_proxy_module), and the variables that configurations use.

use std::net::SocketAddrV4;

use net::http::{Request, Url};

use crate::config::Settings;

/// Headers of the client's connection, and those that nginx sets itself.
const NOT_PASSED: &[&str] =
    &["host", "connection", "content-length", "transfer-encoding", "te", "upgrade", "keep-alive", "expect"];

/// A request and who made it: what variables are about.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub request: &'a Request,
    pub peer: SocketAddrV4,
    /// The path that is looked for now.
    pub path: &'a str,
}

impl Asked<'_> {
    /// A text with its variables, `$name` and `${name}`, replaced. What is no variable stays.
    pub fn expand(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let (name, following) = match after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
                Some(braced) => braced,
                None => after.split_at(after.find(|c| !is_part(c)).unwrap_or(after.len())),
            };
            match self.variable(name) {
                Some(value) => out.push_str(&value),
                None => {
                    out.push('$');
                    out.push_str(&after[..after.len() - following.len()]);
                }
            }
            rest = following;
        }
        out + rest
    }

    fn variable(&self, name: &str) -> Option<String> {
        let header = |name: &str| self.request.header(name).unwrap_or("").to_owned();
        let host = header("host");
        Some(match name {
            "uri" => self.path.to_owned(),
            "request_uri" => self.request.target.clone(),
            "host" => host.split(':').next().unwrap_or("").to_owned(),
            "hostname" => proc::hostname(),
            "scheme" => "http".to_owned(),
            "request_method" => self.request.method.clone(),
            "server_protocol" => self.request.version.clone(),
            "args" | "query_string" => self.request.target.split_once('?').map_or("", |(_, query)| query).to_owned(),
            "remote_addr" => self.peer.ip().to_string(),
            "remote_port" => self.peer.port().to_string(),
            "proxy_add_x_forwarded_for" => match header("x-forwarded-for").as_str() {
                "" => self.peer.ip().to_string(),
                before => format!("{before}, {}", self.peer.ip()),
            },
            _ => header(&name.strip_prefix("http_")?.replace('_', "-")),
        })
    }
}

/// The headers for a backend: those that are configured, else nginx's own, then the client's. What has no value is not sent.
pub fn headers(settings: &Settings, url: &Url, asked: Asked<'_>) -> Vec<(String, String)> {
    let own_host = if url.port == 80 { url.host.clone() } else { format!("{}:{}", url.host, url.port) };
    let mut set: Vec<(String, String)> = Vec::new();
    for (name, value) in [("Host", own_host.as_str()), ("Connection", "close")] {
        if !settings.proxy_headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name)) {
            set.push((name.to_owned(), value.to_owned()));
        }
    }
    for (name, value) in &settings.proxy_headers {
        set.push((name.clone(), asked.expand(&value.replace("$proxy_host", &own_host))));
    }
    let is_set = |name: &str| set.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    let of_client = asked.request.headers.iter();
    let passed =
        of_client.filter(|(n, _)| !NOT_PASSED.contains(&n.to_ascii_lowercase().as_str()) && !is_set(n)).cloned();
    let passed: Vec<(String, String)> = passed.collect();
    set.into_iter().filter(|(_, value)| !value.is_empty()).chain(passed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(configured: &[(&str, &str)]) -> String {
        let owned = |list: &[(&str, &str)]| list.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let settings = Settings { proxy_headers: owned(configured), ..Settings::default() };
        let request = Request {
            method: "GET".into(),
            target: "/chat?a=b".into(),
            version: "HTTP/1.1".into(),
            headers: owned(&[("Host", "site:8080"), ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("X-A", "b")]),
            body: Vec::new(),
        };
        let asked = Asked { request: &request, peer: SocketAddrV4::new([10, 244, 0, 9].into(), 40_000), path: "/chat" };
        let url = Url::parse("http://app:3000").expect("a URL");
        headers(&settings, &url, asked).iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
    }

    #[test]
    fn backends_get_what_is_configured() {
        assert_eq!(sent(&[]), "Host: app:3000\nConnection: close\nX-A: b\n");
        assert_eq!(
            sent(&[
                ("Upgrade", "$http_upgrade"),
                ("Connection", "upgrade"),
                ("Host", "$host"),
                ("X-Forwarded-For", "$proxy_add_x_forwarded_for"),
                ("X-A", ""),
                ("X-Uri", "${request_uri} of $hostnames $5"),
            ]),
            "Upgrade: websocket\nConnection: upgrade\nHost: site\nX-Forwarded-For: 10.244.0.9\n\
             X-Uri: /chat?a=b of $hostnames $5\n"
        );
    }
}
