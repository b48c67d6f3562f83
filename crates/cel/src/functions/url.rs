//! URLs (k8s.io/apiserver/pkg/cel/library/urls.go, Go's net/url as far as `ParseRequestURI` needs it).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Found;
use crate::value::{Key, Value};

/// A URL in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    scheme: String,
    host: String,
    path: String,
    query: String,
}

pub(super) fn call(name: &str, args: &[Value]) -> Option<Found> {
    let found = match (name, args) {
        ("isURL", [Value::String(text)]) => Value::Bool(parse(text).is_ok()),
        ("url", [Value::String(text)]) => {
            let why = |why| format!("URL parse error during conversion from string: parse {text:?}: {why}");
            return Some(parse(text).map(|url| Value::Url(Arc::new(url))).map_err(why));
        }
        ("getScheme", [Value::Url(url)]) => Value::from(url.scheme.as_str()),
        ("getHost", [Value::Url(url)]) => Value::from(url.host.as_str()),
        ("getHostname", [Value::Url(url)]) => Value::from(split_port(&url.host).0),
        ("getPort", [Value::Url(url)]) => Value::from(split_port(&url.host).1),
        ("getEscapedPath", [Value::Url(url)]) => Value::from(url.path.as_str()),
        ("getQuery", [Value::Url(url)]) => query(&url.query),
        _ => return None,
    };
    Some(Ok(found))
}

fn parse(text: &str) -> Result<Url, String> {
    if text.is_empty() {
        return Err("empty url".into());
    }
    if text.chars().any(|c| c.is_ascii_control()) {
        return Err("net/url: invalid control character in URL".into());
    }
    let (scheme, rest) = match text.find(':') {
        Some(0) => return Err("missing protocol scheme".into()),
        Some(end) if is_scheme(&text[..end]) => (text[..end].to_ascii_lowercase(), &text[end + 1..]),
        Some(end) if !text[..end].contains('/') && text.starts_with(|c: char| c.is_ascii_digit()) => {
            return Err("first path segment in URL cannot contain colon".into());
        }
        _ => (String::new(), text),
    };
    let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    if !rest.starts_with('/') {
        // `scheme:opaque` is a URI, anything else is not.
        return match scheme.is_empty() {
            true => Err("invalid URI for request".into()),
            false => Ok(Url { scheme, host: String::new(), path: String::new(), query: query.into() }),
        };
    }
    let (host, path) = match rest.strip_prefix("//") {
        Some(rest) if !rest.starts_with('/') || !scheme.is_empty() => {
            let end = rest.find('/').unwrap_or(rest.len());
            (&rest[..end], &rest[end..])
        }
        _ => ("", rest),
    };
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    if host.contains(' ') {
        return Err("invalid character \" \" in host name".into());
    }
    if let Some((_, port)) = host.rsplit_once(':')
        && !port.ends_with(']')
        && !port.chars().all(|c| c.is_ascii_digit())
    {
        return Err(format!("invalid port {:?} after host", format!(":{port}")));
    }
    Ok(Url { scheme, host: host.into(), path: escaped(path)?, query: query.into() })
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// A path in which what must be escaped is.
fn escaped(path: &str) -> Result<String, String> {
    let mut out = String::new();
    for (i, c) in path.char_indices() {
        match c {
            '%' => {
                let code = path.get(i + 1..i + 3).unwrap_or(&path[i + 1..]);
                if code.len() != 2 || !code.chars().all(|c| c.is_ascii_hexdigit()) {
                    let shown: String = path[i..].chars().take(3).collect();
                    return Err(format!("invalid URL escape {shown:?}"));
                }
                out.push('%');
            }
            ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' => out.push_str(&format!("%{:02X}", c as u32)),
            c if c.is_ascii() => out.push(c),
            c => c.encode_utf8(&mut [0; 4]).bytes().for_each(|b| out.push_str(&format!("%{b:02X}"))),
        }
    }
    Ok(out)
}

fn split_port(host: &str) -> (&str, &str) {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if port.chars().all(|c| c.is_ascii_digit()) => (name, port),
        _ => (host, ""),
    };
    (name.strip_prefix('[').and_then(|n| n.strip_suffix(']')).unwrap_or(name), port)
}

fn query(text: &str) -> Value {
    let mut found: BTreeMap<Key, Vec<Value>> = BTreeMap::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';')) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if let (Some(key), Some(value)) = (unescape(key), unescape(value)) {
            found.entry(Key::String(key.into())).or_default().push(Value::from(value));
        }
    }
    Value::Map(Arc::new(found.into_iter().map(|(key, values)| (key, Value::list(values))).collect()))
}

fn unescape(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut i = 0;
    while let Some(byte) = bytes.get(i) {
        i += 1;
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                out.push(u8::from_str_radix(text.get(i..i + 2)?, 16).ok()?);
                i += 2;
            }
            other => out.push(*other),
        }
    }
    String::from_utf8(out).ok()
}
