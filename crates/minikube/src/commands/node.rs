//! `minikube node`: the machines of a cluster.

use futures_util::future::LocalBoxFuture;
use machine::{Ctx, Writer};

use crate::command::Command;
use crate::commands::info::not_running;
use crate::host::ClusterStatus;
use crate::out::Style;
use crate::program::Call;

/// minikube's exit code when a node does not exist.
const EXIT_NO_NODE: i32 = 85;
/// minikube's exit code when a guest cannot be provisioned.
const EXIT_GUEST: i32 = 80;
/// minikube's exit code for a wrong command line.
const EXIT_USAGE: i32 = 14;

pub(crate) static COMMAND: Command = Command {
    name: "node",
    aliases: &[],
    usage: " list | add | start NAME | stop NAME | delete NAME",
    help: "Add, remove, list, start or stop the nodes of a cluster",
    flags: &[],
    run,
};

fn run(call: Call) -> LocalBoxFuture<'static, i32> {
    Box::pin(async move {
        let Some(status) = call.host.status(call.profile()) else { return call.no_profile().await };
        let (action, name) = (call.parsed.args.first().cloned(), call.parsed.args.get(1).cloned());
        match (action.as_deref(), name) {
            (Some("list"), _) => list(&call, &status).await,
            (Some("add"), _) => add(&call, &status).await,
            (Some("start"), Some(name)) => start(&call, &status, &name).await,
            (Some("stop"), Some(name)) => stop(&call, &status, &name).await,
            (Some("delete"), Some(name)) => delete(&call, &status, &name).await,
            (Some(action @ ("start" | "stop" | "delete")), None) => {
                call.give_up("MK_USAGE", EXIT_USAGE, format!("Usage: minikube node {action} NODE_NAME")).await
            }
            _ => call.give_up("MK_USAGE", EXIT_USAGE, "Usage: minikube node [add|start|stop|delete|list]").await,
        }
    })
}

async fn list(call: &Call, status: &ClusterStatus) -> i32 {
    for node in &status.nodes {
        let _ = call.ctx.out(format!("{}\t{}\n", node.name, node.address)).await;
    }
    0
}

/// What a node is called within its cluster: `m02` of `minikube-m02`.
fn short<'a>(status: &ClusterStatus, name: &'a str) -> &'a str {
    name.strip_prefix(&status.name).and_then(|rest| rest.strip_prefix('-')).unwrap_or(name)
}

/// The place and the full name of a node; says so if there is none.
async fn find(call: &Call, status: &ClusterStatus, name: &str) -> Result<(u32, String), i32> {
    let found = status.nodes.iter().position(|n| n.name == name || short(status, &n.name) == name);
    match found.and_then(|place| Some((u32::try_from(place).ok()?, status.nodes[place].name.clone()))) {
        Some(found) => Ok(found),
        None => {
            let message = format!("retrieving node: Could not find node {name}");
            Err(call.give_up("GUEST_NODE_RETRIEVE", EXIT_NO_NODE, message).await)
        }
    }
}

async fn start(call: &Call, status: &ClusterStatus, name: &str) -> i32 {
    let (place, name) = match find(call, status, name).await {
        Ok(found) => found,
        Err(code) => return code,
    };
    if status.nodes[place as usize].running {
        call.step(Style::Success, format!("{name} is already running")).await;
        return 0;
    }
    let role = match (status.nodes[place as usize].control_plane, place) {
        (true, 0) => "primary control-plane",
        (true, _) => "control-plane",
        (false, _) => "worker",
    };
    call.step(Style::Thumbs, format!("Starting \"{name}\" {role} node in \"{}\" cluster", status.name)).await;
    call.host.start_node(&status.name, place).await;
    call.step(Style::Happy, format!("Successfully started node {name}!")).await;
    0
}

async fn stop(call: &Call, status: &ClusterStatus, name: &str) -> i32 {
    let (place, name) = match find(call, status, name).await {
        Ok(found) => found,
        Err(code) => return code,
    };
    call.step(Style::Stopping, format!("Stopping node \"{name}\"  ...")).await;
    call.host.stop_node(&status.name, place).await;
    call.step(Style::Stopped, format!("Successfully stopped node {name}")).await;
    0
}

async fn add(call: &Call, status: &ClusterStatus) -> i32 {
    if !status.running {
        return not_running(call).await;
    }
    // Numbers are not used again: the next one follows the last node.
    let last = status.nodes.last().and_then(|n| short(status, &n.name).strip_prefix('m')?.parse::<u32>().ok());
    let (cluster, name) = (&status.name, format!("m{:02}", last.unwrap_or(1) + 1));
    call.step(Style::Happy, format!("Adding node {name} to cluster {cluster} as [worker]")).await;
    call.step(Style::Thumbs, format!("Starting \"{cluster}-{name}\" worker node in \"{cluster}\" cluster")).await;
    call.step(Style::Fire, "Creating kubonsai machine (CPUs=2, Memory=4096MB) ...").await;
    let full = match call.host.add_node(cluster).await {
        Ok(full) => full,
        Err(problem) => return call.give_up("GUEST_NODE_ADD", EXIT_GUEST, problem).await,
    };
    let place = call.host.status(cluster).and_then(|s| s.nodes.iter().position(|n| n.name == full));
    let place = place.and_then(|place| u32::try_from(place).ok()).unwrap_or(u32::MAX);
    call.step(Style::Docker, format!("Preparing Kubernetes {} ...", crate::KUBERNETES_VERSION)).await;
    call.host.start_node(cluster, place).await;
    call.step(Style::Verify, "Verifying Kubernetes components...").await;
    if !call.host.verify(cluster).await {
        return call.give_up("GUEST_NODE_ADD", EXIT_GUEST, "failed to add node: it did not become Ready").await;
    }
    call.step(Style::Ready, format!("Successfully added {} to {cluster}!", short(status, &full))).await;
    0
}

/// How a node is emptied before it goes (minikube's `teardown`).
const DRAIN: &[&str] = &[
    "--force",
    "--grace-period=1",
    "--skip-wait-for-delete-timeout=1",
    "--disable-eviction",
    "--ignore-daemonsets",
    "--delete-emptydir-data",
];

async fn delete(call: &Call, status: &ClusterStatus, name: &str) -> i32 {
    let (place, name) = match find(call, status, name).await {
        Ok(found) => found,
        Err(code) => return code,
    };
    let cluster = &status.name;
    if status.nodes[place as usize].control_plane {
        let refusal = simulation::stub!("minikube node", "deleting the control-plane node");
        call.error(Style::Exit, format!("{refusal}: `minikube delete` deletes the cluster")).await;
        return EXIT_USAGE;
    }
    call.step(Style::Fire, format!("Deleting node {name} from cluster {cluster}")).await;
    if status.running {
        let drain: Vec<&str> = ["drain", &name].into_iter().chain(DRAIN.iter().copied()).collect();
        kubectl(call, cluster, &drain).await;
    }
    call.step(Style::Stopping, format!("Stopping node \"{name}\"  ...")).await;
    call.step(Style::Fire, format!("Deleting \"{name}\" in kubonsai ...")).await;
    call.host.delete_node(cluster, place).await;
    if status.running {
        kubectl(call, cluster, &["delete", "node", &name]).await;
    }
    call.step(Style::Crushed, format!("Node {} was successfully deleted.", short(status, &name))).await;
    0
}

/// Runs kubectl on the cluster. What it says is not minikube's to show; a failure changes nothing, as upstream.
async fn kubectl(call: &Call, cluster: &str, words: &[&str]) {
    let Some(program) = call.ctx.programs.find("kubectl") else { return };
    let ctx = Ctx { stdout: Writer::null(), stderr: Writer::null(), ..call.ctx.clone() };
    let mut args = vec!["kubectl".to_owned(), "--context".to_owned(), cluster.to_owned()];
    args.extend(words.iter().map(|word| (*word).to_owned()));
    program.run(ctx, args).await;
}
