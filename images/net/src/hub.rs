//! The connections of a server that is no HTTP server, all waited for at once.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use crate::output::Output;
use crate::{TcpListener, TcpStream, Wait, wait};

/// Bytes read from a connection at once.
const READ_BYTES: usize = 16 * 1024;

/// What happened on a connection, which has a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// It was made, by this peer.
    Opened(u64, SocketAddrV4),
    /// Bytes came.
    Data(u64, Vec<u8>),
    /// The peer has closed it.
    Closed(u64),
}

/// Why a server could not listen, in the words of Debian's C library: that of the system, musl's, says less.
pub fn listen_error(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => "Address already in use".to_owned(),
        ErrorKind::AddrNotAvailable => "Cannot assign requested address".to_owned(),
        _ => proc::Errno::from_io(error).to_string(),
    }
}

/// Why bytes were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsent {
    /// The connection is gone.
    Gone,
    /// The client left [`OUTPUT_BYTES_MAX`](crate::OUTPUT_BYTES_MAX) unread; the connection is closed.
    Full,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    output: Output,
    /// Whether it ends when everything is written.
    closing: bool,
}

/// A listening socket and its connections, by number in the order in which they came. Nothing but [`Hub::wait`] waits.
#[derive(Debug)]
pub struct Hub {
    listener: TcpListener,
    connections: BTreeMap<u64, Connection>,
    count: u64,
}

impl Hub {
    /// Listens on a port of every address.
    ///
    /// # Errors
    /// `EADDRINUSE`.
    pub fn bind(port: u16) -> io::Result<Hub> {
        Hub::bind_at(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port))
    }

    /// Listens on an address.
    ///
    /// # Errors
    /// `EADDRINUSE`, `EADDRNOTAVAIL`.
    pub fn bind_at(address: SocketAddrV4) -> io::Result<Hub> {
        let listener = TcpListener::bind(address)?;
        Ok(Hub { listener, connections: BTreeMap::new(), count: 0 })
    }

    /// Waits for something to happen, for a time at most. Nothing happened if the time was up or a caught signal came.
    ///
    /// # Errors
    /// Of waiting; errors of single connections close them.
    pub fn wait(&mut self, at_most: Option<Duration>) -> io::Result<Vec<Event>> {
        let reads = self.connections.iter().filter(|(_, c)| !c.closing).map(|(id, c)| (*id, Wait::Read(c.stream.fd())));
        let writes = self.connections.iter().filter(|(_, c)| !c.output.is_empty());
        let writes = writes.map(|(id, c)| (*id, Wait::Write(c.stream.fd())));
        let (ids, mut what): (Vec<u64>, Vec<Wait>) = writes.chain(reads).unzip();
        what.push(Wait::Read(self.listener.fd()));
        let ready = match wait(&what, at_most) {
            Ok(ready) => ready,
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut events = Vec::new();
        for at in ready {
            events.extend(match (ids.get(at), what[at]) {
                (Some(id), Wait::Read(_)) => self.read(*id),
                (Some(id), Wait::Write(_)) => self.write(*id),
                (None, _) => self.accept(),
            });
        }
        Ok(events)
    }

    fn accept(&mut self) -> Option<Event> {
        let stream = self.listener.accept().ok()?;
        let peer = stream.peer_addr().unwrap_or(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0));
        stream.set_nonblocking().ok()?;
        self.count += 1;
        self.connections.insert(self.count, Connection { stream, output: Output::default(), closing: false });
        Some(Event::Opened(self.count, peer))
    }

    fn read(&mut self, id: u64) -> Option<Event> {
        let mut buffer = [0u8; READ_BYTES];
        match self.connections.get_mut(&id)?.stream.read(&mut buffer) {
            Ok(count) if count > 0 => Some(Event::Data(id, buffer[..count].to_vec())),
            Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => None,
            _ => {
                self.connections.remove(&id);
                Some(Event::Closed(id))
            }
        }
    }

    /// Writes what there is room for.
    fn write(&mut self, id: u64) -> Option<Event> {
        let connection = self.connections.get_mut(&id)?;
        let gone = connection.output.write_to(&mut connection.stream).is_err();
        let closing = connection.closing;
        if gone || closing && connection.output.is_empty() {
            self.connections.remove(&id);
            // Who closed it knows already.
            return (!closing).then_some(Event::Closed(id));
        }
        None
    }

    /// Sends bytes, now as far as there is room and the rest later.
    ///
    /// # Errors
    /// Trying again does not help: the connection is closed.
    pub fn send(&mut self, id: u64, bytes: &[u8]) -> Result<(), Unsent> {
        let connection = self.connections.get_mut(&id).ok_or(Unsent::Gone)?;
        if bytes.is_empty() {
            return Ok(());
        }
        let taken = if connection.output.push(bytes) { Ok(()) } else { Err(Unsent::Full) };
        let written = connection.output.write_to(&mut connection.stream).map_err(|_| Unsent::Gone);
        let sent = taken.and(written);
        if sent.is_err() {
            self.connections.remove(&id);
        }
        sent
    }

    /// Closes a connection when everything is written.
    pub fn close(&mut self, id: u64) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.closing = true;
            if connection.output.is_empty() {
                self.connections.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named_as_servers_do() {
        assert_eq!(listen_error(&ErrorKind::AddrInUse.into()), "Address already in use");
    }
}
