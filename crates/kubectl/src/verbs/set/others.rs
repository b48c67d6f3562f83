//! `kubectl set resources`, `set selector` and `set serviceaccount`.

use std::rc::Rc;

use json::{Map, Value};

use super::{COMMON, objects, send};
use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, text};
use crate::podspec;
use crate::printers::output::{DryRun, Reporter};
use crate::rest::Rest;
use crate::session::Session;
use crate::targets::Info;
use crate::verbs::expose::parse_labels;

static RESOURCE_FLAGS: &[Flag] = &[
    text("containers", "*", "Which containers.").short('c'),
    text("limits", "", "The most that a container may use, e.g. 'cpu=100m,memory=256Mi'."),
    text("requests", "", "What a container is promised, e.g. 'cpu=100m,memory=256Mi'."),
];

/// `kubectl set resources`.
pub static RESOURCES: Command = Command {
    name: "resources",
    usage: "(-f FILENAME | TYPE NAME) ([--limits=LIMITS & --requests=REQUESTS]",
    short: "Update resource requests/limits on objects with pod templates",
    long: "Change what containers are promised (requests) and what they may use at most (limits).",
    examples: &[("A limit for every container", "kubectl set resources deployment web --limits=cpu=200m,memory=512Mi")],
    flags: &[RESOURCE_FLAGS, COMMON[0], COMMON[1], COMMON[2], COMMON[3], COMMON[4]],
    action: Action::Run(|session, args| Box::pin(resources(session, args))),
    ..COMMAND
};

/// `kubectl set selector`.
pub static SELECTOR_COMMAND: Command = Command {
    name: "selector",
    usage: "(-f FILENAME | TYPE NAME) EXPRESSIONS [--resource-version=version]",
    short: "Set the selector on a resource",
    long: "Replace the selector of a service.",
    examples: &[("Send a service to other pods", "kubectl set selector service web app=web,version=v2")],
    flags: &COMMON,
    action: Action::Run(|session, args| Box::pin(selector(session, args))),
    ..COMMAND
};

/// `kubectl set serviceaccount`.
pub static SERVICE_ACCOUNT: Command = Command {
    name: "serviceaccount",
    aliases: &["sa"],
    usage: "(-f FILENAME | TYPE NAME) SERVICE_ACCOUNT",
    short: "Update the service account of a resource",
    long: "Change the service account of a pod template.",
    examples: &[("Another account", "kubectl set serviceaccount deployment web robot")],
    flags: &COMMON,
    action: Action::Run(|session, args| Box::pin(service_account(session, args))),
    ..COMMAND
};

struct Start {
    rest: Rest,
    reporter: Reporter,
    dry_run: DryRun,
    infos: Vec<Info>,
}

async fn start(session: &Rc<Session>, args: &Args, words: &[String]) -> Outcome<Start> {
    let dry_run = DryRun::from_args(session, args).await?;
    let reporter = Reporter::new(session, args, dry_run)?;
    let rest = session.rest(args)?;
    let infos = objects(session, &rest, args, words).await?;
    Ok(Start { rest, reporter, dry_run, infos })
}

fn quantities(text: &str) -> Outcome<Map> {
    let mut map = Map::new();
    for part in text.split(',').filter(|p| !p.is_empty()) {
        let Some((name, value)) = part.split_once('=') else {
            return Err(Failure::message(format!("invalid argument syntax {part}, expected <resource>=<value>")));
        };
        value.parse::<api::quantity::Quantity>().map_err(|why| Failure::message(why.to_string()))?;
        map.insert(name.into(), value.into());
    }
    Ok(map)
}

async fn resources(session: Rc<Session>, args: Args) -> Outcome {
    let start = start(&session, &args, &args.words).await?;
    let (limits, requests) = (quantities(args.text("limits"))?, quantities(args.text("requests"))?);
    if limits.is_empty() && requests.is_empty() {
        return Err(Failure::message(
            "you must specify an update to requests or limits (in the form of --requests/--limits)",
        ));
    }
    for info in &start.infos {
        let mut changed = info.object.value().clone();
        if let Some(spec) = podspec::of_mut(&mut changed) {
            podspec::each_container(spec, |container| {
                let wanted = args.text("containers");
                if wanted != "*" && wanted != podspec::name(container) {
                    return;
                }
                for (field, map) in [("limits", &limits), ("requests", &requests)] {
                    for (name, value) in map {
                        container["resources"][field][name] = value.clone();
                    }
                }
            });
        }
        let words = ("resource requirements updated", "failed to patch resources update to pod template ");
        send(&start.rest, &args, info, changed, (&start.reporter, start.dry_run), words).await?;
    }
    Ok(())
}

async fn selector(session: Rc<Session>, args: Args) -> Outcome {
    let Some((expression, words)) = args.words.split_last() else {
        return Err(Failure::message(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    };
    let labels = parse_labels(expression)?;
    let start = start(&session, &args, words).await?;
    for info in &start.infos {
        if info.object.kind() != "Service" {
            return Err(Failure::message("setting a selector is only supported for Services"));
        }
        let mut changed = info.object.value().clone();
        changed["spec"]["selector"] = Value::Object(labels.clone());
        let words = ("selector updated", "");
        send(&start.rest, &args, info, changed, (&start.reporter, start.dry_run), words).await?;
    }
    Ok(())
}

async fn service_account(session: Rc<Session>, args: Args) -> Outcome {
    let Some((account, words)) = args.words.split_last() else {
        return Err(Failure::message("serviceaccount is required"));
    };
    let start = start(&session, &args, words).await?;
    for info in &start.infos {
        let mut changed = info.object.value().clone();
        if let Some(spec) = podspec::of_mut(&mut changed) {
            spec["serviceAccountName"] = account.as_str().into();
            spec["serviceAccount"] = account.as_str().into();
        }
        let words = ("serviceaccount updated", "failed to patch ServiceAccountName ");
        send(&start.rest, &args, info, changed, (&start.reporter, start.dry_run), words).await?;
    }
    Ok(())
}
