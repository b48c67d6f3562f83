//! Certificate requests, and what is around pods and requests.

use api::{Object, kinds};
use json::Value;

use super::apps::containers_at;
use super::{AGE, NAME, Printer, age, or, shown};
use crate::value::{at, text};

pub static POD_TEMPLATES: Printer = Printer {
    kind: &kinds::POD_TEMPLATES,
    columns: &[NAME, shown("Containers"), shown("Images"), shown("Pod Labels")],
    cells: |object, _| {
        let labels: Vec<String> =
            api::Object::new(object.at("template").clone()).labels().iter().map(|(k, v)| format!("{k}={v}")).collect();
        vec![
            object.name().into(),
            containers_at(object, "template.spec.containers", "name").into(),
            containers_at(object, "template.spec.containers", "image").into(),
            or(&labels.join(","), "<none>").into(),
        ]
    },
};

pub static COMPONENT_STATUSES: Printer = Printer {
    kind: &kinds::COMPONENT_STATUSES,
    columns: &[NAME, shown("Status"), shown("Message"), shown("Error")],
    cells: |object, _| {
        let conditions = object.list("conditions");
        let healthy = conditions.iter().find(|c| c["type"] == "Healthy");
        let status = match healthy.map(|c| text(c, "status")) {
            None => "Unknown",
            Some("True") => "Healthy",
            Some(_) => "Unhealthy",
        };
        let said = |field: &str| healthy.map_or("", |c| text(c, field));
        vec![object.name().into(), status.into(), said("message").into(), said("error").into()]
    },
};

pub static RUNTIME_CLASSES: Printer = Printer {
    kind: &kinds::RUNTIME_CLASSES,
    columns: &[NAME, shown("Handler"), AGE],
    cells: |object, now| vec![object.name().into(), object.str("handler").into(), age(object, now)],
};

pub static CERTIFICATES: Printer = Printer {
    kind: &kinds::CERTIFICATE_SIGNING_REQUESTS,
    columns: &[NAME, AGE, shown("SignerName"), shown("Requestor"), shown("RequestedDuration"), shown("Condition")],
    cells: |object, now| {
        let duration = object.int("spec.expirationSeconds").map(|s| api::duration::human_nanos(s * 1_000_000_000));
        vec![
            object.name().into(),
            age(object, now),
            or(object.str("spec.signerName"), "<none>").into(),
            object.str("spec.username").into(),
            duration.unwrap_or_else(|| "<none>".to_owned()).into(),
            condition(object).into(),
        ]
    },
};

/// `Pending`, `Approved,Issued` (`extractCSRStatus`).
fn condition(object: &Object) -> String {
    let has = |kind: &str| object.list("status.conditions").iter().any(|c| c["type"] == kind);
    let mut words = vec![match () {
        () if has("Denied") => "Denied",
        () if has("Approved") => "Approved",
        () => "Pending",
    }];
    if has("Failed") {
        words.push("Failed");
    }
    if !object.str("status.certificate").is_empty() {
        words.push("Issued");
    }
    words.join(",")
}

pub static FLOW_SCHEMAS: Printer = Printer {
    kind: &kinds::FLOW_SCHEMAS,
    columns: &[
        NAME,
        shown("PriorityLevel"),
        shown("MatchingPrecedence"),
        shown("DistinguisherMethod"),
        AGE,
        shown("MissingPL"),
    ],
    cells: |object, now| {
        let dangling = object.list("status.conditions").iter().find(|c| c["type"] == "Dangling");
        vec![
            object.name().into(),
            object.str("spec.priorityLevelConfiguration.name").into(),
            object.int("spec.matchingPrecedence").unwrap_or(0).into(),
            or(object.str("spec.distinguisherMethod.type"), "<none>").into(),
            age(object, now),
            dangling.map_or("?", |c| text(c, "status")).into(),
        ]
    },
};

pub static PRIORITY_LEVELS: Printer = Printer {
    kind: &kinds::PRIORITY_LEVELS,
    columns: &[
        NAME,
        shown("Type"),
        shown("NominalConcurrencyShares"),
        shown("Queues"),
        shown("HandSize"),
        shown("QueueLengthLimit"),
        AGE,
    ],
    cells: |object, now| {
        let number =
            |path: &str| -> Value { at(object.value(), path).as_i64().map_or_else(|| "<none>".into(), Value::from) };
        let queuing = |field: &str| number(&format!("spec.limited.limitResponse.queuing.{field}"));
        vec![
            object.name().into(),
            object.str("spec.type").into(),
            number("spec.limited.nominalConcurrencyShares"),
            queuing("queues"),
            queuing("handSize"),
            queuing("queueLengthLimit"),
            age(object, now),
        ]
    },
};

pub static API_SERVICES: Printer = Printer {
    kind: &kinds::API_SERVICES,
    columns: &[NAME, shown("Service"), shown("Available"), AGE],
    cells: |object, now| {
        let available = object.list("status.conditions").iter().find(|c| c["type"] == "Available");
        let available = match available.map(|c| (text(c, "status"), text(c, "reason"))) {
            None => "Unknown".to_owned(),
            Some(("True", _)) => "True".to_owned(),
            Some((status, reason)) => format!("{status} ({reason})"),
        };
        let service = match object.str("spec.service.name") {
            "" => "Local".to_owned(),
            name => format!("{}/{name}", object.str("spec.service.namespace")),
        };
        vec![object.name().into(), service.into(), available.into(), age(object, now)]
    },
};
