//! What the inspector shows of an object.

mod facts;

use api::Object;
use simulation::Time;

use crate::picture::Objects;
use crate::protocol::{EventLine, Inspection, Subject};

/// Kinds whose objects are looked through for what an object owns.
const OWNED_KINDS: &[(&str, &str)] =
    &[("apps/v1", "ReplicaSet"), ("v1", "Pod"), ("discovery.k8s.io/v1", "EndpointSlice")];

/// Owners of owners that are followed; no chain of the API is longer.
const OWNERS_MAX: usize = 8;

/// The object with all that belongs to it; none when it does not exist.
pub fn inspect(objects: &dyn Objects, subject: &Subject, now: Time) -> Option<Inspection> {
    let found = find(objects, subject)?;
    let mut value = found.value().clone();
    if let Some(metadata) = value.get_mut("metadata").and_then(|m| m.as_object_mut()) {
        metadata.remove("managedFields");
    }
    let mut events: Vec<Object> =
        objects.all("v1", "Event").into_iter().filter(|e| e.str("involvedObject.uid") == found.uid()).collect();
    events.sort_by(|a, b| seen(a).cmp(seen(b)).then_with(|| a.name().cmp(b.name())));
    let containers = match subject.kind.as_str() {
        "Pod" => {
            found.list("spec.containers").iter().filter_map(|c| Some(c.get("name")?.as_str()?.to_owned())).collect()
        }
        _ => Vec::new(),
    };
    Some(Inspection {
        subject: subject.clone(),
        facts: facts::facts(&subject.kind, &found, &age(found.str("metadata.creationTimestamp"), now)),
        yaml: api::yaml::emit(&value),
        events: events.iter().map(|e| line(e, now)).collect(),
        owners: owners(objects, &found),
        owned: owned(objects, &subject.kind, &found),
        containers,
        decision: None,
    })
}

fn find(objects: &dyn Objects, subject: &Subject) -> Option<Object> {
    let all = objects.all(&subject.api_version, &subject.kind).into_iter();
    all.into_iter().find(|o| o.name() == subject.name && o.namespace() == subject.namespace)
}

/// The owner, its owner, and so on; a pod's node comes last.
fn owners(objects: &dyn Objects, object: &Object) -> Vec<Subject> {
    let mut owners = Vec::new();
    let mut next = Some(object.clone());
    while let Some(owner) = next.as_ref().and_then(Object::controller_ref).filter(|_| owners.len() < OWNERS_MAX) {
        let namespace = object.namespace().to_owned();
        let subject = Subject { api_version: owner.api_version, kind: owner.kind, namespace, name: owner.name };
        next = find(objects, &subject);
        owners.push(subject);
    }
    owners
}

/// What names the object as its owner; of a Service the pods behind it, of a node the pods on it.
fn owned(objects: &dyn Objects, kind: &str, object: &Object) -> Vec<Subject> {
    let pods = |wanted: &dyn Fn(&Object) -> bool| {
        let pods = objects.all("v1", "Pod");
        pods.iter().filter(|pod| wanted(pod)).map(|pod| subject("v1", "Pod", pod)).collect::<Vec<_>>()
    };
    match kind {
        "Node" => pods(&|pod| pod.str("spec.nodeName") == object.name()),
        "Service" => {
            let selector = facts::string_map(object.at("spec.selector"));
            let chosen = |pod: &Object| {
                let labels = pod.labels();
                !selector.is_empty() && selector.iter().all(|(key, value)| labels.get(key) == Some(value))
            };
            pods(&|pod| pod.namespace() == object.namespace() && chosen(pod))
        }
        _ => OWNED_KINDS
            .iter()
            .flat_map(|(api_version, kind)| {
                let all = objects.all(api_version, kind).into_iter();
                all.filter(|o| o.owner_references().iter().any(|owner| owner.uid == object.uid()))
                    .map(|o| subject(api_version, kind, &o))
            })
            .collect(),
    }
}

fn subject(api_version: &str, kind: &str, object: &Object) -> Subject {
    Subject {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: object.namespace().to_owned(),
        name: object.name().to_owned(),
    }
}

fn age(since: &str, now: Time) -> String {
    Time::parse_rfc3339(since)
        .map_or_else(|| "<unknown>".to_owned(), |then| api::duration::human(now.saturating_since(then)))
}

fn seen(event: &Object) -> &str {
    match event.str("lastTimestamp") {
        "" => event.str("eventTime"),
        last => last,
    }
}

fn line(event: &Object, now: Time) -> EventLine {
    let from = match event.str("source.component") {
        "" => event.str("reportingComponent"),
        component => component,
    };
    EventLine {
        level: event.str("type").to_owned(),
        reason: event.str("reason").to_owned(),
        age: age(seen(event), now),
        count: event.int("count").unwrap_or(1),
        from: from.to_owned(),
        message: event.str("message").to_owned(),
    }
}
