//! DaemonSets (pkg/registry/apps/daemonset).

use api::kinds::DAEMON_SETS;
use json::{Value, json};

use super::{Strategy, child, default_to, differs, plain, pod_spec};
use crate::validation;
use crate::value::{at, map_mut, metadata_mut};

/// Counts the changes of the template. The field is gone, the annotation stays.
const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

pub static STRATEGY: Strategy = Strategy {
    defaults,
    prepare_create: |_, object| {
        object["status"] = json!({"currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0});
        set_template_generation(object, 1);
        Ok(())
    },
    prepare_update: |_, new, old| {
        let annotations = at(old, "metadata.annotations");
        let number = annotations.get(TEMPLATE_GENERATION).and_then(Value::as_str).and_then(|n| n.parse().ok());
        let step = i64::from(differs(new, old, "spec.template"));
        set_template_generation(new, number.unwrap_or(1) + step);
        Ok(())
    },
    validate: validation::apps::daemon_set,
    validate_update: validation::apps::selector_is_immutable,
    has_status: true,
    generation: Some(|new, old| differs(new, old, "spec")),
    ..plain(&DAEMON_SETS)
};

fn set_template_generation(object: &mut Value, number: i64) {
    let annotations = metadata_mut(object).entry("annotations").or_insert_with(|| json!({}));
    map_mut(annotations).insert(TEMPLATE_GENERATION.into(), number.to_string().into());
}

fn defaults(object: &mut Value) {
    let spec = child(object, "spec");
    let strategy = child(spec, "updateStrategy");
    default_to(strategy, "type", "RollingUpdate");
    if strategy["type"] == "RollingUpdate" {
        let rolling = child(strategy, "rollingUpdate");
        default_to(rolling, "maxUnavailable", 1);
        default_to(rolling, "maxSurge", 0);
    }
    default_to(spec, "revisionHistoryLimit", 10);
    pod_spec::template_defaults(child(spec, "template"));
}
