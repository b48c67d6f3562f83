//! Events of events.k8s.io/v1: the same objects as those of the core group, in other words
//! (pkg/apis/events/v1/conversion.go).

use api::Kind;
use api::kinds::EVENTS_V1;
use json::Value;

use super::{Conversion, Strategy, event, plain};
use crate::value::map_mut;

pub static STRATEGY: Strategy = Strategy {
    create_on_update: true,
    lifetime: event::STRATEGY.lifetime,
    fields: |object| {
        let mut core = object.clone();
        to_core(&EVENTS_V1, &mut core);
        (event::STRATEGY.fields)(&core)
    },
    conversion: Some(&CONVERSION),
    ..plain(&EVENTS_V1)
};

static CONVERSION: Conversion = Conversion { from_stored: from_core, to_stored: to_core };

/// The names of fields, in the core group and here.
const NAMES: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
];

fn rename(object: &mut Value, names: impl Iterator<Item = (&'static str, &'static str)>) {
    let map = map_mut(object);
    for (from, to) in names {
        if let Some(value) = map.remove(from) {
            map.insert(to.into(), value);
        }
    }
}

fn from_core(kind: &Kind, object: &mut Value) {
    rename(object, NAMES.into_iter());
    map_mut(object).insert("apiVersion".into(), kind.api_version().into());
}

/// The form in which events are stored.
pub fn to_core(_: &Kind, object: &mut Value) {
    rename(object, NAMES.into_iter().map(|(core, here)| (here, core)));
    map_mut(object).insert("apiVersion".into(), "v1".into());
    (event::STRATEGY.defaults)(object);
}
