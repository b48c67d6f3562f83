//! Pods by name, by workload and by label, and their containers (`polymorphichelpers`, `podcmd`).

use api::Object;
use json::Value;

use crate::describe::selector_text;
use crate::failure::{Failure, Outcome};
use crate::podspec;
use crate::rest::{Rest, with_query};
use crate::session::Session;
use crate::sorting::natural;

/// The object that `NAME` (a pod) or `TYPE/NAME` means.
pub async fn object_of(rest: &Rest, word: &str) -> Outcome<Object> {
    let (kind, name) = word.split_once('/').unwrap_or(("pods", word));
    let resource = rest.resource(kind).await?;
    let mut value = rest.get(&resource.object(rest.namespace(), name)).await?;
    if value.get("kind").is_none() {
        value["kind"] = resource.kind.clone().into();
    }
    Ok(Object::new(value))
}

/// The pods with some labels, in the server's order.
pub async fn by_labels(rest: &Rest, selector: &str) -> Outcome<Vec<Object>> {
    let path = format!("/api/v1/namespaces/{}/pods", rest.namespace());
    let answer = rest.get(&with_query(&path, &[("labelSelector", selector)])).await?;
    let items = answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(items.into_iter().map(Object::new).collect())
}

/// The pods that a workload or service selects.
pub async fn of_workload(rest: &Rest, object: &Object) -> Outcome<Vec<Object>> {
    let selector = match object.kind() {
        "Service" | "ReplicationController" => {
            let labels = object.at("spec.selector");
            selector_text(&json::json!({"matchLabels": labels}))
        }
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" => selector_text(object.at("spec.selector")),
        kind => {
            return Err(Failure::message(format!(
                "cannot get the logs from *{kind}: selector for {kind} not implemented"
            )));
        }
    };
    by_labels(rest, &selector).await
}

/// Ready pods first, then running, then by age and name (`podutils.ByLogging`, `ActivePods`).
pub fn by_readiness(pods: &mut [Object]) {
    let ready = |p: &Object| p.list("status.conditions").iter().any(|c| c["type"] == "Ready" && c["status"] == "True");
    let phase = |p: &Object| match p.str("status.phase") {
        "Running" => 0,
        "Pending" => 2,
        _ => 1,
    };
    pods.sort_by(|a, b| {
        phase(a)
            .cmp(&phase(b))
            .then_with(|| ready(b).cmp(&ready(a)))
            .then_with(|| a.str("metadata.creationTimestamp").cmp(b.str("metadata.creationTimestamp")))
            .then_with(|| natural(a.name(), b.name()))
    });
}

/// The annotation that names the container to use when none is asked for.
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// The container that is meant: the wanted one, the annotated one, or the first, saying so when there are several.
///
/// # Errors
/// `container foo is not valid for pod web out of: web`.
pub async fn container(session: &Session, pod: &Object, wanted: &str, quiet: bool) -> Outcome<String> {
    let names = |field: &str| -> Vec<String> { pod.list(field).iter().map(|c| podspec::name(c).to_owned()).collect() };
    let (plain, ephemeral, init) =
        (names("spec.containers"), names("spec.ephemeralContainers"), names("spec.initContainers"));
    let all = || plain.iter().chain(&ephemeral).chain(&init);
    let listed = || {
        let mut parts = plain.clone();
        parts.extend(ephemeral.iter().map(|n| format!("{n} (ephem)")));
        parts.extend(init.iter().map(|n| format!("{n} (init)")));
        parts.join(", ")
    };
    if !wanted.is_empty() {
        if all().any(|n| n == wanted) {
            return Ok(wanted.to_owned());
        }
        return Err(Failure::message(format!(
            "container {wanted} is not valid for pod {} out of: {}",
            pod.name(),
            listed()
        )));
    }
    if let Some(annotated) = pod.annotation(DEFAULT_CONTAINER).filter(|a| all().any(|n| n == a)) {
        return Ok(annotated.to_owned());
    }
    let Some(first) = plain.first() else {
        return Err(Failure::message(format!("no containers in pod {}", pod.name())));
    };
    if !quiet && plain.len() + ephemeral.len() + init.len() > 1 {
        session.err(format!("Defaulted container \"{first}\" out of: {}\n", listed())).await;
    }
    Ok(first.clone())
}

/// The pod for `exec`, `attach` and `port-forward`: the named one, or one of the workload's.
pub async fn one(rest: &Rest, word: &str) -> Outcome<Object> {
    let object = object_of(rest, word).await?;
    if object.kind() == "Pod" {
        return Ok(object);
    }
    let mut all = of_workload(rest, &object).await?;
    by_readiness(&mut all);
    match all.into_iter().next() {
        Some(pod) => Ok(pod),
        None => Err(Failure::message("timed out waiting for the condition")),
    }
}
