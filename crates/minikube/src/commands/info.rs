//! `minikube ip`, `version`, `profile` and `kubectl`.

use futures_util::future::LocalBoxFuture;

use crate::command::{Command, Flag};
use crate::out::Style;
use crate::program::Call;
use crate::{KUBERNETES_VERSION, VERSION as MINIKUBE_VERSION};

/// minikube's exit code when a guest is not running.
const EXIT_NOT_RUNNING: i32 = 89;
/// minikube's exit code when a node does not exist.
const EXIT_NO_NODE: i32 = 80;
/// minikube's exit code for a wrong command line.
const EXIT_USAGE: i32 = 14;

pub(crate) static IP: Command = Command {
    name: "ip",
    aliases: &[],
    usage: "",
    help: "Retrieves the IP address of the specified node",
    flags: &[Flag { name: "node", short: Some('n'), default: Some(""), help: "The node, unless the first" }],
    run: |call| Box::pin(async move { ip(call).await }),
};

async fn ip(call: Call) -> i32 {
    let Some(status) = call.host.status(call.profile()) else { return call.no_profile().await };
    if !status.running {
        return not_running(&call).await;
    }
    let wanted = call.parsed.value("node");
    match status.nodes.iter().find(|n| wanted.is_empty() || n.name == wanted) {
        Some(node) => {
            let _ = call.ctx.out(format!("{}\n", node.address)).await;
            0
        }
        None => {
            call.error(Style::Exit, format!("Exiting due to GUEST_NODE_RETRIEVE: node {wanted} does not exist.")).await;
            EXIT_NO_NODE
        }
    }
}

/// Says that a cluster is stopped.
pub(crate) async fn not_running(call: &Call) -> i32 {
    let name = call.profile();
    let node = call.host.status(name).and_then(|s| s.nodes.first().map(|n| n.name.clone())).unwrap_or_default();
    call.step(Style::Shrug, format!("The control-plane node {node} host is not running: state=Stopped")).await;
    call.step(Style::Workaround, "To start a cluster, run: \"minikube start\"").await;
    EXIT_NOT_RUNNING
}

pub(crate) static VERSION: Command = Command {
    name: "version",
    aliases: &[],
    usage: "",
    help: "Print the version of minikube",
    flags: &[Flag { name: "short", short: None, default: None, help: "Print just the version number" }],
    run: |call| {
        Box::pin(async move {
            let text = if call.parsed.is_on("short") {
                format!("{MINIKUBE_VERSION}\n")
            } else {
                format!("minikube version: {MINIKUBE_VERSION}\n")
            };
            let _ = call.ctx.out(text).await;
            0
        })
    },
};

pub(crate) static PROFILE: Command = Command {
    name: "profile",
    aliases: &[],
    usage: " [list | NAME]",
    help: "List the clusters",
    flags: &[],
    run: |call| Box::pin(async move { profile(call).await }),
};

async fn profile(call: Call) -> i32 {
    match call.parsed.args.first().map(String::as_str) {
        None => {
            let _ = call.ctx.out(format!("{}\n", call.profile())).await;
            0
        }
        Some("list") => list(&call).await,
        Some(_) => {
            let refusal = simulation::stub!("minikube profile", "switching profiles; use -p with each command");
            call.error(Style::Exit, refusal).await;
            EXIT_USAGE
        }
    }
}

async fn list(call: &Call) -> i32 {
    let mut rows = vec![["PROFILE", "DRIVER", "IP", "VERSION", "STATUS", "NODES"].map(str::to_owned)];
    for name in call.host.profiles() {
        let Some(status) = call.host.status(&name) else { continue };
        let ip = status.nodes.first().map(|n| n.address.to_string()).unwrap_or_default();
        let word = if status.running { "OK" } else { "Stopped" };
        rows.push([
            name,
            "kubonsai".to_owned(),
            ip,
            KUBERNETES_VERSION.to_owned(),
            word.to_owned(),
            status.nodes.len().to_string(),
        ]);
    }
    if rows.len() == 1 {
        call.step(Style::Shrug, "No minikube profile was found.").await;
        call.step(Style::Workaround, "You can create one using \"minikube start\".").await;
        return EXIT_USAGE;
    }
    let _ = call.ctx.out(table(&rows)).await;
    0
}

/// A table in minikube's frame.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|r| r[column].chars().count()).max().unwrap_or(0);
    let rule: String = (0..N).map(|c| format!("|{}", "-".repeat(width(c) + 2))).collect::<String>() + "|\n";
    let mut text = rule.clone();
    for (index, row) in rows.iter().enumerate() {
        for (column, cell) in row.iter().enumerate() {
            let pad = width(column) - cell.chars().count();
            // The head is centred.
            let left = if index == 0 { pad / 2 + pad % 2 } else { 0 };
            text.push_str(&format!("| {}{cell}{} ", " ".repeat(left), " ".repeat(pad - left)));
        }
        text.push_str("|\n");
        if index == 0 {
            text.push_str(&rule);
        }
    }
    text + &rule
}

pub(crate) static KUBECTL: Command = Command {
    name: "kubectl",
    aliases: &[],
    usage: " -- [arguments]",
    help: "Run kubectl with these arguments",
    flags: &[],
    run: |call| kubectl(call),
};

fn kubectl(call: Call) -> LocalBoxFuture<'static, i32> {
    match call.ctx.programs.find("kubectl") {
        Some(program) => {
            let mut args = vec!["kubectl".to_owned()];
            args.extend(call.parsed.args);
            program.run(call.ctx, args)
        }
        None => Box::pin(std::future::ready(127)),
    }
}
