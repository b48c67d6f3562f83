//! The variables of configurations (ngx_http_variables.c).

use std::net::SocketAddrV4;

use net::http::Request;

use crate::config::Virtual;

/// A request, who made it, and which server it is for: what variables are about.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub request: &'a Request,
    pub peer: SocketAddrV4,
    /// The path that is looked for now.
    pub path: &'a str,
    /// Whose request it is.
    pub server: &'a Virtual,
    /// `1.29.3`.
    pub version: &'a str,
}

/// Those that have a value here.
const BUILT: &[&str] = &[
    "args",
    "content_length",
    "content_type",
    "document_uri",
    "host",
    "hostname",
    "https",
    "is_args",
    "nginx_version",
    "proxy_add_x_forwarded_for",
    "proxy_host",
    "query_string",
    "remote_addr",
    "remote_port",
    "remote_user",
    "request",
    "request_method",
    "request_uri",
    "scheme",
    "server_name",
    "server_port",
    "server_protocol",
    "uri",
];

/// Those that nginx knows beside them.
const OTHERS: &[&str] = &[
    "binary_remote_addr",
    "body_bytes_sent",
    "bytes_sent",
    "connection",
    "connection_requests",
    "connection_time",
    "connections_active",
    "connections_reading",
    "connections_waiting",
    "connections_writing",
    "document_root",
    "gzip_ratio",
    "limit_rate",
    "msec",
    "pid",
    "pipe",
    "proxy_port",
    "realpath_root",
    "request_body",
    "request_body_file",
    "request_completion",
    "request_filename",
    "request_id",
    "request_length",
    "request_time",
    "server_addr",
    "status",
    "time_iso8601",
    "time_local",
];

/// Families of which nginx knows every member, and whether they have a value here.
const FAMILIES: &[(&str, bool)] = &[
    ("http_", true),
    ("arg_", true),
    ("cookie_", true),
    ("sent_http_", false),
    ("sent_trailer_", false),
    ("upstream_", false),
    ("ssl_", false),
    ("proxy_protocol_", false),
    ("tcpinfo_", false),
];

/// What is known of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It has a value.
    Built,
    /// nginx has it, and it has no value here.
    Named,
    /// nginx does not have it either.
    Nowhere,
}

/// What is known of a name.
pub fn known(name: &str) -> Known {
    // What an expression has captured: there are none, so it is empty.
    if BUILT.contains(&name) || name.parse::<u8>().is_ok_and(|number| (1..=9).contains(&number)) {
        return Known::Built;
    }
    let family = FAMILIES.iter().find(|(prefix, _)| name.len() > prefix.len() && name.starts_with(prefix));
    match family {
        Some((_, true)) => Known::Built,
        Some((_, false)) => Known::Named,
        None if OTHERS.contains(&name) => Known::Named,
        None => Known::Nowhere,
    }
}

/// A text as it stands, and then perhaps the name of a variable, again and again: `$name` or `${name}`.
fn parts(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let Some((before, after)) = text.split_once('$') else { return Some((text, None)) };
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (name, following) = match after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some(braced) => braced,
            // A captured text has one digit.
            None if after.starts_with(|c: char| c.is_ascii_digit()) => after.split_at(1),
            None => after.split_at(after.find(|c| !is_part(c)).unwrap_or(after.len())),
        };
        rest = Some(following);
        Some((before, Some(name)))
    })
}

/// The names of variables in a text.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    parts(text).filter_map(|(_, name)| name)
}

impl Asked<'_> {
    /// A text with its variables replaced. Those without a value are empty; the configuration was warned of.
    pub fn expand(&self, text: &str, proxy_host: &str) -> String {
        let mut out = String::new();
        for (before, name) in parts(text) {
            out.push_str(before);
            match name {
                Some("proxy_host") => out.push_str(proxy_host),
                Some(name) => out.push_str(&self.variable(name).unwrap_or_default()),
                None => {}
            }
        }
        out
    }

    fn variable(&self, name: &str) -> Option<String> {
        let Request { method, target, version, .. } = self.request;
        let header = |name: &str| self.request.header(name).unwrap_or("").to_owned();
        let query = || target.split_once('?').map_or("", |(_, query)| query);
        Some(match name {
            "uri" | "document_uri" => self.path.to_owned(),
            "request_uri" => target.clone(),
            "request" => format!("{method} {target} {version}"),
            "host" => self.host(),
            "hostname" => proc::hostname(),
            "scheme" => "http".to_owned(),
            "request_method" => method.clone(),
            "server_protocol" => version.clone(),
            "server_name" => self.server.names.first().cloned().unwrap_or_default(),
            "server_port" => self.server.ports.first().map(ToString::to_string).unwrap_or_default(),
            "nginx_version" => self.version.to_owned(),
            "content_length" | "content_type" => header(&name.replace('_', "-")),
            "args" | "query_string" => query().to_owned(),
            "is_args" => if query().is_empty() { "" } else { "?" }.to_owned(),
            "remote_addr" => self.peer.ip().to_string(),
            "remote_port" => self.peer.port().to_string(),
            "proxy_add_x_forwarded_for" => match header("x-forwarded-for").as_str() {
                "" => self.peer.ip().to_string(),
                before => format!("{before}, {}", self.peer.ip()),
            },
            _ => {
                if let Some(name) = name.strip_prefix("http_") {
                    return Some(header(&name.replace('_', "-")));
                }
                if let Some(name) = name.strip_prefix("arg_") {
                    return Some(value_in(query(), '&', name, str::eq_ignore_ascii_case));
                }
                let name = name.strip_prefix("cookie_")?;
                value_in(&header("cookie"), ';', name, |a, b| a == b)
            }
        })
    }

    /// The name that is asked for, without a port; that of the server if none is.
    fn host(&self) -> String {
        match self.request.header("host").and_then(|host| host.split(':').next()).filter(|host| !host.is_empty()) {
            Some(host) => host.to_ascii_lowercase(),
            None => self.server.names.first().cloned().unwrap_or_default(),
        }
    }
}

/// The value of a name in a list of `name=value`.
fn value_in(list: &str, separator: char, name: &str, is_equal: fn(&str, &str) -> bool) -> String {
    let mut pairs = list.split(separator).filter_map(|pair| pair.trim_start().split_once('='));
    pairs.find(|(n, _)| is_equal(n, name)).map_or_else(String::new, |(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> String {
        let owned = |list: &[(&str, &str)]| list.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let request = Request {
            method: "GET".into(),
            target: "/a%20b?name=web&x=".into(),
            version: "HTTP/1.1".into(),
            headers: owned(&[("Host", "Site:8080"), ("X-Real-IP", "10.0.0.1"), ("Cookie", "a=1; session=me")]),
            body: Vec::new(),
        };
        let server = Virtual { names: vec!["site".into()], ports: vec![8080], ..Virtual::default() };
        let peer = SocketAddrV4::new([10, 244, 0, 9].into(), 40_000);
        Asked { request: &request, peer, path: "/a b", server: &server, version: "1.29.3" }.expand(text, "app:3000")
    }

    #[test]
    fn variables_have_the_values_of_the_request() {
        assert_eq!(expanded("$request_method ${uri}$is_args$args"), "GET /a b?name=web&x=");
        assert_eq!(expanded("$request"), "GET /a%20b?name=web&x= HTTP/1.1");
        assert_eq!(expanded("$host $server_name:$server_port on $proxy_host"), "site site:8080 on app:3000");
        assert_eq!(expanded("$http_x_real_ip|$arg_NAME|$arg_x|$cookie_session|$http_none|$1a"), "10.0.0.1|web||me||a");
        assert_eq!(expanded("no variable, nginx/$nginx_version"), "no variable, nginx/1.29.3");
    }

    #[test]
    fn a_name_is_known_or_not() {
        let of = |text: &str| names(text).map(known).collect::<Vec<_>>();
        assert_eq!(of("$uri ${args} $http_x $5 $arg_a"), [Known::Built; 5]);
        assert_eq!(of("$request_id $upstream_addr $ssl_protocol"), [Known::Named; 3]);
        assert_eq!(of("$hostnames $http_ $10x"), [Known::Nowhere, Known::Nowhere, Known::Built]);
        for name in BUILT.iter().filter(|name| !["https", "remote_user", "proxy_host"].contains(name)) {
            assert!(!expanded(&format!("${name}")).is_empty() || name.starts_with("content_"), "{name}");
        }
    }
}
