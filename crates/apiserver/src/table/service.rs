//! Services (`printService`), and what they have for addresses.

use std::collections::BTreeSet;

use api::selector::LabelSelector;
use api::{Object, kinds};
use json::Value;

use super::{AGE, NAME, Printer, age, or, shown, wide};
use crate::value::{int, text};

pub static SERVICES: Printer = Printer {
    kind: &kinds::SERVICES,
    columns: &[NAME, shown("Type"), shown("Cluster-IP"), shown("External-IP"), shown("Port(s)"), AGE, wide("Selector")],
    cells: |service, now| {
        let ip = service.list("spec.clusterIPs").first().and_then(Value::as_str).unwrap_or("<none>");
        let selector = LabelSelector::from_map(&api_map(service)).to_string();
        vec![
            service.name().into(),
            service.str("spec.type").into(),
            ip.into(),
            external_ip(service).into(),
            or(&ports(service), "<none>").into(),
            age(service, now),
            or(&selector, "<none>").into(),
        ]
    },
};

pub static ADDRESSES: Printer = Printer {
    kind: &kinds::IP_ADDRESSES,
    columns: &[NAME, shown("ParentRef")],
    // One cell more than there are columns, as upstream; clients leave it out.
    cells: |address, now| {
        let of = |field: &str| address.str(&format!("spec.parentRef.{field}"));
        let resource = [of("resource"), of("group")].into_iter().filter(|part| !part.is_empty());
        let mut parent = vec![resource.collect::<Vec<_>>().join(".").to_lowercase()];
        parent.extend([of("namespace"), of("name")].into_iter().filter(|part| !part.is_empty()).map(str::to_owned));
        vec![address.name().into(), parent.join("/").into(), age(address, now)]
    },
};

pub static RANGES: Printer = Printer {
    kind: &kinds::SERVICE_CIDRS,
    columns: &[NAME, shown("CIDRs"), AGE],
    cells: |range, now| {
        let all: Vec<&str> = range.list("spec.cidrs").iter().filter_map(Value::as_str).collect();
        vec![range.name().into(), all.join(",").into(), age(range, now)]
    },
};

fn api_map(service: &Object) -> std::collections::BTreeMap<String, String> {
    let fields = crate::value::fields(service.at("spec.selector"));
    fields.filter_map(|(k, v)| Some((k.to_string(), v.as_str()?.to_owned()))).collect()
}

fn external_ip(service: &Object) -> String {
    let given: Vec<&str> = service.list("spec.externalIPs").iter().filter_map(Value::as_str).collect();
    match service.str("spec.type") {
        "ClusterIP" | "NodePort" => or(&given.join(","), "<none>").to_owned(),
        "LoadBalancer" => {
            let balancer: BTreeSet<&str> = service
                .list("status.loadBalancer.ingress")
                .iter()
                .map(|i| or(text(i, "ip"), text(i, "hostname")))
                .filter(|a| !a.is_empty())
                .collect();
            let all: Vec<&str> = balancer.into_iter().chain(given).collect();
            or(&all.join(","), "<pending>").to_owned()
        }
        "ExternalName" => service.str("spec.externalName").to_owned(),
        _ => "<unknown>".to_owned(),
    }
}

fn ports(service: &Object) -> String {
    let one = |port: &Value| {
        let number = int(port, "port").unwrap_or(0);
        let protocol = text(port, "protocol");
        match int(port, "nodePort").filter(|n| *n > 0) {
            Some(node) => format!("{number}:{node}/{protocol}"),
            None => format!("{number}/{protocol}"),
        }
    };
    service.list("spec.ports").iter().map(one).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;

    #[track_caller]
    fn check(spec: Value, expected: &str) {
        let object = Object::new(json!({"metadata": {"name": "web"}, "spec": spec}));
        let cells = (SERVICES.cells)(&object, simulation::Time::default());
        let shown: Vec<&str> = cells.iter().filter_map(Value::as_str).collect();
        assert_eq!(shown.join(" | "), expected);
    }

    #[test]
    fn rows() {
        let ports = json!([{"port": 80, "protocol": "TCP", "nodePort": 31236}, {"port": 53, "protocol": "UDP"}]);
        check(
            json!({"type": "NodePort", "clusterIPs": ["10.99.0.1"], "ports": ports, "selector": {"b": "2", "app": "web"}}),
            "web | NodePort | 10.99.0.1 | <none> | 80:31236/TCP,53/UDP | <unknown> | app=web,b=2",
        );
        check(json!({"type": "LoadBalancer"}), "web | LoadBalancer | <none> | <pending> | <none> | <unknown> | <none>");
        check(
            json!({"type": "ExternalName", "externalName": "example.com"}),
            "web | ExternalName | <none> | example.com | <none> | <unknown> | <none>",
        );
    }
}
