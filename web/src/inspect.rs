//! What the inspector shows of an object.

use api::Object;
use simulation::Time;

use crate::picture::Objects;
use crate::protocol::{EventLine, Inspection};

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// `apiVersion`.
    pub api_version: String,
    /// Kind.
    pub kind: String,
    /// Namespace, empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// The object with its events; none when it does not exist.
pub fn inspect(objects: &dyn Objects, subject: &Subject, now: Time) -> Option<Inspection> {
    let found = objects
        .all(&subject.api_version, &subject.kind)
        .into_iter()
        .find(|o| o.name() == subject.name && o.namespace() == subject.namespace)?;
    let mut value = found.value().clone();
    if let Some(metadata) = value.get_mut("metadata").and_then(|m| m.as_object_mut()) {
        metadata.remove("managedFields");
    }
    let mut events: Vec<Object> =
        objects.all("v1", "Event").into_iter().filter(|e| e.str("involvedObject.uid") == found.uid()).collect();
    events.sort_by(|a, b| seen(a).cmp(seen(b)).then_with(|| a.name().cmp(b.name())));
    Some(Inspection {
        kind: subject.kind.clone(),
        namespace: subject.namespace.clone(),
        name: subject.name.clone(),
        yaml: api::yaml::emit(&value),
        events: events.iter().map(|e| line(e, now)).collect(),
    })
}

fn seen(event: &Object) -> &str {
    match event.str("lastTimestamp") {
        "" => event.str("eventTime"),
        last => last,
    }
}

fn line(event: &Object, now: Time) -> EventLine {
    let age = Time::parse_rfc3339(seen(event))
        .map_or_else(|| "<unknown>".to_owned(), |then| api::duration::human(now.saturating_since(then)));
    let from = match event.str("source.component") {
        "" => event.str("reportingComponent"),
        component => component,
    };
    EventLine {
        level: event.str("type").to_owned(),
        reason: event.str("reason").to_owned(),
        age,
        count: event.int("count").unwrap_or(1),
        from: from.to_owned(),
        message: event.str("message").to_owned(),
    }
}
