//! What the servers say: who answers, and what was asked.

use std::net::SocketAddrV4;
use std::time::SystemTime;

use net::http::{Request, Response, Server, http_date, log_date};

use crate::whoami::sorted;
use crate::{clean, fatal, go, listen, own_address, serve, stamp, text};

/// `hello-app`: the version in its answer is that of the image.
pub fn hello_app() -> i32 {
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(8080);
    let version = std::env::var("HELLO_APP_VERSION").unwrap_or_else(|_| "1.0.0".to_owned());
    eprintln!("{} Server listening on port {port}", stamp());
    let server = match listen(port) {
        Ok(server) => server,
        Err(what) => return fatal(&what),
    };
    serve(server, go, |request, _| {
        eprintln!("{} Serving request: {}", stamp(), request.path());
        let host = proc::hostname();
        text(format!("Hello, world!\nVersion: {version}\nHostname: {host}\n"))
            .header("Date", http_date(SystemTime::now()))
    })
}

/// `echoserver`, which is nginx with a script: version 1.4 has a layout of its own.
pub fn echoserver() -> i32 {
    let old = std::env::var("ECHOSERVER_VERSION").is_ok_and(|version| version == "1.4");
    let Some(server) = nginx(8080) else { return 1 };
    serve(server, clean, |request, peer| {
        let body = if old {
            client_values(request, peer)
        } else {
            request_information(request, peer, &pod(|name| std::env::var(name).ok()))
        };
        println!("{}", access_line(request, body.len(), peer));
        let (server, kind) = if old { ("nginx/1.10.0", "text/plain") } else { ("echoserver", "text/plain") };
        Response::new(200, kind, body).header("Server", server).header("Date", http_date(SystemTime::now()))
    })
}

/// Listens as nginx does, with its words for a port that is taken.
fn nginx(port: u16) -> Option<Server> {
    let refused = |error| {
        let (pid, errno) = (proc::id(), proc::Errno::from_io(&error));
        let (number, words) = (errno.linux_number(), errno.libc_words());
        eprintln!("{} [emerg] {pid}#{pid}: bind() to 0.0.0.0:{port} failed ({number}: {words})", stamp());
    };
    Server::bind(port).map_err(refused).ok()
}

/// A line of nginx' access log.
fn access_line(request: &Request, bytes: usize, peer: SocketAddrV4) -> String {
    let header = |name: &str| request.header(name).unwrap_or("-").to_owned();
    format!(
        "{} - - [{}] \"{} {} {}\" 200 {bytes} \"{}\" \"{}\"",
        peer.ip(),
        log_date(SystemTime::now()),
        request.method,
        request.target,
        request.version,
        header("referer"),
        header("user-agent"),
    )
}

/// The parts of a request that both layouts name: its version, its query and its whole address.
fn parts(request: &Request) -> (&str, Option<&str>, String) {
    let host = request.header("host").unwrap_or("").split(':').next().unwrap_or("");
    let query = request.target.split_once('?').map(|(_, query)| query);
    (request.version.trim_start_matches("HTTP/"), query, format!("http://{host}:8080{}", request.target))
}

fn headers(request: &Request, indent: &str) -> String {
    sorted(request).into_iter().map(|(name, value)| format!("{indent}{name}={value}\n")).collect()
}

/// The body, or nothing if there is none.
fn body(request: &Request) -> Option<String> {
    (!request.body.is_empty()).then(|| String::from_utf8_lossy(&request.body).into_owned())
}

fn client_values(request: &Request, peer: SocketAddrV4) -> String {
    let (version, query, uri) = parts(request);
    format!(
        "CLIENT VALUES:\nclient_address={}\ncommand={}\nreal path={}\nquery={}\nrequest_version={version}\nrequest_uri={uri}\n\nSERVER VALUES:\nserver_version=nginx: 1.10.0 - lua: 10001\n\nHEADERS RECEIVED:\n{}BODY:\n{}",
        peer.ip(),
        request.method,
        request.target,
        query.unwrap_or("nil"),
        headers(request, ""),
        body(request).unwrap_or_else(|| "-no body in request-".to_owned()),
    )
}

/// What the variables of the pod say, in lines: all of them once there is a name.
fn pod(variable: impl Fn(&str) -> Option<String>) -> String {
    if variable("POD_NAME").is_none() {
        return "\t-no pod information available-\n".to_owned();
    }
    let names = [
        ("NODE_NAME", "node name"),
        ("POD_NAME", "pod name"),
        ("POD_NAMESPACE", "pod namespace"),
        ("POD_IP", "pod IP"),
    ];
    let value = |name| variable(name).map_or("N/A".to_owned(), |value| escape(&value));
    names.iter().map(|(variable, name)| format!("\t{name}:\t{}\n", value(variable))).collect()
}

/// What the template of 1.10 does to every value.
fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

fn request_information(request: &Request, peer: SocketAddrV4, pod: &str) -> String {
    let (version, query, uri) = parts(request);
    format!(
        "\n\nHostname: {}\n\nPod Information:\n{pod}\nServer values:\n\tserver_version=nginx: 1.13.3 - lua: 10008\n\nRequest Information:\n\tclient_address={}\n\tmethod={}\n\treal path={}\n\tquery={}\n\trequest_version={version}\n\trequest_scheme=http\n\trequest_uri={}\n\nRequest Headers:\n{}\nRequest Body:\n{}\n\n",
        escape(&proc::hostname()),
        peer.ip(),
        escape(&request.method),
        escape(&request.target),
        escape(query.unwrap_or("")),
        escape(&uri),
        escape(&headers(request, "\t")),
        body(request).map_or("\t-no body in request-".to_owned(), |body| escape(&body)),
    )
}

/// nginxdemos/hello:plain-text.
pub fn nginx_hello() -> i32 {
    let own = own_address();
    let mut requests = 0u64;
    let Some(server) = nginx(80) else { return 1 };
    serve(server, clean, |request, peer| {
        requests += 1;
        let now = SystemTime::now();
        let seed = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_nanos());
        let id =
            format!("{:032x}", seed.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835) ^ u128::from(requests));
        let body = format!(
            "Server address: {own}:80\nServer name: {}\nDate: {}\nURI: {}\nRequest ID: {id}\n",
            proc::hostname(),
            log_date(now),
            request.target,
        );
        println!("{} \"-\"", access_line(request, body.len(), peer));
        Response::new(200, "text/plain", body)
            .header("Server", "nginx/1.27.4")
            .header("Date", http_date(now))
            .header("Cache-Control", "no-cache")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> (Request, SocketAddrV4) {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let request = Request {
            method: "GET".into(),
            target: "/a?b=c".into(),
            version: "HTTP/1.1".into(),
            headers: vec![header("User-Agent", "curl/8"), header("Host", "web:30000"), header("Accept", "*/*")],
            body: Vec::new(),
        };
        (request, SocketAddrV4::new([10, 244, 0, 1].into(), 40_000))
    }

    #[test]
    fn the_two_layouts_of_echoserver() {
        let (mut request, peer) = request();
        let old = client_values(&request, peer);
        assert!(
            old.starts_with("CLIENT VALUES:\nclient_address=10.244.0.1\ncommand=GET\nreal path=/a?b=c\nquery=b=c\n")
        );
        let end = "HEADERS RECEIVED:\naccept=*/*\nhost=web:30000\nuser-agent=curl/8\nBODY:\n-no body in request-";
        assert!(old.contains("request_uri=http://web:8080/a?b=c\n\nSERVER VALUES:\n") && old.ends_with(end), "{old}");
        let new = request_information(&request, peer, &pod(|_| None));
        assert!(new.contains("\n\nPod Information:\n\t-no pod information available-\n\nServer values:\n"), "{new}");
        assert!(new.ends_with("\tuser-agent=curl/8\n\nRequest Body:\n\t-no body in request-\n\n"), "{new}");
        let variables = |name: &str| (name == "POD_NAME").then(|| "p".to_owned());
        let lines = "\tnode name:\tN/A\n\tpod name:\tp\n\tpod namespace:\tN/A\n\tpod IP:\tN/A\n";
        assert_eq!(pod(variables), lines);
        request.body = b"a=<'\"&>".to_vec();
        request.headers.push(("X-Tag".into(), "<b>".into()));
        assert!(client_values(&request, peer).ends_with("x-tag=<b>\nBODY:\na=<'\"&>"));
        let new = request_information(&request, peer, lines);
        let end = "\tx-tag=&lt;b&gt;\n\nRequest Body:\na=&lt;&#39;&quot;&amp;&gt;\n\n";
        assert!(new.contains("Information:\n\tnode name:") && new.ends_with(end), "{new}");
    }
}
