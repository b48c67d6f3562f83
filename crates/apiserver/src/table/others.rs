//! Kinds whose rows take a few lines.

use api::{Object, kinds};
use json::Value;
use simulation::Time;

use super::{AGE, Column, NAME, Printer, age, column, number, or, shown, since, wide};

pub static CONFIG_MAPS: Printer = Printer {
    kind: &kinds::CONFIG_MAPS,
    columns: &[NAME, shown("Data"), AGE],
    cells: |object, now| {
        let count = entries(object, "data") + entries(object, "binaryData");
        vec![object.name().into(), count.into(), age(object, now)]
    },
};

pub static DEFINITIONS: Printer = super::plain(&kinds::CUSTOM_RESOURCE_DEFINITIONS);

pub static SECRETS: Printer = Printer {
    kind: &kinds::SECRETS,
    columns: &[NAME, shown("Type"), shown("Data"), AGE],
    cells: |object, now| {
        vec![object.name().into(), object.str("type").into(), entries(object, "data").into(), age(object, now)]
    },
};

pub static NAMESPACES: Printer = Printer {
    kind: &kinds::NAMESPACES,
    columns: &[NAME, shown("Status"), AGE],
    cells: |object, now| vec![object.name().into(), object.str("status.phase").into(), age(object, now)],
};

pub static SERVICE_ACCOUNTS: Printer = Printer {
    kind: &kinds::SERVICE_ACCOUNTS,
    columns: &[NAME, AGE],
    cells: |object, now| vec![object.name().into(), age(object, now)],
};

pub static LEASES: Printer = Printer {
    kind: &kinds::LEASES,
    columns: &[NAME, shown("Holder"), AGE],
    cells: |object, now| vec![object.name().into(), object.str("spec.holderIdentity").into(), age(object, now)],
};

/// The scale subresource; the row of kinds is that of an object that has one.
pub static SCALES: Printer = Printer {
    kind: &kinds::DEPLOYMENTS,
    columns: &[NAME, number("Desired"), number("Available"), AGE],
    cells: |scale, now| {
        let count = |path: &str| scale.int(path).unwrap_or(0);
        vec![scale.name().into(), count("spec.replicas").into(), count("status.replicas").into(), age(scale, now)]
    },
};

/// The name of an event says nothing to people: it comes last, and only when all is asked for.
const EVENT_NAME: Column = column("Name", "string", "name", 1);

const EVENT_COLUMNS: &[Column] = &[
    shown("Last Seen"),
    shown("Type"),
    shown("Reason"),
    shown("Object"),
    wide("Subobject"),
    wide("Source"),
    shown("Message"),
    wide("First Seen"),
    wide("Count"),
    EVENT_NAME,
];

pub static EVENTS: Printer = Printer { kind: &kinds::EVENTS, columns: EVENT_COLUMNS, cells: event };

pub static EVENTS_V1: Printer = Printer {
    kind: &kinds::EVENTS_V1,
    columns: EVENT_COLUMNS,
    cells: |object, now| event(&crate::strategy::stored(object, &kinds::EVENTS_V1), now),
};

fn entries(object: &Object, field: &str) -> usize {
    object.at(field).as_object().map_or(0, json::Map::len)
}

fn event(event: &Object, now: Time) -> Vec<Value> {
    let time = |path: &str| event.at(path).is_string().then(|| since(event.at(path), now));
    let first = time("firstTimestamp").unwrap_or_else(|| since(event.at("eventTime"), now));
    let (last, count) = if event.at("series").is_object() {
        (since(event.at("series.lastObservedTime"), now), event.int("series.count").unwrap_or(0))
    } else {
        (time("lastTimestamp").unwrap_or_else(|| first.clone()), event.int("count").filter(|c| *c != 0).unwrap_or(1))
    };
    let kind = event.str("involvedObject.kind").to_lowercase();
    let target = match event.str("involvedObject.name") {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    let component = or(event.str("source.component"), event.str("reportingComponent"));
    let instance = or(event.str("source.host"), event.str("reportingInstance"));
    let source = if instance.is_empty() { component.to_owned() } else { format!("{component}, {instance}") };
    vec![
        last.into(),
        event.str("type").into(),
        event.str("reason").into(),
        target.into(),
        event.str("involvedObject.fieldPath").into(),
        source.into(),
        event.str("message").trim().into(),
        first.into(),
        count.into(),
        event.name().into(),
    ]
}
