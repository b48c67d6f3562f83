//! Answering one request with a file, a folder's list or an error page.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use net::http::{Request, Response, decode, http_date, reason};

use crate::config::Config;
use crate::prefix::matches;

/// What answers need to know.
pub struct Site<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// `2.4.65`.
    pub version: &'a str,
    /// Types by extension.
    pub types: BTreeMap<String, String>,
}

/// The type of Apache's own pages.
const PAGE_TYPE: &str = "text/html; charset=iso-8859-1";

/// Types by extension, from `mime.types`: a type and its extensions on each line.
pub fn types(text: &str) -> BTreeMap<String, String> {
    let mut types = BTreeMap::new();
    for line in text.lines().filter(|l| !l.starts_with('#')) {
        let mut words = line.split_whitespace();
        if let Some(kind) = words.next() {
            types.extend(words.map(|extension| (extension.to_owned(), kind.to_owned())));
        }
    }
    types
}

/// The words of a status, as Apache has them.
fn words(status: u16) -> &'static str {
    match status {
        414 => "Request-URI Too Long",
        418 => "I'm A Teapot",
        other => reason(other),
    }
}

impl Site<'_> {
    /// The answer to a request.
    pub fn answer(&self, request: &Request) -> Response {
        let path = decode(request.path());
        if !path.starts_with('/') || path.split('/').any(|part| part == "..") || path.contains('\0') {
            return self
                .error(400, "<p>Your browser sent a request that this server could not understand.<br />\n</p>");
        }
        let redirects = &self.config.redirects;
        let redirect = redirects.iter().find_map(|(status, from, to)| Some((*status, to, matches(from, &path)?)));
        if let Some((status, to, rest)) = redirect {
            return self.moved(status, &format!("{to}{rest}"));
        }
        match request.method.as_str() {
            "GET" | "HEAD" => self.file(&path, request),
            "OPTIONS" => self.page(200, "httpd/unix-directory", Vec::new()).header("Allow", "GET,POST,OPTIONS,HEAD"),
            "POST" | "PUT" | "DELETE" | "PATCH" => {
                let text = format!("<p>The requested method {} is not allowed for this URL.</p>", request.method);
                self.error(405, &text).header("Allow", "GET,POST,OPTIONS,HEAD")
            }
            _ => self.error(501, "<p>The server does not support the method.</p>"),
        }
    }

    fn page(&self, status: u16, content_type: &str, body: Vec<u8>) -> Response {
        let mut headers = vec![
            ("Date".to_owned(), http_date(SystemTime::now())),
            ("Server".to_owned(), format!("Apache/{} (Unix)", self.version)),
        ];
        headers.extend(self.config.headers.iter().cloned());
        if status != 304 {
            headers.push(("Content-Length".to_owned(), body.len().to_string()));
            headers.push(("Content-Type".to_owned(), content_type.to_owned()));
        }
        Response { status, headers, body: vec![body], chunked: false, words: Some(words(status)) }
    }

    /// Apache's own page for a status, or the one that `ErrorDocument` names.
    fn error(&self, status: u16, text: &str) -> Response {
        if let Some(document) = self.config.error_documents.get(&status) {
            if !document.starts_with('/') {
                return self.page(status, PAGE_TYPE, document.clone().into_bytes());
            }
            if let Ok(body) = std::fs::read(self.place(document)) {
                return self.page(status, "text/html", body);
            }
        }
        let words = words(status);
        let body = format!(
            "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>{status} {words}</title>\n</head><body>\n<h1>{words}</h1>\n{text}\n</body></html>\n"
        );
        self.page(status, PAGE_TYPE, body.into_bytes())
    }

    fn moved(&self, status: u16, to: &str) -> Response {
        let text = format!("<p>The document has moved <a href=\"{}\">here</a>.</p>", escape(to));
        self.error(status, &text).header("Location", to)
    }

    fn missing(&self) -> Response {
        self.error(404, "<p>The requested URL was not found on this server.</p>")
    }

    /// Where a path lies.
    fn place(&self, path: &str) -> String {
        let alias = self.config.aliases.iter().find_map(|(from, to)| Some((to, matches(from, path)?)));
        match alias {
            Some((to, rest)) => format!("{to}{rest}"),
            None => format!("{}{path}", self.config.root),
        }
    }

    fn file(&self, path: &str, request: &Request) -> Response {
        // `<Files ".ht*">` of the configuration that the image brings.
        if path.rsplit('/').next().is_some_and(|name| name.starts_with(".ht")) {
            return self.error(403, "<p>You don't have permission to access this resource.</p>");
        }
        let file = self.place(path);
        let Ok(meta) = std::fs::metadata(&file) else { return self.missing() };
        if !meta.is_dir() {
            // A file is no folder: what comes after it names nothing.
            return if path.ends_with('/') { self.missing() } else { self.send(&file, request) };
        }
        if !path.ends_with('/') {
            let host = request.header("host").unwrap_or("localhost");
            return self.moved(301, &format!("http://{host}{path}/"));
        }
        for index in &self.config.index {
            let index = format!("{file}{index}");
            if std::fs::metadata(&index).is_ok_and(|m| m.is_file()) {
                return self.send(&index, request);
            }
        }
        if self.config.listings {
            return self.page(200, "text/html;charset=ISO-8859-1", listing(path, &file).into_bytes());
        }
        self.error(403, "<p>You don't have permission to access this resource.</p>")
    }

    fn send(&self, file: &str, request: &Request) -> Response {
        let (Ok(body), Ok(meta)) = (std::fs::read(file), std::fs::metadata(file)) else {
            return self.error(403, "<p>You don't have permission to access this resource.</p>");
        };
        let extension = file.rsplit('/').next().and_then(|n| n.rsplit_once('.')).map_or("", |(_, e)| e);
        let kind = self.types.get(extension).map_or("", String::as_str);
        let modified = meta.modified().unwrap_or(UNIX_EPOCH);
        let micros = modified.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros());
        let (modified, etag) = (http_date(modified), format!("\"{:x}-{micros:x}\"", body.len()));
        let same = match request.header("if-none-match") {
            Some(tag) => tag == etag,
            None => request.header("if-modified-since") == Some(modified.as_str()),
        };
        let mut response = self.page(if same { 304 } else { 200 }, kind, if same { Vec::new() } else { body });
        let own = [("Last-Modified", modified), ("ETag", etag), ("Accept-Ranges", "bytes".to_owned())];
        let own = own.into_iter().filter(|(n, _)| !same || *n == "ETag").map(|(n, v)| (n.to_owned(), v));
        response.headers.splice(2..2, own);
        response.headers.retain(|(name, value)| name != "Content-Type" || !value.is_empty());
        response
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A folder's list, as mod_autoindex makes it without decoration.
fn listing(path: &str, folder: &str) -> String {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|e| {
            let e = e.ok()?;
            let slash = if e.path().is_dir() { "/" } else { "" };
            Some(format!("{}{slash}", e.file_name().to_string_lossy()))
        })
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    let title = escape(if path == "/" { path } else { path.trim_end_matches('/') });
    let parent = match path.trim_end_matches('/').rsplit_once('/') {
        Some((above, _)) => format!("<li><a href=\"{}/\"> Parent Directory</a></li>\n", escape(above)),
        None => String::new(),
    };
    let lines: String =
        names.iter().map(|n| escape(n)).map(|n| format!("<li><a href=\"{n}\"> {n}</a></li>\n")).collect();
    format!(
        "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\">\n<html>\n <head>\n  <title>Index of {title}</title>\n </head>\n <body>\n<h1>Index of {title}</h1>\n<ul>{parent}{lines}</ul>\n</body></html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(config: &Config, method: &str, target: &str) -> (u16, String) {
        let types = types("text/html html htm\n# x\n");
        let site = Site { config, version: "2.4.65", types };
        let request = Request {
            method: method.into(),
            target: target.into(),
            version: "HTTP/1.1".into(),
            headers: vec![("Host".into(), "web".into())],
            body: Vec::new(),
        };
        let response = site.answer(&request);
        (response.status, String::from_utf8(response.to_bytes(false)).expect("text"))
    }

    fn folder() -> String {
        concat!(env!("CARGO_MANIFEST_DIR"), "/rootfs/usr/local/apache2").to_owned()
    }

    #[test]
    fn the_page_and_the_missing_page_are_apaches() {
        let config = Config { root: format!("{}/htdocs", folder()), ..Config::default() };
        let (status, text) = answer(&config, "GET", "/");
        assert_eq!(status, 200);
        assert!(text.ends_with("\r\n\r\n<html><body><h1>It works!</h1></body></html>\n"), "{text}");
        assert!(text.contains("Server: Apache/2.4.65 (Unix)\r\n") && text.contains("ETag: \"2d-"), "{text}");
        assert!(text.contains("Content-Length: 45\r\nContent-Type: text/html\r\n"), "{text}");
        let (status, text) = answer(&config, "GET", "/nope");
        let page = "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>404 Not Found</title>\n</head><body>\n<h1>Not Found</h1>\n<p>The requested URL was not found on this server.</p>\n</body></html>\n";
        assert_eq!(status, 404);
        assert!(text.ends_with(page), "{text}");
    }

    #[test]
    fn folders_are_listed_or_forbidden() {
        let mut config = Config { root: folder(), ..Config::default() };
        assert_eq!(answer(&config, "GET", "/").0, 403);
        config.listings = true;
        let (_, text) = answer(&config, "GET", "/");
        assert!(text.contains("<h1>Index of /</h1>\n<ul><li><a href=\"cgi-bin/\"> cgi-bin/</a></li>\n"), "{text}");
        let (status, text) = answer(&config, "GET", "/conf");
        assert!(status == 301 && text.contains("Location: http://web/conf/\r\n"), "{text}");
        assert!(answer(&config, "GET", "/conf/").1.contains("<li><a href=\"/\"> Parent Directory</a></li>"));
        assert_eq!(answer(&config, "GET", "/%2e%2e/x").0, 400);
        assert!(answer(&config, "POST", "/").1.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
    }

    #[test]
    fn an_alias_ends_with_its_name() {
        let aliases = vec![("/site".to_owned(), format!("{}/htdocs/", folder()))];
        let redirects = vec![(301, "/old".to_owned(), "http://web/new".to_owned())];
        let config = Config { root: "/absent".to_owned(), aliases, redirects, ..Config::default() };
        assert_eq!(answer(&config, "GET", "/site/index.html").0, 200);
        assert_eq!(answer(&config, "GET", "/siteindex.html").0, 404);
        assert_eq!(answer(&config, "GET", "/site../conf/mime.types").0, 404);
        assert!(answer(&config, "GET", "/old/a").1.contains("Location: http://web/new/a\r\n"));
        assert_eq!(answer(&config, "GET", "/older").0, 404);
    }
}
