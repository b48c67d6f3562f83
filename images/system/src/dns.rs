//! `coredns`: takes questions on port 53 (UDP and TCP), asks the names of the simulated machine, and passes the answers
//! on, as CoreDNS does with its plugin `forward`. `/health` on 8080, `/ready` on 8181, `/metrics` on 9153.
//!
//! Of the Corefile it knows the plugin `log`; the names of the cluster come from the machine.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4};

use net::http::{Parsed, Request, Response};
use net::{TcpListener, TcpStream, UdpSocket, Wait};

use crate::question;

/// Where the machine answers for the cluster's names; the same address is in crates/cluster.
const NAMES: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(169, 254, 20, 10), 53);
/// Questions that wait for an answer; the oldest is given up for a new one.
const WAITING_QUESTIONS_MAX: usize = 256;
/// TCP connections at a time; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 64;
/// Bytes of one message.
const MESSAGE_BYTES_MAX: usize = 65_535;
/// Bytes of an HTTP request.
const REQUEST_BYTES_MAX: usize = 8 * 1024;
const VERSION: &str = "1.14.2";

const DNS: u16 = 53;
const HEALTH: u16 = 8080;
const READY: u16 = 8181;
const METRICS: u16 = 9153;
const PORTS: [u16; 4] = [DNS, HEALTH, READY, METRICS];

/// Who asked.
#[derive(Clone, Copy)]
enum Client {
    Udp(SocketAddrV4),
    /// By the connection's number.
    Tcp(u64, SocketAddrV4),
}

struct Waiting {
    number: u16,
    /// The number that the client gave its question.
    id: [u8; 2],
    client: Client,
}

struct Connection {
    number: u64,
    port: u16,
    stream: TcpStream,
    peer: SocketAddrV4,
    bytes: Vec<u8>,
}

struct Server {
    clients: UdpSocket,
    names: UdpSocket,
    waiting: Vec<Waiting>,
    connections: Vec<Connection>,
    next: u64,
    logs: bool,
    /// Requests by protocol, answers by code.
    counts: BTreeMap<(&'static str, &'static str), u64>,
}

fn any(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port)
}

/// Serves until a signal comes.
pub fn run(args: &[String]) -> i32 {
    if args.iter().any(|a| a == "-version") {
        println!("CoreDNS-{VERSION} (a stand-in made for Kubonsai)");
        return 0;
    }
    let path = args.iter().position(|a| a == "-conf").and_then(|at| args.get(at + 1));
    let corefile = match path.map(std::fs::read_to_string) {
        None => String::new(),
        Some(Ok(text)) => text,
        Some(Err(error)) => {
            eprintln!("loading Caddyfile via flag: {}", proc::Errno::from_io(&error));
            return 1;
        }
    };
    let logs = corefile.lines().any(|line| line.trim() == "log");
    match serve(logs) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("Listen: listen: {}", proc::Errno::from_io(&error));
            1
        }
    }
}

fn serve(logs: bool) -> std::io::Result<()> {
    let listeners = PORTS.map(|port| TcpListener::bind(any(port)));
    let mut open = Vec::new();
    for listener in listeners {
        open.push(listener?);
    }
    let (clients, names) = (UdpSocket::bind(any(DNS))?, UdpSocket::bind(any(0))?);
    println!(".:53\nCoreDNS-{VERSION}, a stand-in made for Kubonsai: it asks the simulated machine at {NAMES}");
    let (waiting, connections, counts) = (Vec::new(), Vec::new(), BTreeMap::new());
    let mut server = Server { clients, names, waiting, connections, next: 0, logs, counts };
    while proc::take_signal().is_none() {
        server.turn(&open)?;
    }
    println!("[INFO] SIGTERM: Shutting down servers then terminating");
    Ok(())
}

impl Server {
    /// Waits for something to happen and deals with it.
    fn turn(&mut self, listeners: &[TcpListener]) -> std::io::Result<()> {
        let mut what = vec![Wait::Read(self.clients.fd()), Wait::Read(self.names.fd())];
        what.extend(self.connections.iter().map(|c| Wait::Read(c.stream.fd())));
        let first_listener = what.len();
        if self.connections.len() < CONNECTIONS_MAX {
            what.extend(listeners.iter().map(|l| Wait::Read(l.fd())));
        }
        let ready = match net::wait(&what, None) {
            Ok(ready) => ready,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut gone = Vec::new();
        for index in ready {
            match index {
                0 => self.hear_client(),
                1 => self.hear_names(),
                _ if index < first_listener => {
                    if self.hear_connection(index - 2).is_none() {
                        gone.push(self.connections[index - 2].number);
                    }
                }
                _ => self.accept(&listeners[index - first_listener], PORTS[index - first_listener]),
            }
        }
        self.connections.retain(|c| !gone.contains(&c.number));
        Ok(())
    }

    fn accept(&mut self, listener: &TcpListener, port: u16) {
        if let Ok(stream) = listener.accept() {
            let peer = stream.peer_addr().unwrap_or(any(0));
            self.connections.push(Connection { number: self.next, port, stream, peer, bytes: Vec::new() });
            self.next += 1;
        }
    }

    fn hear_client(&mut self) {
        let mut buffer = [0; 4096];
        // An error is one that a former answer met; there is nobody to tell.
        if let Ok((count, from)) = self.clients.recv_from(&mut buffer) {
            self.ask(&buffer[..count], Client::Udp(from));
        }
    }

    /// Sends a question on under a number of ours.
    fn ask(&mut self, message: &[u8], client: Client) {
        if message.len() < question::HEADER_BYTES {
            return;
        }
        let protocol = if matches!(client, Client::Udp(_)) { "udp" } else { "tcp" };
        *self.counts.entry(("requests", protocol)).or_default() += 1;
        if self.waiting.len() >= WAITING_QUESTIONS_MAX {
            self.waiting.remove(0);
        }
        let number = u16::try_from(self.next % 65_536).unwrap_or(0);
        self.next += 1;
        self.waiting.push(Waiting { number, id: [message[0], message[1]], client });
        let mut message = message.to_vec();
        message[..2].copy_from_slice(&number.to_be_bytes());
        let _ = self.names.send_to(&message, NAMES);
    }

    fn hear_names(&mut self) {
        let mut buffer = [0; 4096];
        let Ok((count, _)) = self.names.recv_from(&mut buffer) else {
            // Nobody is there: clients learn it at once instead of waiting for nothing.
            for waiting in std::mem::take(&mut self.waiting) {
                let mut failure = [0; question::HEADER_BYTES];
                failure[..4].copy_from_slice(&[waiting.id[0], waiting.id[1], 0x80, 0x02]);
                self.reply(&failure, waiting.client);
            }
            return;
        };
        let answer = &mut buffer[..count];
        let Some(number) = answer.first_chunk::<2>().map(|id| u16::from_be_bytes(*id)) else { return };
        let Some(at) = self.waiting.iter().position(|w| w.number == number) else { return };
        let Waiting { id, client, .. } = self.waiting.remove(at);
        answer[..2].copy_from_slice(&id);
        if self.logs {
            log(answer, client);
        }
        let answer = answer.to_vec();
        self.reply(&answer, client);
    }

    fn reply(&mut self, answer: &[u8], client: Client) {
        *self.counts.entry(("responses", question::code_name(answer))).or_default() += 1;
        match client {
            Client::Udp(to) => {
                let _ = self.clients.send_to(answer, to);
            }
            Client::Tcp(number, _) => {
                let Some(connection) = self.connections.iter_mut().find(|c| c.number == number) else { return };
                let length = u16::try_from(answer.len()).unwrap_or(0).to_be_bytes();
                let _ = connection.stream.write_all(&[&length, answer].concat());
            }
        }
    }

    /// Reads what has come; none when the connection is done.
    fn hear_connection(&mut self, index: usize) -> Option<()> {
        let connection = &mut self.connections[index];
        let mut buffer = [0; 4096];
        let count = connection.stream.read(&mut buffer).ok().filter(|count| *count > 0)?;
        connection.bytes.extend_from_slice(&buffer[..count]);
        if connection.port != DNS {
            return self.http(index);
        }
        let client = Client::Tcp(connection.number, connection.peer);
        while let Some(message) = take_message(&mut self.connections[index].bytes) {
            self.ask(&message, client);
        }
        (self.connections[index].bytes.len() <= MESSAGE_BYTES_MAX).then_some(())
    }

    fn http(&mut self, index: usize) -> Option<()> {
        let metrics = self.metrics();
        let connection = &mut self.connections[index];
        let request = match Request::parse(&connection.bytes) {
            Parsed::More if connection.bytes.len() < REQUEST_BYTES_MAX => return Some(()),
            Parsed::More | Parsed::Bad(_) => return None,
            Parsed::Request(request, used) => {
                connection.bytes.drain(..used);
                request
            }
        };
        let body = match (connection.port, request.path()) {
            (HEALTH, "/health") | (READY, "/ready") => Some("OK".to_owned()),
            (METRICS, "/metrics") => Some(metrics),
            _ => None,
        };
        let status = if body.is_some() { 200 } else { 404 };
        let body = body.unwrap_or_else(|| "404 page not found\n".to_owned());
        let response = Response::new(status, "text/plain; charset=utf-8", body).header("Connection", "close");
        connection.stream.write_all(&response.to_bytes(request.method == "HEAD")).ok()?;
        None
    }

    fn metrics(&self) -> String {
        let mut text = format!("# TYPE coredns_build_info gauge\ncoredns_build_info{{version=\"{VERSION}\"}} 1\n");
        let mut last = "";
        for ((what, label), count) in &self.counts {
            if last != *what {
                text.push_str(&format!("# TYPE coredns_dns_{what}_total counter\n"));
                last = what;
            }
            let name = if *what == "requests" { "proto" } else { "rcode" };
            text.push_str(&format!("coredns_dns_{what}_total{{{name}=\"{label}\",zone=\".\"}} {count}\n"));
        }
        text
    }
}

/// Takes a whole message off the front of what a connection has sent.
fn take_message(bytes: &mut Vec<u8>) -> Option<Vec<u8>> {
    let length = usize::from(u16::from_be_bytes(*bytes.first_chunk::<2>()?));
    let message = bytes.get(2..2 + length)?.to_vec();
    bytes.drain(..2 + length);
    Some(message)
}

/// The line of the plugin `log`.
fn log(answer: &[u8], client: Client) {
    let (protocol, from) = match client {
        Client::Udp(from) => ("udp", from),
        Client::Tcp(_, from) => ("tcp", from),
    };
    let Some((name, kind)) = question::read(answer) else { return };
    let (id, kind, code) =
        (u16::from_be_bytes([answer[0], answer[1]]), question::type_name(kind), question::code_name(answer));
    println!("[INFO] {from} - {id} \"{kind} IN {name} {protocol}\" {code} {}", answer.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_on_a_connection_have_lengths() {
        let mut bytes = vec![0, 2, 7, 8, 0, 1, 9, 0];
        assert_eq!(take_message(&mut bytes), Some(vec![7, 8]));
        assert_eq!(take_message(&mut bytes), Some(vec![9]));
        assert_eq!((take_message(&mut bytes), bytes), (None, vec![0]));
    }
}
