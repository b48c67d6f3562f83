//! Events (pkg/registry/core/event).

use api::kinds::EVENTS;
use json::Value;
use simulation::Duration;

use super::{Strategy, child, plain};
use crate::value::{map_mut, text};

/// How long events are kept (`--event-ttl`).
const LIFETIME: Duration = Duration::from_secs(3_600);

pub static STRATEGY: Strategy = Strategy {
    defaults,
    create_on_update: true,
    lifetime: Some(LIFETIME),
    fields: |object| {
        [
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ]
        .map(|field| {
            let source = || match text(object, "source.component") {
                "" => text(object, "reportingComponent"),
                component => component,
            };
            (field, if field == "source" { source() } else { text(object, field) }.to_owned())
        })
        .to_vec()
    },
    ..plain(&EVENTS)
};

fn defaults(object: &mut Value) {
    map_mut(object).entry("eventTime").or_insert(Value::Null);
    map_mut(object).entry("reportingComponent").or_insert_with(|| "".into());
    map_mut(object).entry("reportingInstance").or_insert_with(|| "".into());
    for time in ["firstTimestamp", "lastTimestamp"] {
        map_mut(object).entry(time).or_insert(Value::Null);
    }
    child(object, "source");
    child(object, "involvedObject");
}
