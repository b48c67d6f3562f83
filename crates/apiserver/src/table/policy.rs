//! Budgets, priorities, quotas, limits, autoscalers, roles, ingresses and network policies.

use api::selector::format_label_selector;
use api::{Kind, Object, kinds};
use json::Value;
use simulation::Time;

use super::{AGE, Column, NAME, Printer, age, column, number, or, shown, wide};
use crate::value::{fields, list, text};

pub static DISRUPTION_BUDGETS: Printer = Printer {
    kind: &kinds::POD_DISRUPTION_BUDGETS,
    columns: &[NAME, shown("Min Available"), shown("Max Unavailable"), number("Allowed Disruptions"), AGE],
    cells: |budget, now| {
        vec![
            budget.name().into(),
            number_or_percent(budget.at("spec.minAvailable")).into(),
            number_or_percent(budget.at("spec.maxUnavailable")).into(),
            budget.int("status.disruptionsAllowed").unwrap_or(0).into(),
            age(budget, now),
        ]
    },
};

fn number_or_percent(value: &Value) -> String {
    match value {
        Value::Null => "N/A".to_owned(),
        Value::String(text) => text.to_string(),
        other => other.to_string(),
    }
}

pub static PRIORITY_CLASSES: Printer = Printer {
    kind: &kinds::PRIORITY_CLASSES,
    columns: &[NAME, number("Value"), column("Global-Default", "boolean", "", 0), AGE, shown("PreemptionPolicy")],
    cells: |class, now| {
        vec![
            class.name().into(),
            class.int("value").unwrap_or(0).into(),
            class.bool("globalDefault").into(),
            age(class, now),
            class.str("preemptionPolicy").into(),
        ]
    },
};

pub static QUOTAS: Printer = Printer {
    kind: &kinds::RESOURCE_QUOTAS,
    columns: &[NAME, shown("Request"), shown("Limit"), AGE],
    cells: |quota, now| {
        let used = quota.at("status.used");
        let (mut requests, mut limits) = (Vec::new(), Vec::new());
        for (name, hard) in fields(quota.at("status.hard")) {
            let of = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or("0").to_owned();
            let cell = format!("{name}: {}/{}", of(used.get(name)), of(Some(hard)));
            if name.starts_with("limits.") { limits.push(cell) } else { requests.push(cell) }
        }
        vec![quota.name().into(), requests.join(", ").into(), limits.join(", ").into(), age(quota, now)]
    },
};

pub static LIMIT_RANGES: Printer = Printer {
    kind: &kinds::LIMIT_RANGES,
    columns: &[NAME, column("Created At", "date", "", 0)],
    cells: |object, _| vec![object.name().into(), object.at("metadata.creationTimestamp").clone()],
};

const AUTOSCALER_COLUMNS: &[Column] =
    &[NAME, shown("Reference"), shown("Targets"), shown("MinPods"), shown("MaxPods"), shown("Replicas"), AGE];

pub static AUTOSCALERS: Printer =
    Printer { kind: &kinds::HORIZONTAL_POD_AUTOSCALERS, columns: AUTOSCALER_COLUMNS, cells: autoscaler };

pub static AUTOSCALERS_V1: Printer = Printer {
    kind: &kinds::HORIZONTAL_POD_AUTOSCALERS_V1,
    columns: AUTOSCALER_COLUMNS,
    cells: |object, now| autoscaler(&crate::strategy::stored(object, &kinds::HORIZONTAL_POD_AUTOSCALERS_V1), now),
};

fn autoscaler(object: &Object, now: Time) -> Vec<Value> {
    let target = format!("{}/{}", object.str("spec.scaleTargetRef.kind"), object.str("spec.scaleTargetRef.name"));
    let least = object.int("spec.minReplicas").map_or_else(|| "<unset>".to_owned(), |n| n.to_string());
    vec![
        object.name().into(),
        target.into(),
        metrics(object).into(),
        least.into(),
        object.int("spec.maxReplicas").unwrap_or(0).into(),
        object.int("status.currentReplicas").unwrap_or(0).into(),
        age(object, now),
    ]
}

/// Metrics that a row shows.
const METRICS_MAX: usize = 2;

/// `cpu: 12%/80%` for each metric (`formatHPAMetrics`).
fn metrics(object: &Object) -> String {
    let specs = object.list("spec.metrics");
    let cells: Vec<String> = specs.iter().enumerate().map(|(i, spec)| metric(spec, object, i)).collect();
    match cells.len() {
        0 => "<none>".to_owned(),
        count if count > METRICS_MAX => {
            format!("{} + {} more...", cells[..METRICS_MAX].join(", "), count - METRICS_MAX)
        }
        _ => cells.join(", "),
    }
}

fn metric(spec: &Value, object: &Object, i: usize) -> String {
    let (field, name) = match text(spec, "type") {
        "Resource" => ("resource", format!("{}: ", text(spec, "resource.name"))),
        "ContainerResource" => ("containerResource", format!("{}: ", text(spec, "containerResource.name"))),
        "Pods" => ("pods", String::new()),
        "Object" => ("object", String::new()),
        "External" => ("external", String::new()),
        _ => return "<unknown type>".to_owned(),
    };
    let current = object.list("status.currentMetrics").get(i).and_then(|m| m.get(field)).map(|m| &m["current"]);
    let of = |which: &str| current.and_then(|c| c[which].as_str()).unwrap_or("<unknown>").to_owned();
    let target = &spec[field]["target"];
    let average = if matches!(field, "object" | "external") { " (avg)" } else { "" };
    if let Some(value) = target["averageValue"].as_str() {
        return format!("{name}{}/{value}{average}", of("averageValue"));
    }
    if let Some(value) = target["value"].as_str() {
        return format!("{name}{}/{value}", of("value"));
    }
    let percent = |value: Option<i64>, none: &str| value.map_or_else(|| none.to_owned(), |n| format!("{n}%"));
    let used = percent(current.and_then(|c| c["averageUtilization"].as_i64()), "<unknown>");
    format!("{name}{used}/{}", percent(target["averageUtilization"].as_i64(), "<auto>"))
}

pub static ROLES: Printer = super::plain(&kinds::ROLES);
pub static CLUSTER_ROLES: Printer = super::plain(&kinds::CLUSTER_ROLES);

/// Bindings of both scopes.
const fn bindings(kind: &'static Kind) -> Printer {
    const COLUMNS: &[Column] = &[NAME, shown("Role"), AGE, wide("Users"), wide("Groups"), wide("ServiceAccounts")];
    Printer { kind, columns: COLUMNS, cells: binding }
}

fn binding(object: &Object, now: Time) -> Vec<Value> {
    let names = |kind: &str| -> Value {
        let subjects = object.list("subjects").iter().filter(|s| s["kind"] == kind);
        let show = |s: &Value| match kind {
            "ServiceAccount" => format!("{}/{}", text(s, "namespace"), text(s, "name")),
            _ => text(s, "name").to_owned(),
        };
        subjects.map(show).collect::<Vec<_>>().join(", ").into()
    };
    vec![
        object.name().into(),
        format!("{}/{}", object.str("roleRef.kind"), object.str("roleRef.name")).into(),
        age(object, now),
        names("User"),
        names("Group"),
        names("ServiceAccount"),
    ]
}

pub static ROLE_BINDINGS: Printer = bindings(&kinds::ROLE_BINDINGS);
pub static CLUSTER_ROLE_BINDINGS: Printer = bindings(&kinds::CLUSTER_ROLE_BINDINGS);

pub static INGRESSES: Printer = Printer {
    kind: &kinds::INGRESSES,
    columns: &[NAME, shown("Class"), shown("Hosts"), shown("Address"), shown("Ports"), AGE],
    cells: |ingress, now| {
        let ports = if ingress.list("spec.tls").is_empty() { "80" } else { "80, 443" };
        vec![
            ingress.name().into(),
            or(ingress.str("spec.ingressClassName"), "<none>").into(),
            hosts(ingress).into(),
            addresses(ingress).into(),
            ports.into(),
            age(ingress, now),
        ]
    },
};

/// Hosts that a row shows.
const HOSTS_MAX: usize = 3;

fn hosts(ingress: &Object) -> String {
    let all: Vec<&str> = ingress.list("spec.rules").iter().map(|r| text(r, "host")).filter(|h| !h.is_empty()).collect();
    match all.len() {
        0 => "*".to_owned(),
        count if count > HOSTS_MAX => format!("{} + {} more...", all[..HOSTS_MAX].join(","), count - HOSTS_MAX),
        _ => all.join(","),
    }
}

fn addresses(ingress: &Object) -> String {
    let points = list(ingress.value(), "status.loadBalancer.ingress").iter();
    let mut all: Vec<&str> = points.map(|p| or(text(p, "ip"), text(p, "hostname"))).filter(|a| !a.is_empty()).collect();
    all.sort_unstable();
    all.dedup();
    all.join(",")
}

pub static INGRESS_CLASSES: Printer = Printer {
    kind: &kinds::INGRESS_CLASSES,
    columns: &[NAME, shown("Controller"), shown("Parameters"), AGE],
    cells: |class, now| {
        let is_default = class.annotation("ingressclass.kubernetes.io/is-default-class") == Some("true");
        let parameters = match class.at("spec.parameters") {
            Value::Null => "<none>".to_owned(),
            p => {
                let group = text(p, "apiGroup");
                let dot = if group.is_empty() { "" } else { "." };
                format!("{}{dot}{group}/{}", text(p, "kind"), text(p, "name"))
            }
        };
        vec![
            if is_default { format!("{} (default)", class.name()).into() } else { class.name().into() },
            class.str("spec.controller").into(),
            parameters.into(),
            age(class, now),
        ]
    },
};

pub static NETWORK_POLICIES: Printer = Printer {
    kind: &kinds::NETWORK_POLICIES,
    columns: &[NAME, shown("Pod-Selector"), AGE],
    cells: |policy, now| {
        let selector = format_label_selector(policy.at("spec.podSelector"));
        vec![policy.name().into(), selector.into(), age(policy, now)]
    },
};
