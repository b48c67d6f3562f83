//! Sockets for guests, in the manner of `std::net`, over the WasmEdge-style imports; waiting for several of them; and a
//! small HTTP server and client on top.
//!
//! IPv4 only, as the cluster is. On other targets every call fails with `ENOSYS`.

pub mod http;
mod hub;
mod output;
mod poll;
mod sys;

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

pub use hub::{Event, Hub, Unsent, listen_error};
pub use output::OUTPUT_BYTES_MAX;
pub use poll::{Ready, Wait, wait};

fn descriptor(file: &File) -> u32 {
    use std::os::fd::AsRawFd;
    u32::try_from(file.as_raw_fd()).unwrap_or(u32::MAX)
}

/// A listening TCP socket.
#[derive(Debug)]
pub struct TcpListener(File);

impl TcpListener {
    /// Listens on an address.
    ///
    /// # Errors
    /// `EADDRINUSE`.
    pub fn bind(address: SocketAddrV4) -> io::Result<TcpListener> {
        let fd = sys::open(sys::STREAM)?;
        let file = proc::owned_file(fd);
        sys::bind(fd, address)?;
        sys::listen(fd, BACKLOG_CONNECTIONS_MAX)?;
        Ok(TcpListener(file))
    }

    /// Waits for a connection.
    ///
    /// # Errors
    /// `EINTR` if a caught signal came first.
    pub fn accept(&self) -> io::Result<TcpStream> {
        Ok(TcpStream(proc::owned_file(sys::accept(self.fd())?)))
    }

    /// The descriptor, for [`wait`].
    pub fn fd(&self) -> u32 {
        descriptor(&self.0)
    }
}

/// Connections that may wait to be accepted.
pub const BACKLOG_CONNECTIONS_MAX: u32 = 128;

/// A TCP connection.
#[derive(Debug)]
pub struct TcpStream(File);

impl TcpStream {
    /// Connects.
    ///
    /// # Errors
    /// `ECONNREFUSED`, `EHOSTUNREACH`, `ETIMEDOUT`.
    pub fn connect(address: SocketAddrV4) -> io::Result<TcpStream> {
        TcpStream::connect_within(address, None)
    }

    /// Connects, or gives up after a time.
    ///
    /// # Errors
    /// As [`TcpStream::connect`]; `EAGAIN` if the time is up.
    pub fn connect_within(address: SocketAddrV4, at_most: Option<Duration>) -> io::Result<TcpStream> {
        let fd = sys::open(sys::STREAM)?;
        let stream = TcpStream(proc::owned_file(fd));
        if at_most.is_some() {
            stream.set_timeout(at_most)?;
        }
        sys::connect(fd, address)?;
        Ok(stream)
    }

    /// Begins to connect without waiting for it: reads and writes fail with `EAGAIN` until it is connected, then once with
    /// what went wrong, if something did. It becomes writable when there is an outcome.
    ///
    /// # Errors
    /// `EMFILE`.
    pub fn connect_later(address: SocketAddrV4) -> io::Result<TcpStream> {
        let fd = sys::open(sys::STREAM)?;
        let stream = TcpStream(proc::owned_file(fd));
        stream.set_nonblocking()?;
        match sys::connect(fd, address) {
            Ok(()) | Err(proc::Errno::INPROGRESS) => Ok(stream),
            Err(error) => Err(error.into()),
        }
    }

    /// Lets every read and write that takes longer fail with `EAGAIN`; none lets them wait.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn set_timeout(&self, at_most: Option<Duration>) -> io::Result<()> {
        // Zero stands for none.
        let time = at_most.map_or(Duration::ZERO, |time| time.max(Duration::from_micros(1)));
        Ok(sys::set_timeout(self.fd(), time)?)
    }

    /// Lets every read and write that would wait fail with `EAGAIN` instead.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn set_nonblocking(&self) -> io::Result<()> {
        Ok(sys::set_nonblocking(self.fd())?)
    }

    /// Says that nothing more will be sent.
    ///
    /// # Errors
    /// `ENOTCONN`.
    pub fn shutdown_write(&self) -> io::Result<()> {
        Ok(sys::shutdown(self.fd(), 2)?)
    }

    /// The other end's address.
    ///
    /// # Errors
    /// `ENOTCONN`.
    pub fn peer_addr(&self) -> io::Result<SocketAddrV4> {
        Ok(sys::peer_address(self.fd())?)
    }

    /// The descriptor, for [`wait`].
    pub fn fd(&self) -> u32 {
        descriptor(&self.0)
    }
}

impl Read for TcpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for TcpStream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.write(buffer)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A UDP socket.
#[derive(Debug)]
pub struct UdpSocket(File);

impl UdpSocket {
    /// Binds an address.
    ///
    /// # Errors
    /// `EADDRINUSE`.
    pub fn bind(address: SocketAddrV4) -> io::Result<UdpSocket> {
        let fd = sys::open(sys::DATAGRAM)?;
        let file = proc::owned_file(fd);
        sys::bind(fd, address)?;
        Ok(UdpSocket(file))
    }

    /// Sends one datagram.
    ///
    /// # Errors
    /// `EHOSTUNREACH`.
    pub fn send_to(&self, bytes: &[u8], address: SocketAddrV4) -> io::Result<usize> {
        Ok(sys::send_to(descriptor(&self.0), bytes, address)?)
    }

    /// The descriptor, for [`wait`].
    pub fn fd(&self) -> u32 {
        descriptor(&self.0)
    }

    /// Receives one datagram and its sender.
    ///
    /// # Errors
    /// `EINTR` if a caught signal came first.
    pub fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddrV4)> {
        Ok(sys::recv_from(descriptor(&self.0), buffer)?)
    }
}

/// The addresses of a name, through the pod's hosts file and resolver. An address is its own.
///
/// # Errors
/// `ENOENT` for an unknown name, `EAGAIN` if no server answered.
pub fn resolve(name: &str) -> io::Result<Vec<Ipv4Addr>> {
    match name.parse() {
        Ok(address) => Ok(vec![address]),
        Err(_) => Ok(sys::resolve(name)?),
    }
}
