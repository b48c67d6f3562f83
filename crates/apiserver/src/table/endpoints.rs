//! Endpoints and EndpointSlices (`printEndpoints`, `printEndpointSlice`).

use api::{Object, kinds};
use json::Value;

use super::{AGE, NAME, Printer, age, first_three, shown};
use crate::value::{int, list, text};

pub static ENDPOINTS: Printer = Printer {
    kind: &kinds::ENDPOINTS,
    columns: &[NAME, shown("Endpoints"), AGE],
    cells: |object, now| {
        let all = addresses(object);
        let shown = if object.list("subsets").is_empty() {
            "<none>".to_owned()
        } else if all.is_empty() {
            String::new()
        } else {
            first_three(&all)
        };
        vec![object.name().into(), shown.into(), age(object, now)]
    },
};

fn addresses(object: &Object) -> Vec<String> {
    let mut all = Vec::new();
    for subset in object.list("subsets") {
        let ips = list(subset, "addresses").iter().map(|a| text(a, "ip"));
        if list(subset, "ports").is_empty() {
            all.extend(ips.clone().map(str::to_owned));
        }
        for port in list(subset, "ports") {
            all.extend(ips.clone().map(|ip| format!("{ip}:{}", int(port, "port").unwrap_or(0))));
        }
    }
    all
}

pub static ENDPOINT_SLICES: Printer = Printer {
    kind: &kinds::ENDPOINT_SLICES,
    columns: &[NAME, shown("AddressType"), shown("Ports"), shown("Endpoints"), AGE],
    cells: |object, now| {
        let port = |p: &Value| match int(p, "port") {
            Some(number) => number.to_string(),
            None => p.get("name").and_then(Value::as_str).unwrap_or("*").to_owned(),
        };
        let ports: Vec<String> = object.list("ports").iter().map(port).collect();
        let addresses: Vec<String> = object
            .list("endpoints")
            .iter()
            .flat_map(|e| list(e, "addresses"))
            .filter_map(|a| a.as_str().map(str::to_owned))
            .collect();
        vec![
            object.name().into(),
            object.str("addressType").into(),
            first_three(&ports).into(),
            first_three(&addresses).into(),
            age(object, now),
        ]
    },
};
