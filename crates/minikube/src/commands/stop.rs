//! `minikube stop`.

use futures_util::future::LocalBoxFuture;

use crate::command::Command;
use crate::kubeconfig;
use crate::out::Style;
use crate::program::Call;

pub(crate) static COMMAND: Command = Command {
    name: "stop",
    aliases: &[],
    usage: "",
    help: "Stops a running local Kubernetes cluster",
    flags: &[],
    run,
};

fn run(call: Call) -> LocalBoxFuture<'static, i32> {
    Box::pin(async move {
        let Some(status) = call.host.status(call.profile()) else { return call.no_profile().await };
        for node in status.nodes.iter().rev() {
            call.step(Style::Stopping, format!("Stopping node \"{}\"  ...", node.name)).await;
        }
        call.host.stop(&status.name).await;
        // minikube takes a stopped cluster out of the kubeconfig.
        let _ = kubeconfig::remove(&call.ctx.fs, &call.kubeconfig(), &status.name);
        let count = status.nodes.iter().filter(|n| n.running).count();
        let noun = if count == 1 { "node" } else { "nodes" };
        call.step(Style::Stopped, format!("{count} {noun} stopped.")).await;
        0
    })
}
