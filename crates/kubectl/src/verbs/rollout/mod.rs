//! `kubectl rollout` (`kubectl/pkg/cmd/rollout`, `polymorphichelpers`).

pub mod change;
pub mod history;
pub mod status;
pub mod undo;

use api::Object;
use json::Value;

use crate::describe;
use crate::failure::{Failure, Outcome};
use crate::flags::common::{FILES, SELECTOR};
use crate::flags::{Action, Args, COMMAND, Command, HelpTo};
use crate::rest::{Rest, with_query};
use crate::targets::{self, Info, Query, has_files};

/// The parent command.
pub static ROLLOUT: Command = Command {
    name: "rollout",
    usage: "SUBCOMMAND",
    short: "Manage the rollout of a resource",
    long: "Follow, undo, pause or repeat the rollout of deployments, daemon sets and stateful sets.",
    examples: &[
        ("Wait for a rollout to finish", "kubectl rollout status deployment/web"),
        ("Go back to the version before", "kubectl rollout undo deployment/web"),
        ("Replace all pods without a change", "kubectl rollout restart deployment/web"),
    ],
    commands: &[&history::HISTORY, &change::PAUSE, &change::RESTART, &change::RESUME, &status::STATUS, &undo::UNDO],
    action: Action::Group(HelpTo::Out),
    ..COMMAND
};

/// The objects that the words name.
pub(super) async fn infos(rest: &Rest, args: &Args, all_of_type: bool) -> Outcome<targets::Found> {
    if args.words.is_empty() && !has_files(args) {
        return Err(Failure::message("required resource not specified"));
    }
    let query = Query::from_args(rest, args, &args.words).await?;
    let query = if all_of_type { query.all_of_type() } else { query };
    targets::fetch(rest, &query).await
}

pub(super) static FOUND: [&[crate::flags::Flag]; 2] = [FILES, SELECTOR];

/// The annotation that numbers a revision.
pub const REVISION: &str = "deployment.kubernetes.io/revision";

/// The replica sets of a deployment, by revision, oldest first.
pub async fn replica_sets(rest: &Rest, deployment: &Object) -> Outcome<Vec<(i64, Object)>> {
    let labels = deployment.at("spec.selector.matchLabels").as_object().cloned().unwrap_or_default();
    let selector: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or(""))).collect();
    let path = format!("/apis/apps/v1/namespaces/{}/replicasets", deployment.namespace());
    let answer = rest.get(&with_query(&path, &[("labelSelector", &selector.join(","))])).await?;
    let items = answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut sets: Vec<(i64, Object)> = items
        .into_iter()
        .map(Object::new)
        .filter(|rs| rs.controller_ref().is_some_and(|owner| owner.uid == deployment.uid()))
        .map(|rs| (rs.annotation(REVISION).and_then(|r| r.parse().ok()).unwrap_or(0), rs))
        .collect();
    sets.sort_by_key(|(revision, _)| *revision);
    Ok(sets)
}

/// The revisions of a workload, oldest first: replica sets of a deployment, controller revisions of the others.
pub async fn revisions(rest: &Rest, object: &Object) -> Outcome<Vec<(i64, Object)>> {
    match object.kind() {
        "Deployment" => replica_sets(rest, object).await,
        "DaemonSet" | "StatefulSet" => controller_revisions(rest, object).await,
        kind => Err(Failure::message(format!("no history viewer has been implemented for {kind:?}"))),
    }
}

async fn controller_revisions(rest: &Rest, object: &Object) -> Outcome<Vec<(i64, Object)>> {
    let path = format!("/apis/apps/v1/namespaces/{}/controllerrevisions", object.namespace());
    let labels = describe::selector_text(object.at("spec.selector"));
    let answer = rest.get(&with_query(&path, &[("labelSelector", &labels)])).await?;
    let items = answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut all: Vec<(i64, Object)> = items
        .into_iter()
        .map(Object::new)
        .filter(|revision| revision.controller_ref().is_some_and(|owner| owner.uid == object.uid()))
        .map(|revision| (revision.int("revision").unwrap_or(0), revision))
        .collect();
    all.sort_by_key(|(number, _)| *number);
    Ok(all)
}

/// The pod template that a revision keeps.
pub(super) fn template_in(revision: &Object) -> Value {
    if revision.kind() == "ReplicaSet" || revision.at("data").is_null() {
        return revision.at("spec.template").clone();
    }
    let mut template = revision.at("data.spec.template").clone();
    if let Some(map) = template.as_object_mut() {
        map.remove("$patch");
    }
    template
}

/// `deployments.apps "web"`: how these commands name what they complain about.
pub(super) fn quoted(info: &Info) -> String {
    format!("{} \"{}\"", info.named.resource.group_resource(), info.named.name)
}
