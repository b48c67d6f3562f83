//! Disruption budgets, priorities, quotas and limits (pkg/apis/policy/validation, pkg/apis/scheduling/validation,
//! `ValidateResourceQuota`, `ValidateLimitRange`).

use api::Quantity;
use api::kinds::PRIORITY_CLASSES;
use api::status::{FieldError, FieldErrors, Status};
use json::Value;

use super::apps::label_selector;
use super::{non_negative, one_of};
use crate::failure;
use crate::registry::Context;
use crate::value::{at, fields, int, list, text};

/// The highest priority that people may give out.
const PRIORITY_MAX: i64 = 1_000_000_000;
/// The names and values of the classes that the system brings along.
pub const SYSTEM_PRIORITIES: [(&str, i64, &str); 2] = [
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
];

/// A PodDisruptionBudget.
pub fn disruption_budget(object: &Value, errors: &mut FieldErrors) {
    let spec = at(object, "spec");
    let (minimum, maximum) = (at(spec, "minAvailable"), at(spec, "maxUnavailable"));
    if !minimum.is_null() && !maximum.is_null() {
        let detail = "minAvailable and maxUnavailable cannot be both set";
        errors.push(FieldError::invalid("spec", spec.clone(), detail));
    }
    for (field, value) in [("minAvailable", minimum), ("maxUnavailable", maximum)] {
        let path = format!("spec.{field}");
        if value.is_number() {
            non_negative(spec, field, &path, errors);
        } else if let Some(text) = value.as_str() {
            let number = text.strip_suffix('%').and_then(|digits| digits.parse::<u32>().ok());
            match number {
                None => {
                    let detail = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
                    errors.push(FieldError::invalid(path, text, detail));
                }
                Some(number) if number > 100 => {
                    errors.push(FieldError::invalid(path, text, "must not be greater than 100%"));
                }
                Some(_) => {}
            }
        }
    }
    if at(spec, "selector").is_object() {
        label_selector(at(spec, "selector"), "spec.selector", errors);
    }
    if let Some(policy) = at(spec, "unhealthyPodEvictionPolicy").as_str() {
        one_of(policy, "spec.unhealthyPodEvictionPolicy", &["AlwaysAllow", "IfHealthyBudget"], errors);
    }
}

/// A PriorityClass.
pub fn priority_class(object: &Value, errors: &mut FieldErrors) {
    let (name, value) = (text(object, "metadata.name"), int(object, "value").unwrap_or(0));
    let is_system = SYSTEM_PRIORITIES.iter().any(|(system, v, _)| *system == name && *v == value);
    if name.starts_with("system-") && !is_system {
        let detail = "priority class names with 'system-' prefix are reserved for system use only. error: invalid system priority class name or value".to_owned();
        let detail = if SYSTEM_PRIORITIES.iter().any(|(system, ..)| *system == name) {
            detail
        } else {
            format!(
                "priority class names with 'system-' prefix are reserved for system use only. error: {name} is not a known system priority class"
            )
        };
        errors.push(FieldError::forbidden("metadata.name", detail));
    } else if !is_system && value > PRIORITY_MAX {
        let detail = format!("maximum allowed value of a user defined priority is {PRIORITY_MAX}");
        errors.push(FieldError::forbidden("value", detail));
    }
    if let Some(policy) = at(object, "preemptionPolicy").as_str() {
        one_of(policy, "preemptionPolicy", &["Never", "PreemptLowerPriority"], errors);
    }
}

/// What a priority is worth never changes.
pub fn priority_class_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    if int(new, "value") != int(old, "value") {
        errors.push(FieldError::forbidden("value", "may not be changed in an update."));
    }
    if at(new, "preemptionPolicy") != at(old, "preemptionPolicy") {
        let value = at(new, "preemptionPolicy").clone();
        errors.push(FieldError::invalid("preemptionPolicy", value, super::IMMUTABLE));
    }
}

/// One class at most is for pods that name none (plugin/pkg/admission/priority).
pub fn one_default_priority(cx: &Context<'_>, object: &mut Value) -> Result<(), Status> {
    if at(object, "globalDefault") != true {
        return Ok(());
    }
    let name = text(object, "metadata.name");
    let others = cx.all(&PRIORITY_CLASSES, "");
    match others.iter().find(|other| other.bool("globalDefault") && other.name() != name) {
        None => Ok(()),
        Some(other) => {
            let why =
                format!("PriorityClass {} is already marked as default. Only one default can exist", other.name());
            Err(failure::forbidden(&PRIORITY_CLASSES, name, &why))
        }
    }
}

/// A ResourceQuota.
pub fn quota(object: &Value, errors: &mut FieldErrors) {
    for (name, value) in fields(at(object, "spec.hard")) {
        let path = format!("spec.hard[{name}]");
        let names = api::names::qualified_name(name);
        errors.invalid_all(&path, name, names);
        if !name.contains('/') && !name.contains('.') && !is_standard(name) {
            let detail = "must be a standard resource for quota".to_owned();
            errors.push(FieldError::invalid(&path, name.as_str(), detail));
        }
        if Quantity::from_value(value).is_ok_and(|q| q.milli_value() < 0) {
            errors.push(FieldError::invalid(&path, value.clone(), "must be greater than or equal to 0"));
        }
    }
    let scopes =
        ["BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating"];
    for scope in list(object, "spec.scopes").iter().filter_map(Value::as_str) {
        if !scopes.contains(&scope) {
            let value = at(object, "spec.scopes").clone();
            errors.push(FieldError::invalid("spec.scopes", value, "unsupported scope"));
        }
    }
}

fn is_standard(name: &str) -> bool {
    const STANDARD: &[&str] = &[
        "cpu",
        "memory",
        "ephemeral-storage",
        "pods",
        "resourcequotas",
        "services",
        "replicationcontrollers",
        "secrets",
        "persistentvolumeclaims",
        "configmaps",
    ];
    STANDARD.contains(&name) || name.starts_with("hugepages-")
}

/// A LimitRange.
pub fn limit_range(object: &Value, errors: &mut FieldErrors) {
    let mut seen = Vec::new();
    for (i, limit) in list(object, "spec.limits").iter().enumerate() {
        let path = format!("spec.limits[{i}]");
        let kind = text(limit, "type");
        if seen.contains(&kind) {
            errors.push(FieldError::duplicate(format!("{path}.type"), kind));
        }
        seen.push(kind);
        let amount = |field: &str, name: &str| at(limit, field).get(name).and_then(|v| Quantity::from_value(v).ok());
        let mut names: Vec<&json::Text> = ["min", "max", "default", "defaultRequest", "maxLimitRequestRatio"]
            .iter()
            .flat_map(|field| fields(at(limit, field)).map(|(name, _)| name))
            .collect();
        names.sort();
        names.dedup();
        if kind == "Pod" {
            for field in ["default", "defaultRequest"] {
                if fields(at(limit, field)).next().is_some() {
                    let detail = "may not be specified when `type` is 'Pod'";
                    errors.push(FieldError::forbidden(format!("{path}.limits[{i}].{field}"), detail));
                }
            }
        }
        for name in names {
            let order = [
                ("min", "max"),
                ("min", "defaultRequest"),
                ("defaultRequest", "max"),
                ("defaultRequest", "default"),
                ("min", "default"),
                ("default", "max"),
            ];
            for (low, high) in order {
                let (Some(smaller), Some(greater)) = (amount(low, name), amount(high, name)) else { continue };
                if smaller > greater {
                    let (s, g) = (at(limit, low).get(name), at(limit, high).get(name));
                    let shown = |v: Option<&Value>| v.and_then(Value::as_str).unwrap_or("").to_owned();
                    let (at_field, value) =
                        if low == "min" && high != "max" { (high, shown(g)) } else { (low, shown(s)) };
                    let words = |field: &str| {
                        match field {
                            "defaultRequest" => "default request",
                            other => {
                                if other == "default" {
                                    "default"
                                } else {
                                    other
                                }
                            }
                        }
                        .to_owned()
                    };
                    let detail =
                        format!("{} value {} is greater than {} value {}", words(low), shown(s), words(high), shown(g));
                    errors.push(FieldError::invalid(format!("{path}.{at_field}[{name}]"), value, detail));
                }
            }
        }
    }
}
