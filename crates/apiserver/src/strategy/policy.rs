//! What limits pods and their owners: disruption budgets, priorities, quotas, limits (pkg/registry/policy,
//! pkg/registry/scheduling, pkg/registry/core/resourcequota, pkg/registry/core/limitrange).

use api::kinds::{LIMIT_RANGES, POD_DISRUPTION_BUDGETS, PRIORITY_CLASSES, RESOURCE_QUOTAS};
use json::{Map, Value, json};

use super::{Strategy, child, default_to, differs, plain};
use crate::validation;
use crate::value::{at, fields, list_mut, map_mut};

pub static DISRUPTION_BUDGET: Strategy = Strategy {
    prepare_create: |_, object| {
        object["status"] =
            json!({"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0});
        Ok(())
    },
    validate: validation::policy::disruption_budget,
    has_status: true,
    generation: Some(|new, old| differs(new, old, "spec")),
    ..plain(&POD_DISRUPTION_BUDGETS)
};

pub static PRIORITY_CLASS: Strategy = Strategy {
    defaults: |object| {
        default_to(object, "preemptionPolicy", "PreemptLowerPriority");
        default_to(object, "value", 0);
    },
    generation: Some(|new, old| differs(new, old, "value") || differs(new, old, "preemptionPolicy")),
    admit_create: validation::policy::one_default_priority,
    validate: validation::policy::priority_class,
    validate_update: validation::policy::priority_class_update,
    ..plain(&PRIORITY_CLASSES)
};

pub static QUOTA: Strategy = Strategy {
    prepare_create: |_, object| {
        object["status"] = json!({});
        Ok(())
    },
    validate: validation::policy::quota,
    has_status: true,
    ..plain(&RESOURCE_QUOTAS)
};

pub static LIMIT_RANGE: Strategy =
    Strategy { defaults: limit_defaults, validate: validation::policy::limit_range, ..plain(&LIMIT_RANGES) };

/// A container without a limit gets the greatest one, one without a request its limit or the smallest one
/// (`SetDefaults_LimitRangeItem`).
fn limit_defaults(object: &mut Value) {
    for item in list_mut(child(object, "spec"), "limits") {
        if item["type"] != "Container" {
            continue;
        }
        let map = |item: &Value, field: &str| -> Map {
            fields(at(item, field)).map(|(k, v)| (k.clone(), v.clone())).collect()
        };
        let fill = |item: &mut Value, field: &str, from: Map| {
            if from.is_empty() {
                return;
            }
            let target = map_mut(child(item, field));
            for (key, value) in from {
                target.entry(key).or_insert(value);
            }
        };
        let greatest = map(item, "max");
        fill(item, "default", greatest);
        let limits = map(item, "default");
        fill(item, "defaultRequest", limits);
        let smallest = map(item, "min");
        fill(item, "defaultRequest", smallest);
    }
}
