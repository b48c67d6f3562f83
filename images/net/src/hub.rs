//! The connections of a server that is no HTTP server, all waited for at once.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

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

/// A listening socket and its connections, by number in the order in which they came.
#[derive(Debug)]
pub struct Hub {
    listener: TcpListener,
    streams: BTreeMap<u64, TcpStream>,
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
        Ok(Hub { listener, streams: BTreeMap::new(), count: 0 })
    }

    /// Waits for something to happen, for a time at most. Nothing happened if the time was up or a caught signal came.
    ///
    /// # Errors
    /// Of waiting; errors of single connections close them.
    pub fn wait(&mut self, at_most: Option<Duration>) -> io::Result<Vec<Event>> {
        let ids: Vec<u64> = self.streams.keys().copied().collect();
        let mut what: Vec<Wait> = self.streams.values().map(|stream| Wait::Read(stream.fd())).collect();
        what.push(Wait::Read(self.listener.fd()));
        let ready = match wait(&what, at_most) {
            Ok(ready) => ready,
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut events = Vec::new();
        for at in ready {
            events.extend(match ids.get(at) {
                Some(id) => self.read(*id),
                None => self.accept(),
            });
        }
        Ok(events)
    }

    fn accept(&mut self) -> Option<Event> {
        let stream = self.listener.accept().ok()?;
        let peer = stream.peer_addr().unwrap_or(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0));
        self.count += 1;
        self.streams.insert(self.count, stream);
        Some(Event::Opened(self.count, peer))
    }

    fn read(&mut self, id: u64) -> Option<Event> {
        let mut buffer = [0u8; READ_BYTES];
        match self.streams.get_mut(&id)?.read(&mut buffer) {
            Ok(count) if count > 0 => Some(Event::Data(id, buffer[..count].to_vec())),
            Err(error) if error.kind() == ErrorKind::Interrupted => None,
            _ => {
                self.streams.remove(&id);
                Some(Event::Closed(id))
            }
        }
    }

    /// Sends bytes; false if the connection is gone.
    pub fn send(&mut self, id: u64, bytes: &[u8]) -> bool {
        self.streams.get_mut(&id).is_some_and(|stream| bytes.is_empty() || stream.write_all(bytes).is_ok())
    }

    /// Closes a connection.
    pub fn close(&mut self, id: u64) {
        self.streams.remove(&id);
    }
}
