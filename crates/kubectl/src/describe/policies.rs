//! Disruption budgets, priorities, quotas, limits.

use std::collections::BTreeSet;

use api::Object;
use json::Value;

use super::storage::pairs;
use super::workloads::selector;
use super::write::{Text, list, scalar, text};
use super::{Context, events};
use crate::failure::Outcome;

/// `kubectl describe pdb`.
pub async fn disruption_budget(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.field(0, "Namespace", object.namespace());
    if !object.at("spec.minAvailable").is_null() {
        out.field(0, "Min available", scalar(object.at("spec.minAvailable")));
    } else if !object.at("spec.maxUnavailable").is_null() {
        out.field(0, "Max unavailable", scalar(object.at("spec.maxUnavailable")));
    }
    let chosen = object.at("spec.selector");
    out.field(0, "Selector", if chosen.is_null() { "<unset>".to_owned() } else { selector(chosen) });
    out.line(0, "Status:");
    for (title, field) in [
        ("Allowed disruptions", "disruptionsAllowed"),
        ("Current", "currentHealthy"),
        ("Desired", "desiredHealthy"),
        ("Total", "expectedPods"),
    ] {
        out.line(2, format!("{title}:\t{}", object.int(&format!("status.{field}")).unwrap_or(0)));
    }
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

/// `kubectl describe priorityclass`.
pub async fn priority_class(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.field(0, "Value", object.int("value").unwrap_or(0).to_string());
    out.field(0, "GlobalDefault", object.bool("globalDefault").to_string());
    out.field(0, "PreemptionPolicy", object.str("preemptionPolicy"));
    out.field(0, "Description", object.str("description"));
    out.field(0, "Annotations", pairs(object.at("metadata.annotations")));
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

/// `kubectl describe quota`.
pub async fn quota(_: Context, object: Object) -> Outcome<String> {
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.field(0, "Namespace", object.namespace());
    scopes(&mut out, 0, &object);
    out.line(0, "Resource\tUsed\tHard");
    out.line(0, "--------\t----\t----");
    amounts(&mut out, 0, &object);
    Ok(out.finish())
}

fn scopes(out: &mut Text, level: usize, quota: &Object) {
    let mut all: Vec<String> = quota.list("spec.scopes").iter().map(scalar).collect();
    if all.is_empty() {
        return;
    }
    all.sort();
    out.field(level, "Scopes", all.join(", "));
    for scope in &all {
        let help = match scope.as_str() {
            "Terminating" => {
                "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by the system."
            }
            "NotTerminating" => {
                "Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is not expected to terminate."
            }
            "BestEffort" => {
                "Matches all pods that do not have resource requirements set. These pods have a best effort quality of service."
            }
            "NotBestEffort" => {
                "Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service."
            }
            _ => continue,
        };
        out.line(level, format!("{}* {help}", if level == 0 { " " } else { "" }));
    }
}

fn amounts(out: &mut Text, level: usize, quota: &Object) {
    let used = quota.at("status.used");
    for (name, hard) in quota.at("status.hard").as_object().into_iter().flatten() {
        let used = used.get(name).map_or_else(|| "0".to_owned(), scalar);
        out.line(level, format!("{name}\t{used}\t{}", scalar(hard)));
    }
}

/// The quotas of a namespace, as its description shows them.
pub fn quotas(out: &mut Text, all: &[Object]) {
    if all.is_empty() {
        return out.line(0, "No resource quota.");
    }
    out.line(0, "Resource Quotas");
    for quota in all {
        out.field(1, "Name", quota.name());
        scopes(out, 1, quota);
        out.line(1, "Resource\tUsed\tHard");
        out.line(1, "--------\t---\t---");
        amounts(out, 1, quota);
    }
}

/// `kubectl describe limitrange`.
pub async fn limit_range(_: Context, object: Object) -> Outcome<String> {
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.field(0, "Namespace", object.namespace());
    out.line(0, "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio");
    out.line(0, "----\t--------\t---\t---\t---------------\t-------------\t-----------------------");
    limits(&mut out, "", &object);
    Ok(out.finish())
}

/// The limits of a namespace, as its description shows them.
pub fn limit_ranges(out: &mut Text, all: &[Object]) {
    if all.is_empty() {
        return out.line(0, "No LimitRange resource.");
    }
    out.line(0, "Resource Limits");
    out.line(0, " Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio");
    out.line(0, " ----\t--------\t---\t---\t---------------\t-------------\t-----------------------");
    all.iter().for_each(|one| limits(out, " ", one));
}

fn limits(out: &mut Text, prefix: &str, object: &Object) {
    const FIELDS: [&str; 5] = ["min", "max", "defaultRequest", "default", "maxLimitRequestRatio"];
    for item in list(object.at("spec"), "limits") {
        let keys = |field: &&str| item[*field].as_object().into_iter().flatten().map(|(key, _)| key);
        let names: BTreeSet<&json::Text> = FIELDS.iter().flat_map(keys).collect();
        for name in names {
            let cell = |field: &str| match item[field].get(name) {
                None | Some(Value::Null) => "-".to_owned(),
                Some(value) => scalar(value),
            };
            let cells = FIELDS.map(cell).join("\t");
            out.line(0, format!("{prefix}{}\t{name}\t{cells}", text(item, "type")));
        }
    }
}
