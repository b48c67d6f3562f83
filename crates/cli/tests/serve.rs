//! `kubonsai serve` as a client library meets it: HTTP, a watch that streams, and a WebSocket for exec.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests start the program and wait for it")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use json::Value;

/// Longest wait for anything: the cluster runs at the speed of the wall clock.
const PATIENCE: Duration = Duration::from_secs(60);
/// Opcodes of WebSocket frames (RFC 6455, section 5.2).
const BINARY: u8 = 2;
const CLOSE: u8 = 8;

struct Server {
    child: Child,
    address: String,
    /// Lines of standard error.
    told: mpsc::Receiver<String>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(name: &str, flags: &[&str]) -> Server {
        let kubeconfig = std::env::temp_dir().join(format!("kubonsai-serve-{}-{name}.yaml", std::process::id()));
        let mut child = Command::new(env!("CARGO_BIN_EXE_kubonsai"))
            .args(["serve", "--plain-http", "--listen", "127.0.0.1:0", "--kubeconfig"])
            .arg(&kubeconfig)
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (tell, told) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                eprintln!("{line}");
                // The test may have ended.
                let _ = tell.send(line);
            }
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("it says where it serves");
        let address = line.trim().rsplit("http://").next().unwrap_or_default().to_owned();
        let written = std::fs::read_to_string(&kubeconfig).expect("the kubeconfig is written before it is announced");
        assert!(written.contains(&format!("server: http://{address}")), "{written}");
        for name in ["name: minikube", "current-context: minikube"] {
            assert!(written.contains(name), "{written}");
        }
        std::fs::remove_file(&kubeconfig).expect("it was there");
        Server { child, address, told }
    }

    /// Waits for a line on standard error.
    fn hear(&self, wanted: &str) {
        while self.told.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no line says {wanted:?}")) != wanted {}
    }

    fn send(&self, head: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let length = body.len();
        let request = format!(
            "{head} HTTP/1.1\r\nHost: kubonsai\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
        );
        stream.write_all(request.as_bytes()).expect("sent");
        stream
    }

    fn call(&self, head: &str, body: &str) -> (u16, Value) {
        let mut stream = self.send(head, body);
        stream.write_all(format!("Connection: close\r\n\r\n{body}").as_bytes()).expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        (status, json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}")))
    }

    /// Runs a command in a container through a WebSocket: what each channel carried, and the code of the close frame.
    fn exec(&self, pod: &str, command: &[&str]) -> (Vec<(u8, String)>, u16) {
        let words: String = command.iter().map(|word| format!("&command={word}")).collect();
        let path = format!("/api/v1/namespaces/default/pods/{pod}/exec?stdout=true&stderr=true{words}");
        let mut stream = self.send(&format!("GET {path}"), "");
        stream
            .write_all(
                b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                  Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n",
            )
            .expect("sent");
        let mut reader = BufReader::new(stream);
        let head = read_head(&mut reader);
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        let mut channels = Vec::new();
        loop {
            match read_frame(&mut reader) {
                (BINARY, payload) => channels.push((payload[0], String::from_utf8_lossy(&payload[1..]).into_owned())),
                (CLOSE, payload) => return (channels, u16::from_be_bytes([payload[0], payload[1]])),
                (other, _) => panic!("frame with opcode {other}"),
            }
        }
    }
}

fn read_head(reader: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).expect("a head") > 0, "the connection ended in {head}");
    }
    head
}

/// A frame as a server sends it: not masked, and here always shorter than 64 KiB.
fn read_frame(reader: &mut BufReader<TcpStream>) -> (u8, Vec<u8>) {
    let mut start = [0; 2];
    reader.read_exact(&mut start).expect("a frame");
    let length = match start[1] {
        126 => {
            let mut long = [0; 2];
            reader.read_exact(&mut long).expect("a length");
            usize::from(u16::from_be_bytes(long))
        }
        short => usize::from(short),
    };
    let mut payload = vec![0; length];
    reader.read_exact(&mut payload).expect("a payload");
    (start[0] & 0x0f, payload)
}

const POD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"bb"},
  "spec":{"containers":[{"name":"bb","image":"busybox","command":["sleep","3600"]}]}}"#;

fn wait_until_running(server: &Server) {
    eventually(|| {
        let (_, pod) = server.call("GET /api/v1/namespaces/default/pods/bb", "");
        (pod["status"]["phase"] == "Running").then_some(()).ok_or_else(|| pod.to_string())
    });
}

/// Tries until it works.
fn eventually<T>(mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt() {
            Ok(value) => return value,
            Err(why) => assert!(Instant::now() < deadline, "{why}"),
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_client_reads_watches_and_runs_commands() {
    let server = Server::start("client", &[]);
    let (status, version) = server.call("GET /version", "");
    assert_eq!((status, version["gitVersion"].as_str()), (200, Some("v1.36.3")));
    let (status, answer) = server.call("GET /api/v1/namespaces/default/pods/none", "");
    assert_eq!((status, answer["reason"].as_str()), (404, Some("NotFound")));

    let mut watch = server.send("GET /api/v1/namespaces/default/pods?watch=true", "");
    watch.write_all(b"\r\n").expect("sent");
    let mut watch = BufReader::new(watch);
    assert!(read_head(&mut watch).starts_with("HTTP/1.1 200"));
    assert_eq!(server.call("POST /api/v1/namespaces/default/pods", POD).0, 201);
    let event = loop {
        let mut line = String::new();
        watch.read_line(&mut line).expect("the watch goes on");
        if line.starts_with('{') {
            break line;
        }
    };
    assert!(event.starts_with(r#"{"type":"ADDED""#) && event.contains(r#""name":"bb""#), "{event}");

    wait_until_running(&server);
    let (channels, code) = server.exec("bb", &["echo", "hello"]);
    assert!(channels.contains(&(1, "hello\n".to_owned())), "{channels:?}");
    let (_, ended) = channels.iter().find(|(channel, _)| *channel == 3).expect("a status on the error channel");
    assert!(ended.contains(r#""status":"Success""#), "{ended}");
    assert_eq!(code, 1000, "client-go takes any other end for a failure");
}

/// A node port that nobody has here, and who keeps it so.
fn free_node_port() -> (u16, TcpListener) {
    // Several of these tests may run on one machine.
    let first = 30_000 + std::process::id() % 2_000;
    let ports = (first..32_768).filter_map(|port| u16::try_from(port).ok());
    ports
        .into_iter()
        .find_map(|port| Some((port, TcpListener::bind(("127.0.0.1", port)).ok()?)))
        .expect("a port is free")
}

/// What a web server at a node port says.
fn page(port: u16) -> Result<String, String> {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        // The other direction stays open, as it does for a client that is done.
        stream.shutdown(std::net::Shutdown::Write)?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    };
    ask().map_err(|error| format!("{:?}: {error}", error.kind()))
}

const WEB: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","labels":{"app":"web"}},
  "spec":{"containers":[{"name":"web","image":"nginx"}]}}"#;

fn service(port: u16) -> String {
    format!(
        r#"{{"apiVersion":"v1","kind":"Service","metadata":{{"name":"web"}},
          "spec":{{"type":"NodePort","selector":{{"app":"web"}},"ports":[
            {{"name":"http","port":80,"nodePort":{port}}},
            {{"name":"quic","port":80,"protocol":"UDP","nodePort":{port}}}]}}}}"#
    )
}

#[test]
fn node_ports_are_published_as_long_as_there_is_a_service() {
    let server = Server::start("ports", &["--publish-node-ports"]);
    let (port, holder) = free_node_port();
    assert_eq!(server.call("POST /api/v1/namespaces/default/services", &service(port)).0, 201);
    server.hear(&format!(
        "kubonsai: default/web: node port {port}: kubonsai does not support node ports for other protocols than TCP \
         (kubonsai serve) yet"
    ));
    // Somebody else has the port, and lets it go.
    let taken = "Address already in use (os error 98)";
    server.hear(&format!("kubonsai: cannot listen on 127.0.0.1:{port} for default/web, trying again: {taken}"));
    drop(holder);
    server.hear(&format!("kubonsai: 127.0.0.1:{port} leads to default/web"));
    // There is nobody behind it: the node refuses.
    assert_eq!(page(port).err().as_deref().and_then(|why| why.split(':').next()), Some("ConnectionReset"));
    assert_eq!(server.call("POST /api/v1/namespaces/default/pods", WEB).0, 201);
    let answer = eventually(|| page(port));
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\nServer: nginx/"), "{answer}");
    assert!(answer.ends_with("</html>\n") && answer.contains("<title>Welcome to nginx!</title>"), "{answer}");
    // It came from the gateway of the nodes' network, through the node.
    let mut log = server.send("GET /api/v1/namespaces/default/pods/web/log", "");
    log.write_all(b"Connection: close\r\n\r\n").expect("sent");
    let mut text = String::new();
    log.read_to_string(&mut text).expect("an answer");
    assert!(text.contains("192.168.49.2 - - ["), "{text}");

    assert_eq!(server.call("DELETE /api/v1/namespaces/default/services/web", "").0, 200);
    eventually(|| match TcpStream::connect(("127.0.0.1", port)) {
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => Ok(()),
        other => Err(format!("{other:?}")),
    });
}
