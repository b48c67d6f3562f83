//! `kubectl create service`.

use std::rc::Rc;

use json::{Value, json};

use super::{COMMON, create, name, resource};
use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, HelpTo, int, slice, text};
use crate::session::Session;

/// The parent command.
pub static SERVICE: Command = Command {
    name: "service",
    aliases: &["svc"],
    usage: "[flags]",
    short: "Create a service using a specified subcommand",
    long: "Create a service: a stable address for pods that come and go.",
    commands: &[&CLUSTER_IP, &EXTERNAL_NAME, &LOAD_BALANCER, &NODE_PORT],
    action: Action::Group(HelpTo::Err),
    ..COMMAND
};

static TCP: &[Flag] = &[slice("tcp", "A pair of ports, e.g. 5678:8080 or 5678 for both.")];
static CLUSTER_IP_FLAG: &[Flag] = &[text("clusterip", "", "Address of your own; None for a headless service.")];
static NODE_PORT_FLAG: &[Flag] = &[int("node-port", "0", "Port on every node.")];
static EXTERNAL_NAME_FLAG: &[Flag] = &[text("external-name", "", "DNS name that the service stands for.")];

static CLUSTER_IP: Command = Command {
    name: "clusterip",
    usage: "NAME [--tcp=<port>:<targetPort>] [--dry-run=server|client|none]",
    short: "Create a ClusterIP service",
    long: "Create a service with an address inside the cluster.",
    examples: &[
        ("Port 5678, sent on to port 8080 of the pods", "kubectl create service clusterip my-cs --tcp=5678:8080"),
        ("A headless service", "kubectl create service clusterip my-cs --clusterip=\"None\""),
    ],
    flags: &[TCP, CLUSTER_IP_FLAG, COMMON[0], COMMON[1], COMMON[2], COMMON[3], COMMON[4]],
    action: Action::Run(|session, args| Box::pin(run(session, args, "ClusterIP"))),
    ..COMMAND
};

static NODE_PORT: Command = Command {
    name: "nodeport",
    usage: "NAME [--tcp=port:targetPort] [--dry-run=server|client|none]",
    short: "Create a NodePort service",
    long: "Create a service that can be reached at a port of every node.",
    examples: &[("Port 5678, sent on to port 8080", "kubectl create service nodeport my-ns --tcp=5678:8080")],
    flags: &[TCP, NODE_PORT_FLAG, COMMON[0], COMMON[1], COMMON[2], COMMON[3], COMMON[4]],
    action: Action::Run(|session, args| Box::pin(run(session, args, "NodePort"))),
    ..COMMAND
};

static LOAD_BALANCER: Command = Command {
    name: "loadbalancer",
    usage: "NAME [--tcp=port:targetPort] [--dry-run=server|client|none]",
    short: "Create a LoadBalancer service",
    long: "Create a service with a load balancer in front of the cluster.",
    examples: &[("Port 5678, sent on to port 8080", "kubectl create service loadbalancer my-lbs --tcp=5678:8080")],
    flags: &[TCP, COMMON[0], COMMON[1], COMMON[2], COMMON[3], COMMON[4]],
    action: Action::Run(|session, args| Box::pin(run(session, args, "LoadBalancer"))),
    ..COMMAND
};

static EXTERNAL_NAME: Command = Command {
    name: "externalname",
    usage: "NAME --external-name external.name [--dry-run=server|client|none]",
    short: "Create an ExternalName service",
    long: "Create a service that is only a DNS name for something outside of the cluster.",
    examples: &[("A name for bar.com", "kubectl create service externalname my-ns --external-name bar.com")],
    flags: &[TCP, EXTERNAL_NAME_FLAG, COMMON[0], COMMON[1], COMMON[2], COMMON[3], COMMON[4]],
    required: &["external-name"],
    action: Action::Run(|session, args| Box::pin(run(session, args, "ExternalName"))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args, kind: &'static str) -> Outcome {
    let name = name(&args)?;
    let headless = args.text("clusterip") == "None";
    let pairs = args.list("tcp");
    if pairs.is_empty() && !headless && kind != "ExternalName" {
        return Err(Failure::message("at least one tcp port specifier must be provided"));
    }
    let mut ports: Vec<Value> = pairs.iter().map(|pair| port(pair)).collect::<Outcome<_>>()?;
    if args.int("node-port") != 0 {
        ports.iter_mut().for_each(|p| p["nodePort"] = args.int("node-port").into());
    }
    let labels = json!({"app": name});
    let mut spec = json!({"selector": labels, "type": kind});
    if !ports.is_empty() {
        spec["ports"] = Value::Array(ports.into());
    }
    if !args.text("clusterip").is_empty() {
        spec["clusterIP"] = args.text("clusterip").into();
    }
    if !args.text("external-name").is_empty() {
        spec["externalName"] = args.text("external-name").into();
    }
    let object = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "labels": labels},
        "spec": spec, "status": {"loadBalancer": {}},
    });
    let what = format!("{kind} service");
    create(session, args, resource("", "v1", "Service", "services", true), object, &what).await
}

/// `5678:8080` as a port of a service.
fn port(pair: &str) -> Outcome<Value> {
    let (from, to) = pair.split_once(':').unwrap_or((pair, pair));
    let parse = |text: &str| -> Outcome<u64> {
        text.parse::<u64>().map_err(|_| {
            Failure::message(format!(
                "strconv.ParseUint: parsing {}: invalid syntax",
                crate::flags::parse::go_quote(text)
            ))
        })
    };
    let number = parse(from)?;
    if !(1..=65_535).contains(&number) {
        return Err(Failure::message("must be between 1 and 65535, inclusive"));
    }
    let target = to.parse::<u64>().map_or_else(|_| Value::from(to), Value::from);
    let name = pair.replace(':', "-");
    Ok(json!({"name": name, "port": number, "protocol": "TCP", "targetPort": target}))
}
