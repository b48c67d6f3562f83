//! `kubectl create ingress`.

use std::rc::Rc;

use json::{Map, Value, json};

use super::{COMMON, create, name, resource};
use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, array, text};
use crate::session::Session;

static FLAGS: &[Flag] = &[
    array("annotation", "An annotation, as name=value."),
    text("class", "", "The ingress class."),
    text("default-backend", "", "Where everything else goes, as service:port."),
    array("rule", "host/path=service:port[,tls[=secret]]"),
];

/// The command.
pub static INGRESS: Command = Command {
    name: "ingress",
    aliases: &["ing"],
    usage: "NAME --rule=host/path=service:port[,tls[=secret]] ",
    short: "Create an ingress with the specified name",
    long: "Create an ingress: which requests from outside go to which service.",
    examples: &[
        ("One path", "kubectl create ingress simple --rule=\"foo.com/bar=svc1:8080,tls=my-cert\""),
        ("Every path of a host", "kubectl create ingress catch-all --class=otheringress --rule=\"foo.com/*=svc:port\""),
    ],
    flags: &[FLAGS, COMMON[0], COMMON[1], COMMON[2], COMMON[3], COMMON[4]],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let name = name(&args)?;
    let rules = args.list("rule").to_vec();
    let default = args.text("default-backend").to_owned();
    if rules.is_empty() && default.is_empty() {
        return Err(Failure::message(
            "not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)",
        ));
    }
    let mut spec = json!({});
    if !args.text("class").is_empty() {
        spec["ingressClassName"] = args.text("class").into();
    }
    if !default.is_empty() {
        let Some((service, port)) = default.split_once(':').filter(|(s, p)| !s.is_empty() && !p.is_empty()) else {
            return Err(Failure::message("default-backend should be in format servicename:serviceport"));
        };
        spec["defaultBackend"] = backend(service, port);
    }
    let (hosts, tls) = parse(&rules)?;
    if !hosts.is_empty() {
        spec["rules"] = hosts.into();
    }
    if !tls.is_empty() {
        spec["tls"] = tls.into();
    }
    let mut metadata = json!({"name": name});
    let mut annotations = Map::new();
    for annotation in args.list("annotation") {
        let Some((key, value)) = annotation.split_once('=') else {
            return Err(Failure::message(format!(
                "annotation {annotation} is invalid and should be in format key=[value]"
            )));
        };
        annotations.insert(key.into(), value.into());
    }
    if !annotations.is_empty() {
        metadata["annotations"] = annotations.into();
    }
    let object = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec,
        "status": {"loadBalancer": {}}});
    create(session, args, resource("networking.k8s.io", "v1", "Ingress", "ingresses", true), object, "ingress").await
}

fn backend(service: &str, port: &str) -> Value {
    let port = match port.parse::<i64>() {
        Ok(number) => json!({"number": number}),
        Err(_) => json!({"name": port}),
    };
    json!({"service": {"name": service, "port": port}})
}

/// Rules by host, and what is encrypted, both in the order of the flags.
fn parse(rules: &[String]) -> Outcome<(Vec<Value>, Vec<Value>)> {
    let (mut hosts, mut tls): (Vec<(String, Vec<Value>)>, Vec<Value>) = Default::default();
    for rule in rules {
        let bad = || {
            Failure::message(format!(
                "rule {rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"
            ))
        };
        let mut parts = rule.split(',');
        let (place, target) = parts.next().and_then(|first| first.split_once('=')).ok_or_else(bad)?;
        let (host, path) = place.split_once('/').ok_or_else(bad)?;
        let (service, port) = target.split_once(':').ok_or_else(bad)?;
        // A star at the end stands for all that begins so.
        let (path, kind) = match path.strip_suffix('*') {
            Some(prefix) => (format!("/{prefix}"), "Prefix"),
            None => (format!("/{path}"), "Exact"),
        };
        let one = json!({"backend": backend(service, port), "path": path, "pathType": kind});
        match hosts.iter_mut().find(|(known, _)| known == host) {
            Some((_, paths)) => paths.push(one),
            None => hosts.push((host.to_owned(), vec![one])),
        }
        for option in parts.filter(|option| *option == "tls" || option.starts_with("tls=")) {
            let mut entry = json!({});
            if !host.is_empty() {
                entry["hosts"] = json!([host]);
            }
            if let Some((_, secret)) = option.split_once('=').filter(|(_, secret)| !secret.is_empty()) {
                entry["secretName"] = secret.into();
            }
            tls.push(entry);
        }
    }
    let rule = |(host, paths): (String, Vec<Value>)| {
        let mut rule = json!({"http": {"paths": paths}});
        if !host.is_empty() {
            rule["host"] = host.into();
        }
        rule
    };
    Ok((hosts.into_iter().map(rule).collect(), tls))
}
