//! `status.conditions` of a Deployment.

use json::{Value, json};

/// A condition that begins now.
pub(super) fn new(condition_type: &str, status: &str, reason: &str, message: &str, now: &str) -> Value {
    json!({
        "type": condition_type,
        "status": status,
        "lastUpdateTime": now,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    })
}

/// The condition of a type.
pub(super) fn get<'a>(status: &'a Value, condition_type: &str) -> Option<&'a Value> {
    status.get("conditions")?.as_array()?.iter().find(|c| c["type"] == condition_type)
}

/// Puts a condition at the end, in place of the one of its type. One with the same status and reason stays as it is;
/// with the same status, the time of transition stays (`SetDeploymentCondition`).
pub(super) fn set(status: &mut Value, mut condition: Value) {
    let condition_type = condition["type"].as_str().unwrap_or("").to_owned();
    let same_status = get(status, &condition_type).filter(|current| current["status"] == condition["status"]);
    if let Some(current) = same_status {
        if current["reason"] == condition["reason"] {
            return;
        }
        condition["lastTransitionTime"] = current["lastTransitionTime"].clone();
    }
    remove(status, &condition_type);
    match status.get_mut("conditions").and_then(Value::as_array_mut) {
        Some(list) => list.push(condition),
        None => status["conditions"] = json!([condition]),
    }
}

/// Takes the condition of a type away.
pub(super) fn remove(status: &mut Value, condition_type: &str) {
    if let Some(list) = status.get_mut("conditions").and_then(Value::as_array_mut) {
        list.retain(|c| c["type"] != condition_type);
        if list.is_empty() {
            status.as_object_mut().map(|map| map.remove("conditions"));
        }
    }
}
