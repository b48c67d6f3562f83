//! `kubectl rollout undo`.

use std::rc::Rc;

use api::Object;
use json::{Map, Value, json};

use super::history::template_of;
use super::{FOUND, REVISION, infos, replica_sets, revisions, template_in};
use crate::failure::{Failure, Outcome};
use crate::flags::common::{DRY_RUN, PRINT};
use crate::flags::{Action, Args, COMMAND, Command, Flag, int};
use crate::last_applied;
use crate::printers::output::{DryRun, Reporter};
use crate::rest::{JSON_PATCH, Rest, STRATEGIC_PATCH, with_query};
use crate::session::Session;
use crate::targets::Info;

static FLAGS: &[Flag] = &[int("to-revision", "0", "The revision to go back to; 0 means the one before the present.")];

/// The command.
pub static UNDO: Command = Command {
    name: "undo",
    usage: "(TYPE NAME | TYPE/NAME) [flags]",
    short: "Undo a previous rollout",
    long: "Go back to an earlier revision.",
    examples: &[
        ("The revision before", "kubectl rollout undo deployment/web"),
        ("A certain revision", "kubectl rollout undo deployment/web --to-revision=3"),
    ],
    flags: &[FLAGS, FOUND[0], FOUND[1], DRY_RUN, PRINT],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

/// Annotations that belong to the deployment and not to a revision.
const KEPT: &[&str] = &[
    last_applied::KEY,
    REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
];

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let dry_run = DryRun::from_args(&session, &args).await?;
    let reporter = Reporter::new(&session, &args, dry_run)?.each_alone();
    let rest = session.rest(&args)?;
    let found = infos(&rest, &args, true).await?;
    let mut failures = found.failures;
    for info in found.infos {
        match one(&rest, &args, &info, dry_run).await {
            Ok(what) => reporter.report(&info.named.resource, info.object.value(), &what).await?,
            Err(failure) => failures.push(failure),
        }
    }
    Failure::several(failures)
}

async fn one(rest: &Rest, args: &Args, info: &Info, dry_run: DryRun) -> Outcome<String> {
    let deployment = &info.object;
    if !matches!(deployment.kind(), "Deployment" | "DaemonSet" | "StatefulSet") {
        let kind = deployment.kind();
        return Err(Failure::message(format!("no rollbacker has been implemented for {kind:?}")));
    }
    if last_applied::of(deployment.value()).is_some() {
        rest.session
            .err(format!(
                "Warning: resource {}/{} was previously managed with 'kubectl apply'. Rolling back will not update the {} annotation, which may cause unexpected behavior on future 'kubectl apply' operations. Consider using 'kubectl apply' with your previous configuration file instead.\n",
                info.named.resource.plural,
                info.named.name,
                last_applied::KEY
            ))
            .await;
    }
    if deployment.kind() != "Deployment" {
        return other(rest, args, info, dry_run).await;
    }
    let set = revision(rest, deployment, args.int("to-revision")).await?;
    if dry_run == DryRun::Client {
        return Ok(template_of(&without_cause(&set)));
    }
    if deployment.bool("spec.paused") {
        return Err(Failure::message(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume' and try again",
        ));
    }
    let template = without_hash(set.at("spec.template"));
    if template == without_hash(deployment.at("spec.template")) {
        let number = set.annotation(REVISION).unwrap_or("");
        return Ok(format!("skipped rollback (current template already matches revision {number})"));
    }
    let patch = json!([
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "replace", "path": "/metadata/annotations", "value": annotations(deployment, &set)},
    ]);
    let path = with_query(&info.named.path(), &[("dryRun", dry_run.parameter())]);
    rest.patch(&path, JSON_PATCH, &patch).await.map_err(|f| match f {
        Failure::Status(..) => {
            Failure::message(format!("failed restoring revision {}: {}", args.int("to-revision"), f.bare()))
        }
        other => other,
    })?;
    Ok("rolled back".to_owned())
}

/// Daemon sets and stateful sets: the revision is the patch that brings it back.
async fn other(rest: &Rest, args: &Args, info: &Info, dry_run: DryRun) -> Outcome<String> {
    let wanted = args.int("to-revision");
    let mut all = revisions(rest, &info.object).await?;
    let found = match wanted {
        0 => all.len().checked_sub(2).map(|index| all.swap_remove(index)),
        _ => all.into_iter().find(|(number, _)| *number == wanted),
    };
    let Some((number, revision)) = found else {
        return Err(Failure::message(format!("unable to find specified revision {wanted} in history")));
    };
    if dry_run == DryRun::Client {
        return Ok(template_of(&revision));
    }
    if template_in(&revision) == *info.object.at("spec.template") {
        return Ok(format!("skipped rollback (current template already matches revision {number})"));
    }
    let path = with_query(&info.named.path(), &[("dryRun", dry_run.parameter())]);
    rest.patch(&path, STRATEGIC_PATCH, revision.at("data")).await.map_err(|f| match f {
        Failure::Status(..) => Failure::message(format!("failed restoring revision {wanted}: {}", f.bare())),
        other => other,
    })?;
    Ok("rolled back".to_owned())
}

fn without_cause(set: &Object) -> Object {
    let mut set = set.clone();
    if let Some(map) = set.make_mut()["metadata"]["annotations"].as_object_mut() {
        map.remove(super::history::CHANGE_CAUSE);
    }
    set
}

/// The replica set of a revision; 0 means the one before the newest.
async fn revision(rest: &Rest, deployment: &Object, wanted: i64) -> Outcome<Object> {
    let mut sets = replica_sets(rest, deployment).await?;
    if wanted > 0 {
        let found = sets.into_iter().find(|(revision, _)| *revision == wanted);
        return found
            .map(|(_, set)| set)
            .ok_or_else(|| Failure::message(format!("unable to find specified revision {wanted} in history")));
    }
    sets.pop();
    sets.pop()
        .map(|(_, set)| set)
        .ok_or_else(|| Failure::message(format!("no rollout history found for deployment \"{}\"", deployment.name())))
}

fn without_hash(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
        labels.remove("pod-template-hash");
    }
    template
}

fn annotations(deployment: &Object, set: &Object) -> Value {
    let mut all = Map::new();
    for key in KEPT {
        if let Some(value) = deployment.annotation(key) {
            all.insert((*key).into(), value.into());
        }
    }
    for (key, value) in set.annotations() {
        if !KEPT.contains(&key.as_str()) {
            all.insert(key.into(), value.into());
        }
    }
    Value::Object(all)
}
