//! Plugins for pods, in upstream's order: ServiceAccount, Priority, RuntimeClass, DefaultTolerationSeconds.

use api::kinds::{PODS, PRIORITY_CLASSES, RUNTIME_CLASSES, SERVICE_ACCOUNTS};
use api::status::Status;
use json::{Value, json};

use crate::failure;
use crate::registry::Context;
use crate::value::{at, list, list_mut, map_mut, text};

/// Where the token of the service account is mounted.
const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// Begins the name of the volume with the token.
const TOKEN_VOLUME_PREFIX: &str = "kube-api-access-";
/// Life of the token in seconds: an hour and a bit, by which the kubelet tells it from others.
const TOKEN_SECONDS: i64 = 3607;
/// How long a pod stays on a node that is not ready or unreachable, in seconds.
const TOLERATION_SECONDS: i64 = 300;

/// Runs the plugins on a new pod.
pub fn admit(cx: &Context<'_>, pod: &mut Value) -> Result<(), Status> {
    service_account(cx, pod)?;
    priority(cx, pod)?;
    runtime_class(cx, pod)?;
    tolerations(pod);
    Ok(())
}

/// plugin/pkg/admission/serviceaccount
fn service_account(cx: &Context<'_>, pod: &mut Value) -> Result<(), Status> {
    if is_mirror(pod) {
        return Ok(());
    }
    if text(pod, "spec.serviceAccountName").is_empty() {
        pod["spec"]["serviceAccountName"] = "default".into();
    }
    let name = text(pod, "spec.serviceAccountName").to_owned();
    pod["spec"]["serviceAccount"] = name.clone().into();
    let namespace = text(pod, "metadata.namespace").to_owned();
    let Some(account) = cx.find(&SERVICE_ACCOUNTS, &namespace, &name) else {
        let why = format!("error looking up service account {namespace}/{name}: serviceaccount \"{name}\" not found");
        return Err(failure::forbidden(&PODS, text(pod, "metadata.name"), &why));
    };
    let wanted = at(pod, "spec.automountServiceAccountToken").as_bool();
    let wanted = wanted.or_else(|| account.value.at("automountServiceAccountToken").as_bool());
    if wanted.unwrap_or(true) {
        mount_token(cx, pod);
    }
    let secrets = account.value.list("imagePullSecrets");
    if list(pod, "spec.imagePullSecrets").is_empty() && !secrets.is_empty() {
        pod["spec"]["imagePullSecrets"] = secrets.into();
    }
    Ok(())
}

/// Whether the pod mirrors a static one of a kubelet.
fn is_mirror(pod: &Value) -> bool {
    at(pod, "metadata.annotations").get("kubernetes.io/config.mirror").is_some()
}

fn mount_token(cx: &Context<'_>, pod: &mut Value) {
    let own = list(pod, "spec.volumes").iter().map(|v| text(v, "name"));
    let existing = own.clone().find(|n| n.starts_with(TOKEN_VOLUME_PREFIX)).map(str::to_owned);
    let volume = existing.clone().unwrap_or_else(|| format!("{TOKEN_VOLUME_PREFIX}{}", cx.server.sim.name_suffix(5)));
    let mount = json!({"name": volume, "readOnly": true, "mountPath": TOKEN_PATH});
    let mut mounted = false;
    for field in ["spec.initContainers", "spec.containers"] {
        for container in list_mut(pod, field) {
            if list(container, "volumeMounts").iter().any(|m| text(m, "mountPath") == TOKEN_PATH) {
                continue;
            }
            let mounts = map_mut(container).entry("volumeMounts").or_insert(Value::Null);
            push(mounts, mount.clone());
            mounted = true;
        }
    }
    if mounted && existing.is_none() {
        push(map_mut(&mut pod["spec"]).entry("volumes").or_insert(Value::Null), token_volume(&volume));
    }
}

fn token_volume(name: &str) -> Value {
    let namespace = json!({"apiVersion": "v1", "fieldPath": "metadata.namespace"});
    json!({"name": name, "projected": {"defaultMode": 0o644, "sources": [
        {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
        {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}},
        {"downwardAPI": {"items": [{"fieldRef": namespace, "path": "namespace"}]}},
    ]}})
}

fn push(list: &mut Value, item: Value) {
    match list.as_array_mut() {
        Some(items) => items.push(item),
        None => *list = json!([item]),
    }
}

/// plugin/pkg/admission/priority
fn priority(cx: &Context<'_>, pod: &mut Value) -> Result<(), Status> {
    let name = text(pod, "spec.priorityClassName").to_owned();
    let class = if name.is_empty() {
        cx.all(&PRIORITY_CLASSES, "").into_iter().find(|class| class.bool("globalDefault"))
    } else {
        let found = cx.find(&PRIORITY_CLASSES, "", &name).map(|stored| stored.value.clone());
        let why = || format!("no PriorityClass with name {name} was found");
        Some(found.ok_or_else(|| failure::forbidden(&PODS, text(pod, "metadata.name"), &why()))?)
    };
    let value = class.as_ref().and_then(|class| class.int("value")).unwrap_or(0);
    if let Some(given) = at(pod, "spec.priority").as_i64()
        && given != value
    {
        let why = format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller computed {value} from the given PriorityClass name"
        );
        return Err(failure::forbidden(&PODS, text(pod, "metadata.name"), &why));
    }
    pod["spec"]["priority"] = value.into();
    let policy = class.as_ref().map_or("", |class| class.str("preemptionPolicy"));
    pod["spec"]["preemptionPolicy"] = if policy.is_empty() { "PreemptLowerPriority" } else { policy }.into();
    if let Some(class) = class.filter(|_| name.is_empty()) {
        pod["spec"]["priorityClassName"] = class.name().into();
    }
    Ok(())
}

/// plugin/pkg/admission/runtimeclass: the class must be there, and adds what it costs and where it is.
fn runtime_class(cx: &Context<'_>, pod: &mut Value) -> Result<(), Status> {
    let name = text(pod, "spec.runtimeClassName").to_owned();
    if name.is_empty() {
        return Ok(());
    }
    let Some(class) = cx.find(&RUNTIME_CLASSES, "", &name) else {
        let why = format!("pod rejected: RuntimeClass {name:?} not found");
        return Err(failure::forbidden(&PODS, text(pod, "metadata.name"), &why));
    };
    let overhead = class.value.at("overhead.podFixed");
    if overhead.is_object() {
        pod["spec"]["overhead"] = overhead.clone();
    }
    for (key, value) in crate::value::fields(class.value.at("scheduling.nodeSelector")) {
        let selector = map_mut(&mut pod["spec"]).entry("nodeSelector").or_insert_with(|| json!({}));
        let own = map_mut(selector).entry(key.clone()).or_insert_with(|| value.clone());
        if own != value {
            let why = format!(
                "conflict: runtimeClass.scheduling.nodeSelector[{key}] = {}; pod.spec.nodeSelector[{key}] = {}",
                value.as_str().unwrap_or(""),
                own.as_str().unwrap_or("")
            );
            return Err(failure::forbidden(&PODS, text(pod, "metadata.name"), &why));
        }
    }
    for toleration in class.value.list("scheduling.tolerations").to_vec() {
        push(map_mut(&mut pod["spec"]).entry("tolerations").or_insert(Value::Null), toleration);
    }
    Ok(())
}

/// plugin/pkg/admission/defaulttolerationseconds
fn tolerations(pod: &mut Value) {
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let covers =
            |t: &Value| text(t, "key") == key || (text(t, "key").is_empty() && text(t, "operator") == "Exists");
        let effect = |t: &Value| matches!(text(t, "effect"), "" | "NoExecute");
        if list(pod, "spec.tolerations").iter().any(|t| covers(t) && effect(t)) {
            continue;
        }
        let toleration =
            json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": TOLERATION_SECONDS});
        push(map_mut(&mut pod["spec"]).entry("tolerations").or_insert(Value::Null), toleration);
    }
}
