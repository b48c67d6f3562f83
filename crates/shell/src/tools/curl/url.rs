//! URLs as curl reads them: the scheme may be missing.

use super::Failure;

/// A URL taken apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Url {
    pub host: String,
    pub port: u16,
    /// Path and query, beginning with `/`.
    pub target: String,
    /// `user:password` before an `@`.
    pub user: Option<String>,
    /// Whether the port was written.
    pub explicit_port: bool,
}

impl Url {
    /// What the Host header says.
    pub(crate) fn authority(&self) -> String {
        if self.explicit_port && self.port != 80 { format!("{}:{}", self.host, self.port) } else { self.host.clone() }
    }

    /// The last part of the path.
    pub(crate) fn file_name(&self) -> &str {
        let path = self.target.split(['?', '#']).next().unwrap_or_default();
        path.rsplit('/').next().unwrap_or_default()
    }

    /// Where a Location header leads from here.
    pub(crate) fn join(&self, location: &str) -> String {
        if location.contains("://") {
            return location.to_owned();
        }
        let base = format!("http://{}:{}", self.host, self.port);
        if let Some(rest) = location.strip_prefix("//") {
            return format!("http://{rest}");
        }
        if location.starts_with('/') {
            return format!("{base}{location}");
        }
        let path = self.target.split('?').next().unwrap_or("/");
        let dir = &path[..path.rfind('/').map_or(0, |i| i + 1)];
        format!("{base}{dir}{location}")
    }
}

/// Takes a URL apart.
pub(crate) fn parse(text: &str) -> Result<Url, Failure> {
    let malformed = || Failure(3, "URL using bad/illegal format or missing URL".into());
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None => ("http".into(), text),
    };
    match scheme.as_str() {
        "http" => {}
        "https" => return Err(Failure(1, simulation::stub!("shell", "https in curl").into())),
        "ftp" | "file" | "ws" | "wss" | "telnet" | "scp" | "sftp" => {
            return Err(Failure(1, simulation::stub!("shell", "this protocol in curl").into()));
        }
        other => return Err(Failure(1, format!("Protocol \"{other}\" not supported or disabled in libcurl"))),
    }
    if text.is_empty() || text.contains([' ', '\n', '\t']) {
        return Err(malformed());
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    let (user, host_port) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user.to_owned()), host),
        None => (None, authority),
    };
    let (host, port, explicit_port) = match host_port.rsplit_once(':') {
        Some((host, "")) => (host, 80, false),
        Some((host, port)) => (host, port.parse::<u16>().map_err(|_| malformed())?, true),
        None => (host_port, 80, false),
    };
    if host.is_empty() || host.contains(['{', '}', '[', ']', '<', '>', '"', '\\', '|', '^', '`']) {
        return Err(malformed());
    }
    let target = target.split('#').next().unwrap_or_default();
    let target = match target {
        "" => "/".to_owned(),
        t if t.starts_with('?') => format!("/{t}"),
        t => dot_segments(t),
    };
    Ok(Url { host: host.to_owned(), port, target, user, explicit_port })
}

/// Removes `.` and `..` from the path.
fn dot_segments(target: &str) -> String {
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (target, String::new()),
    };
    if !path.contains("/.") {
        return target.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    let pieces: Vec<&str> = path.split('/').skip(1).collect();
    for (i, piece) in pieces.iter().enumerate() {
        let last = i + 1 == pieces.len();
        match *piece {
            "." if last => parts.push(""),
            "." => {}
            ".." => {
                parts.pop();
                if last {
                    parts.push("");
                }
            }
            other => parts.push(other),
        }
    }
    format!("/{}{query}", parts.join("/"))
}

/// Percent-encoding of everything but unreserved characters.
pub(super) fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| {
            let plain = b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
            if plain { char::from(b).to_string() } else { format!("%{b:02X}") }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let url = parse("192.168.49.2:30080").expect("no scheme is http");
        assert_eq!((url.host.as_str(), url.port, url.target.as_str()), ("192.168.49.2", 30080, "/"));
        assert_eq!(url.authority(), "192.168.49.2:30080");
        let url = parse("http://u:p@h/a/../b?x=1#f").expect("a URL");
        assert_eq!((url.target.as_str(), url.user.as_deref()), ("/b?x=1", Some("u:p")));
        assert_eq!(url.join("c"), "http://h:80/c");
        assert_eq!(parse("http://").map_err(|f| f.0), Err(3));
        assert_eq!(parse("http://h:99999").map_err(|f| f.0), Err(3));
        assert_eq!(parse("foo://x").map_err(|f| f.0), Err(1));
        assert_eq!(encode("a b&"), "a%20b%26");
    }
}
