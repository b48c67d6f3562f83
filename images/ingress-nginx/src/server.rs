//! nginx's half: listens, reads requests, answers or passes them on, writes the access log.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use net::http::{Parsed, Request, Response};
use net::{TcpListener, Wait};

use crate::access::Entry;
use crate::connection::{Connection, Current};
use crate::exchange::{Exchange, Outcome, Patience, Try, own_bytes};
use crate::forward::message;
use crate::pages::{answer, page, plain_to_https};
use crate::pattern::TooMuch;
use crate::site::{DEFAULT_BACKEND, Location, Server, Site, normal};

/// Where plain HTTP comes.
pub const HTTP: u16 = 80;
/// Where TLS comes.
pub const HTTPS: u16 = 443;
/// Where the kubelet asks whether all is well.
pub const HEALTH: u16 = 10_254;
/// Clients at a time; each may need a second descriptor for its backend, and a program has 256 of them.
const CLIENTS_MAX: usize = 120;
/// Those who ask whether all is well have places of their own.
const HEALTH_MAX: usize = 8;
/// Bytes of requests and answers that all connections hold: beyond that the one with the most is closed.
const HELD_BYTES_MAX: usize = 32 * 1024 * 1024;
/// What the log says of a client that has gone before its answer came.
const CLIENT_CLOSED_REQUEST: u16 = 499;
/// The first byte of a TLS handshake.
const TLS_HANDSHAKE: u8 = 0x16;
/// Where ingress-nginx's own default backend is said to be, in the log.
const DEFAULT_ADDRESS: &str = "127.0.0.1:8181";

/// The server with its connections.
pub struct Nginx {
    listeners: Vec<(u16, TcpListener)>,
    connections: Vec<Connection>,
    /// What it is configured with; none before the first configuration has come.
    site: Option<Site>,
    /// The next endpoint of each upstream.
    turns: BTreeMap<String, usize>,
    random: u64,
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

    /// Follows another configuration.
    pub fn configure(&mut self, site: Site) {
        self.turns.retain(|upstream, _| site.has_upstream(upstream));
        self.site = Some(site);
    }

    /// What to wait for.
    pub fn interests(&self) -> Vec<Wait> {
        let mut all: Vec<Wait> = Vec::new();
        let open = self.listeners.iter().filter(|(port, _)| places(&self.connections, *port).is_some());
        all.extend(open.map(|(_, l)| Wait::Read(l.fd())));
        for connection in &self.connections {
            let fd = connection.stream.fd();
            if !connection.output.is_empty() {
                all.push(Wait::Write(fd));
            } else if connection.wants_more() {
                all.push(Wait::Read(fd));
            }
            let current = connection.current.as_ref();
            all.extend(current.into_iter().flat_map(|c| c.exchange.interests(connection.output.len())));
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
            match places(&self.connections, *port) {
                None => continue,
                Some(Place::Of(idle)) => drop(self.connections.remove(idle)),
                Some(Place::Free) => {}
            }
            let Ok(stream) = listener.accept() else { continue };
            if stream.set_nonblocking().is_err() {
                continue; // It could hold up all the others.
            }
            let peer = stream.peer_addr().unwrap_or(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0));
            self.connections.push(Connection::new(stream, peer, *port, now));
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
        let held: Vec<usize> = self.connections.iter().map(Connection::held_bytes).collect();
        if let Some(index) = crowding(&held) {
            crate::error_line(&format!(
                "{HELD_BYTES_MAX} bytes of requests are held: the connection with most of them is closed"
            ));
            self.connections.remove(index);
        }
    }

    /// Whether the connection stays.
    fn advance(&mut self, connection: &mut Connection, now: Instant) -> bool {
        if connection.flush(now).is_err() || connection.receive(now).is_err() {
            if let Some(Current { entry, mut exchange }) = connection.current.take() {
                let mut status = CLIENT_CLOSED_REQUEST;
                if exchange.is_tunnel() {
                    // Either end may close it.
                    exchange.feed(&mut connection.input);
                    exchange.end(now);
                    status = exchange.status;
                }
                entry.log(connection.peer, status, exchange.body_bytes, &exchange.tries, now);
            }
            return false;
        }
        loop {
            if let Some(current) = &mut connection.current {
                current.exchange.feed(&mut connection.input);
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
        if connection.flush(now).is_err() {
            return false;
        }
        if connection.current.is_none() && connection.idle_until() <= now {
            if !connection.input.is_empty() && connection.port != HEALTH {
                let entry = Entry::of_bytes(&connection.input, self.new_id(), now);
                entry.log(connection.peer, 408, 0, &[], now);
            }
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
        let (bad, used) = match Request::parse(&connection.input) {
            Parsed::More => return false,
            Parsed::Bad(status) => (if status == 431 { 400 } else { status }, 0),
            Parsed::Request(request, used) if is_acceptable(&request) => {
                connection.input.drain(..used);
                connection.closing = !request.keep_alive();
                connection.has_served = true;
                connection.since = (!connection.input.is_empty()).then_some(now);
                if connection.port == HEALTH {
                    connection.output = own_bytes(self.health(&request), request.method == "HEAD", connection.closing);
                } else {
                    self.serve(connection, &request, used, now);
                }
                return true;
            }
            Parsed::Request(_, used) => (400, used),
        };
        if connection.port != HEALTH {
            let response = page(bad);
            let input = if used == 0 { &connection.input[..] } else { &connection.input[..used] };
            let entry = Entry::of_bytes(input, self.new_id(), now);
            entry.log(connection.peer, bad, response.body_bytes() as u64, &[], now);
        }
        if bad == 413 {
            crate::error_line("client intended to send too large body: 1m is the most (ingress-nginx of kubonsai)");
        }
        connection.output = own_bytes(page(bad), false, true);
        connection.input.clear();
        connection.closing = true;
        true
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

    fn serve(&mut self, connection: &mut Connection, request: &Request, request_bytes: usize, now: Instant) {
        let (site, is_head) = (self.site.take(), request.method == "HEAD");
        let id = request.header("x-request-id").map_or_else(|| self.new_id(), str::to_owned);
        let mut entry = Entry::new(request, request_bytes, id, now);
        let plan = match &site {
            Some(site) => self.plan(site, request, &mut entry, connection, now),
            None => Ok(Plan::Answer(page(503), Vec::new())),
        };
        self.site = site;
        let plan = plan.unwrap_or_else(|TooMuch| {
            crate::error_line(&format!(
                "regular expression failed: match limit exceeded on \"{}\"",
                request.path().escape_debug()
            ));
            Plan::Answer(page(500), Vec::new())
        });
        match plan {
            Plan::Pass(exchange) => connection.current = Some(Current { entry, exchange: *exchange }),
            Plan::Answer(response, tries) => {
                let bytes = if is_head { 0 } else { response.body_bytes() as u64 };
                entry.log(connection.peer, response.status, bytes, &tries, now);
                connection.output = own_bytes(response, is_head, connection.closing);
            }
        }
    }

    fn plan(
        &mut self,
        site: &Site,
        request: &Request,
        entry: &mut Entry,
        connection: &Connection,
        now: Instant,
    ) -> Result<Plan, TooMuch> {
        let own = |response: Response| Ok(Plan::Answer(response, Vec::new()));
        let (host, target) = asked(request);
        let raw = target.split('?').next().unwrap_or("");
        let Some(path) = normal(raw).filter(|_| target.starts_with('/')) else { return own(page(400)) };
        let Some(server) = site.server(host) else { return own(page(503)) };
        if path == "/" && !server.app_root().is_empty() {
            return own(redirect(
                302,
                &format!("http://{}{}", request.header("host").unwrap_or(""), server.app_root()),
            ));
        }
        if server.is_health(&path) {
            entry.is_logged = false;
            return own(answer(200, "text/html", ""));
        }
        if server.lacks_slash(&path) {
            let query = target.split_once('?').map_or(String::new(), |(_, query)| format!("?{query}"));
            return own(redirect(301, &format!("http://{}{raw}/{query}", plain(host))));
        }
        let Some(location) = server.location(&path)? else { return own(page(503)) };
        entry.upstream.clone_from(&location.upstream);
        entry.is_logged = location.option("log") != "off";
        if let Some(response) = turned_away(server, location, request) {
            return own(response);
        }
        if location.upstream == DEFAULT_BACKEND {
            let response = page(404);
            let (address, bytes) = (DEFAULT_ADDRESS.to_owned(), response.body_bytes() as u64);
            let tries = vec![Try { address, bytes, took: Duration::ZERO, status: 404 }];
            return Ok(Plan::Answer(response, tries));
        }
        let peers = self.peers(site, &location.upstream);
        if peers.is_empty() {
            return own(page(503));
        }
        let target = location.rewritten(&path, target)?.unwrap_or_else(|| target.to_owned());
        let message = message(request, &target, location, connection.peer, &entry.id);
        let seconds = |name: &str| location.option(name).parse().ok();
        let patience = Patience { connect: seconds("connect-timeout"), read: seconds("read-timeout") };
        Ok(Plan::Pass(Box::new(Exchange::new(request, message, peers, patience, connection.closing, now))))
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

/// Where a further connection finds room.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Free,
    /// That of a connection where nothing is going on.
    Of(usize),
}

fn places(connections: &[Connection], port: u16) -> Option<Place> {
    let of_kind = |c: &Connection| (c.port == HEALTH) == (port == HEALTH);
    let all = connections.iter().enumerate().filter(|(_, c)| of_kind(c));
    let states: Vec<(usize, Option<Instant>)> = all.map(|(i, c)| (i, c.is_idle().then_some(c.moved))).collect();
    place(&states, if port == HEALTH { HEALTH_MAX } else { CLIENTS_MAX })
}

/// The place among these connections, each with the time since when it is idle.
fn place(all: &[(usize, Option<Instant>)], max: usize) -> Option<Place> {
    if all.len() < max {
        return Some(Place::Free);
    }
    let idle = all.iter().filter_map(|(index, since)| Some((since.as_ref()?, *index)));
    idle.min().map(|(_, index)| Place::Of(index))
}

/// Which connection goes because all together hold too much.
fn crowding(held: &[usize]) -> Option<usize> {
    let most = held.iter().enumerate().max_by_key(|(_, bytes)| **bytes).map(|(index, _)| index);
    most.filter(|_| held.iter().sum::<usize>() > HELD_BYTES_MAX)
}

/// What nginx asks of every request beside its form: one host, and a method in capitals.
fn is_acceptable(request: &Request) -> bool {
    let hosts: Vec<&str> =
        request.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case("host")).map(|(_, v)| v.as_str()).collect();
    let is_host = |host: &str| !host.bytes().any(|b| b <= b' ' || b"/\\".contains(&b)) && !host.contains("..");
    let is_right = match hosts[..] {
        [] => request.version == "HTTP/1.0",
        [host] => is_host(host) && (!host.is_empty() || request.version == "HTTP/1.0"),
        _ => false,
    };
    is_right && request.method.bytes().all(|b| b.is_ascii_uppercase() || b"-_".contains(&b))
}

/// Host and target of a request, whose target may be a whole URL.
fn asked(request: &Request) -> (&str, &str) {
    let target = request.target.as_str();
    let rest = ["http://", "https://"].iter().find_map(|scheme| {
        let (start, rest) = target.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    match rest {
        None => (request.header("host").unwrap_or(""), target),
        Some(rest) => match rest.find(['/', '?']) {
            Some(end) if rest[end..].starts_with('/') => rest.split_at(end),
            Some(end) => (&rest[..end], "/"),
            None => (rest, "/"),
        },
    }
}

/// A host without its port, as `$host` is.
fn plain(host: &str) -> String {
    host.split(':').next().unwrap_or("").to_ascii_lowercase()
}

/// An endpoint's address. Names are resolved by the machine's half, which may wait for them.
fn address(endpoint: &str) -> Option<SocketAddrV4> {
    endpoint.parse().ok()
}

/// What a location says before any backend is asked.
fn turned_away(server: &Server, location: &Location, request: &Request) -> Option<Response> {
    let refused = location.option("refused");
    if !refused.is_empty() {
        crate::error_line(refused);
        return Some(page(503));
    }
    // The size is looked at as soon as the location is known.
    if location.option("body-size").parse().is_ok_and(|max: usize| max > 0 && request.body.len() > max) {
        return Some(page(413));
    }
    // `return` goes before the Lua of the rewrite phase, which redirects to https.
    if let Some((status, to)) = location.option("redirect").split_once(' ') {
        return Some(redirect(status.parse().unwrap_or(302), to));
    }
    let redirects =
        location.is_on("force-ssl-redirect") || (server.has_certificate && location.option("ssl-redirect") != "false");
    if redirects {
        let (host, target) = asked(request);
        let keeps = location.is_on("preserve-trailing-slash");
        let target = target.strip_suffix('/').filter(|_| !keeps).unwrap_or(target);
        return Some(redirect(308, &format!("https://{}{target}", plain(host))));
    }
    None
}

fn redirect(status: u16, to: &str) -> Response {
    page(status).header("Location", to)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let (server, location) = site.find("a.example", &path).expect("few steps").expect("a location");
        let response = turned_away(server, location, &get(target));
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
        turned("redirect=301~http://b/c force-ssl-redirect=true", "/x", Some((301, "http://b/c")));
        turned("refused=why", "/", Some((503, "")));
    }

    #[test]
    fn a_location_may_take_smaller_bodies() {
        let site = site("body-size=3 ssl-redirect=false");
        let (server, location) = site.find("a.example", "/").expect("few steps").expect("a location");
        let status = |body: &str| {
            turned_away(server, location, &Request { body: body.into(), ..get("/") }).map(|response| response.status)
        };
        assert_eq!((status("abc"), status("abcd")), (None, Some(413)));
    }

    #[test]
    fn there_is_room_for_who_comes_while_somebody_idles() {
        let now = Instant::now();
        let at = |seconds| Some(now + Duration::from_secs(seconds));
        assert_eq!(place(&[(0, None), (1, at(2))], 3), Some(Place::Free));
        assert_eq!(place(&[(0, None), (3, at(2)), (5, at(1))], 3), Some(Place::Of(5)));
        assert_eq!(place(&[(0, None), (1, None)], 2), None);
        assert_eq!(crowding(&[1, HELD_BYTES_MAX, 2]), Some(1));
        assert_eq!(crowding(&[1, HELD_BYTES_MAX - 1]), None);
    }

    #[test]
    fn requests_have_one_host_and_may_have_a_whole_url() {
        let with = |version: &str, hosts: &[&str]| Request {
            version: version.into(),
            headers: hosts.iter().map(|host| ("Host".to_owned(), (*host).to_owned())).collect(),
            ..get("/")
        };
        assert!(is_acceptable(&with("HTTP/1.1", &["a"])) && is_acceptable(&with("HTTP/1.0", &[])));
        for bad in [with("HTTP/1.1", &[]), with("HTTP/1.1", &["a", "a"]), with("HTTP/1.1", &["a/b"])] {
            assert!(!is_acceptable(&bad), "{bad:?}");
        }
        assert!(!is_acceptable(&Request { method: "get".into(), ..get("/") }));
        assert_eq!(asked(&get("/x?y")), ("a.example:80", "/x?y"));
        assert_eq!(asked(&get("HTTP://b.example/x?y")), ("b.example", "/x?y"));
        assert_eq!(asked(&get("http://b.example")), ("b.example", "/"));
    }
}
