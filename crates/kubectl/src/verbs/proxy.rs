//! `kubectl proxy`: an HTTP server on the learner's machine in front of the API server (`kubectl/pkg/proxy`).

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use api::http::{Body, HeaderValue, Request, Response, StatusCode, header};
use bytes::Bytes;
use network::http1;

use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, duration, int, switch, text};
use crate::rest::Rest;
use crate::session::Session;

static FLAGS: &[Flag] = &[
    text("accept-hosts", "^localhost$,^127\\.0\\.0\\.1$,^\\[::1\\]$", "Hosts by which the proxy may be called."),
    text("accept-paths", "^.*", "Paths that are passed on."),
    text("address", "127.0.0.1", "Address to listen at."),
    text("api-prefix", "/", "Path under which the API is found."),
    switch("append-server-path", "Put the path of the server's URL before every path."),
    switch("disable-filter", "Pass everything on. This is dangerous."),
    duration("keepalive", "0s", "Keep-alive of connections."),
    int("port", "8001", "Port to listen at; 0 picks one.").short('p'),
    text("reject-methods", "^$", "Methods that are refused."),
    text("reject-paths", "^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach", "Paths that are refused."),
    text("unix-socket", "", "Socket to listen at instead of a port.").short('u'),
    text("www", "", "Directory with files to serve.").short('w'),
    text("www-prefix", "/static/", "Path under which those files are found.").short('P'),
];

/// The command.
pub static PROXY: Command = Command {
    name: "proxy",
    usage: "[--port=PORT] [--www=static-dir] [--www-prefix=prefix] [--api-prefix=prefix]",
    short: "Run a proxy to the Kubernetes API server",
    long: "Listen on this machine and pass every request on to the API server, signed with your credentials.

 While it runs, anything on this machine can talk to the API with plain HTTP.",
    examples: &[("Listen on port 8001", "kubectl proxy"), ("Listen on port 8011", "kubectl proxy --port=8011")],
    flags: &[FLAGS],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let rest = session.rest(&args)?;
    let unbuilt = [
        "accept-hosts",
        "accept-paths",
        "api-prefix",
        "append-server-path",
        "reject-methods",
        "reject-paths",
        "unix-socket",
        "www",
        "www-prefix",
    ];
    if unbuilt.iter().any(|flag| args.changed(flag)) {
        return Err(Failure::message(simulation::stub!("kubectl proxy", "filters, prefixes, --unix-socket and --www")));
    }
    let Some(net) = session.place.net() else {
        return Err(Failure::message(simulation::stub!("kubectl proxy", "a machine without a network")));
    };
    let address = args.text("address");
    let ip: Ipv4Addr = match address {
        "localhost" => Ipv4Addr::LOCALHOST,
        text => text.parse().map_err(|_| Failure::message(format!("listen tcp: lookup {text}: no such host")))?,
    };
    let Ok(port) = u16::try_from(args.int("port")) else {
        return Err(Failure::message(format!("listen tcp: address {}: invalid port", args.int("port"))));
    };
    let at = SocketAddrV4::new(ip, port);
    let listener = net.listen(at).map_err(|why| Failure::message(format!("listen tcp {at}: bind: {why}")))?;
    let shown = listener.local_addr();
    let filter = !args.on("disable-filter");
    let handler: http1::Handler = Rc::new(move |request| {
        let rest = rest.clone();
        Box::pin(async move { answer(&rest, request, filter).await })
    });
    let server = http1::serve(&session.sim, listener, handler);
    session.out(format!("Starting to serve on {shown}\n")).await?;
    // The server lives until the program is interrupted.
    futures_util::future::pending::<()>().await;
    drop(server);
    Ok(())
}

/// Paths that would give a shell in a container to every web page.
fn is_rejected(path: &str) -> bool {
    path.starts_with("/api/") && path.contains("/pods/") && (path.contains("/exec") || path.contains("/attach"))
}

fn is_accepted_host(request: &Request) -> bool {
    let host = request.headers().get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or("localhost");
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

async fn answer(rest: &Rest, request: Request, filter: bool) -> Response {
    if filter && (!is_accepted_host(&request) || is_rejected(request.uri().path())) {
        return plain(StatusCode::FORBIDDEN, "Forbidden");
    }
    match rest.forward(request).await {
        Ok(response) => response,
        Err(failure) => plain(StatusCode::BAD_GATEWAY, &failure.bare()),
    }
}

fn plain(status: StatusCode, text: &str) -> Response {
    let mut response = Response::new(Body::Bytes(Bytes::from(format!("{text}\n"))));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
