//! Writes Events, as `k8s.io/client-go/tools/record` does: equal ones are counted instead of repeated, similar
//! ones combined.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use api::{Object, kinds};
use json::{Value, json};
use simulation::Sim;

use crate::correlator::{COMBINED, Correlator, Digest};
use crate::{Client, Error, PatchType};

/// Events that wait to be written; above this the newest are dropped and the trace says so.
pub const EVENTS_QUEUED_MAX: usize = 1_000;
/// Distinct events remembered for counting.
pub const EVENTS_REMEMBERED_MAX: usize = 4_096;
/// Names tried for one event, if others of the same moment have taken the first ones.
pub const EVENT_NAME_TRIES_MAX: u32 = 16;

/// Nanoseconds between the names of two events of one moment.
const EVENT_APART_NANOS_MAX: u64 = 20_000;

struct Seen {
    namespace: String,
    name: String,
    count: u64,
}

struct Inner {
    sim: Sim,
    client: Client,
    component: String,
    host: String,
    queue: RefCell<VecDeque<(Digest, Object)>>,
    seen: RefCell<BTreeMap<Digest, Seen>>,
    correlator: RefCell<Correlator>,
    writing: std::cell::Cell<bool>,
    /// The nanoseconds in the name of the newest event.
    named: std::cell::Cell<i64>,
}

/// A handle to a recorder.
#[derive(Clone)]
pub struct EventRecorder(Rc<Inner>);

impl EventRecorder {
    /// A recorder for events of `component` (e.g. `kubelet`) on `host` (empty if it runs on no node).
    pub fn new(client: &Client, sim: &Sim, component: &str, host: &str) -> EventRecorder {
        EventRecorder(Rc::new(Inner {
            sim: sim.clone(),
            client: client.clone(),
            component: component.to_owned(),
            host: host.to_owned(),
            queue: RefCell::default(),
            seen: RefCell::default(),
            correlator: RefCell::default(),
            writing: std::cell::Cell::new(false),
            named: std::cell::Cell::new(0),
        }))
    }

    /// Records an event about `object`. `event_type` is `Normal` or `Warning`. Returns at once; written in order.
    pub fn event(&self, object: &Object, event_type: &str, reason: &str, message: &str) {
        self.event_on_field(object, "", event_type, reason, message);
    }

    /// The same, with annotations on the event.
    pub fn annotated_event(
        &self,
        object: &Object,
        annotations: &[(&str, String)],
        event_type: &str,
        reason: &str,
        message: &str,
    ) {
        self.record(object, "", annotations, event_type, reason, message);
    }

    /// The same about a part of the object, e.g. `spec.containers{web}`.
    pub fn event_on_field(&self, object: &Object, field_path: &str, event_type: &str, reason: &str, message: &str) {
        self.record(object, field_path, &[], event_type, reason, message);
    }

    fn record(
        &self,
        object: &Object,
        field_path: &str,
        annotations: &[(&str, String)],
        event_type: &str,
        reason: &str,
        message: &str,
    ) {
        let mut involved = json!({
            "apiVersion": object.api_version(),
            "kind": object.kind(),
            "name": object.name(),
            "uid": object.uid(),
        });
        for (field, value) in [
            ("namespace", object.namespace()),
            ("resourceVersion", object.resource_version()),
            ("fieldPath", field_path),
        ] {
            if !value.is_empty() {
                involved[field] = value.into();
            }
        }
        let about = Digest::EMPTY
            .and(object.kind())
            .and(object.namespace())
            .and(object.name())
            .and(object.uid())
            .and(event_type);
        let similar = about.and(reason);
        let is_combined = self.0.correlator.borrow_mut().is_combined(similar, message, self.0.sim.now());
        let (key, message) = if is_combined {
            (similar, Cow::Owned(format!("{COMBINED}{message}")))
        } else {
            (similar.and(field_path).and(message), Cow::Borrowed(message))
        };
        // Normal events do not use up what warnings may take.
        if !self.0.correlator.borrow_mut().admits(about, self.0.sim.now()) {
            return; // upstream drops what is told too often, and so does everyone who counts on it
        }
        let mut event = self.build(object, involved, event_type, reason, &message);
        for (key, value) in annotations {
            event.set_annotation(key, value);
        }
        {
            let mut queue = self.0.queue.borrow_mut();
            if queue.len() >= EVENTS_QUEUED_MAX {
                self.0.sim.trace(simulation::TraceKind::Limit {
                    limit: "EVENTS_QUEUED_MAX".into(),
                    what: format!("event {reason} about {}", object.key()),
                });
                return;
            }
            queue.push_back((key, event));
        }
        if !self.0.writing.replace(true) {
            let recorder = self.clone();
            self.0.sim.spawn(async move { recorder.write_all().await });
        }
    }

    fn build(&self, object: &Object, involved: Value, event_type: &str, reason: &str, message: &str) -> Object {
        let now = self.0.sim.now();
        let namespace = if object.namespace().is_empty() { "default" } else { object.namespace() };
        let mut source = json!({ "component": self.0.component });
        if !self.0.host.is_empty() {
            source["host"] = self.0.host.clone().into();
        }
        Object::new(json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": { "name": self.name_of(object.name()), "namespace": namespace },
            "involvedObject": involved,
            "reason": reason,
            "message": message,
            "type": event_type,
            "source": source,
            "reportingComponent": self.0.component,
            "reportingInstance": self.0.host,
            "firstTimestamp": now.rfc3339(),
            "lastTimestamp": now.rfc3339(),
            "eventTime": null,
            "count": 1,
        }))
    }

    async fn write_all(&self) {
        loop {
            let next = self.0.queue.borrow_mut().pop_front();
            let Some((key, event)) = next else { break };
            // Upstream drops an event that the server refuses; so do we (e.g. in a namespace that is going).
            let _ = self.write(key, event).await;
        }
        self.0.writing.set(false);
    }

    async fn write(&self, key: Digest, event: Object) -> Result<(), Error> {
        let known = {
            let mut seen = self.0.seen.borrow_mut();
            seen.get_mut(&key).map(|s| {
                s.count += 1;
                (s.namespace.clone(), s.name.clone(), s.count)
            })
        };
        if let Some((namespace, name, count)) = known {
            let patch =
                json!({ "count": count, "lastTimestamp": event.at("lastTimestamp"), "message": event.at("message") });
            let result = self.0.client.patch(&kinds::EVENTS, &namespace, &name, "", PatchType::Strategic, &patch).await;
            match result {
                Err(error) if error.is_not_found() => {} // it expired: write it anew
                other => return other.map(|_| ()),
            }
        }
        let namespace = event.namespace().to_owned();
        let written = self.create(&namespace, event).await?;
        let mut seen = self.0.seen.borrow_mut();
        if seen.len() >= EVENTS_REMEMBERED_MAX {
            seen.pop_first();
        }
        seen.insert(key, Seen { namespace, name: written.name().to_owned(), count: 1 });
        Ok(())
    }

    /// Creates an event; when its name is taken, by another event of the same moment, under another name.
    async fn create(&self, namespace: &str, mut event: Object) -> Result<Object, Error> {
        let mut tries = 1;
        loop {
            let result = self.0.client.create(&kinds::EVENTS, namespace, event.clone()).await;
            match result {
                Err(error) if error.is_already_exists() && tries < EVENT_NAME_TRIES_MAX => tries += 1,
                other => return other,
            }
            event.set("metadata.name", self.name_of(event.str("involvedObject.name")));
        }
    }

    /// Upstream: name and nanoseconds in hexadecimal, so that events are listed in their order. Virtual time has many
    /// events at one moment: they follow one another a few microseconds apart.
    fn name_of(&self, about: &str) -> String {
        let (now, last) = (self.0.sim.now().as_nanos(), self.0.named.get());
        let unique = now.max(last) + 1 + self.0.sim.random_below(EVENT_APART_NANOS_MAX) as i64;
        self.0.named.set(unique);
        format!("{about}.{unique:x}")
    }
}
