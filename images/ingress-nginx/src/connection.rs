//! A client's connection.

use std::io::{self, Read, Write};
use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use net::TcpStream;

use crate::access::Entry;
use crate::exchange::{Exchange, own_bytes};
use crate::link::waits;
use crate::pages::page;

/// `keepalive_timeout`, in seconds; also for who reads nothing.
const IDLE_SECONDS: u64 = 75;
/// `client_header_timeout` and `client_body_timeout`, in seconds.
const REQUEST_SECONDS: u64 = 60;
/// Bytes that are read of a next request while one is answered.
const AHEAD_BYTES_MAX: usize = 4 * 1024;

/// A connection.
pub struct Connection {
    pub stream: TcpStream,
    pub peer: SocketAddrV4,
    pub port: u16,
    pub input: Vec<u8>,
    pub output: Vec<u8>,
    pub closing: bool,
    pub moved: Instant,
    /// Since when a request is coming.
    pub since: Option<Instant>,
    /// It has had an answer.
    pub has_served: bool,
    pub current: Option<Current>,
}

/// A request that is being passed on.
pub struct Current {
    pub entry: Entry,
    pub exchange: Exchange,
}

impl Connection {
    /// A connection that was accepted now.
    pub fn new(stream: TcpStream, peer: SocketAddrV4, port: u16, now: Instant) -> Connection {
        Connection {
            stream,
            peer,
            port,
            input: Vec::new(),
            output: Vec::new(),
            closing: false,
            moved: now,
            since: None,
            has_served: false,
            current: None,
        }
    }

    /// When it ends if nothing more comes.
    pub fn idle_until(&self) -> Instant {
        let time = if self.has_served && self.since.is_none() { IDLE_SECONDS } else { REQUEST_SECONDS };
        let from = match self.since {
            // A head has its time as a whole, a body that of each of its parts.
            Some(since) if !self.input.windows(4).any(|w| w == b"\r\n\r\n") => since,
            _ => self.moved,
        };
        from + Duration::from_secs(time)
    }

    /// Nothing is going on.
    pub fn is_idle(&self) -> bool {
        self.current.is_none() && self.input.is_empty() && self.output.is_empty()
    }

    /// Whether more may be read: while a request is answered only so much that its end can be seen.
    pub fn wants_more(&self) -> bool {
        let max = if self.current.is_some() { AHEAD_BYTES_MAX } else { net::http::INPUT_BYTES_MAX };
        self.input.len() <= max
    }

    /// Bytes that it holds.
    pub fn held_bytes(&self) -> usize {
        self.input.len() + self.output.len() + self.current.as_ref().map_or(0, |c| c.exchange.held_bytes())
    }

    /// Writes what there is room for.
    pub fn flush(&mut self, now: Instant) -> io::Result<()> {
        while !self.output.is_empty() {
            match self.stream.write(&self.output) {
                Ok(count) => {
                    self.output.drain(..count);
                    self.moved = now;
                }
                Err(error) if waits(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads what has come; the end is an error.
    pub fn receive(&mut self, now: Instant) -> io::Result<()> {
        let mut buffer = [0u8; 4096];
        while self.wants_more() {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    self.input.extend_from_slice(&buffer[..count]);
                    self.moved = now;
                    if self.current.is_none() {
                        self.since.get_or_insert(now);
                    }
                }
                Err(error) if waits(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The answer is complete, or broken off.
    pub fn finish(&mut self, closes: bool, now: Instant) {
        self.closing |= closes;
        self.moved = now;
        if let Some(Current { entry, exchange }) = self.current.take() {
            entry.log(self.peer, exchange.status, exchange.body_bytes, &exchange.tries, now);
        }
    }

    /// No backend answered.
    pub fn fail(&mut self, status: u16, now: Instant) {
        if let Some(Current { entry, exchange }) = self.current.take() {
            let (response, is_head) = (page(status), entry.is_head);
            let bytes = if is_head { 0 } else { response.body_bytes() as u64 };
            entry.log(self.peer, status, bytes, &exchange.tries, now);
            self.output.extend_from_slice(&own_bytes(response, is_head, self.closing));
        }
    }
}
