//! `kubectl rollout pause`, `resume` and `restart`.

use std::rc::Rc;

use json::{Value, json};

use super::{FOUND, infos, quoted};
use crate::failure::{Failure, Outcome};
use crate::flags::common::{PRINT, field_manager};
use crate::flags::{Action, Args, COMMAND, Command, Flag};
use crate::printers::output::{DryRun, Reporter};
use crate::rest::{MERGE_PATCH, with_query};
use crate::session::Session;
use crate::targets::Info;

static MANAGER: &[Flag] = &[field_manager("kubectl-rollout")];

/// `kubectl rollout pause`.
pub static PAUSE: Command = Command {
    name: "pause",
    usage: "RESOURCE",
    short: "Mark the provided resource as paused",
    long: "Pause a deployment: changes to its template have no effect until it is resumed.",
    examples: &[("Pause", "kubectl rollout pause deployment/web")],
    flags: &[MANAGER, FOUND[0], FOUND[1], PRINT],
    action: Action::Run(|session, args| Box::pin(run(session, args, Change::Pause))),
    ..COMMAND
};

/// `kubectl rollout resume`.
pub static RESUME: Command = Command {
    name: "resume",
    usage: "RESOURCE",
    short: "Resume a paused resource",
    long: "Resume a paused deployment: what was changed meanwhile is rolled out.",
    examples: &[("Resume", "kubectl rollout resume deployment/web")],
    flags: &[MANAGER, FOUND[0], FOUND[1], PRINT],
    action: Action::Run(|session, args| Box::pin(run(session, args, Change::Resume))),
    ..COMMAND
};

/// `kubectl rollout restart`.
pub static RESTART: Command = Command {
    name: "restart",
    usage: "RESOURCE",
    short: "Restart a resource",
    long: "Replace all pods of a workload, step by step, without another change.",
    examples: &[
        ("One deployment", "kubectl rollout restart deployment/web"),
        ("All deployments with a label", "kubectl rollout restart deployment --selector=app=web"),
    ],
    flags: &[MANAGER, FOUND[0], FOUND[1], PRINT],
    action: Action::Run(|session, args| Box::pin(run(session, args, Change::Restart))),
    ..COMMAND
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Pause,
    Resume,
    Restart,
}

async fn run(session: Rc<Session>, args: Args, change: Change) -> Outcome {
    let reporter = Reporter::new(&session, &args, DryRun::None)?.each_alone();
    let rest = session.rest(&args)?;
    let found = infos(&rest, &args, true).await?;
    let mut failures = found.failures;
    if found.infos.is_empty() && failures.is_empty() {
        session.err(format!("No resources found in {} namespace.\n", rest.namespace())).await;
        return Ok(());
    }
    for info in found.infos {
        let patch = match patch(&info, change, session.now().rfc3339()) {
            Ok(patch) => patch,
            Err(failure) => {
                failures.push(failure);
                continue;
            }
        };
        let path = with_query(&info.named.path(), &[("fieldManager", args.text("field-manager"))]);
        match rest.patch(&path, MERGE_PATCH, &patch).await {
            Ok(object) => {
                let what = match change {
                    Change::Pause => "paused",
                    Change::Resume => "resumed",
                    Change::Restart => "restarted",
                };
                reporter.report(&info.named.resource, &object, what).await?;
            }
            Err(failure) => failures.push(Failure::message(format!("failed to patch: {}", failure.bare()))),
        }
    }
    Failure::several(failures)
}

fn patch(info: &Info, change: Change, now: String) -> Outcome<Value> {
    let what = quoted(info);
    let paused = info.object.bool("spec.paused");
    let kind = info.object.kind();
    match change {
        Change::Restart if kind == "Deployment" && paused => {
            Err(Failure::message(format!("{what} can't restart paused deployment (run rollout resume first)")))
        }
        Change::Restart if matches!(kind, "Deployment" | "DaemonSet" | "StatefulSet") => Ok(json!({
            "spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": now}}}}
        })),
        Change::Restart => Err(Failure::message(format!("{what} restarting is not supported"))),
        Change::Pause if kind != "Deployment" => Err(Failure::message(format!("{what} pausing is not supported"))),
        Change::Resume if kind != "Deployment" => Err(Failure::message(format!("{what} resuming is not supported"))),
        Change::Pause if paused => Err(Failure::message(format!("{what} is already paused"))),
        Change::Resume if !paused => Err(Failure::message(format!("{what} is not paused"))),
        Change::Pause => Ok(json!({"spec": {"paused": true}})),
        Change::Resume => Ok(json!({"spec": {"paused": null}})),
    }
}
