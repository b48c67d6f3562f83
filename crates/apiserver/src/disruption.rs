//! Whether a disruption budget lets a pod go (`pkg/registry/core/pod/storage/eviction.go`).

use api::Object;
use api::kinds::POD_DISRUPTION_BUDGETS;
use api::selector::LabelSelector;
use api::status::{Cause, Status};
use json::{Value, json};

use crate::registry::Context;
use crate::registry::update::Part;
use crate::strategy;

/// Counts one pod against its budget, or says why it has to stay.
pub fn check(cx: &Context<'_>, pod: &Object) -> Result<(), Status> {
    if matches!(pod.str("status.phase"), "Succeeded" | "Failed" | "Pending") || pod.is_deleting() {
        return Ok(());
    }
    let mut budgets = cx.all(&POD_DISRUPTION_BUDGETS, pod.namespace());
    budgets.retain(|budget| {
        let selector = budget.at("spec.selector");
        !selector.is_null() && LabelSelector::from_value(selector).is_ok_and(|s| s.matches_object(pod))
    });
    let [budget] = budgets.as_slice() else {
        return match budgets.is_empty() {
            true => Ok(()),
            false => Err(Status::internal(
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
            )),
        };
    };
    if !is_ready(pod) && may_go_unready(budget) {
        return Ok(());
    }
    take_one(cx, budget, pod)
}

fn is_ready(pod: &Object) -> bool {
    pod.list("status.conditions").iter().any(|c| c["type"] == "Ready" && c["status"] == "True")
}

/// Pods that do not work may go if the others are enough, or if the budget says so.
fn may_go_unready(budget: &Object) -> bool {
    let int = |field: &str| budget.int(&format!("status.{field}")).unwrap_or(0);
    match budget.str("spec.unhealthyPodEvictionPolicy") {
        "AlwaysAllow" => true,
        _ => int("currentHealthy") >= int("desiredHealthy") && int("desiredHealthy") > 0,
    }
}

fn refusal(retry_seconds: u32, message: String) -> Status {
    let text = "Cannot evict pod as it would violate the pod's disruption budget.";
    let mut status = Status::too_many_requests(text, retry_seconds);
    let cause = Cause { reason: "DisruptionBudget".into(), message, field: String::new() };
    status.details.get_or_insert_default().causes.push(cause);
    status
}

fn take_one(cx: &Context<'_>, budget: &Object, pod: &Object) -> Result<(), Status> {
    let name = budget.name();
    let int = |field: &str| budget.int(&format!("status.{field}")).unwrap_or(0);
    if int("observedGeneration") < budget.generation() {
        return Err(refusal(10, format!("The disruption budget {name} is still being processed by the server.")));
    }
    let (allowed, healthy, desired) = (int("disruptionsAllowed"), int("currentHealthy"), int("desiredHealthy"));
    if allowed <= 0 {
        let why = if healthy <= desired {
            format!("The disruption budget {name} needs {desired} healthy pods and has {healthy} currently")
        } else {
            format!("The disruption budget {name} does not allow evicting pods currently")
        };
        return Err(refusal(0, why));
    }
    let (pod, now) = (pod.name().to_owned(), cx.now());
    let place = (budget.namespace(), name);
    cx.update(strategy::of(&POD_DISRUPTION_BUDGETS), Part::Status, place, |old| {
        let mut new = old.value().clone();
        new["status"]["disruptionsAllowed"] = (allowed - 1).into();
        if !new["status"]["disruptedPods"].is_object() {
            new["status"]["disruptedPods"] = json!({});
        }
        new["status"]["disruptedPods"][pod.as_str()] = Value::String(now.into());
        Ok(new)
    })?;
    Ok(())
}
