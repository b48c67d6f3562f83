//! What the cluster's names mean (the Kubernetes DNS specification, `kubernetes/dns`).

use std::net::Ipv4Addr;
use std::rc::Rc;

use api::Object;
use json::Value;

use super::ANSWER_TTL_SECONDS;
use super::wire::{Data, Question, Record, qtype, rcode};

/// Aliases of aliases that are followed (`plugin/backend_lookup.go`).
const ALIASES_MAX: usize = 8;
const SERVICE_NAME_LABEL: &str = "kubernetes.io/service-name";

/// Looks an object up by its key.
pub type Lookup = Rc<dyn Fn(&str) -> Option<Object>>;
/// The addresses of a name.
pub type Resolve = Rc<dyn Fn(&str) -> Vec<Ipv4Addr>>;
/// Lists the objects of a namespace.
pub type ListIn = Rc<dyn Fn(&str) -> Vec<Object>>;

/// The cluster's names, over views of the API's objects.
#[derive(Clone)]
pub struct Zone {
    /// `cluster.local`
    pub domain: String,
    /// A Service by `namespace/name`.
    pub services: Lookup,
    /// Every Service, for reverse questions.
    pub all_services: Rc<dyn Fn() -> Vec<Object>>,
    /// EndpointSlices of a namespace.
    pub slices: ListIn,
    /// The addresses of a name outside the cluster: those who answer for it are asked.
    pub outside: Resolve,
    /// Whether a namespace exists.
    pub has_namespace: Rc<dyn Fn(&str) -> bool>,
}

/// What a name stands for; none if it does not exist.
type Found = Option<Vec<Data>>;

impl Zone {
    /// The response code and records for a question.
    pub fn answer(&self, question: &Question) -> (u8, Vec<Record>) {
        let found = match question.name.strip_suffix(".in-addr.arpa") {
            Some(reversed) => self.reverse(reversed),
            None => self.forward(&question.name),
        };
        let Some(data) = found else { return (rcode::NXDOMAIN, Vec::new()) };
        let wanted = |data: &Data| match data {
            Data::Address(_) => question.qtype == qtype::A,
            Data::Alias(_) => matches!(question.qtype, qtype::A | qtype::AAAA | qtype::CNAME),
            Data::Pointer(_) => question.qtype == qtype::PTR,
            Data::Service(..) => question.qtype == qtype::SRV,
        };
        let record = |name: &str, data| Record { name: name.to_owned(), ttl: ANSWER_TTL_SECONDS, data };
        let data = data.into_iter().filter(wanted);
        let mut records: Vec<Record> = data.map(|data| record(&question.name, data)).collect();
        if question.qtype == qtype::A {
            // The server follows aliases for who asks (CoreDNS asks upstream, which is itself for names of the cluster).
            for _ in 0..ALIASES_MAX {
                let Some(Data::Alias(target)) = records.last().map(|record| record.data.clone()) else { break };
                let found = self.forward(&target.to_ascii_lowercase()).unwrap_or_default();
                let found = found.into_iter().filter(|data| matches!(data, Data::Address(_) | Data::Alias(_)));
                records.extend(found.map(|data| record(&target, data)));
            }
        }
        (rcode::NOERROR, records)
    }

    fn forward(&self, name: &str) -> Found {
        if name == self.domain {
            return Some(Vec::new());
        }
        let Some(inner) = name.strip_suffix(&self.domain).and_then(|inner| inner.strip_suffix('.')) else {
            let found = (self.outside)(name);
            return (!found.is_empty()).then(|| found.into_iter().map(Data::Address).collect());
        };
        let labels: Vec<&str> = inner.rsplit('.').collect();
        match labels[..] {
            ["svc" | "pod"] => Some(Vec::new()),
            ["svc" | "pod", namespace] => (self.has_namespace)(namespace).then(Vec::new),
            ["pod", namespace, dashed] => {
                let address = dashed.replace('-', ".").parse().ok()?;
                (self.has_namespace)(namespace).then(|| vec![Data::Address(address)])
            }
            ["svc", namespace, service] => self.service(namespace, service),
            ["svc", namespace, service, host] if !host.starts_with('_') => self.endpoint(namespace, service, host),
            ["svc", namespace, service, protocol, port] => self.ports(namespace, service, protocol, port),
            _ => None,
        }
    }

    fn service(&self, namespace: &str, name: &str) -> Found {
        let service = (self.services)(&format!("{namespace}/{name}"))?;
        if service.str("spec.type") == "ExternalName" {
            return Some(vec![Data::Alias(service.str("spec.externalName").to_owned())]);
        }
        if let Ok(address) = service.str("spec.clusterIP").parse() {
            return Some(vec![Data::Address(address)]);
        }
        let endpoints = self.endpoints(&service);
        if endpoints.is_empty() {
            return None; // a headless Service without endpoints has no name
        }
        Some(endpoints.into_iter().map(|(address, _)| Data::Address(address)).collect())
    }

    /// Addresses and host names of a headless Service's endpoints.
    fn endpoints(&self, service: &Object) -> Vec<(Ipv4Addr, String)> {
        let not_ready_too = service.bool("spec.publishNotReadyAddresses");
        let slices = (self.slices)(service.namespace());
        let own = slices.iter().filter(|s| s.label(SERVICE_NAME_LABEL) == Some(service.name()));
        let mut found: Vec<(Ipv4Addr, String)> = Vec::new();
        for endpoint in own.flat_map(|slice| slice.list("endpoints")) {
            if !not_ready_too && endpoint["conditions"]["ready"] == Value::Bool(false) {
                continue;
            }
            let addresses = endpoint["addresses"].as_array().into_iter().flatten().filter_map(Value::as_str);
            for address in addresses.filter_map(|a| a.parse::<Ipv4Addr>().ok()) {
                let dashed = || address.to_string().replace('.', "-");
                let host = endpoint["hostname"].as_str().map_or_else(dashed, str::to_owned);
                found.push((address, host));
            }
        }
        found.sort();
        found.dedup();
        found
    }

    fn endpoint(&self, namespace: &str, service: &str, host: &str) -> Found {
        let service = (self.services)(&format!("{namespace}/{service}"))?;
        let all = self.endpoints(&service).into_iter();
        let data: Vec<Data> = all.filter(|(_, name)| name == host).map(|(a, _)| Data::Address(a)).collect();
        (!data.is_empty()).then_some(data)
    }

    fn ports(&self, namespace: &str, name: &str, protocol: &str, port: &str) -> Found {
        let service = (self.services)(&format!("{namespace}/{name}"))?;
        let (protocol, port) = (protocol.strip_prefix('_')?, port.strip_prefix('_')?);
        let wanted = |p: &&Value| {
            p["name"].as_str() == Some(port) && p["protocol"].as_str().unwrap_or("TCP").eq_ignore_ascii_case(protocol)
        };
        let number = service.list("spec.ports").iter().find(wanted)?["port"].as_u64()?;
        let target = format!("{name}.{namespace}.svc.{}", self.domain);
        Some(vec![Data::Service(0, 100, u16::try_from(number).ok()?, target)])
    }

    fn reverse(&self, reversed: &str) -> Found {
        let parts: Vec<&str> = reversed.rsplit('.').collect();
        let address: Ipv4Addr = parts.join(".").parse().ok()?;
        let text = address.to_string();
        for service in (self.all_services)() {
            let base = format!("{}.{}.svc.{}", service.name(), service.namespace(), self.domain);
            if service.str("spec.clusterIP") == text {
                return Some(vec![Data::Pointer(base)]);
            }
            if service.str("spec.clusterIP") == "None" {
                let hit = self.endpoints(&service).into_iter().find(|(a, _)| *a == address);
                if let Some((_, host)) = hit {
                    return Some(vec![Data::Pointer(format!("{host}.{base}"))]);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;

    fn zone() -> Zone {
        let object = |value: Value, namespace: &str, name: &str| {
            let mut object = Object::new(value);
            object.set("metadata.namespace", namespace);
            object.set("metadata.name", name);
            object
        };
        let web = json!({"spec": {"clusterIP": "10.96.1.2", "ports": [{"name": "http", "port": 80}]}});
        let services = vec![
            object(json!({"spec": {"clusterIP": "None"}}), "default", "db"),
            object(json!({"spec": {"clusterIP": "None"}}), "default", "empty"),
            object(json!({"spec": {"type": "ExternalName", "externalName": "x.org"}}), "default", "ext"),
            object(json!({"spec": {"type": "ExternalName", "externalName": "WEB.example.com"}}), "default", "out"),
            object(
                json!({"spec": {"type": "ExternalName", "externalName": "web.default.svc.cluster.local"}}),
                "default",
                "alias",
            ),
            object(
                json!({"spec": {"type": "ExternalName", "externalName": "loop.default.svc.cluster.local"}}),
                "default",
                "loop",
            ),
            object(web, "default", "web"),
        ];
        let mut slice = object(
            json!({"endpoints": [
                {"addresses": ["10.244.0.7"], "hostname": "db-0", "conditions": {"ready": true}},
                {"addresses": ["10.244.0.8"], "conditions": {"ready": true}},
                {"addresses": ["10.244.0.9"], "conditions": {"ready": false}}]}),
            "default",
            "db-x",
        );
        slice.set_label(SERVICE_NAME_LABEL, "db");
        let all = services.clone();
        Zone {
            domain: "cluster.local".into(),
            services: Rc::new(move |key| services.iter().find(|s| s.key() == key).cloned()),
            all_services: Rc::new(move || all.clone()),
            slices: Rc::new(move |_| vec![slice.clone()]),
            outside: Rc::new(
                |name| if name == "web.example.com" { vec![Ipv4Addr::new(44, 224, 0, 1)] } else { Vec::new() },
            ),
            has_namespace: Rc::new(|name| name == "default"),
        }
    }

    #[track_caller]
    fn check(name: &str, kind: u16, expected: &str) {
        let question = Question { id: 1, name: name.into(), qtype: kind, recursion: true };
        let (code, records) = zone().answer(&question);
        let data: Vec<String> = records
            .into_iter()
            .map(|r| match r.data {
                Data::Address(address) => address.to_string(),
                Data::Alias(name) => format!("={name}"),
                Data::Pointer(name) => name,
                Data::Service(_, _, port, target) => format!("{target}:{port}"),
            })
            .collect();
        let code = if code == rcode::NXDOMAIN { "NXDOMAIN" } else { "ok" };
        assert_eq!(format!("{code} {}", data.join(",")).trim(), expected, "{name}");
    }

    #[test]
    fn names_of_the_specification() {
        check("web.default.svc.cluster.local", qtype::A, "ok 10.96.1.2");
        check("web.default.svc.cluster.local", qtype::AAAA, "ok");
        check("web.other.svc.cluster.local", qtype::A, "NXDOMAIN");
        check("web.default.svc.cluster.local.default.svc.cluster.local", qtype::A, "NXDOMAIN");
        check("db.default.svc.cluster.local", qtype::A, "ok 10.244.0.7,10.244.0.8");
        check("db-0.db.default.svc.cluster.local", qtype::A, "ok 10.244.0.7");
        check("10-244-0-8.db.default.svc.cluster.local", qtype::A, "ok 10.244.0.8");
        check("empty.default.svc.cluster.local", qtype::A, "NXDOMAIN");
        check("ext.default.svc.cluster.local", qtype::A, "ok =x.org");
        check("out.default.svc.cluster.local", qtype::A, "ok =WEB.example.com,44.224.0.1");
        check("out.default.svc.cluster.local", qtype::CNAME, "ok =WEB.example.com");
        check("alias.default.svc.cluster.local", qtype::A, "ok =web.default.svc.cluster.local,10.96.1.2");
        check("10-244-0-3.default.pod.cluster.local", qtype::A, "ok 10.244.0.3");
        check("web.example.com", qtype::A, "ok 44.224.0.1");
        check("other.example.com", qtype::A, "NXDOMAIN");
        check("_http._tcp.web.default.svc.cluster.local", qtype::SRV, "ok web.default.svc.cluster.local:80");
        check("default.svc.cluster.local", qtype::A, "ok");
        check("nope.svc.cluster.local", qtype::A, "NXDOMAIN");
        check("example.com", qtype::A, "NXDOMAIN");
        check("2.1.96.10.in-addr.arpa", qtype::PTR, "ok web.default.svc.cluster.local");
        check("7.0.244.10.in-addr.arpa", qtype::PTR, "ok db-0.db.default.svc.cluster.local");
    }
}
