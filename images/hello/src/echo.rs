//! `http-echo`: always the same text.

use std::net::SocketAddrV4;
use std::time::{Instant, SystemTime};

use net::http::{Request, Response, http_date};

use crate::{listen, serve, stamp, text};

/// What the command line says.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    listen: String,
    text: String,
    status: u16,
    version: bool,
}

/// Two generations: 0.2.3, and 1.0.0 with the status and the variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Generation {
    Old,
    New,
}

impl Generation {
    fn of(version: &str) -> Generation {
        if version.starts_with("0.") { Generation::Old } else { Generation::New }
    }

    /// The flags that the program knows, as Go's package flag lists them.
    fn usage(self) -> String {
        let status = match self {
            Generation::Old => "",
            Generation::New => "  -status-code int\n    \thttp response code, e.g.: 200 (default 200)\n",
        };
        format!(
            "Usage of /http-echo:\n  -listen string\n    \taddress and port to listen (default \":5678\")\n{status}  -text string\n    \ttext to put on the webpage\n  -version\n    \tdisplay version information"
        )
    }

    /// The version line. The commits are those of the originals' tags; when ours was built says nothing.
    fn version(self, version: &str) -> String {
        match self {
            Generation::Old => format!("http-echo v{version} (f375b4d)"),
            Generation::New => format!("http-echo v{version} (866d8f8)\nBuilt: "),
        }
    }

    /// What it says and does about a signal: the old one knows only the interrupt of a keyboard, and goes on after any other.
    fn signal(self, signal: u32) -> (&'static str, Option<i32>) {
        match (self, signal) {
            (Generation::New, proc::SIGQUIT) => ("", Some(2)),
            (Generation::New, _) => ("[INFO] received interrupt, shutting down...", Some(2)),
            (Generation::Old, proc::SIGINT) => ("[INFO] Received interrupt", Some(2)),
            (Generation::Old, proc::SIGQUIT) => ("[ERR] Unknown signal quit", None),
            (Generation::Old, _) => ("[ERR] Unknown signal terminated", None),
        }
    }

    /// What it says when it cannot listen, and its exit code.
    fn refused(self, what: &str) -> (String, i32) {
        match self {
            Generation::Old => (format!("[ERR] Error starting server: {what}"), 127),
            Generation::New => (format!("[ERR] server exited with: {what}"), 1),
        }
    }
}

/// Reads the command line: `-text=x`, `-text x`, with one dash or two. `environment` is ECHO_TEXT.
///
/// # Errors
/// What is printed before the program ends, and its exit code.
fn options(args: &[String], generation: Generation, environment: Option<String>) -> Result<Options, (String, i32)> {
    let wrong = |what: String| (format!("{what}\n{}", generation.usage()), 2);
    let mut o = Options { listen: ":5678".to_owned(), text: String::new(), status: 200, version: false };
    let (mut rest, mut too_many) = (args.iter(), false);
    while let Some(arg) = rest.next() {
        let Some(flag) = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-')) else {
            too_many = true;
            break;
        };
        let (name, value) = flag.split_once('=').map_or((flag, None), |(n, v)| (n, Some(v.to_owned())));
        if name == "version" {
            o.version = true;
            continue;
        }
        if !matches!(name, "text" | "listen") && (name != "status-code" || generation == Generation::Old) {
            return Err(wrong(format!("flag provided but not defined: -{name}")));
        }
        let Some(value) = value.or_else(|| rest.next().cloned()) else {
            return Err(wrong(format!("flag needs an argument: -{name}")));
        };
        match name {
            "text" => o.text = value,
            "listen" => o.listen = value,
            _ => match value.parse() {
                Ok(status) => o.status = status,
                Err(_) => {
                    return Err(wrong(format!("invalid value \"{value}\" for flag -status-code: parse error")));
                }
            },
        }
    }
    if o.version {
        return Ok(o);
    }
    if o.text.is_empty() && generation == Generation::New {
        o.text = environment.unwrap_or_default();
    }
    match generation {
        Generation::Old if o.text.is_empty() => Err(("Missing -text option!".to_owned(), 127)),
        Generation::New if o.text.is_empty() => Err(("Missing -text option or ECHO_TEXT env var!".to_owned(), 127)),
        _ if too_many => Err(("Too many arguments!".to_owned(), 127)),
        _ => Ok(o),
    }
}

/// A duration as Go prints it, to the microsecond.
fn duration(micros: u128) -> String {
    if micros >= 1000 { format!("{}.{:03}ms", micros / 1000, micros % 1000) } else { format!("{micros}µs") }
}

/// Says that the program does not know a signal, or that it ends.
fn end(generation: Generation, signal: u32) -> Option<i32> {
    let (text, code) = generation.signal(signal);
    if !text.is_empty() {
        eprintln!("{} {text}", stamp());
    }
    code
}

/// Runs the server; its exit code.
pub fn run(args: &[String]) -> i32 {
    let version = std::env::var("HTTP_ECHO_VERSION").unwrap_or_else(|_| "1.0.0".to_owned());
    let generation = Generation::of(&version);
    let o = match options(args, generation, std::env::var("ECHO_TEXT").ok()) {
        Ok(o) => o,
        Err((what, code)) => {
            eprintln!("{what}");
            return code;
        }
    };
    if o.version {
        match generation {
            Generation::Old => eprintln!("{}", generation.version(&version)),
            Generation::New => println!("{}", generation.version(&version)),
        }
        return 0;
    }
    if generation == Generation::New {
        eprintln!("{} [INFO] server is listening on {}", stamp(), o.listen);
    }
    let port = o.listen.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    let missing = || format!("listen tcp: address {}: missing port in address", o.listen);
    let server = match port.ok_or_else(missing).and_then(listen) {
        Ok(server) => server,
        Err(what) => {
            let (what, code) = generation.refused(&what);
            eprintln!("{} {what}", stamp());
            return code;
        }
    };
    if generation == Generation::Old {
        eprintln!("{} Server is listening on {}", stamp(), o.listen);
    }
    serve(server, |signal| end(generation, signal), |request, peer| answer(&o, &version, request, peer))
}

/// Answers a request; only those for the text are logged.
fn answer(o: &Options, version: &str, request: &Request, peer: SocketAddrV4) -> Response {
    let begun = Instant::now();
    let health = request.path() == "/health";
    let body = if health { "{\"status\":\"ok\"}\n".to_owned() } else { format!("{}\n", o.text) };
    let mut response = text(body);
    response.status = if health { 200 } else { o.status };
    let response = response
        .header("X-App-Name", "http-echo")
        .header("X-App-Version", version)
        .header("Date", http_date(SystemTime::now()));
    if !health {
        println!("{}", log_line(request, peer, &response, &duration(begun.elapsed().as_micros())));
    }
    response
}

fn log_line(request: &Request, peer: SocketAddrV4, response: &Response, took: &str) -> String {
    let (host, agent) = (request.header("host").unwrap_or(""), request.header("user-agent").unwrap_or(""));
    let (method, path, version) = (&request.method, request.path(), &request.version);
    let (status, bytes) = (response.status, response.body_bytes());
    format!("{} {host} {peer} \"{method} {path} {version}\" {status} {bytes} \"{agent}\" {took}", stamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str], generation: Generation) -> Result<Options, (String, i32)> {
        options(&args.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>(), generation, None)
    }

    #[test]
    fn the_command_line() {
        let (old, new) = (Generation::of("0.2.3"), Generation::of("1.0.0"));
        let o = read(&["-text=hello world", "--listen", ":80"], new).expect("valid");
        assert_eq!((o.text.as_str(), o.listen.as_str(), o.status), ("hello world", ":80", 200));
        assert_eq!(read(&[], old), Err(("Missing -text option!".to_owned(), 127)));
        assert_eq!(read(&[], new), Err(("Missing -text option or ECHO_TEXT env var!".to_owned(), 127)));
        assert_eq!(read(&["-text", "a", "b"], new), Err(("Too many arguments!".to_owned(), 127)));
        let (what, code) = read(&["-text=a", "-status-code=404"], old).expect_err("not yet there");
        let begins = "flag provided but not defined: -status-code\nUsage of /http-echo:\n  -listen string\n";
        assert!(what.starts_with(begins) && !what.contains("  -status-code") && code == 2, "{what}");
        let variable = |args: &[String], generation| options(args, generation, Some("env".into())).map(|o| o.text);
        assert_eq!(variable(&[], new), Ok("env".to_owned()));
        assert_eq!(variable(&["-text=a".to_owned()], new), Ok("a".to_owned()));
        assert!(variable(&[], old).is_err());
        assert_eq!((duration(12), duration(1_250)), ("12µs".to_owned(), "1.250ms".to_owned()));
    }

    #[test]
    fn the_old_one_goes_on_after_a_sigterm() {
        let (old, new) = (Generation::Old, Generation::New);
        assert_eq!(old.signal(proc::SIGTERM), ("[ERR] Unknown signal terminated", None));
        assert_eq!(old.signal(proc::SIGINT), ("[INFO] Received interrupt", Some(2)));
        assert_eq!(new.signal(proc::SIGTERM), ("[INFO] received interrupt, shutting down...", Some(2)));
    }

    #[test]
    fn what_it_says_of_itself() {
        assert_eq!(Generation::Old.version("0.2.3"), "http-echo v0.2.3 (f375b4d)");
        assert!(Generation::New.version("1.0.0").starts_with("http-echo v1.0.0 (866d8f8)\nBuilt: "));
        let taken = "listen tcp :5678: bind: address already in use";
        assert_eq!(Generation::Old.refused(taken), (format!("[ERR] Error starting server: {taken}"), 127));
        assert_eq!(Generation::New.refused(taken), (format!("[ERR] server exited with: {taken}"), 1));
    }
}
