//! What the server serves, as clients discover it: legacy (`/api`, `/apis`, `/apis/apps/v1`) and aggregated
//! (`apidiscovery.k8s.io/v2`, chosen by the Accept header).
//!
//! Everything comes from the table of kinds. Texts are written with the fields in upstream's order.

use api::Kind;
use api::http::{Body, Response, StatusCode, header};
use api::kinds::{BINDINGS, COMPONENT_STATUSES, COMPUTED, KINDS, NAMESPACES, VERSIONS};
use api::reviews::REVIEWS;
use api::status::Status;
use base64::Engine as _;
use json::{Value, json};
use sha2::Digest as _;

use crate::negotiate::{clauses, wants_pretty};
use crate::request::Head;
use crate::server::Server;
use crate::wire;
use crate::{aggregator, custom};

/// Groups in the order of `/apis`.
const GROUPS: &[&str] = &[
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "resource.k8s.io",
    "flowcontrol.apiserver.k8s.io",
];

const ALL_VERBS: &[&str] = &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const PROXY_VERBS: &[&str] = &["create", "delete", "get", "patch", "update"];
const PART_VERBS: &[&str] = &["get", "patch", "update"];

/// Subresources whose answer is of another kind than their object: resource, subresource, (group, version, kind), verbs.
type Sub = (&'static str, &'static str, (&'static str, &'static str, &'static str), &'static [&'static str]);
const SUBRESOURCES: &[Sub] = &[
    ("namespaces", "finalize", ("", "", "Namespace"), &["update"]),
    ("nodes", "proxy", ("", "", "NodeProxyOptions"), PROXY_VERBS),
    ("pods", "attach", ("", "", "PodAttachOptions"), &["create", "get"]),
    ("pods", "binding", ("", "", "Binding"), &["create"]),
    ("pods", "eviction", ("policy", "v1", "Eviction"), &["create"]),
    ("pods", "exec", ("", "", "PodExecOptions"), &["create", "get"]),
    ("pods", "log", ("", "", "Pod"), &["get"]),
    ("pods", "portforward", ("", "", "PodPortForwardOptions"), &["create", "get"]),
    ("pods", "proxy", ("", "", "PodProxyOptions"), PROXY_VERBS),
    ("serviceaccounts", "token", ("authentication.k8s.io", "v1", "TokenRequest"), &["create"]),
    ("services", "proxy", ("", "", "ServiceProxyOptions"), PROXY_VERBS),
    ("deployments", "scale", ("autoscaling", "v1", "Scale"), PART_VERBS),
    ("replicationcontrollers", "scale", ("autoscaling", "v1", "Scale"), PART_VERBS),
    ("statefulsets", "scale", ("autoscaling", "v1", "Scale"), PART_VERBS),
    ("replicasets", "scale", ("autoscaling", "v1", "Scale"), PART_VERBS),
];

fn subresource(kind: &Kind, name: &'static str) -> Sub {
    if name == "scale" && api::custom::is_added(kind) {
        return (kind.plural, name, ("autoscaling", "v1", "Scale"), PART_VERBS);
    }
    let known = SUBRESOURCES.iter().find(|s| s.0 == kind.plural && s.1 == name);
    known.copied().unwrap_or((kind.plural, name, ("", "", kind.kind), PART_VERBS))
}

/// Kinds with fewer verbs than others.
static FEWER_VERBS: &[(&Kind, &[&str])] = &[
    (&BINDINGS, &["create"]),
    (&COMPONENT_STATUSES, &["get", "list"]),
    (&NAMESPACES, &["create", "delete", "get", "list", "patch", "update", "watch"]),
];

/// The verbs of a kind.
pub fn verbs(kind: &Kind) -> &'static [&'static str] {
    if aggregator::is_foreign(kind.group) {
        return &["get", "list"];
    }
    if is_review(kind) {
        return &["create"];
    }
    FEWER_VERBS.iter().find(|(fewer, _)| std::ptr::eq(*fewer, kind)).map_or(ALL_VERBS, |(_, verbs)| *verbs)
}

/// Whether objects of a kind are only answers.
fn is_review(kind: &Kind) -> bool {
    REVIEWS.iter().any(|review| std::ptr::eq(*review, kind))
}

/// Every kind that is served, those of custom resources and then those of other servers last.
fn served(server: &Server) -> Vec<&'static Kind> {
    let customs = custom::served(server);
    let own = KINDS.iter().chain(VERSIONS).chain(COMPUTED).chain(REVIEWS).copied();
    let foreign = aggregator::served(server).0.iter().copied();
    own.chain(customs.iter().map(|custom| custom.kind)).chain(foreign).collect()
}

/// Answers `/api`, `/apis` and what is below; the segments are those of the path.
pub fn answer(head: &Head, segments: &[String], server: &Server) -> Response {
    let served = &served(server);
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    if matches!(parts.as_slice(), ["api"] | ["apis"])
        && let Some(response) = aggregated(head, parts[0], served, aggregator::served(server).1)
    {
        return response;
    }
    if let ["apis", group, _] = parts.as_slice()
        && aggregator::is_foreign(group)
        && let Some(refusal) = aggregator::refusal(server)
    {
        return refusal;
    }
    let value = match parts.as_slice() {
        ["api"] => json!({
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": server.config.address}],
        }),
        ["apis"] => {
            json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups(served).into_iter().map(|g| group(served, g)).collect::<Vec<_>>()})
        }
        ["apis", name] if groups(served).contains(name) => {
            let mut value = group(served, name);
            value["kind"] = "APIGroup".into();
            value["apiVersion"] = "v1".into();
            value
        }
        ["api", version] => match resources(served, "", version) {
            Some(list) => list,
            None => return wire::failure(Status::no_such_path()),
        },
        ["apis", group, version] => match resources(served, group, version) {
            Some(list) => list,
            None => return wire::text(StatusCode::NOT_FOUND, "404 page not found\n"),
        },
        _ => return wire::text(StatusCode::NOT_FOUND, "404 page not found\n"),
    };
    let text = wire::json_text(&value, wants_pretty(head));
    wire::build(StatusCode::OK, "application/json", Body::Bytes(text.into()))
}

fn groups(served: &[&'static Kind]) -> Vec<&'static str> {
    let mut groups: Vec<&str> = GROUPS.iter().copied().filter(|g| served.iter().any(|k| k.group == *g)).collect();
    for kind in served {
        if !kind.group.is_empty() && !groups.contains(&kind.group) {
            groups.push(kind.group);
        }
    }
    groups
}

fn versions(served: &[&'static Kind], group: &str) -> Vec<&'static str> {
    let mut versions: Vec<&str> = served.iter().filter(|k| k.group == group).map(|k| k.version).collect();
    versions.sort_by(|a, b| api::custom::by_priority(a, b));
    versions.dedup();
    versions
}

fn group(served: &[&'static Kind], name: &str) -> Value {
    let versions: Vec<Value> =
        versions(served, name).iter().map(|v| json!({"groupVersion": format!("{name}/{v}"), "version": v})).collect();
    json!({"name": name, "versions": versions, "preferredVersion": versions[0]})
}

/// `APIResourceList` of a group version.
fn resources(served: &[&'static Kind], group: &str, version: &str) -> Option<Value> {
    let mut rows = Vec::new();
    for kind in served.iter().filter(|k| k.group == group && k.version == version) {
        let mut row = json!({
            "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced, "kind": kind.kind,
            "verbs": verbs(kind),
        });
        let is_computed = COMPUTED.iter().any(|computed| std::ptr::eq(*computed, *kind));
        if !is_review(kind) && !is_computed && !aggregator::is_foreign(group) {
            row["storageVersionHash"] = storage_version_hash(kind).into();
        }
        if !kind.short_names.is_empty() {
            row["shortNames"] = json!(kind.short_names);
        }
        if !kind.categories.is_empty() {
            row["categories"] = json!(kind.categories);
        }
        rows.push(row);
        for (_, name, (group, version, kind_name), verbs) in kind.subresources.iter().map(|s| subresource(kind, s)) {
            let mut row = json!({
                "name": format!("{}/{name}", kind.plural), "singularName": "", "namespaced": kind.namespaced,
                "kind": kind_name, "verbs": verbs,
            });
            if !version.is_empty() {
                row["group"] = group.into();
                row["version"] = version.into();
            }
            rows.push(row);
        }
    }
    if rows.is_empty() {
        return None;
    }
    rows.sort_by(|a, b| a["name"].as_str().cmp(&b["name"].as_str()));
    let mut list = json!({"kind": "APIResourceList", "resources": rows});
    if group.is_empty() {
        list["groupVersion"] = version.into();
    } else {
        list["apiVersion"] = "v1".into();
        list["groupVersion"] = format!("{group}/{version}").into();
    }
    Some(list)
}

/// Names the storage form of a kind (`discovery.StorageVersionHash`).
fn storage_version_hash(kind: &Kind) -> String {
    // The stored version of both of these is another.
    let (group, version) = match (kind.group, kind.version) {
        ("events.k8s.io", _) => ("", "v1"),
        ("autoscaling", _) => ("autoscaling", "v2"),
        own => own,
    };
    let digest = sha2::Sha256::digest(format!("{group}/{version}/{}", kind.kind));
    base64::engine::general_purpose::STANDARD.encode(&digest[..8])
}

/// The aggregated form, if the client asks for it first.
fn aggregated(head: &Head, root: &str, served: &[&'static Kind], others_answer: bool) -> Option<Response> {
    for clause in clauses(head.header(header::ACCEPT)) {
        if !matches!(clause.media_type, "application/json" | "*/*" | "application/*") {
            continue;
        }
        let version = match (clause.param("as"), clause.param("g"), clause.param("v")) {
            ("APIGroupDiscoveryList", "apidiscovery.k8s.io", version @ ("v2" | "v2beta1")) => version,
            ("", ..) => return None,
            _ => continue,
        };
        let items: Vec<Value> = match root {
            "api" => vec![group_discovery(served, "", true)],
            _ => {
                let is_fresh = |group: &str| others_answer || !aggregator::is_foreign(group);
                groups(served).into_iter().map(|g| group_discovery(served, g, is_fresh(g))).collect()
            }
        };
        let value = json!({
            "kind": "APIGroupDiscoveryList", "apiVersion": format!("apidiscovery.k8s.io/{version}"),
            "metadata": {}, "items": items,
        });
        let content_type = format!("application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
        let text = wire::json_text(&value, wants_pretty(head));
        return Some(wire::build(StatusCode::OK, &content_type, Body::Bytes(text.into())));
    }
    None
}

/// A group; of one whose server does not answer, nothing but its versions is known.
fn group_discovery(served: &[&'static Kind], group: &str, is_fresh: bool) -> Value {
    let versions: Vec<Value> = versions(served, group)
        .iter()
        .map(|version| {
            let mut kinds: Vec<&Kind> =
                served.iter().copied().filter(|k| is_fresh && k.group == group && k.version == *version).collect();
            kinds.sort_by_key(|k| k.plural);
            let resources: Vec<Value> = kinds.into_iter().map(resource_discovery).collect();
            json!({"version": version, "resources": resources, "freshness": if is_fresh { "Current" } else { "Stale" }})
        })
        .collect();
    let metadata = if group.is_empty() { json!({}) } else { json!({"name": group}) };
    json!({"metadata": metadata, "versions": versions})
}

fn resource_discovery(kind: &Kind) -> Value {
    let mut row = json!({
        "resource": kind.plural,
        "responseKind": {"group": "", "version": "", "kind": kind.kind},
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular,
        "verbs": verbs(kind),
    });
    if !kind.short_names.is_empty() {
        row["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        row["categories"] = json!(kind.categories);
    }
    if !kind.subresources.is_empty() {
        let subs: Vec<Value> = kind
            .subresources
            .iter()
            .map(|s| {
                let (_, name, (group, version, kind_name), verbs) = subresource(kind, s);
                let response = json!({"group": group, "version": version, "kind": kind_name});
                json!({"subresource": name, "responseKind": response, "verbs": verbs})
            })
            .collect();
        row["subresources"] = subs.into();
    }
    row
}
