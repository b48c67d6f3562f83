//! A connection that was upgraded: bytes pass both ways between the client and a backend, until either end closes.

use std::io::{self, Read, Write};

use crate::{TcpStream, Wait};

/// Bytes that may wait for the backend, or for the client before more is read from the backend.
pub const TUNNEL_BYTES_MAX: usize = 64 * 1024;

/// The backend's end.
#[derive(Debug)]
pub struct Tunnel {
    stream: TcpStream,
    /// What the client has said and the backend had no room for.
    outgoing: Vec<u8>,
}

impl Tunnel {
    /// A tunnel to this backend, which gets these bytes first.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn new(stream: TcpStream, outgoing: Vec<u8>) -> io::Result<Tunnel> {
        stream.set_nonblocking()?;
        Ok(Tunnel { stream, outgoing })
    }

    /// Whether the backend takes more.
    pub fn has_room(&self) -> bool {
        self.outgoing.len() < TUNNEL_BYTES_MAX
    }

    /// What to wait for, while so many bytes wait for the client.
    pub fn interests(&self, waiting_bytes: usize) -> Vec<Wait> {
        let fd = self.stream.fd();
        let writes = (!self.outgoing.is_empty()).then_some(Wait::Write(fd));
        let reads = (waiting_bytes < TUNNEL_BYTES_MAX).then_some(Wait::Read(fd));
        writes.into_iter().chain(reads).collect()
    }

    /// Passes bytes of the client on, now or when there is room.
    ///
    /// # Errors
    /// The backend is gone.
    pub fn say(&mut self, bytes: &[u8]) -> io::Result<bool> {
        self.outgoing.extend_from_slice(bytes);
        let before = self.outgoing.len();
        while !self.outgoing.is_empty() {
            match self.stream.write(&self.outgoing) {
                Ok(count) => drop(self.outgoing.drain(..count)),
                Err(error) if waits(&error) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(self.outgoing.len() < before)
    }

    /// What the backend says next: nothing yet, or nothing more if it is empty.
    ///
    /// # Errors
    /// The backend is gone.
    pub fn hear(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut buffer = vec![0u8; 4096];
        match self.stream.read(&mut buffer) {
            Ok(count) => {
                buffer.truncate(count);
                Ok(Some(buffer))
            }
            Err(error) if waits(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn waits(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
