//! What a backend is sent.

use std::net::SocketAddrV4;

use net::http::Request;

use crate::site::Location;

/// The request with the headers that nginx.tmpl sets before those of the client.
pub fn message(request: &Request, target: &str, location: &Location, peer: SocketAddrV4, id: &str) -> Vec<u8> {
    let host = request.header("host").unwrap_or("");
    let own_host = location.option("upstream-vhost");
    let forwarded = request.header("x-forwarded-for").unwrap_or("");
    let length = if request.body.is_empty() { String::new() } else { request.body.len().to_string() };
    let ip = peer.ip().to_string();
    // Only where the backend cannot see the path that was asked for; else the client's own is passed on.
    let prefix = if location.rewrites() { location.option("x-forwarded-prefix") } else { "" };
    let protocol = request.header("upgrade").unwrap_or("");
    let set = [
        ("Host", if own_host.is_empty() { host } else { own_host }),
        // `$http_upgrade` and `$connection_upgrade`: WebSockets pass.
        ("Upgrade", protocol),
        ("Connection", if protocol.is_empty() { "" } else { "upgrade" }),
        ("X-Request-ID", id),
        ("X-Real-IP", &ip),
        ("X-Forwarded-For", &ip),
        ("X-Forwarded-Host", host),
        ("X-Forwarded-Port", "80"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Scheme", "http"),
        ("X-Scheme", "http"),
        ("X-Original-Forwarded-For", forwarded),
        ("X-Original-Forwarded-Host", request.header("x-forwarded-host").unwrap_or("")),
        ("X-Forwarded-Prefix", prefix),
        ("Content-Length", &length),
    ];
    // Headers with an empty value are not sent; these are of the connection, or were set above.
    let not_passed = ["keep-alive", "transfer-encoding", "expect", "te", "proxy"];
    let is_set = |name: &str| {
        set.iter().any(|(n, v)| n.eq_ignore_ascii_case(name) && (*n != "X-Forwarded-Prefix" || !v.is_empty()))
            || not_passed.contains(&name.to_ascii_lowercase().as_str())
    };
    let mut text = format!("{} {target} HTTP/1.1\r\n", request.method);
    for (name, value) in set.iter().filter(|(_, value)| !value.is_empty()) {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    for (name, value) in request.headers.iter().filter(|(name, _)| !is_set(name)) {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(&request.body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::Site;
    use std::net::Ipv4Addr;

    fn sent(option: &str, headers: &[(&str, &str)]) -> String {
        let mut site = Site::default();
        for line in ["server a.example plain prefix".to_owned(), format!("location prefix / default-web-80 {option}")] {
            assert!(site.read(&line.split(' ').map(str::to_owned).collect::<Vec<_>>()));
        }
        let location = site.find("a.example", "/").expect("few steps").expect("a location").1;
        let peer = SocketAddrV4::new(Ipv4Addr::new(192, 168, 49, 1), 40_000);
        let all = [("Host", "a.example:80"), ("User-Agent", "curl/8")];
        let headers = all.iter().chain(headers).map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let (method, version) = ("GET".into(), "HTTP/1.1".into());
        let request = Request { method, target: "/x".into(), version, headers, body: Vec::new() };
        String::from_utf8(message(&request, "/y", location, peer, "id")).expect("text")
    }

    #[test]
    fn backends_hear_who_asked() {
        let text = sent(
            "x-forwarded-prefix=/own",
            &[
                ("X-Forwarded-For", "1.2.3.4"),
                ("X-Forwarded-Host", "outer"),
                ("X-Forwarded-Prefix", "/theirs"),
                ("Connection", "close"),
            ],
        );
        assert_eq!(
            text,
            "GET /y HTTP/1.1\r\nHost: a.example:80\r\nX-Request-ID: id\r\nX-Real-IP: 192.168.49.1\r\n\
             X-Forwarded-For: 192.168.49.1\r\nX-Forwarded-Host: a.example:80\r\nX-Forwarded-Port: 80\r\n\
             X-Forwarded-Proto: http\r\nX-Forwarded-Scheme: http\r\nX-Scheme: http\r\n\
             X-Original-Forwarded-For: 1.2.3.4\r\nX-Original-Forwarded-Host: outer\r\nUser-Agent: curl/8\r\n\
             X-Forwarded-Prefix: /theirs\r\n\r\n"
        );
        let text =
            sent("", &[("Upgrade", "websocket"), ("Connection", "keep-alive, Upgrade"), ("Sec-WebSocket-Key", "x")]);
        let start = "GET /y HTTP/1.1\r\nHost: a.example:80\r\nUpgrade: websocket\r\nConnection: upgrade\r\nX-Request-ID: id\r\n";
        assert!(
            text.starts_with(start) && text.ends_with("User-Agent: curl/8\r\nSec-WebSocket-Key: x\r\n\r\n"),
            "{text}"
        );
    }
}
