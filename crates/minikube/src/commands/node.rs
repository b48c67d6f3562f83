//! `minikube node`: the machines of a cluster.

use futures_util::future::LocalBoxFuture;

use crate::command::Command;
use crate::out::Style;
use crate::program::Call;

/// minikube's exit code when a node does not exist.
const EXIT_NO_NODE: i32 = 85;
/// minikube's exit code for a wrong command line.
const EXIT_USAGE: i32 = 14;

pub(crate) static COMMAND: Command = Command {
    name: "node",
    aliases: &[],
    usage: " list | start NAME | stop NAME",
    help: "List, start or stop the nodes of a cluster",
    flags: &[],
    run,
};

fn run(call: Call) -> LocalBoxFuture<'static, i32> {
    Box::pin(async move {
        let Some(status) = call.host.status(call.profile()) else { return call.no_profile().await };
        let mut args = call.parsed.args.iter().map(String::as_str);
        let (action, name) = (args.next(), args.next());
        match (action, name) {
            (Some("list"), _) => {
                for node in &status.nodes {
                    let _ = call.ctx.out(format!("{}\t{}\n", node.name, node.address)).await;
                }
                0
            }
            (Some(action @ ("start" | "stop")), Some(name)) => {
                let Some(index) = status.nodes.iter().position(|n| n.name == name) else {
                    let message = format!("retrieving node: Could not find node {name}");
                    return call.give_up("GUEST_NODE_RETRIEVE", EXIT_NO_NODE, message).await;
                };
                let index = u32::try_from(index).unwrap_or(u32::MAX);
                if action == "start" {
                    call.step(Style::Thumbs, format!("Starting \"{name}\" node in \"{}\" cluster", status.name)).await;
                    call.host.start_node(&status.name, index).await;
                    call.step(Style::Ready, format!("Successfully started node {name}!")).await;
                } else {
                    call.step(Style::Stopping, format!("Stopping node \"{name}\"  ...")).await;
                    call.host.stop_node(&status.name, index).await;
                    call.step(Style::Stopped, format!("Successfully stopped node {name}")).await;
                }
                0
            }
            (Some("add" | "delete"), _) => {
                call.error(Style::Exit, simulation::stub!("minikube node", "adding and deleting nodes")).await;
                EXIT_USAGE
            }
            _ => call.give_up("MK_USAGE", EXIT_USAGE, "Usage: minikube node [add|start|stop|delete|list]").await,
        }
    })
}
