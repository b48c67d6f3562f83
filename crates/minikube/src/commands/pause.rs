//! `minikube pause` and `unpause`: the control plane and the kubelets are held, containers of other namespaces go on.

use futures_util::future::LocalBoxFuture;

use crate::command::{Command, Flag};
use crate::commands::info::not_running;
use crate::out::Style;
use crate::program::Call;

/// The namespaces whose containers minikube holds.
const NAMESPACES: &str = "kube-system,kubernetes-dashboard,istio-operator";
/// What is held: etcd, the API server, the controllers, the scheduler, kube-proxy and DNS.
const PARTS: usize = 6;
/// minikube's exit code when containers cannot be held.
const EXIT_GUEST: i32 = 80;

static FLAGS: &[Flag] = &[
    Flag { name: "namespaces", short: Some('n'), default: Some(NAMESPACES), help: "Namespaces to hold" },
    Flag { name: "all-namespaces", short: Some('A'), default: None, help: "Hold all namespaces" },
];

pub(crate) static PAUSE: Command = Command {
    name: "pause",
    aliases: &[],
    usage: "",
    help: "Pause Kubernetes",
    flags: FLAGS,
    run: |call| run(call, true),
};

pub(crate) static UNPAUSE: Command = Command {
    name: "unpause",
    aliases: &["resume"],
    usage: "",
    help: "Unpause Kubernetes",
    flags: FLAGS,
    run: |call| run(call, false),
};

fn run(call: Call, is_on: bool) -> LocalBoxFuture<'static, i32> {
    Box::pin(async move {
        let Some(status) = call.host.status(call.profile()) else { return call.no_profile().await };
        if !status.running {
            return not_running(&call).await;
        }
        if call.parsed.is_on("all-namespaces") || call.parsed.value("namespaces") != NAMESPACES {
            let refusal = simulation::stub!("minikube pause", "namespaces other than those of the control plane");
            return call.give_up("GUEST_PAUSE", EXIT_GUEST, refusal).await;
        }
        let doing = if is_on { "Pausing" } else { "Unpausing" };
        for node in status.nodes.iter().filter(|n| n.running) {
            call.step(Style::Pause, format!("{doing} node {} ... ", node.name)).await;
        }
        call.host.pause(&status.name, is_on).await;
        let done = if is_on { "Paused" } else { "Unpaused" };
        let namespaces = NAMESPACES.replace(',', ", ");
        call.step(Style::Unpause, format!("{done} {PARTS} containers in: {namespaces}")).await;
        0
    })
}
