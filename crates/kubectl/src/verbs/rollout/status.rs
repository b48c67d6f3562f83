//! `kubectl rollout status`.

use std::rc::Rc;
use std::time::Duration;

use api::Object;
use json::Value;

use super::{FOUND, REVISION, infos};
use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, duration, int, switch_on};
use crate::rest::{JSON, Rest, with_query};
use crate::session::Session;
use crate::targets::Info;

static FLAGS: &[Flag] = &[
    int("revision", "0", "Follow this revision only; 0 follows the newest."),
    duration("timeout", "0s", "How long to wait; 0 waits for ever."),
    switch_on("watch", "Wait until the rollout is finished.").short('w'),
];

/// The command.
pub static STATUS: Command = Command {
    name: "status",
    usage: "(TYPE NAME | TYPE/NAME) [flags]",
    short: "Show the status of the rollout",
    long: "Show how far a rollout is, and wait until it is finished.",
    examples: &[("Follow a deployment", "kubectl rollout status deployment/web")],
    flags: &[FLAGS, FOUND[0], FOUND[1]],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let rest = session.rest(&args)?;
    let found = infos(&rest, &args, true).await?;
    if found.infos.is_empty() && found.failures.is_empty() {
        session.err(format!("No resources found in {} namespace.\n", rest.namespace())).await;
        return Ok(());
    }
    for info in found.all()? {
        one(&rest, &args, &info).await?;
    }
    Ok(())
}

async fn one(rest: &Rest, args: &Args, info: &Info) -> Outcome {
    let revision = args.int("revision");
    if !args.on("watch") {
        let (text, _) = status(&info.object, revision)?;
        return rest.session.out(text).await;
    }
    let time = match args.duration("timeout") {
        0 => crate::waiting::FOREVER_NANOS,
        time => time,
    };
    let time = Duration::from_nanos(u64::try_from(time).unwrap_or(0));
    match rest.session.sim.timeout(time, follow(rest, info, revision)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Failure::message("timed out waiting for the condition")),
    }
}

/// Prints the status at every change until the rollout is finished.
async fn follow(rest: &Rest, info: &Info, revision: i64) -> Outcome {
    let named = &info.named;
    let collection = named.resource.collection(&named.namespace);
    let selector = format!("metadata.name={}", named.name);
    loop {
        let list = rest.get(&with_query(&collection, &[("fieldSelector", &selector)])).await?;
        if let Some(item) = list.get("items").and_then(Value::as_array).and_then(|i| i.first())
            && say(rest, item.clone(), &named.resource.kind, revision).await?
        {
            return Ok(());
        }
        let version = list["metadata"]["resourceVersion"].as_str().unwrap_or("").to_owned();
        let query = [("fieldSelector", selector.as_str()), ("resourceVersion", &version), ("watch", "true")];
        let mut watch = rest.watch(&with_query(&collection, &query), JSON).await?;
        while let Some((kind, object)) = watch.next().await {
            if kind == "DELETED" {
                return Err(Failure::message("object has been deleted"));
            }
            let changed = kind == "ADDED" || kind == "MODIFIED";
            if changed && say(rest, object, &named.resource.kind, revision).await? {
                return Ok(());
            }
        }
        rest.session.sim.sleep(Duration::from_millis(500)).await;
    }
}

async fn say(rest: &Rest, mut item: Value, kind: &str, revision: i64) -> Outcome<bool> {
    item["kind"] = kind.into();
    let (text, done) = status(&Object::new(item), revision)?;
    rest.session.out(text).await?;
    Ok(done)
}

/// What there is to say, and whether the rollout is finished.
pub fn status(object: &Object, revision: i64) -> Outcome<(String, bool)> {
    match object.kind() {
        "Deployment" => deployment(object, revision),
        "DaemonSet" => daemon_set(object),
        "StatefulSet" => stateful_set(object),
        kind => Err(Failure::message(format!("no status viewer has been implemented for {kind}"))),
    }
}

fn deployment(object: &Object, revision: i64) -> Outcome<(String, bool)> {
    let name = object.name();
    let int = |path: &str| object.int(path).unwrap_or(0);
    if revision > 0 {
        let current = object.annotation(REVISION).and_then(|r| r.parse().ok()).unwrap_or(0);
        if current != revision {
            return Err(Failure::message(format!(
                "desired revision ({revision}) is different from the running revision ({current})"
            )));
        }
    }
    if object.generation() > int("status.observedGeneration") {
        return Ok(("Waiting for deployment spec update to be observed...\n".to_owned(), false));
    }
    let timed_out = |c: &&Value| c["type"] == "Progressing" && c["reason"] == "ProgressDeadlineExceeded";
    if object.list("status.conditions").iter().any(|c| timed_out(&c)) {
        return Err(Failure::message(format!("deployment \"{name}\" exceeded its progress deadline")));
    }
    let (wanted, updated) = (object.int("spec.replicas").unwrap_or(1), int("status.updatedReplicas"));
    let (total, available) = (int("status.replicas"), int("status.availableReplicas"));
    let waiting =
        |what: String| Ok((format!("Waiting for deployment \"{name}\" rollout to finish: {what}...\n"), false));
    if updated < wanted {
        return waiting(format!("{updated} out of {wanted} new replicas have been updated"));
    }
    if total > updated {
        return waiting(format!("{} old replicas are pending termination", total - updated));
    }
    if available < updated {
        return waiting(format!("{available} of {updated} updated replicas are available"));
    }
    Ok((format!("deployment \"{name}\" successfully rolled out\n"), true))
}

fn daemon_set(object: &Object) -> Outcome<(String, bool)> {
    let name = object.name();
    let int = |path: &str| object.int(path).unwrap_or(0);
    if object.str("spec.updateStrategy.type") != "RollingUpdate" {
        return Err(Failure::message("rollout status is only available for RollingUpdate strategy type"));
    }
    if object.generation() > int("status.observedGeneration") {
        return Ok(("Waiting for daemon set spec update to be observed...\n".to_owned(), false));
    }
    let (wanted, updated) = (int("status.desiredNumberScheduled"), int("status.updatedNumberScheduled"));
    let available = int("status.numberAvailable");
    if updated < wanted {
        return Ok((
            format!(
                "Waiting for daemon set \"{name}\" rollout to finish: {updated} out of {wanted} new pods have been updated...\n"
            ),
            false,
        ));
    }
    if available < wanted {
        return Ok((
            format!(
                "Waiting for daemon set \"{name}\" rollout to finish: {available} of {wanted} updated pods are available...\n"
            ),
            false,
        ));
    }
    Ok((format!("daemon set \"{name}\" successfully rolled out\n"), true))
}

fn stateful_set(object: &Object) -> Outcome<(String, bool)> {
    let int = |path: &str| object.int(path).unwrap_or(0);
    if object.str("spec.updateStrategy.type") != "RollingUpdate" {
        return Err(Failure::message("rollout status is only available for RollingUpdate strategy type"));
    }
    let observed = int("status.observedGeneration");
    if observed == 0 || object.generation() > observed {
        return Ok(("Waiting for statefulset spec update to be observed...\n".to_owned(), false));
    }
    let wanted = object.int("spec.replicas").unwrap_or(1);
    if int("status.readyReplicas") < wanted {
        return Ok((format!("Waiting for {} pods to be ready...\n", wanted - int("status.readyReplicas")), false));
    }
    let updated = int("status.updatedReplicas");
    // The server fills the partition in, so this is what everybody sees.
    if let Some(partition) = object.int("spec.updateStrategy.rollingUpdate.partition") {
        if updated < wanted - partition {
            return Ok((
                format!(
                    "Waiting for partitioned roll out to finish: {updated} out of {} new pods have been updated...\n",
                    wanted - partition
                ),
                false,
            ));
        }
        return Ok((format!("partitioned roll out complete: {updated} new pods have been updated...\n"), true));
    }
    let update = object.str("status.updateRevision");
    if update != object.str("status.currentRevision") {
        return Ok((
            format!("waiting for statefulset rolling update to complete {updated} pods at revision {update}...\n"),
            false,
        ));
    }
    Ok((
        format!(
            "statefulset rolling update complete {} pods at revision {}...\n",
            int("status.currentReplicas"),
            object.str("status.currentRevision")
        ),
        true,
    ))
}
