//! `whoami` of traefik: who answers, what was asked, and a health that requests change.

use std::net::SocketAddrV4;
use std::time::{Duration, SystemTime};

use net::http::{Delayed, Request, Response, decode, http_date, log_date};

use crate::{fatal, go, listen, own_address, serve, stamp, text};

/// The value after `--NAME` on a command line, or of a variable.
fn option(args: &[String], name: &str, variable: &str) -> Option<String> {
    let long = format!("--{name}");
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let arg = if arg.starts_with("--") { arg.clone() } else { format!("-{arg}") };
        if arg == long {
            return rest.next().cloned();
        }
        if let Some(value) = arg.strip_prefix(&format!("{long}=")) {
            return Some(value.to_owned());
        }
    }
    std::env::var(variable).ok()
}

/// Whether a flag without a value is on a command line.
fn flag(args: &[String], name: &str) -> bool {
    args.iter().any(|arg| {
        let Some(given) = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-')) else { return false };
        given == name || given.strip_prefix(name).and_then(|v| v.strip_prefix('=')).is_some_and(is_true)
    })
}

/// What Go's ParseBool takes for true.
fn is_true(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "true" | "TRUE" | "True")
}

/// The program; its exit code.
pub fn run(args: &[String]) -> i32 {
    for name in ["cert", "key", "cacert"] {
        if option(args, name, "").is_some() {
            eprintln!("kubonsai does not support --{name} (whoami) yet");
            return 1;
        }
    }
    let port: u16 = option(args, "port", "WHOAMI_PORT_NUMBER").and_then(|port| port.parse().ok()).unwrap_or(80);
    let name = option(args, "name", "WHOAMI_NAME").filter(|name| !name.is_empty());
    let verbose = flag(args, "verbose");
    eprintln!("{} Starting up on port {port}", stamp());
    let server = match listen(port) {
        Ok(server) => server,
        Err(what) => return fatal(&what),
    };
    let mut health = 200;
    serve(server, go, |request, peer| {
        let mut delayed = answer(request, peer, name.as_deref(), &mut health);
        delayed.response = delayed.response.header("Date", http_date(SystemTime::now()));
        if verbose {
            eprintln!("{} {}", stamp(), verbose_line(request, peer));
        }
        delayed
    })
}

fn answer(request: &Request, peer: SocketAddrV4, name: Option<&str>, health: &mut u16) -> Delayed {
    match request.path() {
        "/health" => about_health(request, health).into(),
        "/bench" => Response::new(200, "text/plain", "1").into(),
        "/api" | "/data" | "/echo" => {
            let path = request.path();
            let mut response = text(format!("kubonsai does not support {path} (whoami) yet\n"));
            response.status = 501;
            response.into()
        }
        _ => {
            let delay = query(request, "wait").and_then(|wait| duration(&wait)).unwrap_or_default();
            let mut out = who(request, peer, name, &proc::hostname(), &own_address());
            if query(request, "env").is_some_and(|env| is_true(&env)) {
                out.extend(std::env::vars().map(|(name, value)| format!("{name}={value}\n")));
            }
            Delayed { response: text(out), delay, upgrade: None }
        }
    }
}

/// The line of a request with `--verbose`, after the time.
fn verbose_line(request: &Request, peer: SocketAddrV4) -> String {
    let (method, path, version) = (&request.method, decode(request.path()), &request.version);
    format!("{peer} - - [{}] \"{method} {path} {version}\" - -", log_date(SystemTime::now()))
}

/// `/health`: the status that was last posted, 200 at first.
fn about_health(request: &Request, health: &mut u16) -> Response {
    let mut response = text(String::new());
    response.headers.clear();
    if request.method != "POST" {
        response.status = *health;
        return response;
    }
    match status(&String::from_utf8_lossy(&request.body)) {
        Ok(status) => {
            println!("Update health check status code [{status}]");
            *health = status;
            response
        }
        Err(what) => {
            let mut response = text(format!("{what}\n")).header("X-Content-Type-Options", "nosniff");
            response.status = 400;
            response
        }
    }
}

/// A number as Go's encoding/json reads it. The original answers numbers that are no status with a panic; here they are refused.
///
/// # Errors
/// Go's words.
fn status(body: &str) -> Result<u16, String> {
    let body = body.trim_start();
    let end = body.find(|c: char| !c.is_ascii_digit()).unwrap_or(body.len());
    match (body[..end].parse(), body.chars().next()) {
        (Ok(status), _) if (100..1000).contains(&status) => Ok(status),
        (_, None) => Err("EOF".to_owned()),
        (_, Some('0'..='9' | '-')) => Err(format!("invalid WriteHeader code {}", body.trim_end())),
        (_, Some('"')) => Err("json: cannot unmarshal string into Go value of type int".to_owned()),
        (_, Some('{')) => Err("json: cannot unmarshal object into Go value of type int".to_owned()),
        (_, Some('[')) => Err("json: cannot unmarshal array into Go value of type int".to_owned()),
        (_, Some(c)) => Err(format!("invalid character '{c}' looking for beginning of value")),
    }
}

/// The value of a query's key.
fn query(request: &Request, key: &str) -> Option<String> {
    let (_, query) = request.target.split_once('?')?;
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.find(|(name, _)| *name == key).map(|(_, value)| decode(&value.replace('+', " ")))
}

/// A duration as Go's ParseDuration reads it: `1.5s`, `1m30s`. Negative ones take no time.
fn duration(text: &str) -> Option<Duration> {
    if text.starts_with('-') {
        return Some(Duration::ZERO);
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len()));
        seconds += number.parse::<f64>().ok()?
            * match unit {
                "ns" => 1e-9,
                "us" | "µs" | "μs" => 1e-6,
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                _ => return None,
            };
        rest = after;
    }
    (!text.is_empty()).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
}

/// The text of `whoami`: Go writes a request with its host and its agent first, then what its body needs, the other headers by
/// name, and the body.
fn who(request: &Request, peer: SocketAddrV4, name: Option<&str>, host: &str, own: &str) -> String {
    let mut out = name.map_or(String::new(), |name| format!("Name: {name}\n"));
    out.push_str(&format!("Hostname: {host}\nIP: 127.0.0.1\nIP: ::1\nIP: {own}\nRemoteAddr: {peer}\n"));
    out.push_str(&format!("{} {} HTTP/1.1\r\n", request.method, request.target));
    out.push_str(&format!("Host: {}\r\n", request.header("host").unwrap_or("")));
    match request.header("user-agent") {
        Some("") => {}
        agent => out.push_str(&format!("User-Agent: {}\r\n", agent.unwrap_or("Go-http-client/1.1"))),
    }
    let chunked = request.header("transfer-encoding").is_some();
    let body = String::from_utf8_lossy(&request.body);
    if chunked {
        out.push_str("Transfer-Encoding: chunked\r\n");
    } else if request.header("content-length").is_some() {
        out.push_str(&format!("Content-Length: {}\r\n", request.body.len()));
    }
    for (name, value) in sorted(request) {
        if !matches!(name.as_str(), "host" | "user-agent" | "content-length" | "transfer-encoding" | "trailer") {
            out.push_str(&format!("{}: {value}\r\n", canonical(&name)));
        }
    }
    out.push_str("\r\n");
    match (chunked, body.is_empty()) {
        (true, true) => out.push_str("0\r\n\r\n"),
        (true, false) => out.push_str(&format!("{:x}\r\n{body}\r\n0\r\n\r\n", request.body.len())),
        (false, _) => out.push_str(&body),
    }
    out
}

/// Headers with lower-case names, by name.
pub fn sorted(request: &Request) -> Vec<(String, String)> {
    let mut all: Vec<_> = request.headers.iter().map(|(n, v)| (n.to_ascii_lowercase(), v.clone())).collect();
    all.sort();
    all
}

/// `accept-encoding` as `Accept-Encoding`.
fn canonical(name: &str) -> String {
    let part = |part: &str| {
        let mut chars = part.chars();
        chars.next().map(|first| first.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
    };
    name.split('-').map(part).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, target: &str, body: &str) -> (Request, SocketAddrV4) {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let request = Request {
            method: method.into(),
            target: target.into(),
            version: "HTTP/1.1".into(),
            headers: vec![header("User-Agent", "curl/8"), header("Host", "web:30000"), header("Accept", "*/*")],
            body: body.into(),
        };
        (request, SocketAddrV4::new([10, 244, 0, 1].into(), 40_000))
    }

    #[test]
    fn who_is_asked() {
        let (mut request, peer) = request("GET", "/a?b=c", "");
        let head = "Name: n\nHostname: h\nIP: 127.0.0.1\nIP: ::1\nIP: 10.244.0.9\nRemoteAddr: 10.244.0.1:40000\n";
        let expected =
            format!("{head}GET /a?b=c HTTP/1.1\r\nHost: web:30000\r\nUser-Agent: curl/8\r\nAccept: */*\r\n\r\n");
        assert_eq!(who(&request, peer, Some("n"), "h", "10.244.0.9"), expected);
        request.headers.push(("Content-Length".into(), "2".into()));
        request.body = b"hi".to_vec();
        let posted = who(&request, peer, None, "h", "10.244.0.9");
        assert!(posted.ends_with("User-Agent: curl/8\r\nContent-Length: 2\r\nAccept: */*\r\n\r\nhi"), "{posted}");
        assert_eq!(canonical("x-forwarded-for"), "X-Forwarded-For");
    }

    #[test]
    fn the_command_line() {
        let args = ["--port", "81", "-name=x", "--verbose"].map(str::to_owned);
        assert_eq!((option(&args, "port", "-"), option(&args, "name", "-")), (Some("81".into()), Some("x".into())));
        assert!(flag(&args, "verbose") && !flag(&args, "verb") && !flag(&["-verbose=false".to_owned()], "verbose"));
        let (request, peer) = request("GET", "/a?b", "");
        let line = verbose_line(&request, peer);
        assert!(line.starts_with("10.244.0.1:40000 - - [") && line.ends_with("] \"GET /a HTTP/1.1\" - -"), "{line}");
    }

    #[test]
    fn a_post_changes_the_health() {
        let mut health = 200;
        let mut ask = |method: &str, body: &str| {
            let (request, peer) = request(method, "/health", body);
            let response = answer(&request, peer, None, &mut health).response;
            (response.status, String::from_utf8_lossy(&response.body.concat()).into_owned())
        };
        assert_eq!(ask("GET", ""), (200, String::new()));
        assert_eq!(ask("POST", "500\n"), (200, String::new()));
        assert_eq!(ask("GET", ""), (500, String::new()));
        assert_eq!(ask("POST", "up"), (400, "invalid character 'u' looking for beginning of value\n".to_owned()));
        assert_eq!(ask("POST", ""), (400, "EOF\n".to_owned()));
        assert_eq!(ask("POST", "200").0, 200);
        assert_eq!(ask("GET", "").0, 200);
    }

    #[test]
    fn an_answer_waits_and_tells_the_environment() {
        let ask = |target: &str| {
            let (request, peer) = request("GET", target, "");
            answer(&request, peer, None, &mut 200)
        };
        assert_eq!(ask("/?wait=1m1.5s").delay, Duration::from_millis(61_500));
        assert_eq!(["", "5", "5x", "1s2"].map(duration), [None; 4]);
        assert_eq!(["100ms", "-3s", "0"].map(duration), [100, 0, 0].map(|ms| Some(Duration::from_millis(ms))));
        let body = |target| String::from_utf8_lossy(&ask(target).response.body.concat()).into_owned();
        assert!(body("/?env=true").contains("\nCARGO_PKG_NAME=hello\n"));
        assert!(!body("/?env=false").contains("\nCARGO_PKG_NAME=hello\n"));
    }
}
