//! Parameters of requests: what goes together, and what does not (k8s.io/apimachinery/pkg/apis/meta/.../validation).

use api::http::Body;
use api::status::{FieldError, FieldErrors, Status};
use json::{Value, json};

use super::delete::DeleteOptions;
use super::{Context, decode};
use crate::managed::options_kind;
use crate::request::{Head, Query};
use crate::value::list;

fn refused(kind: &str, errors: &FieldErrors) -> Result<(), Status> {
    if errors.is_empty() { Ok(()) } else { Err(Status::invalid("meta.k8s.io", kind, "", errors)) }
}

fn check_dry_run(values: &[Value], errors: &mut FieldErrors) {
    if values.iter().any(|v| v.as_str() != Some("All")) {
        errors.push(FieldError::not_supported("dryRun", json!(values), &["All"]));
    }
}

/// The parameter `dryRun`.
pub fn dry_run(head: &Head) -> Result<bool, Status> {
    let asked = head.query.pairs().filter(|(key, value)| *key == "dryRun" && !value.is_empty());
    let values: Vec<Value> = asked.map(|(_, value)| value.into()).collect();
    let mut errors = FieldErrors::new();
    check_dry_run(&values, &mut errors);
    refused(options_kind(head), &errors)?;
    Ok(!values.is_empty())
}

/// Options of a DELETE: from its body, else from the query. Those of a body may make it a dry run.
pub fn of_delete(cx: &Context<'_>, head: &Head, body: Body) -> Result<DeleteOptions, Status> {
    let value = decode::any(head, body)?;
    let mut options = DeleteOptions::from_value(&value);
    let query = &head.query;
    if options.grace_period_seconds.is_none() {
        options.grace_period_seconds = query.get("gracePeriodSeconds").parse().ok();
    }
    if options.propagation.is_none() && !query.get("propagationPolicy").is_empty() {
        options.propagation = Some(query.get("propagationPolicy").to_owned());
    }
    if options.orphan_dependents.is_none() && query.has("orphanDependents") {
        options.orphan_dependents = Some(query.flag("orphanDependents"));
    }
    let mut errors = FieldErrors::new();
    if let Some(policy) = options.propagation.as_deref() {
        if options.orphan_dependents.is_some() {
            let why = "orphanDependents and deletionPropagation cannot be both set";
            errors.push(FieldError::invalid("propagationPolicy", policy, why));
        }
        if !matches!(policy, "Foreground" | "Background" | "Orphan") {
            let known = ["Foreground", "Background", "Orphan", "nil"];
            errors.push(FieldError::not_supported("propagationPolicy", policy, &known));
        }
    }
    let dry = list(&value, "dryRun");
    check_dry_run(dry, &mut errors);
    refused("DeleteOptions", &errors)?;
    if !dry.is_empty() {
        cx.dry_run.set(true);
    }
    Ok(options)
}

/// Parameters of a list or a watch.
pub fn check_list(query: &Query, is_watch: bool) -> Result<(), Status> {
    let (version, matched) = (query.get("resourceVersion"), query.get("resourceVersionMatch"));
    let (continued, initial) = (!query.get("continue").is_empty(), query.has("sendInitialEvents"));
    let mut errors = FieldErrors::new();
    let mut forbid = |field: &str, why: &str| errors.push(FieldError::forbidden(field, why));
    let continue_match = "resourceVersionMatch is forbidden when continue is provided";
    let field = "resourceVersionMatch";
    if is_watch {
        if initial && matched != "NotOlderThan" {
            forbid(field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
        }
        if !matched.is_empty() {
            if !initial {
                forbid(field, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
            }
            if continued {
                forbid(field, continue_match);
            }
            if matched != "NotOlderThan" {
                errors.push(FieldError::not_supported(field, matched, &["NotOlderThan"]));
            }
        }
        return refused("ListOptions", &errors);
    }
    if !matched.is_empty() {
        if version.is_empty() {
            forbid(field, "resourceVersionMatch is forbidden unless resourceVersion is provided");
        }
        if continued {
            forbid(field, continue_match);
        }
        if matched == "Exact" && version == "0" {
            forbid(field, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
        }
    }
    if initial {
        forbid("sendInitialEvents", "sendInitialEvents is forbidden for list");
    }
    if !matches!(matched, "" | "Exact" | "NotOlderThan") {
        errors.push(FieldError::not_supported(field, matched, &["Exact", "NotOlderThan", ""]));
    }
    refused("ListOptions", &errors)
}
