//! What nginx is configured with, and which part of it a request belongs to.
//!
//! The controller's half, which the simulated machine plays (crates/cluster/src/ingress), works it out from Ingresses and sends
//! it as lines. Here it is read and followed: the server by its name, the location as nginx chooses it.

use std::collections::BTreeMap;

use crate::pattern::{Pattern, TooMuch};

/// The server for names that no other has.
pub const CATCH_ALL: &str = "_";
/// The upstream that answers what no Ingress speaks of.
pub const DEFAULT_BACKEND: &str = "upstream-default-backend";

/// All servers and upstreams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    servers: Vec<Server>,
    upstreams: BTreeMap<String, Vec<String>>,
}

/// One host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// `hello-world.example`, `*.example`, or `_`.
    pub host: String,
    /// It has a certificate, so plain HTTP is redirected.
    pub has_certificate: bool,
    /// Every path is a regular expression, because one of them is.
    is_regex: bool,
    locations: Vec<Location>,
}

/// One path of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    is_exact: bool,
    /// As configured.
    pub path: String,
    /// The path as an expression, in a server where all are; none where it cannot be read.
    pattern: Option<Pattern>,
    /// The path as an expression that a rewrite is made with.
    rewrite_from: Option<Pattern>,
    /// Name of the upstream.
    pub upstream: String,
    options: BTreeMap<String, String>,
}

impl Location {
    /// An option by name; empty if it is not set.
    pub fn option(&self, name: &str) -> &str {
        self.options.get(name).map_or("", String::as_str)
    }

    /// Whether an option is set to `true`.
    pub fn is_on(&self, name: &str) -> bool {
        self.option(name) == "true"
    }

    /// Whether its path is to be rewritten.
    pub fn rewrites(&self) -> bool {
        self.options.get("rewrite").is_some_and(|to| *to != self.path)
    }

    /// The target that the backend is asked for: the path rewritten, if it is to be.
    ///
    /// # Errors
    /// [`TooMuch`] if the expression needs too much.
    pub fn rewritten(&self, path: &str, target: &str) -> Result<Option<String>, TooMuch> {
        let (Some(to), Some(from)) = (self.options.get("rewrite").filter(|_| self.rewrites()), &self.rewrite_from)
        else {
            return Ok(None);
        };
        let Some(groups) = from.find(path)? else { return Ok(None) };
        let mut rewritten = String::new();
        let mut chars = to.chars().peekable();
        while let Some(c) = chars.next() {
            match chars.peek().and_then(|n| n.to_digit(10)).filter(|_| c == '$') {
                Some(number) => {
                    chars.next();
                    rewritten.push_str(groups.get(number as usize).map_or("", String::as_str));
                }
                None => rewritten.push(c),
            }
        }
        let (path, own_query) = rewritten.split_once('?').map_or((rewritten.as_str(), None), |(p, q)| (p, Some(q)));
        let own_query = own_query.map(|query| escape(query, b""));
        let queries: Vec<&str> =
            own_query.as_deref().into_iter().chain(target.split_once('?').map(|(_, q)| q)).collect();
        let query = if queries.is_empty() { String::new() } else { format!("?{}", queries.join("&")) };
        Ok(Some(format!("{}{query}", escape(path, b"%?"))))
    }

    /// What is wrong with its expressions.
    fn complaint(&self, is_regex: bool) -> Option<String> {
        let is_read =
            (!is_regex || self.pattern.is_some()) && (self.option("rewrite").is_empty() || self.rewrite_from.is_some());
        (!is_read)
            .then(|| format!("kubonsai does not support some regular expressions (ingress-nginx) yet: {}", self.path))
    }
}

impl Server {
    /// The location for a [`normal`] path.
    ///
    /// # Errors
    /// [`TooMuch`] if an expression needs too much.
    pub fn location(&self, path: &str) -> Result<Option<&Location>, TooMuch> {
        if self.is_regex {
            for location in &self.locations {
                if let Some(pattern) = &location.pattern
                    && pattern.find(path)?.is_some()
                {
                    return Ok(Some(location));
                }
            }
            return Ok(None);
        }
        let exact = self.locations.iter().find(|l| l.is_exact && l.path == path);
        let prefixes = self.locations.iter().filter(|l| !l.is_exact && path.starts_with(&l.path));
        Ok(exact.or_else(|| prefixes.max_by_key(|l| l.path.len())))
    }

    /// Whether a path is that of a location but for the slash at its end, where nginx sends the client there.
    pub fn lacks_slash(&self, path: &str) -> bool {
        let is_it = |l: &Location| l.path.strip_suffix('/') == Some(path) && l.option("refused").is_empty();
        !self.is_regex
            && !self.locations.iter().any(|l| l.is_exact && l.path == path)
            && self.locations.iter().any(|l| !l.is_exact && is_it(l))
    }

    /// Whether the server's own `location /healthz` is chosen.
    pub fn is_health(&self, path: &str) -> bool {
        const HEALTH: &str = "/healthz";
        let is_closer = |l: &Location| {
            if l.is_exact { l.path == path } else { l.path.len() > HEALTH.len() && path.starts_with(&l.path) }
        };
        self.host == CATCH_ALL && path.starts_with(HEALTH) && !self.is_regex && !self.locations.iter().any(is_closer)
    }

    /// Where `/` is redirected to, whichever location says so; empty if nowhere.
    pub fn app_root(&self) -> &str {
        self.locations.iter().map(|l| l.option("app-root")).find(|root| !root.is_empty()).unwrap_or("")
    }
}

/// Writes a part of a URI as it is sent (ngx_escape_uri); `more` are bytes that mean something else there.
fn escape(part: &str, more: &[u8]) -> String {
    let mut out = String::new();
    for byte in part.bytes() {
        match byte {
            0..=0x20 | 0x7f.. | b'#' => out.push_str(&format!("%{byte:02X}")),
            byte if more.contains(&byte) => out.push_str(&format!("%{byte:02X}")),
            byte => out.push(byte as char),
        }
    }
    out
}

/// The path that locations are compared with: decoded, without doubled slashes and dots (ngx_http_parse_complex_uri). None if it
/// leads out of the root.
pub fn normal(path: &str) -> Option<String> {
    let decoded = net::http::decode(path);
    let mut parts: Vec<&str> = Vec::new();
    for part in decoded.split('/').skip(1) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    let ends_with_slash = ["/", "/.", "/.."].iter().any(|end| decoded.ends_with(end));
    let slash = if ends_with_slash && !parts.is_empty() { "/" } else { "" };
    Some(format!("/{}{slash}", parts.join("/")))
}

impl Site {
    /// Reads a line of the configuration; false if it is none.
    pub fn read(&mut self, words: &[String]) -> bool {
        match words {
            [kind, host, certificate, mode] if kind == "server" => self.servers.push(Server {
                host: host.clone(),
                has_certificate: certificate == "tls",
                is_regex: mode == "regex",
                locations: Vec::new(),
            }),
            [kind, how, path, upstream, options @ ..] if kind == "location" => {
                let Some(server) = self.servers.last_mut() else { return false };
                let options: BTreeMap<String, String> = options
                    .iter()
                    .filter_map(|option| option.split_once('='))
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .collect();
                server.locations.push(Location {
                    is_exact: how == "exact",
                    path: path.clone(),
                    pattern: Pattern::new(&format!("^{path}")).filter(|_| server.is_regex),
                    rewrite_from: Pattern::new(path).filter(|_| options.contains_key("rewrite")),
                    upstream: upstream.clone(),
                    options,
                });
            }
            [kind, name, endpoints @ ..] if kind == "upstream" => {
                self.upstreams.insert(name.clone(), endpoints.to_vec());
            }
            _ => return false,
        }
        true
    }

    /// What cannot be followed, as sentences for the log.
    pub fn complaints(&self) -> Vec<String> {
        let all = self.servers.iter().flat_map(|s| s.locations.iter().map(|l| l.complaint(s.is_regex)));
        all.flatten().collect()
    }

    /// The endpoints of an upstream.
    pub fn endpoints(&self, upstream: &str) -> &[String] {
        self.upstreams.get(upstream).map_or(&[], Vec::as_slice)
    }

    /// Whether there is an upstream of a name.
    pub fn has_upstream(&self, upstream: &str) -> bool {
        self.upstreams.contains_key(upstream)
    }

    /// The server and the location for a request to a host, with a [`normal`] path.
    ///
    /// # Errors
    /// [`TooMuch`] if an expression needs too much.
    #[cfg(test)]
    pub fn find(&self, host: &str, path: &str) -> Result<Option<(&Server, &Location)>, TooMuch> {
        let Some(server) = self.server(host) else { return Ok(None) };
        Ok(server.location(path)?.map(|location| (server, location)))
    }

    /// The server for a host.
    pub fn server(&self, host: &str) -> Option<&Server> {
        let host = host.split(':').next().unwrap_or("").trim_end_matches('.').to_ascii_lowercase();
        let by_name = self.servers.iter().find(|s| s.host == host);
        // A star stands for one label (`~^(?<subdomain>[\w-]+)\.rest$`).
        let by_star = || {
            let (label, rest) = host.split_once('.')?;
            let is_label = !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
            self.servers.iter().find(|s| is_label && s.host.strip_prefix("*.") == Some(rest))
        };
        by_name.or_else(by_star).or_else(|| self.servers.iter().find(|s| s.host == CATCH_ALL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(lines: &str) -> Site {
        let mut site = Site::default();
        for line in lines.lines().map(str::trim).filter(|l| !l.is_empty()) {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert!(site.read(&words), "{line}");
        }
        site
    }

    #[track_caller]
    fn check(site: &Site, host: &str, target: &str, expected: &str) {
        let path = normal(target.split('?').next().unwrap_or("")).expect("a path");
        let found = site.find(host, &path).expect("few steps");
        let text = found.map_or("nothing".to_owned(), |(server, location)| {
            let to = location.rewritten(&path, target).expect("few steps").unwrap_or_else(|| target.to_owned());
            format!("{} {} {} {to}", server.host, location.path, location.upstream)
        });
        assert_eq!(text, expected, "{host}{target}");
    }

    #[test]
    fn the_most_specific_host_and_path_win() {
        let site = site(
            "server _ plain prefix
             location prefix / upstream-default-backend
             server a.example plain prefix
             location prefix /shop/cart/ cart
             location exact /shop/cart cart
             location prefix /shop/ shop
             location exact /shop shop
             location prefix / front
             location exact /only exact
             server *.example plain prefix
             location prefix / star",
        );
        check(&site, "a.example", "/shop", "a.example /shop shop /shop");
        check(&site, "A.example:8080", "/shop/x", "a.example /shop/ shop /shop/x");
        check(&site, "a.example", "/shopping", "a.example / front /shopping");
        check(&site, "a.example", "/shop/cart?n=1", "a.example /shop/cart cart /shop/cart?n=1");
        check(&site, "a.example", "/shop//cart/../cart/1", "a.example /shop/cart/ cart /shop//cart/../cart/1");
        check(&site, "a.example", "/only", "a.example /only exact /only");
        check(&site, "a.example", "/only/more", "a.example / front /only/more");
        check(&site, "b.example", "/", "*.example / star /");
        check(&site, "b.c.example", "/", "_ / upstream-default-backend /");
        check(&site, "example", "/", "_ / upstream-default-backend /");
        check(&site, "192.168.49.2", "/x", "_ / upstream-default-backend /x");
    }

    #[test]
    fn paths_are_rewritten_with_what_they_caught() {
        let site = site(
            "server a.example plain regex
             location prefix /something(/|$)(.*) web rewrite=/$2
             location prefix /plain web rewrite=/
             location prefix /same web rewrite=/same
             location prefix /q/(.*) web rewrite=/find?q=$1
             location prefix / front",
        );
        check(&site, "a.example", "/something/new/page?x=1", "a.example /something(/|$)(.*) web /new/page?x=1");
        check(&site, "a.example", "/SOMETHING", "a.example /something(/|$)(.*) web /");
        check(&site, "a.example", "/plain/and/more", "a.example /plain web /");
        check(&site, "a.example", "/same/x", "a.example /same web /same/x");
        check(&site, "a.example", "/q/a%20b?c=d", "a.example /q/(.*) web /find?q=a%20b&c=d");
        check(&site, "a.example", "/other", "a.example / front /other");
        assert!(site.complaints().is_empty());
    }

    #[test]
    fn expressions_that_cannot_be_read_are_named() {
        let site = site("server a plain regex\nlocation prefix /(?=x) web");
        assert_eq!(site.complaints().len(), 1);
        assert_eq!(site.find("a", "/x"), Ok(None));
    }

    #[test]
    fn paths_are_made_normal() {
        let cases = ["/", "//a//b/", "/a/./b/..", "/a%2Fb", "/.."].map(normal);
        let expected = [Some("/"), Some("/a/b/"), Some("/a/"), Some("/a/b"), None];
        assert_eq!(cases, expected.map(|e| e.map(str::to_owned)));
    }

    #[test]
    fn a_slash_may_be_lacking() {
        let lines = "location prefix /a/ a\nlocation exact /a/ a\nlocation prefix /b/ b\nlocation exact /b b\nlocation prefix / front";
        let prefix = site(&format!("server a plain prefix\n{lines}"));
        let lacks = |site: &Site, path: &str| site.server("a").expect("a server").lacks_slash(path);
        assert_eq!(["/a", "/a/", "/b", "/c", "/"].map(|path| lacks(&prefix, path)), [true, false, false, false, false]);
        assert!(!lacks(&site(&format!("server a plain regex\n{lines}")), "/a"));
    }

    #[test]
    fn an_ingress_may_have_the_path_of_health() {
        let is = |lines: &str, path: &str| site(&format!("server _ plain {lines}")).servers[0].is_health(path);
        let front = "prefix\nlocation prefix / front";
        assert_eq!(["/healthz", "/healthz/x", "/x"].map(|path| is(front, path)), [true, true, false]);
        assert!(!is("prefix\nlocation exact /healthz own\nlocation prefix / front", "/healthz"));
        assert!(!is("prefix\nlocation prefix /healthz/x/ own", "/healthz/x/y"));
        assert!(!is("regex\nlocation prefix / front", "/healthz"));
    }
}
