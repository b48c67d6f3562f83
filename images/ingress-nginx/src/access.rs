//! The access log, in the form of ingress-nginx (`log-format-upstream`).

use std::fmt::Write as _;
use std::net::SocketAddrV4;
use std::time::{Duration, Instant, SystemTime};

use net::http::{Request, log_date};

use crate::exchange::Try;

/// What the access log needs of a request.
pub struct Entry {
    /// The first line.
    line: String,
    referer: String,
    user_agent: String,
    /// It has no body to be answered with.
    pub is_head: bool,
    bytes: usize,
    began: Instant,
    /// `$request_id`
    pub id: String,
    /// Name of the upstream.
    pub upstream: String,
    /// Its line is wanted.
    pub is_logged: bool,
}

impl Entry {
    /// The entry for a request of so many bytes.
    pub fn new(request: &Request, bytes: usize, id: String, now: Instant) -> Entry {
        let header = |name: &str| escaped(request.header(name).unwrap_or("-"));
        Entry {
            line: escaped(&format!("{} {} {}", request.method, request.target, request.version)),
            referer: header("referer"),
            user_agent: header("user-agent"),
            is_head: request.method == "HEAD",
            bytes,
            began: now,
            id,
            upstream: "-".to_owned(),
            is_logged: true,
        }
    }

    /// The entry for what is no request that can be followed: its first line as far as it goes.
    pub fn of_bytes(input: &[u8], id: String, now: Instant) -> Entry {
        let line = input.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or(&[]);
        let line = escaped(&String::from_utf8_lossy(&line[..line.len().min(LINE_BYTES_MAX)]));
        let request = Request::default();
        Entry { line, ..Entry::new(&request, input.len(), id, now) }
    }

    /// Writes the line.
    pub fn log(&self, peer: SocketAddrV4, status: u16, bytes: u64, tries: &[Try], now: Instant) {
        if self.is_logged {
            println!("{}", self.line(SystemTime::now(), peer, status, bytes, tries, now));
        }
    }

    fn line(
        &self,
        date: SystemTime,
        peer: SocketAddrV4,
        status: u16,
        bytes: u64,
        tries: &[Try],
        now: Instant,
    ) -> String {
        let seconds = |d: Duration| format!("{}.{:03}", d.as_secs(), d.subsec_millis());
        let all = |field: fn(&Try) -> String| match tries {
            [] => "-".to_owned(),
            tries => tries.iter().map(field).collect::<Vec<_>>().join(", "),
        };
        format!(
            "{} - - [{}] \"{}\" {status} {bytes} \"{}\" \"{}\" {} {} [{}] [] {} {} {} {} {}",
            peer.ip(),
            log_date(date),
            self.line,
            self.referer,
            self.user_agent,
            self.bytes,
            seconds(now.saturating_duration_since(self.began)),
            self.upstream,
            all(|t| t.address.clone()),
            all(|t| t.bytes.to_string()),
            all(|t| format!("{}.{:03}", t.took.as_secs(), t.took.subsec_millis())),
            all(|t| t.status.to_string()),
            escaped(&self.id),
        )
    }
}

/// Bytes of a line that is no request, in the log.
const LINE_BYTES_MAX: usize = 1024;

/// What a client said, as nginx writes it into a log: nothing of it can end a line or a word between quotes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' | 0..=0x1f | 0x7f.. => {
                let _ = write!(out, "\\x{byte:02X}");
            }
            byte => out.push(byte as char),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn entry(target: &str, agent: &str) -> Entry {
        let headers = vec![("User-Agent".to_owned(), agent.to_owned())];
        let (method, version) = ("GET".into(), "HTTP/1.1".into());
        let request = Request { method, target: target.into(), version, headers, body: Vec::new() };
        Entry { upstream: "default-web-8080".into(), ..Entry::new(&request, 81, "abc".into(), Instant::now()) }
    }

    fn line(entry: &Entry, status: u16, bytes: u64, tries: &[Try]) -> String {
        let peer = SocketAddrV4::new(Ipv4Addr::new(192, 168, 49, 1), 40_000);
        entry.line(SystemTime::UNIX_EPOCH, peer, status, bytes, tries, entry.began + Duration::from_millis(2))
    }

    #[test]
    fn the_log_has_the_form_of_ingress_nginx() {
        let entry = entry("/", "curl/8");
        assert_eq!(
            line(&entry, 503, 190, &[]),
            "192.168.49.1 - - [01/Jan/1970:00:00:00 +0000] \"GET / HTTP/1.1\" 503 190 \"-\" \"curl/8\" 81 0.002 [default-web-8080] [] - - - - abc"
        );
        let attempt = |address: &str, bytes, status| Try {
            address: address.into(),
            bytes,
            took: Duration::from_millis(1),
            status,
        };
        let tries = [attempt("10.244.0.5:8080", 0, 502), attempt("10.244.0.6:8080", 60, 200)];
        assert!(
            line(&entry, 200, 60, &tries)
                .ends_with(" 10.244.0.5:8080, 10.244.0.6:8080 0, 60 0.001, 0.001 502, 200 abc")
        );
    }

    #[test]
    fn nothing_a_client_says_breaks_the_log() {
        let text = line(&entry("/a\"b", "x\" \u{1b}[31m\\\u{e9}"), 200, 0, &[]);
        assert!(text.contains(r#""GET /a\x22b HTTP/1.1" 200 0 "-" "x\x22 \x1B[31m\x5C\xC3\xA9" 81"#), "{text}");
        let bad = Entry::of_bytes(b"hel\x16lo\r\nmore", "abc".into(), Instant::now());
        assert!(line(&bad, 400, 150, &[]).contains(r#""hel\x16lo" 400 150 "-" "-" 12 "#));
    }
}
