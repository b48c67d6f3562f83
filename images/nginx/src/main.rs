//! A stand-in for nginx: static files, locations, `return`, `proxy_pass`, its log formats and its start-up lines. As
//! `docker-entrypoint.sh` it is the image's entrypoint as well.

mod config;
mod proxy;
mod serve;
mod status;
mod variables;

use std::net::SocketAddrV4;
use std::time::SystemTime;

use net::http::{Request, Response, Server, log_date};

use crate::config::Config;
use crate::serve::{Site, log_line};

fn main() {
    proc::start();
    let args: Vec<String> = std::env::args().collect();
    let version = std::env::var("NGINX_VERSION").unwrap_or_else(|_| "1.29.3".to_owned());
    let name = args.first().map_or("", |a| a.rsplit('/').next().unwrap_or(a));
    let code =
        if name == "docker-entrypoint.sh" { entrypoint(&args[1..], &version) } else { nginx(&args[1..], &version) };
    std::process::exit(code);
}

/// Whether a version is at least this one.
fn since(version: &str, minor: u32) -> bool {
    let mut parts = version.split('.').filter_map(|p| p.parse::<u32>().ok());
    parts.next() > Some(1) || parts.next() >= Some(minor)
}

/// The entrypoint of the image: says what it would prepare, and goes on as the command.
fn entrypoint(command: &[String], version: &str) -> i32 {
    let Some(program) = command.first() else { return 0 };
    if program != "nginx" {
        return proc::exec(command, "/docker-entrypoint.sh: exec: line 47");
    }
    if since(version, 19) {
        for line in [
            "/docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration",
            "/docker-entrypoint.sh: Looking for shell scripts in /docker-entrypoint.d/",
            "/docker-entrypoint.sh: Launching /docker-entrypoint.d/10-listen-on-ipv6-by-default.sh",
            "10-listen-on-ipv6-by-default.sh: info: IPv6 listen already enabled",
            "/docker-entrypoint.sh: Configuration complete; ready for start up",
        ] {
            println!("{line}");
        }
    }
    nginx(&command[1..], version)
}

fn load() -> Result<Config, config::ConfigError> {
    let read = |file: &str| std::fs::read_to_string(file).ok();
    let list = |pattern: &str| -> Vec<String> {
        let (folder, name) = pattern.rsplit_once('/').unwrap_or((".", pattern));
        let (before, after) = name.split_once('*').unwrap_or((name, ""));
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        let names = entries.filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned()));
        let mut files: Vec<String> = names
            .filter(|n| !n.starts_with('.') && n.starts_with(before) && n.ends_with(after))
            .map(|n| format!("{folder}/{n}"))
            .collect();
        files.sort();
        files
    };
    config::load("/etc/nginx/nginx.conf", &read, &list)
}

/// What nginx says of a port that it cannot have.
fn bind_error(port: u16, error: &std::io::Error) -> String {
    let errno = proc::Errno::from_io(error);
    format!("bind() to 0.0.0.0:{port} failed ({}: {})", errno.linux_number(), errno.libc_words())
}

fn nginx(args: &[String], version: &str) -> i32 {
    match args.first().map(String::as_str) {
        Some("-v" | "-V") => {
            eprintln!("nginx version: nginx/{version}");
            return 0;
        }
        Some("-t" | "-T") => return check(),
        Some("-s") => return signal(args.get(1).map_or("", String::as_str)),
        _ => {}
    }
    let config = match load() {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{}", log_line("emerg", &error.to_string()));
            eprintln!("nginx: [emerg] {error}");
            return 1;
        }
    };
    for warning in &config.warnings {
        eprintln!("nginx: [warn] {warning}");
    }
    for signal in [proc::SIGTERM, proc::SIGINT, proc::SIGQUIT] {
        let _ = proc::on_signal(signal, proc::Disposition::Catch);
    }
    let ports: Vec<u16> = config.servers.iter().flat_map(|s| s.ports.iter().copied()).collect();
    let port = ports.first().copied().unwrap_or(80);
    if let Some(other) = ports.iter().find(|p| **p != port) {
        eprintln!("nginx: [warn] kubonsai does not support a second port (nginx) yet: {other} is not served");
    }
    let mut server = match Server::bind(port) {
        Ok(server) => server,
        Err(error) => {
            let what = bind_error(port, &error);
            eprintln!("{}\nnginx: [emerg] {what}", log_line("emerg", &what));
            return 1;
        }
    };
    if since(version, 21) {
        for line in [
            "using the \"epoll\" event method",
            &format!("nginx/{version}"),
            "start worker processes",
            "start worker process 29",
        ] {
            eprintln!("{}", log_line("notice", line));
        }
    }
    serve(&mut server, &config, version)
}

fn serve(server: &mut Server, config: &Config, version: &str) -> i32 {
    let site = Site { config, version };
    let stopped = server.run(|request, peer| {
        let (answer, log) = site.answer(request, peer);
        if log {
            println!("{}", access_line(request, &answer.response, peer));
        }
        answer
    });
    match stopped {
        Ok(signal) => {
            if since(version, 21) {
                let (name, what) = match signal.0 {
                    proc::SIGQUIT => ("SIGQUIT", "shutting down"),
                    proc::SIGINT => ("SIGINT", "exiting"),
                    _ => ("SIGTERM", "exiting"),
                };
                eprintln!("{}", log_line("notice", &format!("signal {} ({name}) received, {what}", signal.0)));
                eprintln!("{}", log_line("notice", "exit"));
            }
            0
        }
        Err(error) => {
            eprintln!("{}", log_line("alert", &error.to_string()));
            1
        }
    }
}

/// A line of the access log: the combined format with the forwarded address at its end, as the image configures it.
fn access_line(request: &Request, response: &Response, peer: SocketAddrV4) -> String {
    let header = |name: &str| request.header(name).unwrap_or("-").to_owned();
    let bytes = if request.method == "HEAD" { 0 } else { response.body_bytes() };
    format!(
        "{} - - [{}] \"{} {} {}\" {} {bytes} \"{}\" \"{}\" \"{}\"",
        peer.ip(),
        log_date(SystemTime::now()),
        request.method,
        request.target,
        request.version,
        response.status,
        header("referer"),
        header("user-agent"),
        header("x-forwarded-for"),
    )
}

/// `nginx -t`.
fn check() -> i32 {
    const FILE: &str = "/etc/nginx/nginx.conf";
    match load() {
        Ok(_) => {
            eprintln!("nginx: the configuration file {FILE} syntax is ok");
            eprintln!("nginx: configuration file {FILE} test is successful");
            0
        }
        Err(error) => {
            eprintln!("nginx: [emerg] {error}");
            eprintln!("nginx: configuration file {FILE} test failed");
            1
        }
    }
}

/// `nginx -s SIGNAL`.
fn signal(name: &str) -> i32 {
    let number = match name {
        "stop" => proc::SIGTERM,
        "quit" => proc::SIGQUIT,
        "reload" | "reopen" => {
            eprintln!(
                "nginx: kubonsai does not support reloading the configuration (nginx) yet; delete the pod instead"
            );
            return 1;
        }
        other => {
            eprintln!("nginx: invalid option: \"-s {other}\"");
            return 1;
        }
    };
    match proc::kill(1, number) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("nginx: [alert] kill(1, {number}) failed ({error})");
            1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_has_the_words_of_the_system() {
        let taken = std::io::Error::from(std::io::ErrorKind::AddrInUse);
        let words = proc::Errno::ADDRINUSE.libc_words();
        assert_eq!(bind_error(80, &taken), format!("bind() to 0.0.0.0:80 failed (98: {words})"));
        let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        assert_eq!(bind_error(80, &denied), "bind() to 0.0.0.0:80 failed (13: Permission denied)");
    }

    #[test]
    fn access_lines_have_the_form_of_the_image() {
        let request = Request {
            method: "GET".into(),
            target: "/x".into(),
            version: "HTTP/1.1".into(),
            headers: vec![("User-Agent".into(), "curl/8.5.0".into())],
            body: Vec::new(),
        };
        let line =
            access_line(&request, &Response::new(404, "text/html", "no"), SocketAddrV4::new([10, 244, 0, 1].into(), 4));
        let (start, rest) = line.split_once(" [").expect("a date");
        assert_eq!(start, "10.244.0.1 - -");
        assert_eq!(rest.split_once("] ").map(|(_, r)| r), Some("\"GET /x HTTP/1.1\" 404 2 \"-\" \"curl/8.5.0\" \"-\""));
    }

    #[test]
    fn versions_compare() {
        assert!(since("1.19.10", 19) && since("1.27.5", 21) && since("2.0", 1) && !since("1.14.2", 19));
    }
}
