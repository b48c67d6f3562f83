//! Telling the API what a pod is like (`pkg/kubelet/status/status_manager.go`).

use api::{Object, kinds};
use client::{DeleteOptions, PatchType};
use json::{Value, json};

use super::{IN_PROGRESS, PENDING, Worker};
use crate::limits::API_RETRY;
use crate::status::{self, Inputs};

impl Worker {
    /// Makes the status anew and writes it if it changed.
    pub(super) async fn publish(&self) {
        let made = {
            let pod = self.pod.borrow();
            let existing = self.existing();
            let old = self.status.borrow();
            let reasons = self.reasons.borrow();
            status::generate(&Inputs {
                pod: &pod,
                old: &old,
                existing: &existing,
                pod_ip: self.pod_ip.get().map(|ip| ip.to_string()),
                host_ip: &self.shared.config.ip.to_string(),
                runtime: self.shared.config.runtime(),
                reasons: &reasons,
                verdicts: &self.shared.results,
                terminal: self.terminal.get(),
                more: self.more_conditions(),
                now: self.shared.sim.now(),
            })
        };
        self.write_status(made).await;
    }

    /// Conditions that come and go: of a resize, of an eviction.
    fn more_conditions(&self) -> Vec<Value> {
        if self.terminal.get() { self.eviction_condition().into_iter().collect() } else { self.resize_conditions() }
    }

    /// Writes a status, trying again until the API takes it or has no such pod.
    pub(super) async fn write_status(&self, mut made: Value) {
        made.settle(Some(&self.published.borrow()));
        self.status.replace(made);
        while !self.deleted.get() {
            let wanted = self.status();
            let Some(patch) = difference(&self.published.borrow(), &wanted) else { return };
            let pod = self.pod();
            let body = json!({ "metadata": { "uid": pod.uid() }, "status": patch });
            let client = &self.shared.client;
            match client.patch(&kinds::PODS, pod.namespace(), pod.name(), "status", PatchType::Strategic, &body).await {
                Ok(answer) => {
                    self.told.set(answer.resource_version().parse().unwrap_or(0));
                    if self.pod.borrow().uid() == pod.uid() {
                        self.published.replace(wanted);
                        self.share_status(&answer);
                    }
                    return;
                }
                // Gone, or another pod of that name: the informer will tell.
                Err(error) if error.is_not_found() || error.is_conflict() => return,
                Err(_) => self.shared.sim.sleep(API_RETRY).await,
            }
        }
    }

    /// Keeps of the status that was told what the API keeps of it, and not a copy.
    fn share_status(&self, answer: &Object) {
        let mut published = self.published.borrow_mut();
        let mut status = self.status.borrow_mut();
        if !status.is_same(&published) {
            return; // there is a newer one
        }
        *status = Value::Null;
        published.settle(Some(answer.at("status")));
        *status = published.clone();
    }

    /// Lets the API forget the pod: nothing of it is left here.
    pub(super) async fn release(&self) {
        let pod = self.pod();
        if !pod.is_deleting() || self.deleted.get() || self.released.get() {
            return;
        }
        let options = DeleteOptions {
            grace_period_seconds: Some(0),
            precondition_uid: Some(pod.uid().to_owned()),
            ..DeleteOptions::default()
        };
        loop {
            match self.shared.client.delete(&kinds::PODS, pod.namespace(), pod.name(), &options).await {
                Ok(_) => break,
                Err(error) if error.is_not_found() || error.is_conflict() => break,
                Err(_) => self.shared.sim.sleep(API_RETRY).await,
            }
        }
        self.released.set(true);
    }
}

/// The fields of `new` that differ from `old`, with null for those that went; none if nothing differs.
///
/// Conditions are merged by type: only those that changed are sent, with nulls for their absent words, and the order of
/// all. So conditions that others own are left alone.
fn difference(old: &Value, new: &Value) -> Option<Value> {
    let mut patch = json::Map::new();
    let empty = json::Map::new();
    let (old, new) = (old.as_object().unwrap_or(&empty), new.as_object().unwrap_or(&empty));
    for (field, value) in new {
        if old.get(field) == Some(value) {
            continue;
        }
        if field == "conditions" {
            let all = value.as_array().map_or(&[][..], json::Array::as_slice);
            let order: Vec<Value> = all.iter().map(|c| json!({ "type": c["type"] })).collect();
            patch.insert("$setElementOrder/conditions".into(), order.into());
            patch.insert(field.clone(), changed(old.get(field), all).into());
        } else {
            patch.insert(field.clone(), value.clone());
        }
    }
    for field in old.keys().filter(|f| !new.contains_key(*f)) {
        patch.insert(field.clone(), Value::Null);
    }
    (!patch.is_empty()).then(|| patch.into())
}

fn changed(old: Option<&Value>, conditions: &[Value]) -> Vec<Value> {
    let old = old.and_then(Value::as_array).map_or(&[][..], json::Array::as_slice);
    let mut changed: Vec<Value> = conditions.iter().filter(|c| !old.contains(c)).cloned().collect();
    for condition in changed.iter_mut().filter_map(Value::as_object_mut) {
        for field in ["reason", "message"] {
            condition.entry(field.to_owned()).or_insert(Value::Null);
        }
    }
    // No other condition of ours ever goes.
    let gone = |kind: &&&str| {
        let has = |all: &[Value]| all.iter().any(|condition| condition["type"] == ***kind);
        has(old) && !has(conditions)
    };
    changed.extend([PENDING, IN_PROGRESS].iter().filter(gone).map(|kind| json!({ "type": *kind, "$patch": "delete" })));
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_is_sent() {
        let old = json!({"phase": "Pending", "reason": "x", "hostIP": "1.2.3.4", "conditions": [{"type": "Mine"}]});
        let new = json!({"phase": "Running", "hostIP": "1.2.3.4",
            "conditions": [{"type": "Mine"}, {"type": "Ready", "reason": "y"}]});
        assert_eq!(
            difference(&old, &new),
            Some(json!({
                "phase": "Running",
                "reason": null,
                "$setElementOrder/conditions": [{"type": "Mine"}, {"type": "Ready"}],
                "conditions": [{"type": "Ready", "reason": "y", "message": null}],
            }))
        );
        assert_eq!(difference(&new, &new), None);
    }
}
