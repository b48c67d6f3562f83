//! Deployments (pkg/registry/apps/deployment, pkg/apis/apps/v1/defaults.go).

use api::kinds::DEPLOYMENTS;
use json::{Value, json};

use super::{Strategy, child, default_to, differs, plain, pod_spec};
use crate::validation;
use crate::value::{map_mut, text};

pub static STRATEGY: Strategy = Strategy {
    defaults,
    prepare_create: |_, object| {
        object["status"] = json!({});
        Ok(())
    },
    prepare_status: |new, old| super::keep_metadata(new, old, "labels"),
    status_reset: &[&["spec"], &["metadata", "labels"]],
    validate: validation::apps::deployment,
    validate_update: validation::apps::selector_is_immutable,
    has_status: true,
    generation: Some(|new, old| differs(new, old, "spec") || differs(new, old, "metadata.annotations")),
    ..plain(&DEPLOYMENTS)
};

fn defaults(object: &mut Value) {
    let spec = child(object, "spec");
    default_to(spec, "replicas", 1);
    default_to(spec, "revisionHistoryLimit", 10);
    default_to(spec, "progressDeadlineSeconds", 600);
    let strategy = child(spec, "strategy");
    default_to(strategy, "type", "RollingUpdate");
    if text(strategy, "type") == "RollingUpdate" {
        let rolling = child(strategy, "rollingUpdate");
        default_to(rolling, "maxUnavailable", "25%");
        default_to(rolling, "maxSurge", "25%");
    }
    pod_spec::template_defaults(child(spec, "template"));
    map_mut(object).entry("status").or_insert_with(|| json!({}));
}
