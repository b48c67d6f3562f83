//! A small static file server on loopback, with nothing a plain static host would not do: no special headers, no
//! rewriting. It can answer under a sub-path, as a project page on a shared host does.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};

/// A request line or header longer than this ends the connection.
const REQUEST_LINE_BYTES_MAX: u64 = 16 * 1024;
/// A connection that sends nothing for this long is closed.
const IDLE_SECONDS_MAX: u64 = 30;

/// A server that runs until the process ends.
pub(crate) struct StaticServer {
    /// Where the page is, with a slash at the end.
    pub(crate) url: String,
}

impl StaticServer {
    /// Serves `dir` under `base` (`/` or `/some/path/`) on loopback; port 0 takes any free one.
    pub(crate) fn start(dir: &Path, base: &str, port: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .with_context(|| format!("listening on port {port}; another can be chosen with --port"))?;
        let url = format!("http://127.0.0.1:{}{base}", listener.local_addr()?.port());
        let site = Arc::new(Site { dir: dir.to_owned(), base: base.to_owned() });
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let site = Arc::clone(&site);
                std::thread::spawn(move || site.connection(stream));
            }
        });
        Ok(Self { url })
    }
}

struct Site {
    dir: PathBuf,
    base: String,
}

struct Reply {
    status: &'static str,
    kind: &'static str,
    location: Option<String>,
    body: Vec<u8>,
}

impl Reply {
    fn text(status: &'static str) -> Self {
        Self { status, kind: "text/plain; charset=utf-8", location: None, body: format!("{status}\n").into_bytes() }
    }
}

impl Site {
    fn connection(&self, stream: TcpStream) {
        // A peer that went away is its own business.
        let _ = self.requests(stream);
    }

    fn requests(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(IDLE_SECONDS_MAX)))?;
        stream.set_nodelay(true)?;
        let mut writer = stream.try_clone()?;
        let mut reader = BufReader::new(stream);
        while let Some((method, target)) = read_head(&mut reader)? {
            let reply = match method.as_str() {
                "GET" | "HEAD" => self.answer(&target),
                _ => Reply::text("405 Method Not Allowed"),
            };
            let mut head = format!(
                "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-cache\r\n",
                reply.status,
                reply.kind,
                reply.body.len()
            );
            if let Some(location) = &reply.location {
                head += &format!("Location: {location}\r\n");
            }
            writer.write_all((head + "\r\n").as_bytes())?;
            if method != "HEAD" {
                writer.write_all(&reply.body)?;
            }
            writer.flush()?;
        }
        Ok(())
    }

    fn answer(&self, target: &str) -> Reply {
        let path = target.split(['?', '#']).next().unwrap_or_default();
        if format!("{path}/") == self.base {
            return Reply { location: Some(self.base.clone()), ..Reply::text("301 Moved Permanently") };
        }
        let Some(relative) = path.strip_prefix(&self.base) else { return Reply::text("404 Not Found") };
        let Some(relative) = decode(relative) else { return Reply::text("400 Bad Request") };
        if relative.split('/').any(|part| part == "..") {
            return Reply::text("404 Not Found");
        }
        let mut file = self.dir.join(&relative);
        if relative.is_empty() || relative.ends_with('/') {
            file.push("index.html");
        }
        match fs::read(&file) {
            Ok(body) => Reply { status: "200 OK", kind: kind_of(&file), location: None, body },
            Err(_) => Reply::text("404 Not Found"),
        }
    }
}

/// Reads one request's line and headers; `None` at the end of the connection.
fn read_head(reader: &mut BufReader<TcpStream>) -> std::io::Result<Option<(String, String)>> {
    let mut first = String::new();
    if reader.by_ref().take(REQUEST_LINE_BYTES_MAX).read_line(&mut first)? == 0 {
        return Ok(None);
    }
    loop {
        let mut header = String::new();
        let read = reader.by_ref().take(REQUEST_LINE_BYTES_MAX).read_line(&mut header)?;
        if read == 0 || header == "\r\n" || header == "\n" {
            break;
        }
    }
    let mut words = first.split_whitespace();
    match (words.next(), words.next()) {
        (Some(method), Some(target)) => Ok(Some((method.to_owned(), target.to_owned()))),
        _ => Ok(None),
    }
}

/// Percent-decoding; `None` if it is malformed.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let pair = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The media type of a file by its extension.
fn kind_of(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "md" => "text/markdown; charset=utf-8",
        "txt" | "ftl" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(url: &str, path: &str) -> String {
        let address = url.trim_start_matches("http://").split('/').next().expect("a host");
        let mut stream = TcpStream::connect(address).expect("the server listens");
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).expect("it reads");
        stream.shutdown(std::net::Shutdown::Write).expect("half closed");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers in text");
        answer
    }

    #[test]
    fn serves_files_under_a_sub_path_only() {
        let dir = std::env::temp_dir().join(format!("kubonsai-static-{}", std::process::id()));
        fs::create_dir_all(dir.join("sub")).expect("a temporary folder");
        fs::write(dir.join("index.html"), "<p>page").expect("written");
        fs::write(dir.join("sub/a b.wasm"), "x").expect("written");
        let server = StaticServer::start(&dir, "/some/path/", 0).expect("it starts");

        let page = get(&server.url, "/some/path/?x=1");
        assert!(page.starts_with("HTTP/1.1 200 OK\r\nContent-Type: text/html"), "{page}");
        assert!(page.ends_with("\r\n\r\n<p>page"), "{page}");
        assert!(get(&server.url, "/some/path/sub/a%20b.wasm").contains("Content-Type: application/wasm"));
        assert!(get(&server.url, "/some/path").contains("Location: /some/path/"));
        for refused in ["/", "/index.html", "/some/path/../../etc/passwd", "/some/path/%2e%2e/x", "/some/path/none"] {
            let answer = get(&server.url, refused);
            assert!(answer.starts_with("HTTP/1.1 404"), "{refused}: {answer}");
        }
        fs::remove_dir_all(&dir).expect("removed");
    }
}
