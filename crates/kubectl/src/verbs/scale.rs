//! `kubectl scale` (`kubectl/pkg/cmd/scale`).

use std::rc::Rc;

use json::json;

use crate::failure::{Failure, Outcome};
use crate::flags::common::{DRY_RUN, FILES, PRINT, SELECTOR};
use crate::flags::{Action, Args, COMMAND, Command, Flag, duration, int, switch, text};
use crate::printers::output::{DryRun, Reporter};
use crate::rest::{MERGE_PATCH, Rest, with_query};
use crate::session::Session;
use crate::targets::{self, Info, Named, Query};
use crate::waiting::{self, Verdict};

static FLAGS: &[Flag] = &[
    switch("all", "All objects of the given types in the namespace."),
    int("current-replicas", "-1", "Only scale when the present number is this one."),
    int("replicas", "0", "The number of pods to run. Required."),
    text("resource-version", "", "Only scale when the object is at this version."),
    duration("timeout", "0s", "How long to wait for the pods; 0 does not wait."),
];

/// The command.
pub static SCALE: Command = Command {
    name: "scale",
    usage: "[--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME)",
    short: "Set a new size for a deployment, replica set, or replication controller",
    long: "Set how many pods a deployment, replica set or stateful set runs.",
    examples: &[
        ("Four pods", "kubectl scale deployments/web --replicas=4"),
        ("Only if there are two now", "kubectl scale deployments/web --current-replicas=2 --replicas=3"),
        ("Several at once", "kubectl scale deployment/web deployment/db --replicas=2"),
    ],
    flags: &[FLAGS, DRY_RUN, FILES, PRINT, SELECTOR],
    required: &["replicas"],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let dry_run = DryRun::from_args(&session, &args).await?;
    let reporter = Reporter::new(&session, &args, dry_run)?;
    if args.int("replicas") < 0 {
        return Err(Failure::message(
            "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0",
        ));
    }
    if args.int("current-replicas") < -1 {
        return Err(Failure::message("The --current-replicas must specify an integer of -1 or greater"));
    }
    let rest = session.rest(&args)?;
    let query = Query::from_args(&rest, &args, &args.words).await?;
    let found = targets::fetch(&rest, &query).await?;
    let mut failures = found.failures;
    let any = !found.infos.is_empty();
    for info in found.infos {
        match scale(&rest, &args, &info, dry_run).await {
            Ok(()) => reporter.report(&info.named.resource, info.object.value(), "scaled").await?,
            Err(failure) => failures.push(failure),
        }
    }
    if !any && failures.is_empty() {
        return Err(Failure::message("no objects passed to scale"));
    }
    Failure::several(failures)
}

async fn scale(rest: &Rest, args: &Args, info: &Info, dry_run: DryRun) -> Outcome {
    let named = &info.named;
    if !named.resource.subresources.iter().any(|s| s == "scale") {
        // As the server says it of a path that it does not serve.
        let message = "the server could not find the requested resource";
        return Err(Failure::Status(Box::new(json!({"reason": "NotFound", "message": message})), String::new()));
    }
    let expected = args.int("current-replicas");
    let path = format!("{}/scale", named.path());
    if expected >= 0 || args.changed("resource-version") {
        let current = rest.get(&path).await?;
        let replicas = current["spec"]["replicas"].as_i64().unwrap_or(0);
        if expected >= 0 && replicas != expected {
            return Err(Failure::message(format!("Expected replicas to be {expected}, was {replicas}")));
        }
        let version = current["metadata"]["resourceVersion"].as_str().unwrap_or("");
        if args.changed("resource-version") && version != args.text("resource-version") {
            return Err(Failure::message(format!(
                "Expected resource version to be {}, was {version}",
                args.text("resource-version")
            )));
        }
    }
    if dry_run == DryRun::Client {
        return Ok(());
    }
    let path = with_query(&path, &[("dryRun", dry_run.parameter())]);
    let patch = json!({"spec": {"replicas": args.int("replicas")}});
    rest.patch(&path, MERGE_PATCH, &patch).await?;
    match args.duration("timeout") {
        0 => Ok(()),
        time if dry_run == DryRun::None => arrived(rest, named, args.int("replicas"), time).await,
        _ => Ok(()),
    }
}

/// Waits until as many pods are there as were asked for.
async fn arrived(rest: &Rest, named: &Named, replicas: i64, time: i64) -> Outcome {
    let waited = waiting::until(rest, named, time, |object| {
        let Some(object) = object else { return Ok(Verdict::Met) };
        let number = |pointer: &str| object.pointer(pointer).and_then(json::Value::as_i64);
        let observed = number("/status/observedGeneration") >= number("/metadata/generation");
        let there = number("/status/replicas").unwrap_or(0) == replicas;
        Ok(if observed && there { Verdict::Met } else { Verdict::NotYet })
    });
    waited.await.map_err(|failure| match failure {
        Failure::Message(text) if text.starts_with("timed out") => {
            Failure::message(format!("timed out waiting for \"{}\" to be synced", named.name))
        }
        other => other,
    })
}
