//! Subresources: status, finalize, scale, binding, eviction. Those that reach nodes and pods are in
//! [`crate::proxy`].

use api::http::{Body, Method, Response, StatusCode};
use api::kinds::PODS;
use api::status::{FieldError, FieldErrors, Status};
use api::{Kind, Object};
use json::{Value, json};

use crate::admission::attributes::Attributes;
use crate::handler::{include, shaped, success};
use crate::managed::Changed;
use crate::negotiate::{Shape, resource_format};
use crate::patch::Patch;
use crate::registry::update::{Part, same_object};
use crate::registry::{Context, decode, options};
use crate::request::{Head, Target};
use crate::strategy;
use crate::value::{at, int, map_mut, metadata_mut, text};
use crate::{admission, custom, disruption, failure, managed, proxy, table, token, wire};

/// Answers a request to a subresource.
pub async fn answer(cx: &Context<'_>, head: &Head, target: &Target, body: Body) -> Result<Response, Status> {
    match target.subresource.as_str() {
        "status" => part(cx, head, target, body, Part::Status),
        "ephemeralcontainers" => part(cx, head, target, body, Part::EphemeralContainers),
        "resize" => part(cx, head, target, body, Part::Resize),
        "approval" => part(cx, head, target, body, Part::Approval),
        "finalize" => part(cx, head, target, body, Part::Finalize),
        "scale" => scale(cx, head, target, body),
        "binding" => binding(cx, head, target, body),
        "eviction" => eviction(cx, head, target, body),
        "proxy" => proxy::proxy(cx, head.clone(), target, body).await,
        "log" | "exec" | "attach" | "portforward" => proxy::kubelet(cx, head.clone(), target, body).await,
        "token" => token::create(cx, head, target, body),
        _ => Err(Status::not_built(simulation::stub!("kube-apiserver", "this subresource"))),
    }
}

fn part(cx: &Context<'_>, head: &Head, target: &Target, body: Body, part: Part) -> Result<Response, Status> {
    let format = resource_format(head)?;
    let strategy = strategy::of(target.kind);
    let place = (target.namespace.as_str(), target.name.as_str());
    let object = match head.method {
        Method::GET if part != Part::Finalize => cx.require(target.kind, place.0, place.1)?.value.clone(),
        Method::PUT => {
            let new = decode::object(cx, head, body, target.kind)?;
            let meant = |old: &Object| same_object(target.kind, place.1, &new, old.uid()).map(|()| new);
            cx.update(strategy, part, place, meant)?
        }
        Method::PATCH if part != Part::Finalize => {
            let patch = Patch::read(head, body)?;
            cx.update(strategy, part, place, |old| patch.apply(cx, strategy, part, old))?
        }
        _ => return Err(Status::method_not_allowed()),
    };
    Ok(shaped(cx, head, target, StatusCode::OK, object, format))
}

/// `autoscaling/v1 Scale` of an object.
fn scale_of(kind: &Kind, object: &Object) -> Result<Object, Status> {
    let mut metadata = json!({
        "name": object.name(), "namespace": object.namespace(), "uid": object.uid(),
        "resourceVersion": object.resource_version(), "creationTimestamp": object.at("metadata.creationTimestamp"),
    });
    map_mut(&mut metadata).retain(|_, v| !v.is_null());
    let (wanted, number, selector) = match custom::of(kind) {
        Some(custom) => custom.scale(object.value())?,
        None => {
            let count = |path: &str| object.int(path).unwrap_or(0);
            (count("spec.replicas"), count("status.replicas"), selector_of(object))
        }
    };
    let mut spec = json!({});
    if wanted != 0 {
        spec["replicas"] = wanted.into();
    }
    let mut status = json!({"replicas": number});
    if !selector.is_empty() {
        status["selector"] = selector.into();
    }
    Ok(Object::new(json!({
        "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": metadata, "spec": spec, "status": status,
    })))
}

/// The same as JSON, of an object that is not stored yet.
pub fn scale_value(kind: &Kind, object: &Value) -> Result<Value, Status> {
    scale_of(kind, &Object::new(object.clone())).map(Object::into_value)
}

fn selector_of(object: &Object) -> String {
    let selector = match object.kind() {
        // Older than selectors with expressions: a map.
        "ReplicationController" => json!({"matchLabels": object.at("spec.selector")}),
        _ => object.at("spec.selector").clone(),
    };
    api::selector::LabelSelector::from_value(&selector).unwrap_or_default().to_string()
}

static SCALE: Kind = Kind {
    group: "autoscaling",
    version: "v1",
    kind: "Scale",
    plural: "scales",
    singular: "scale",
    short_names: &[],
    categories: &[],
    namespaced: true,
    subresources: &[],
    schema: "io.k8s.api.autoscaling.v1.Scale",
};

/// Makes the new Scale from the stored object.
type Wanted<'a> = Box<dyn FnOnce(&Object) -> Result<Changed, Status> + 'a>;

fn scale(cx: &Context<'_>, head: &Head, target: &Target, body: Body) -> Result<Response, Status> {
    let format = resource_format(head)?;
    let strategy = strategy::of(target.kind);
    let place = (target.namespace.as_str(), target.name.as_str());
    let wanted: Wanted<'_> = match head.method {
        Method::GET => {
            let mut object = scale_of(target.kind, &cx.require(target.kind, place.0, place.1)?.value)?;
            if format.shape == Shape::Table {
                object = table::scale(cx.server.sim.now(), &object, include(head));
            }
            return Ok(wire::object(StatusCode::OK, object, format));
        }
        Method::PUT => {
            let new = decode::object(cx, head, body, &SCALE)?;
            Box::new(move |_| Ok(new.into()))
        }
        Method::PATCH => {
            let patch = Patch::read(head, body)?;
            Box::new(move |old| patch.apply_to_scale(cx, &SCALE, old, &scale_of(target.kind, old)?))
        }
        _ => return Err(Status::method_not_allowed()),
    };
    let updated = cx.update(strategy, Part::Scale, place, |old| {
        let Changed { value: scale, managed } = wanted(old)?;
        let replicas = int(&scale, "spec.replicas").unwrap_or(0);
        if replicas < 0 {
            let mut errors = FieldErrors::new();
            errors.push(FieldError::invalid("spec.replicas", replicas, "must be greater than or equal to 0"));
            return Err(failure::invalid(&SCALE, old.name(), &errors));
        }
        let mut new = old.value().clone();
        match custom::of(target.kind) {
            Some(custom) => custom.set_scale(&mut new, replicas),
            None => new["spec"]["replicas"] = replicas.into(),
        }
        let version = text(&scale, "metadata.resourceVersion");
        metadata_mut(&mut new).insert("resourceVersion".into(), version.into());
        let managed = managed::scaled(cx, old, (scale_of(target.kind, old)?.value(), &scale), managed);
        Ok(Changed { value: new, managed: Some(managed) })
    })?;
    Ok(wire::object(StatusCode::OK, scale_of(target.kind, &updated)?, format))
}

fn binding(cx: &Context<'_>, head: &Head, target: &Target, body: Body) -> Result<Response, Status> {
    if head.method != Method::POST {
        return Err(Status::method_not_allowed());
    }
    let binding = decode::any(head, body)?;
    ask(cx, target, &binding)?;
    assign(cx, (&target.namespace, &target.name), &binding)
}

/// Asks the policies about what is sent to a subresource.
pub fn ask(cx: &Context<'_>, target: &Target, object: &Value) -> Result<(), Status> {
    let place = (target.namespace.as_str(), target.name.as_str());
    admission::ask(cx, || Attributes::sent_to(target.kind, &target.subresource, place, object))
}

/// Assigns a pod to a node (`BindingREST.assignPod`).
pub fn assign(cx: &Context<'_>, pod: (&str, &str), binding: &Value) -> Result<Response, Status> {
    let node = text(binding, "target.name").to_owned();
    if node.is_empty() {
        let mut errors = FieldErrors::new();
        errors.push(FieldError::required("target.name", ""));
        return Err(Status::invalid("", "Binding", pod.1, &errors));
    }
    let now = cx.now();
    cx.update(strategy::of(&PODS), Part::Binding, pod, |old| {
        // Decided for another pod of this name.
        super::registry::update::same_object(&PODS, old.name(), binding, old.uid())?;
        let busy = |why: String| failure::conflict_sub(&PODS, "binding", old.name(), &why);
        if old.is_deleting() {
            return Err(busy(format!("pod {} is being deleted, cannot be assigned to a host", old.name())));
        }
        match old.str("spec.nodeName") {
            "" => {}
            other => {
                return Err(busy(format!("pod {} is already assigned to node {other:?}", old.name())));
            }
        }
        let mut new = old.value().clone();
        new["spec"]["nodeName"] = node.clone().into();
        for (key, value) in crate::value::fields(at(binding, "metadata.annotations")) {
            let annotations = metadata_mut(&mut new).entry("annotations").or_insert_with(|| json!({}));
            map_mut(annotations).insert(key.as_str().into(), value.clone());
        }
        strategy::set_condition(&mut new, json!({"type": "PodScheduled", "status": "True", "lastTransitionTime": now}));
        map_mut(&mut new["status"]).remove("nominatedNodeName");
        Ok(new)
    })?;
    Ok(wire::build(StatusCode::CREATED, "application/json", success(201).into()))
}

/// Deletes a pod on behalf of a drain, if its PodDisruptionBudget allows one more (`EvictionREST`).
fn eviction(cx: &Context<'_>, head: &Head, target: &Target, body: Body) -> Result<Response, Status> {
    if head.method != Method::POST {
        return Err(Status::method_not_allowed());
    }
    let eviction = decode::any(head, body)?;
    let options = options::of_delete(cx, head, Body::Object(Object::new(at(&eviction, "deleteOptions").clone())))?;
    ask(cx, target, &eviction)?;
    let pod = cx.require(target.kind, &target.namespace, &target.name)?.value.clone();
    disruption::check(cx, &pod)?;
    cx.delete_evicted(strategy::of(target.kind), (&target.namespace, &target.name), &options)?;
    Ok(wire::build(StatusCode::CREATED, "application/json", success(201).into()))
}
