//! `minikube addons`: the add-ons by name. None of them can be switched on here.

use futures_util::future::LocalBoxFuture;

use crate::command::Command;
use crate::commands::info::table;
use crate::out::Style;
use crate::program::Call;

/// minikube's exit code for a wrong command line.
const EXIT_USAGE: i32 = 14;
/// minikube's exit code for an add-on that it does not have.
const EXIT_NO_ADDON: i32 = 10;

pub(crate) static COMMAND: Command = Command {
    name: "addons",
    aliases: &[],
    usage: " list | enable NAME | disable NAME",
    help: "List the add-ons",
    flags: &[],
    run,
};

/// Name and maintainer, as minikube lists them.
const ADDONS: &[(&str, &str)] = &[
    ("ambassador", "3rd party (Ambassador)"),
    ("cloud-spanner", "Google"),
    ("dashboard", "Kubernetes"),
    ("default-storageclass", "Kubernetes"),
    ("freshpod", "Google"),
    ("gcp-auth", "Google"),
    ("gvisor", "minikube"),
    ("headlamp", "3rd party (kinvolk.io)"),
    ("ingress", "Kubernetes"),
    ("ingress-dns", "minikube"),
    ("istio", "3rd party (Istio)"),
    ("metallb", "3rd party (MetalLB)"),
    ("metrics-server", "Kubernetes"),
    ("registry", "minikube"),
    ("storage-provisioner", "minikube"),
    ("yakd", "3rd party (marcnuri.com)"),
];

fn run(call: Call) -> LocalBoxFuture<'static, i32> {
    Box::pin(async move {
        let (action, name) = (call.parsed.args.first().cloned(), call.parsed.args.get(1).cloned());
        match (action.as_deref(), name) {
            (Some("list"), _) => list(&call).await,
            (Some("enable" | "disable" | "configure" | "open"), Some(name)) => switch(&call, &name).await,
            _ => call.give_up("MK_USAGE", EXIT_USAGE, "Usage: minikube addons [list|enable|disable] NAME").await,
        }
    })
}

async fn list(call: &Call) -> i32 {
    let Some(status) = call.host.status(call.profile()) else { return call.no_profile().await };
    let mut rows = vec![["ADDON NAME", "PROFILE", "STATUS", "MAINTAINER"].map(str::to_owned)];
    for (name, maintainer) in ADDONS {
        rows.push([*name, &status.name, "disabled", maintainer].map(str::to_owned));
    }
    let _ = call.ctx.out(table(&rows)).await;
    0
}

async fn switch(call: &Call, name: &str) -> i32 {
    if !ADDONS.iter().any(|(known, _)| *known == name) {
        let message = format!(
            "enable failed: addon '{name}' is not a valid addon packaged with minikube.\nTo see the list of available addons run:\nminikube addons list"
        );
        return call.give_up("MK_ADDON_ENABLE", EXIT_NO_ADDON, message).await;
    }
    call.error(Style::Exit, simulation::stub!("minikube addons", "switching add-ons on or off")).await;
    1
}
