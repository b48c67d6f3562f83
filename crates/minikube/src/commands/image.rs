//! `minikube image`: what images the nodes have.

use std::collections::BTreeSet;

use api::kinds;
use client::{Client, ListOptions};
use futures_util::future::LocalBoxFuture;

use crate::command::Command;
use crate::commands::info::not_running;
use crate::out::Style;
use crate::program::Call;

/// minikube's exit code for a wrong command line.
const EXIT_USAGE: i32 = 14;

pub(crate) static COMMAND: Command =
    Command { name: "image", aliases: &[], usage: " ls", help: "List the images of the nodes", flags: &[], run };

fn run(call: Call) -> LocalBoxFuture<'static, i32> {
    Box::pin(async move {
        match call.parsed.args.first().map(String::as_str) {
            Some("ls" | "list") => list(&call).await,
            Some("build" | "load" | "pull" | "push" | "rm" | "save" | "tag") => {
                call.error(Style::Exit, simulation::stub!("minikube image", "anything but ls")).await;
                1
            }
            _ => call.give_up("MK_USAGE", EXIT_USAGE, "Usage: minikube image ls").await,
        }
    })
}

async fn list(call: &Call) -> i32 {
    let Some(status) = call.host.status(call.profile()) else { return call.no_profile().await };
    let api = call.ctx.host.api(&status.server).ok().filter(|_| status.running);
    let Some(transport) = api else { return not_running(call).await };
    let client = Client::new(transport, "minikube");
    let Ok(nodes) = client.list(&kinds::NODES, "", &ListOptions::default()).await else { return 1 };
    let mut names = BTreeSet::new();
    for node in &nodes.items {
        for image in node.list("status.images") {
            let all = image["names"].as_array().into_iter().flatten().filter_map(|name| name.as_str());
            names.extend(all.filter(|name| !name.contains('@')).map(str::to_owned));
        }
    }
    for name in names.iter().rev() {
        let _ = call.ctx.out(format!("{name}\n")).await;
    }
    0
}
