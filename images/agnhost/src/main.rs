//! Stand-ins for two small servers of the tutorials: `agnhost` (netexec, liveness, pause) and `echo-server`.

use std::net::SocketAddrV4;
use std::time::{Duration, Instant, SystemTime};

use net::http::{Request, Response, Server, civil};

/// Seconds after which `agnhost liveness` begins to fail.
const HEALTHY_SECONDS: f64 = 10.0;

fn main() {
    proc::start();
    let args: Vec<String> = std::env::args().collect();
    let name = args.first().map_or("", |a| a.rsplit('/').next().unwrap_or(a));
    for signal in [proc::SIGTERM, proc::SIGINT] {
        let _ = proc::on_signal(signal, proc::Disposition::Catch);
    }
    let code = match (name, args.get(1).map(String::as_str)) {
        ("echo-server", _) => echo_server(),
        (_, Some("netexec")) => netexec(port(&args, "8080")),
        (_, Some("liveness")) => liveness(),
        (_, Some("pause")) => pause(),
        (_, Some(other)) => {
            eprintln!("Error: kubonsai does not support the command {other} (agnhost) yet");
            1
        }
        (_, None) => {
            println!("Usage:\n  app [command]\n\nAvailable Commands:\n  liveness\n  netexec\n  pause");
            0
        }
    };
    std::process::exit(code);
}

/// The value of `--http-port`.
fn port(args: &[String], default: &str) -> u16 {
    let text = args.iter().find_map(|a| a.strip_prefix("--http-port=")).unwrap_or(default);
    text.parse().unwrap_or(8080)
}

/// A line of klog's form on standard error.
fn log(text: &str) {
    let c = civil(SystemTime::now());
    let (month, day, micros) = (c.month, c.day, c.millis * 1000);
    eprintln!(
        "I{month:02}{day:02} {:02}:{:02}:{:02}.{micros:06} {:>7} log.go:245] {text}",
        c.hour,
        c.minute,
        c.second,
        proc::id()
    );
}

fn serve(port: u16, handle: impl FnMut(&Request, SocketAddrV4) -> Response) -> i32 {
    let mut server = match Server::bind(port) {
        Ok(server) => server,
        Err(error) => {
            log(&format!("listen tcp :{port}: bind: {}", proc::Errno::from_io(&error)));
            return 1;
        }
    };
    match server.run(handle) {
        Ok(signal) => 128 + signal.0.cast_signed(),
        Err(_) => 1,
    }
}

fn text(status: u16, body: impl Into<Vec<u8>>) -> Response {
    Response::new(status, "text/plain; charset=utf-8", body)
}

/// The value of a query's key.
fn query<'a>(request: &'a Request, key: &str) -> Option<&'a str> {
    let (_, query) = request.target.split_once('?')?;
    query.split('&').find_map(|pair| pair.split_once('=').filter(|(k, _)| *k == key).map(|(_, v)| v))
}

fn now() -> String {
    let c = civil(SystemTime::now());
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03} +0000 UTC",
        c.year, c.month, c.day, c.hour, c.minute, c.second, c.millis
    )
}

fn netexec(port: u16) -> i32 {
    log(&format!("Started HTTP server on port {port}"));
    let started = Instant::now();
    serve(port, |request, peer| {
        log(&format!("{} {}", request.method, request.target));
        match request.path() {
            "/" => text(200, format!("NOW: {} m=+{:.3}", now(), started.elapsed().as_secs_f64())),
            "/hostname" | "/hostName" => text(200, proc::hostname()),
            "/clientip" => text(200, peer.to_string()),
            "/echo" => text(200, query(request, "msg").unwrap_or("").replace('+', " ")),
            "/healthz" => text(200, ""),
            "/header" => text(200, request.header(query(request, "key").unwrap_or("")).unwrap_or("")),
            "/exit" => std::process::exit(query(request, "code").and_then(|c| c.parse().ok()).unwrap_or(0)),
            "/shutdown" => std::process::exit(0),
            "/shell" | "/dial" | "/upload" | "/redirect" => {
                let path = request.path();
                text(501, format!("kubonsai does not support {path} (agnhost) yet\n"))
            }
            _ => text(404, "404 page not found\n"),
        }
    })
}

fn liveness() -> i32 {
    let started = Instant::now();
    serve(8080, |request, _| {
        let seconds = started.elapsed().as_secs_f64();
        match request.path() {
            "/started" => text(200, format!("{seconds}")),
            "/healthz" if seconds > HEALTHY_SECONDS => text(500, format!("error: {seconds}")),
            "/healthz" => text(200, "ok"),
            _ => text(404, "404 page not found\n"),
        }
    })
}

fn pause() -> i32 {
    println!("Paused");
    loop {
        // Unlike a sleep, a wait ends when a signal comes.
        let _ = net::wait(&[], Some(Duration::from_secs(3600)));
        if let Some(signal) = proc::take_signal() {
            return 128 + signal.cast_signed();
        }
    }
}

fn echo_server() -> i32 {
    let port: u16 = std::env::var("PORT").ok().and_then(|p| p.parse().ok()).unwrap_or(8080);
    println!("Echo server listening on port {port}.");
    serve(port, |request, peer| {
        println!("{peer} | {} {}", request.method, request.target);
        text(200, echo(request, &proc::hostname()))
    })
}

fn echo(request: &Request, host: &str) -> Vec<u8> {
    let mut out = format!("Request served by {host}\n\n{} {} {}\n\n", request.version, request.method, request.target);
    for (name, value) in &request.headers {
        out.push_str(&format!("{name}: {value}\n"));
    }
    let mut out = out.into_bytes();
    if !request.body.is_empty() {
        out.push(b'\n');
        out.extend_from_slice(&request.body);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_echoed() {
        let request = Request {
            method: "GET".into(),
            target: "/a?msg=b+c".into(),
            version: "HTTP/1.1".into(),
            headers: vec![("Host".into(), "x".into())],
            body: Vec::new(),
        };
        assert_eq!(echo(&request, "pod"), b"Request served by pod\n\nHTTP/1.1 GET /a?msg=b+c\n\nHost: x\n");
        assert_eq!(query(&request, "msg"), Some("b+c"));
        assert_eq!(port(&["a".into(), "--http-port=80".into()], "8080"), 80);
    }
}
