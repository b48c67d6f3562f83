//! The line to the half of the controller that reads the API: the simulated machine plays it, because no container can ask the
//! API server here (there is no TLS). docs/decisions/0022-ingress-controller-in-two-halves.md.
//!
//! Each line is words between tabs, with `%XX` for what would be taken for one.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4};

use net::TcpStream;

/// Where the machine answers; the same address is in crates/cluster.
pub const MACHINE: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(169, 254, 20, 10), 10_246);
/// Bytes of one line.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// The line.
#[derive(Debug)]
pub struct Link {
    stream: TcpStream,
    bytes: Vec<u8>,
    unsent: Vec<u8>,
}

impl Link {
    /// Begins to connect, and to say hello.
    ///
    /// # Errors
    /// `EMFILE`.
    pub fn open(hello: &str) -> io::Result<Link> {
        Ok(Link { stream: TcpStream::connect_later(MACHINE)?, bytes: Vec::new(), unsent: hello.as_bytes().to_vec() })
    }

    /// The descriptor, for waiting.
    pub fn fd(&self) -> u32 {
        self.stream.fd()
    }

    /// Whether there is something to say that was not taken yet.
    pub fn wants_room(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Says something more.
    pub fn say(&mut self, line: &str) {
        self.unsent.extend_from_slice(line.as_bytes());
    }

    /// Sends what waits, and gives the lines that have come.
    ///
    /// # Errors
    /// The line is broken, or was closed.
    pub fn turn(&mut self) -> io::Result<Vec<Vec<String>>> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(count) => {
                    self.unsent.drain(..count);
                }
                Err(error) if waits(&error) => return Ok(Vec::new()),
                Err(error) => return Err(error),
            }
        }
        let mut buffer = [0u8; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                // What was said before the end comes first.
                Ok(0) if self.bytes.contains(&b'\n') => break,
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.bytes.extend_from_slice(&buffer[..count]),
                Err(error) if waits(&error) => break,
                Err(error) => return Err(error),
            }
            if self.bytes.len() > LINE_BYTES_MAX && !self.bytes.contains(&b'\n') {
                return Err(io::ErrorKind::OutOfMemory.into());
            }
        }
        let Some(end) = self.bytes.iter().rposition(|b| *b == b'\n') else { return Ok(Vec::new()) };
        let whole: Vec<u8> = self.bytes.drain(..=end).collect();
        Ok(String::from_utf8_lossy(&whole).lines().map(words).collect())
    }
}

/// Whether a call only has to be made again later.
pub fn waits(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

fn words(line: &str) -> Vec<String> {
    line.split('\t').map(net::http::decode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        assert_eq!(words("log\tI\ta%09b%25"), ["log", "I", "a\tb%"]);
    }
}
