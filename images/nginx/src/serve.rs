//! Answering one request.

use std::time::{SystemTime, UNIX_EPOCH};

use std::net::SocketAddrV4;

use net::TcpStream;
use net::http::{Delayed, Request, Response, Url, decode, http_date, request_keeping};

use crate::config::{Config, Settings, Virtual};
use crate::proxy;
use crate::status::{title, words};
use crate::variables::Asked;

/// How often an internal redirect may follow another.
const REDIRECTS_MAX: usize = 5;

/// What answers need to know.
pub struct Site<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// `1.27.5`.
    pub version: &'a str,
}

impl Site<'_> {
    /// The answer to a request; the second value says whether it goes to the access log.
    pub fn answer(&self, request: &Request, peer: SocketAddrV4) -> (Delayed, bool) {
        let host = request.header("host").unwrap_or("").split(':').next().unwrap_or("");
        let named = self.config.servers.iter().find(|s| s.names.iter().any(|n| n == host));
        let Some(server) = named.or_else(|| self.config.servers.first()) else {
            return (self.error(404, None).into(), true);
        };
        let mut path = decode(request.path());
        let mut log = true;
        for _ in 0..REDIRECTS_MAX {
            let (settings, location) = server.settings_for(&path);
            log = settings.access_log;
            let asked = Asked { request, peer, path: &path, server, version: self.version };
            match self.attempt(server, settings, location, asked) {
                Outcome::Done(response) => return (self.finish(response, settings, asked).into(), log),
                Outcome::Upgraded(response, backend) => {
                    return (Delayed { upgrade: Some(backend), ..response.into() }, log);
                }
                Outcome::Redirect(to) => path = to,
            }
        }
        (self.error(500, None).into(), log)
    }

    fn finish(&self, mut response: Response, settings: &Settings, asked: Asked<'_>) -> Response {
        if response.status < 400 {
            let added = settings.headers.iter().map(|(name, value)| (name.clone(), asked.expand(value, "")));
            // What has no value is not sent.
            response.headers.extend(added.filter(|(_, value)| !value.is_empty()));
        }
        response
    }

    fn head(&self) -> Vec<(String, String)> {
        vec![
            ("Server".to_owned(), format!("nginx/{}", self.version)),
            ("Date".to_owned(), http_date(SystemTime::now())),
        ]
    }

    fn page(&self, status: u16, content_type: &str, body: Vec<u8>) -> Response {
        let mut headers = self.head();
        headers.push(("Content-Type".to_owned(), content_type.to_owned()));
        Response { status, headers, body: vec![body], chunked: false, words: Some(words(status)) }
    }

    /// nginx's own page for an error, or the one that the configuration names.
    fn error(&self, status: u16, settings: Option<&Settings>) -> Response {
        if let Some(settings) = settings
            && let Some(page) = settings.error_pages.get(&status)
            && let Ok(body) = std::fs::read(format!("{}{page}", settings.root))
        {
            return self.page(status, "text/html", body);
        }
        let Some(title) = title(status) else { return self.page(status, "text/html", Vec::new()) };
        let title = format!("{status} {title}");
        let body = format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n<hr><center>nginx/{}</center>\r\n</body>\r\n</html>\r\n",
            self.version
        );
        self.page(status, "text/html", body.into_bytes())
    }

    fn attempt(&self, server: &Virtual, settings: &Settings, location: &str, asked: Asked<'_>) -> Outcome {
        let Asked { request, path, .. } = asked;
        if let Some((status, text)) = &settings.answer {
            let text = asked.expand(text, "");
            if (301..=308).contains(status) {
                let response = self.error(*status, None).header("Location", text);
                return Outcome::Done(response);
            }
            if text.is_empty() && *status >= 300 {
                return Outcome::Done(self.error(*status, Some(&server.settings)));
            }
            return Outcome::Done(self.page(*status, &settings.default_type, text.into_bytes()));
        }
        if let Some(upstream) = &settings.proxy {
            return self.proxy(settings, upstream, location, asked);
        }
        if request.method != "GET" && request.method != "HEAD" {
            return Outcome::Done(self.error(405, Some(settings)));
        }
        if path.split('/').any(|part| part == "..") {
            return Outcome::Done(self.error(400, None));
        }
        if !settings.try_files.is_empty() {
            return self.try_files(settings, asked);
        }
        self.file(settings, location, path, request)
    }

    fn try_files(&self, settings: &Settings, asked: Asked<'_>) -> Outcome {
        let Asked { request, path, .. } = asked;
        let (last, candidates) = match settings.try_files.split_last() {
            Some((last, rest)) => (last, rest),
            None => return Outcome::Done(self.error(404, Some(settings))),
        };
        for candidate in candidates {
            let uri = asked.expand(candidate, "");
            let file = format!("{}{uri}", settings.root);
            let wants_directory = uri.ends_with('/');
            if std::fs::metadata(&file).is_ok_and(|m| m.is_dir() == wants_directory) {
                return if wants_directory {
                    self.file(settings, "/", &uri, request)
                } else {
                    self.send(settings, &file, request)
                };
            }
        }
        match last.strip_prefix('=').and_then(|code| code.parse().ok()) {
            Some(code) => Outcome::Done(self.error(code, Some(settings))),
            None => {
                let to = asked.expand(last, "");
                if to == path { self.file(settings, "/", &to, request) } else { Outcome::Redirect(to) }
            }
        }
    }

    fn file(&self, settings: &Settings, location: &str, path: &str, request: &Request) -> Outcome {
        let file = match &settings.alias {
            Some(alias) => format!("{alias}{}", path.strip_prefix(location).unwrap_or("")),
            None => format!("{}{path}", settings.root),
        };
        let Ok(meta) = std::fs::metadata(&file) else {
            eprintln!(
                "{}",
                self.log_line(
                    "error",
                    &format!(
                        "open() \"{file}\" failed (2: No such file or directory), request: \"{} {} {}\"",
                        request.method, request.target, request.version
                    )
                )
            );
            return Outcome::Done(self.error(404, Some(settings)));
        };
        if !meta.is_dir() {
            return self.send(settings, &file, request);
        }
        if !path.ends_with('/') {
            let host = request.header("host").unwrap_or("localhost");
            return Outcome::Done(self.error(301, None).header("Location", format!("http://{host}{path}/")));
        }
        for index in &settings.index {
            if std::fs::metadata(format!("{file}{index}")).is_ok() {
                return Outcome::Redirect(format!("{path}{index}"));
            }
        }
        if settings.autoindex {
            return Outcome::Done(self.page(200, "text/html", listing(path, &file).into_bytes()));
        }
        eprintln!("{}", self.log_line("error", &format!("directory index of \"{file}\" is forbidden")));
        Outcome::Done(self.error(403, Some(settings)))
    }

    fn send(&self, settings: &Settings, file: &str, request: &Request) -> Outcome {
        let (Ok(body), Ok(meta)) = (std::fs::read(file), std::fs::metadata(file)) else {
            return Outcome::Done(self.error(403, Some(settings)));
        };
        let extension = file.rsplit('/').next().and_then(|n| n.rsplit_once('.')).map_or("", |(_, e)| e);
        let kind = self.config.types.get(extension).map_or(settings.default_type.as_str(), String::as_str);
        let modified = meta.modified().unwrap_or(UNIX_EPOCH);
        let seconds = modified.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let (modified, etag) = (http_date(modified), format!("\"{seconds:x}-{:x}\"", body.len()));
        let same = request.header("if-none-match") == Some(etag.as_str())
            || request.header("if-modified-since") == Some(modified.as_str());
        let mut response = if same { self.page(304, kind, Vec::new()) } else { self.page(200, kind, body) };
        response.headers.push(("Last-Modified".to_owned(), modified));
        response.headers.push(("ETag".to_owned(), etag));
        Outcome::Done(response.header("Accept-Ranges", "bytes"))
    }

    fn proxy(&self, settings: &Settings, upstream: &str, location: &str, asked: Asked<'_>) -> Outcome {
        let original = asked.request;
        let Ok(mut url) = Url::parse(upstream) else { return Outcome::Done(self.error(500, Some(settings))) };
        // With a path in proxy_pass the location's prefix is replaced by it, without one the path goes on as it came.
        let has_path = upstream.splitn(4, '/').nth(3).is_some();
        url.target = if has_path {
            format!("{}{}", url.target, original.target.strip_prefix(location).unwrap_or(""))
        } else {
            original.target.clone()
        };
        let headers = proxy::headers(settings, &url, asked);
        match request_keeping(&url, &original.method, &headers, &original.body) {
            Ok((answer, backend)) => {
                let is_upgraded = answer.status == 101 && original.header("upgrade").is_some();
                let mut response = self.page(answer.status, "text/plain", answer.body);
                response.headers = self.head();
                response.words = None; // They are the upstream's.
                let hop = ["connection", "content-length", "transfer-encoding", "server", "date"];
                let kept = answer.headers.into_iter().filter(|(n, _)| !hop.contains(&n.to_ascii_lowercase().as_str()));
                if !is_upgraded {
                    response.headers.extend(kept);
                    return Outcome::Done(response);
                }
                response.headers.push(("Connection".to_owned(), "upgrade".to_owned()));
                response.headers.extend(kept);
                Outcome::Upgraded(response, backend)
            }
            Err(error) => {
                eprintln!(
                    "{}",
                    self.log_line(
                        "error",
                        &format!("connect() failed ({error}) while connecting to upstream, upstream: \"{upstream}\"")
                    )
                );
                Outcome::Done(self.error(502, Some(settings)))
            }
        }
    }

    /// A line of the error log.
    pub fn log_line(&self, level: &str, text: &str) -> String {
        log_line(level, text)
    }
}

enum Outcome {
    Done(Response),
    /// The backend took up another protocol: from then on the client speaks with it.
    Upgraded(Response, TcpStream),
    Redirect(String),
}

/// `2026/11/21 02:38:39 [notice] 1#1: ...`.
pub fn log_line(level: &str, text: &str) -> String {
    let c = net::http::civil(SystemTime::now());
    let pid = proc::id();
    format!(
        "{:04}/{:02}/{:02} {:02}:{:02}:{:02} [{level}] {pid}#{pid}: {text}",
        c.year, c.month, c.day, c.hour, c.minute, c.second
    )
}

fn listing(path: &str, folder: &str) -> String {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|e| {
            let e = e.ok()?;
            let slash = if e.path().is_dir() { "/" } else { "" };
            Some(format!("{}{slash}", e.file_name().to_string_lossy()))
        })
        .collect();
    names.sort();
    let lines: String = names.iter().map(|n| format!("<a href=\"{n}\">{n}</a>\r\n")).collect();
    format!(
        "<html>\r\n<head><title>Index of {path}</title></head>\r\n<body>\r\n<h1>Index of {path}</h1><hr><pre><a href=\"../\">../</a>\r\n{lines}</pre><hr></body>\r\n</html>\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Location;

    fn site_answer(settings: Settings, target: &str) -> Response {
        let server = Virtual {
            ports: vec![80],
            locations: vec![Location { path: "/".into(), exact: false, settings }],
            ..Virtual::default()
        };
        let config = Config { servers: vec![server], ..Config::default() };
        let site = Site { config: &config, version: "1.14.2" };
        let request =
            Request { method: "GET".into(), target: target.into(), version: "HTTP/1.1".into(), ..Request::default() };
        site.answer(&request, SocketAddrV4::new([10, 244, 0, 1].into(), 40_000)).0.response
    }

    #[test]
    fn missing_files_get_nginxs_page() {
        let response = site_answer(Settings { root: "/nonexistent".into(), ..Settings::default() }, "/x");
        assert_eq!(response.status, 404);
        let body = String::from_utf8(response.body.concat()).expect("text");
        assert!(body.contains("<title>404 Not Found</title>") && body.contains("<hr><center>nginx/1.14.2</center>"));
    }

    #[test]
    fn returns_and_escapes() {
        let settings = Settings { answer: Some((200, "at $uri\n".into())), ..Settings::default() };
        let response = site_answer(settings, "/a%20b?c");
        assert_eq!((response.status, response.body.concat()), (200, b"at /a b\n".to_vec()));
        let settings = Settings { answer: Some((302, "http://b/".into())), ..Settings::default() };
        let text = String::from_utf8(site_answer(settings, "/").to_bytes(false)).expect("text");
        assert!(
            text.starts_with("HTTP/1.1 302 Moved Temporarily\r\n") && text.contains("<h1>302 Found</h1>"),
            "{text}"
        );
        let response = site_answer(Settings::default(), "/../etc/passwd");
        assert_eq!(response.status, 400);
    }
}
