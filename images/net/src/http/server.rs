//! A server for one thread: it waits for all its connections at once, and for none of them alone.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Instant;

use super::connection::{Connection, Delayed};
use super::message::Request;
use crate::{TcpListener, TcpStream, Wait, wait};

/// Connections that a server keeps open; further ones wait to be accepted.
pub const CONNECTIONS_MAX: usize = 128;
/// Bytes of answers that wait for their readers, over all connections: above that the one closes that has stood still for longest.
/// A single answer may be larger, as a download is.
pub const WAITING_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Why a server stopped: the signal that was caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopSignal(pub u32);

/// A listening server.
pub struct Server {
    listener: TcpListener,
    connections: Vec<Connection<TcpStream>>,
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

    /// Serves until a caught signal comes. The answers are each a [`super::Response`], or one [`Delayed`].
    ///
    /// # Errors
    /// Of waiting; errors of single connections close them.
    pub fn run<A: Into<Delayed>>(
        &mut self,
        mut handle: impl FnMut(&Request, SocketAddrV4) -> A,
    ) -> io::Result<StopSignal> {
        let mut handle = |request: &Request, peer: SocketAddrV4| handle(request, peer).into();
        loop {
            if let Some(signal) = proc::take_signal() {
                return Ok(StopSignal(signal));
            }
            let now = Instant::now();
            let due = (0..self.connections.len()).filter(|index| self.connections[*index].is_due(now)).collect();
            self.advance(due, &mut handle);
            self.connections.retain(|connection| connection.patience(now).is_some());
            let (owners, mut what): (Vec<usize>, Vec<Wait>) = self.interests().unzip();
            let room = self.connections.len() < CONNECTIONS_MAX;
            if room {
                what.push(Wait::Read(self.listener.fd()));
            }
            let ready = match wait(&what, self.connections.iter().filter_map(|c| c.patience(now)).min()) {
                Ok(ready) => ready,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let accepts = room && ready.contains(&(what.len() - 1));
            let mut whose: Vec<usize> = ready.iter().filter_map(|at| owners.get(*at).copied()).collect();
            whose.sort_unstable();
            whose.dedup();
            self.advance(whose, &mut handle);
            if accepts {
                self.accept();
            }
        }
    }

    /// What to wait for, with the connection that it is for.
    fn interests(&self) -> impl Iterator<Item = (usize, Wait)> {
        self.connections
            .iter()
            .enumerate()
            .flat_map(|(index, c)| interests(c).into_iter().map(move |wait| (index, wait)))
    }

    /// Goes on with the connections that are ready.
    fn advance(&mut self, ready: Vec<usize>, handle: &mut impl FnMut(&Request, SocketAddrV4) -> Delayed) {
        let mut gone = Vec::new();
        for index in ready {
            let Some(connection) = self.connections.get_mut(index) else { continue };
            if !connection.advance(Instant::now(), handle) {
                gone.push(index);
            }
        }
        gone.sort_unstable();
        for index in gone.into_iter().rev() {
            self.connections.remove(index);
        }
        let waiting: Vec<_> = self.connections.iter().map(|c| (c.waiting_bytes(), c.moved())).collect();
        if let Some(index) = crowding(&waiting, WAITING_BYTES_MAX) {
            self.connections.remove(index);
        }
    }

    fn accept(&mut self) {
        let Ok(stream) = self.listener.accept() else { return };
        if stream.set_nonblocking().is_err() {
            return; // It could hold up all the others.
        }
        let peer = stream.peer_addr().unwrap_or(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0));
        self.connections.push(Connection::new(stream, peer, Instant::now()));
    }
}

fn interests(connection: &Connection<TcpStream>) -> Vec<Wait> {
    let fd = connection.stream().fd();
    let Some(tunnel) = connection.tunnel() else {
        return vec![if connection.wants_room() { Wait::Write(fd) } else { Wait::Read(fd) }];
    };
    let mut all = tunnel.interests(connection.waiting_bytes());
    all.extend(connection.wants_room().then_some(Wait::Write(fd)));
    all.extend(tunnel.has_room().then_some(Wait::Read(fd)));
    all
}

/// Which connection must go because more bytes wait than may: of several that wait, the one that has stood still for longest.
fn crowding(waiting: &[(usize, Instant)], bytes_max: usize) -> Option<usize> {
    let several = waiting.iter().filter(|(bytes, _)| *bytes > 0).count() > 1;
    let crowded = waiting.iter().map(|(bytes, _)| bytes).sum::<usize>() > bytes_max;
    let still = waiting.iter().enumerate().filter(|(_, (bytes, _))| *bytes > 0);
    still.min_by_key(|(_, (_, moved))| *moved).map(|(index, _)| index).filter(|_| several && crowded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_one_that_stands_still_goes_when_too_much_waits() {
        let now = Instant::now();
        let at = |bytes, seconds| (bytes, now + Duration::from_secs(seconds));
        assert_eq!(crowding(&[at(0, 0), at(60, 2), at(50, 1)], 100), Some(2));
        assert_eq!(crowding(&[at(0, 0), at(60, 2), at(40, 1)], 100), None);
        assert_eq!(crowding(&[at(0, 0), at(600, 1)], 100), None, "a download");
    }
}
