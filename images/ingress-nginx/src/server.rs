//! nginx's half: listens, reads requests, answers or passes them on, writes the access log.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant, SystemTime};

use net::http::{Parsed, Request, Response, log_date};
use net::{TcpListener, TcpStream, Wait};

use crate::exchange::{Exchange, Outcome, Patience, Try, own_bytes};
use crate::link::waits;
use crate::pages::{answer, page, plain_to_https};
use crate::site::{CATCH_ALL, DEFAULT_BACKEND, Location, Server, Site, normal};

/// Where plain HTTP comes.
pub const HTTP: u16 = 80;
/// Where TLS comes.
pub const HTTPS: u16 = 443;
/// Where the kubelet asks whether all is well.
pub const HEALTH: u16 = 10_254;
/// Connections at a time; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 256;
/// `keepalive_timeout`, in seconds; also for who reads nothing.
const IDLE_SECONDS: u64 = 75;
/// The first byte of a TLS handshake.
const TLS_HANDSHAKE: u8 = 0x16;
/// Where ingress-nginx's own default backend is said to be, in the log.
const DEFAULT_ADDRESS: &str = "127.0.0.1:8181";

/// The server with its connections.
pub struct Nginx {
    listeners: Vec<(u16, TcpListener)>,
    connections: Vec<Connection>,
    /// What it is configured with; none before the first configuration has come.
    pub site: Option<Site>,
    /// The next endpoint of each upstream.
    turns: BTreeMap<String, usize>,
    random: u64,
}

struct Connection {
    stream: TcpStream,
    peer: SocketAddrV4,
    port: u16,
    input: Vec<u8>,
    output: Vec<u8>,
    closing: bool,
    moved: Instant,
    current: Option<Current>,
}

/// A request that is being passed on.
struct Current {
    entry: Entry,
    exchange: Exchange,
}

/// What the access log needs of a request.
struct Entry {
    request: Request,
    request_bytes: usize,
    began: Instant,
    id: String,
    upstream: String,
    is_logged: bool,
}

/// What becomes of a request.
enum Plan {
    Answer(Response, Vec<Try>),
    Pass(Box<Exchange>),
}

impl Nginx {
    /// Listens.
    ///
    /// # Errors
    /// `EADDRINUSE`, with the port.
    pub fn bind() -> Result<Nginx, (u16, io::Error)> {
        let mut listeners = Vec::new();
        for port in [HTTP, HTTPS, HEALTH] {
            let bound = TcpListener::bind(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port));
            listeners.push((port, bound.map_err(|error| (port, error))?));
        }
        let random = RandomState::new().build_hasher().finish();
        Ok(Nginx { listeners, connections: Vec::new(), site: None, turns: BTreeMap::new(), random })
    }

    /// What to wait for.
    pub fn interests(&self) -> Vec<Wait> {
        let mut all: Vec<Wait> = Vec::new();
        if self.connections.len() < CONNECTIONS_MAX {
            all.extend(self.listeners.iter().map(|(_, l)| Wait::Read(l.fd())));
        }
        for connection in &self.connections {
            let fd = connection.stream.fd();
            all.push(if connection.output.is_empty() { Wait::Read(fd) } else { Wait::Write(fd) });
            all.extend(connection.current.as_ref().and_then(|c| c.exchange.interest(connection.output.len())));
        }
        all
    }

    /// How long at most.
    pub fn patience(&self, now: Instant) -> Option<Duration> {
        let dues = self.connections.iter().map(|c| c.current.as_ref().map_or(c.idle_until(), |c| c.exchange.due()));
        dues.min().map(|due| due.saturating_duration_since(now))
    }

    /// Takes the connections of the listeners among what is ready.
    pub fn accept(&mut self, ready: &[Wait], now: Instant) {
        for (port, listener) in &self.listeners {
            if !ready.contains(&Wait::Read(listener.fd())) {
                continue;
            }
            let Ok(stream) = listener.accept() else { continue };
            if stream.set_nonblocking().is_err() {
                continue; // It could hold up all the others.
            }
            let peer = stream.peer_addr().unwrap_or(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0));
            let (input, output) = (Vec::new(), Vec::new());
            self.connections.push(Connection {
                stream,
                peer,
                port: *port,
                input,
                output,
                closing: false,
                moved: now,
                current: None,
            });
        }
    }

    /// Goes on with every connection as far as it gets.
    pub fn turn(&mut self, now: Instant) {
        let connections = std::mem::take(&mut self.connections);
        for mut connection in connections {
            if self.advance(&mut connection, now) {
                self.connections.push(connection);
            }
        }
    }

    /// Whether the connection stays.
    fn advance(&mut self, connection: &mut Connection, now: Instant) -> bool {
        if connection.flush(now).is_err() || connection.receive(now).is_err() {
            if let Some(Current { entry, exchange }) = connection.current.take() {
                entry.log(connection.peer, 499, exchange.body_bytes, &exchange.tries, now);
            }
            return false;
        }
        loop {
            if let Some(current) = &mut connection.current {
                match current.exchange.step(&mut connection.output, now) {
                    Outcome::GoesOn => break,
                    Outcome::Done { closes } => connection.finish(closes, now),
                    Outcome::Failed(status) => connection.fail(status, now),
                    Outcome::Broken => {
                        connection.finish(true, now);
                    }
                }
            }
            if connection.flush(now).is_err() {
                return false;
            }
            if connection.closing || !connection.output.is_empty() || !self.next_request(connection, now) {
                break;
            }
        }
        if connection.flush(now).is_err() || (connection.current.is_none() && connection.idle_until() <= now) {
            return false;
        }
        !(connection.closing && connection.output.is_empty() && connection.current.is_none())
    }

    /// Begins with the next request, if one is there.
    fn next_request(&mut self, connection: &mut Connection, now: Instant) -> bool {
        if connection.port == HTTPS && !connection.input.is_empty() {
            if connection.input[0] == TLS_HANDSHAKE {
                crate::error_line(
                    "kubonsai does not support TLS termination (ingress-nginx) yet: speak HTTP to port 80",
                );
            } else {
                connection.output = own_bytes(plain_to_https(), false, true);
            }
            connection.input.clear();
            connection.closing = true;
            return true;
        }
        match Request::parse(&connection.input) {
            Parsed::More => false,
            Parsed::Bad(status) => {
                connection.output = own_bytes(page(if status == 431 { 400 } else { status }), false, true);
                connection.closing = true;
                true
            }
            Parsed::Request(request, used) => {
                connection.input.drain(..used);
                connection.closing = !request.keep_alive();
                if connection.port == HEALTH {
                    connection.output = own_bytes(self.health(&request), request.method == "HEAD", connection.closing);
                    return true;
                }
                self.serve(connection, request, used, now);
                true
            }
        }
    }

    /// What the kubelet hears: well, once there is a configuration.
    fn health(&self, request: &Request) -> Response {
        match (request.path(), &self.site) {
            ("/healthz", Some(_)) => answer(200, "text/plain; charset=utf-8", "ok"),
            ("/healthz", None) => answer(
                500,
                "text/plain; charset=utf-8",
                "nginx-ingress-controller check failed: the configuration has not come yet\n",
            ),
            _ => answer(404, "text/plain; charset=utf-8", "404 page not found\n"),
        }
    }

    fn serve(&mut self, connection: &mut Connection, request: Request, request_bytes: usize, now: Instant) {
        let (site, is_head) = (self.site.take().unwrap_or_default(), request.method == "HEAD");
        let id = request.header("x-request-id").map_or_else(|| self.new_id(), str::to_owned);
        let mut entry = Entry { request, request_bytes, began: now, id, upstream: "-".to_owned(), is_logged: true };
        let plan = self.plan(&site, &mut entry, connection.peer, now);
        self.site = Some(site);
        match plan {
            Plan::Pass(exchange) => connection.current = Some(Current { entry, exchange: *exchange }),
            Plan::Answer(response, tries) => {
                let bytes = if is_head { 0 } else { response.body_bytes() as u64 };
                entry.log(connection.peer, response.status, bytes, &tries, now);
                connection.output = own_bytes(response, is_head, connection.closing);
            }
        }
    }

    fn plan(&mut self, site: &Site, entry: &mut Entry, peer: SocketAddrV4, now: Instant) -> Plan {
        let own = |status: u16| Plan::Answer(page(status), Vec::new());
        let request = &entry.request;
        let Some(path) = normal(request.path()).filter(|_| request.target.starts_with('/')) else { return own(400) };
        let Some((server, location)) = site.find(request.header("host").unwrap_or(""), &path) else { return own(503) };
        if server.host == CATCH_ALL && path.starts_with("/healthz") {
            entry.is_logged = false;
            return Plan::Answer(answer(200, "text/html", ""), Vec::new());
        }
        entry.upstream.clone_from(&location.upstream);
        entry.is_logged = location.option("log") != "off";
        if let Some(response) = turned_away(server, location, request, &path) {
            return Plan::Answer(response, Vec::new());
        }
        if location.upstream == DEFAULT_BACKEND {
            let response = page(404);
            let (address, bytes) = (DEFAULT_ADDRESS.to_owned(), response.body_bytes() as u64);
            let tries = vec![Try { address, bytes, took: Duration::ZERO, status: 404 }];
            return Plan::Answer(response, tries);
        }
        let peers = self.peers(site, &location.upstream);
        if peers.is_empty() {
            return own(503);
        }
        let target = location.rewritten(&path, &request.target).unwrap_or_else(|| request.target.clone());
        let message = message(request, &target, location, peer, &entry.id);
        let seconds = |name: &str| location.option(name).parse().ok();
        let patience = Patience { connect: seconds("connect-timeout"), read: seconds("read-timeout") };
        Plan::Pass(Box::new(Exchange::new(request, message, peers, patience, now)))
    }

    /// The endpoints of an upstream, the one whose turn it is first.
    fn peers(&mut self, site: &Site, upstream: &str) -> Vec<(String, SocketAddrV4)> {
        let endpoints = site.endpoints(upstream);
        if endpoints.is_empty() {
            return Vec::new();
        }
        let first = usize::try_from(self.random % endpoints.len() as u64).unwrap_or(0);
        let turn = self.turns.entry(upstream.to_owned()).or_insert(first);
        let start = *turn % endpoints.len();
        *turn = start + 1;
        let in_turn = endpoints.iter().cycle().skip(start).take(endpoints.len());
        in_turn.filter_map(|name| Some((name.clone(), address(name)?))).collect()
    }

    /// `$request_id`: 16 random bytes.
    fn new_id(&mut self) -> String {
        // One step of SplitMix64 for each half.
        let mut half = || {
            self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.random;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        format!("{:016x}{:016x}", half(), half())
    }
}

/// An endpoint's address; of an ExternalName, that of the name.
fn address(endpoint: &str) -> Option<SocketAddrV4> {
    let (host, port) = endpoint.rsplit_once(':')?;
    let ip = net::resolve(host).ok()?.first().copied()?;
    Some(SocketAddrV4::new(ip, port.parse().ok()?))
}

/// What a location says before any backend is asked.
fn turned_away(server: &Server, location: &Location, request: &Request, path: &str) -> Option<Response> {
    let refused = location.option("refused");
    if !refused.is_empty() {
        crate::error_line(refused);
        return Some(page(503));
    }
    let redirects =
        location.is_on("force-ssl-redirect") || (server.has_certificate && location.option("ssl-redirect") != "false");
    if redirects {
        let host = request.header("host").unwrap_or("").split(':').next().unwrap_or("").to_owned();
        let keeps = location.is_on("preserve-trailing-slash");
        let target = request.target.strip_suffix('/').filter(|_| !keeps).unwrap_or(&request.target);
        return Some(redirect(308, &format!("https://{host}{target}")));
    }
    if let Some((status, to)) = location.option("redirect").split_once(' ') {
        return Some(redirect(status.parse().unwrap_or(302), to));
    }
    let root = location.option("app-root");
    if path == "/" && !root.is_empty() {
        let host = request.header("host").unwrap_or("");
        return Some(redirect(302, &format!("http://{host}{root}")));
    }
    if request.header("upgrade").is_some() {
        crate::error_line("kubonsai does not support upgraded connections such as WebSockets (ingress-nginx) yet");
        return Some(page(501));
    }
    None
}

fn redirect(status: u16, to: &str) -> Response {
    page(status).header("Location", to)
}

/// What a backend is sent, with the headers that nginx.tmpl sets before those of the client.
fn message(request: &Request, target: &str, location: &Location, peer: SocketAddrV4, id: &str) -> Vec<u8> {
    let host = request.header("host").unwrap_or("");
    let own_host = location.option("upstream-vhost");
    let forwarded = request.header("x-forwarded-for").unwrap_or("");
    let length = if request.body.is_empty() { String::new() } else { request.body.len().to_string() };
    let ip = peer.ip().to_string();
    let set = [
        ("Host", if own_host.is_empty() { host } else { own_host }),
        ("X-Request-ID", id),
        ("X-Real-IP", &ip),
        ("X-Forwarded-For", &ip),
        ("X-Forwarded-Host", host),
        ("X-Forwarded-Port", "80"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Scheme", "http"),
        ("X-Scheme", "http"),
        ("X-Original-Forwarded-For", forwarded),
        ("X-Forwarded-Prefix", location.option("x-forwarded-prefix")),
        ("Content-Length", &length),
    ];
    // Headers with an empty value are not sent; these are of the connection, or were set above.
    let not_passed = ["connection", "keep-alive", "transfer-encoding", "upgrade", "expect", "te", "proxy"];
    let is_set = |name: &str| {
        set.iter().any(|(n, _)| n.eq_ignore_ascii_case(name))
            || not_passed.contains(&name.to_ascii_lowercase().as_str())
    };
    let mut text = format!("{} {target} HTTP/1.1\r\n", request.method);
    for (name, value) in set.iter().filter(|(_, value)| !value.is_empty()) {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    for (name, value) in request.headers.iter().filter(|(name, _)| !is_set(name)) {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    [text.as_bytes(), &request.body].concat()
}

impl Connection {
    fn idle_until(&self) -> Instant {
        self.moved + Duration::from_secs(IDLE_SECONDS)
    }

    fn flush(&mut self, now: Instant) -> io::Result<()> {
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
    fn receive(&mut self, now: Instant) -> io::Result<()> {
        let mut buffer = [0u8; 4096];
        while self.input.len() <= net::http::INPUT_BYTES_MAX {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    self.input.extend_from_slice(&buffer[..count]);
                    self.moved = now;
                }
                Err(error) if waits(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::OutOfMemory.into())
    }

    /// The answer is complete, or broken off.
    fn finish(&mut self, closes: bool, now: Instant) {
        self.closing |= closes;
        self.moved = now;
        if let Some(Current { entry, exchange }) = self.current.take() {
            entry.log(self.peer, exchange.status, exchange.body_bytes, &exchange.tries, now);
        }
    }

    /// No backend answered.
    fn fail(&mut self, status: u16, now: Instant) {
        if let Some(Current { entry, exchange }) = self.current.take() {
            let (response, is_head) = (page(status), entry.request.method == "HEAD");
            let bytes = if is_head { 0 } else { response.body_bytes() as u64 };
            entry.log(self.peer, status, bytes, &exchange.tries, now);
            self.output.extend_from_slice(&own_bytes(response, is_head, self.closing));
        }
    }
}

impl Entry {
    /// Writes the line of `log-format-upstream`.
    fn log(&self, peer: SocketAddrV4, status: u16, bytes: u64, tries: &[Try], now: Instant) {
        if self.is_logged {
            println!("{}", self.line(SystemTime::now(), peer, status, bytes, tries, now));
        }
    }

    fn line(
        &self,
        date: SystemTime,
        peer: SocketAddrV4,
        status: u16,
        bytes: u64,
        tries: &[Try],
        now: Instant,
    ) -> String {
        let request = &self.request;
        let header = |name: &str| request.header(name).unwrap_or("-").to_owned();
        let seconds = |d: Duration| format!("{}.{:03}", d.as_secs(), d.subsec_millis());
        let all = |field: fn(&Try) -> String| match tries {
            [] => "-".to_owned(),
            tries => tries.iter().map(field).collect::<Vec<_>>().join(", "),
        };
        format!(
            "{} - - [{}] \"{} {} {}\" {status} {bytes} \"{}\" \"{}\" {} {} [{}] [] {} {} {} {} {}",
            peer.ip(),
            log_date(date),
            request.method,
            request.target,
            request.version,
            header("referer"),
            header("user-agent"),
            self.request_bytes,
            seconds(now.saturating_duration_since(self.began)),
            self.upstream,
            all(|t| t.address.clone()),
            all(|t| t.bytes.to_string()),
            all(|t| format!("{}.{:03}", t.took.as_secs(), t.took.subsec_millis())),
            all(|t| t.status.to_string()),
            self.id,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer() -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::new(192, 168, 49, 1), 40_000)
    }

    fn site(options: &str) -> Site {
        let mut site = Site::default();
        for line in ["server a.example tls prefix".to_owned(), format!("location prefix / default-web-80 {options}")] {
            let words: Vec<String> = line.trim().split(' ').map(|word| word.replace('~', " ")).collect();
            assert!(site.read(&words));
        }
        site
    }

    fn get(target: &str) -> Request {
        let headers =
            vec![("Host".to_owned(), "a.example:80".to_owned()), ("User-Agent".to_owned(), "curl/8".to_owned())];
        Request { method: "GET".into(), target: target.into(), version: "HTTP/1.1".into(), headers, body: Vec::new() }
    }

    #[track_caller]
    fn turned(options: &str, target: &str, expected: Option<(u16, &str)>) {
        let site = site(options);
        let path = normal(target).expect("a path");
        let (server, location) = site.find("a.example", &path).expect("a location");
        let response = turned_away(server, location, &get(target), &path);
        let found = response.map(|r| {
            (r.status, r.headers.iter().find(|(n, _)| n == "Location").map_or(String::new(), |(_, v)| v.clone()))
        });
        assert_eq!(found, expected.map(|(status, to)| (status, to.to_owned())), "{options}");
    }

    #[test]
    fn locations_turn_requests_away() {
        turned("", "/x/", Some((308, "https://a.example/x")));
        turned("preserve-trailing-slash=true", "/x/", Some((308, "https://a.example/x/")));
        turned("ssl-redirect=false", "/x", None);
        turned("ssl-redirect=false force-ssl-redirect=true", "/", Some((308, "https://a.example")));
        turned("ssl-redirect=false redirect=301~http://b/c", "/x", Some((301, "http://b/c")));
        turned("ssl-redirect=false app-root=/app", "/", Some((302, "http://a.example:80/app")));
        turned("ssl-redirect=false app-root=/app", "/x", None);
        turned("refused=why", "/", Some((503, "")));
    }

    #[test]
    fn backends_hear_who_asked() {
        let site = site("");
        let location = site.find("a.example", "/").expect("a location").1;
        let mut request = get("/x");
        request.headers.push(("X-Forwarded-For".into(), "1.2.3.4".into()));
        request.headers.push(("Connection".into(), "close".into()));
        let text = String::from_utf8(message(&request, "/y", location, peer(), "id")).expect("text");
        assert_eq!(
            text,
            "GET /y HTTP/1.1\r\nHost: a.example:80\r\nX-Request-ID: id\r\nX-Real-IP: 192.168.49.1\r\n\
             X-Forwarded-For: 192.168.49.1\r\nX-Forwarded-Host: a.example:80\r\nX-Forwarded-Port: 80\r\n\
             X-Forwarded-Proto: http\r\nX-Forwarded-Scheme: http\r\nX-Scheme: http\r\n\
             X-Original-Forwarded-For: 1.2.3.4\r\nUser-Agent: curl/8\r\n\r\n"
        );
    }

    #[test]
    fn the_log_has_the_form_of_ingress_nginx() {
        let now = Instant::now();
        let entry = Entry {
            request: get("/"),
            request_bytes: 81,
            began: now,
            id: "abc".into(),
            upstream: "default-web-8080".into(),
            is_logged: true,
        };
        let line = |status, bytes, tries: &[Try]| {
            entry.line(SystemTime::UNIX_EPOCH, peer(), status, bytes, tries, now + Duration::from_millis(2))
        };
        assert_eq!(
            line(503, 190, &[]),
            "192.168.49.1 - - [01/Jan/1970:00:00:00 +0000] \"GET / HTTP/1.1\" 503 190 \"-\" \"curl/8\" 81 0.002 [default-web-8080] [] - - - - abc"
        );
        let attempt = |address: &str, bytes, status| Try {
            address: address.into(),
            bytes,
            took: Duration::from_millis(1),
            status,
        };
        let tries = [attempt("10.244.0.5:8080", 0, 502), attempt("10.244.0.6:8080", 60, 200)];
        assert!(line(200, 60, &tries).ends_with(" 10.244.0.5:8080, 10.244.0.6:8080 0, 60 0.001, 0.001 502, 200 abc"));
    }
}
