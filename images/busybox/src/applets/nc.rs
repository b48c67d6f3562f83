//! nc, in the manner of nc 1.10 (`networking/nc_bloaty.c`): over TCP and, with -u, over UDP.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use net::{TcpListener, TcpStream, UdpSocket, Wait, wait};

use crate::applet::{Fail, Io, Options, Outcome};

/// Bytes read at once: a datagram that comes is cut off there, and one that goes is never longer.
const PIECE_BYTES: usize = 8192;
/// How often nothing may come within the time of -w, once the input has ended, before the other end is taken for gone.
const SILENCES_MAX: u32 = 2;

fn fail(error: &io::Error, address: &str) -> Fail {
    Fail::Message(format!("{address}: {}", proc::Errno::from_io(error)))
}

/// The other end.
trait Peer {
    fn fd(&self) -> u32;
    /// What it says next; nothing at its end.
    fn hear(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>>;
    fn say(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Tells it that no more comes.
    fn end(&mut self) -> io::Result<()>;
}

impl Peer for TcpStream {
    fn fd(&self) -> u32 {
        TcpStream::fd(self)
    }
    fn hear(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        Ok(Some(self.read(buffer)?).filter(|count| *count > 0))
    }
    fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }
    fn end(&mut self) -> io::Result<()> {
        self.shutdown_write()
    }
}

/// One of those who send datagrams; the others are not heard.
struct Datagrams {
    socket: UdpSocket,
    peer: SocketAddrV4,
}

impl Peer for Datagrams {
    fn fd(&self) -> u32 {
        self.socket.fd()
    }
    fn hear(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match self.socket.recv_from(buffer) {
            Ok((count, from)) if from == self.peer => Ok(Some(count)),
            Ok(_) => Ok(Some(0)),
            // Nobody listens there: nothing will come from it any more.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(None),
            Err(error) => Err(error),
        }
    }
    fn say(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.send_to(bytes, self.peer).map(|_| ())
    }
    fn end(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Copies both ways until the other end is done.
fn talk(io: &mut Io<'_>, peer: &mut dyn Peer, patience: Option<Duration>) -> Result<(), Fail> {
    let mut buffer = [0u8; PIECE_BYTES];
    let mut input_open = true;
    let mut silences = 0;
    loop {
        let mut what = vec![Wait::Read(peer.fd())];
        if input_open {
            what.push(Wait::Read(0));
        }
        let ready = match wait(&what, patience) {
            Ok(ready) => ready,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        if ready.is_empty() && !input_open {
            silences += 1;
            if silences == SILENCES_MAX {
                return Ok(());
            }
        }
        if ready.contains(&0) {
            let Some(count) = peer.hear(&mut buffer)? else { return Ok(()) };
            io.out.write_all(&buffer[..count])?;
            io.out.flush()?;
        }
        if ready.contains(&1) {
            match proc::file(0).read(&mut buffer)? {
                0 => {
                    input_open = false;
                    peer.end()?;
                }
                count => peer.say(&buffer[..count])?,
            }
        }
    }
}

/// What the command line says.
struct Wanted {
    options: Options,
    patience: Option<Duration>,
}

impl Wanted {
    fn says_more(&self) -> bool {
        self.options.has('v')
    }

    /// Takes one who comes after the other, or one alone.
    fn listen(&self, io: &mut Io<'_>) -> Outcome {
        let text = self.options.value('p').or(self.options.operands.last().map(String::as_str)).unwrap_or("0");
        let address = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port(text)?);
        if self.options.has('u') {
            return self.listen_for_datagrams(io, address);
        }
        let listener = TcpListener::bind(address).map_err(|e| fail(&e, "bind"))?;
        self.say_listening(io, address)?;
        loop {
            let mut stream = listener.accept().map_err(|e| fail(&e, "accept"))?;
            let peer = stream.peer_addr().unwrap_or(address);
            self.say_connected(io, address, peer)?;
            talk(io, &mut stream, self.patience)?;
            if !self.options.has('k') {
                return Ok(0);
            }
        }
    }

    /// Whoever sends the first datagram is whom it talks with from then on.
    fn listen_for_datagrams(&self, io: &mut Io<'_>, address: SocketAddrV4) -> Outcome {
        loop {
            let socket = UdpSocket::bind(address).map_err(|e| fail(&e, "bind"))?;
            self.say_listening(io, address)?;
            if self.patience.is_some() && wait(&[Wait::Read(socket.fd())], self.patience)?.is_empty() {
                return Err(Fail::Message("timeout".to_owned()));
            }
            let mut buffer = [0u8; PIECE_BYTES];
            let (count, peer) = socket.recv_from(&mut buffer).map_err(|e| fail(&e, "recvfrom"))?;
            self.say_connected(io, address, peer)?;
            io.out.write_all(&buffer[..count])?;
            io.out.flush()?;
            talk(io, &mut Datagrams { socket, peer }, self.patience)?;
            if !self.options.has('k') {
                return Ok(0);
            }
        }
    }

    fn say_listening(&self, io: &mut Io<'_>, address: SocketAddrV4) -> Result<(), Fail> {
        if self.says_more() {
            writeln!(io.err, "listening on {address} ...")?;
        }
        Ok(())
    }

    fn say_connected(&self, io: &mut Io<'_>, address: SocketAddrV4, peer: SocketAddrV4) -> Result<(), Fail> {
        if self.says_more() {
            writeln!(io.err, "connect to {address} from {} ({peer})", peer.ip())?;
        }
        Ok(())
    }

    /// Goes to somebody.
    fn connect(&self, io: &mut Io<'_>) -> Outcome {
        let [host, text] = self.options.operands.as_slice() else {
            return Err(Fail::Message("usage: nc [-uvz] HOST PORT".to_owned()));
        };
        let port = port(text)?;
        let addresses = net::resolve(host).map_err(|_| Fail::Message(format!("bad address '{host}'")))?;
        let Some(ip) = addresses.first() else { return Err(Fail::Message(format!("bad address '{host}'"))) };
        let (address, name) = (SocketAddrV4::new(*ip, port), format!("{host} ({ip}:{port})"));
        let mut peer: Box<dyn Peer> = if self.options.has('u') {
            Box::new(self.towards(address, &name)?)
        } else {
            Box::new(self.stream(address, &name)?)
        };
        if self.says_more() {
            writeln!(io.err, "{name} open")?;
        }
        if !self.options.has('z') {
            talk(io, &mut *peer, self.patience)?;
        }
        Ok(0)
    }

    fn stream(&self, address: SocketAddrV4, name: &str) -> Result<TcpStream, Fail> {
        TcpStream::connect_within(address, self.patience).map_err(|error| {
            if proc::Errno::from_io(&error) == proc::Errno::AGAIN {
                Fail::Message("timed out".to_owned())
            } else {
                fail(&error, name)
            }
        })
    }

    /// A socket for datagrams to one address. With -z it tries whether somebody is there: who is not says so in time.
    fn towards(&self, address: SocketAddrV4, name: &str) -> Result<Datagrams, Fail> {
        let local = self.options.value('p').map_or(Ok(0), port)?;
        let socket = UdpSocket::bind(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, local)).map_err(|e| fail(&e, "bind"))?;
        if self.options.has('z') {
            socket.send_to(&[0], address).map_err(|e| fail(&e, name))?;
            let refusal = wait(&[Wait::Read(socket.fd())], Some(self.patience.unwrap_or(REFUSAL_TIME)))?;
            if !refusal.is_empty()
                && let Err(error) = socket.recv_from(&mut [0])
            {
                return Err(fail(&error, name));
            }
        }
        Ok(Datagrams { socket, peer: address })
    }
}

/// How long a machine that does not listen to datagrams may take to say so; nc 1.10 measures a round trip instead.
const REFUSAL_TIME: Duration = Duration::from_millis(100);

fn port(text: &str) -> Result<u16, Fail> {
    text.parse::<u16>().map_err(|_| Fail::Message(format!("bad port '{text}'")))
}

/// Connects or listens.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "lp:vzw:nukq:", &[])?;
    let patience = options.number('w')?.and_then(|s| u64::try_from(s).ok()).filter(|s| *s > 0).map(Duration::from_secs);
    let wanted = Wanted { options, patience };
    if wanted.options.has('l') { wanted.listen(io) } else { wanted.connect(io) }
}
