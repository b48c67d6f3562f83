//! No more than a namespace may have (`apiserver/pkg/admission/plugin/resourcequota`).
//!
//! Upstream adds to the numbers in the quota's status and lets a controller correct them. Here what is used is counted
//! anew, from the objects themselves; the controller alone writes the status.

use api::kinds::{KINDS, PODS, RESOURCE_QUOTAS};
use api::quota::{self, Amounts};
use api::status::Status;
use api::{Kind, Object, Quantity};
use json::Value;

use crate::failure;
use crate::registry::Context;
use crate::value::text;

/// Refuses an object that would take more than a quota of its namespace leaves. Of a change (`old` is what the object was),
/// only what it takes in addition counts.
pub fn admit(
    cx: &Context<'_>,
    kind: &'static Kind,
    namespace: &str,
    object: &Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    if !kind.namespaced || *kind == RESOURCE_QUOTAS {
        return Ok(());
    }
    let quotas = cx.all(&RESOURCE_QUOTAS, namespace);
    if quotas.is_empty() {
        return Ok(());
    }
    let mut wanted = quota::usage(kind, object);
    if let Some(old) = old {
        let taken = quota::usage(kind, old);
        let before = |name: &str| taken.get(name).copied().unwrap_or(Quantity::ZERO);
        wanted.retain(|name, amount| *amount > before(name));
        wanted.iter_mut().for_each(|(name, amount)| *amount -= before(name));
    }
    for one in quotas.iter().filter(|one| quota::is_about(one.value(), kind, object)) {
        let hard = quota::amounts(one.at("spec.hard"));
        let concerned: Amounts =
            wanted.iter().filter(|(name, _)| hard.contains_key(*name)).map(|(n, a)| (n.clone(), *a)).collect();
        if *kind == PODS {
            say_everything(one, &hard, object)?;
        }
        if !concerned.is_empty() {
            stay_below(cx, kind, namespace, object, (one, &hard), &concerned)?;
        }
    }
    Ok(())
}

fn say_everything(one: &Object, hard: &Amounts, pod: &Value) -> Result<(), Status> {
    let missing = quota::unsaid(hard, pod);
    if missing.is_empty() {
        return Ok(());
    }
    let words: Vec<String> = missing.iter().map(|(name, who)| format!("{name} for: {}", who.join(","))).collect();
    let why = format!("failed quota: {}: must specify {}", one.name(), words.join("; "));
    Err(failure::forbidden(&PODS, text(pod, "metadata.name"), &why))
}

fn stay_below(
    cx: &Context<'_>,
    kind: &'static Kind,
    namespace: &str,
    object: &Value,
    (one, hard): (&Object, &Amounts),
    wanted: &Amounts,
) -> Result<(), Status> {
    let used = used(cx, namespace, one, wanted);
    let amount = |all: &Amounts, name: &str| all.get(name).copied().unwrap_or(Quantity::ZERO);
    let exceeded: Vec<&String> =
        wanted.keys().filter(|n| amount(&used, n) + amount(wanted, n) > amount(hard, n)).collect();
    if exceeded.is_empty() {
        return Ok(());
    }
    let list = |all: &Amounts| {
        exceeded.iter().map(|name| format!("{name}={}", amount(all, name))).collect::<Vec<_>>().join(",")
    };
    let (requested, taken, limited) = (list(wanted), list(&used), list(hard));
    let why = format!("exceeded quota: {}, requested: {requested}, used: {taken}, limited: {limited}", one.name());
    Err(failure::forbidden(kind, text(object, "metadata.name"), &why))
}

/// What the objects of a namespace take already, of those things that are asked for.
fn used(cx: &Context<'_>, namespace: &str, one: &Object, wanted: &Amounts) -> Amounts {
    let mut used = Amounts::new();
    for kind in KINDS.iter().filter(|kind| kind.namespaced) {
        for object in cx.all(kind, namespace) {
            if !quota::is_about(one.value(), kind, object.value()) {
                continue;
            }
            for (name, amount) in quota::usage(kind, object.value()) {
                if wanted.contains_key(&name) {
                    *used.entry(name).or_insert(Quantity::ZERO) += amount;
                }
            }
        }
    }
    used
}
