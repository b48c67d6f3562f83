//! `minikube delete`.

use futures_util::future::LocalBoxFuture;

use crate::command::{Command, Flag};
use crate::kubeconfig;
use crate::out::Style;
use crate::program::Call;
use crate::settings;

pub(crate) static COMMAND: Command = Command {
    name: "delete",
    aliases: &[],
    usage: "",
    help: "Deletes a local Kubernetes cluster",
    flags: &[Flag { name: "all", short: None, default: None, help: "All clusters" }],
    run,
};

fn run(call: Call) -> LocalBoxFuture<'static, i32> {
    Box::pin(async move {
        if call.parsed.is_on("all") {
            for name in call.host.profiles() {
                delete(&call, &name).await;
            }
            call.step(Style::Fire, "Successfully deleted all profiles").await;
            return 0;
        }
        let name = call.profile().to_owned();
        if call.host.status(&name).is_none() {
            call.error(Style::Meh, format!("\"{name}\" profile does not exist, trying anyways.")).await;
        }
        delete(&call, &name).await;
        0
    })
}

async fn delete(call: &Call, name: &str) {
    if call.host.status(name).is_some() {
        call.step(Style::Fire, format!("Deleting \"{name}\" in kubonsai ...")).await;
        call.host.delete(name).await;
    }
    settings::forget(&call.ctx, name);
    if let Err(problem) = kubeconfig::remove(&call.ctx.fs, &call.kubeconfig(), name) {
        call.error(Style::Sad, problem).await;
    }
    call.step(Style::Crushed, format!("Removed all traces of the \"{name}\" cluster.")).await;
}
