//! `kubectl create role` and `kubectl create clusterrole`.

use std::collections::BTreeMap;
use std::rc::Rc;

use json::{Map, Value, json};

use super::{COMMON, create, name, resource};
use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, array, slice, text};
use crate::rest::Rest;
use crate::session::Session;

static RULE: &[Flag] = &[
    slice("verb", "Verbs that are allowed."),
    slice("resource", "Resources they are allowed on: pods, deployments.apps, pods/log."),
    array("resource-name", "Names they are allowed on; may be given several times."),
];
static CLUSTER: &[Flag] = &[
    slice("non-resource-url", "Paths of the server they are allowed on."),
    text("aggregation-rule", "", "Labels of the roles whose rules are gathered."),
];

/// `kubectl create role`.
pub static ROLE: Command = Command {
    name: "role",
    usage: "NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename] [--dry-run=server|client|none]",
    short: "Create a role with single rule",
    long: "Create a role: what may be done with which objects of a namespace.",
    examples: &[
        ("Reading pods", "kubectl create role pod-reader --verb=get --verb=list --verb=watch --resource=pods"),
        (
            "Two pods only",
            "kubectl create role pod-reader --verb=get --resource=pods --resource-name=a --resource-name=b",
        ),
    ],
    flags: &[RULE, COMMON[0], COMMON[1], COMMON[2], COMMON[3], COMMON[4]],
    action: Action::Run(|session, args| Box::pin(run(session, args, "Role"))),
    ..COMMAND
};

/// `kubectl create clusterrole`.
pub static CLUSTER_ROLE: Command = Command {
    name: "clusterrole",
    usage: "NAME --verb=verb --resource=resource.group [--resource-name=resourcename] [--dry-run=server|client|none]",
    short: "Create a cluster role",
    long: "Create a cluster role: what may be done in the whole cluster, or in any namespace that binds it.",
    examples: &[
        ("Reading pods", "kubectl create clusterrole pod-reader --verb=get,list,watch --resource=pods"),
        ("Reading a path", "kubectl create clusterrole foo --verb=get --non-resource-url=/logs/*"),
        (
            "Gathering other roles",
            "kubectl create clusterrole monitoring --aggregation-rule=\"rbac.example.com/to=monitoring\"",
        ),
    ],
    flags: &[RULE, CLUSTER, COMMON[0], COMMON[1], COMMON[2], COMMON[3], COMMON[4]],
    action: Action::Run(|session, args| Box::pin(run(session, args, "ClusterRole"))),
    ..COMMAND
};

/// Verbs that resources have; others are warned of.
const VERBS: &[&str] = &[
    "*",
    "get",
    "delete",
    "list",
    "create",
    "update",
    "patch",
    "watch",
    "proxy",
    "deletecollection",
    "use",
    "bind",
    "escalate",
    "impersonate",
];

/// Items without those that came before.
fn unique(items: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for item in items {
        if !all.contains(item) {
            all.push(item.clone());
        }
    }
    all
}

async fn run(session: Rc<Session>, args: Args, kind: &str) -> Outcome {
    let name = name(&args)?;
    let is_cluster = kind == "ClusterRole";
    let plural = if is_cluster { "clusterroles" } else { "roles" };
    let mut object = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": name}});
    let aggregation = if is_cluster { args.text("aggregation-rule") } else { "" };
    let resource = resource("rbac.authorization.k8s.io", "v1", kind, plural, !is_cluster);
    if !aggregation.is_empty() {
        if ["verb", "resource", "resource-name", "non-resource-url"].iter().any(|flag| !args.list(flag).is_empty()) {
            return Err(Failure::message(
                "aggregation rule must be specified without verbs, non-resource-urls, resources or resource-names",
            ));
        }
        object["rules"] = Value::Null;
        object["aggregationRule"] = json!({"clusterRoleSelectors": [{"matchLabels": labels(aggregation)?}]});
        return create(session, args, resource, object, "").await;
    }
    let verbs = unique(&args.list("verb"));
    let verbs = if verbs.iter().any(|verb| verb == "*") { vec!["*".to_owned()] } else { verbs };
    if verbs.is_empty() {
        return Err(Failure::message("at least one verb must be specified"));
    }
    let urls = if is_cluster { unique(&args.list("non-resource-url")) } else { Vec::new() };
    let resources = args.list("resource");
    if urls.is_empty() || !resources.is_empty() {
        for verb in verbs.iter().filter(|verb| !VERBS.contains(&verb.as_str())) {
            session.err(format!("Warning: '{verb}' is not a standard resource verb\n")).await;
        }
    }
    if resources.is_empty() && urls.is_empty() {
        return Err(Failure::message("at least one resource must be specified"));
    }
    let rest = session.rest(&args)?;
    let names = unique(&args.list("resource-name"));
    let mut rules = resource_rules(&rest, &verbs, &resources, &names).await?;
    if !urls.is_empty() {
        rules.push(json!({"nonResourceURLs": urls, "verbs": verbs}));
    }
    object["rules"] = rules.into();
    create(session, args, resource, object, "").await
}

fn labels(text: &str) -> Outcome<Map> {
    text.split(',')
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) => Ok((key.to_owned(), value.into())),
            None => Err(Failure::message(format!("unexpected aggregation rule: {pair}"))),
        })
        .collect()
}

/// A rule for each group, with the resources under their full names (`generateResourcePolicyRules`).
async fn resource_rules(rest: &Rest, verbs: &[String], resources: &[String], names: &[String]) -> Outcome<Vec<Value>> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for word in resources {
        let (whole, part) = word.split_once('/').map_or((word.as_str(), ""), |(whole, part)| (whole, part));
        let (resource, group) = whole.split_once('.').unwrap_or((whole, ""));
        if resource.is_empty() {
            return Err(Failure::message("resource must be specified if apiGroup/subresource specified"));
        }
        let (group, plural) = if resource == "*" {
            (group.to_owned(), resource.to_owned())
        } else {
            // What is not known is said without `error: ` here, unlike elsewhere.
            let found = rest.resource(whole).await.map_err(|failure| match failure {
                Failure::Message(text) => Failure::Plain(text),
                other => other,
            })?;
            (found.group.clone(), found.plural.clone())
        };
        let shown = if part.is_empty() { plural } else { format!("{plural}/{part}") };
        let all = groups.entry(group).or_default();
        if !all.contains(&shown) {
            all.push(shown);
        }
    }
    let rule = |(group, resources): (String, Vec<String>)| {
        let mut rule = json!({"apiGroups": [group], "resources": resources, "verbs": verbs});
        if !names.is_empty() {
            rule["resourceNames"] = json!(names);
        }
        rule
    };
    Ok(groups.into_iter().map(rule).collect())
}
