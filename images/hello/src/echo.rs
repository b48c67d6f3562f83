//! `http-echo`: always the same text.

use std::time::{Instant, SystemTime};

use net::http::{Response, http_date};

use crate::{Ending, serve, stamp, text};

/// What the command line says.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    listen: String,
    text: String,
    status: u16,
    version: bool,
}

/// Reads the command line: `-text=x`, `-text x`, with one dash or two. `environment` is ECHO_TEXT.
///
/// # Errors
/// What is printed before the program ends, and its exit code.
fn options(args: &[String], environment: Option<String>) -> Result<Options, (String, i32)> {
    let mut o =
        Options { listen: ":5678".to_owned(), text: environment.unwrap_or_default(), status: 200, version: false };
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let Some(flag) = arg.strip_prefix("--").or_else(|| arg.strip_prefix('-')) else {
            return Err(("Too many arguments!".to_owned(), 127));
        };
        let (name, value) = flag.split_once('=').map_or((flag, None), |(n, v)| (n, Some(v.to_owned())));
        if name == "version" {
            o.version = true;
            continue;
        }
        if !matches!(name, "text" | "listen" | "status-code") {
            return Err((format!("flag provided but not defined: -{name}"), 2));
        }
        let Some(value) = value.or_else(|| rest.next().cloned()) else {
            return Err((format!("flag needs an argument: -{name}"), 2));
        };
        match name {
            "text" => o.text = value,
            "listen" => o.listen = value,
            _ => match value.parse() {
                Ok(status) => o.status = status,
                Err(_) => {
                    return Err((format!("invalid value \"{value}\" for flag -status-code: parse error"), 2));
                }
            },
        }
    }
    if o.text.is_empty() && !o.version {
        return Err(("Missing -text option!".to_owned(), 127));
    }
    Ok(o)
}

/// A duration as Go prints it, to the microsecond.
fn duration(micros: u128) -> String {
    if micros >= 1000 { format!("{}.{:03}ms", micros / 1000, micros % 1000) } else { format!("{micros}µs") }
}

/// Runs the server; its exit code.
pub fn run(args: &[String]) -> i32 {
    let version = std::env::var("HTTP_ECHO_VERSION").unwrap_or_else(|_| "1.0.0".to_owned());
    let new = !version.starts_with("0.");
    let o = match options(args, std::env::var("ECHO_TEXT").ok().filter(|_| new)) {
        Ok(o) => o,
        Err((what, code)) => {
            eprintln!("{what}");
            return code;
        }
    };
    if o.version {
        eprintln!("http-echo v{version}");
        return 0;
    }
    let Some(port) = o.listen.rsplit(':').next().and_then(|port| port.parse().ok()) else {
        eprintln!("{} [ERR] server exited with: listen tcp: address {}: missing port in address", stamp(), o.listen);
        return 1;
    };
    let line = if new { "[INFO] server is listening on" } else { "Server is listening on" };
    println!("{} {line} {}", stamp(), o.listen);
    serve(port, Ending::Go, |request, peer| {
        let begun = Instant::now();
        let (status, body) = match request.path() {
            "/health" => (200, "{\"status\":\"ok\"}\n".to_owned()),
            _ => (o.status, format!("{}\n", o.text)),
        };
        let mut response = text(body);
        response.status = status;
        let response: Response = response
            .header("X-App-Name", "http-echo")
            .header("X-App-Version", version.as_str())
            .header("Date", http_date(SystemTime::now()));
        let (host, agent) = (request.header("host").unwrap_or(""), request.header("user-agent").unwrap_or(""));
        let (method, path, bytes) = (&request.method, request.path(), response.body_bytes());
        let took = duration(begun.elapsed().as_micros());
        println!(
            "{} {host} {peer} \"{method} {path} {}\" {status} {bytes} \"{agent}\" {took}",
            stamp(),
            request.version
        );
        response
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str]) -> Result<Options, (String, i32)> {
        options(&args.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>(), None)
    }

    #[test]
    fn the_command_line() {
        let o = read(&["-text=hello world", "--listen", ":80"]).expect("valid");
        assert_eq!((o.text.as_str(), o.listen.as_str(), o.status), ("hello world", ":80", 200));
        assert_eq!(read(&[]), Err(("Missing -text option!".to_owned(), 127)));
        assert_eq!(read(&["-text", "a", "b"]), Err(("Too many arguments!".to_owned(), 127)));
        assert_eq!(read(&["-bogus"]), Err(("flag provided but not defined: -bogus".to_owned(), 2)));
        assert_eq!(options(&[], Some("env".into())).map(|o| o.text), Ok("env".to_owned()));
        assert_eq!((duration(12), duration(1_250)), ("12µs".to_owned(), "1.250ms".to_owned()));
    }
}
