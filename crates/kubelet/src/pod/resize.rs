//! Resizing the containers of a pod in place (`pkg/kubelet/allocation`, `computePodResizeAction` of kuberuntime).
//!
//! A worker's pod always has the resources that the node has granted. While the API asks for others, what it asks for is
//! kept here until the node has room.

use std::cmp::Reverse;

use api::Object;
use api::quantity::Quantity;
use json::{Value, json};
use simulation::Time;

use super::{Budget, Worker};
use crate::cri::State;
use crate::limits::RESIZE_RETRY;
use crate::spec;

/// Wanted and not yet granted.
pub(crate) const PENDING: &str = "PodResizePending";
/// Granted and not yet done.
pub(crate) const IN_PROGRESS: &str = "PodResizeInProgress";

/// How the resize of a pod goes.
#[derive(Default)]
pub(super) struct Resizing {
    /// The pod as the API has it, while it asks for other resources than were granted.
    wanted: Option<Object>,
    pending: Option<Value>,
    in_progress: Option<Value>,
}

/// CPU in thousandths and memory in bytes of one container; 0 where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amounts {
    cpu_request: i64,
    cpu_limit: i64,
    memory_request: i64,
    memory_limit: i64,
}

impl Amounts {
    /// Of the field `resources` of a container.
    pub(crate) fn of(resources: &Value) -> Amounts {
        let amount = |which: &str, name: &str| {
            let value = &resources[which][name];
            Quantity::from_value(value).ok().filter(|_| !value.is_null()).unwrap_or(Quantity::ZERO)
        };
        Amounts {
            cpu_request: amount("requests", "cpu").milli_value(),
            cpu_limit: amount("limits", "cpu").milli_value(),
            memory_request: amount("requests", "memory").value(),
            memory_limit: amount("limits", "memory").value(),
        }
    }

    /// Whether a container has to be started anew to get other amounts.
    pub(crate) fn need_restart(self, wanted: Amounts, container: &Value) -> bool {
        let restarts = |name: &str| {
            let mut policies = spec::items(container, "resizePolicy").iter();
            policies.any(|p| p["resourceName"] == name && p["restartPolicy"] == "RestartContainer")
        };
        let cpu = self.cpu_request != wanted.cpu_request || self.cpu_limit != wanted.cpu_limit;
        let memory = self.memory_request != wanted.memory_request || self.memory_limit != wanted.memory_limit;
        (cpu && restarts("cpu")) || (memory && restarts("memory"))
    }
}

fn all_containers(pod: &Object) -> impl Iterator<Item = &Value> {
    spec::init_containers(pod).iter().chain(spec::containers(pod))
}

/// Whether two pods have the same containers with the same resources, however the amounts are written.
fn same_resources(a: &Object, b: &Object) -> bool {
    let same = |(a, b): (&Value, &Value)| a == b || Amounts::of(a) == Amounts::of(b);
    all_containers(a).map(|c| &c["resources"]).zip(all_containers(b).map(|c| &c["resources"])).all(same)
}

/// The pod with other resources, by the name of the container.
fn with_resources(pod: &Object, of: impl Fn(&str) -> Option<Value>) -> Object {
    let mut value = pod.value().clone();
    for field in ["initContainers", "containers"] {
        let Some(containers) = value["spec"].get_mut(field).and_then(Value::as_array_mut) else { continue };
        for container in containers.iter_mut() {
            if let Some(resources) = of(spec::name(container)) {
                container["resources"] = resources;
            }
        }
    }
    Object::new(value)
}

/// The pod as it was granted before this kubelet knew it: by what its status says of its containers.
fn as_granted(pod: &Object) -> Option<Object> {
    let statuses = || pod.list("status.initContainerStatuses").iter().chain(pod.list("status.containerStatuses"));
    let held = |name: &str| {
        let told = statuses().find(|status| spec::name(status) == name).map(|status| &status["resources"])?;
        let own = &spec::find(pod, name)?["resources"];
        (!told.is_null() && Amounts::of(told) != Amounts::of(own)).then(|| told.clone())
    };
    all_containers(pod).any(|c| held(spec::name(c)).is_some()).then(|| with_resources(pod, held))
}

/// What the events of a resize tell (`podResizeMessage`); the order of fields is Go's.
fn message(head: &str, pod: &Object, generation: i64, error: &str) -> String {
    let text = |text: &str| Value::from(text).to_string();
    let list = |field: &str, containers: &[Value]| {
        let one = |container: &Value| {
            let parts = ["limits", "requests"].into_iter().filter_map(|which| {
                let amounts =
                    container["resources"].get(which).filter(|map| map.as_object().is_some_and(|m| !m.is_empty()))?;
                Some(format!("\"{which}\":{amounts}"))
            });
            let resources = parts.collect::<Vec<_>>().join(",");
            format!("{{\"name\":{},\"resources\":{{{resources}}}}}", text(spec::name(container)))
        };
        let all: Vec<String> = containers.iter().map(one).collect();
        if all.is_empty() { String::new() } else { format!("\"{field}\":[{}],", all.join(",")) }
    };
    let (init, regular) =
        (list("initContainers", spec::init_containers(pod)), list("containers", spec::containers(pod)));
    let error = if error.is_empty() { String::new() } else { format!(",\"error\":{}", text(error)) };
    format!("{head}: {{{init}{regular}\"generation\":{generation}{error}}}")
}

/// A condition; the time of its last transition stays while the reason does.
fn condition(kind: &str, old: Option<&Value>, (reason, message): (&str, &str), generation: i64, now: Time) -> Value {
    let now = now.rfc3339();
    let since = old.filter(|old| spec::text(old, "reason") == reason);
    let since = since.map_or_else(|| now.clone(), |old| spec::text(old, "lastTransitionTime").to_owned());
    let mut condition = json!({
        "type": kind,
        "status": "True",
        "lastProbeTime": now,
        "lastTransitionTime": since,
        "observedGeneration": generation,
    });
    for (field, text) in [("reason", reason), ("message", message)] {
        if !text.is_empty() {
            condition[field] = text.into();
        }
    }
    condition
}

/// The turn of a pod among those that await room, the least first (`sortPendingResizes`): who wants no more than was granted,
/// then the most important, those of the class Guaranteed, and who has waited longest.
fn turn(wanted: &Object, granted: Budget, pending: Option<&Value>) -> impl Ord + use<> {
    let priority = Reverse(wanted.int("spec.priority").unwrap_or(0));
    // In seconds of UTC: as texts they are in the order of time.
    let since = pending.map(|pending| spec::text(pending, "lastTransitionTime").to_owned());
    let is_guaranteed = wanted.str("status.qosClass") == "Guaranteed";
    (Budget::of(wanted).exceeds(granted), priority, !is_guaranteed, since.is_none(), since)
}

impl Worker {
    /// The pod as the worker is to see it: with the resources that were granted.
    pub(super) fn held_back(&self, pod: Object) -> Object {
        let granted = self.pod();
        if granted.uid() != pod.uid() || same_resources(&granted, &pod) {
            if let Some(resizing) = self.resizing.borrow_mut().as_mut() {
                resizing.wanted = None;
            }
            return pod;
        }
        let held = |name: &str| spec::find(&granted, name).map(|container| container["resources"].clone());
        let view = with_resources(&pod, held);
        self.resizing.borrow_mut().get_or_insert_default().wanted = Some(pod);
        view
    }

    /// Takes over what an earlier kubelet had granted.
    pub(super) fn take_over(&self) {
        let pod = self.pod();
        if let Some(granted) = as_granted(&pod) {
            self.pod.replace(granted);
            self.budget.set(Budget::of(&self.pod.borrow()));
            self.resizing.borrow_mut().get_or_insert_default().wanted = Some(pod);
        }
    }

    /// The pod as the API has it.
    pub(super) fn in_api(&self) -> Object {
        let wanted = self.resizing.borrow().as_ref().and_then(|resizing| resizing.wanted.clone());
        wanted.unwrap_or_else(|| self.pod())
    }

    /// Whether the node had no room for what the pod wants.
    pub(crate) fn awaits_room(&self) -> bool {
        self.resizing.borrow().as_ref().is_some_and(|resizing| resizing.pending.is_some())
    }

    /// The turn of the pod among those that await room, the least first.
    pub(crate) fn turn(&self) -> impl Ord + use<> {
        let resizing = self.resizing.borrow();
        let pending = resizing.as_ref().and_then(|resizing| resizing.pending.as_ref());
        turn(&self.in_api(), self.budget.get(), pending)
    }

    /// The conditions that say how the resize goes.
    pub(super) fn resize_conditions(&self) -> Vec<Value> {
        let resizing = self.resizing.borrow();
        let Some(resizing) = resizing.as_ref() else { return Vec::new() };
        resizing.pending.iter().chain(&resizing.in_progress).cloned().collect()
    }

    /// Grants what is wanted, if there is room, and says whether what was granted is done. Gives when to try again.
    pub(super) fn resize(&self) -> Option<Time> {
        let wanted = self.resizing.borrow().as_ref()?.wanted.clone();
        match wanted {
            Some(wanted) => self.grant(wanted),
            None => self.with_resizing(|resizing| resizing.pending = None),
        }
        self.note_progress();
        self.awaits_room().then(|| self.shared.sim.now() + RESIZE_RETRY)
    }

    fn with_resizing<T>(&self, change: impl FnOnce(&mut Resizing) -> T) -> T {
        change(self.resizing.borrow_mut().get_or_insert_default())
    }

    fn grant(&self, wanted: Object) {
        let (now, generation, budget) = (self.shared.sim.now(), wanted.generation(), Budget::of(&wanted));
        match self.shortage(budget) {
            None => {
                let before = self.budget.replace(budget);
                self.pod.replace(wanted.clone());
                self.with_resizing(|resizing| {
                    resizing.wanted = None;
                    resizing.pending = None;
                    resizing.in_progress = Some(condition(IN_PROGRESS, None, ("", ""), generation, now));
                });
                self.pod_event("Normal", "ResizeStarted", &message("Pod resize started", &wanted, generation, ""));
                if before.exceeds(budget) {
                    (self.shared.retry_resizes)();
                }
            }
            Some((reason, why)) => {
                let is_new = self.with_resizing(|resizing| {
                    let old = resizing.pending.take();
                    let new = condition(PENDING, old.as_ref(), ("Deferred", &why), generation, now);
                    let is_new = old.is_none_or(|old| old["observedGeneration"] != new["observedGeneration"]);
                    resizing.pending = Some(new);
                    is_new
                });
                if is_new {
                    let text = message(&format!("Pod resize {reason}"), &wanted, generation, &why);
                    self.pod_event("Warning", "ResizeDeferred", &text);
                }
            }
        }
    }

    /// Running containers that have other resources than were granted, with what they are to have.
    fn to_resize(&self) -> Vec<(String, Value, Amounts)> {
        let (pod, existing) = (self.pod.borrow(), self.existing());
        let running = all_containers(&pod).filter_map(|container| {
            let view = existing.newest(spec::name(container)).filter(|v| v.status.state == State::Running)?;
            let has = Amounts::of(&view.resources);
            (has != Amounts::of(&container["resources"])).then(|| (view.id.clone(), container.clone(), has))
        });
        running.collect()
    }

    fn note_progress(&self) {
        let (is_going_on, now, pod) = (!self.to_resize().is_empty(), self.shared.sim.now(), self.pod());
        let ended = self.with_resizing(|resizing| match (is_going_on, &mut resizing.in_progress) {
            (true, Some(known)) => {
                known["lastProbeTime"] = now.rfc3339().into();
                None
            }
            (true, none) => {
                *none = Some(condition(IN_PROGRESS, None, ("", ""), pod.generation(), now));
                None
            }
            (false, known) => known.take(),
        });
        if let Some(ended) = ended {
            let generation = ended["observedGeneration"].as_i64().unwrap_or(0);
            let text = message("Pod resize completed", &pod, generation, "");
            self.pod_event("Normal", "ResizeCompleted", &text);
        }
        let mut resizing = self.resizing.borrow_mut();
        if resizing.as_ref().is_some_and(|r| r.wanted.is_none() && r.pending.is_none() && r.in_progress.is_none()) {
            *resizing = None;
        }
    }

    /// Gives running containers what was granted, but for those that have to be started anew.
    ///
    /// # Errors
    /// More memory is in use than the new limits allow.
    pub(super) fn actuate(&self) -> Result<(), ()> {
        let mut to_resize = self.to_resize();
        to_resize.retain(|(_, container, has)| !has.need_restart(Amounts::of(&container["resources"]), container));
        if to_resize.is_empty() {
            return Ok(());
        }
        if let Err(why) = self.check_memory(&to_resize) {
            self.report_failure(&why);
            return Err(());
        }
        for (id, container, _) in &to_resize {
            let wanted = Amounts::of(&container["resources"]);
            let some = |amount: i64| (amount > 0).then_some(amount);
            self.shared.runtime.update_container(id, some(wanted.cpu_limit), some(wanted.memory_limit));
            if let Some(record) = self.records.borrow_mut().iter_mut().find(|record| record.id == *id) {
                record.resources = container["resources"].clone();
            }
        }
        self.wake();
        Ok(())
    }

    /// No limit goes below what is in use (`validateMemoryResizeAction`).
    fn check_memory(&self, to_resize: &[(String, Value, Amounts)]) -> Result<(), String> {
        let decreases = |old: i64, new: i64| new > 0 && (old == 0 || new < old);
        let limit = |container: &Value| Amounts::of(&container["resources"]).memory_limit;
        let lowered: Vec<_> =
            to_resize.iter().filter(|(_, container, has)| decreases(has.memory_limit, limit(container))).collect();
        let of_pod = |limits: &[i64]| if limits.contains(&0) { 0 } else { limits.iter().sum() };
        let (pod, existing) = (self.pod.borrow(), self.existing());
        let new: Vec<i64> = spec::containers(&pod).iter().map(limit).collect();
        let has = |container: &Value| {
            existing.newest(spec::name(container)).map_or(0, |view| Amounts::of(&view.resources).memory_limit)
        };
        let old: Vec<i64> = spec::containers(&pod).iter().map(has).collect();
        let (old, new) = (of_pod(&old), of_pod(&new));
        let running = existing.containers.iter().filter(|view| view.status.state == State::Running);
        let stats = running.filter_map(|view| self.shared.runtime.container_stats(&view.id));
        let usage = i64::try_from(stats.map(|stats| stats.memory_bytes).sum::<u64>()).unwrap_or(i64::MAX);
        let mut errors = Vec::new();
        if decreases(old, new) && usage >= new {
            errors.push(format!("attempting to set pod memory limit ({new}) below current usage ({usage})"));
        }
        for (id, container, _) in lowered {
            let used = self.shared.runtime.container_stats(id).map_or(0, |stats| stats.memory_bytes);
            let (name, new) = (spec::name(container), limit(container));
            if i64::try_from(used).is_ok_and(|used| used >= new) {
                errors.push(format!(
                    "attempting to set container \"{name}\" memory limit ({new}) below current usage ({usage})"
                ));
            }
        }
        match errors.as_slice() {
            [] => Ok(()),
            [one] => Err(format!("cannot decrease memory limits: {one}")),
            several => Err(format!("cannot decrease memory limits: [{}]", several.join(", "))),
        }
    }

    fn report_failure(&self, why: &str) {
        let (now, pod) = (self.shared.sim.now(), self.pod());
        let told = self.with_resizing(|resizing| {
            let old = resizing.in_progress.take();
            let generation = old.as_ref().and_then(|old| old["observedGeneration"].as_i64());
            let generation = generation.unwrap_or_else(|| pod.generation());
            let is_new = old.as_ref().is_none_or(|old| old["reason"] != "Error" || spec::text(old, "message") != why);
            resizing.in_progress = Some(condition(IN_PROGRESS, old.as_ref(), ("Error", why), generation, now));
            is_new.then_some(generation)
        });
        if let Some(generation) = told {
            self.pod_event("Warning", "ResizeError", &message("Pod resize error", &pod, generation, why));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_the_order_of_go() {
        let pod = Object::new(json!({"spec": {"containers": [
            {"name": "a", "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}}}, {"name": "b"}]}}));
        assert_eq!(
            message("Pod resize OutOfcpu", &pod, 3, "why"),
            r#"Pod resize OutOfcpu: {"containers":[{"name":"a","resources":{"limits":{"cpu":"2"},"requests":{"cpu":"1"}}},{"name":"b","resources":{}}],"generation":3,"error":"why"}"#
        );
    }

    #[test]
    fn amounts_may_be_written_in_several_ways() {
        let pod = |cpu: &str| Object::new(json!({"spec": {"containers": [{"resources": {"requests": {"cpu": cpu}}}]}}));
        assert!(same_resources(&pod("1"), &pod("1000m")));
        assert!(!same_resources(&pod("1"), &pod("1001m")));
    }

    #[test]
    fn turns_are_taken_by_these_criteria_in_this_order() {
        let granted = Budget { cpu_milli: 1_000, memory_bytes: 1 << 20, pods: 1 };
        let at = |cpu: &str, memory: &str, priority: i64, class: &str, since: Option<&str>| {
            let container = json!({"resources": {"requests": {"cpu": cpu, "memory": memory}}});
            let spec = json!({"priority": priority, "containers": [container]});
            let pod = Object::new(json!({"spec": spec, "status": {"qosClass": class}}));
            turn(&pod, granted, since.map(|since| json!({"lastTransitionTime": since})).as_ref())
        };
        let (early, late) = (Some("2026-01-01T09:59:59Z"), Some("2026-01-01T10:00:00Z"));
        let turns = [
            at("1", "1Ki", 0, "Burstable", None),
            at("100m", "2Mi", 9, "Burstable", late),
            at("2", "1Mi", 5, "Guaranteed", late),
            at("2", "1Mi", 5, "Burstable", early),
            at("2", "1Mi", 5, "Burstable", late),
            at("2", "1Mi", 5, "Burstable", None),
            at("2", "1Mi", 0, "Guaranteed", early),
        ];
        assert!(turns.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn a_policy_is_about_one_resource() {
        let amounts = |cpu: &str, memory: &str| Amounts::of(&json!({"limits": {"cpu": cpu, "memory": memory}}));
        let container = json!({"resizePolicy": [{"resourceName": "memory", "restartPolicy": "RestartContainer"}]});
        assert!(!amounts("1", "1Mi").need_restart(amounts("1000m", "1024Ki"), &container));
        assert!(!amounts("1", "1Mi").need_restart(amounts("2", "1Mi"), &container));
        assert!(amounts("1", "1Mi").need_restart(amounts("1", "2Mi"), &container));
    }
}
