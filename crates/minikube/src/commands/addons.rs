//! `minikube addons`: the add-ons by name. Of those, ingress and metrics-server can be switched on and off (minikube's
//! `pkg/addons`).
//!
//! As in minikube, an add-on is objects that are applied and deleted; that it is on, minikube remembers itself.

use std::time::Duration;

use api::kinds::{self, KINDS};
use api::{Kind, Object};
use client::{Client, DeleteOptions, Error, ListOptions};
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
/// minikube waits so long for the pods of an add-on.
const VERIFY_TIME_MAX: Duration = Duration::from_secs(360);
/// Between two looks at what is waited for (minikube's `APICallRetryInterval`).
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// `kubectl delete` waits so long for what it deletes, as far as minikube lets it.
const DELETE_TIME_MAX: Duration = Duration::from_secs(120);

/// An add-on that can be switched on.
struct Addon {
    name: &'static str,
    /// Its images, as minikube tells them.
    images: &'static [&'static str],
    /// Its objects, a line each: the plural, and the object without its kind and namespace.
    objects: &'static str,
    namespace: &'static str,
    /// The labels of the pods that minikube waits for.
    verified: Option<&'static str>,
}

/// The add-ons that there are.
static BUILT: &[Addon] = &[
    Addon {
        name: "ingress",
        images: &[
            "registry.k8s.io/ingress-nginx/controller:v1.15.1",
            "registry.k8s.io/ingress-nginx/kube-webhook-certgen:v1.6.9",
            "registry.k8s.io/ingress-nginx/kube-webhook-certgen:v1.6.9",
        ],
        // As minikube has them, without the webhook: the API server refuses those.
        objects: include_str!("ingress.txt"),
        namespace: "ingress-nginx",
        verified: Some("app.kubernetes.io/name=ingress-nginx"),
    },
    Addon {
        name: "metrics-server",
        images: &["registry.k8s.io/metrics-server/metrics-server:v0.8.0"],
        objects: include_str!("metrics-server.txt"),
        namespace: "kube-system",
        verified: None,
    },
];

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
    let addon = BUILT.iter().find(|addon| addon.name == name && matches!(action, "enable" | "disable"));
    let Some(addon) = addon else {
        let refusal =
            simulation::stub!("minikube addons", "switching add-ons other than ingress and metrics-server on or off");
        call.error(Style::Exit, refusal).await;
        return 1;
    };
    let Some(status) = call.host.status(call.profile()) else { return call.no_profile().await };
    let server = call.ctx.host.api(&status.server).ok().filter(|_| status.running);
    let Some(server) = server else { return not_running(call).await };
    if is_on {
        let who =
            format!("{name} is an addon maintained by {maintainer}. For any concerns contact minikube on GitHub.");
        let owners = "You can view the list of minikube maintainers at: https://github.com/kubernetes/minikube/blob/master/OWNERS";
        call.step(Style::Tip, format!("{who}\n{owners}")).await;
        for image in addon.images {
            call.step(Style::Option, format!("Using image {image}")).await;
        }
    }
    let client = Client::new(server, "minikube");
    let done = match addon.put(&client, is_on).await {
        Err(why) => Err(why.to_string()),
        Ok(()) if is_on => addon.verify(call, &client).await,
        Ok(()) => {
            addon.wait_until_gone(call, &client).await;
            Ok(())
        }
    };
    if let Err(why) = done {
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

impl Addon {
    fn objects(&self) -> impl Iterator<Item = (&'static Kind, Object)> {
        self.objects.lines().map(|line| self.read(line))
    }

    fn read(&self, line: &str) -> (&'static Kind, Object) {
        let (plural, object) = line.split_once(' ').expect("a line has a plural and an object");
        let kind = KINDS.iter().copied().find(|kind| kind.plural == plural).expect("the kinds are in the table");
        let mut object = Object::new(json::from_str(object).expect("the objects of the file are JSON"));
        object.set("apiVersion", kind.api_version());
        object.set("kind", kind.kind);
        if kind.namespaced {
            object.set("metadata.namespace", self.namespace);
        }
        (kind, object)
    }

    /// Creates the objects that are not there, or deletes those that are.
    async fn put(&self, client: &Client, is_on: bool) -> Result<(), Error> {
        for (kind, object) in self.objects() {
            let namespace = object.namespace().to_owned();
            let done = match is_on {
                true => client.create(kind, &namespace, object).await.map(|_| ()),
                false => client.delete(kind, &namespace, object.name(), &DeleteOptions::default()).await.map(|_| ()),
            };
            match done {
                // What is in a namespace that is on its way out goes with it.
                Err(error) if !error.is_already_exists() && !error.is_not_found() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Waits until the pods run, or have run (`kapi.WaitForPods`).
    async fn verify(&self, call: &Call, client: &Client) -> Result<(), String> {
        let Some(labels) = self.verified else { return Ok(()) };
        call.step(Style::Verify, format!("Verifying {} addon...", self.name)).await;
        let sim = &call.ctx.sim;
        let until = sim.now() + VERIFY_TIME_MAX;
        while sim.now() < until {
            let pods = client.list(&kinds::PODS, self.namespace, &ListOptions::labels(labels)).await;
            let pods = pods.map(|list| list.items).unwrap_or_default();
            let is_up = |pod: &Object| matches!(pod.str("status.phase"), "Running" | "Succeeded");
            if !pods.is_empty() && pods.iter().all(is_up) {
                return Ok(());
            }
            sim.sleep(LOOK_INTERVAL).await;
        }
        Err(format!("run callbacks: running callbacks: [waiting for {labels} pods: context deadline exceeded]"))
    }

    /// Waits for the end of a namespace that was deleted, as kubectl does.
    async fn wait_until_gone(&self, call: &Call, client: &Client) {
        if !self.objects().any(|(kind, _)| *kind == kinds::NAMESPACES) {
            return;
        }
        let sim = &call.ctx.sim;
        let until = sim.now() + DELETE_TIME_MAX;
        while sim.now() < until && client.get(&kinds::NAMESPACES, "", self.namespace).await.is_ok() {
            sim.sleep(LOOK_INTERVAL).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_objects_are_those_of_minikube() {
        let all = |name: &str| -> Vec<(&'static Kind, Object)> {
            BUILT.iter().find(|addon| addon.name == name).expect("an add-on").objects().collect()
        };
        let names = |name: &str| -> Vec<String> {
            all(name).iter().map(|(kind, o)| format!("{} {}", kind.kind, o.name())).collect()
        };
        let metrics = names("metrics-server");
        assert_eq!(metrics.first().map(String::as_str), Some("APIService v1beta1.metrics.k8s.io"));
        assert_eq!(metrics.last().map(String::as_str), Some("Service metrics-server"));
        let ingress = names("ingress");
        assert_eq!(ingress.first().map(String::as_str), Some("Namespace ingress-nginx"));
        assert!(ingress.contains(&"Job ingress-nginx-admission-patch".to_owned()), "{ingress:?}");
        assert_eq!(ingress.last().map(String::as_str), Some("IngressClass nginx"));
        // What is said to be used is what is used.
        for addon in BUILT {
            let pods = all(addon.name).into_iter().flat_map(|(_, o)| o.list("spec.template.spec.containers").to_vec());
            let images: Vec<String> = pods.filter_map(|c| Some(c["image"].as_str()?.to_owned())).collect();
            assert_eq!(images, addon.images, "{}", addon.name);
        }
    }
}
