//! The laws that hold when peace has returned.

use std::collections::{BTreeMap, BTreeSet};

use api::{Kind, Object, kinds};
use client::ListOptions;
use json::Value;
use simulation::{Duration, TraceKind};

use crate::objects;
use crate::scenario::{Item, NAMESPACES, NODES, What};
use crate::stage::{Stage, Wanted};

/// At the end nothing is written for so long, but what a healthy cluster always writes.
const STILL: Duration = Duration::from_secs(120);

/// Everything that the server has, by plural.
struct Facts(BTreeMap<&'static str, Vec<Object>>);

impl Facts {
    fn of(&self, kind: &Kind) -> impl Iterator<Item = &Object> {
        self.0.get(kind.plural).into_iter().flatten().filter(|object| NAMESPACES.contains(&object.namespace()))
    }

    fn get(&self, item: &Item) -> Option<&Object> {
        self.of(objects::kind(item.what)).find(|o| o.namespace() == item.namespace && o.name() == item.name)
    }

    fn owned<'a>(&'a self, kind: &Kind, owner: &'a Object) -> impl Iterator<Item = &'a Object> {
        self.of(kind).filter(move |object| object.controller_ref().is_some_and(|found| found.uid == owner.uid()))
    }
}

/// What is wrong; empty when every law holds.
pub fn problems(stage: &mut Stage) -> Vec<String> {
    let mut lists = BTreeMap::new();
    for kind in kinds::KINDS {
        lists.insert(kind.plural, stage.list(kind, &ListOptions::default()));
    }
    let facts = Facts(lists);
    let mut found = Vec::new();
    nodes(&facts, &mut found);
    namespaces(&facts, stage, &mut found);
    for (item, wanted) in &stage.wanted {
        match facts.get(item) {
            None => found.push(format!("{item:?} was created and is lost")),
            Some(object) => reached(&facts, item, wanted, object, &mut found),
        }
    }
    unwanted(&facts, stage, &mut found);
    owners(&facts, &mut found);
    pods(&facts, &mut found);
    still(stage, &mut found);
    views(&facts, stage, &mut found);
    found
}

fn condition<'a>(object: &'a Object, name: &str) -> &'a str {
    let found = object.list("status.conditions").iter().find(|condition| condition["type"] == name);
    found.and_then(|condition| condition["status"].as_str()).unwrap_or("")
}

fn is_ready(pod: &Object) -> bool {
    condition(pod, "Ready") == "True" && !pod.is_deleting()
}

/// Every machine is back.
fn nodes(facts: &Facts, found: &mut Vec<String>) {
    let nodes = facts.0.get("nodes").map_or(&[][..], Vec::as_slice);
    if nodes.len() != NODES as usize {
        found.push(format!("{} nodes", nodes.len()));
    }
    for node in nodes {
        if condition(node, "Ready") != "True" || !node.list("spec.taints").is_empty() {
            found.push(format!("node {} is not well: {}", node.name(), node.at("spec.taints")));
        }
    }
}

/// Namespaces that were deleted are gone, and so is everything that they held.
fn namespaces(facts: &Facts, stage: &Stage, found: &mut Vec<String>) {
    let there: BTreeSet<&str> = facts.0.get("namespaces").into_iter().flatten().map(Object::name).collect();
    for name in NAMESPACES {
        if stage.namespaces.contains(name) != there.contains(name) {
            found.push(format!("namespace {name}: wanted {}", stage.namespaces.contains(name)));
        }
    }
    for (plural, objects) in &facts.0 {
        let lost = objects.iter().filter(|o| !o.namespace().is_empty() && !there.contains(o.namespace()));
        found.extend(lost.map(|object| format!("{plural} {} is in no namespace", object.key())));
    }
}

/// An object is at its spec.
fn reached(facts: &Facts, item: &Item, wanted: &Wanted, object: &Object, found: &mut Vec<String>) {
    let mut expect = |what: &str, is: Value, should: Value| {
        if is != should {
            found.push(format!("{item:?}: {what} is {is}, should be {should}"));
        }
    };
    let count = |path: &str| Value::from(object.int(path).unwrap_or(0));
    let replicas = Value::from(wanted.shape.replicas);
    expect("uid", object.uid().into(), wanted.uid.clone().into());
    expect("deleting", object.is_deleting().into(), false.into());
    if item.what != What::Service {
        expect("version", objects::version_of(object).into(), wanted.shape.version.to_string().into());
    }
    match item.what {
        What::Deployment | What::StatefulSet => {
            expect("spec", count("spec.replicas"), replicas.clone());
            for field in ["replicas", "readyReplicas", "updatedReplicas", "availableReplicas"] {
                expect(field, count(&format!("status.{field}")), replicas.clone());
            }
        }
        What::DaemonSet => {
            let fields = ["desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled"];
            for field in fields {
                expect(field, count(&format!("status.{field}")), NODES.into());
            }
            expect("misscheduled", count("status.numberMisscheduled"), 0.into());
        }
        What::Job => {
            expect("Complete", condition(object, "Complete").into(), "True".into());
            expect("succeeded", count("status.succeeded"), count("spec.completions"));
            expect("active", count("status.active"), 0.into());
        }
        What::Service | What::ConfigMap => {}
    }
    if !matches!(item.what, What::Service | What::ConfigMap | What::Job) {
        expect("observed", count("status.observedGeneration"), count("metadata.generation"));
    }
    match item.what {
        What::Deployment => deployment(facts, wanted, object, found),
        What::StatefulSet => stateful_set(facts, wanted, object, found),
        What::DaemonSet => daemon_set(facts, object, found),
        What::Job => job(facts, object, found),
        What::Service => service(facts, object, found),
        What::ConfigMap => {}
    }
}

/// One ReplicaSet for a template, and pods of the newest alone.
fn deployment(facts: &Facts, wanted: &Wanted, object: &Object, found: &mut Vec<String>) {
    let mut templates: BTreeMap<String, &str> = BTreeMap::new();
    for set in facts.owned(&kinds::REPLICA_SETS, object) {
        let spec = set.at("spec.template.spec");
        let template = spec.to_string();
        if let Some(other) = templates.insert(template, set.name()) {
            found.push(format!("{}: {other} and {} have one template", object.key(), set.name()));
        }
        let is_newest = spec == object.at("spec.template.spec");
        let should = if is_newest { wanted.shape.replicas as usize } else { 0 };
        let pods: Vec<&Object> = facts.owned(&kinds::PODS, set).collect();
        if pods.len() != should || !pods.iter().all(|pod| is_ready(pod)) {
            let pods: Vec<String> = pods.iter().map(|pod| brief(pod)).collect();
            found.push(format!("{}: {} has {pods:?}, should have {should}", object.key(), set.name()));
        }
    }
    if !templates.contains_key(&object.at("spec.template.spec").to_string()) {
        found.push(format!("{}: no ReplicaSet has its template", object.key()));
    }
}

fn brief(pod: &Object) -> String {
    format!("{} on {} {} ready={}", pod.name(), pod.str("spec.nodeName"), pod.str("status.phase"), is_ready(pod))
}

/// Exactly the ordinals from 0, all of the newest revision.
fn stateful_set(facts: &Facts, wanted: &Wanted, object: &Object, found: &mut Vec<String>) {
    let mut names: Vec<&str> = facts.owned(&kinds::PODS, object).map(Object::name).collect();
    let mut should: Vec<String> = (0..wanted.shape.replicas).map(|n| format!("{}-{n}", object.name())).collect();
    names.sort_unstable();
    should.sort_unstable();
    if names != should {
        found.push(format!("{}: has {names:?}, should have {should:?}", object.key()));
    }
    let newest = object.str("status.updateRevision");
    if newest.is_empty() || object.str("status.currentRevision") != newest {
        found.push(format!("{}: revisions {}", object.key(), object.at("status")));
    }
    for pod in facts.owned(&kinds::PODS, object) {
        if pod.label("controller-revision-hash") != Some(newest) || !is_ready(pod) {
            found.push(format!("{}: {} at {:?}", object.key(), brief(pod), pod.label("controller-revision-hash")));
        }
    }
}

/// One pod on every node.
fn daemon_set(facts: &Facts, object: &Object, found: &mut Vec<String>) {
    let pods: Vec<&Object> = facts.owned(&kinds::PODS, object).collect();
    let places: BTreeSet<&str> = pods.iter().map(|pod| pod.str("spec.nodeName")).collect();
    if pods.len() != NODES as usize || places.len() != pods.len() || !pods.iter().all(|pod| is_ready(pod)) {
        let pods: Vec<String> = pods.iter().map(|pod| brief(pod)).collect();
        found.push(format!("{}: has {pods:?}", object.key()));
    }
}

/// Its pods have ended and were let go. How many have succeeded is counted by its status: there may be more pods than that,
/// because a Job may start a program twice (the documentation of Jobs says so): here when its controller sees its pods again
/// before it sees the Job.
fn job(facts: &Facts, object: &Object, found: &mut Vec<String>) {
    for pod in facts.owned(&kinds::PODS, object) {
        if !matches!(pod.str("status.phase"), "Succeeded" | "Failed") || !pod.list("metadata.finalizers").is_empty() {
            found.push(format!("{}: {} {}", object.key(), brief(pod), pod.at("metadata.finalizers")));
        }
    }
}

fn texts<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<String> {
    let mut texts: Vec<String> = values.filter_map(Value::as_str).map(str::to_owned).collect();
    texts.sort_unstable();
    texts
}

/// Exactly the ready pods are behind it.
fn service(facts: &Facts, object: &Object, found: &mut Vec<String>) {
    let chosen = |pod: &&Object| {
        pod.namespace() == object.namespace() && pod.label("app") == object.at("spec.selector.app").as_str()
    };
    let ready = facts.of(&kinds::PODS).filter(chosen).filter(|pod| is_ready(pod));
    let should = texts(ready.map(|pod| pod.at("status.podIP")));
    let of_service = |slice: &&Object| {
        slice.namespace() == object.namespace() && slice.label("kubernetes.io/service-name") == Some(object.name())
    };
    let entries = facts.of(&kinds::ENDPOINT_SLICES).filter(of_service).flat_map(|slice| slice.list("endpoints"));
    let is = texts(
        entries
            .filter(|entry| entry["conditions"]["ready"] == true)
            .flat_map(|entry| entry["addresses"].as_array().into_iter().flatten()),
    );
    if is != should {
        found.push(format!("{}: its slices say {is:?}, should say {should:?}", object.key()));
    }
    let endpoints = facts.of(&kinds::ENDPOINTS).find(|o| o.key() == object.key());
    let subsets = endpoints.map_or(&[][..], |endpoints| endpoints.list("subsets"));
    let is = texts(subsets.iter().flat_map(|s| s["addresses"].as_array().into_iter().flatten()).map(|a| &a["ip"]));
    if endpoints.is_none() || is != should {
        found.push(format!("{}: its Endpoints say {is:?}, should say {should:?}", object.key()));
    }
}

/// What was deleted is gone.
fn unwanted(facts: &Facts, stage: &Stage, found: &mut Vec<String>) {
    let all = [What::Deployment, What::StatefulSet, What::DaemonSet, What::Job, What::Service, What::ConfigMap];
    for what in all {
        for object in facts.of(objects::kind(what)).filter(|object| object.name() != "kube-root-ca.crt") {
            let is_wanted = stage
                .wanted
                .keys()
                .any(|item| item.what == what && item.namespace == object.namespace() && item.name == object.name());
            if !is_wanted {
                found.push(format!("{what:?} {} was deleted and is there", object.key()));
            }
        }
    }
}

/// What controllers make has an owner, and the owner is there.
fn owners(facts: &Facts, found: &mut Vec<String>) {
    let uids: BTreeSet<&str> = facts.0.values().flatten().map(Object::uid).collect();
    let made: [&Kind; 5] =
        [&kinds::PODS, &kinds::REPLICA_SETS, &kinds::CONTROLLER_REVISIONS, &kinds::ENDPOINT_SLICES, &kinds::ENDPOINTS];
    for kind in made {
        for object in facts.of(kind) {
            let owners = object.owner_references();
            // Endpoints belong to the Service of their name and have no reference.
            let is_free = owners.is_empty() && *kind != kinds::ENDPOINTS;
            if is_free || owners.iter().any(|owner| !uids.contains(owner.uid.as_str())) {
                found.push(format!("{} {} is an orphan of {owners:?}", kind.plural, object.key()));
            }
        }
    }
    for endpoints in facts.of(&kinds::ENDPOINTS) {
        if !facts.of(&kinds::SERVICES).any(|service| service.key() == endpoints.key()) {
            found.push(format!("endpoints {} without a Service", endpoints.key()));
        }
    }
}

/// No pod hangs, and no address is given twice.
fn pods(facts: &Facts, found: &mut Vec<String>) {
    let mut addresses: BTreeMap<&str, String> = BTreeMap::new();
    let all = facts.0.get("pods").into_iter().flatten().filter(|pod| !pod.bool("spec.hostNetwork"));
    for pod in all.filter(|pod| !matches!(pod.str("status.phase"), "Succeeded" | "Failed")) {
        let address = pod.str("status.podIP");
        if let Some(other) = (!address.is_empty()).then(|| addresses.insert(address, pod.key())).flatten() {
            found.push(format!("{} and {other} both have {address}", pod.key()));
        }
    }
    let hanging = facts.of(&kinds::PODS).filter(|pod| pod.is_deleting() || pod.str("status.phase") == "Pending");
    found.extend(hanging.map(|pod| format!("pod hangs: {}", brief(pod))));
}

/// Nobody writes any more.
fn still(stage: &Stage, found: &mut Vec<String>) {
    let mut writers: BTreeMap<String, u32> = BTreeMap::new();
    for event in stage.world.trace_since(0) {
        let TraceKind::Write { by, op, kind, namespace, .. } = event.kind else { continue };
        if NAMESPACES.contains(&namespace.as_str()) && stage.world.now().saturating_since(event.time) < STILL {
            // Events live for an hour.
            if kind != "Event" || op != "DELETED" {
                *writers.entry(format!("{by} {op} {kind}")).or_default() += 1;
            }
        }
    }
    if !writers.is_empty() {
        found.push(format!("there is no peace: {writers:?}"));
    }
}

/// Whoever only watches knows what the server knows: the observers of the test, and the page.
fn views(facts: &Facts, stage: &mut Stage, found: &mut Vec<String>) {
    let observers = std::mem::take(&mut stage.observers);
    for observer in &observers {
        let listed = stage.list(observer.kind, &observer.selector);
        found.extend(observer.problems(&listed));
    }
    // Leases and nodes change all the time, and so does what CoreDNS lacks.
    let ours = |objects: &[Object]| -> BTreeMap<String, String> {
        let ours = objects.iter().filter(|object| NAMESPACES.contains(&object.namespace()));
        ours.map(|object| (object.key(), format!("{} {}", object.uid(), object.resource_version()))).collect()
    };
    for kind in kinds::KINDS {
        let shown = stage.world.objects(&kind.api_version(), kind.kind, "*");
        if ours(&shown) != ours(facts.0.get(kind.plural).map_or(&[][..], Vec::as_slice)) {
            found.push(format!("the page shows other {} than there are", kind.plural));
        }
    }
}
