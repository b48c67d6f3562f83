//! `minikube addons`: the add-ons by name. Of those, metrics-server can be switched on and off (minikube's `pkg/addons`).
//!
//! As in minikube, an add-on is objects that are applied and deleted; that it is on, minikube remembers itself.

use api::kinds::KINDS;
use api::{Kind, Object};
use client::{Client, DeleteOptions, Error};
use futures_util::future::LocalBoxFuture;

use crate::command::Command;
use crate::commands::info::{not_running, table};
use crate::out::Style;
use crate::program::Call;
use crate::settings;

/// minikube's exit code for a wrong command line.
const EXIT_USAGE: i32 = 14;
/// minikube's exit code for an add-on that it does not have.
const EXIT_NO_ADDON: i32 = 10;
/// The add-on that there is.
const METRICS_SERVER: &str = "metrics-server";
/// Its image, as minikube tells it.
const METRICS_SERVER_IMAGE: &str = "registry.k8s.io/metrics-server/metrics-server:v0.8.0";
/// Its objects, a line each: the plural, and the object without its kind.
const METRICS_SERVER_OBJECTS: &str = include_str!("metrics-server.txt");
const NAMESPACE: &str = "kube-system";

pub(crate) static COMMAND: Command = Command {
    name: "addons",
    aliases: &[],
    usage: " list | enable NAME | disable NAME",
    help: "List the add-ons, or switch one on or off",
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

/// The names of all add-ons.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ADDONS.iter().map(|(name, _)| *name)
}

fn run(call: Call) -> LocalBoxFuture<'static, i32> {
    Box::pin(async move {
        let (action, name) = (call.parsed.args.first().cloned(), call.parsed.args.get(1).cloned());
        match (action.as_deref(), name) {
            (Some("list"), _) => list(&call).await,
            (Some(action @ ("enable" | "disable" | "configure" | "open")), Some(name)) => {
                switch(&call, action, &name).await
            }
            _ => call.give_up("MK_USAGE", EXIT_USAGE, "Usage: minikube addons [list|enable|disable] NAME").await,
        }
    })
}

async fn list(call: &Call) -> i32 {
    let Some(status) = call.host.status(call.profile()) else { return call.no_profile().await };
    let mut rows = vec![["ADDON NAME", "PROFILE", "STATUS", "MAINTAINER"].map(str::to_owned)];
    for (name, maintainer) in ADDONS {
        let state = if settings::is_on(&call.ctx, &status.name, name) { "enabled ✅" } else { "disabled" };
        rows.push([*name, &status.name, state, maintainer].map(str::to_owned));
    }
    let _ = call.ctx.out(table(&rows)).await;
    0
}

async fn switch(call: &Call, action: &str, name: &str) -> i32 {
    let Some((_, maintainer)) = ADDONS.iter().find(|(known, _)| *known == name) else {
        let message = format!(
            "{action} failed: addon '{name}' is not a valid addon packaged with minikube.\nTo see the list of available addons run:\nminikube addons list"
        );
        return call.give_up(reason(action), EXIT_NO_ADDON, message).await;
    };
    let is_on = action == "enable";
    if name != METRICS_SERVER || !matches!(action, "enable" | "disable") {
        let refusal = simulation::stub!("minikube addons", "switching add-ons other than metrics-server on or off");
        call.error(Style::Exit, refusal).await;
        return 1;
    }
    let Some(status) = call.host.status(call.profile()) else { return call.no_profile().await };
    let server = call.ctx.host.api(&status.server).ok().filter(|_| status.running);
    let Some(server) = server else { return not_running(call).await };
    if is_on {
        let who =
            format!("{name} is an addon maintained by {maintainer}. For any concerns contact minikube on GitHub.");
        let owners = "You can view the list of minikube maintainers at: https://github.com/kubernetes/minikube/blob/master/OWNERS";
        call.step(Style::Tip, format!("{who}\n{owners}")).await;
        call.step(Style::Option, format!("Using image {METRICS_SERVER_IMAGE}")).await;
    }
    if let Err(why) = put(&Client::new(server, "minikube"), is_on).await {
        return call.give_up(reason(action), EXIT_NO_ADDON, format!("{action} failed: {why}")).await;
    }
    if let Err(why) = settings::switch(&call.ctx, &status.name, name, is_on) {
        return call.give_up(reason(action), EXIT_NO_ADDON, format!("{action} failed: {why}")).await;
    }
    // The quotation mark that nobody closes is minikube's.
    match is_on {
        true => call.step(Style::AddonEnable, format!("The '{name}' addon is enabled")).await,
        false => call.step(Style::AddonDisable, format!("\"The '{name}' addon is disabled")).await,
    }
    0
}

fn reason(action: &str) -> &'static str {
    if action == "disable" { "MK_ADDON_DISABLE" } else { "MK_ADDON_ENABLE" }
}

/// Creates the objects that are not there, or deletes those that are.
async fn put(client: &Client, is_on: bool) -> Result<(), Error> {
    for line in METRICS_SERVER_OBJECTS.lines() {
        let (kind, object) = read(line);
        let namespace = object.namespace().to_owned();
        let done = match is_on {
            true => client.create(kind, &namespace, object).await.map(|_| ()),
            false => client.delete(kind, &namespace, object.name(), &DeleteOptions::default()).await.map(|_| ()),
        };
        match done {
            Err(error) if !error.is_already_exists() && !error.is_not_found() => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn read(line: &str) -> (&'static Kind, Object) {
    let (plural, object) = line.split_once(' ').expect("a line has a plural and an object");
    let kind = KINDS.iter().copied().find(|kind| kind.plural == plural).expect("the file's kinds are in the table");
    let mut object = Object::new(json::from_str(object).expect("the objects of the file are JSON"));
    object.set("apiVersion", kind.api_version());
    object.set("kind", kind.kind);
    if kind.namespaced {
        object.set("metadata.namespace", NAMESPACE);
    }
    (kind, object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_objects_are_those_of_minikube() {
        let all: Vec<_> = METRICS_SERVER_OBJECTS.lines().map(read).collect();
        let names: Vec<String> = all.iter().map(|(kind, o)| format!("{} {}", kind.kind, o.name())).collect();
        assert_eq!(names.first().map(String::as_str), Some("APIService v1beta1.metrics.k8s.io"));
        assert_eq!(names.last().map(String::as_str), Some("Service metrics-server"));
        let image = all[1].1.list("spec.template.spec.containers")[0]["image"].clone();
        assert_eq!(image, METRICS_SERVER_IMAGE);
    }
}
