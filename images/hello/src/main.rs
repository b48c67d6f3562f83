//! Stand-ins for small servers that tell who answers or what they were asked: `http-echo`, `hello-app`, `echoserver`,
//! `whoami` and the text of nginxdemos/hello. The name that the program is started by says which.

mod echo;
mod pages;

use std::net::SocketAddrV4;
use std::time::SystemTime;

use net::http::{Request, Response, Server, civil};

fn main() {
    proc::start();
    let args: Vec<String> = std::env::args().collect();
    let name = args.first().map_or("", |a| a.rsplit('/').next().unwrap_or(a));
    let rest = args.get(1..).unwrap_or(&[]);
    std::process::exit(match name {
        "http-echo" => echo::run(rest),
        "hello-app" => pages::hello_app(),
        "whoami" => pages::whoami(rest),
        "echoserver" => pages::echoserver(),
        _ => pages::nginx_hello(),
    });
}

/// What a program does when it is told to end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// 2: one in Go that does not ask for the signal; as the first process of its container it cannot die of it.
    Go,
    /// 0.
    Clean,
}

/// Serves until a signal comes; the exit code.
fn serve(port: u16, ending: Ending, handle: impl FnMut(&Request, SocketAddrV4) -> Response) -> i32 {
    for signal in [proc::SIGTERM, proc::SIGINT, proc::SIGQUIT] {
        let _ = proc::on_signal(signal, proc::Disposition::Catch);
    }
    let mut server = match Server::bind(port) {
        Ok(server) => server,
        Err(error) => {
            eprintln!("{} listen tcp :{port}: bind: {}", stamp(), proc::Errno::from_io(&error));
            return 1;
        }
    };
    match server.run(handle) {
        Ok(_) if ending == Ending::Clean => 0,
        Ok(_) => 2,
        Err(_) => 1,
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
