//! Events in the form of `events.k8s.io`, which the scheduler alone uses here: no counter and no first and last time,
//! but an action, a moment and, when it repeats, a series.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use api::{Object, kinds};
use client::{Client, PatchType};
use json::{Value, json};
use simulation::Sim;

/// Events remembered for series; the first in the order of keys is forgotten.
const SERIES_REMEMBERED_MAX: usize = 4_096;
/// Names tried for one event, if others of the same moment have taken the first ones.
const EVENT_NAME_TRIES_MAX: u32 = 16;
/// Longest message; the rest is cut off (`NoteLengthLimit`).
const NOTE_BYTES_MAX: usize = 1_024;

struct Series {
    name: String,
    count: u64,
}

/// Writes events.
pub(crate) struct Recorder {
    sim: Sim,
    client: Client,
    component: String,
    host: String,
    series: RefCell<BTreeMap<String, Series>>,
    written: Cell<i64>,
}

impl Recorder {
    pub(crate) fn new(sim: &Sim, client: &Client, component: &str, host: &str) -> Recorder {
        let (component, host) = (component.to_owned(), host.to_owned());
        Recorder {
            sim: sim.clone(),
            client: client.clone(),
            component,
            host,
            series: RefCell::default(),
            written: Cell::new(0),
        }
    }

    /// Records an event about a pod, and perhaps about another that has to do with it. A refusal by the server loses the
    /// event, as upstream.
    pub(crate) async fn event(
        &self,
        pod: &Object,
        related: Option<&Object>,
        event_type: &str,
        reason: &str,
        action: &str,
        message: &str,
    ) {
        let key = [pod.uid(), pod.resource_version(), event_type, reason, action].join("/");
        let now = self.sim.now().rfc3339_micro();
        let known = self.series.borrow_mut().get_mut(&key).map(|series| {
            series.count += 1;
            (series.name.clone(), series.count)
        });
        if let Some((name, count)) = known {
            let patch = json!({ "series": { "count": count, "lastObservedTime": now } });
            let kind = &kinds::EVENTS;
            let _ = self.client.patch(kind, pod.namespace(), &name, "", PatchType::Strategic, &patch).await;
            return;
        }
        let mut name = self.name_of(pod);
        let mut event = Object::new(json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": { "name": name, "namespace": pod.namespace() },
            "eventTime": now,
            "reportingComponent": self.component,
            "reportingInstance": format!("{}-{}", self.component, self.host),
            "action": action,
            "reason": reason,
            "type": event_type,
            "message": truncated(message),
            "involvedObject": reference(pod),
            "source": {},
            "firstTimestamp": null,
            "lastTimestamp": null,
        }));
        if let Some(related) = related {
            event.set("related", reference(related));
        }
        for _ in 0..EVENT_NAME_TRIES_MAX {
            match self.client.create(&kinds::EVENTS, pod.namespace(), event.clone()).await {
                Err(error) if error.is_already_exists() => {
                    name = self.name_of(pod);
                    event.set("metadata.name", name.clone());
                }
                Err(_) => return,
                Ok(_) => break,
            }
        }
        let mut series = self.series.borrow_mut();
        if series.len() == SERIES_REMEMBERED_MAX {
            series.pop_first();
        }
        series.insert(key, Series { name, count: 1 });
    }

    /// Upstream: name and nanoseconds. Many events happen in one moment here, so the last digits count them.
    fn name_of(&self, pod: &Object) -> String {
        self.written.set((self.written.get() + 1) % 1_000);
        let unique = self.sim.now().as_nanos() / 1_000 * 1_000 + self.written.get();
        format!("{}.{unique:x}", pod.name())
    }
}

fn reference(pod: &Object) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "namespace": pod.namespace(),
        "name": pod.name(),
        "uid": pod.uid(),
        "resourceVersion": pod.resource_version(),
    })
}

fn truncated(message: &str) -> String {
    const SUFFIX: &str = " ...";
    if message.len() <= NOTE_BYTES_MAX {
        return message.to_owned();
    }
    let mut end = NOTE_BYTES_MAX - SUFFIX.len();
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{SUFFIX}", &message[..end])
}
