//! How long to wait after pods have failed (`backoff_utils.go`).

use std::time::Duration;

use api::Object;
use json::Value;
use simulation::Time;

use crate::pods;

/// Pause after the first failure; doubles with each further one.
const PAUSE_START: Duration = Duration::from_secs(10);
/// Longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(600);

/// The rest of the pause that the failures since the last success call for.
pub(super) fn rest(succeeded: &[&Object], failed: &[&Object], now: Time) -> Duration {
    let last_success = succeeded.iter().map(|pod| finished(pod)).max();
    let since = failed.iter().map(|pod| finished(pod)).filter(|time| last_success.is_none_or(|last| *time > last));
    let times: Vec<Time> = since.collect();
    let Some(last_failure) = times.iter().max() else { return Duration::ZERO };
    pause(u32::try_from(times.len()).unwrap_or(u32::MAX), *last_failure, now)
}

/// The rest of the pause after so many failures, of which the last was then (`getRemainingTimeForFailuresCount`).
pub(super) fn pause(failures: u32, last: Time, now: Time) -> Duration {
    let pause = 2_u32.checked_pow(failures.saturating_sub(1)).and_then(|factor| PAUSE_START.checked_mul(factor));
    (last + pause.unwrap_or(PAUSE_MAX).min(PAUSE_MAX)).saturating_since(now)
}

/// When a pod ended, as far as can be told.
pub(super) fn finished(pod: &Object) -> Time {
    let time = |value: &Value| value.as_str().and_then(Time::parse_rfc3339);
    let ends: Option<Vec<Time>> = pod
        .list("status.containerStatuses")
        .iter()
        .map(|status| time(&status["state"]["terminated"]["finishedAt"]))
        .collect();
    let by_containers = ends.and_then(|ends| ends.into_iter().max());
    let not_ready = pods::condition(pod, "Ready").filter(|c| c["status"] == "False");
    by_containers
        .or_else(|| time(&not_ready?["lastTransitionTime"]))
        .or_else(|| Some(time(pod.at("metadata.deletionTimestamp"))? - grace(pod)))
        .or_else(|| pods::created(pod))
        .unwrap_or(Time::from_nanos(0))
}

/// The deletion timestamp is when the pod has to be gone; it was deleted so much before.
fn grace(pod: &Object) -> Duration {
    let seconds = pod.int("metadata.deletionGracePeriodSeconds").unwrap_or(0);
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;

    #[test]
    fn pauses_double_until_a_success() {
        let pod = |second: i64| {
            let at = Time::from_unix_seconds(1_000 + second).rfc3339();
            Object::new(json!({"status": {"containerStatuses": [{"state": {"terminated": {"finishedAt": at}}}]}}))
        };
        let now = Time::from_unix_seconds(1_020);
        let (early, late) = (pod(0), pod(20));
        assert_eq!(rest(&[], &[], now), Duration::ZERO);
        assert_eq!(rest(&[], &[&late], now), Duration::from_secs(10));
        assert_eq!(rest(&[], &[&early, &late], now), Duration::from_secs(20));
        assert_eq!(rest(&[&pod(10)], &[&early, &late], now), Duration::from_secs(10));
        assert_eq!(rest(&[&pod(30)], &[&early, &late], now), Duration::ZERO);
    }

    #[test]
    fn a_deleted_pod_has_ended_when_it_was_deleted() {
        let at = Time::from_unix_seconds(1_030).rfc3339();
        let pod = Object::new(json!({"metadata": {"deletionTimestamp": at, "deletionGracePeriodSeconds": 30}}));
        assert_eq!(rest(&[], &[&pod], Time::from_unix_seconds(1_004)), Duration::from_secs(6));
    }
}
