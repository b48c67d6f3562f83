//! `kubectl taint` (`kubectl/pkg/cmd/taint`).

use std::rc::Rc;

use json::{Value, json};

use crate::failure::{Failure, Outcome};
use crate::flags::common::{DRY_RUN, PRINT, SELECTOR, VALIDATE, field_manager};
use crate::flags::{Action, Args, COMMAND, Command, Flag, switch};
use crate::printers::output::{DryRun, Reporter};
use crate::rest::{MERGE_PATCH, Rest, with_query};
use crate::session::Session;
use crate::targets::{self, Info, Query};

static FLAGS: &[Flag] =
    &[switch("all", "All nodes."), field_manager("kubectl-taint"), switch("overwrite", "Allow taints to be changed.")];

/// The command.
pub static TAINT: Command = Command {
    name: "taint",
    usage: "NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N",
    short: "Update the taints on one or more nodes",
    long: "Set or remove taints: only pods that tolerate a node's taints are placed there. KEY=VALUE:EFFECT sets one, KEY:EFFECT- or KEY- removes.

 The effects are NoSchedule, PreferNoSchedule and NoExecute.",
    examples: &[
        ("Keep pods away", "kubectl taint nodes minikube-m02 dedicated=gpu:NoSchedule"),
        ("Remove the taint", "kubectl taint nodes minikube-m02 dedicated:NoSchedule-"),
    ],
    flags: &[FLAGS, DRY_RUN, PRINT, SELECTOR, VALIDATE],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

/// A taint to set or to remove; without effect all effects are removed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Taint {
    key: String,
    value: String,
    effect: String,
}

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let dry_run = DryRun::from_args(&session, &args).await?;
    let reporter = Reporter::new(&session, &args, dry_run)?.each_alone();
    let is_taint = |w: &String| w.contains('=') || w.ends_with('-') || w.contains(':');
    let at = args.words.iter().position(is_taint).unwrap_or(args.words.len());
    let (words, specs) = args.words.split_at(at);
    let (set, remove) = parse(&args, specs)?;
    if words.is_empty() {
        return Err(Failure::message("one or more resources must be specified as <resource> <name>"));
    }
    if set.is_empty() && remove.is_empty() {
        return Err(Failure::message("at least one taint update is required"));
    }
    let rest = session.rest(&args)?;
    let query = Query::from_args(&rest, &args, words).await?;
    let found = targets::fetch(&rest, &query).await?;
    let mut failures = found.failures;
    for info in found.infos {
        match one(&rest, &args, &info, (&set, &remove), dry_run).await {
            Ok((object, what)) => reporter.report(&info.named.resource, &object, what).await?,
            Err(failure) => failures.push(failure),
        }
    }
    Failure::several(failures)
}

fn parse(args: &Args, specs: &[String]) -> Outcome<(Vec<Taint>, Vec<Taint>)> {
    let (mut set, mut remove) = (Vec::new(), Vec::new());
    for spec in specs {
        let (body, removing) = spec.strip_suffix('-').map_or((spec.as_str(), false), |b| (b, true));
        let (pair, effect) = body.split_once(':').unwrap_or((body, ""));
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let known = matches!(effect, "NoSchedule" | "PreferNoSchedule" | "NoExecute");
        if !(known || removing && effect.is_empty()) {
            if effect.is_empty() {
                return Err(args.usage(format!("invalid taint spec: {spec}")));
            }
            return Err(args.usage(format!("invalid taint effect: {effect}, unsupported taint effect")));
        }
        let taint = Taint { key: key.to_owned(), value: value.to_owned(), effect: effect.to_owned() };
        if removing { remove.push(taint) } else { set.push(taint) }
    }
    Ok((set, remove))
}

async fn one(
    rest: &Rest,
    args: &Args,
    info: &Info,
    (set, remove): (&[Taint], &[Taint]),
    dry_run: DryRun,
) -> Outcome<(Value, &'static str)> {
    let node = &info.named.name;
    let mut taints: Vec<Value> = info.object.list("spec.taints").to_vec();
    let same =
        |t: &Value, x: &Taint| t["key"] == x.key.as_str() && (x.effect.is_empty() || t["effect"] == x.effect.as_str());
    let clashing: Vec<&str> =
        set.iter().filter(|x| taints.iter().any(|t| same(t, x))).map(|x| x.key.as_str()).collect();
    if !clashing.is_empty() && !args.on("overwrite") {
        return Err(Failure::message(format!(
            "node {node} already has {} taint(s) with same effect(s) and --overwrite is false",
            clashing.join(", ")
        )));
    }
    for taint in remove {
        let before = taints.len();
        taints.retain(|t| !same(t, taint));
        if taints.len() == before {
            let shown =
                if taint.effect.is_empty() { taint.key.clone() } else { format!("{}:{}", taint.key, taint.effect) };
            return Err(Failure::message(format!("taint \"{shown}\" not found")));
        }
    }
    for taint in set {
        taints.retain(|t| !same(t, taint));
        let mut new = json!({"key": taint.key, "effect": taint.effect});
        if !taint.value.is_empty() {
            new["value"] = taint.value.as_str().into();
        }
        taints.push(new);
    }
    let what = match (set.is_empty(), remove.is_empty()) {
        (false, true) if clashing.is_empty() => "tainted",
        (true, false) => "untainted",
        _ => "modified",
    };
    if dry_run == DryRun::Client {
        return Ok((info.object.value().clone(), what));
    }
    let value = if taints.is_empty() { Value::Null } else { Value::Array(taints.into()) };
    let path = with_query(
        &info.named.path(),
        &[("dryRun", dry_run.parameter()), ("fieldManager", args.text("field-manager"))],
    );
    Ok((rest.patch(&path, MERGE_PATCH, &json!({"spec": {"taints": value}})).await?, what))
}
