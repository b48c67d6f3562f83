//! A stand-in for Apache's httpd: static files, folders' lists, its error pages, its log lines. As `httpd-foreground` it
//! is the image's command as well.

mod config;
mod header;
mod include;
mod pages;
mod prefix;
mod serve;

use std::net::SocketAddrV4;
use std::time::SystemTime;

use net::http::{Request, Response, Server, civil, log_date};

use crate::config::Config;
use crate::include::Disk;
use crate::serve::Site;

/// The configuration of the image.
const CONFIG: &str = "/usr/local/apache2/conf/httpd.conf";

fn main() {
    proc::start();
    let args: Vec<String> = std::env::args().collect();
    let version = std::env::var("HTTPD_VERSION").unwrap_or_else(|_| "2.4.65".to_owned());
    std::process::exit(httpd(&args[1..], &version));
}

fn httpd(args: &[String], version: &str) -> i32 {
    let mut file = CONFIG.to_owned();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "-v" => {
                println!("Server version: Apache/{version} (Unix)\nServer built:   Jan  1 2026 00:00:00");
                return 0;
            }
            "-t" => return check(&file),
            "-D" => drop(rest.next()),
            "-f" => file = rest.next().cloned().unwrap_or_default(),
            "-X" => {}
            define if define.starts_with("-D") => {}
            other => {
                eprintln!("kubonsai does not support the option {other} (httpd) yet");
                return 1;
            }
        }
    }
    let config = match config::load(&file, Disk { read: &read, list: &list }) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{error}");
            return 1;
        }
    };
    nameless(&config);
    run(&config, version)
}

fn read(file: &str) -> Option<String> {
    std::fs::read_to_string(file).ok()
}

fn list(folder: &str) -> Option<Vec<String>> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    Some(entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

/// Says what Apache says when nothing tells it its name.
fn nameless(config: &Config) {
    if config.server_name.is_none() {
        let own = own_address(&read("/etc/hosts").unwrap_or_default(), &proc::hostname());
        eprintln!(
            "AH00558: httpd: Could not reliably determine the server's fully qualified domain name, using {own}. Set the 'ServerName' directive globally to suppress this message"
        );
    }
}

/// The address that the hosts file gives a host.
fn own_address(hosts: &str, host: &str) -> String {
    let lines = hosts.lines().map(|line| line.split('#').next().unwrap_or(line).split_whitespace());
    let mut own = lines.filter(|words| words.clone().skip(1).any(|name| name == host));
    own.next().and_then(|mut words| words.next()).unwrap_or("127.0.0.1").to_owned()
}

/// `httpd -t`.
fn check(file: &str) -> i32 {
    match config::load(file, Disk { read: &read, list: &list }) {
        Ok(config) => {
            nameless(&config);
            eprintln!("Syntax OK");
            0
        }
        Err(error) => {
            eprintln!("{error}");
            1
        }
    }
}

/// What httpd says of a port that it cannot have.
fn bind_error(port: u16, error: &std::io::Error) -> String {
    let errno = proc::Errno::from_io(error);
    let (number, words) = (errno.linux_number(), errno.libc_words());
    format!("({number}){words}: AH00072: make_sock: could not bind to address 0.0.0.0:{port}")
}

fn run(config: &Config, version: &str) -> i32 {
    // The original reads its configuration twice, and so says this twice.
    nameless(config);
    for warning in &config.warnings {
        eprintln!("{}", log_line("core:warn", warning));
    }
    for signal in [proc::SIGTERM, proc::SIGINT, proc::SIGWINCH] {
        let _ = proc::on_signal(signal, proc::Disposition::Catch);
    }
    let port = config.ports.first().copied().unwrap_or(80);
    if let Some(other) = config.ports.iter().find(|p| **p != port) {
        let text = format!("kubonsai does not support a second port (httpd) yet: {other} is not served");
        eprintln!("{}", log_line("core:warn", &text));
    }
    let mut server = match Server::bind(port) {
        Ok(server) => server,
        Err(error) => {
            eprintln!("{}", bind_error(port, &error));
            eprintln!("no listening sockets available, shutting down\nAH00015: Unable to open logs");
            return 1;
        }
    };
    let started = format!("AH00489: Apache/{version} (Unix) configured -- resuming normal operations");
    eprintln!("{}", log_line("mpm_event:notice", &started));
    eprintln!("{}", log_line("core:notice", "AH00094: Command line: 'httpd -D FOREGROUND'"));
    let types = serve::types(&read("/usr/local/apache2/conf/mime.types").unwrap_or_default());
    let stopped = server.run(|request, peer| {
        let complain = |module: &str, text: &str| eprintln!("{}", log_line(module, &format!("[client {peer}] {text}")));
        let site = Site { config, version, types: &types, complain: &complain };
        let response = site.answer(request);
        println!("{}", access_line(request, &response, peer, config.combined));
        response
    });
    match stopped {
        Ok(signal) => {
            let text = match signal.0 {
                proc::SIGWINCH => "AH00492: caught SIGWINCH, shutting down gracefully",
                _ => "AH00491: caught SIGTERM, shutting down",
            };
            eprintln!("{}", log_line("mpm_event:notice", text));
            0
        }
        Err(_) => 1,
    }
}

/// A line of the access log, in the format `common` or `combined`.
fn access_line(request: &Request, response: &Response, peer: SocketAddrV4, combined: bool) -> String {
    let bytes = if request.method == "HEAD" { 0 } else { response.body_bytes() };
    let bytes = if bytes == 0 { "-".to_owned() } else { bytes.to_string() };
    let mut line = format!(
        "{} - - [{}] \"{} {} {}\" {} {bytes}",
        peer.ip(),
        log_date(SystemTime::now()),
        request.method,
        request.target,
        request.version,
        response.status,
    );
    if combined {
        let header = |name: &str| request.header(name).unwrap_or("-").to_owned();
        line.push_str(&format!(" \"{}\" \"{}\"", header("referer"), header("user-agent")));
    }
    line
}

/// A line of the error log: `[Sat Nov 21 02:38:39.123000 2026] [core:notice] [pid 1:tid 1] ...`.
fn log_line(level: &str, text: &str) -> String {
    let c = civil(SystemTime::now());
    let pid = proc::id();
    format!(
        "[{} {} {:02} {:02}:{:02}:{:02}.{:03}000 {:04}] [{level}] [pid {pid}:tid {pid}] {text}",
        c.day_name(),
        c.month_name(),
        c.day,
        c.hour,
        c.minute,
        c.second,
        c.millis,
        c.year
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_has_the_words_of_the_system() {
        let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let expected = "(13)Permission denied: AH00072: make_sock: could not bind to address 0.0.0.0:80";
        assert_eq!(bind_error(80, &denied), expected);
        let taken = std::io::Error::from(std::io::ErrorKind::AddrInUse);
        assert!(bind_error(80, &taken).starts_with(&format!("(98){}: ", proc::Errno::ADDRINUSE.libc_words())));
    }

    #[test]
    fn its_address_is_that_of_the_hosts_file() {
        let hosts = "# 1 web\n127.0.0.1\tlocalhost\n10.244.0.7\tweb.sub\tweb\n";
        assert_eq!((own_address(hosts, "web"), own_address(hosts, "x")), ("10.244.0.7".into(), "127.0.0.1".into()));
    }

    #[test]
    fn access_lines_are_common_or_combined() {
        let request = Request {
            method: "GET".into(),
            target: "/x".into(),
            version: "HTTP/1.1".into(),
            headers: vec![("User-Agent".into(), "curl/8.5.0".into())],
            body: Vec::new(),
        };
        let peer = SocketAddrV4::new([10, 244, 0, 1].into(), 4);
        let rest = |status: u16, body: &str, combined: bool| {
            let line = access_line(&request, &Response::new(status, "text/html", body), peer, combined);
            line.split_once("] ").map(|(_, rest)| rest.to_owned()).expect("a date")
        };
        assert_eq!(rest(404, "no", false), "\"GET /x HTTP/1.1\" 404 2");
        assert_eq!(rest(304, "", true), "\"GET /x HTTP/1.1\" 304 - \"-\" \"curl/8.5.0\"");
    }
}
