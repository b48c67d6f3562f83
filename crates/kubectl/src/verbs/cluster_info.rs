//! `kubectl cluster-info`, `api-resources`, `api-versions`.

use std::rc::Rc;

use json::{Value, json};

use crate::discovery::Resource;
use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, slice, switch, switch_on, text};
use crate::printers::output::Printer;
use crate::printers::tabwriter::TABLE;
use crate::rest::with_query;
use crate::session::Session;

/// `kubectl cluster-info`.
pub static CLUSTER_INFO: Command = Command {
    name: "cluster-info",
    usage: "[flags]",
    short: "Display cluster information",
    long: "Show the addresses of the control plane and of services with the label kubernetes.io/cluster-service=true.",
    examples: &[("The addresses", "kubectl cluster-info")],
    commands: &[&crate::verbs::cluster_info_dump::DUMP],
    action: Action::Run(|session, args| Box::pin(cluster_info(session, args))),
    ..COMMAND
};

async fn cluster_info(session: Rc<Session>, args: Args) -> Outcome {
    let rest = session.rest(&args)?;
    let path = with_query(
        "/api/v1/namespaces/kube-system/services",
        &[("labelSelector", "kubernetes.io/cluster-service=true")],
    );
    let hint = "\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n";
    let answer = match rest.get(&path).await {
        Ok(answer) => answer,
        Err(failure) => {
            session.out(hint).await?;
            return Err(failure);
        }
    };
    let server = &rest.connection.server;
    let mut text = format!("Kubernetes control plane is running at {server}\n");
    for service in answer.get("items").and_then(Value::as_array).into_iter().flatten() {
        let service = api::Object::new(service.clone());
        let name = service.label("kubernetes.io/name").unwrap_or(service.name());
        let port = service.list("spec.ports").first();
        let port = port.and_then(|p| p.get("name")).and_then(Value::as_str).unwrap_or("");
        let scheme = if port.is_empty() { service.name().to_owned() } else { format!("{}:{port}", service.name()) };
        let path = format!("/api/v1/namespaces/{}/services/{scheme}/proxy", service.namespace());
        text.push_str(&format!("{name} is running at {server}{path}\n"));
    }
    session.out(text + hint).await
}

/// `kubectl api-versions`.
pub static API_VERSIONS: Command = Command {
    name: "api-versions",
    short: "Print the supported API versions on the server, in the form of \"group/version\"",
    long: "Print the API versions that the server offers, as group/version.",
    examples: &[("All versions", "kubectl api-versions")],
    action: Action::Run(|session, args| Box::pin(api_versions(session, args))),
    ..COMMAND
};

async fn api_versions(session: Rc<Session>, args: Args) -> Outcome {
    if !args.words.is_empty() {
        return Err(args.usage(format!("unexpected arguments: [{}]", args.words.join(" "))));
    }
    let rest = session.rest(&args)?;
    let mut versions = rest.discover().await?.group_versions.clone();
    versions.sort();
    session.out(versions.join("\n") + "\n").await
}

static RESOURCE_FLAGS: &[Flag] = &[
    text("api-group", "", "Only this API group."),
    switch("cached", "Use what was asked before, if there is something."),
    slice("categories", "Only resources of these categories."),
    switch_on("namespaced", "Only resources that live in a namespace, or with =false that do not."),
    switch("no-headers", "Leave the header line out."),
    text("output", "", "Output format. One of: (json, yaml, name, wide).").short('o'),
    switch("show-managed-fields", "Keep managedFields in JSON and YAML."),
    text("sort-by", "", "Sort by name or kind."),
    slice("verbs", "Only resources that offer these verbs."),
];

/// `kubectl api-resources`.
pub static API_RESOURCES: Command = Command {
    name: "api-resources",
    usage: "[flags]",
    short: "Print the supported API resources on the server",
    long: "Print the types of objects that the server knows.",
    examples: &[
        ("All types", "kubectl api-resources"),
        ("With more columns", "kubectl api-resources -o wide"),
        ("Those that live in a namespace", "kubectl api-resources --namespaced=true"),
        ("Those of one group", "kubectl api-resources --api-group=apps"),
    ],
    flags: &[RESOURCE_FLAGS],
    action: Action::Run(|session, args| Box::pin(api_resources(session, args))),
    ..COMMAND
};

async fn api_resources(session: Rc<Session>, args: Args) -> Outcome {
    if !args.words.is_empty() {
        return Err(args.usage(format!("unexpected arguments: [{}]", args.words.join(" "))));
    }
    let output = args.text("output");
    if !matches!(output, "" | "wide" | "name" | "json" | "yaml" | "kyaml") {
        return Err(Failure::message(format!(
            "unable to match a printer suitable for the output format \"{output}\", allowed formats are: json,kyaml,name,wide,yaml"
        )));
    }
    if !matches!(args.text("sort-by"), "" | "name" | "kind") {
        return Err(Failure::message("--sort-by accepts only name or kind"));
    }
    let rest = session.rest(&args)?;
    let discovery = rest.discover().await?;
    let mut shown: Vec<&Resource> = discovery.preferred().filter(|r| matches(r, &args)).collect();
    shown.sort_by(|a, b| match args.text("sort-by") {
        "name" => a.plural.cmp(&b.plural),
        "kind" => a.kind.cmp(&b.kind),
        _ => (&a.group, &a.plural).cmp(&(&b.group, &b.plural)),
    });
    if output == "name" {
        let names: String = shown.iter().map(|r| format!("{}\n", r.group_resource())).collect();
        return session.out(names).await;
    }
    if output == "json" {
        return session.out(ordered_json(&list(&shown))).await;
    }
    let printer = match output {
        "yaml" => Some(Printer::Yaml),
        "kyaml" => Some(Printer::KYaml),
        _ => None,
    };
    if let Some(printer) = printer {
        return session.out(printer.print(&list(&shown)).0).await;
    }
    let wide = output == "wide";
    let mut text = String::new();
    if !args.on("no-headers") {
        text.push_str("NAME\tSHORTNAMES\tAPIVERSION\tNAMESPACED\tKIND");
        text.push_str(if wide { "\tVERBS\tCATEGORIES\n" } else { "\n" });
    }
    for r in shown {
        let mut cells =
            vec![r.plural.clone(), r.short_names.join(","), r.api_version(), r.namespaced.to_string(), r.kind.clone()];
        if wide {
            cells.push(r.verbs.join(","));
            cells.push(r.categories.join(","));
        }
        text.push_str(&(cells.join("\t") + "\n"));
    }
    session.out(TABLE.layout(&text)).await
}

/// The fields of a resource in the order of upstream's type, which is the order in JSON; in YAML they are sorted.
const FIELDS: [&str; 9] =
    ["name", "singularName", "namespaced", "group", "version", "kind", "verbs", "shortNames", "categories"];

/// The resources as the list that the server's own description is made of.
fn list(resources: &[&Resource]) -> Value {
    let one = |r: &&Resource| {
        let mut value = json!({
            "kind": r.kind, "name": r.plural, "namespaced": r.namespaced, "singularName": r.singular,
            "version": r.version, "verbs": r.verbs,
        });
        if !r.group.is_empty() {
            value["group"] = r.group.clone().into();
        }
        for (field, texts) in [("shortNames", &r.short_names), ("categories", &r.categories)] {
            if !texts.is_empty() {
                value[field] = json!(texts);
            }
        }
        value
    };
    // An empty list is none in Go.
    let resources = if resources.is_empty() { Value::Null } else { resources.iter().map(one).collect() };
    json!({"apiVersion": "v1", "kind": "APIResourceList", "groupVersion": "", "resources": resources})
}

fn ordered_json(list: &Value) -> String {
    let head = "{\n    \"kind\": \"APIResourceList\",\n    \"apiVersion\": \"v1\",\n    \"groupVersion\": \"\",\n    \"resources\": ";
    let Some(resources) = list["resources"].as_array() else { return format!("{head}null\n}}\n") };
    let one = |resource: &Value| {
        let field = |name: &&str| {
            let value = crate::goval::json_indent(resource.get(*name)?, "    ").replace('\n', "\n            ");
            Some(format!("            \"{name}\": {value}"))
        };
        let fields: Vec<String> = FIELDS.iter().filter_map(field).collect();
        format!("        {{\n{}\n        }}", fields.join(",\n"))
    };
    let all: Vec<String> = resources.iter().map(one).collect();
    format!("{head}[\n{}\n    ]\n}}\n", all.join(",\n"))
}

fn matches(resource: &Resource, args: &Args) -> bool {
    let group = !args.changed("api-group") || resource.group == args.text("api-group");
    let scope = !args.changed("namespaced") || resource.namespaced == args.on("namespaced");
    let verbs = args.list("verbs").iter().all(|v| resource.can(v));
    let categories = args.list("categories").iter().all(|c| resource.categories.contains(c));
    group && scope && verbs && categories && !resource.verbs.is_empty()
}
