//! One request on its way to a backend and back (ngx_http_proxy_module, as ingress-nginx configures it).
//!
//! Nothing here waits: each step does what can be done, and says what it needs next.

use std::io::{self, Read, Write};
use std::net::SocketAddrV4;
use std::time::{Duration, Instant, SystemTime};

use net::http::{Request, Response, http_date};
use net::{TcpStream, Wait};

use crate::link::waits;

/// `proxy_next_upstream_tries`
const TRIES_MAX: usize = 3;
/// Methods that are not sent again once a byte of them was (`proxy_next_upstream` without `non_idempotent`).
const NOT_IDEMPOTENT: &[&str] = &["POST", "LOCK", "PATCH"];
/// `proxy_connect_timeout`
const CONNECT_SECONDS: u64 = 5;
/// `proxy_read_timeout`
const READ_SECONDS: u64 = 60;
/// The longest patience: as many milliseconds as nginx counts.
const SECONDS_MAX: u64 = i32::MAX as u64 / 1_000;
/// The status with which a backend takes up the protocol that the client wants.
const SWITCHING_PROTOCOLS: u16 = 101;
/// Bytes of a backend's head.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Bytes that may wait for the client before nothing more is read from the backend.
const WAITING_BYTES_MAX: usize = 64 * 1024;

/// An attempt with one endpoint, for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Try {
    /// Address and port.
    pub address: String,
    /// Bytes of the answer's body.
    pub bytes: u64,
    /// Until its end.
    pub took: Duration,
    /// The answer's status, or that of the failure.
    pub status: u16,
}

/// What a step came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on.
    GoesOn,
    /// The whole answer was passed on. The connection must close if its end is the end of the answer.
    Done {
        /// Nothing more can be sent over the client's connection.
        closes: bool,
    },
    /// No backend answered: nginx does, with this status.
    Failed(u16),
    /// The backend broke off in the middle of its answer: so does the client's connection.
    Broken,
}

/// How the end of a body is known.
#[derive(Debug, PartialEq, Eq)]
enum Body {
    Length(u64),
    Chunked(Chunks),
    UntilClose,
}

/// Where a chunked body stands.
#[derive(Debug, PartialEq, Eq)]
enum Chunks {
    Size,
    Data(u64),
    /// The end of a chunk's line.
    After,
    Trailer,
}

/// The exchange.
#[derive(Debug)]
pub struct Exchange {
    /// What is sent.
    message: Vec<u8>,
    sent: usize,
    is_head: bool,
    /// The client understands chunks.
    takes_chunks: bool,
    /// The client wants another protocol on this connection.
    wants_upgrade: bool,
    /// It has it: bytes go both ways until either end closes.
    is_tunnel: bool,
    /// The next one is at the front.
    peers: Vec<(String, SocketAddrV4)>,
    /// It may be sent a second time.
    is_idempotent: bool,
    /// The client's connection closes after this answer.
    closes: bool,
    stream: Option<TcpStream>,
    input: Vec<u8>,
    /// The body that comes, once the head was there.
    body: Option<Body>,
    rechunks: bool,
    began: Instant,
    moved: Instant,
    connect_time: Duration,
    read_time: Duration,
    /// Attempts so far; the last one is under way.
    pub tries: Vec<Try>,
    /// Status of the answer, once it is there.
    pub status: u16,
    /// Bytes of the body that were passed on.
    pub body_bytes: u64,
}

/// How long to be patient, in seconds; none where nothing is configured.
#[derive(Clone, Copy, Debug, Default)]
pub struct Patience {
    /// For a connection.
    pub connect: Option<u64>,
    /// For more of the answer.
    pub read: Option<u64>,
}

impl Exchange {
    /// An exchange with one of these endpoints, tried in this order.
    pub fn new(
        request: &Request,
        message: Vec<u8>,
        peers: Vec<(String, SocketAddrV4)>,
        patience: Patience,
        closes: bool,
        now: Instant,
    ) -> Exchange {
        Exchange {
            message,
            sent: 0,
            is_idempotent: !NOT_IDEMPOTENT.contains(&request.method.as_str()),
            closes,
            is_head: request.method == "HEAD",
            takes_chunks: request.version == "HTTP/1.1",
            wants_upgrade: request.header("upgrade").is_some_and(|protocol| !protocol.is_empty()),
            is_tunnel: false,
            peers,
            stream: None,
            input: Vec::new(),
            body: None,
            rechunks: false,
            began: now,
            moved: now,
            connect_time: Duration::from_secs(patience.connect.unwrap_or(CONNECT_SECONDS).min(SECONDS_MAX)),
            read_time: Duration::from_secs(patience.read.unwrap_or(READ_SECONDS).min(SECONDS_MAX)),
            tries: Vec::new(),
            status: 0,
            body_bytes: 0,
        }
    }

    /// What to wait for; `waiting_bytes` wait for the client.
    pub fn interests(&self, waiting_bytes: usize) -> impl Iterator<Item = Wait> + use<> {
        let fd = self.stream.as_ref().map(TcpStream::fd);
        let writes = fd.filter(|_| self.sent < self.message.len());
        // An answer comes after the request, but what goes both ways comes when it likes.
        let reads = fd.filter(|_| (writes.is_none() || self.is_tunnel) && waiting_bytes < WAITING_BYTES_MAX);
        writes.map(Wait::Write).into_iter().chain(reads.map(Wait::Read))
    }

    /// Whether bytes go both ways.
    pub fn is_tunnel(&self) -> bool {
        self.is_tunnel
    }

    /// Takes what the client has said, if it may speak and there is room for it.
    pub fn feed(&mut self, input: &mut Vec<u8>) {
        if self.is_tunnel && self.message.len() - self.sent < WAITING_BYTES_MAX {
            self.message.drain(..self.sent);
            self.sent = 0;
            self.message.append(input);
        }
    }

    /// The client has closed: what it said last is still sent, as far as there is room.
    pub fn end(&mut self, now: Instant) {
        // Whoever is not there any more need not hear it.
        let _ = self.send(now);
        self.note(now);
    }

    /// Bytes that it holds.
    pub fn held_bytes(&self) -> usize {
        self.message.len() + self.input.len()
    }

    /// When it has waited for too long.
    pub fn due(&self) -> Instant {
        let time = if self.sent == 0 && !self.is_tunnel { self.connect_time } else { self.read_time };
        self.moved.checked_add(time).unwrap_or(self.moved)
    }

    /// Goes on; what the client is to get is added to `out`.
    pub fn step(&mut self, out: &mut Vec<u8>, now: Instant) -> Outcome {
        if self.stream.is_none() {
            match self.next_peer(now) {
                Some(failed) => return failed,
                None => return Outcome::GoesOn,
            }
        }
        if let Err(error) = self.send(now) {
            return self.lost(&error, now);
        }
        while out.len() < WAITING_BYTES_MAX {
            match self.receive(now) {
                Ok(true) => {}
                Ok(false) if self.body == Some(Body::UntilClose) => return self.done(out, now),
                Ok(false) => return self.lost(&io::ErrorKind::UnexpectedEof.into(), now),
                Err(error) if waits(&error) => break,
                Err(error) => return self.lost(&error, now),
            }
            match self.pass_on(out) {
                Ok(true) => return self.done(out, now),
                Ok(false) => {}
                Err(error) => return self.lost(&error, now),
            }
        }
        if self.due() > now {
            return Outcome::GoesOn;
        }
        if self.is_tunnel {
            crate::error_line("upstream timed out (110: Operation timed out) while proxying upgraded connection");
        }
        self.lost(&io::ErrorKind::TimedOut.into(), now)
    }

    /// Begins with the next endpoint, the first one again after the last; gives how it ends if it has had its tries.
    fn next_peer(&mut self, now: Instant) -> Option<Outcome> {
        let count = self.tries.len();
        let turn = count.checked_rem(self.peers.len()).filter(|_| count < TRIES_MAX);
        let Some((name, address)) = turn.and_then(|turn| self.peers.get(turn)).cloned() else {
            let status = self.tries.last().map_or(502, |t| t.status);
            return Some(Outcome::Failed(status));
        };
        self.tries.push(Try { address: name, bytes: 0, took: Duration::ZERO, status: 0 });
        (self.sent, self.began, self.moved) = (0, now, now);
        self.input.clear();
        match TcpStream::connect_later(address) {
            Ok(stream) => {
                self.stream = Some(stream);
                None
            }
            Err(error) => Some(self.lost(&error, now)),
        }
    }

    fn send(&mut self, now: Instant) -> io::Result<()> {
        while self.sent < self.message.len() {
            let Some(stream) = &mut self.stream else { return Ok(()) };
            match stream.write(&self.message[self.sent..]) {
                Ok(count) => (self.sent, self.moved) = (self.sent + count, now),
                Err(error) if waits(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads once; false at the end.
    fn receive(&mut self, now: Instant) -> io::Result<bool> {
        let mut buffer = [0u8; 4096];
        let Some(stream) = &mut self.stream else { return Ok(false) };
        if self.sent < self.message.len() && !self.is_tunnel {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = stream.read(&mut buffer)?;
        self.input.extend_from_slice(&buffer[..count]);
        self.moved = now;
        Ok(count > 0)
    }

    /// Passes on what has come; true when that was all.
    fn pass_on(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        if self.body.is_none() {
            let head = loop {
                let Some(end) = self.input.windows(4).position(|w| w == b"\r\n\r\n") else {
                    return if self.input.len() > HEAD_BYTES_MAX { Err(invalid()) } else { Ok(false) };
                };
                let head: Vec<u8> = self.input.drain(..end + 4).collect();
                let head = Head::read(&head).ok_or_else(invalid)?;
                // What only says that there will be an answer is none.
                if !(matches!(head.status, 100 | 102 | 103)) {
                    break head;
                }
            };
            self.begin(&head, out)?;
        }
        self.pass_body(out)
    }

    fn begin(&mut self, head: &Head, out: &mut Vec<u8>) -> io::Result<()> {
        self.is_tunnel = self.wants_upgrade && head.status == SWITCHING_PROTOCOLS;
        if self.is_tunnel {
            self.status = head.status;
            if let Some(last) = self.tries.last_mut() {
                last.status = head.status;
            }
            head.write(out, false, "upgrade");
            self.body = Some(Body::UntilClose);
            return Ok(());
        }
        let has_body = !self.is_head && head.status != 204 && head.status != 304;
        let (coding, length) = (head.only("transfer-encoding")?, head.only("content-length")?);
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let length = match length {
            Some(text) if is_number(text) => Some(text.parse::<u64>().map_err(|_| invalid())?),
            Some(_) => return Err(invalid()),
            None => None,
        };
        let body = match (coding, length) {
            (Some(_), Some(_)) => return Err(invalid()),
            (Some(how), _) if !how.eq_ignore_ascii_case("chunked") => return Err(invalid()),
            _ if !has_body => Body::Length(0),
            (Some(_), _) => Body::Chunked(Chunks::Size),
            (_, Some(length)) => Body::Length(length),
            _ => Body::UntilClose,
        };
        self.rechunks = self.takes_chunks && has_body && !matches!(body, Body::Length(_));
        let closes = has_body && !self.takes_chunks && !matches!(body, Body::Length(_));
        self.status = head.status;
        if let Some(last) = self.tries.last_mut() {
            last.status = head.status;
        }
        head.write(out, self.rechunks, if closes || self.closes { "close" } else { "keep-alive" });
        self.body = Some(body);
        Ok(())
    }

    fn pass_body(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        loop {
            let available = self.input.len() as u64;
            let take = match &mut self.body {
                None => return Ok(false),
                Some(Body::UntilClose) => available,
                Some(Body::Length(left) | Body::Chunked(Chunks::Data(left))) => available.min(*left),
                Some(Body::Chunked(chunks)) => {
                    let Some(end) = self.input.windows(2).position(|w| w == b"\r\n") else {
                        return if self.input.len() > HEAD_BYTES_MAX { Err(invalid()) } else { Ok(false) };
                    };
                    let line: Vec<u8> = self.input.drain(..end + 2).collect();
                    let size = std::str::from_utf8(&line).ok().and_then(|l| l.split(';').next());
                    *chunks = match chunks {
                        Chunks::Trailer if end == 0 => return Ok(true),
                        Chunks::Trailer => Chunks::Trailer,
                        Chunks::After if end == 0 => Chunks::Size,
                        Chunks::Size => match size.and_then(chunk_size) {
                            Some(0) => Chunks::Trailer,
                            Some(size) => Chunks::Data(size),
                            None => return Err(invalid()),
                        },
                        _ => return Err(invalid()),
                    };
                    continue;
                }
            };
            let piece: Vec<u8> = self.input.drain(..usize::try_from(take).unwrap_or(usize::MAX)).collect();
            self.put(&piece, out);
            match &mut self.body {
                Some(Body::Length(left)) => {
                    *left -= take;
                    return Ok(*left == 0);
                }
                Some(Body::Chunked(chunks)) => match chunks {
                    Chunks::Data(left) if *left == take => *chunks = Chunks::After,
                    Chunks::Data(left) => {
                        *left -= take;
                        return Ok(false);
                    }
                    _ => {}
                },
                _ => return Ok(false),
            }
        }
    }

    fn put(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        if piece.is_empty() {
            return;
        }
        self.body_bytes += piece.len() as u64;
        if self.rechunks {
            out.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        }
        out.extend_from_slice(piece);
        if self.rechunks {
            out.extend_from_slice(b"\r\n");
        }
    }

    fn done(&mut self, out: &mut Vec<u8>, now: Instant) -> Outcome {
        if self.rechunks {
            out.extend_from_slice(b"0\r\n\r\n");
        }
        self.note(now);
        Outcome::Done { closes: !self.rechunks && self.body == Some(Body::UntilClose) }
    }

    fn note(&mut self, now: Instant) {
        let (began, bytes) = (self.began, self.body_bytes);
        if let Some(last) = self.tries.last_mut() {
            (last.took, last.bytes) = (now.saturating_duration_since(began), bytes);
        }
    }

    /// The endpoint is of no use: on to the next, unless the client has part of its answer or the request must not be repeated.
    fn lost(&mut self, error: &io::Error, now: Instant) -> Outcome {
        self.note(now);
        self.stream = None;
        if self.body.is_some() {
            return Outcome::Broken;
        }
        let is_late = error.kind() == io::ErrorKind::TimedOut;
        if let Some(last) = self.tries.last_mut() {
            last.status = if is_late { 504 } else { 502 };
            let what = match (is_late, self.sent) {
                (true, _) => "upstream timed out (110: Operation timed out)".to_owned(),
                (_, 0) => format!("connect() failed ({})", crate::linux_error(error)),
                _ if error.kind() == io::ErrorKind::InvalidData => "upstream sent invalid header".to_owned(),
                _ => "upstream prematurely closed connection".to_owned(),
            };
            crate::error_line(&format!("{what} while connecting to upstream, upstream: \"http://{}\"", last.address));
        }
        if error.kind() == io::ErrorKind::InvalidData || (self.sent > 0 && !self.is_idempotent) {
            return Outcome::Failed(if is_late { 504 } else { 502 });
        }
        self.next_peer(now).unwrap_or(Outcome::GoesOn)
    }
}

fn invalid() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

fn chunk_size(text: &str) -> Option<u64> {
    let text = text.trim();
    // The library would take a sign.
    u64::from_str_radix(text, 16).ok().filter(|_| text.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A backend's head.
#[derive(Debug)]
struct Head {
    status: u16,
    words: String,
    headers: Vec<(String, String)>,
}

/// Headers of one connection, or that nginx writes itself, or that ingress-nginx clears (`Server`).
const NOT_PASSED: &[&str] = &["connection", "keep-alive", "transfer-encoding", "date", "server", "x-pad"];
/// Headers that nginx writes before all others, in this order.
const FIRST: &[&str] = &["content-type", "content-length", "last-modified", "location"];

impl Head {
    fn read(bytes: &[u8]) -> Option<Head> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.split("\r\n");
        let mut words = lines.next()?.splitn(3, ' ');
        let (_, status, words) = (words.next().filter(|v| v.starts_with("HTTP/1."))?, words.next()?, words.next());
        let mut headers = Vec::new();
        for line in lines.filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':')?;
            let is_clean = !name.is_empty() && !name.bytes().any(|b| b <= b' ' || b == 0x7f);
            if !is_clean || value.bytes().any(|b| b.is_ascii_control() && b != b'\t') {
                return None;
            }
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let status = status.parse().ok().filter(|status| (100..=999).contains(status))?;
        let words = words.unwrap_or("").to_owned();
        (!words.contains(['\r', '\n'])).then_some(Head { status, words, headers })
    }

    /// A header that may be there once.
    fn only(&self, name: &str) -> io::Result<Option<&str>> {
        let mut all = self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        match (all.next(), all.next()) {
            (_, Some(_)) => Err(invalid()),
            (found, None) => Ok(found.map(|(_, value)| value.as_str())),
        }
    }

    fn write(&self, out: &mut Vec<u8>, rechunks: bool, connection: &str) {
        let mut text = format!("HTTP/1.1 {} {}\r\nDate: {}\r\n", self.status, self.words, http_date(SystemTime::now()));
        let is = |name: &str, names: &[&str]| names.contains(&name.to_ascii_lowercase().as_str());
        let put = |text: &mut String, (name, value): &(String, String)| text.push_str(&format!("{name}: {value}\r\n"));
        for first in FIRST {
            let found = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(first));
            // A length goes with the body that it was said of.
            found.filter(|_| !(rechunks && *first == "content-length")).iter().for_each(|h| put(&mut text, h));
        }
        if rechunks {
            text.push_str("Transfer-Encoding: chunked\r\n");
        }
        text.push_str(&format!("Connection: {connection}\r\n"));
        self.headers.iter().filter(|(n, _)| !is(n, NOT_PASSED) && !is(n, FIRST)).for_each(|h| put(&mut text, h));
        text.push_str("\r\n");
        out.extend_from_slice(text.as_bytes());
    }
}

/// The bytes of an answer of nginx's own.
pub fn own_bytes(mut response: Response, is_head: bool, closes: bool) -> Vec<u8> {
    let length = response.body_bytes().to_string();
    response.headers.insert(2.min(response.headers.len()), ("Content-Length".to_owned(), length));
    response.headers.insert(3, ("Connection".to_owned(), if closes { "close" } else { "keep-alive" }.to_owned()));
    response.to_bytes(is_head)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a client gets for what a backend sends in these pieces, and whether it was all.
    fn passed(version: &str, pieces: &[&str]) -> (String, bool) {
        let request = Request { method: "GET".into(), version: version.into(), ..Request::default() };
        let mut exchange = Exchange::new(&request, Vec::new(), Vec::new(), Patience::default(), false, Instant::now());
        let (mut out, mut is_done) = (Vec::new(), false);
        for piece in pieces {
            assert!(!is_done);
            exchange.input.extend_from_slice(piece.as_bytes());
            is_done = exchange.pass_on(&mut out).expect("an answer");
        }
        if is_done {
            exchange.done(&mut out, Instant::now());
        }
        let text = String::from_utf8(out).expect("text");
        let (head, rest) = text.split_once("Date: ").expect("a date");
        (format!("{head}{}", rest.split_once("\r\n").map_or("", |(_, rest)| rest)), is_done)
    }

    #[test]
    fn bodies_end_where_they_say() {
        let (text, is_done) = passed(
            "HTTP/1.1",
            &[
                "HTTP/1.1 200 Fine\r\nServer: x\r\nX-A: b\r\nContent-Le",
                "ngth: 5\r\nContent-Type: text/plain\r\n\r\nhel",
                "lo",
            ],
        );
        assert!(is_done);
        assert_eq!(
            text,
            "HTTP/1.1 200 Fine\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: keep-alive\r\nX-A: b\r\n\r\nhello"
        );
        let chunked =
            ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", "c\r", "\n2;x=y\r\nde\r\n0\r\n", "\r\n"];
        let (text, is_done) = passed("HTTP/1.1", &chunked);
        assert!(is_done && text.ends_with("\r\n\r\n2\r\nab\r\n1\r\nc\r\n2\r\nde\r\n0\r\n\r\n"), "{text}");
        let (text, _) = passed("HTTP/1.0", &chunked);
        assert!(text.contains("Connection: close\r\n") && text.ends_with("\r\n\r\nabcde"), "{text}");
        let (text, is_done) = passed("HTTP/1.1", &["HTTP/1.0 200 OK\r\n\r\nabc"]);
        assert!(
            !is_done && text.ends_with("Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n3\r\nabc\r\n"),
            "{text}"
        );
        let (text, is_done) = passed("HTTP/1.1", &["HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n"]);
        assert!(is_done && text.starts_with("HTTP/1.1 304 Not Modified\r\n"), "{text}");
    }

    #[test]
    fn a_connection_that_is_upgraded_carries_bytes_both_ways() {
        let headers = vec![("Upgrade".to_owned(), "websocket".to_owned())];
        let request = Request { method: "GET".into(), version: "HTTP/1.1".into(), headers, ..Request::default() };
        let answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello";
        let upgraded = |request: &Request| {
            let (now, sent) = (Instant::now(), b"GET / HTTP/1.1\r\n\r\n".to_vec());
            let mut exchange = Exchange::new(request, sent, Vec::new(), Patience::default(), false, now);
            exchange.sent = exchange.message.len();
            exchange.input.extend_from_slice(answer.as_bytes());
            let mut out = Vec::new();
            assert!(!exchange.pass_on(&mut out).expect("an answer"));
            (exchange, String::from_utf8(out).expect("text"))
        };
        let (mut exchange, text) = upgraded(&request);
        assert!(exchange.is_tunnel() && text.starts_with("HTTP/1.1 101 Switching Protocols\r\nDate: "), "{text}");
        assert!(text.ends_with("Connection: upgrade\r\nUpgrade: websocket\r\n\r\nhello"), "{text}");
        let mut input = b"\0bytes\xff".to_vec();
        exchange.feed(&mut input);
        assert_eq!((input.len(), &exchange.message[exchange.sent..]), (0, &b"\0bytes\xff"[..]));
        assert_eq!((exchange.status, exchange.body_bytes), (101, 5));
        // Who did not ask for it gets an answer whose end is that of the connection.
        let (mut exchange, _) = upgraded(&Request { headers: Vec::new(), ..request });
        exchange.feed(&mut input);
        assert!(!exchange.is_tunnel());
    }

    #[test]
    fn what_is_no_answer_is_none() {
        let request = Request::default();
        let mut exchange = Exchange::new(&request, Vec::new(), Vec::new(), Patience::default(), false, Instant::now());
        exchange.input.extend_from_slice(b"hello\r\n\r\n");
        assert!(exchange.pass_on(&mut Vec::new()).is_err());
    }

    fn exchange(method: &str, closes: bool) -> Exchange {
        let request = Request { method: method.into(), version: "HTTP/1.1".into(), ..Request::default() };
        let peers = vec![("1.2.3.4:80".to_owned(), SocketAddrV4::new([1, 2, 3, 4].into(), 80))];
        Exchange::new(&request, b"x".to_vec(), peers, Patience::default(), closes, Instant::now())
    }

    #[track_caller]
    fn is_invalid(pieces: &[&str]) {
        let (mut exchange, mut out) = (exchange("GET", false), Vec::new());
        let fails = |piece: &&str| {
            exchange.input.extend_from_slice(piece.as_bytes());
            exchange.pass_on(&mut out).is_err()
        };
        assert_eq!(pieces.iter().position(fails), Some(pieces.len() - 1));
    }

    #[test]
    fn answers_that_cannot_be_followed_are_none() {
        let head = "HTTP/1.1 200 OK\r\n";
        is_invalid(&[&format!("{head}Content-Length: 99999999999999999999\r\n\r\n")]);
        is_invalid(&[&format!("{head}Content-Length: x\r\n\r\n")]);
        is_invalid(&[&format!("{head}Content-Length: +1\r\n\r\n")]);
        is_invalid(&[&format!("{head}Content-Length: 1\r\nContent-Length: 2\r\n\r\n")]);
        is_invalid(&[&format!("{head}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n")]);
        is_invalid(&[&format!("{head}nonsense\r\n\r\n")]);
        let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n");
        is_invalid(&[&chunked, &"1".repeat(HEAD_BYTES_MAX), "1"]);
        is_invalid(&[&chunked, "0\r\n", &"x".repeat(HEAD_BYTES_MAX + 1)]);
        is_invalid(&[&chunked, "1\r\nabc\r\n"]);
    }

    #[test]
    fn many_announcements_take_no_stack() {
        let (mut exchange, mut out) = (exchange("GET", true), Vec::new());
        exchange.input = "HTTP/1.1 100 Continue\r\n\r\n".repeat(20_000).into_bytes();
        exchange.input.extend_from_slice(b"HTTP/1.1 204 No Content\r\n\r\n");
        assert!(exchange.pass_on(&mut out).expect("an answer"));
        let text = String::from_utf8(out).expect("text");
        assert!(text.starts_with("HTTP/1.1 204 ") && text.contains("Connection: close\r\n"), "{text}");
    }

    #[test]
    fn tries_go_around_and_what_was_sent_is_not_repeated() {
        // Nothing can be connected to here, so each try fails at once.
        let now = Instant::now();
        let mut get = exchange("GET", false);
        assert_eq!(get.step(&mut Vec::new(), now), Outcome::Failed(502));
        let tries: Vec<&str> = get.tries.iter().map(|t| t.address.as_str()).collect();
        assert_eq!(tries, ["1.2.3.4:80"; TRIES_MAX]);
        for (method, late, expected) in [("POST", false, 502), ("PATCH", true, 504), ("LOCK", false, 502)] {
            let mut exchange = exchange(method, false);
            exchange.tries.push(Try { address: "a".into(), bytes: 0, took: Duration::ZERO, status: 0 });
            exchange.sent = 1;
            let kind = if late { io::ErrorKind::TimedOut } else { io::ErrorKind::ConnectionReset };
            assert_eq!(exchange.lost(&kind.into(), now), Outcome::Failed(expected));
            assert_eq!(exchange.tries.len(), 1);
        }
        let mut malformed = exchange("GET", false);
        malformed.sent = 1;
        assert_eq!(malformed.lost(&invalid(), now), Outcome::Failed(502));
    }

    #[test]
    fn no_patience_is_too_long_to_count() {
        let patience = Patience { connect: Some(u64::MAX), read: Some(u64::MAX) };
        let exchange = Exchange::new(&Request::default(), Vec::new(), Vec::new(), patience, false, Instant::now());
        assert_eq!(exchange.due().duration_since(exchange.moved), Duration::from_secs(SECONDS_MAX));
    }
}
