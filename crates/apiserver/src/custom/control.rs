//! What happens to a definition after it is stored: its names are accepted, and when it is deleted its objects go first
//! (apiextensions-apiserver/pkg/controller/{status,establish,finalizer}).
//!
//! Upstream runs these loops inside the API server too. Differences: a definition is established in the moment in which its
//! names are accepted; there is one server, so nobody has to hear of it first.

use std::collections::BTreeSet;
use std::rc::Weak;

use api::Object;
use api::custom::has_condition;
use api::kinds::CUSTOM_RESOURCE_DEFINITIONS as KIND;
use api::status::Status;
use futures_util::future::{Either, select};
use futures_util::{FutureExt as _, StreamExt as _};
use json::{Value, json};
use simulation::Duration;

use super::definition::{CLEANUP, STRATEGY, set_condition};
use crate::registry::delete::DeleteOptions;
use crate::registry::update::Part;
use crate::registry::{Context, key};
use crate::request::Query;
use crate::server::Server;
use crate::value::{at, list, text};

/// How long until it is looked again whether the objects of a deleted definition are gone.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// Looks after definitions for as long as the server lives.
pub async fn run(server: Weak<Server>) {
    let Some(mut watch) = server.upgrade().and_then(|s| s.etcd.watch(&key(&KIND, "", ""), s.etcd.revision()).ok())
    else {
        return;
    };
    let mut waits = false;
    loop {
        if waits {
            let Some(pause) = server.upgrade().map(|s| s.sim.sleep(LOOK_AGAIN_AFTER)) else { return };
            if let Either::Left((None | Some(Err(_)), _)) = select(watch.next(), pause.boxed_local()).await {
                return;
            }
        } else if !matches!(watch.next().await, Some(Ok(_))) {
            return;
        }
        let Some(server) = server.upgrade() else { return };
        waits = settle(&Context::internal(&server));
    }
}

/// Does what is due for every definition; whether something is waited for.
fn settle(cx: &Context<'_>) -> bool {
    let mut waits = false;
    for definition in cx.all(&KIND, "") {
        // Who was faster has changed it, and that comes back as an event.
        let _ = accept_names(cx, &definition);
        if definition.is_deleting() && list(definition.value(), "metadata.finalizers").iter().any(|f| f == CLEANUP) {
            waits |= clean_up(cx, definition.name()).unwrap_or(true);
        }
    }
    waits
}

fn write(cx: &Context<'_>, name: &str, change: impl Fn(&mut Value, &str)) -> Result<Object, Status> {
    let now = cx.now();
    cx.update(&STRATEGY, Part::Status, ("", name), |old| {
        let mut new = old.value().clone();
        change(&mut new, &now);
        Ok(new)
    })
}

/// Accepts the names that nobody else in the group has, and says so.
fn accept_names(cx: &Context<'_>, definition: &Object) -> Result<(), Status> {
    let (wanted, accepted) = (definition.at("spec.names"), definition.at("status.acceptedNames"));
    if wanted == accepted {
        return Ok(());
    }
    let others: Vec<Object> = cx.all(&KIND, "");
    let others =
        others.iter().filter(|o| o.uid() != definition.uid() && o.str("spec.group") == definition.str("spec.group"));
    let mut resources = BTreeSet::new();
    let mut kinds = BTreeSet::new();
    for names in others.map(|o| o.at("status.acceptedNames")) {
        resources.extend(["plural", "singular"].map(|field| text(names, field).to_owned()));
        resources.extend(list(names, "shortNames").iter().filter_map(Value::as_str).map(str::to_owned));
        kinds.extend(["kind", "listKind"].map(|field| text(names, field).to_owned()));
    }
    let mut new = accepted.clone();
    let mut conflict: Option<(&str, String)> = None;
    for (field, reason, taken) in [
        ("plural", "PluralConflict", &resources),
        ("singular", "SingularConflict", &resources),
        ("shortNames", "ShortNamesConflict", &resources),
        ("kind", "KindConflict", &kinds),
        ("listKind", "ListKindConflict", &kinds),
    ] {
        let words: Vec<&str> = match &wanted[field] {
            Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
            one => one.as_str().into_iter().collect(),
        };
        let in_use: Vec<String> =
            words.iter().filter(|w| taken.contains(**w)).map(|w| format!("{w:?} is already in use")).collect();
        match in_use.as_slice() {
            [] if wanted[field].is_null() => _ = new.as_object_mut().map(|n| n.remove(field)),
            [] => new[field] = wanted[field].clone(),
            [one] => conflict = Some((reason, one.clone())),
            many => conflict = Some((reason, format!("[{}]", many.join(", ")))),
        }
    }
    match wanted.get("categories") {
        Some(categories) => new["categories"] = categories.clone(),
        None => _ = new.as_object_mut().map(|n| n.remove("categories")),
    }
    let condition = list(definition.value(), "status.conditions").iter().find(|c| c["type"] == "NamesAccepted");
    if new == *accepted && condition.is_some_and(|c| conflict.as_ref().is_some_and(|(_, why)| c["message"] == **why)) {
        return Ok(());
    }
    write(cx, definition.name(), |object, now| {
        object["status"]["acceptedNames"] = new.clone();
        match &conflict {
            Some((reason, why)) => set_condition(object, ("NamesAccepted", "False", reason, why), now),
            None => set_condition(object, ("NamesAccepted", "True", "NoConflicts", "no conflicts found"), now),
        }
        if has_condition(object, "Established") {
            return;
        }
        if conflict.is_some() {
            set_condition(object, ("Established", "False", "NotAccepted", "not all names are accepted"), now);
        } else {
            let message = "the initial names have been accepted";
            set_condition(object, ("Established", "True", "InitialNamesAccepted", message), now);
        }
    })?;
    Ok(())
}

/// Deletes the objects of a definition, then lets it go; whether objects are left.
fn clean_up(cx: &Context<'_>, name: &str) -> Result<bool, Status> {
    let in_progress = "CustomResource deletion is in progress";
    let definition = write(cx, name, |object, now| {
        set_condition(object, ("Terminating", "True", "InstanceDeletionInProgress", in_progress), now);
    })?;
    if let Some(version) = api::custom::versions(definition.value()).first() {
        let strategy = crate::strategy::of(super::made(version).kind);
        cx.delete_collection(strategy, "", &Query::default(), &DeleteOptions::default())?;
        if !cx.all(strategy.kind, "").is_empty() {
            return Ok(true);
        }
    }
    let established = has_condition(definition.value(), "Established");
    write(cx, name, |object, now| {
        let why = if established {
            ("InstanceDeletionCompleted", "removed all instances")
        } else {
            ("NeverEstablished", "resource was never established")
        };
        set_condition(object, ("Terminating", "False", why.0, why.1), now);
        let rest: Vec<Value> = list(object, "metadata.finalizers").iter().filter(|f| *f != CLEANUP).cloned().collect();
        match rest.is_empty() {
            true => _ = crate::value::metadata_mut(object).remove("finalizers"),
            false => object["metadata"]["finalizers"] = json!(rest),
        }
    })?;
    debug_assert!(at(definition.value(), "metadata").is_object());
    Ok(false)
}
