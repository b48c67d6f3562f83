//! Sums and rules over a Deployment and its ReplicaSets (`util/deployment_util.go`).

use api::Object;
use json::Value;
use simulation::Time;

/// The number that stands for "no deadline" and "no limit" in the API.
const UNLIMITED: i64 = i32::MAX as i64;

/// `spec.replicas`.
pub(super) fn replicas(object: &Object) -> i64 {
    object.int("spec.replicas").unwrap_or(1)
}

/// `status.availableReplicas`.
pub(super) fn available(object: &Object) -> i64 {
    object.int("status.availableReplicas").unwrap_or(0)
}

/// Sum of a field of `status`.
pub(super) fn sum_status<'a>(sets: impl IntoIterator<Item = &'a Object>, field: &str) -> i64 {
    sets.into_iter().filter_map(|set| set.int(&format!("status.{field}"))).sum()
}

/// Sum of `spec.replicas`.
pub(super) fn sum_spec<'a>(sets: impl IntoIterator<Item = &'a Object>) -> i64 {
    sets.into_iter().map(replicas).sum()
}

/// Whether the strategy is `RollingUpdate`.
pub(super) fn is_rolling_update(deployment: &Object) -> bool {
    deployment.str("spec.strategy.type") == "RollingUpdate"
}

/// A number or a percentage of `total`, rounded up or down (`intstr.GetScaledValueFromIntOrPercent`).
fn scaled(value: &Value, total: i64, round_up: bool) -> i64 {
    let percent = value.as_str().and_then(|text| text.strip_suffix('%')).and_then(|digits| digits.parse::<i64>().ok());
    match percent {
        Some(percent) if round_up => (percent * total + 99).div_euclid(100),
        Some(percent) => (percent * total).div_euclid(100),
        None => value.as_i64().unwrap_or(0),
    }
}

/// `maxSurge` and `maxUnavailable` in pods (`ResolveFenceposts`): both zero would never get anywhere.
fn fenceposts(deployment: &Object) -> (i64, i64) {
    let wanted = replicas(deployment);
    let surge = scaled(deployment.at("spec.strategy.rollingUpdate.maxSurge"), wanted, true);
    let unavailable = scaled(deployment.at("spec.strategy.rollingUpdate.maxUnavailable"), wanted, false);
    if surge == 0 && unavailable == 0 { (0, 1) } else { (surge, unavailable) }
}

/// Pods above `spec.replicas` during a rollout.
pub(super) fn max_surge(deployment: &Object) -> i64 {
    if is_rolling_update(deployment) { fenceposts(deployment).0 } else { 0 }
}

/// Pods that may be missing during a rollout.
pub(super) fn max_unavailable(deployment: &Object) -> i64 {
    if !is_rolling_update(deployment) || replicas(deployment) == 0 {
        return 0;
    }
    fenceposts(deployment).1.min(replicas(deployment))
}

/// The size that the new ReplicaSet may have now (`NewRSNewReplicas`).
pub(super) fn new_set_replicas<'a>(
    deployment: &Object,
    all: impl IntoIterator<Item = &'a Object>,
    new_replicas: i64,
) -> i64 {
    let wanted = replicas(deployment);
    if !is_rolling_update(deployment) {
        return wanted;
    }
    let surge = scaled(deployment.at("spec.strategy.rollingUpdate.maxSurge"), wanted, true);
    let room = wanted + surge - sum_spec(all);
    if room <= 0 {
        return new_replicas;
    }
    new_replicas + room.min(wanted - new_replicas)
}

/// Whether `spec.progressDeadlineSeconds` is a deadline.
pub(super) fn has_progress_deadline(deployment: &Object) -> bool {
    deployment.int("spec.progressDeadlineSeconds").is_some_and(|seconds| seconds != UNLIMITED)
}

/// `spec.revisionHistoryLimit`, if it is a limit.
pub(super) fn revision_history_limit(deployment: &Object) -> Option<usize> {
    let limit = deployment.int("spec.revisionHistoryLimit").filter(|limit| *limit != UNLIMITED)?;
    usize::try_from(limit).ok()
}

fn status_int(status: &Value, field: &str) -> i64 {
    status.get(field).and_then(Value::as_i64).unwrap_or(0)
}

/// Whether everything that was asked for is there (`DeploymentComplete`).
pub(super) fn is_complete(deployment: &Object, status: &Value) -> bool {
    let wanted = replicas(deployment);
    status_int(status, "updatedReplicas") == wanted
        && status_int(status, "replicas") == wanted
        && status_int(status, "availableReplicas") == wanted
        && status_int(status, "observedGeneration") >= deployment.generation()
}

/// Whether the rollout is further than at the last look (`DeploymentProgressing`).
pub(super) fn is_progressing(deployment: &Object, new: &Value) -> bool {
    let old = deployment.at("status");
    let outdated = |status: &Value| status_int(status, "replicas") - status_int(status, "updatedReplicas");
    let grown = |field: &str| status_int(new, field) > status_int(old, field);
    grown("updatedReplicas") || outdated(new) < outdated(old) || grown("readyReplicas") || grown("availableReplicas")
}

/// Whether `spec.progressDeadlineSeconds` have passed without progress (`DeploymentTimedOut`).
pub(super) fn is_timed_out(deployment: &Object, progressing: Option<&Value>, now: Time) -> bool {
    let (Some(condition), true) = (progressing, has_progress_deadline(deployment)) else { return false };
    match condition["reason"].as_str() {
        Some("NewReplicaSetAvailable") => false,
        Some("ProgressDeadlineExceeded") => true,
        _ => deadline(deployment, condition).is_some_and(|deadline| deadline < now),
    }
}

/// When the rollout counts as stuck.
pub(super) fn deadline(deployment: &Object, progressing: &Value) -> Option<Time> {
    let from = Time::parse_rfc3339(progressing["lastUpdateTime"].as_str()?)?;
    let seconds = u64::try_from(deployment.int("spec.progressDeadlineSeconds")?).ok()?;
    Some(from + std::time::Duration::from_secs(seconds))
}

/// Oldest first; names decide among those of one second (`ReplicaSetsByCreationTimestamp`).
pub(super) fn by_creation(a: &Object, b: &Object) -> std::cmp::Ordering {
    let key = |o: &Object| (o.str("metadata.creationTimestamp").to_owned(), o.name().to_owned());
    key(a).cmp(&key(b))
}

/// Whether two pod templates mean the same but for the hash label (`EqualIgnoreHash`). Absent, null and empty are one.
pub(super) fn same_template(a: &Value, b: &Value) -> bool {
    same(a, b, "")
}

fn same(a: &Value, b: &Value, path: &str) -> bool {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            let skipped = |key: &str| path == ".metadata.labels" && key == super::annotations::HASH_LABEL;
            let in_both = |(key, value): (&json::Text, &Value)| {
                skipped(key) || same(value, y.get(key).unwrap_or(&Value::Null), &format!("{path}.{key}"))
            };
            x.iter().all(in_both) && y.iter().all(|(key, v)| skipped(key) || x.contains_key(key) || is_empty(v))
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            x.iter().zip(y).all(|(a, b)| same(a, b, &format!("{path}[]")))
        }
        _ => a == b || (is_empty(a) && is_empty(b)),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.values().all(Value::is_null),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}
