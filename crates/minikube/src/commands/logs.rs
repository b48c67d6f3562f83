//! `minikube logs`: what there is to find out what is wrong. The machines are simulated, so there is no journal: the
//! containers, the nodes and what happened last, in minikube's sections.

use futures_util::future::LocalBoxFuture;
use machine::{Ctx, pipe};

use crate::command::{Command, Flag};
use crate::commands::info::not_running;
use crate::program::Call;

pub(crate) static COMMAND: Command = Command {
    name: "logs",
    aliases: &[],
    usage: "",
    help: "Returns logs to debug a local Kubernetes cluster",
    flags: &[
        Flag { name: "length", short: Some('n'), default: Some("60"), help: "Lines of each section" },
        Flag { name: "file", short: None, default: Some(""), help: "Write to this file instead" },
        Flag { name: "problems", short: None, default: None, help: "Only what points to a problem" },
    ],
    run,
};

/// A section: its title, and how kubectl is asked for it.
const SECTIONS: &[(&str, &[&str])] = &[
    (
        "container status",
        &[
            "get",
            "pods",
            "-A",
            "-o",
            "custom-columns=CONTAINER:.status.containerStatuses[*].containerID,IMAGE:.status.containerStatuses[*].image,NAME:.spec.containers[*].name,RESTARTS:.status.containerStatuses[*].restartCount,PHASE:.status.phase,POD:.metadata.name",
        ],
    ),
    ("describe nodes", &["describe", "nodes"]),
    ("events", &["get", "events", "-A", "--sort-by=.lastTimestamp"]),
];
/// What points to a problem.
const PROBLEMS: &[(&str, &[&str])] =
    &[("events", &["get", "events", "-A", "--field-selector=type=Warning", "--sort-by=.lastTimestamp"])];

fn run(call: Call) -> LocalBoxFuture<'static, i32> {
    Box::pin(async move {
        let Some(status) = call.host.status(call.profile()) else { return call.no_profile().await };
        if !status.running {
            return not_running(&call).await;
        }
        let length: usize = call.parsed.value("length").parse().unwrap_or(60);
        let mut text = String::new();
        for (title, words) in if call.parsed.is_on("problems") { PROBLEMS } else { SECTIONS } {
            text += &format!("\n==> {title} <==\n");
            let section = kubectl(&call, &status.name, words).await;
            let lines: Vec<&str> = section.lines().collect();
            // The latest lines count; those of a table need its heading.
            let skip = lines.len().saturating_sub(length);
            if skip > 0 && *title != "describe nodes" {
                text += &format!("{}\n", lines[0]);
            }
            lines.iter().skip(skip).for_each(|line| text += &format!("{line}\n"));
        }
        match call.parsed.value("file") {
            "" => call.ctx.out(text).await.map_or(1, |()| 0),
            file => match call.ctx.fs.write(&call.ctx.path(file), text.into_bytes()) {
                Ok(()) => 0,
                Err(why) => {
                    let message = format!("Failed to create file {file}: {why}");
                    call.give_up("HOST_SAVE_PROFILE", 14, message).await
                }
            },
        }
    })
}

/// What kubectl says about the cluster.
async fn kubectl(call: &Call, cluster: &str, words: &[&str]) -> String {
    let Some(program) = call.ctx.programs.find("kubectl") else { return String::new() };
    let (reader, writer) = pipe();
    let ctx = Ctx { stdout: writer.clone(), stderr: writer, ..call.ctx.clone() };
    let mut args = vec!["kubectl".to_owned(), "--context".to_owned(), cluster.to_owned()];
    args.extend(words.iter().map(|word| (*word).to_owned()));
    let (text, _) = futures_util::join!(reader.read_to_string(), program.run(ctx, args));
    text
}
