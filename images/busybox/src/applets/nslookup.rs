//! nslookup: asks the name servers of `/etc/resolv.conf`, or another one, itself (`networking/nslookup.c`, the big one).

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use net::{UdpSocket, Wait, wait};

use crate::applet::{Fail, Io, Outcome};
use crate::dns::{self, Reply};

/// Bytes of one answer.
const REPLY_BYTES_MAX: usize = 512;
/// Code of a server that has failed: it is asked again at once, so often for each question.
const SERVFAIL: u8 = 2;
const FAILED_RETRIES_MAX: usize = 2;

/// What the options say.
struct Settings {
    types: Vec<u16>,
    port: u16,
    retries: u32,
    timeout: Duration,
}

/// What `/etc/resolv.conf` says.
#[derive(Default)]
struct Resolver {
    servers: Vec<String>,
    search: Vec<String>,
}

struct Question {
    name: String,
    bytes: Vec<u8>,
    is_answered: bool,
}

fn usage() -> Fail {
    Fail::Message("usage: nslookup [-type=QUERY_TYPE] HOST [DNS_SERVER]".to_owned())
}

/// Reads options, which come first; gives what is left.
fn options(args: &[String]) -> Result<(Settings, &[String]), Fail> {
    let mut settings = Settings { types: Vec::new(), port: 53, retries: 2, timeout: Duration::from_secs(5) };
    let mut rest = args;
    while let Some((first, others)) = rest.split_first() {
        let Some(option) = first.strip_prefix('-') else { break };
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let number = || value.parse::<u32>().map_err(|_| Fail::Message(format!("invalid number '{value}'")));
        // Options may be cut short; -t is -timeout.
        match name {
            "t" => settings.timeout = Duration::from_secs(number()?.into()),
            "" => return Err(usage()),
            name if "type".starts_with(name) || "querytype".starts_with(name) => {
                let kind = dns::TYPES.iter().find(|(kind, _)| kind.eq_ignore_ascii_case(value));
                let (_, kind) = kind.ok_or_else(|| Fail::Message(format!("invalid query type \"{value}\"")))?;
                settings.types.push(*kind);
            }
            name if "port".starts_with(name) => {
                let port = number()?.try_into().ok().filter(|port| *port != 0);
                settings.port =
                    port.ok_or_else(|| Fail::Message(format!("number {value} is not in 1..65535 range")))?;
            }
            name if "retry".starts_with(name) => settings.retries = number()?.max(1),
            name if "timeout".starts_with(name) => settings.timeout = Duration::from_secs(number()?.max(1).into()),
            _ => return Err(usage()),
        }
        rest = others;
    }
    Ok((settings, rest))
}

fn resolver(text: &str) -> Resolver {
    let mut found = Resolver::default();
    for line in text.lines() {
        let mut words = line.split_whitespace().map(str::to_owned);
        match words.next().as_deref() {
            Some("nameserver") => found.servers.extend(words.next()),
            // The last line counts.
            Some("search" | "domain") => found.search = words.collect(),
            _ => {}
        }
    }
    found
}

/// What to ask: the name as it is, or one without a dot in every domain of the search path.
fn questions(host: &str, settings: &Settings, search: &[String]) -> Result<Vec<Question>, Fail> {
    let (types, host) = match (host.parse::<Ipv4Addr>(), settings.types.is_empty()) {
        (Ok(address), true) => (vec![dns::PTR], dns::reversed(address)),
        (Ok(address), false) if settings.types.contains(&dns::PTR) => (settings.types.clone(), dns::reversed(address)),
        (Err(_), true) => (vec![dns::A, dns::AAAA], host.to_owned()),
        (_, false) => (settings.types.clone(), host.to_owned()),
    };
    let mut all = Vec::new();
    for kind in types {
        let names = match host.contains('.') || search.is_empty() || kind == dns::PTR {
            true => vec![host.clone()],
            false => search.iter().map(|domain| format!("{host}.{domain}")).collect(),
        };
        for name in names {
            let id = u16::try_from(all.len() + 1).unwrap_or(u16::MAX);
            let bytes = dns::question(id, kind, &name);
            let bytes = bytes.ok_or_else(|| Fail::Message(format!("invalid name '{name}'")))?;
            all.push(Question { name, bytes, is_answered: false });
        }
    }
    Ok(all)
}

/// The address of a server that is named by a name or an address, perhaps with a port.
fn server_address(name: &str, port: u16) -> Result<SocketAddrV4, Fail> {
    if let Ok(address) = name.parse() {
        return Ok(address);
    }
    let found = net::resolve(name).ok().and_then(|addresses| addresses.first().copied());
    found.map(|ip| SocketAddrV4::new(ip, port)).ok_or_else(|| Fail::Message(format!("bad address '{name}'")))
}

/// What one server makes of the questions.
struct Asked {
    replies: usize,
    has_failed: bool,
}

/// Asks one server until everything is answered or the time is up.
fn ask(io: &mut Io<'_>, name: &str, settings: &Settings, questions: &mut [Question]) -> Result<Asked, Fail> {
    let to = server_address(name, settings.port)?;
    let socket = UdpSocket::bind(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0))?;
    let mut asked = Asked { replies: 0, has_failed: false };
    let (begun, interval) = (Instant::now(), settings.timeout / settings.retries);
    let mut failed_retries = 0;
    let mut sent = None;
    while begun.elapsed() < settings.timeout && questions.iter().any(|question| !question.is_answered) {
        let silent = sent.map(|sent: Instant| sent.elapsed());
        if silent.is_none_or(|silent| silent >= interval) {
            for question in questions.iter().filter(|question| !question.is_answered) {
                socket.send_to(&question.bytes, to)?;
            }
            failed_retries = FAILED_RETRIES_MAX * questions.len();
            sent = Some(Instant::now());
        }
        let patience = interval.saturating_sub(sent.map_or(interval, |sent| sent.elapsed()));
        if wait(&[Wait::Read(socket.fd())], Some(patience))?.is_empty() {
            continue;
        }
        let mut buffer = [0u8; REPLY_BYTES_MAX];
        let reply = match socket.recv_from(&mut buffer) {
            Ok((count, from)) if from == to => Reply(&buffer[..count]),
            Ok(_) => continue,
            Err(error) => {
                writeln!(io.err, "nslookup: read: {}", proc::Errno::from_io(&error))?;
                continue;
            }
        };
        if asked.replies == 0 {
            writeln!(io.out, "Server:\t\t{name}\nAddress:\t{to}\n")?;
        }
        asked.replies += 1;
        let number = reply.id().map(usize::from).and_then(|id| id.checked_sub(1));
        let Some(question) = number.and_then(|number| questions.get_mut(number)).filter(|q| !q.is_answered) else {
            continue;
        };
        if reply.code().0 == SERVFAIL && failed_retries > 0 {
            failed_retries -= 1;
            socket.send_to(&question.bytes, to)?;
            continue;
        }
        question.is_answered = true;
        asked.has_failed |= !tell(io, &question.name, reply)?;
    }
    Ok(asked)
}

/// Prints an answer; whether it is one.
fn tell(io: &mut Io<'_>, name: &str, reply: Reply<'_>) -> Result<bool, Fail> {
    let (code, words) = reply.code();
    if code != 0 {
        writeln!(io.out, "** server can't find {name}: {words}\n")?;
        return Ok(false);
    }
    if !reply.is_authoritative() {
        writeln!(io.out, "Non-authoritative answer:")?;
    }
    match reply.lines() {
        Some(lines) => writeln!(io.out, "{lines}")?,
        None => writeln!(io.out, "*** Can't find {name}: Parse error\n")?,
    }
    io.out.flush()?;
    Ok(reply.lines().is_some())
}

/// Asks for the addresses of a name, or what else there is.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let (settings, operands) = options(&args[1..])?;
    let (host, server) = match operands {
        [host] => (host, None),
        [host, server] => (host, Some(server.clone())),
        _ => return Err(usage()),
    };
    let Resolver { mut servers, search } = resolver(&std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default());
    if let Some(server) = server {
        servers = vec![server];
    }
    if servers.is_empty() {
        servers.push("127.0.0.1".to_owned());
    }
    let mut questions = questions(host, &settings, &search)?;
    for server in servers {
        let asked = ask(io, &server, &settings, &mut questions)?;
        if asked.replies == 0 {
            continue;
        }
        let mut status = i32::from(asked.has_failed);
        for question in questions.iter().filter(|question| !question.is_answered) {
            writeln!(io.out, "*** Can't find {}: No answer", question.name)?;
            status = 1;
        }
        return Ok(status);
    }
    writeln!(io.out, ";; connection timed out; no servers could be reached\n")?;
    Ok(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn names(args: &str, conf: &str) -> Vec<String> {
        let args = words(args);
        let (settings, operands) = options(&args).expect("options");
        let found = questions(&operands[0], &settings, &resolver(conf).search).expect("names");
        found.into_iter().map(|question| question.name).collect()
    }

    #[test]
    fn names_without_a_dot_are_searched_for() {
        let conf = "nameserver 10.96.0.10\nsearch default.svc.cluster.local cluster.local\noptions ndots:5\n";
        assert_eq!(resolver(conf).servers, ["10.96.0.10"]);
        assert_eq!(names("-type=a web", conf), ["web.default.svc.cluster.local", "web.cluster.local"]);
        // A dot is enough for a name to be whole, whatever ndots says; and both kinds of addresses are asked for.
        assert_eq!(names("web.default", conf), ["web.default", "web.default"]);
        assert_eq!(names("10.96.0.1", conf), ["1.0.96.10.in-addr.arpa"]);
        assert_eq!(names("-q=srv _http._tcp.web", conf), ["_http._tcp.web"]);
    }

    #[test]
    fn what_cannot_be_asked_is_said() {
        let message = |args: &str| match options(&words(args)) {
            Err(Fail::Message(message)) => message,
            other => panic!("{:?}", other.map(|_| ())),
        };
        assert_eq!(message("-type=x web"), "invalid query type \"x\"");
        assert!(message("-nope web").starts_with("usage"));
    }
}
