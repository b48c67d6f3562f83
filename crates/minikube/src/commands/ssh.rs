//! `minikube ssh`: a shell on a machine of the cluster, with its files and its network.
//!
//! The programs are those of the learner's machine, without those that reach clusters from outside.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use machine::{Ctx, Programs};

use crate::command::{Command, Flag};
use crate::commands::info::not_running;
use crate::out::Style;
use crate::program::Call;

/// minikube's exit code when a node does not exist.
const EXIT_NO_NODE: i32 = 85;
/// Who logs in, and where.
const USER: &str = "docker";
const HOME: &str = "/home/docker";
/// Programs of the learner's machine that a machine of a cluster does not have.
const NOT_THERE: &[&str] = &["eksctl", "helm", "kubectl", "minikube"];

pub(crate) static COMMAND: Command = Command {
    name: "ssh",
    aliases: &[],
    usage: " [-- COMMAND]",
    help: "Log into the minikube environment (for debugging)",
    flags: &[
        Flag { name: "node", short: Some('n'), default: Some(""), help: "The node to log in to" },
        Flag { name: "native-ssh", short: None, default: Some("true"), help: "Accepted; there is no other" },
    ],
    run,
};

fn run(call: Call) -> LocalBoxFuture<'static, i32> {
    Box::pin(async move {
        let Some(status) = call.host.status(call.profile()) else { return call.no_profile().await };
        let wanted = call.parsed.value("node");
        let is_it = |name: &str| {
            wanted.is_empty() || name == wanted || name.strip_prefix(&format!("{}-", status.name)) == Some(wanted)
        };
        let Some(place) = status.nodes.iter().position(|n| is_it(&n.name)) else {
            let message = format!("retrieving node: Could not find node {wanted}");
            return call.give_up("GUEST_NODE_RETRIEVE", EXIT_NO_NODE, message).await;
        };
        let node = &status.nodes[place].name;
        let found = call.host.log_in(&status.name, u32::try_from(place).unwrap_or(u32::MAX));
        let Some((fs, net)) = found else { return not_running(&call).await };
        let (Some(bash), ctx) = (call.ctx.programs.find("bash"), &call.ctx) else { return 127 };
        let mut programs = Programs::new();
        for name in ctx.programs.names().filter(|name| !NOT_THERE.contains(name)) {
            if let Some(program) = ctx.programs.find(name) {
                programs.install(program);
            }
        }
        let mut env = ctx.env.clone();
        env.retain(|name, _| matches!(name.as_str(), "PATH" | "TERM" | "LANG" | "LC_ALL"));
        let prompt = format!("{USER}@{node}:\\w$ ");
        for (name, value) in [("HOME", HOME), ("USER", USER), ("LOGNAME", USER), ("HOSTNAME", node), ("PS1", &prompt)] {
            env.insert(name.to_owned(), value.to_owned());
        }
        let inside = Ctx { fs, net, env, cwd: HOME.to_owned(), programs: Rc::new(programs), ..ctx.clone() };
        let mut words = vec!["bash".to_owned()];
        if !call.parsed.args.is_empty() {
            words.extend(["-c".to_owned(), call.parsed.args.join(" ")]);
        }
        let is_interactive = words.len() == 1 && ctx.stdin.is_tty();
        let code = bash.run(inside, words).await;
        if is_interactive {
            let _ = ctx.out("logout\n").await;
        }
        if code != 0 {
            call.error(Style::Exit, format!("ssh: Process exited with status {code}")).await;
            return 1;
        }
        0
    })
}
