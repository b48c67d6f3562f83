//! What a request asks for (k8s.io/apiserver/pkg/endpoints/request/requestinfo.go).

use api::Kind;
use api::http::{Certified, Component, HeaderMap, Method, Uri, header};

use crate::custom::Custom;

/// The parameters of a URL, decoded, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `a=b&c=d`.
    pub fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|p| !p.is_empty());
        Query(
            pairs
                .map(|pair| {
                    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (decode(key, true), decode(value, true))
                })
                .collect(),
        )
    }

    /// The first value of a parameter, empty if absent.
    pub fn get(&self, key: &str) -> &str {
        self.0.iter().find(|(k, _)| k == key).map_or("", |(_, v)| v)
    }

    /// Whether the parameter is there at all.
    pub fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(k, _)| k == key)
    }

    /// A boolean parameter as `strconv.ParseBool` reads it; false if it is none.
    pub fn flag(&self, key: &str) -> bool {
        matches!(self.get(key), "1" | "t" | "T" | "true" | "TRUE" | "True")
    }

    /// Every parameter, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

/// Decodes `%XX`, and `+` as a space in queries.
pub fn decode(text: &str, plus_is_space: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = |c: u8| (c as char).to_digit(16).map(|d| d as u8);
        match bytes[i] {
            b'%' if i + 2 < bytes.len() => match (hex(bytes[i + 1]), hex(bytes[i + 2])) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    i += 2;
                }
                _ => out.push(b'%'),
            },
            b'+' if plus_is_space => out.push(b' '),
            other => out.push(other),
        }
        i += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A request to a resource of the table of kinds.
#[derive(Clone, Debug)]
pub struct Target {
    /// The row.
    pub kind: &'static Kind,
    /// Empty for all namespaces and for cluster-scoped kinds.
    pub namespace: String,
    /// Empty for the collection.
    pub name: String,
    /// Empty for the object itself.
    pub subresource: String,
    /// What follows the subresource, undecoded (only proxies have it); begins with `/` or is empty.
    pub rest: String,
    /// The deprecated `/watch/` prefix was used.
    pub watch_prefix: bool,
}

/// Where a path leads.
#[derive(Clone, Debug)]
pub enum Route {
    /// `/api`, `/apis`, `/apis/apps`, `/apis/apps/v1`: the segments.
    Discovery(Vec<String>),
    /// An object or a collection.
    Resource(Target),
    /// Below a known group version, but nothing is served there.
    UnknownResource,
    /// Everything else: `/version`, `/healthz`, unknown paths.
    Other,
}

/// Finds where a path leads.
pub fn route(path: &str, customs: &[&'static Custom]) -> Route {
    let mut segments: Vec<&str> = path.split('/').skip(1).collect();
    while segments.last() == Some(&"") {
        segments.pop();
    }
    let (group, version, rest) = match segments.as_slice() {
        ["api"] | ["api", _] | ["apis"] | ["apis", _] | ["apis", _, _] => {
            return Route::Discovery(segments.iter().map(|s| decode(s, false)).collect());
        }
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return Route::Other,
    };
    let mut kinds = api::kinds::KINDS
        .iter()
        .chain(api::kinds::VERSIONS)
        .chain(api::kinds::METRICS)
        .copied()
        .chain(customs.iter().map(|custom| custom.kind));
    if !kinds.any(|k| k.group == group && k.version == version) {
        return Route::Other;
    }
    match target(group, version, rest, customs) {
        Some(target) => Route::Resource(target),
        None => Route::UnknownResource,
    }
}

fn target(group: &str, version: &str, rest: &[&str], customs: &[&'static Custom]) -> Option<Target> {
    let (watch_prefix, rest) = match rest {
        ["watch", rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (namespace, rest) = match rest {
        // `namespaces/x` is the object itself, and so are its subresources.
        ["namespaces", _] | ["namespaces", _, "status" | "finalize"] if group.is_empty() => ("", rest),
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
        rest => ("", rest),
    };
    let plural = *rest.first()?;
    let added = || {
        let foreign = api::kinds::METRICS.iter().copied();
        let mut others = customs.iter().map(|c| c.kind).chain(foreign);
        others.find(|k| k.group == group && k.version == version && k.plural == plural)
    };
    let kind = api::kinds::by_resource(group, version, plural).or_else(added)?;
    if !namespace.is_empty() && !kind.namespaced {
        return None;
    }
    let name = rest.get(1).map_or(String::new(), |s| decode(s, false));
    if !name.is_empty() && namespace.is_empty() && kind.namespaced {
        return None;
    }
    let subresource = rest.get(2).copied().unwrap_or("");
    if !subresource.is_empty() && !kind.subresources.contains(&subresource) {
        return None;
    }
    let tail = rest.get(3..).unwrap_or(&[]);
    if !tail.is_empty() && subresource != "proxy" {
        return None;
    }
    let mut path = String::new();
    for part in tail {
        path.push('/');
        path.push_str(part);
    }
    Some(Target {
        kind,
        namespace: decode(namespace, false),
        name,
        subresource: subresource.to_owned(),
        rest: path,
        watch_prefix,
    })
}

/// A request head, taken apart.
#[derive(Clone, Debug)]
pub struct Head {
    /// The method.
    pub method: Method,
    /// The URI.
    pub uri: Uri,
    /// The decoded parameters.
    pub query: Query,
    /// The headers.
    pub headers: HeaderMap,
    /// Who the client's certificate says it is.
    pub certified: Option<Certified>,
    /// Which part of the cluster asks, if one does.
    pub component: Option<Component>,
}

impl Head {
    /// One header as text, empty if absent.
    pub fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or("")
    }

    /// Who asks, for the trace: the first word of the user agent without its version.
    pub fn caller(&self) -> String {
        let agent = self.header(header::USER_AGENT);
        // kubectl/v1.36.3 (linux/amd64) -> kubectl; kubelet/minikube stays as it is: it names the node.
        match agent.split_whitespace().next() {
            None => "unknown".to_owned(),
            Some(word) => match word.split_once('/') {
                Some((name, version)) if version.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit()) => {
                    name.to_owned()
                }
                _ => word.to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: &str) {
        let shown = match route(path, &[]) {
            Route::Discovery(segments) => format!("discovery {}", segments.join(" ")),
            Route::Resource(t) => {
                format!("{}|{}|{}|{}|{}", t.kind.group_resource(), t.namespace, t.name, t.subresource, t.rest)
            }
            Route::UnknownResource => "unknown resource".to_owned(),
            Route::Other => "other".to_owned(),
        };
        assert_eq!(shown, expected, "{path}");
    }

    #[test]
    fn routes() {
        check("/api", "discovery api");
        check("/apis/apps/v1/", "discovery apis apps v1");
        check("/api/v1/pods", "pods||||");
        check("/api/v1/namespaces", "namespaces||||");
        check("/api/v1/namespaces/default", "namespaces||default||");
        check("/api/v1/namespaces/default/finalize", "namespaces||default|finalize|");
        check("/api/v1/namespaces/default/pods/x/log", "pods|default|x|log|");
        check("/apis/apps/v1/namespaces/default/deployments/x/scale", "deployments.apps|default|x|scale|");
        check(
            "/api/v1/namespaces/default/services/http:web:80/proxy/a%20b/c",
            "services|default|http:web:80|proxy|/a%20b/c",
        );
        check("/api/v1/namespaces/default/pods/x/proxy", "pods|default|x|proxy|");
        check("/api/v1/nodes/minikube/status", "nodes||minikube|status|");
        check("/api/v1/namespaces/default/nodes/minikube", "unknown resource");
        check("/api/v1/pods/x", "unknown resource");
        check("/api/v1/podds", "unknown resource");
        check("/apis/apps/v1beta1/deployments", "other");
        check("/healthz", "other");
        check("/apis/metrics.k8s.io/v1beta1/nodes/minikube", "nodes.metrics.k8s.io||minikube||");
        check("/apis/metrics.k8s.io/v1beta1/namespaces/default/pods", "pods.metrics.k8s.io|default|||");
    }

    #[test]
    fn queries() {
        let query = Query::parse("labelSelector=app%3Dweb%2Ctier+in+%28a%29&watch=1&command=a&command=b");
        assert_eq!(query.get("labelSelector"), "app=web,tier in (a)");
        assert!(query.flag("watch") && !query.flag("x"));
        assert_eq!(query.pairs().filter(|(key, _)| *key == "command").map(|(_, v)| v).collect::<Vec<_>>(), ["a", "b"]);
    }
}
