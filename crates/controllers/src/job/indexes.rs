//! Completion indexes of an Indexed job and their short form, `0-2,5` (`indexed_job_utils.go`).

use std::collections::BTreeSet;

use api::Object;
use json::{Value, json};

/// The annotation and the label that carry the index of a pod.
pub(super) const INDEX: &str = "batch.kubernetes.io/job-completion-index";
const VARIABLE: &str = "JOB_COMPLETION_INDEX";

/// Letters of a name before the five that the server adds (`names.MaxGeneratedNameLength`).
const GENERATED_NAME_LETTERS_MAX: usize = 58;

/// Some indexes.
pub(super) type Indexes = BTreeSet<i64>;

/// The index of a pod.
pub(super) fn of(pod: &Object) -> Option<i64> {
    pod.annotation(INDEX)?.parse().ok().filter(|index| *index >= 0)
}

/// Reads the short form; what is not below `completions` is left out.
pub(super) fn parse(text: &str, completions: i64) -> Indexes {
    let mut all = Indexes::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        if let (Ok(first), Ok(last)) = (first.parse::<i64>(), last.parse::<i64>()) {
            all.extend(first..=last.min(completions - 1));
        }
    }
    all
}

/// Writes the short form.
pub(super) fn format(indexes: &Indexes) -> String {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for index in indexes {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *index => *last = *index,
            _ => runs.push((*index, *index)),
        }
    }
    let text = |(first, last): &(i64, i64)| match last - first {
        0 => first.to_string(),
        1 => format!("{first},{last}"),
        _ => format!("{first}-{last}"),
    };
    runs.iter().map(text).collect::<Vec<_>>().join(",")
}

/// What the name of a pod begins with; the index is kept whole (`podGenerateNameWithIndex`).
fn generate_name(job: &str, index: i64) -> String {
    let suffix = format!("-{index}-");
    let room = GENERATED_NAME_LETTERS_MAX.saturating_sub(suffix.len());
    format!("{}{suffix}", job.get(..room).unwrap_or(job))
}

/// Makes a pod that of an index: name, host name, annotation, label, and a variable in every container.
pub(super) fn assign(pod: &mut Object, job: &Object, index: i64) {
    pod.set("metadata.generateName", generate_name(job.name(), index));
    pod.set("spec.hostname", format!("{}-{index}", job.name()));
    pod.set_annotation(INDEX, &index.to_string());
    pod.set_label(INDEX, &index.to_string());
    let variable = json!({"name": VARIABLE,
        "valueFrom": {"fieldRef": {"fieldPath": format!("metadata.labels['{INDEX}']")}}});
    for field in ["initContainers", "containers"] {
        for container in pod.make_mut()["spec"][field].as_array_mut().into_iter().flatten() {
            if !container["env"].is_array() {
                container["env"] = Value::Array(Vec::new().into());
            }
            let Some(env) = container["env"].as_array_mut() else { continue };
            if env.iter().all(|v| v["name"] != VARIABLE) {
                env.push(variable.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_form() {
        for text in ["", "0", "0,1", "0-2", "0,2,4-6,9,10"] {
            assert_eq!(format(&parse(text, 100)), text);
        }
        assert_eq!(format(&parse("0-9", 3)), "0-2");
    }
}
