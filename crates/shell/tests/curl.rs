//! curl and wget against servers in the simulated network.

mod common;

use std::net::SocketAddrV4;

use api::http::{Body, Response};
use network::Ipv4Addr;
use network::http1::serve;

const HOST: Ipv4Addr = Ipv4Addr::new(192, 168, 49, 2);

/// A machine with a server at 192.168.49.2:30080.
fn machine() -> common::Machine {
    let machine = common::Machine::new();
    let ns = machine.fabric.attach("minikube", &[HOST]);
    let listener = ns.listen(SocketAddrV4::new(HOST, 30080)).expect("a free port");
    let sim = machine.ctx.sim.clone();
    let world = machine.ctx.sim.clone();
    let server = serve(
        &world,
        listener,
        std::rc::Rc::new(
            move |request: api::http::Request| -> futures_util::future::LocalBoxFuture<'static, Response> {
                let sim = sim.clone();
                Box::pin(async move {
                    let path = request.uri().path().to_owned();
                    let method = request.method().to_string();
                    let builder = http::Response::builder();
                    let (builder, text) = match path.as_str() {
                        "/missing" => (builder.status(404), "nope\n".to_owned()),
                        "/moved" => (builder.status(302).header("Location", "/hello"), String::new()),
                        "/slow" => {
                            sim.sleep(std::time::Duration::from_secs(30)).await;
                            (builder, "late\n".to_owned())
                        }
                        "/echo" => {
                            let kind =
                                request.headers().get("content-type").map(|v| v.to_str().unwrap_or("").to_owned());
                            let body = request.into_body().into_bytes().unwrap_or_default();
                            let text = String::from_utf8_lossy(&body).into_owned();
                            (builder, format!("{method} {} {text}\n", kind.unwrap_or_default()))
                        }
                        _ => (builder.header("Content-Type", "text/plain"), "hello\n".to_owned()),
                    };
                    builder.body(Body::Bytes(text.into())).expect("a response")
                })
            },
        ),
    );
    std::mem::forget(server); // for as long as the test lives
    std::mem::forget(ns);
    machine
}

#[track_caller]
fn check(script: &str, stdout: &str, stderr: &str, code: i32) {
    assert_eq!(machine().bash(script), (stdout.to_owned(), stderr.to_owned(), code), "{script}");
}

#[test]
fn bodies_and_options() {
    check("curl -s 192.168.49.2:30080", "hello\n", "", 0);
    check("curl -s http://192.168.49.2:30080/missing", "nope\n", "", 0);
    check("curl -sL http://192.168.49.2:30080/moved", "hello\n", "", 0);
    check("curl -s http://192.168.49.2:30080/moved", "", "", 0);
    check("curl -s -d a=b http://192.168.49.2:30080/echo", "POST application/x-www-form-urlencoded a=b\n", "", 0);
    check(
        "curl -s -X PUT -H 'Content-Type: application/json' -d '{}' http://192.168.49.2:30080/echo",
        "PUT application/json {}\n",
        "",
        0,
    );
    check("curl -s -o f 192.168.49.2:30080 -w '%{http_code} %{size_download}\\n'; cat f", "200 6\nhello\n", "", 0);
    check("curl -sO 192.168.49.2:30080/page.txt && cat page.txt", "hello\n", "", 0);
    check("for i in $(seq 3); do curl -s 192.168.49.2:30080; done", "hello\nhello\nhello\n", "", 0);
}

#[test]
fn failures_have_curls_words_and_codes() {
    check("curl -s http://localhost:8001/version", "", "", 7);
    check(
        "curl -sS http://localhost:8001/version",
        "",
        "curl: (7) Failed to connect to localhost port 8001 after 0 ms: Couldn't connect to server\n",
        7,
    );
    check("curl -sS http://nosuch.example", "", "curl: (6) Could not resolve host: nosuch.example\n", 6);
    check("curl -fsS 192.168.49.2:30080/missing", "", "curl: (22) The requested URL returned error: 404\n", 22);
    check(
        "curl -sS -m 2 192.168.49.2:30080/slow",
        "",
        "curl: (28) Operation timed out after 2000 milliseconds with 0 bytes received\n",
        28,
    );
    check("curl -sS http://", "", "curl: (3) URL using bad/illegal format or missing URL\n", 3);
    check("curl", "", "curl: try 'curl --help' or 'curl --manual' for more information\n", 2);
    check(
        "curl --nosuch x",
        "",
        "curl: option --nosuch: is unknown\ncurl: try 'curl --help' or 'curl --manual' for more information\n",
        2,
    );
    check(
        "curl -sS https://192.168.49.2:8443",
        "",
        "curl: (1) kubonsai does not support https in curl (shell) yet\n",
        1,
    );
    check("curl -sS foo://x", "", "curl: (1) Protocol \"foo\" not supported or disabled in libcurl\n", 1);
}

#[test]
fn the_meter_goes_to_standard_error_when_output_is_no_terminal() {
    let (stdout, stderr, code) = machine().bash("curl 192.168.49.2:30080 | cat");
    assert_eq!((stdout.as_str(), code), ("hello\n", 0));
    assert!(stderr.starts_with("  % Total    % Received % Xferd"), "{stderr}");
    assert!(stderr.contains("\r100     6  100     6    0     0 "), "{stderr}");
}

#[test]
fn verbose_shows_both_sides() {
    let (_, stderr, _) = machine().bash("curl -sv 192.168.49.2:30080/x");
    for line in [
        "*   Trying 192.168.49.2:30080...\n",
        "* Connected to 192.168.49.2 (192.168.49.2) port 30080 (#0)\n",
        "> GET /x HTTP/1.1\n> Host: 192.168.49.2:30080\n> User-Agent: curl/7.88.1\n> Accept: */*\n> \n",
        "< HTTP/1.1 200 OK\n",
        "< Content-Type: text/plain\n",
        "* Connection #0 to host 192.168.49.2 left intact\n",
    ] {
        assert!(stderr.contains(line), "{line:?} in {stderr}");
    }
}

#[test]
fn wget_downloads() {
    check("wget -q -O - 192.168.49.2:30080", "hello\n", "", 0);
    check("wget -q 192.168.49.2:30080/a.txt; cat a.txt", "hello\n", "", 0);
    let (_, stderr, code) = machine().bash("wget 192.168.49.2:30080/missing");
    assert!(
        stderr.ends_with("awaiting response... 404 Not Found\n2026-11-21 03:08:21 ERROR 404: Not Found.\n\n")
            || stderr.contains("ERROR 404: Not Found."),
        "{stderr}"
    );
    assert_eq!(code, 8);
}
