//! What a backend is sent (ngx_http_proxy_module).

use net::http::Url;

use crate::config::Settings;
use crate::variables::Asked;

/// Headers of the client's connection, and those that nginx sets itself.
const NOT_PASSED: &[&str] =
    &["host", "connection", "content-length", "transfer-encoding", "te", "upgrade", "keep-alive", "expect"];

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
        set.push((name.clone(), asked.expand(value, &own_host)));
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
    use std::net::SocketAddrV4;

    use net::http::Request;

    use super::*;
    use crate::config::Virtual;

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
        let (peer, server) = (SocketAddrV4::new([10, 244, 0, 9].into(), 40_000), Virtual::default());
        let asked = Asked { request: &request, peer, path: "/chat", server: &server, version: "1.29.3" };
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
                ("X-Uri", "${request_uri} of $proxy_host"),
            ]),
            "Upgrade: websocket\nConnection: upgrade\nHost: site\nX-Forwarded-For: 10.244.0.9\n\
             X-Uri: /chat?a=b of app:3000\n"
        );
    }
}
