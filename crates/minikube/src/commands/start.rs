//! `minikube start`.

use std::collections::BTreeMap;

use futures_util::future::LocalBoxFuture;

use crate::command::{Command, Flag};
use crate::host::ClusterSpec;
use crate::out::Style;
use crate::program::Call;
use crate::{KUBERNETES_VERSION, VERSION, kubeconfig};

/// minikube's exit code when a guest cannot be provisioned.
const EXIT_GUEST: i32 = 80;
/// minikube's exit code when the kubeconfig cannot be written.
const EXIT_HOST_CONFIG: i32 = 38;
/// minikube's exit code for a wrong value.
const EXIT_USAGE: i32 = 14;

pub(crate) static COMMAND: Command = Command {
    name: "start",
    aliases: &[],
    usage: "",
    help: "Starts a local Kubernetes cluster",
    flags: &[
        Flag { name: "nodes", short: Some('n'), default: Some("1"), help: "The number of machines" },
        Flag {
            name: "driver",
            short: None,
            default: Some("kubonsai"),
            help: "How machines are made: only kubonsai, simulated ones",
        },
        Flag { name: "kubernetes-version", short: None, default: Some(KUBERNETES_VERSION), help: "Only this one" },
        Flag { name: "cpus", short: None, default: Some("2"), help: "CPUs of a machine: only 2" },
        Flag { name: "memory", short: None, default: Some("4096"), help: "Memory of a machine in MiB: only 4096" },
        Flag {
            name: "extra-config",
            short: None,
            default: Some(""),
            help: "A setting of a component as component.key=value, any number of times: only kubelet.eviction-hard",
        },
        Flag {
            name: "wait",
            short: None,
            default: Some("apiserver,system_pods"),
            help: "Accepted; start always waits until nodes are Ready",
        },
    ],
    run,
};

fn run(call: Call) -> LocalBoxFuture<'static, i32> {
    Box::pin(async move { start(call).await })
}

/// minikube's rule for the names of profiles.
fn is_valid_name(name: &str) -> bool {
    name.len() >= 2
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

async fn start(call: Call) -> i32 {
    let name = call.profile().to_owned();
    call.step(Style::Happy, format!("minikube {VERSION} on Kubonsai (a simulated machine)")).await;
    if !is_valid_name(&name) {
        call.error(Style::Warning, format!("Profile name '{name}' is not valid")).await;
        let rule = "Only alphanumeric and dashes '-' are permitted. Minimum 2 characters, starting with alphanumeric.";
        return call.give_up("MK_USAGE", EXIT_USAGE, rule).await;
    }
    let known = call.host.status(&name);
    let Some(nodes) = wanted_nodes(&call, known.as_ref().map(|s| s.nodes.len())).await else { return EXIT_USAGE };
    if let Some(problem) = refused_values(&call) {
        return call.give_up("MK_USAGE", EXIT_USAGE, problem).await;
    }
    let kubelet = match extra_config(&call) {
        Ok(kubelet) => kubelet,
        Err(problem) => return call.give_up("MK_USAGE", EXIT_USAGE, problem).await,
    };
    if let Err(problem) = call.host.check_kubelet(&name, &kubelet) {
        let given: Vec<&str> = call.parsed.all("extra-config").filter(|given| !given.is_empty()).collect();
        let problem = format!("--extra-config={}: {problem}", given.join(" "));
        return call.give_up("MK_USAGE", EXIT_USAGE, problem).await;
    }
    let driver = "kubonsai driver (simulated machines, nothing is installed)";
    match &known {
        None => call.step(Style::Sparkle, format!("Using the {driver}")).await,
        Some(_) => call.step(Style::Sparkle, format!("Using the {driver} based on existing profile")).await,
    }
    call.step(Style::Thumbs, format!("Starting \"{name}\" primary control-plane node in \"{name}\" cluster")).await;
    match &known {
        Some(status) if status.running => {
            call.step(Style::Running, format!("Updating the running kubonsai \"{name}\" machine ...")).await;
        }
        Some(_) => call.step(Style::Running, format!("Restarting existing kubonsai machine for \"{name}\" ...")).await,
        None => {
            let text = "Creating kubonsai machine (CPUs=2, Memory=4096MB) ...";
            call.step(Style::Fire, text).await;
        }
    }
    let spec = ClusterSpec { name: name.clone(), nodes, kubelet };
    if let Err(problem) = call.host.create(&spec).await {
        return call.give_up("GUEST_PROVISION", EXIT_GUEST, problem).await;
    }
    call.step(Style::Docker, format!("Preparing Kubernetes {KUBERNETES_VERSION} ...")).await;
    for (key, value) in &spec.kubelet {
        call.step(Style::Option, format!("kubelet.{key}={value}")).await;
    }
    call.host.start_control_plane(&name).await;
    call.step(Style::Network, "Configuring bridge CNI (Container Networking Interface) ...").await;
    call.host.start_node(&name, 0).await;
    for index in 1..nodes {
        let node = call.host.status(&name).and_then(|s| s.nodes.get(index as usize).cloned());
        let (node, role) =
            node.map(|n| (n.name, if n.control_plane { "control-plane" } else { "worker" })).unwrap_or_default();
        call.step(Style::Thumbs, format!("Starting \"{node}\" {role} node in \"{name}\" cluster")).await;
        call.host.start_node(&name, index).await;
    }
    call.step(Style::Verify, "Verifying Kubernetes components...").await;
    if !call.host.verify(&name).await {
        let message = "failed to start node: the nodes did not become Ready within six minutes";
        return call.give_up("GUEST_START", EXIT_GUEST, message).await;
    }
    finish(&call, &name).await
}

async fn finish(call: &Call, name: &str) -> i32 {
    let server = call.host.status(name).map(|s| s.server).unwrap_or_default();
    if let Err(problem) = kubeconfig::write(&call.ctx.fs, &call.kubeconfig(), name, &server, Some("default")) {
        return call.give_up("HOST_KUBECONFIG_UPDATE", EXIT_HOST_CONFIG, problem).await;
    }
    let text =
        format!("Done! kubectl is now configured to use \"{name}\" cluster and \"default\" namespace by default");
    call.step(Style::Ready, text).await;
    0
}

/// The machines to start: those that are there, or as many as asked for.
async fn wanted_nodes(call: &Call, known: Option<usize>) -> Option<u32> {
    match call.parsed.value("nodes").parse::<u32>() {
        Ok(count) if count >= 1 => match known {
            Some(known) => u32::try_from(known).ok(),
            None => Some(count),
        },
        _ => {
            let value = call.parsed.value("nodes");
            call.give_up("MK_USAGE", EXIT_USAGE, format!("--nodes={value}: a number from 1 is due")).await;
            None
        }
    }
}

/// What `--extra-config` says to the kubelets; whatever else it says is refused by name.
fn extra_config(call: &Call) -> Result<BTreeMap<String, String>, String> {
    let mut kubelet = BTreeMap::new();
    for given in call.parsed.all("extra-config").filter(|given| !given.is_empty()) {
        let Some((component, rest)) = given.split_once('.') else {
            return Err(format!(
                "--extra-config={given}: invalid value: must contain at least one period: \"{given}\""
            ));
        };
        let Some((key, value)) = rest.split_once('=') else {
            return Err(format!("--extra-config={given}: invalid value: must contain one equal sign: \"{given}\""));
        };
        if (component, key) != ("kubelet", "eviction-hard") {
            let refusal = simulation::stub!("minikube start", "--extra-config other than kubelet.eviction-hard");
            return Err(format!("--extra-config={given}: {refusal}"));
        }
        kubelet.insert(key.to_owned(), value.to_owned());
    }
    Ok(kubelet)
}

/// Values that this minikube cannot give: said, never ignored.
fn refused_values(call: &Call) -> Option<String> {
    for (flag, only) in [("driver", "kubonsai"), ("cpus", "2"), ("memory", "4096")] {
        let value = call.parsed.value(flag);
        if value != only {
            return Some(format!(
                "--{flag}={value}: {} (only {only})",
                simulation::stub!("minikube start", "other machines")
            ));
        }
    }
    let version = call.parsed.value("kubernetes-version");
    if !matches!(version.trim_start_matches('v'), "1.36.3" | "stable" | "latest") {
        let refusal = simulation::stub!("minikube start", "other versions of Kubernetes");
        return Some(format!("--kubernetes-version={version}: {refusal} (only {KUBERNETES_VERSION})"));
    }
    None
}
