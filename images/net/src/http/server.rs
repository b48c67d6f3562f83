//! A server for one thread: it waits for all its connections at once.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use super::message::{Parsed, Request, Response};
use crate::{TcpListener, TcpStream, Wait, wait};

/// Connections that a server keeps open; further ones wait to be accepted.
pub const CONNECTIONS_MAX: usize = 128;
/// Seconds after which an idle connection is closed.
pub const IDLE_SECONDS_MAX: u64 = 75;

/// Why a server stopped: the signal that was caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopSignal(pub u32);

struct Connection {
    stream: TcpStream,
    peer: SocketAddrV4,
    bytes: Vec<u8>,
}

/// A listening server.
pub struct Server {
    listener: TcpListener,
    connections: Vec<Connection>,
}

impl Server {
    /// Listens on a port of every address.
    ///
    /// # Errors
    /// `EADDRINUSE`.
    pub fn bind(port: u16) -> io::Result<Server> {
        let listener = TcpListener::bind(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port))?;
        Ok(Server { listener, connections: Vec::new() })
    }

    /// Serves until a caught signal comes.
    ///
    /// # Errors
    /// Of waiting; errors of single connections close them.
    pub fn run(&mut self, mut handle: impl FnMut(&Request, SocketAddrV4) -> Response) -> io::Result<StopSignal> {
        loop {
            if let Some(signal) = proc::take_signal() {
                return Ok(StopSignal(signal));
            }
            let mut what: Vec<Wait> = self.connections.iter().map(|c| Wait::Read(c.stream.fd())).collect();
            let room = self.connections.len() < CONNECTIONS_MAX;
            if room {
                what.push(Wait::Read(self.listener.fd()));
            }
            let at_most = if self.connections.is_empty() { None } else { Some(Duration::from_secs(IDLE_SECONDS_MAX)) };
            let ready = match wait(&what, at_most) {
                Ok(ready) => ready,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if ready.is_empty() {
                self.connections.clear();
                continue;
            }
            let accepts = room && ready.contains(&(what.len() - 1));
            let mut gone = Vec::new();
            for index in ready {
                let Some(connection) = self.connections.get_mut(index) else { continue };
                if !matches!(connection.serve(&mut handle), Ok(true)) {
                    gone.push(index);
                }
            }
            gone.sort_unstable();
            for index in gone.into_iter().rev() {
                self.connections.remove(index);
            }
            if accepts && let Ok(stream) = self.listener.accept() {
                let peer = stream.peer_addr().unwrap_or(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0));
                self.connections.push(Connection { stream, peer, bytes: Vec::new() });
            }
        }
    }
}

impl Connection {
    /// Reads what has come and answers every whole request; false when the connection is done.
    fn serve(&mut self, handle: &mut impl FnMut(&Request, SocketAddrV4) -> Response) -> io::Result<bool> {
        let mut buffer = [0u8; 4096];
        let count = self.stream.read(&mut buffer)?;
        if count == 0 {
            return Ok(false);
        }
        self.bytes.extend_from_slice(&buffer[..count]);
        loop {
            match Request::parse(&self.bytes) {
                Parsed::More => return Ok(true),
                Parsed::Bad(status) => {
                    let response = Response::new(status, "text/plain", "").header("Connection", "close");
                    self.stream.write_all(&response.to_bytes(false))?;
                    return Ok(false);
                }
                Parsed::Request(request, used) => {
                    self.bytes.drain(..used);
                    let keep = request.keep_alive();
                    let mut response = handle(&request, self.peer);
                    let connection = if keep { "keep-alive" } else { "close" };
                    if !response.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case("connection")) {
                        response = response.header("Connection", connection);
                    }
                    self.stream.write_all(&response.to_bytes(request.method == "HEAD"))?;
                    if !keep {
                        return Ok(false);
                    }
                }
            }
        }
    }
}
