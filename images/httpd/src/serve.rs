//! Answering one request with a file, a folder's list or an error page.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use net::http::{Request, Response, decode, http_date};

use crate::config::Config;
use crate::header;
use crate::pages::{escape_path, is_url, listing, moved, page, sentence, words};
use crate::prefix::matches;

/// What answers need to know.
pub struct Site<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// `2.4.65`.
    pub version: &'a str,
    /// Types by extension.
    pub types: &'a BTreeMap<String, String>,
    /// Takes a module with a level and a text for the error log.
    pub complain: &'a dyn Fn(&str, &str),
}

/// What files take, as `Allow` says it.
const METHODS: &str = "GET,POST,OPTIONS,HEAD";

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

/// Methods that the original knows and that its files do not take: 405. Others are not implemented: 501.
const KNOWN_METHODS: &[&str] = &[
    "PUT",
    "DELETE",
    "CONNECT",
    "PATCH",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "VERSION-CONTROL",
    "CHECKOUT",
    "UNCHECKOUT",
    "CHECKIN",
    "UPDATE",
    "LABEL",
    "REPORT",
    "MKWORKSPACE",
    "MKACTIVITY",
    "BASELINE-CONTROL",
    "MERGE",
];

impl Site<'_> {
    /// The answer to a request.
    pub fn answer(&self, request: &Request) -> Response {
        let mut response = self.find(request);
        header::apply(&self.config.headers, &mut response.headers, response.status);
        response
    }

    fn find(&self, request: &Request) -> Response {
        let path = decode(request.path());
        if !path.starts_with('/') || path.split('/').any(|part| part == "..") || path.contains('\0') {
            return self.error(400, request);
        }
        let redirects = &self.config.redirects;
        let redirect = redirects.iter().find_map(|(status, from, to)| Some((*status, to, matches(from, &path)?)));
        match redirect {
            Some((status, Some(to), rest)) => return self.redirect(status, to, rest, request),
            Some((status, None, _)) => return self.error(status, request),
            None => {}
        }
        match request.method.as_str() {
            "GET" | "HEAD" | "POST" => self.file(&path, request),
            "OPTIONS" => self.page(200, "httpd/unix-directory", Vec::new()).header("Allow", METHODS),
            "TRACE" => {
                let text = "kubonsai does not support the method TRACE (httpd) yet\n";
                self.page(501, "text/plain", text.as_bytes().to_vec())
            }
            known if KNOWN_METHODS.contains(&known) => self.error(405, request).header("Allow", METHODS),
            _ => self.error(501, request).header("Allow", METHODS),
        }
    }

    /// To where `Redirect` says: a path becomes an address of this server, and the query goes along unless there is one.
    fn redirect(&self, status: u16, to: &str, rest: &str, request: &Request) -> Response {
        let mut to = format!("{to}{}", escape_path(rest));
        if to.starts_with('/') {
            to = here(request, &to);
        }
        if let Some((_, query)) = request.target.split_once('?')
            && !to.contains('?')
        {
            to = format!("{to}?{query}");
        }
        self.moved(status, &to)
    }

    fn page(&self, status: u16, content_type: &str, body: Vec<u8>) -> Response {
        let mut headers = vec![
            ("Date".to_owned(), http_date(SystemTime::now())),
            ("Server".to_owned(), format!("Apache/{} (Unix)", self.version)),
        ];
        if status != 304 {
            headers.push(("Content-Length".to_owned(), body.len().to_string()));
            headers.push(("Content-Type".to_owned(), content_type.to_owned()));
        }
        Response { status, headers, body: vec![body], chunked: false, words: Some(words(status)) }
    }

    /// Apache's own page for a status, or the one that `ErrorDocument` names.
    fn error(&self, status: u16, request: &Request) -> Response {
        let mut text = sentence(status, &request.method, &self.config.admin);
        match self.config.error_documents.get(&status) {
            Some(url) if is_url(url) && !url.contains(' ') => return self.moved(302, url),
            Some(path) if path.starts_with('/') && !path.contains(' ') => {
                if let Ok(body) = std::fs::read(self.place(path)) {
                    return self.page(status, "text/html", body);
                }
                text.push_str("\n<p>Additionally, a 404 Not Found\nerror was encountered while trying to use an ErrorDocument to handle the request.</p>");
            }
            Some(text) => return self.page(status, PAGE_TYPE, text.clone().into_bytes()),
            None => {}
        }
        self.page(status, PAGE_TYPE, page(status, &text).into_bytes())
    }

    fn moved(&self, status: u16, to: &str) -> Response {
        self.page(status, PAGE_TYPE, page(status, &moved(status, to)).into_bytes()).header("Location", to)
    }

    /// 403, with a line in the error log.
    fn forbidden(&self, module: &str, why: &str, request: &Request) -> Response {
        (self.complain)(&format!("{module}:error"), why);
        self.error(403, request)
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
            let why = format!("AH01630: client denied by server configuration: {}", self.place(path));
            return self.forbidden("authz_core", &why, request);
        }
        let file = self.place(path);
        let Ok(meta) = std::fs::metadata(&file) else { return self.error(404, request) };
        if !meta.is_dir() {
            // A file is no folder: what comes after it names nothing.
            return if path.ends_with('/') { self.error(404, request) } else { self.send(&file, request) };
        }
        if !path.ends_with('/') {
            let query = request.target.split_once('?').map_or(String::new(), |(_, query)| format!("?{query}"));
            return self.moved(301, &format!("{}/{query}", here(request, &escape_path(path))));
        }
        for index in &self.config.index {
            let index = format!("{file}{index}");
            if std::fs::metadata(&index).is_ok_and(|m| m.is_file()) {
                return self.send(&index, request);
            }
        }
        if request.method == "POST" {
            return self.error(404, request); // Only GET gets a list, or hears that there is none.
        }
        if self.config.listings {
            return self.page(200, "text/html;charset=ISO-8859-1", listing(path, names(&file)).into_bytes());
        }
        let why = format!(
            "AH01276: Cannot serve directory {file}: No matching DirectoryIndex ({}) found, and server-generated directory index forbidden by Options directive",
            self.config.index.join(",")
        );
        self.forbidden("autoindex", &why, request)
    }

    fn send(&self, file: &str, request: &Request) -> Response {
        let (Ok(body), Ok(meta)) = (std::fs::read(file), std::fs::metadata(file)) else {
            let why = format!("(13)Permission denied: AH00132: file permissions deny server access: {file}");
            return self.forbidden("core", &why, request);
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

/// The address of a path on this server.
fn here(request: &Request, path: &str) -> String {
    format!("http://{}{path}", request.header("host").unwrap_or("localhost"))
}

/// The names in a folder, those of folders with a slash.
fn names(folder: &str) -> Vec<String> {
    let name = |entry: std::fs::DirEntry| {
        let slash = if entry.path().is_dir() { "/" } else { "" };
        format!("{}{slash}", entry.file_name().to_string_lossy())
    };
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn answer(config: &Config, method: &str, target: &str) -> (u16, String) {
        let types = types("text/html html htm\n# x\n");
        let log = RefCell::new(String::new());
        let complain = |module: &str, text: &str| log.borrow_mut().push_str(&format!("[{module}] {text}\n"));
        let site = Site { config, version: "2.4.65", types: &types, complain: &complain };
        let request = Request {
            method: method.into(),
            target: target.into(),
            version: "HTTP/1.1".into(),
            headers: vec![("Host".into(), "web".into())],
            body: Vec::new(),
        };
        let response = site.answer(&request);
        let text = String::from_utf8(response.to_bytes(false)).expect("text");
        (response.status, text + &log.take())
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
    }

    #[test]
    fn an_alias_ends_with_its_name() {
        let aliases = vec![("/site".to_owned(), format!("{}/htdocs/", folder()))];
        let redirects = vec![(301, "/old".to_owned(), Some("http://web/new".to_owned()))];
        let config = Config { root: "/absent".to_owned(), aliases, redirects, ..Config::default() };
        assert_eq!(answer(&config, "GET", "/site/index.html").0, 200);
        assert_eq!(answer(&config, "GET", "/siteindex.html").0, 404);
        assert_eq!(answer(&config, "GET", "/site../conf/mime.types").0, 404);
        assert!(answer(&config, "GET", "/old/a").1.contains("Location: http://web/new/a\r\n"));
        assert_eq!(answer(&config, "GET", "/older").0, 404);
    }

    #[test]
    fn methods_have_the_originals_answers() {
        let config = Config { root: format!("{}/htdocs", folder()), ..Config::default() };
        let posted = answer(&config, "POST", "/");
        assert!(posted.0 == 200 && posted.1.ends_with("It works!</h1></body></html>\n"));
        assert_eq!(answer(&config, "POST", "/index.html").0, 200);
        let (status, text) = answer(&config, "DELETE", "/");
        assert!(status == 405 && text.contains("<p>The requested method DELETE is not allowed for this URL.</p>\n"));
        let (status, text) = answer(&config, "FOO", "/");
        assert!(status == 501 && text.contains("<p>FOO not supported for current URL.<br />\n</p>\n"), "{text}");
        assert!(
            text.starts_with("HTTP/1.1 501 Not Implemented\r\n") && text.contains("Allow: GET,POST,OPTIONS,HEAD\r\n")
        );
    }

    #[test]
    fn redirects_and_error_documents_lead_elsewhere() {
        let redirect = |status, from: &str, to: Option<&str>| (status, from.to_owned(), to.map(str::to_owned));
        let redirects = vec![
            redirect(410, "/gone", None),
            redirect(303, "/other", Some("http://b/")),
            redirect(302, "/here", Some("/there")),
        ];
        let error_documents = BTreeMap::from([(404, "http://b/404".to_owned()), (405, "/absent".to_owned())]);
        let config = Config { root: "/absent".into(), redirects, error_documents, ..Config::default() };
        let (status, text) = answer(&config, "GET", "/gone/a");
        assert!(status == 410 && text.contains("there is no forwarding address.\n") && !text.contains("Location"));
        let (status, text) = answer(&config, "GET", "/other/a b?c=d");
        assert!(status == 303 && text.contains("Location: http://b//a%20b?c=d\r\n"), "{text}");
        assert!(answer(&config, "GET", "/here").1.contains("Location: http://web/there\r\n"));
        let (status, text) = answer(&config, "GET", "/nope");
        assert!(status == 302 && text.contains("Location: http://b/404\r\n"), "{text}");
        assert!(answer(&config, "PUT", "/x").1.contains("<p>Additionally, a 404 Not Found\nerror was encountered"));
    }

    #[test]
    fn what_is_forbidden_is_in_the_error_log() {
        let config = Config { root: folder(), ..Config::default() };
        let line = format!(
            "[autoindex:error] AH01276: Cannot serve directory {}/conf/: No matching DirectoryIndex (index.html) found, and server-generated directory index forbidden by Options directive\n",
            folder()
        );
        let (status, text) = answer(&config, "GET", "/conf/");
        assert!(status == 403 && text.ends_with(&line), "{text}");
        let (_, text) = answer(&config, "GET", "/.htpasswd");
        let line =
            format!("[authz_core:error] AH01630: client denied by server configuration: {}/.htpasswd\n", folder());
        assert!(text.ends_with(&line), "{text}");
    }
}
