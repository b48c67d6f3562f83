//! `kubectl expose` (`kubectl/pkg/cmd/expose`).

use std::rc::Rc;

use api::Object;
use json::{Map, Value, json};

use super::create::resource;
use crate::failure::{Failure, Outcome};
use crate::flags::common::{DRY_RUN, FILES, PRINT, SAVE_CONFIG, field_manager};
use crate::flags::{Action, Args, COMMAND, Command, Flag, text};
use crate::last_applied;
use crate::printers::output::{DryRun, Reporter};
use crate::rest::with_query;
use crate::session::Session;
use crate::targets::{self, Info, Query};

static FLAGS: &[Flag] = &[
    text("cluster-ip", "", "Address of your own; None for a headless service."),
    text("external-ip", "", "One more address at which the service is reached."),
    field_manager("kubectl-expose"),
    text("labels", "", "Labels of the service.").short('l'),
    text("load-balancer-ip", "", "Address for the load balancer."),
    text("name", "", "Name of the service."),
    text("override-type", "merge", "How --overrides is applied: json, merge or strategic."),
    text("overrides", "", "JSON that is laid over the service."),
    text("port", "", "Port of the service. Taken from what is exposed when left out."),
    text("protocol", "", "Protocol of the port; TCP when left out."),
    text("selector", "", "Labels of the pods behind the service. Taken from what is exposed when left out."),
    text("session-affinity", "", "'None' or 'ClientIP'."),
    text("target-port", "", "Port of the pods, as a number or a name. The same as --port when left out."),
    text("type", "", "ClusterIP, NodePort, LoadBalancer or ExternalName; ClusterIP when left out."),
];

/// The command.
pub static EXPOSE: Command = Command {
    name: "expose",
    usage: "(-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] [--name=name] [--external-ip=external-ip-of-service] [--type=type]",
    short: "Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service",
    long: "Make a service for the pods of a deployment, service, replica set, replication controller or pod.

 The new service takes its labels, its selector and, when there is only one, its port from what is exposed.",
    examples: &[
        ("A deployment on a port of every node", "kubectl expose deployment/web --type=NodePort --port=8080"),
        (
            "A service on port 80 for pods that listen on 8000",
            "kubectl expose deployment web --port=80 --target-port=8000",
        ),
        ("A pod", "kubectl expose pod web-1 --port=80 --name=frontend"),
    ],
    flags: &[FLAGS, DRY_RUN, FILES, PRINT, SAVE_CONFIG],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let dry_run = DryRun::from_args(&session, &args).await?;
    let reporter = Reporter::new(&session, &args, dry_run)?;
    let rest = session.rest(&args)?;
    // Here --selector belongs to the service, not to what is looked for.
    let mut query = Query::from_args(&rest, &args, &args.words).await?;
    query.labels = None;
    let found = targets::fetch(&rest, &query).await?;
    let services = resource("", "v1", "Service", "services", true);
    for info in &found.infos {
        let mut service = super::run::overridden(service_for(&args, info)?, &args)?;
        if rest.connection.namespace_given {
            service["metadata"]["namespace"] = rest.namespace().into();
        }
        if dry_run == DryRun::Client {
            reporter.report_typed(&services, &service, "exposed").await?;
            continue;
        }
        if args.on("save-config") {
            last_applied::annotate(&mut service);
        }
        let path = with_query(
            &services.collection(rest.namespace()),
            &[("dryRun", dry_run.parameter()), ("fieldManager", args.text("field-manager"))],
        );
        let created = rest.post(&path, &service).await?;
        reporter.report(&services, &created, "exposed").await?;
    }
    Failure::several(found.failures)
}

fn service_for(args: &Args, info: &Info) -> Outcome<Value> {
    let object = &info.object;
    can_be_exposed(info)?;
    let selector = match args.text("selector") {
        "" => selector_of(object)?,
        text => parse_labels(text)?,
    };
    let found = ports_of(object);
    let headless = args.text("cluster-ip") == "None";
    let wanted: Vec<String> = match (args.text("port"), found.len()) {
        ("", 0) if headless => Vec::new(),
        ("", 0) => return Err(Failure::message("couldn't find port via --port flag or introspection")),
        ("", _) => {
            let mut numbers: Vec<String> = Vec::new();
            for (port, _) in &found {
                if !numbers.contains(port) {
                    numbers.push(port.clone());
                }
            }
            numbers
        }
        (text, _) => text.split(',').map(str::to_owned).collect(),
    };
    let labels = match args.text("labels") {
        "" => object.at("metadata.labels").clone(),
        text => Value::Object(parse_labels(text)?),
    };
    let name = match args.text("name") {
        "" => &object.name()[..object.name().len().min(63)],
        name => name,
    };
    let ports = make_ports(args, &wanted, &found)?;
    let mut service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
        "spec": {"selector": selector}, "status": {"loadBalancer": {}},
    });
    if labels.as_object().is_some_and(|l| !l.is_empty()) {
        service["metadata"]["labels"] = labels;
    }
    if !ports.is_empty() {
        service["spec"]["ports"] = Value::Array(ports.into());
    }
    add_options(args, &mut service["spec"])?;
    Ok(service)
}

fn add_options(args: &Args, spec: &mut Value) -> Outcome {
    for (flag, field) in [("type", "type"), ("cluster-ip", "clusterIP"), ("session-affinity", "sessionAffinity")] {
        if !args.text(flag).is_empty() {
            spec[field] = args.text(flag).into();
        }
    }
    if !matches!(args.text("session-affinity"), "" | "None" | "ClientIP") {
        return Err(Failure::message(format!("unknown session affinity: {}", args.text("session-affinity"))));
    }
    if !args.text("external-ip").is_empty() {
        spec["externalIPs"] = json!([args.text("external-ip")]);
    }
    if args.text("type") == "LoadBalancer" && !args.text("load-balancer-ip").is_empty() {
        spec["loadBalancerIP"] = args.text("load-balancer-ip").into();
    }
    Ok(())
}

fn make_ports(args: &Args, wanted: &[String], found: &[(String, String)]) -> Outcome<Vec<Value>> {
    let mut ports = Vec::new();
    for (i, text) in wanted.iter().enumerate() {
        let number: i64 = text.parse().map_err(|_| {
            Failure::message(format!("strconv.Atoi: parsing {}: invalid syntax", crate::flags::parse::go_quote(text)))
        })?;
        let target = match args.text("target-port") {
            "" => number.into(),
            text => text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from),
        };
        let mut protocols: Vec<&str> = match args.text("protocol") {
            "" => found.iter().filter(|(port, _)| port == text).map(|(_, p)| p.as_str()).collect(),
            given => vec![given],
        };
        if protocols.is_empty() {
            protocols.push("TCP");
        }
        for protocol in &protocols {
            let mut port = json!({"port": number, "protocol": protocol, "targetPort": target});
            if protocols.len() > 1 {
                port["name"] = format!("port-{}-{}", i + 1, protocol.to_lowercase()).into();
            } else if wanted.len() > 1 {
                port["name"] = format!("port-{}", i + 1).into();
            }
            ports.push(port);
        }
    }
    Ok(ports)
}

fn can_be_exposed(info: &Info) -> Outcome {
    match info.named.resource.kind.as_str() {
        "ReplicationController" | "Service" | "Pod" | "Deployment" | "ReplicaSet" => Ok(()),
        _ => {
            let resource = &info.named.resource;
            let name = if resource.group.is_empty() {
                resource.kind.clone()
            } else {
                format!("{}.{}", resource.kind, resource.group)
            };
            Err(Failure::message(format!("cannot expose a {name}")))
        }
    }
}

/// The labels of the pods behind an object.
fn selector_of(object: &Object) -> Outcome<Map> {
    let fail = |why: String| {
        Failure::message(format!("couldn't retrieve selectors via --selector flag or introspection: {why}"))
    };
    let (value, why) = match object.kind() {
        "Pod" => (object.at("metadata.labels"), "the pod has no labels and cannot be exposed"),
        "Service" => (object.at("spec.selector"), "the service has no pod selector set"),
        "ReplicationController" => (object.at("spec.selector"), "the replication controller has no pod selector set"),
        _ => {
            if let [first, ..] = object.list("spec.selector.matchExpressions") {
                return Err(fail(format!(
                    "couldn't convert expressions - \"[{}]\" to map-based selector format",
                    crate::goval::plain(first)
                )));
            }
            (object.at("spec.selector.matchLabels"), "invalid deployment: no selectors, therefore cannot be exposed")
        }
    };
    match value.as_object().filter(|m| !m.is_empty()) {
        Some(map) => Ok(map.clone()),
        None => Err(fail(why.to_owned())),
    }
}

/// The ports that an object's containers, or the service itself, declare, with their protocols.
fn ports_of(object: &Object) -> Vec<(String, String)> {
    let (list, field) = match object.kind() {
        "Service" => (vec![object.at("spec.ports")], "port"),
        "Pod" => (container_ports(object.list("spec.containers")), "containerPort"),
        _ => (container_ports(object.list("spec.template.spec.containers")), "containerPort"),
    };
    let ports = list.into_iter().filter_map(Value::as_array).flatten();
    ports
        .filter_map(|p| {
            let protocol = p.get("protocol").and_then(Value::as_str).unwrap_or("TCP");
            Some((p.get(field)?.as_i64()?.to_string(), protocol.to_owned()))
        })
        .collect()
}

fn container_ports(containers: &[Value]) -> Vec<&Value> {
    containers.iter().filter_map(|c| c.get("ports")).collect()
}

/// `a=b,c=d` as a map.
pub fn parse_labels(text: &str) -> Outcome<Map> {
    let mut labels = Map::new();
    for part in text.split(',') {
        let pieces: Vec<&str> = part.split('=').collect();
        match pieces.as_slice() {
            [key, value] if !key.is_empty() => labels.insert((*key).into(), (*value).into()),
            [_, _] => return Err(Failure::message("unexpected empty label key")),
            _ => return Err(Failure::message(format!("unexpected label spec: {part}"))),
        };
    }
    Ok(labels)
}
