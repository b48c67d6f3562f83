//! One request on one connection.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use super::message::unchunk;
use crate::{TcpStream, resolve};

/// A plain HTTP URL taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Host name or address.
    pub host: String,
    /// Port, 80 by default.
    pub port: u16,
    /// Path with query, at least `/`.
    pub target: String,
}

impl Url {
    /// Reads `[http://]host[:port][/path]`.
    ///
    /// # Errors
    /// Names what is wrong.
    pub fn parse(text: &str) -> Result<Url, ClientError> {
        let rest = match text.split_once("://") {
            Some(("http", rest)) => rest,
            Some((scheme, _)) => return Err(ClientError::Scheme(scheme.to_owned())),
            None => text,
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let authority = authority.rsplit('@').next().unwrap_or(authority);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| ClientError::Url)?),
            None => (authority, 80),
        };
        if host.is_empty() {
            return Err(ClientError::Url);
        }
        let target = match path.chars().next() {
            None => "/".to_owned(),
            Some('?') => format!("/{path}"),
            Some(_) => path.to_owned(),
        };
        Ok(Url { host: host.to_owned(), port, target })
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum ClientError {
    /// The scheme is not http.
    Scheme(String),
    /// Not a URL.
    Url,
    /// The name does not resolve.
    Resolve(io::Error),
    /// No connection.
    Connect(io::Error),
    /// The client's patience was up.
    TimedOut {
        /// Who was asked.
        address: SocketAddrV4,
        /// Bytes of the answer so far; none if there was no connection yet.
        bytes: Option<usize>,
    },
    /// The connection broke.
    Broken(io::Error),
    /// The other end closed it without an answer.
    Empty,
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::Scheme(scheme) => write!(f, "scheme {scheme} is not supported"),
            ClientError::Url => f.write_str("malformed URL"),
            ClientError::Resolve(e) | ClientError::Connect(e) | ClientError::Broken(e) => e.fmt(f),
            ClientError::TimedOut { .. } => proc::Errno::TIMEDOUT.fmt(f),
            ClientError::Empty => f.write_str("empty reply from server"),
        }
    }
}

/// An answer as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// `HTTP/1.1 200 OK`.
    pub status_line: String,
    /// Status code.
    pub status: u16,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// The body, decoded.
    pub body: Vec<u8>,
    /// Who answered.
    pub address: SocketAddrV4,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}

/// How long a client waits; none is for as long as it takes. Names take their own time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Patience {
    /// For a connection.
    pub connect: Option<Duration>,
    /// For more of the answer.
    pub read: Option<Duration>,
    /// Until this moment, for everything.
    pub until: Option<Instant>,
}

impl Patience {
    /// The shorter of a time and what is left.
    fn at_most(&self, time: Option<Duration>) -> Option<Duration> {
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        time.into_iter().chain(left).min()
    }
}

/// Sends a request and waits for the whole answer.
///
/// # Errors
/// See [`ClientError`].
pub fn request(url: &Url, method: &str, headers: &[(String, String)], body: &[u8]) -> Result<Answer, ClientError> {
    request_within(url, method, headers, body, &Patience::default())
}

/// As [`request`], with limited patience.
///
/// # Errors
/// See [`ClientError`].
pub fn request_within(
    url: &Url,
    method: &str,
    headers: &[(String, String)],
    body: &[u8],
    patience: &Patience,
) -> Result<Answer, ClientError> {
    converse(url, method, headers, body, patience).map(|(answer, _)| answer)
}

/// As [`request`], with the connection: after `101 Switching Protocols` it speaks another protocol, of which the answer's body is
/// the beginning.
///
/// # Errors
/// See [`ClientError`].
pub fn request_keeping(
    url: &Url,
    method: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Result<(Answer, TcpStream), ClientError> {
    converse(url, method, headers, body, &Patience::default())
}

fn converse(
    url: &Url,
    method: &str,
    headers: &[(String, String)],
    body: &[u8],
    patience: &Patience,
) -> Result<(Answer, TcpStream), ClientError> {
    let addresses = resolve(&url.host).map_err(ClientError::Resolve)?;
    let mut last = None;
    for ip in addresses {
        let address = SocketAddrV4::new(ip, url.port);
        match TcpStream::connect_within(address, patience.at_most(patience.connect)) {
            Ok(stream) => {
                let message = message(url, method, headers, body);
                return exchange(stream, address, method, &message, patience);
            }
            Err(error) if is_impatient(&error) => last = Some(ClientError::TimedOut { address, bytes: None }),
            Err(error) => last = Some(ClientError::Connect(error)),
        }
    }
    Err(last.unwrap_or_else(|| ClientError::Connect(io::Error::from(proc::Errno::NOENT))))
}

fn is_impatient(error: &io::Error) -> bool {
    proc::Errno::from_io(error) == proc::Errno::AGAIN
}

fn message(url: &Url, method: &str, headers: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {} HTTP/1.1\r\n", url.target);
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    let mut message = head.into_bytes();
    message.extend_from_slice(body);
    message
}

fn exchange(
    mut stream: TcpStream,
    address: SocketAddrV4,
    method: &str,
    message: &[u8],
    patience: &Patience,
) -> Result<(Answer, TcpStream), ClientError> {
    let mut bytes = Vec::new();
    let broken = |error: io::Error, bytes: usize| {
        if is_impatient(&error) {
            ClientError::TimedOut { address, bytes: Some(bytes) }
        } else {
            ClientError::Broken(error)
        }
    };
    let is_limited = patience.connect.or(patience.read).is_some() || patience.until.is_some();
    let wait = |stream: &TcpStream| {
        // Whoever waits for as long as it takes asks the kernel for nothing.
        if !is_limited {
            return Ok(());
        }
        stream.set_timeout(patience.at_most(patience.read)).map_err(ClientError::Broken)
    };
    wait(&stream)?;
    stream.write_all(message).map_err(|error| broken(error, 0))?;
    let mut buffer = [0u8; 4096];
    loop {
        if let Some(answer) = parse(&bytes, false, method, address) {
            return Ok((answer, stream));
        }
        wait(&stream)?;
        match stream.read(&mut buffer).map_err(|error| broken(error, bytes.len()))? {
            0 => {
                let answer = parse(&bytes, true, method, address).ok_or(ClientError::Empty)?;
                return Ok((answer, stream));
            }
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}

/// The answer in the bytes so far, if it is whole.
fn parse(bytes: &[u8], ended: bool, method: &str, address: SocketAddrV4) -> Option<Answer> {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status_line = lines.next()?.to_owned();
    let status: u16 = status_line.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> =
        lines.filter_map(|l| l.split_once(':')).map(|(n, v)| (n.to_owned(), v.trim().to_owned())).collect();
    let mut answer = Answer { status_line, status, headers, body: Vec::new(), address };
    let rest = &bytes[end + 4..];
    if method == "HEAD" || status == 204 || status == 304 {
        return Some(answer);
    }
    if status == 101 {
        answer.body = rest.to_vec();
        return Some(answer);
    }
    if answer.header("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked")) {
        answer.body = match unchunk(rest) {
            Ok(Some((body, _))) => body,
            _ if ended => rest.to_vec(),
            _ => return None,
        };
        return Some(answer);
    }
    match answer.header("content-length").and_then(|l| l.parse::<usize>().ok()) {
        Some(length) if rest.len() >= length => answer.body = rest[..length].to_vec(),
        _ if ended => answer.body = rest.to_vec(),
        _ => return None,
    }
    Some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_parse() {
        let url = Url::parse("http://web.default:8080/a?b").expect("a URL");
        assert_eq!((url.host.as_str(), url.port, url.target.as_str()), ("web.default", 8080, "/a?b"));
        assert_eq!(Url::parse("localhost").expect("a URL").target, "/");
        assert!(matches!(Url::parse("https://x"), Err(ClientError::Scheme(s)) if s == "https"));
        assert!(Url::parse("http://:80").is_err());
    }

    #[test]
    fn answers_parse_when_they_are_whole() {
        let address = SocketAddrV4::new([127, 0, 0, 1].into(), 80);
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
        assert!(parse(&bytes[..bytes.len() - 1], false, "GET", address).is_none());
        assert_eq!(parse(bytes, false, "GET", address).map(|a| a.body), Some(b"hi".to_vec()));
        let upgraded = b"HTTP/1.1 101 Switching Protocols\r\n\r\nhi";
        assert_eq!(parse(upgraded, false, "GET", address).map(|a| a.body), Some(b"hi".to_vec()));
        let endless = b"HTTP/1.0 200 OK\r\n\r\nhi";
        assert!(parse(endless, false, "GET", address).is_none());
        assert!(parse(endless, true, "GET", address).is_some());
    }
}
