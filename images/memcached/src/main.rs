//! A stand-in for memcached: the text protocol over TCP. As `docker-entrypoint.sh` it is the image's entrypoint as well.

mod cache;
mod text;

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use net::{Event, Hub};

use crate::cache::Cache;
use crate::text::{Facts, Session};

fn main() {
    proc::start();
    let args: Vec<String> = std::env::args().collect();
    let version = std::env::var("MEMCACHED_VERSION").unwrap_or_else(|_| "1.6.38".to_owned());
    let name = args.first().map_or("", |a| a.rsplit('/').next().unwrap_or(a));
    let rest = args.get(1..).unwrap_or(&[]);
    let code = match (name, rest.first().map(String::as_str)) {
        ("docker-entrypoint.sh", Some("memcached")) => run(&rest[1..], &version),
        ("docker-entrypoint.sh", Some(first)) if !first.starts_with('-') => {
            proc::exec(rest, "/usr/local/bin/docker-entrypoint.sh: 9: exec")
        }
        _ => run(rest, &version),
    };
    std::process::exit(code);
}

/// What the command line says.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    port: u16,
    /// `-m`, in megabytes.
    megabytes: usize,
}

/// Reads the command line; `-m64` and `-m 64` are the same.
///
/// # Errors
/// What is printed before the program ends.
fn options(args: &[String]) -> Result<Options, String> {
    let mut o = Options { port: 11211, megabytes: 64 };
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let (name, value) = match arg.strip_prefix("--") {
            Some(long) => long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v.to_owned()))),
            None => match arg.strip_prefix('-').and_then(|short| short.split_at_checked(1)) {
                Some((name, "")) => (name, None),
                Some((name, value)) if !value.starts_with('v') => (name, Some(value.to_owned())),
                Some((name, _)) => (name, None),
                None => return Err(format!("invalid argument: {arg}")),
            },
        };
        if matches!(name, "v" | "verbose" | "U" | "A" | "M" | "disable-evictions" | "u" | "t" | "c")
            || matches!(name, "threads" | "conn-limit" | "user" | "udp-port")
        {
            if matches!(name, "u" | "t" | "c" | "U") && value.is_none() {
                rest.next();
            }
            if matches!(name, "M" | "disable-evictions") {
                return Err(format!("kubonsai does not support the option -{name} (memcached) yet"));
            }
            continue;
        }
        if !matches!(name, "p" | "port" | "m" | "memory-limit") {
            return Err(format!("kubonsai does not support the option {arg} (memcached) yet"));
        }
        let value = value.or_else(|| rest.next().cloned()).unwrap_or_default();
        match (name, value.parse::<u16>()) {
            ("p" | "port", Ok(port)) => o.port = port,
            (_, Ok(megabytes)) if megabytes > 0 => o.megabytes = usize::from(megabytes),
            _ => return Err(format!("invalid value {value} for {arg}")),
        }
    }
    Ok(o)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

/// Runs the server until it is told to end; its exit code.
fn run(args: &[String], version: &str) -> i32 {
    if matches!(args.first().map(String::as_str), Some("-V" | "--version")) {
        println!("memcached {version}");
        return 0;
    }
    let o = match options(args) {
        Ok(o) => o,
        Err(error) => {
            eprintln!("{error}");
            return 64;
        }
    };
    for signal in [proc::SIGTERM, proc::SIGINT] {
        let _ = proc::on_signal(signal, proc::Disposition::Catch);
    }
    let mut hub = match Hub::bind(o.port) {
        Ok(hub) => hub,
        Err(error) => {
            eprintln!("failed to listen on TCP port {}: {}", o.port, net::listen_error(&error));
            return 71;
        }
    };
    serve(&mut hub, Cache::new(o.megabytes << 20), version)
}

fn serve(hub: &mut Hub, mut cache: Cache, version: &str) -> i32 {
    let mut sessions: BTreeMap<u64, Session> = BTreeMap::new();
    let (started, mut connected) = (now(), 0);
    loop {
        if proc::take_signal().is_some() {
            return 0;
        }
        let Ok(events) = hub.wait(None) else { return 1 };
        for event in events {
            match event {
                Event::Opened(id, _) => {
                    connected += 1;
                    sessions.insert(id, Session::default());
                }
                Event::Closed(id) => drop(sessions.remove(&id)),
                Event::Data(id, bytes) => {
                    let connections = sessions.len();
                    let Some(session) = sessions.get_mut(&id) else { continue };
                    let facts = Facts { now: now(), uptime: now() - started, connections, connected };
                    let answer = session.receive(&bytes, &mut cache, version, facts);
                    if hub.send(id, &answer).is_err() || session.closing {
                        sessions.remove(&id);
                        hub.close(id);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line() {
        let read = |line: &str| options(&line.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(read("-m 128 -p 11300 -vv"), Ok(Options { port: 11300, megabytes: 128 }));
        assert_eq!(read("--memory-limit=32 -c 100 -u nobody"), Ok(Options { port: 11211, megabytes: 32 }));
        assert!(read("-S").expect_err("refused").contains("does not support the option -S"));
        assert!(read("-m x").is_err());
    }
}
