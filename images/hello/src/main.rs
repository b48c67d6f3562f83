//! Stand-ins for small servers that tell who answers or what they were asked: `http-echo`, `hello-app`, `echoserver`,
//! `whoami` and the text of nginxdemos/hello. The name that the program is started by says which.

mod echo;
mod pages;
mod whoami;

use std::net::SocketAddrV4;
use std::time::SystemTime;

use net::http::{Delayed, Request, Response, Server, civil};

fn main() {
    proc::start();
    let args: Vec<String> = std::env::args().collect();
    let name = args.first().map_or("", |a| a.rsplit('/').next().unwrap_or(a));
    let rest = args.get(1..).unwrap_or(&[]);
    std::process::exit(match name {
        "http-echo" => echo::run(rest),
        "hello-app" => pages::hello_app(),
        "whoami" => whoami::run(rest),
        "echoserver" => pages::echoserver(),
        _ => pages::nginx_hello(),
    });
}

/// A program in Go that does not ask for the signal: as the first process of its container it cannot die of it, and ends with 2.
fn go(_: u32) -> Option<i32> {
    Some(2)
}

/// A program that ends as it should.
fn clean(_: u32) -> Option<i32> {
    Some(0)
}

/// Listens on a port.
///
/// # Errors
/// Go's words.
fn listen(port: u16) -> Result<Server, String> {
    Server::bind(port).map_err(|error| format!("listen tcp :{port}: {}", bind_error(&error)))
}

fn bind_error(error: &std::io::Error) -> String {
    format!("bind: {}", proc::Errno::from_io(error).go_words())
}

/// What `log.Fatal` does.
fn fatal(what: &str) -> i32 {
    eprintln!("{} {what}", stamp());
    1
}

/// Serves until a signal ends it; the exit code. `ending` says what a signal does: the exit code, or nothing if it goes on.
fn serve<A: Into<Delayed>>(
    mut server: Server,
    ending: impl Fn(u32) -> Option<i32>,
    mut handle: impl FnMut(&Request, SocketAddrV4) -> A,
) -> i32 {
    for signal in [proc::SIGTERM, proc::SIGINT, proc::SIGQUIT] {
        let _ = proc::on_signal(signal, proc::Disposition::Catch);
    }
    loop {
        match server.run(&mut handle) {
            Ok(signal) => {
                if let Some(code) = ending(signal.0) {
                    return code;
                }
            }
            Err(_) => return 1,
        }
    }
}

/// The time as Go's log prints it: `2026/11/21 02:38:39`.
fn stamp() -> String {
    let c = civil(SystemTime::now());
    format!("{:04}/{:02}/{:02} {:02}:{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second)
}

/// An answer of plain text.
fn text(body: String) -> Response {
    Response::new(200, "text/plain; charset=utf-8", body)
}

/// The address that the hosts file gives this host.
fn own_address() -> String {
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let host = proc::hostname();
    let mut lines = hosts.lines().map(str::split_whitespace);
    let own = lines.find(|words| words.clone().skip(1).any(|name| name == host));
    own.and_then(|mut words| words.next()).unwrap_or("127.0.0.1").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_has_gos_words() {
        let error = std::io::Error::from(std::io::ErrorKind::AddrInUse);
        assert_eq!(bind_error(&error), "bind: address already in use");
        assert_eq!(proc::Errno::ADDRINUSE.glibc_words(), "Address already in use");
    }
}
