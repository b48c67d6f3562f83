//! Ingresses become servers, locations and upstreams of nginx (`internal/ingress/controller/{controller,location}.go`), as lines
//! for nginx's half (images/ingress-nginx).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::rc::Rc;

use api::Object;
use json::Value;

use super::annotations::Annotations;

/// The server for names that no other has.
const CATCH_ALL: &str = "_";
/// The upstream that answers 404.
const DEFAULT_BACKEND: &str = "upstream-default-backend";
const SERVICE_NAME_LABEL: &str = "kubernetes.io/service-name";
/// Bytes of all servers with their locations; locations beyond are left out, and the log says how many.
const SERVERS_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A configuration. What is in `servers` needs a reload of nginx, what is in `upstreams` does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Site {
    /// Lines of servers, each with its locations.
    pub(super) servers: String,
    /// Lines of upstreams.
    pub(super) upstreams: String,
    /// Names of ExternalName Services whose addresses are wanted.
    pub(super) names: BTreeSet<String>,
    /// Locations that there was no room for.
    pub(super) left_out: usize,
}

/// The addresses of names that were resolved.
pub(super) type Names = BTreeMap<String, Vec<Ipv4Addr>>;

/// Services and their slices, by namespace and name.
struct Index<'a> {
    services: BTreeMap<(&'a str, &'a str), &'a Object>,
    slices: BTreeMap<(&'a str, &'a str), Vec<&'a Object>>,
}

impl<'a> Index<'a> {
    fn new(services: &'a [Object], slices: &'a [Object]) -> Index<'a> {
        let mut own: BTreeMap<_, Vec<&Object>> = BTreeMap::new();
        for slice in slices {
            if let Some(service) = slice.label(SERVICE_NAME_LABEL) {
                own.entry((slice.namespace(), service)).or_default().push(slice);
            }
        }
        Index { services: services.iter().map(|s| ((s.namespace(), s.name()), s)).collect(), slices: own }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PathType {
    Exact,
    Prefix,
}

#[derive(Clone, Debug)]
struct Location {
    path: String,
    path_type: PathType,
    upstream: String,
    /// No rule speaks of it.
    is_default: bool,
    use_regex: bool,
    options: Rc<BTreeMap<String, String>>,
}

#[derive(Debug)]
struct Server {
    has_certificate: bool,
    locations: Vec<Location>,
}

/// The configuration for these Ingresses, which are all of the controller's.
pub(super) fn site(ingresses: &[Object], services: &[Object], slices: &[Object], names: &Names) -> Site {
    let mut ingresses: Vec<&Object> = ingresses.iter().collect();
    ingresses.sort_by_cached_key(|i| (i.str("metadata.creationTimestamp").to_owned(), i.key()));
    let read: Vec<(&Object, Annotations)> =
        ingresses.into_iter().map(|i| (i, Annotations::of(i))).filter(|(_, a)| !a.is_canary).collect();
    let mut servers = BTreeMap::new();
    servers.insert(CATCH_ALL.to_owned(), Server { has_certificate: false, locations: vec![catch_all()] });
    for (ingress, annotations) in &read {
        make_servers(&mut servers, ingress, annotations);
    }
    let mut site = Site::default();
    let mut wanted = BTreeSet::new();
    for (ingress, annotations) in &read {
        make_locations(&mut servers, ingress, annotations);
        let paths = rules(ingress).flat_map(|(_, paths)| paths.iter().map(|path| &path["backend"]["service"]));
        let backends = paths.chain(std::iter::once(ingress.at("spec.defaultBackend.service")));
        for backend in backends.filter(|b| b.is_object()) {
            wanted.insert((upstream_name(ingress.namespace(), backend), ingress.namespace(), backend_key(backend)));
        }
    }
    for (host, server) in servers {
        server.write(&host, &mut site);
    }
    let index = Index::new(services, slices);
    for (name, namespace, (service, number, port)) in wanted {
        let endpoints = match endpoints(&index, namespace, service, number, port) {
            Endpoints::At(all) => all,
            Endpoints::Named(name, port) => {
                let known = names.get(&name).into_iter().flatten();
                let all = known.filter(|ip| !ip.is_loopback()).map(|ip| format!("{ip}:{port}")).collect();
                site.names.insert(name);
                all
            }
        };
        line(&mut site.upstreams, ["upstream".to_owned(), name].into_iter().chain(endpoints));
    }
    site
}

/// A line for nginx's half: words between tabs, with what would be taken for one written `%XX`.
pub(super) fn line(out: &mut String, words: impl IntoIterator<Item = String>) {
    for (index, word) in words.into_iter().enumerate() {
        if index > 0 {
            out.push('\t');
        }
        for c in word.chars() {
            match c {
                '%' | '\t' | '\n' | '\r' => {
                    let _ = write!(out, "%{:02X}", c as u32);
                }
                c => out.push(c),
            }
        }
    }
    out.push('\n');
}

fn catch_all() -> Location {
    Location {
        path: "/".to_owned(),
        path_type: PathType::Prefix,
        upstream: DEFAULT_BACKEND.to_owned(),
        is_default: true,
        use_regex: false,
        // `enable-access-log-for-default-backend` is off unless told otherwise.
        options: Rc::new(BTreeMap::from([("log".to_owned(), "off".to_owned())])),
    }
}

/// Host and paths of each rule; a rule without a host is for the catch-all.
fn rules(ingress: &Object) -> impl Iterator<Item = (&str, &[Value])> {
    ingress.list("spec.rules").iter().map(|rule| {
        let host = rule["host"].as_str().filter(|h| !h.is_empty()).unwrap_or(CATCH_ALL);
        (host, rule["http"]["paths"].as_array().map_or(&[][..], |paths| &paths[..]))
    })
}

fn backend_key(backend: &Value) -> (&str, Option<i64>, &str) {
    let port = &backend["port"];
    (
        backend["name"].as_str().unwrap_or(""),
        port["number"].as_i64().filter(|n| *n > 0),
        port["name"].as_str().unwrap_or(""),
    )
}

/// `default-web-8080`
fn upstream_name(namespace: &str, backend: &Value) -> String {
    match backend_key(backend) {
        (service, Some(number), _) => format!("{namespace}-{service}-{number}"),
        (service, None, port) if !port.is_empty() => format!("{namespace}-{service}-{port}"),
        _ => format!("{namespace}-INVALID"),
    }
}

/// The servers of an Ingress, each with a location for all that no path is for, and whether they have a certificate.
fn make_servers(servers: &mut BTreeMap<String, Server>, ingress: &Object, annotations: &Annotations) {
    let backend = ingress.at("spec.defaultBackend.service");
    let own_default = backend.is_object().then(|| upstream_name(ingress.namespace(), backend));
    if let Some(upstream) = own_default.as_ref().filter(|_| ingress.list("spec.rules").is_empty())
        && let Some(root) = servers.get_mut(CATCH_ALL).and_then(|server| server.locations.first_mut())
        && root.is_default
    {
        // Rewrites and redirects are not for the catch-all, as upstream has it.
        let options = annotations.options.iter().filter(|(name, _)| !matches!(name.as_str(), "rewrite" | "redirect"));
        root.options = Rc::new(options.map(|(name, value)| (name.clone(), value.clone())).collect());
        (root.is_default, root.upstream) = (false, upstream.clone());
    }
    for (host, _) in rules(ingress) {
        let server = servers.entry(host.to_owned()).or_insert_with(|| Server {
            has_certificate: false,
            locations: vec![Location {
                path: "/".to_owned(),
                path_type: PathType::Prefix,
                upstream: own_default.clone().unwrap_or_else(|| DEFAULT_BACKEND.to_owned()),
                is_default: true,
                use_regex: annotations.use_regex,
                options: Rc::clone(&annotations.options),
            }],
        });
        // A host of an Ingress with TLS has at least the default certificate.
        server.has_certificate |= host != CATCH_ALL && !ingress.list("spec.tls").is_empty();
    }
}

fn make_locations(servers: &mut BTreeMap<String, Server>, ingress: &Object, annotations: &Annotations) {
    for (host, paths) in rules(ingress) {
        let Some(server) = servers.get_mut(host) else { continue };
        for path in paths.iter().filter(|path| path["backend"]["service"].is_object()) {
            let location = Location {
                path: path["path"].as_str().filter(|p| !p.is_empty()).unwrap_or("/").to_owned(),
                path_type: if path["pathType"] == "Exact" { PathType::Exact } else { PathType::Prefix },
                upstream: upstream_name(ingress.namespace(), &path["backend"]["service"]),
                is_default: false,
                use_regex: annotations.use_regex,
                options: Rc::clone(&annotations.options),
            };
            server.add(location);
        }
    }
}

impl Location {
    fn needs_rewrite(&self) -> bool {
        self.options.get("rewrite").is_some_and(|target| !target.is_empty() && *target != self.path)
    }
}

impl Server {
    /// Adds a location; of two for the same path and type the first one counts.
    fn add(&mut self, location: Location) {
        let same = self.locations.iter_mut().find(|l| l.path == location.path && l.path_type == location.path_type);
        match same {
            Some(old) if old.is_default => *old = location,
            Some(_) => {}
            None => self.locations.push(location),
        }
    }

    /// The locations as nginx has them: long paths first; a prefix is one of whole parts, so it becomes two.
    fn in_order(mut self) -> Vec<Location> {
        self.locations.sort_by(|a, b| b.path.cmp(&a.path));
        self.locations.sort_by_key(|location| std::cmp::Reverse(location.path.len()));
        let exact: BTreeSet<String> =
            self.locations.iter().filter(|l| l.path_type == PathType::Exact).map(|l| l.path.clone()).collect();
        let mut all = Vec::new();
        for location in self.locations {
            let is_whole = location.path == "/" || location.path_type == PathType::Exact;
            if is_whole || location.needs_rewrite() || location.use_regex {
                all.push(location);
                continue;
            }
            let slashed = format!("{}/", location.path.strip_suffix('/').unwrap_or(&location.path));
            all.push(Location { path: slashed, ..location.clone() });
            if !exact.contains(&location.path) {
                all.push(Location { path_type: PathType::Exact, ..location });
            }
        }
        all
    }

    fn write(self, host: &str, site: &mut Site) {
        let out = &mut site.servers;
        let is_regex = self.locations.iter().any(|l| l.needs_rewrite() || l.use_regex);
        let (certificate, mode) =
            (if self.has_certificate { "tls" } else { "plain" }, if is_regex { "regex" } else { "prefix" });
        line(out, ["server", host, certificate, mode].map(str::to_owned));
        for location in self.in_order() {
            let own: usize = location.options.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
            if out.len() + own + location.path.len() + location.upstream.len() > SERVERS_BYTES_MAX {
                site.left_out += 1;
                continue;
            }
            let how = if location.path_type == PathType::Exact { "exact" } else { "prefix" };
            let words = ["location".to_owned(), how.to_owned(), location.path, location.upstream];
            let options = location.options.iter().map(|(name, value)| format!("{name}={value}"));
            line(out, words.into_iter().chain(options));
        }
    }
}

/// Where a Service's port leads.
#[derive(Debug, PartialEq, Eq)]
enum Endpoints {
    /// `address:port`
    At(Vec<String>),
    /// A name, and the port there.
    Named(String, i64),
}

/// The endpoints of a Service's port; ready ones alone.
fn endpoints(index: &Index<'_>, namespace: &str, service: &str, number: Option<i64>, name: &str) -> Endpoints {
    let none = Endpoints::At(Vec::new());
    let Some(service) = index.services.get(&(namespace, service)) else { return none };
    let is_meant = |port: &&Value| match number {
        Some(number) => port["port"].as_i64() == Some(number),
        None => port["name"] == name,
    };
    let port = service.list("spec.ports").iter().find(is_meant);
    if service.str("spec.type") == "ExternalName" {
        // An ExternalName may go without ports; then the number is that of the target.
        let target = port.and_then(|p| p["targetPort"].as_i64().or(p["port"].as_i64())).or(number);
        return target.map_or(none, |target| external(service.str("spec.externalName"), target));
    }
    match port {
        Some(port) => Endpoints::At(ready(index, service, port)),
        None => none,
    }
}

/// Where a name outside leads: nowhere if that would be the controller itself, or if it is none
/// (`internal/ingress/controller/endpointslices.go`).
fn external(name: &str, port: i64) -> Endpoints {
    let plain = name.trim_end_matches('.').to_ascii_lowercase();
    match plain.parse::<Ipv4Addr>() {
        Ok(ip) if ip.is_loopback() || ip.is_unspecified() => Endpoints::At(Vec::new()),
        Ok(ip) => Endpoints::At(vec![format!("{ip}:{port}")]),
        Err(_) if plain == "localhost" || plain.ends_with(".localhost") || !is_dns_name(&plain) => {
            Endpoints::At(Vec::new())
        }
        Err(_) => Endpoints::Named(name.to_owned(), port),
    }
}

/// RFC 1123, as validation.IsDNS1123Subdomain has it.
fn is_dns_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

fn ready(index: &Index<'_>, service: &Object, port: &Value) -> Vec<String> {
    let port_name = port["name"].as_str().unwrap_or("");
    let mut all = BTreeSet::new();
    for slice in index.slices.get(&(service.namespace(), service.name())).into_iter().flatten() {
        let ports = slice.list("ports").iter().filter(|p| p["protocol"].as_str().unwrap_or("TCP") == "TCP");
        let targets: Vec<i64> = ports
            .filter(|p| port_name.is_empty() || p["name"].as_str().unwrap_or("") == port_name)
            .filter_map(|p| p["port"].as_i64())
            .collect();
        for endpoint in slice.list("endpoints") {
            if endpoint["conditions"]["ready"] == false {
                continue;
            }
            let addresses = endpoint["addresses"].as_array().into_iter().flatten().filter_map(Value::as_str);
            for address in addresses {
                all.extend(targets.iter().map(|target| format!("{address}:{target}")));
            }
        }
    }
    all.into_iter().collect()
}

#[cfg(test)]
mod tests;
