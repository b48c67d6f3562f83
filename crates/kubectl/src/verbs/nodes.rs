//! `kubectl cordon`, `uncordon` and `drain` (`kubectl/pkg/drain`).

use std::rc::Rc;
use std::time::Duration;

use api::Object;
use json::{Value, json};

use crate::failure::{Failure, Outcome};
use crate::flags::common::{CHUNK_SIZE, DRY_RUN, SELECTOR};
use crate::flags::{Action, Args, COMMAND, Command, Flag, duration, int, switch, text};
use crate::printers::output::DryRun;
use crate::rest::{MERGE_PATCH, Rest, with_query};
use crate::session::Session;
use crate::targets::{self, Info, Named, Query};
use crate::waiting;

/// `kubectl cordon`.
pub static CORDON: Command = Command {
    name: "cordon",
    usage: "NODE",
    short: "Mark node as unschedulable",
    long: "Keep new pods away from a node. Pods that run there go on.",
    examples: &[("Close a node", "kubectl cordon minikube-m02")],
    flags: &[DRY_RUN, SELECTOR],
    action: Action::Run(|session, args| Box::pin(mark(session, args, true))),
    ..COMMAND
};

/// `kubectl uncordon`.
pub static UNCORDON: Command = Command {
    name: "uncordon",
    usage: "NODE",
    short: "Mark node as schedulable",
    long: "Let new pods onto a node again.",
    examples: &[("Open a node", "kubectl uncordon minikube-m02")],
    flags: &[DRY_RUN, SELECTOR],
    action: Action::Run(|session, args| Box::pin(mark(session, args, false))),
    ..COMMAND
};

static FLAGS: &[Flag] = &[
    switch("delete-emptydir-data", "Also remove pods that use emptyDir; their data is lost."),
    switch("disable-eviction", "Delete pods instead of evicting them."),
    switch("force", "Also remove pods that no controller will replace."),
    int("grace-period", "-1", "Seconds that pods are given to end; negative leaves it to the pods."),
    switch("ignore-daemonsets", "Leave pods of daemon sets where they are."),
    text("pod-selector", "", "Only pods with these labels."),
    int("skip-wait-for-delete-timeout", "0", "Do not wait for pods that have been ending for longer than this."),
    duration("timeout", "0s", "How long to wait; 0 waits for ever."),
];

/// `kubectl drain`.
pub static DRAIN: Command = Command {
    name: "drain",
    usage: "NODE",
    short: "Drain node in preparation for maintenance",
    long: "Close a node and move its pods away.",
    examples: &[
        ("Drain a node", "kubectl drain minikube-m02 --ignore-daemonsets"),
        ("Also remove pods that nobody replaces", "kubectl drain minikube-m02 --ignore-daemonsets --force"),
    ],
    flags: &[FLAGS, CHUNK_SIZE, DRY_RUN, SELECTOR],
    action: Action::Run(|session, args| Box::pin(drain(session, args))),
    ..COMMAND
};

async fn nodes(rest: &Rest, args: &Args) -> Outcome<targets::Found> {
    let verb = args.path.rsplit(' ').next().unwrap_or("");
    if args.words.is_empty() && !args.changed("selector") {
        return Err(args.usage(format!("USAGE: {verb} NODE [flags]")));
    }
    if !args.words.is_empty() && args.changed("selector") {
        return Err(args.usage("cannot specify both a node name and a --selector option"));
    }
    let mut words = vec!["nodes".to_owned()];
    words.extend(args.words.iter().map(|w| w.strip_prefix("node/").unwrap_or(w).to_owned()));
    let query = Query::from_args(rest, args, &words).await?;
    targets::fetch(rest, &query).await
}

async fn mark(session: Rc<Session>, args: Args, closed: bool) -> Outcome {
    let dry_run = DryRun::from_args(&session, &args).await?;
    let rest = session.rest(&args)?;
    let found = nodes(&rest, &args).await?;
    for info in &found.infos {
        set_closed(&rest, info, closed, dry_run).await?;
    }
    Failure::several(found.failures)
}

async fn set_closed(rest: &Rest, info: &Info, closed: bool, dry_run: DryRun) -> Outcome {
    let what = if closed { "cordoned" } else { "uncordoned" };
    let suffix = dry_run.suffix();
    if info.object.bool("spec.unschedulable") == closed {
        return rest.session.out(format!("node/{} already {what}{suffix}\n", info.named.name)).await;
    }
    if dry_run != DryRun::Client {
        let value = if closed { Value::Bool(true) } else { Value::Null };
        let path = with_query(&info.named.path(), &[("dryRun", dry_run.parameter())]);
        rest.patch(&path, MERGE_PATCH, &json!({"spec": {"unschedulable": value}})).await?;
    }
    rest.session.out(format!("node/{} {what}{suffix}\n", info.named.name)).await
}

/// Pods of a node, sorted out.
#[derive(Default)]
struct Pods {
    remove: Vec<Object>,
    warnings: Vec<String>,
    errors: Vec<String>,
}

async fn drain(session: Rc<Session>, args: Args) -> Outcome {
    let dry_run = DryRun::from_args(&session, &args).await?;
    let rest = session.rest(&args)?;
    let found = nodes(&rest, &args).await?.all()?;
    for info in &found {
        set_closed(&rest, info, true, dry_run).await?;
    }
    let (mut pending, mut failures) = (Vec::new(), Vec::new());
    for info in &found {
        match drain_one(&rest, &args, &info.named.name, dry_run).await {
            Ok(errors) if errors.is_empty() => {
                session.out(format!("node/{} drained{}\n", info.named.name, dry_run.suffix())).await?;
            }
            Ok(errors) => {
                let name = &info.named.name;
                let all = summary(&errors);
                let text =
                    format!("error: unable to drain node \"{name}\" due to error: {all}, continuing command...\n");
                session.err(text).await;
                pending.push(name.clone());
                failures.extend(errors);
            }
            Err(failure @ (Failure::Exit(_) | Failure::Transport(..))) => return Err(failure),
            Err(failure) => {
                let name = &info.named.name;
                session
                    .err(format!(
                        "error: unable to drain node \"{name}\" due to error: {}, continuing command...\n",
                        failure.bare()
                    ))
                    .await;
                pending.push(name.clone());
                failures.push(failure.bare());
            }
        }
    }
    if pending.is_empty() {
        return Ok(());
    }
    let names: String = pending.iter().map(|n| format!(" {n}\n")).collect();
    session.err(format!("There are pending nodes to be drained:\n{names}")).await;
    Err(Failure::Plain(failures.join("\n")))
}

/// Several errors as one.
fn summary(errors: &[String]) -> String {
    match errors {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

/// Empties a node; gives what went wrong with single pods.
async fn drain_one(rest: &Rest, args: &Args, node: &str, dry_run: DryRun) -> Outcome<Vec<String>> {
    let fields = format!("spec.nodeName={node}");
    let query = [("fieldSelector", fields.as_str()), ("labelSelector", args.text("pod-selector"))];
    let answer = rest.get(&with_query("/api/v1/pods", &query)).await?;
    let mut pods = Pods::default();
    let mut groups: [Vec<String>; 3] = Default::default();
    for pod in answer.get("items").and_then(Value::as_array).into_iter().flatten() {
        sort_out(Object::new(pod.clone()), &mut pods, &mut groups);
    }
    explain_groups(args, &groups, &mut pods);
    if !pods.errors.is_empty() {
        return Err(Failure::message(pods.errors.join("; ")));
    }
    if !pods.warnings.is_empty() {
        rest.session.err(format!("Warning: {}\n", pods.warnings.join("; "))).await;
    }
    for pod in &pods.remove {
        let suffix = dry_run.suffix();
        rest.session.out(format!("evicting pod {}/{}{suffix}\n", pod.namespace(), pod.name())).await?;
    }
    if dry_run == DryRun::Client {
        return Ok(Vec::new());
    }
    let all = pods.remove.iter().map(|pod| evict(rest, args, pod, dry_run));
    let (mut errors, mut left) = (Vec::new(), Vec::new());
    for (pod, outcome) in pods.remove.iter().zip(futures_util::future::join_all(all).await) {
        match outcome {
            Ok(()) => {}
            Err(failure @ (Failure::Exit(_) | Failure::Transport(..))) => return Err(failure),
            Err(failure) => {
                errors.push(failure.bare());
                left.push(format!("pod/{}\n", pod.name()));
            }
        }
    }
    if !errors.is_empty() {
        let what = summary(&errors);
        let head = format!("There are pending pods in node \"{node}\" when an error occurred: {what}\n");
        rest.session.err(head + &left.concat()).await;
    }
    Ok(errors)
}

/// Indices of the groups of pods that need a flag.
const DAEMONS: usize = 0;
const BARE: usize = 1;
const LOCAL: usize = 2;

fn sort_out(pod: Object, pods: &mut Pods, groups: &mut [Vec<String>; 3]) {
    if pod.annotation("kubernetes.io/config.mirror").is_some() {
        return;
    }
    let name = format!("{}/{}", pod.namespace(), pod.name());
    let ended = matches!(pod.str("status.phase"), "Succeeded" | "Failed");
    match pod.controller_ref() {
        Some(owner) if owner.kind == "DaemonSet" => {
            groups[DAEMONS].push(name);
            return;
        }
        None if !ended => groups[BARE].push(name.clone()),
        _ => {}
    }
    if !ended && pod.list("spec.volumes").iter().any(|v| v.get("emptyDir").is_some()) {
        groups[LOCAL].push(name);
    }
    pods.remove.push(pod);
}

fn explain_groups(args: &Args, groups: &[Vec<String>; 3], pods: &mut Pods) {
    let rows = [
        (
            LOCAL,
            "delete-emptydir-data",
            "deleting Pods with local storage",
            "cannot delete Pods with local storage (use --delete-emptydir-data to override)",
        ),
        (
            BARE,
            "force",
            "deleting Pods that declare no controller",
            "cannot delete Pods that declare no controller (use --force to override)",
        ),
        (
            DAEMONS,
            "ignore-daemonsets",
            "ignoring DaemonSet-managed Pods",
            "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)",
        ),
    ];
    for (group, flag, allowed, refused) in rows {
        if groups[group].is_empty() {
            continue;
        }
        let names = groups[group].join(", ");
        if args.on(flag) {
            pods.warnings.push(format!("{allowed}: {names}"));
        } else {
            pods.errors.push(format!("{refused}: {names}"));
        }
    }
}

/// Pause before an eviction that the server refused for now is tried again.
const EVICTION_RETRY: Duration = Duration::from_secs(5);

async fn evict(rest: &Rest, args: &Args, pod: &Object, dry_run: DryRun) -> Outcome {
    let resource = super::create::resource("", "v1", "Pod", "pods", true);
    let named = Named {
        resource: Rc::new(resource),
        namespace: pod.namespace().to_owned(),
        name: pod.name().to_owned(),
        manifest: None,
    };
    let mut body = json!({"apiVersion": "policy/v1", "kind": "Eviction",
        "metadata": {"name": named.name, "namespace": named.namespace}});
    if args.int("grace-period") >= 0 {
        body["deleteOptions"] = json!({"gracePeriodSeconds": args.int("grace-period")});
    }
    let path = with_query(&format!("{}/eviction", named.path()), &[("dryRun", dry_run.parameter())]);
    let limit = Duration::from_nanos(u64::try_from(args.duration("timeout")).unwrap_or(0));
    let start = rest.session.now();
    loop {
        if !limit.is_zero() && rest.session.now().saturating_since(start) >= limit {
            let limit = api::duration::format_go(args.duration("timeout"));
            return Err(Failure::message(format!(
                "error when evicting pods/\"{}\" -n \"{}\": global timeout reached: {limit}",
                named.name, named.namespace
            )));
        }
        match rest.post(&path, &body).await {
            Ok(_) => break,
            Err(failure) if failure.is_not_found() => break,
            Err(failure) if failure.reason() == "TooManyRequests" => {
                rest.session
                    .err(format!(
                        "error when evicting pods/\"{}\" -n \"{}\" (will retry after 5s): {}\n",
                        named.name,
                        named.namespace,
                        failure.bare()
                    ))
                    .await;
                rest.session.sim.sleep(EVICTION_RETRY).await;
                rest.session.out(format!("evicting pod {}/{}\n", named.namespace, named.name)).await?;
            }
            Err(failure) => {
                let (name, namespace) = (&named.name, &named.namespace);
                return Err(Failure::message(format!(
                    "error when evicting pods/\"{name}\" -n \"{namespace}\": {}",
                    failure.bare()
                )));
            }
        }
    }
    if dry_run == DryRun::None {
        let time = match args.duration("timeout") {
            0 => waiting::FOREVER_NANOS,
            time => time,
        };
        waiting::deleted(rest, &named, pod.uid(), time).await?;
    }
    rest.session.out(format!("pod/{} evicted{}\n", named.name, dry_run.suffix())).await
}
