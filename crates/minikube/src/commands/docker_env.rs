//! `minikube docker-env`: the lines after which docker talks to the engine of the cluster's machine.

use crate::command::{Command, Flag};
use crate::commands::info::not_running;
use crate::engine::{HOST, PORT};
use crate::program::Call;

/// minikube's exit code when a cluster has several machines.
const EXIT_CONFLICT: i32 = 81;
/// minikube's exit code for a wrong command line.
const EXIT_USAGE: i32 = 14;

pub(crate) static COMMAND: Command = Command {
    name: "docker-env",
    aliases: &[],
    usage: "",
    help: "Provides instructions to point your terminal's docker-cli to the Docker Engine inside minikube.",
    flags: &[
        Flag { name: "shell", short: None, default: Some("bash"), help: "The shell that the lines are for: bash" },
        Flag { name: "unset", short: Some('u'), default: None, help: "Unset variables instead of setting them" },
    ],
    run: |call| Box::pin(run(call)),
};

async fn run(call: Call) -> i32 {
    let shell = call.parsed.value("shell");
    if !matches!(shell, "bash" | "zsh" | "sh") {
        let refusal = simulation::stub!("minikube docker-env", "shells other than bash");
        return call.give_up("MK_USAGE", EXIT_USAGE, refusal).await;
    }
    let names = ["DOCKER_TLS_VERIFY", HOST, "DOCKER_CERT_PATH", "MINIKUBE_ACTIVE_DOCKERD"];
    if call.parsed.is_on("unset") {
        let lines: String = names.iter().map(|name| format!("unset {name};\n")).collect();
        let _ = call.ctx.out(lines).await;
        return 0;
    }
    let Some(status) = call.host.status(call.profile()) else { return call.no_profile().await };
    if !status.running {
        return not_running(&call).await;
    }
    if status.nodes.len() > 1 {
        let message = "The docker-env command is incompatible with multi-node clusters. Use the 'registry' add-on: https://minikube.sigs.k8s.io/docs/handbook/registry/";
        return call.give_up("ENV_MULTINODE_CONFLICT", EXIT_CONFLICT, message).await;
    }
    let address = status.nodes.first().map(|node| node.address.to_string()).unwrap_or_default();
    let home = call.ctx.var("HOME").unwrap_or("/root");
    let profile = call.profile();
    let values =
        ["1".to_owned(), format!("tcp://{address}:{PORT}"), format!("{home}/.minikube/certs"), profile.to_owned()];
    let mut lines: String =
        names.iter().zip(values).map(|(name, value)| format!("export {name}=\"{value}\"\n")).collect();
    lines.push_str(&format!(
        "\n# To point your shell to minikube's docker-daemon, run:\n# eval $(minikube -p {profile} docker-env)\n"
    ));
    let _ = call.ctx.out(lines).await;
    0
}
