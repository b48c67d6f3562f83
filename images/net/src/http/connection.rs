//! One connection of a server: what has come in, and what waits to go out.
//!
//! It never waits itself. While an answer waits for its reader nothing more is read, so that one answer at most waits.

use std::io::{self, Read, Write};
use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use super::message::{BODY_BYTES_MAX, HEAD_BYTES_MAX, Parsed, Request, Response};
use super::tunnel::{TUNNEL_BYTES_MAX, Tunnel};
use crate::TcpStream;

/// Seconds after which an idle connection is closed.
pub const IDLE_SECONDS_MAX: u64 = 75;
/// Seconds after which a connection is closed whose other end reads nothing: `send_timeout` of nginx and `Timeout` of httpd.
pub const SEND_SECONDS_MAX: u64 = 60;

/// Bytes that may have come in and wait, more than one whole request takes; above that the connection closes.
pub const INPUT_BYTES_MAX: usize = HEAD_BYTES_MAX + 2 * BODY_BYTES_MAX;

/// An answer, and how long the client waits for it: a server of one thread cannot sleep meanwhile.
pub struct Delayed {
    /// The answer.
    pub response: Response,
    /// How long it takes.
    pub delay: Duration,
    /// The backend that the client speaks with after the answer, which is `101 Switching Protocols`.
    pub upgrade: Option<TcpStream>,
}

impl From<Response> for Delayed {
    fn from(response: Response) -> Delayed {
        Delayed { response, delay: Duration::ZERO, upgrade: None }
    }
}

/// A connection over a stream that does not wait: it answers `EAGAIN` where it cannot go on.
pub struct Connection<S> {
    stream: S,
    peer: SocketAddrV4,
    input: Vec<u8>,
    output: Vec<u8>,
    /// How much of the output has gone.
    sent: usize,
    /// When the output may go.
    held_until: Option<Instant>,
    /// Nothing more is read once the output has gone.
    closing: bool,
    /// When bytes last moved.
    moved: Instant,
    /// It speaks another protocol, with somebody else.
    tunnel: Option<Tunnel>,
}

impl<S: Read + Write> Connection<S> {
    /// A connection that was accepted at this time.
    pub fn new(stream: S, peer: SocketAddrV4, now: Instant) -> Connection<S> {
        Connection {
            stream,
            peer,
            input: Vec::new(),
            output: Vec::new(),
            sent: 0,
            held_until: None,
            closing: false,
            moved: now,
            tunnel: None,
        }
    }

    /// The backend that it speaks with, once it was upgraded.
    pub fn tunnel(&self) -> Option<&Tunnel> {
        self.tunnel.as_ref()
    }

    /// The stream, to wait for.
    pub fn stream(&self) -> &S {
        &self.stream
    }

    /// Bytes that wait for the other end to read.
    pub fn waiting_bytes(&self) -> usize {
        self.output.len() - self.sent
    }

    /// Whether there is an answer that the stream has no room for.
    pub fn wants_room(&self) -> bool {
        self.waiting_bytes() > 0 && self.held_until.is_none()
    }

    /// Whether the time of an answer has come that was held back.
    pub fn is_due(&self, now: Instant) -> bool {
        self.held_until.is_some_and(|until| until <= now)
    }

    /// When bytes last moved.
    pub fn moved(&self) -> Instant {
        self.moved
    }

    /// How long the connection may still stand as it does; nothing once its time is up.
    pub fn patience(&self, now: Instant) -> Option<Duration> {
        if let Some(until) = self.held_until {
            return Some(until.saturating_duration_since(now));
        }
        let seconds =
            if self.waiting_bytes() > 0 || self.tunnel.is_some() { SEND_SECONDS_MAX } else { IDLE_SECONDS_MAX };
        (self.moved + Duration::from_secs(seconds)).checked_duration_since(now).filter(|left| !left.is_zero())
    }

    /// Goes on after the stream became ready; false when the connection is done.
    pub fn advance(&mut self, now: Instant, handle: &mut impl FnMut(&Request, SocketAddrV4) -> Delayed) -> bool {
        if self.is_due(now) {
            self.held_until = None;
            self.moved = now;
        }
        // Whoever goes away before an answer is due is noticed by reading.
        if self.tunnel.is_some() {
            return self.carry(now).is_ok() && !(self.closing && self.waiting_bytes() == 0);
        }
        let moved = if self.wants_room() { self.send(now) } else { self.receive(now) };
        moved.and_then(|()| self.answer(now, handle)).is_ok() && !(self.closing && self.waiting_bytes() == 0)
    }

    /// Reads what has come; the end is an error.
    fn receive(&mut self, now: Instant) -> io::Result<()> {
        let mut buffer = [0u8; 4096];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                self.moved = now;
                self.input.extend_from_slice(&buffer[..count]);
                if self.input.len() > INPUT_BYTES_MAX { Err(io::ErrorKind::OutOfMemory.into()) } else { Ok(()) }
            }
            Err(error) => later(error),
        }
    }

    /// Writes as much as there is room for, and nothing before its time.
    fn send(&mut self, now: Instant) -> io::Result<()> {
        while self.wants_room() {
            match self.stream.write(&self.output[self.sent..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.moved = now;
                    self.sent += count;
                }
                Err(error) => return later(error),
            }
        }
        if self.waiting_bytes() == 0 {
            self.output.clear();
            self.sent = 0;
        }
        Ok(())
    }

    /// Passes bytes on between the client and the backend. The end of one is that of the other, once it has heard everything.
    fn carry(&mut self, now: Instant) -> io::Result<()> {
        self.send(now)?;
        let Some(tunnel) = &mut self.tunnel else { return Ok(()) };
        let mut buffer = [0u8; 4096];
        let mut said = 0;
        if tunnel.has_room() && !self.closing {
            match self.stream.read(&mut buffer) {
                Ok(0) => self.closing = true,
                Ok(count) => said = count,
                Err(error) => later(error)?,
            }
        }
        let mut has_moved = tunnel.say(&buffer[..said])? || said > 0;
        if self.output.len() - self.sent < TUNNEL_BYTES_MAX {
            match tunnel.hear()? {
                Some(bytes) if bytes.is_empty() => self.closing = true,
                Some(bytes) => {
                    self.output.extend_from_slice(&bytes);
                    has_moved = true;
                }
                None => {}
            }
        }
        if has_moved {
            self.moved = now;
        }
        self.send(now)
    }

    /// Answers whole requests until an answer has to wait.
    fn answer(&mut self, now: Instant, handle: &mut impl FnMut(&Request, SocketAddrV4) -> Delayed) -> io::Result<()> {
        while self.waiting_bytes() == 0 && !self.closing && self.tunnel.is_none() {
            match Request::parse(&self.input) {
                Parsed::More => return Ok(()),
                Parsed::Bad(status) => {
                    let response = Response::new(status, "text/plain", "").header("Connection", "close");
                    self.output = response.to_bytes(false);
                    self.closing = true;
                }
                Parsed::Request(request, used) => {
                    self.input.drain(..used);
                    self.closing = !request.keep_alive();
                    let Delayed { mut response, delay, upgrade } = handle(&request, self.peer);
                    self.held_until = (!delay.is_zero()).then(|| now.checked_add(delay)).flatten();
                    let connection = if self.closing { "close" } else { "keep-alive" };
                    if !response.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case("connection")) {
                        response = response.header("Connection", connection);
                    }
                    self.output = response.to_bytes(request.method == "HEAD");
                    if let Some(backend) = upgrade {
                        self.tunnel = Some(Tunnel::new(backend, std::mem::take(&mut self.input))?);
                    }
                }
            }
            self.send(now)?;
        }
        Ok(())
    }
}

/// What only has to wait, or gives way to a signal, is no error.
fn later(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(()),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    /// A stream that holds so many bytes until somebody reads them.
    struct Narrow {
        incoming: Vec<u8>,
        outgoing: Vec<u8>,
        room: usize,
    }

    impl Read for Narrow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = buffer.len().min(self.incoming.len());
            buffer[..count].copy_from_slice(&self.incoming[..count]);
            self.incoming.drain(..count);
            Ok(count)
        }
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(self.room);
            if count == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.room -= count;
            self.outgoing.extend_from_slice(&bytes[..count]);
            Ok(count)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn connection(text: &str, room: usize) -> (Connection<Narrow>, Instant) {
        let now = Instant::now();
        let stream = Narrow { incoming: text.as_bytes().to_vec(), outgoing: Vec::new(), room };
        (Connection::new(stream, SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1), now), now)
    }

    #[test]
    fn an_answer_that_nobody_reads_waits_and_holds_nothing_up() {
        let (mut connection, now) =
            connection("GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nConnection: close\r\n\r\n", 100);
        let mut asked = Vec::new();
        let mut handle = |request: &Request, _: SocketAddrV4| {
            asked.push(request.target.clone());
            Response::new(200, "text/plain", vec![b'x'; 1000]).into()
        };
        assert!(connection.advance(now, &mut handle));
        let waiting = connection.waiting_bytes();
        assert!(waiting > 900 && connection.stream.outgoing.len() == 100);
        connection.stream.room = waiting;
        let later = now + Duration::from_secs(50);
        // The second answer begins only once the first one has gone.
        assert!(connection.advance(later, &mut handle));
        assert!(connection.waiting_bytes() > 1000 && connection.moved() == later);
        connection.stream.room = usize::MAX;
        assert!(!connection.advance(later, &mut handle), "closed once everything has gone");
        assert_eq!(asked, ["/a", "/b"]);
        assert!(connection.stream.outgoing.ends_with(&[b'x'; 1000]));
    }

    #[test]
    fn patience_ends() {
        let (mut connection, now) = connection("GET / HTTP/1.1\r\n\r\n", 10);
        assert_eq!(connection.patience(now), Some(Duration::from_secs(IDLE_SECONDS_MAX)));
        assert!(connection.advance(now, &mut |_, _| Response::new(200, "text/plain", "hello").into()));
        // What cannot be written does not count as moving.
        let late = now + Duration::from_secs(SEND_SECONDS_MAX);
        assert!(connection.advance(late, &mut |_, _| Response::new(200, "text/plain", "hello").into()));
        assert_eq!((connection.patience(now), connection.patience(late)), (Some(late - now), None));
    }

    #[test]
    fn an_answer_is_held_back_until_it_is_due() {
        let (mut connection, now) = connection("GET / HTTP/1.1\r\n\r\n", usize::MAX);
        let mut handle = |_: &Request, _: SocketAddrV4| Delayed {
            response: Response::new(200, "text/plain", "late"),
            delay: Duration::from_secs(90),
            upgrade: None,
        };
        assert!(connection.advance(now, &mut handle));
        assert!(connection.stream.outgoing.is_empty() && !connection.wants_room());
        assert_eq!(connection.patience(now), Some(Duration::from_secs(90)));
        let then = now + Duration::from_secs(90);
        assert!(connection.is_due(then) && connection.advance(then, &mut handle));
        assert!(connection.stream.outgoing.ends_with(b"late"));
        // The client has gone.
        assert!(!connection.advance(then, &mut handle));
    }

    #[test]
    fn what_is_no_request_is_answered_and_closed() {
        let (mut connection, now) = connection("hello\r\n\r\n", usize::MAX);
        assert!(!connection.advance(now, &mut |_, _| panic!("no request")));
        assert!(connection.stream.outgoing.starts_with(b"HTTP/1.1 400 Bad Request\r\n"));
    }
}
