//! Exchanges over a fabric.

use std::rc::Rc;

use api::http::{Body, Chunk, Method, Request, Response, header};
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, stream};

use super::{HttpError, request_to, serve};
use crate::tests::{at, run, sim};
use crate::{Fabric, TcpStream};

/// What a server that writes `answer` and closes makes a client see.
fn check(answer: &'static str, expected: Result<(u16, &str), HttpError>) {
    let sim = sim();
    let fabric = Fabric::new(sim.clone());
    let ns = fabric.attach("pod/default/a", &["10.244.0.2".parse().unwrap()]);
    let listener = ns.listen(at("0.0.0.0:80")).unwrap();
    sim.spawn(async move {
        let stream = listener.accept().await.unwrap();
        stream.read().await.unwrap();
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    let seen = run(&sim, async move {
        let request = http::Request::get("/").body(Body::Empty).unwrap();
        let response = request_to(&ns, at("10.244.0.2:80"), request).await?;
        let status = response.status().as_u16();
        Ok((status, text(response).await))
    });
    assert_eq!(seen, expected.map(|(status, body)| (status, body.to_owned())));
}

async fn text(response: Response) -> String {
    let bytes = match response.into_body() {
        Body::Stream(pieces) => pieces.map(Chunk::into_bytes).collect::<Vec<Bytes>>().await.concat(),
        body => body.into_bytes().unwrap().to_vec(),
    };
    String::from_utf8(bytes).unwrap()
}

#[test]
fn framings() {
    check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", Ok((200, "hi")));
    check("HTTP/1.1 404 Not Found\r\n\r\nuntil close", Ok((404, "until close")));
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n3;x=y\r\n yo\r\n0\r\n\r\n",
        Ok((200, "hi yo")),
    );
    check("HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\n\r\nhello", Ok((101, "hello")));
    check("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", Ok((204, "")));
    check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", Err(HttpError::Closed));
    check("", Err(HttpError::Closed));
    check("SSH-2.0-x\r\n\r\n", Err(HttpError::Malformed("invalid HTTP version".into())));
}

fn handler(request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    match path.as_str() {
        "/stream" => {
            let pieces = ["a", "b", "c"].map(|s| Chunk::Bytes(Bytes::from_static(s.as_bytes())));
            Response::new(Body::Stream(stream::iter(pieces).boxed_local()))
        }
        _ => {
            let host = request.headers().get(header::HOST).unwrap().to_str().unwrap().to_owned();
            let body = String::from_utf8(request.into_body().into_bytes().unwrap().to_vec()).unwrap();
            Response::new(Body::Bytes(format!("{method} {path} {host} {body}").into()))
        }
    }
}

#[test]
fn our_server_and_client() {
    let sim = sim();
    let fabric = Fabric::new(sim.clone());
    let ns = fabric.attach("pod/default/a", &["10.244.0.2".parse().unwrap()]);
    let listener = ns.listen(at("0.0.0.0:80")).unwrap();
    let server = serve(&sim, listener, Rc::new(|request| async move { handler(request) }.boxed_local()));
    let ask = |method: Method, path: &str, body: Body| {
        let request = http::Request::builder().method(method).uri(path).body(body).unwrap();
        let ns = ns.clone();
        run(&sim, async move { text(request_to(&ns, at("10.244.0.2:80"), request).await.unwrap()).await })
    };
    assert_eq!(ask(Method::GET, "/x?y", Body::Empty), "GET /x 10.244.0.2:80 ");
    assert_eq!(ask(Method::POST, "http://web/x", Body::Bytes(Bytes::from_static(b"data"))), "POST /x web data");
    let pieces = stream::iter([Chunk::Bytes(Bytes::from_static(b"in pieces"))]).boxed_local();
    assert_eq!(ask(Method::PUT, "/", Body::Stream(pieces)), "PUT / 10.244.0.2:80 in pieces");
    assert_eq!(ask(Method::GET, "/stream", Body::Empty), "abc");
    // Keep-alive: two requests over one stream, and a malformed one closes it.
    let answers = run(&sim, {
        let ns = ns.clone();
        async move {
            let stream: TcpStream = ns.connect(at("10.244.0.2:80")).await.unwrap();
            stream
                .write_all(b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\nbad\r\n\r\n")
                .await
                .unwrap();
            let mut all = Vec::new();
            loop {
                let bytes = stream.read().await.unwrap();
                if bytes.is_empty() {
                    return String::from_utf8(all).unwrap();
                }
                all.extend_from_slice(&bytes);
            }
        }
    });
    assert!(answers.contains("GET /1 h ") && answers.contains("GET /2 h "), "{answers}");
    assert!(answers.contains("HTTP/1.1 400 Bad Request"), "{answers}");
    drop(server);
    run(&sim, async move {
        assert!(ns.connect(at("10.244.0.2:80")).await.is_err());
    });
}
