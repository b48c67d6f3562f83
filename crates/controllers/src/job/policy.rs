//! What the failure of a pod means (`pod_failure_policy.go`) and which successes are enough (`success_policy.go`).

use api::Object;
use json::Value;

use super::indexes::{self, Indexes};

/// What a failed pod calls for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It counts towards the limit.
    Count,
    /// It does not.
    Ignore,
    /// It counts, and its index has failed, however often it may.
    FailIndex,
    /// The job has failed, for this reason.
    FailJob(String),
}

/// The first rule that matches decides.
pub(super) fn judge(job: &Object, pod: &Object) -> Verdict {
    for (index, rule) in job.list("spec.podFailurePolicy.rules").iter().enumerate() {
        let action = rule["action"].as_str().unwrap_or("");
        let what = match (by_exit_code(pod, &rule["onExitCodes"]), by_condition(pod, &rule["onPodConditions"])) {
            (Some((container, code)), _) => {
                format!("Container {container} for pod {}/{} failed with exit code {code}", pod.namespace(), pod.name())
            }
            (None, Some(condition)) => format!("Pod {}/{} has condition {condition}", pod.namespace(), pod.name()),
            (None, None) => continue,
        };
        return match action {
            "Ignore" => Verdict::Ignore,
            "FailIndex" => Verdict::FailIndex,
            "FailJob" => Verdict::FailJob(format!("{what} matching FailJob rule at index {index}")),
            _ => Verdict::Count,
        };
    }
    Verdict::Count
}

fn by_exit_code(pod: &Object, rule: &Value) -> Option<(String, i64)> {
    let values = rule["values"].as_array()?;
    let statuses = pod.list("status.containerStatuses").iter().chain(pod.list("status.initContainerStatuses"));
    let ended = statuses.filter_map(|s| Some((s["name"].as_str()?, s["state"]["terminated"]["exitCode"].as_i64()?)));
    let named = ended.filter(|(name, _)| rule["containerName"].as_str().is_none_or(|wanted| wanted == *name));
    let mut matching =
        named.filter(|(_, code)| *code != 0 && (rule["operator"] == "In") == values.iter().any(|v| v == *code));
    matching.next().map(|(name, code)| (name.to_owned(), code))
}

fn by_condition(pod: &Object, patterns: &Value) -> Option<String> {
    let patterns = patterns.as_array()?;
    let conditions = pod.list("status.conditions");
    let matches = |c: &&Value| patterns.iter().any(|p| p["type"] == c["type"] && p["status"] == c["status"]);
    conditions.iter().find(matches).and_then(|c| c["type"].as_str()).map(str::to_owned)
}

/// The rule of the success policy that the succeeded indexes satisfy, in words.
pub(super) fn success(job: &Object, succeeded: &Indexes) -> Option<String> {
    let completions = job.int("spec.completions").unwrap_or(0);
    let count_of = |rule: &Value| rule["succeededCount"].as_i64();
    let satisfied = |rule: &Value| match rule["succeededIndexes"].as_str() {
        Some(text) => {
            let required = indexes::parse(text, completions);
            let done = i64::try_from(required.intersection(succeeded).count()).unwrap_or(0);
            !required.is_empty() && (required.is_subset(succeeded) || count_of(rule).is_some_and(|count| done >= count))
        }
        None => count_of(rule).is_some_and(|count| i64::try_from(succeeded.len()).unwrap_or(0) >= count),
    };
    if succeeded.is_empty() {
        return None;
    }
    let rule = job.list("spec.successPolicy.rules").iter().position(satisfied)?;
    Some(format!("Matched rules at index {rule}"))
}
