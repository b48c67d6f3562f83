//! The pods and containers that `kubectl debug` makes. Pure.

use json::{Map, Value, json};

use super::profiles::{Profile, Style};
use crate::failure::{Failure, Outcome};
use crate::flags::Args;
use crate::podspec;

const LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// Whether a pod has a container of that name, of any type.
pub fn has_container(pod: &Value, name: &str) -> bool {
    LISTS.iter().any(|list| pod["spec"][*list].as_array().is_some_and(|all| all.iter().any(|c| c["name"] == name)))
}

/// One of the pod's containers.
pub fn container<'a>(pod: &'a Value, name: &str) -> Option<&'a Value> {
    podspec::containers(&pod["spec"]).find(|c| podspec::name(c) == name)
}

/// The `name=value` pairs of a flag.
pub fn pairs(args: &Args, flag: &str) -> Outcome<Vec<(String, String)>> {
    let pair = |text: String| match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => {
            let all = crate::flags::parse::go_quote(&args.list(flag).join(","));
            let why = format!("invalid argument {all} for \"--{flag}\" flag: {text} must be formatted as key=value");
            Err(Failure::Flag(why, args.path.clone()))
        }
    };
    args.list(flag).into_iter().map(pair).collect()
}

/// Lays what the flags say over a container.
fn set_up(args: &Args, container: &mut Map) -> Outcome {
    let words = args.after_dash();
    if !words.is_empty() {
        if !args.on("arguments-only") {
            container.remove("args");
        }
        container.insert(if args.on("arguments-only") { "args" } else { "command" }.into(), json!(words));
    }
    let env: Vec<Value> = pairs(args, "env")?.iter().map(|(n, v)| json!({"name": n, "value": v})).collect();
    if !env.is_empty() {
        container.insert("env".into(), env.into());
    }
    for (flag, field) in [("image", "image"), ("image-pull-policy", "imagePullPolicy")] {
        if !args.text(flag).is_empty() {
            container.insert(field.into(), args.text(flag).into());
        }
    }
    for field in ["stdin", "tty"] {
        container.remove(field);
        if args.on(field) {
            container.insert(field.into(), true.into());
        }
    }
    Ok(())
}

fn customized(container: Value, custom: Option<&Value>) -> Outcome<Value> {
    let Some(custom) = custom else { return Ok(container) };
    let definition = api::schema::definition("io.k8s.api.core.v1.Container");
    api::patch::strategic_merge(&container, custom, definition).map_err(|why| Failure::message(why.to_string()))
}

/// An ephemeral container for a pod.
pub fn ephemeral(args: &Args, name: &str, profile: Profile, custom: Option<&Value>) -> Outcome<Value> {
    let mut container = json!({"name": name, "resources": {}, "terminationMessagePolicy": "File"});
    if let Some(map) = container.as_object_mut() {
        set_up(args, map)?;
    }
    if !args.text("target").is_empty() {
        container["targetContainerName"] = args.text("target").into();
    }
    profile.secure(&mut container, Style::Ephemeral);
    customized(container, custom)
}

/// A copy of a pod, with its images changed.
pub fn copy(args: &Args, pod: &Value) -> Outcome<Value> {
    let mut spec = pod["spec"].clone();
    if let Some(spec) = spec.as_object_mut() {
        spec.remove("ephemeralContainers");
        if !args.on("same-node") {
            spec.remove("nodeName");
        }
    }
    if args.changed("share-processes") {
        spec["shareProcessNamespace"] = args.on("share-processes").into();
    }
    let images = pairs(args, "set-image")?;
    for container in spec["containers"].as_array_mut().into_iter().flatten() {
        let of = |name: &str| images.iter().find(|(n, _)| n == name).map(|(_, image)| image.clone());
        if let Some(image) = of(podspec::name(container)).or_else(|| of("*")) {
            container["image"] = image.into();
        }
    }
    let mut metadata = json!({"name": args.text("copy-to"), "namespace": pod["metadata"]["namespace"]});
    for field in ["labels", "annotations"] {
        if pod["metadata"][field].is_object() {
            metadata[field] = pod["metadata"][field].clone();
        }
    }
    Ok(json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": {}}))
}

/// The copy with one container changed, or with a new one.
pub fn changed_copy(
    args: &Args,
    mut copy: Value,
    name: &str,
    profile: Profile,
    custom: Option<&Value>,
) -> Outcome<Value> {
    if !has_container(&copy, name)
        && let Some(all) = copy["spec"]["containers"].as_array_mut()
    {
        all.push(json!({"name": name, "resources": {}, "terminationMessagePolicy": "File"}));
    }
    for list in ["containers", "initContainers"] {
        let all = copy["spec"].get_mut(list).and_then(Value::as_array_mut);
        for container in all.into_iter().flatten().filter(|c| c["name"] == name) {
            if let Some(map) = container.as_object_mut() {
                set_up(args, map)?;
            }
            profile.secure(container, Style::Copy);
            *container = customized(container.take(), custom)?;
        }
    }
    leave_out(args, &mut copy, profile);
    Ok(copy)
}

/// A copy leaves out what would make it part of the service again.
fn leave_out(args: &Args, copy: &mut Value, profile: Profile) {
    let legacy = profile == Profile::Legacy;
    let mut drop = |pointer: &str, field: &str| {
        if let Some(map) = copy.pointer_mut(pointer).and_then(Value::as_object_mut) {
            map.remove(field);
        }
    };
    if legacy || !args.on("keep-labels") {
        drop("/metadata", "labels");
    }
    if legacy {
        return;
    }
    if !args.on("keep-annotations") {
        drop("/metadata", "annotations");
    }
    if !args.on("keep-init-containers") {
        drop("/spec", "initContainers");
    }
    for container in copy["spec"]["containers"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        for kind in ["liveness", "readiness", "startup"] {
            if !args.on(&format!("keep-{kind}")) {
                container.remove(&format!("{kind}Probe"));
            }
        }
    }
    let share = &mut copy["spec"]["shareProcessNamespace"];
    if share.is_null() {
        *share = true.into();
    }
}

/// A pod that runs on a node, whatever its taints.
pub fn on_node(
    args: &Args,
    node: &str,
    name: &str,
    container_name: &str,
    profile: Profile,
    custom: Option<&Value>,
) -> Outcome<Value> {
    let mut container = json!({"name": container_name, "resources": {}, "terminationMessagePolicy": "File"});
    if let Some(map) = container.as_object_mut() {
        set_up(args, map)?;
    }
    let mut pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "kubectl-debug"}},
        "spec": {"nodeName": node, "restartPolicy": "Never", "tolerations": [{"operator": "Exists"}]},
        "status": {},
    });
    if profile.mounts_root() {
        container["volumeMounts"] = json!([{"mountPath": "/host", "name": "host-root"}]);
        pod["spec"]["volumes"] = json!([{"name": "host-root", "hostPath": {"path": "/"}}]);
    }
    if profile.uses_host() {
        for field in ["hostNetwork", "hostPID", "hostIPC"] {
            pod["spec"][field] = true.into();
        }
    }
    profile.secure(&mut container, Style::Node);
    pod["spec"]["containers"] = json!([customized(container, custom)?]);
    Ok(pod)
}
