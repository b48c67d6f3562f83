//! `minikube ip`, `version`, `profile` and `kubectl`.

use futures_util::future::LocalBoxFuture;

use crate::command::{Command, Flag};
use crate::out::Style;
use crate::program::Call;
use crate::{COMMIT, KUBERNETES_VERSION, VERSION as MINIKUBE_VERSION, kubeconfig, settings};

/// minikube's exit code when a guest is not running.
const EXIT_NOT_RUNNING: i32 = 83;
/// minikube's exit code when a node does not exist.
const EXIT_NO_NODE: i32 = 85;
/// minikube's exit code for a wrong command line.
const EXIT_USAGE: i32 = 14;
/// minikube's exit code when its settings cannot be written.
const EXIT_CONFIG: i32 = 18;

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
            let message = format!("retrieving node: Could not find node {wanted}");
            call.give_up("GUEST_NODE_RETRIEVE", EXIT_NO_NODE, message).await
        }
    }
}

/// Says that a cluster is stopped.
pub(crate) async fn not_running(call: &Call) -> i32 {
    let name = call.profile();
    let node = call.host.status(name).and_then(|s| s.nodes.first().map(|n| n.name.clone())).unwrap_or_default();
    call.step(Style::Shrug, format!("The control-plane node {node} host is not running: state=Stopped")).await;
    call.start_tip().await;
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
                format!("minikube version: {MINIKUBE_VERSION}\ncommit: {COMMIT}\n")
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
    help: "Get or list the current profiles (clusters)",
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
        Some(_) if call.parsed.args.len() > 1 => {
            call.give_up("MK_USAGE", EXIT_USAGE, "usage: minikube profile [MINIKUBE_PROFILE_NAME]").await
        }
        Some(name) => switch(&call, if name == "default" { crate::DEFAULT_PROFILE } else { name }).await,
    }
}

/// Makes a cluster the one that is meant without `-p`, and kubectl's current context.
async fn switch(call: &Call, name: &str) -> i32 {
    let Some(status) = call.host.status(name) else {
        let tip = format!("if you want to create a profile you can by this command: minikube start -p {name}");
        call.error(Style::Tip, tip).await;
        return 0;
    };
    if let Err(problem) = settings::set_profile(&call.ctx, name) {
        return call.give_up("MK_CONFIG_SET", EXIT_CONFIG, format!("Setting profile failed: {problem}")).await;
    }
    if let Err(problem) = kubeconfig::use_context(&call.ctx.fs, &call.kubeconfig(), &status.name) {
        call.error(Style::Sad, format!("Error while setting kubectl current context :  {problem}")).await;
    }
    call.step(Style::Success, format!("minikube profile was successfully set to {name}")).await;
    0
}

async fn list(call: &Call) -> i32 {
    let titles =
        ["PROFILE", "DRIVER", "RUNTIME", "IP", "VERSION", "STATUS", "NODES", "ACTIVE PROFILE", "ACTIVE KUBECONTEXT"];
    let mut rows = vec![titles.map(str::to_owned)];
    let context = kubeconfig::current_context(&call.ctx.fs, &call.kubeconfig());
    for name in call.host.profiles() {
        let Some(status) = call.host.status(&name) else { continue };
        let ip = status.nodes.first().map(|n| n.address.to_string()).unwrap_or_default();
        let word = if status.running { "OK" } else { "Stopped" };
        let star = |on: bool| if on { "*" } else { "" }.to_owned();
        let (active, current) = (star(name == call.profile()), star(context.as_deref() == Some(name.as_str())));
        rows.push([
            name,
            "kubonsai".to_owned(),
            "wasm".to_owned(),
            ip,
            KUBERNETES_VERSION.to_owned(),
            word.to_owned(),
            status.nodes.len().to_string(),
            active,
            current,
        ]);
    }
    if rows.len() == 1 {
        let advice = Some("You can create one using 'minikube start'.");
        crate::out::give_up(&call.ctx, "MK_USAGE_NO_PROFILE", "No minikube profile was found.", advice).await;
        return EXIT_USAGE;
    }
    let _ = call.ctx.out(table(&rows)).await;
    0
}

/// A table in minikube's frame.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|r| r[column].chars().count()).max().unwrap_or(0);
    let rule = |left: char, between: char, right: char| {
        let cells: Vec<String> = (0..N).map(|c| "─".repeat(width(c) + 2)).collect();
        format!("{left}{}{right}\n", cells.join(&between.to_string()))
    };
    let mut text = rule('┌', '┬', '┐');
    for (index, row) in rows.iter().enumerate() {
        for (column, cell) in row.iter().enumerate() {
            let pad = width(column) - cell.chars().count();
            // The head is centred.
            let left = if index == 0 { pad / 2 } else { 0 };
            text.push_str(&format!("│ {}{cell}{} ", " ".repeat(left), " ".repeat(pad - left)));
        }
        text.push_str("│\n");
        if index == 0 {
            text.push_str(&rule('├', '┼', '┤'));
        }
    }
    text + &rule('└', '┴', '┘')
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
