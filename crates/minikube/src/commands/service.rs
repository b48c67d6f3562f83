//! `minikube service`: the address at which a Service is reached from this machine.

use api::{Object, kinds};
use client::{Client, ListOptions};
use futures_util::future::LocalBoxFuture;
use machine::Show;

use crate::command::{Command, Flag};
use crate::commands::info::{not_running, table};
use crate::out::Style;
use crate::program::Call;

/// minikube's exit code when a Service does not exist.
const EXIT_NOT_FOUND: i32 = 115;
/// minikube's exit code for a wrong command line.
const EXIT_USAGE: i32 = 14;

pub(crate) static COMMAND: Command = Command {
    name: "service",
    aliases: &[],
    usage: " [list | NAME]",
    help: "Returns a URL to connect to a service",
    flags: &[
        Flag { name: "url", short: None, default: None, help: "Print the address and nothing else" },
        Flag { name: "namespace", short: Some('n'), default: Some("default"), help: "The namespace of the Service" },
    ],
    run,
};

fn run(call: Call) -> LocalBoxFuture<'static, i32> {
    Box::pin(async move {
        let Some(status) = call.host.status(call.profile()) else { return call.no_profile().await };
        if !status.running {
            return not_running(&call).await;
        }
        let Ok(transport) = call.ctx.host.api(&status.server) else { return not_running(&call).await };
        let client = Client::new(transport, "minikube");
        let address = status.nodes.first().map(|n| n.address.to_string()).unwrap_or_default();
        match call.parsed.args.first().map(String::as_str) {
            None => call.give_up("MK_USAGE", EXIT_USAGE, "You must specify service name(s) or --all").await,
            Some("list") => list(&call, &client, &address).await,
            Some(name) => one(&call, &client, &address, name).await,
        }
    })
}

/// Name or number of each port, and its address if it has a node port.
fn ports(service: &Object, address: &str) -> Vec<(String, Option<String>)> {
    let read = |port: &json::Value| {
        let number = port.get("port").and_then(|p| p.as_i64()).unwrap_or(0);
        let name = match port.get("name").and_then(|n| n.as_str()) {
            Some(name) if !name.is_empty() => format!("{name}/{number}"),
            _ => number.to_string(),
        };
        let url =
            port.get("nodePort").and_then(|p| p.as_i64()).map(|node_port| format!("http://{address}:{node_port}"));
        (name, url)
    };
    service.list("spec.ports").iter().map(read).collect()
}

async fn one(call: &Call, client: &Client, address: &str, name: &str) -> i32 {
    let namespace = call.parsed.value("namespace");
    let Ok(service) = client.get(&kinds::SERVICES, namespace, name).await else {
        let message = format!(
            "Service '{name}' was not found in '{namespace}' namespace.\nYou may select another namespace by using 'minikube service {name} -n <namespace>'. Or list out all the services using 'minikube service list'"
        );
        return call.give_up("SVC_NOT_FOUND", EXIT_NOT_FOUND, message).await;
    };
    let ports = ports(&service, address);
    let urls: Vec<&String> = ports.iter().filter_map(|(_, url)| url.as_ref()).collect();
    let only_url = call.parsed.is_on("url");
    if urls.is_empty() {
        call.step(Style::Sad, format!("service {namespace}/{name} has no node port")).await;
    }
    if only_url {
        for url in &urls {
            let _ = call.ctx.out(format!("{url}\n")).await;
        }
    } else {
        let mut rows = vec![["NAMESPACE", "NAME", "TARGET PORT", "URL"].map(str::to_owned)];
        for (port, url) in &ports {
            let port = if url.is_some() { port.clone() } else { "No node port".to_owned() };
            rows.push([namespace.to_owned(), name.to_owned(), port, url.clone().unwrap_or_default()]);
        }
        let _ = call.ctx.out(table(&rows)).await;
    }
    if !has_running_pod(client, &service).await {
        let message = format!("service not available: no running pod for service {name} found");
        return call.give_up("SVC_UNREACHABLE", EXIT_NOT_FOUND, message).await;
    }
    if urls.is_empty() {
        let text = format!(
            "Services [{namespace}/{name}] have type \"ClusterIP\" not meant to be exposed, however for local development minikube allows you to access this !"
        );
        call.error(Style::Warning, text).await;
    } else if !only_url {
        open(call, namespace, name, &urls).await;
    }
    0
}

/// Opens each address in the browser beside the terminal.
async fn open(call: &Call, namespace: &str, name: &str, urls: &[&String]) {
    let Some(desktop) = call.ctx.host.desktop() else {
        let refusal = simulation::stub!("minikube service", "opening a browser where there is no page");
        call.error(Style::Sad, format!("{refusal}: use curl with the URL above")).await;
        return;
    };
    for url in urls {
        call.step(Style::Celebrate, format!("Opening service {namespace}/{name} in default browser...")).await;
        desktop.show(Show::Url((*url).clone()));
    }
}

/// Whether the Service selects a pod that runs.
async fn has_running_pod(client: &Client, service: &Object) -> bool {
    let pairs = service.at("spec.selector").as_object().cloned().unwrap_or_default();
    let selector: Vec<String> =
        pairs.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or(""))).collect();
    if selector.is_empty() {
        return true; // its endpoints are somebody else's affair
    }
    let options = ListOptions { label_selector: selector.join(","), ..ListOptions::default() };
    let pods = client.list(&kinds::PODS, service.namespace(), &options).await;
    pods.is_ok_and(|pods| pods.items.iter().any(|pod| pod.str("status.phase") == "Running"))
}

async fn list(call: &Call, client: &Client, address: &str) -> i32 {
    let Ok(services) = client.list(&kinds::SERVICES, "", &ListOptions::default()).await else { return 1 };
    let mut rows = vec![["NAMESPACE", "NAME", "TARGET PORT", "URL"].map(str::to_owned)];
    for service in &services.items {
        for (port, url) in ports(service, address) {
            let port = if url.is_some() { port } else { "No node port".to_owned() };
            rows.push([service.namespace().to_owned(), service.name().to_owned(), port, url.unwrap_or_default()]);
        }
    }
    let _ = call.ctx.out(table(&rows)).await;
    0
}
