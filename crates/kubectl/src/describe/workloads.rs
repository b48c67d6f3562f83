//! Deployments, replica sets, daemon sets and stateful sets.

use api::Object;
use json::Value;

use super::storage::{claim_templates, pairs};
use super::write::{Text, list, scalar, text};
use super::{Context, events, pod};
use crate::age;
use crate::failure::Outcome;
use crate::rest::with_query;
use crate::verbs::rollout::{REVISION, replica_sets};

/// `kubectl describe deployment`.
pub async fn deployment(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let sets = replica_sets(&ctx.rest, &object).await.unwrap_or_default();
    let mut out = Text::new();
    let int = |path: &str| object.int(path).unwrap_or(0);
    out.field(0, "Name", object.name());
    out.field(0, "Namespace", object.namespace());
    out.field(0, "CreationTimestamp", age::rfc1123(object.str("metadata.creationTimestamp")));
    out.labels("Labels", object.at("metadata.labels"));
    out.annotations("Annotations", object.at("metadata.annotations"));
    out.field(0, "Selector", selector(object.at("spec.selector")));
    out.field(
        0,
        "Replicas",
        format!(
            "{} desired | {} updated | {} total | {} available | {} unavailable",
            object.int("spec.replicas").unwrap_or(1),
            int("status.updatedReplicas"),
            int("status.replicas"),
            int("status.availableReplicas"),
            int("status.unavailableReplicas")
        ),
    );
    out.field(0, "StrategyType", object.str("spec.strategy.type"));
    out.field(0, "MinReadySeconds", int("spec.minReadySeconds").to_string());
    let rolling = object.at("spec.strategy.rollingUpdate");
    if rolling.is_object() {
        let part = |field: &str| scalar(rolling.get(field).unwrap_or(&Value::Null));
        let line = format!("{} max unavailable, {} max surge", part("maxUnavailable"), part("maxSurge"));
        out.field(0, "RollingUpdateStrategy", line);
    }
    pod::template(&mut out, object.at("spec.template"));
    conditions(&mut out, &object);
    replica_set_lines(&mut out, &object, &sets);
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

fn conditions(out: &mut Text, object: &Object) {
    let conditions = object.list("status.conditions");
    if conditions.is_empty() {
        return;
    }
    out.line(0, "Conditions:");
    out.line(1, "Type\tStatus\tReason");
    out.line(1, "----\t------\t------");
    for c in conditions {
        out.line(1, format!("{} \t{}\t{}", text(c, "type"), text(c, "status"), text(c, "reason")));
    }
}

/// Which replica set is the new one: that whose template is the deployment's.
fn replica_set_lines(out: &mut Text, deployment: &Object, sets: &[(i64, Object)]) {
    if sets.is_empty() {
        return;
    }
    let template = deployment.at("spec.template");
    let mut oldest_first: Vec<&Object> = sets.iter().map(|(_, set)| set).collect();
    oldest_first.sort_by_key(|s| (s.str("metadata.creationTimestamp").to_owned(), s.name().to_owned()));
    let newest = oldest_first.iter().copied().find(|set| {
        let mut own = set.at("spec.template").clone();
        if let Some(labels) = own["metadata"]["labels"].as_object_mut() {
            labels.remove("pod-template-hash");
        }
        own["spec"] == template["spec"] && own["metadata"] == template["metadata"]
    });
    let newest = newest.or_else(|| {
        let current = deployment.annotation(REVISION)?;
        oldest_first.iter().copied().find(|s| s.annotation(REVISION) == Some(current))
    });
    let say = |set: &Object| {
        let created = set.int("status.replicas").unwrap_or(0);
        format!("{} ({created}/{} replicas created)", set.name(), set.int("spec.replicas").unwrap_or(0))
    };
    let old: Vec<String> =
        oldest_first.iter().filter(|s| newest.is_none_or(|n| n.name() != s.name())).map(|s| say(s)).collect();
    out.field(0, "OldReplicaSets", if old.is_empty() { "<none>".to_owned() } else { old.join(", ") });
    out.field(0, "NewReplicaSet", newest.map_or_else(|| "<none>".to_owned(), say));
}

/// `kubectl describe replicaset`.
pub async fn replica_set(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let pods = count_pods(&ctx, &object).await;
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.field(0, "Namespace", object.namespace());
    out.field(0, "Selector", selector_of(&object));
    out.labels("Labels", object.at("metadata.labels"));
    out.annotations("Annotations", object.at("metadata.annotations"));
    if let Some(owner) = object.controller_ref() {
        out.field(0, "Controlled By", format!("{}/{}", owner.kind, owner.name));
    }
    let current = object.int("status.replicas").unwrap_or(0);
    out.field(0, "Replicas", format!("{current} current / {} desired", object.int("spec.replicas").unwrap_or(1)));
    out.field(0, "Pods Status", pods);
    pod::template(&mut out, object.at("spec.template"));
    conditions(&mut out, &object);
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

/// `kubectl describe daemonset`.
pub async fn daemon_set(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let pods = count_pods(&ctx, &object).await;
    let mut out = Text::new();
    out.field(0, "Name", object.name());
    out.field(0, "Namespace", object.namespace());
    out.field(0, "Selector", selector_of(&object));
    out.field(0, "Node-Selector", pairs(object.at("spec.template.spec.nodeSelector")));
    out.labels("Labels", object.at("metadata.labels"));
    out.annotations("Annotations", object.at("metadata.annotations"));
    for (title, field) in [
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ] {
        // No tab: these lines are no columns.
        out.line(0, format!("{title}: {}", object.int(&format!("status.{field}")).unwrap_or(0)));
    }
    out.field(0, "Pods Status", pods);
    pod::template(&mut out, object.at("spec.template"));
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

/// `kubectl describe statefulset`.
pub async fn stateful_set(ctx: Context, object: Object) -> Outcome<String> {
    let found = events::search(&ctx, &object).await;
    let pods = count_pods(&ctx, &object).await;
    let mut out = Text::new();
    let int = |path: &str| object.int(path).unwrap_or(0);
    out.field(0, "Name", object.name());
    out.field(0, "Namespace", object.namespace());
    out.field(0, "CreationTimestamp", age::rfc1123(object.str("metadata.creationTimestamp")));
    out.field(0, "Selector", selector_of(&object));
    out.labels("Labels", object.at("metadata.labels"));
    out.annotations("Annotations", object.at("metadata.annotations"));
    out.field(0, "Replicas", format!("{} desired | {} total", int("spec.replicas"), int("status.replicas")));
    out.field(0, "Update Strategy", object.str("spec.updateStrategy.type"));
    if let Some(partition) = object.int("spec.updateStrategy.rollingUpdate.partition") {
        out.field(1, "Partition", partition.to_string());
    }
    out.field(0, "Pods Status", pods);
    pod::template(&mut out, object.at("spec.template"));
    claim_templates(&mut out, object.list("spec.volumeClaimTemplates"));
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

/// The selector as text; that of a replication controller is a map.
fn selector_of(object: &Object) -> String {
    match object.kind() {
        "ReplicationController" => pairs(object.at("spec.selector")),
        _ => selector(object.at("spec.selector")),
    }
}

/// How the pods of a workload are.
async fn count_pods(ctx: &Context, object: &Object) -> String {
    let path = format!("/api/v1/namespaces/{}/pods", object.namespace());
    let labels = selector_of(object);
    let answer = ctx.rest.get(&with_query(&path, &[("labelSelector", &labels)])).await.unwrap_or_default();
    let owned: Vec<Object> = list(&answer, "items")
        .iter()
        .map(|p| Object::new(p.clone()))
        .filter(|p| p.controller_ref().is_some_and(|o| o.uid == object.uid()))
        .collect();
    let count = |phase: &str| owned.iter().filter(|p| p.str("status.phase") == phase).count();
    let [running, waiting, succeeded, failed] = ["Running", "Pending", "Succeeded", "Failed"].map(count);
    format!("{running} Running / {waiting} Waiting / {succeeded} Succeeded / {failed} Failed")
}

/// A label selector as text: `app=web,tier in (a,b)`.
pub fn selector(selector: &Value) -> String {
    let mut parts: Vec<String> = selector
        .get("matchLabels")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or("")))
        .collect();
    for e in list(selector, "matchExpressions") {
        let values: Vec<String> = list(e, "values").iter().map(scalar).collect();
        let (key, values) = (text(e, "key"), values.join(","));
        parts.push(match text(e, "operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    if parts.is_empty() { "<none>".to_owned() } else { parts.join(",") }
}
