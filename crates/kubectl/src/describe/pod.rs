//! Pods and pod templates.

use api::Object;
use json::Value;

use super::volumes;
use super::write::{Text, list, or_none, scalar, text};
use super::{Context, events};
use crate::age;
use crate::failure::Outcome;

/// `kubectl describe pod`.
pub async fn describe(ctx: Context, pod: Object) -> Outcome<String> {
    let found = events::search(&ctx, &pod).await;
    let mut out = Text::new();
    head(&mut out, &pod, &ctx);
    let init = pod.list("spec.initContainers");
    if !init.is_empty() {
        containers(&mut out, "Init Containers", init, pod.list("status.initContainerStatuses"), Some(&pod), "");
    }
    containers(
        &mut out,
        "Containers",
        pod.list("spec.containers"),
        pod.list("status.containerStatuses"),
        Some(&pod),
        "",
    );
    let ephemeral = pod.list("spec.ephemeralContainers");
    if !ephemeral.is_empty() {
        let statuses = pod.list("status.ephemeralContainerStatuses");
        containers(&mut out, "Ephemeral Containers", ephemeral, statuses, Some(&pod), "");
    }
    if !pod.list("status.conditions").is_empty() {
        out.line(0, "Conditions:");
        out.line(1, "Type\tStatus");
        for condition in pod.list("status.conditions") {
            out.line(1, format!("{} \t{} ", text(condition, "type"), text(condition, "status")));
        }
    }
    volumes::write(&mut out, pod.list("spec.volumes"), "");
    out.field(0, "QoS Class", qos(&pod));
    out.labels("Node-Selectors", pod.at("spec.nodeSelector"));
    tolerations(&mut out, "Tolerations", pod.list("spec.tolerations"));
    events::write(&mut out, found, &ctx);
    Ok(out.finish())
}

fn head(out: &mut Text, pod: &Object, ctx: &Context) {
    out.field(0, "Name", pod.name());
    out.field(0, "Namespace", pod.namespace());
    if let Some(priority) = pod.int("spec.priority") {
        out.field(0, "Priority", priority.to_string());
    }
    for (title, path) in [
        ("Priority Class Name", "spec.priorityClassName"),
        ("Runtime Class Name", "spec.runtimeClassName"),
        ("Service Account", "spec.serviceAccountName"),
    ] {
        if !pod.str(path).is_empty() {
            out.field(0, title, pod.str(path));
        }
    }
    match pod.str("spec.nodeName") {
        "" => out.field(0, "Node", "<none>"),
        node => out.field(0, "Node", format!("{node}/{}", pod.str("status.hostIP"))),
    }
    if !pod.str("status.startTime").is_empty() {
        out.field(0, "Start Time", age::rfc1123(pod.str("status.startTime")));
    }
    out.labels("Labels", pod.at("metadata.labels"));
    out.annotations("Annotations", pod.at("metadata.annotations"));
    let phase = pod.str("status.phase");
    if pod.is_deleting() && !matches!(phase, "Failed" | "Succeeded") {
        let since = age::of(pod.str("metadata.deletionTimestamp"), ctx.now());
        out.field(0, "Status", format!("Terminating (lasts {since})"));
        let grace = pod.int("metadata.deletionGracePeriodSeconds").unwrap_or(0);
        out.field(0, "Termination Grace Period", format!("{grace}s"));
    } else {
        out.field(0, "Status", phase);
    }
    for (title, path) in [("Reason", "status.reason"), ("Message", "status.message")] {
        if !pod.str(path).is_empty() {
            out.field(0, title, pod.str(path));
        }
    }
    if let Some(profile) = pod.at("spec.securityContext.seccompProfile.type").as_str() {
        out.field(0, "SeccompProfile", profile);
    }
    out.field(0, "IP", pod.str("status.podIP"));
    if pod.list("status.podIPs").is_empty() {
        out.field(0, "IPs", "<none>");
    } else {
        out.line(0, "IPs:");
        pod.list("status.podIPs").iter().for_each(|ip| out.field(1, "IP", text(ip, "ip")));
    }
    if let Some(owner) = pod.controller_ref() {
        out.field(0, "Controlled By", format!("{}/{}", owner.kind, owner.name));
    }
    if !pod.str("status.nominatedNodeName").is_empty() {
        out.field(0, "NominatedNodeName", pod.str("status.nominatedNodeName"));
    }
}

/// `qos.GetPodQOS`: what the server computed, or the same computed here.
fn qos(pod: &Object) -> String {
    match pod.str("status.qosClass") {
        "" => "BestEffort".to_owned(),
        class => class.to_owned(),
    }
}

/// A pod template, without layout: `rollout history` prints it so.
pub fn template(out: &mut Text, template: &Value) {
    out.line(0, "Pod Template:");
    let object = Object::new(template.clone());
    out.labels("  Labels", object.at("metadata.labels"));
    if object.at("metadata.annotations").as_object().is_some_and(|a| !a.is_empty()) {
        out.annotations("  Annotations", object.at("metadata.annotations"));
    }
    if !object.str("spec.serviceAccountName").is_empty() {
        out.field(1, "Service Account", object.str("spec.serviceAccountName"));
    }
    let init = object.list("spec.initContainers");
    if !init.is_empty() {
        containers(out, "Init Containers", init, &[], None, "  ");
    }
    containers(out, "Containers", object.list("spec.containers"), &[], None, "  ");
    volumes::write(out, object.list("spec.volumes"), "  ");
    if !object.str("spec.priorityClassName").is_empty() {
        out.field(1, "Priority Class Name", object.str("spec.priorityClassName"));
    }
    out.labels("  Node-Selectors", object.at("spec.nodeSelector"));
    tolerations(out, "  Tolerations", object.list("spec.tolerations"));
}

/// Tolerations below each other, in order of their keys.
pub fn tolerations(out: &mut Text, title: &str, all: &[Value]) {
    let mut sorted: Vec<&Value> = all.iter().collect();
    sorted.sort_by_key(|t| text(t, "key"));
    let lines: Vec<String> = sorted.into_iter().map(toleration).collect();
    out.column(title, &lines);
}

fn toleration(t: &Value) -> String {
    let mut line = text(t, "key").to_owned();
    if !text(t, "value").is_empty() {
        line.push_str(&format!("={}", text(t, "value")));
    }
    if !text(t, "effect").is_empty() {
        line.push_str(&format!(":{}", text(t, "effect")));
    }
    if text(t, "operator") == "Exists" && text(t, "value").is_empty() {
        line.push_str(if line.is_empty() { "op=Exists" } else { " op=Exists" });
    }
    if let Some(seconds) = t.get("tolerationSeconds").and_then(Value::as_i64) {
        line.push_str(&format!(" for {seconds}s"));
    }
    line
}

/// Containers with their statuses. `space` is two spaces within a template.
pub fn containers(out: &mut Text, title: &str, all: &[Value], statuses: &[Value], pod: Option<&Object>, space: &str) {
    if all.is_empty() {
        return out.line(0, format!("{space}{title}: <none>"));
    }
    out.line(0, format!("{space}{title}:"));
    let indent = if space.is_empty() { "" } else { " " };
    for container in all {
        let status = statuses.iter().find(|s| text(s, "name") == text(container, "name"));
        out.line(1, format!("{indent}{}:", text(container, "name")));
        basics(out, container, status);
        for (title, field) in [("Command", "command"), ("Args", "args")] {
            let words = list(container, field);
            if !words.is_empty() {
                out.line(2, format!("{title}:"));
                words.iter().flat_map(|w| w.as_str().unwrap_or("").split('\n')).for_each(|line| out.line(3, line));
            }
        }
        if let Some(status) = status {
            state(out, "State", status.get("state"));
            if status.get("lastState").is_some_and(|s| s.get("terminated").is_some()) {
                state(out, "Last State", status.get("lastState"));
            }
            let ready = status.get("ready").and_then(Value::as_bool).unwrap_or(false);
            out.field(2, "Ready", if ready { "True" } else { "False" });
            out.field(2, "Restart Count", scalar(status.get("restartCount").unwrap_or(&0.into())));
        }
        resources(out, container);
        for (title, field) in
            [("Liveness", "livenessProbe"), ("Readiness", "readinessProbe"), ("Startup", "startupProbe")]
        {
            if let Some(p) = container.get(field).filter(|p| p.is_object()) {
                out.field(2, title, probe(p));
            }
        }
        environment(out, container, pod);
        mounts(out, container);
    }
}

fn basics(out: &mut Text, container: &Value, status: Option<&Value>) {
    if let Some(status) = status {
        out.field(2, "Container ID", text(status, "containerID"));
    }
    out.field(2, "Image", text(container, "image"));
    if let Some(status) = status {
        out.field(2, "Image ID", text(status, "imageID"));
    }
    for (title, field) in [("Port", "containerPort"), ("Host Port", "hostPort")] {
        let ports: Vec<String> = list(container, "ports").iter().map(|p| port(p, field)).collect();
        let plural = if ports.len() > 1 { "s" } else { "" };
        out.field(2, &format!("{title}{plural}"), or_none(&ports.join(", ")));
    }
    if let Some(profile) = container.pointer("/securityContext/seccompProfile/type").and_then(Value::as_str) {
        out.field(2, "SeccompProfile", profile);
    }
}

fn port(port: &Value, field: &str) -> String {
    let number = port.get(field).and_then(Value::as_i64).unwrap_or(0);
    let protocol = or(text(port, "protocol"), "TCP");
    match text(port, "name") {
        "" => format!("{number}/{protocol}"),
        name => format!("{number}/{protocol} ({name})"),
    }
}

fn or<'a>(first: &'a str, second: &'a str) -> &'a str {
    if first.is_empty() { second } else { first }
}

fn state(out: &mut Text, title: &str, state: Option<&Value>) {
    let part = |name: &str| state.and_then(|s| s.get(name)).filter(|v| v.is_object());
    if let Some(running) = part("running") {
        out.field(2, title, "Running");
        out.field(3, "Started", age::rfc1123(text(running, "startedAt")));
    } else if let Some(ended) = part("terminated") {
        out.field(2, title, "Terminated");
        for (title, field) in [("Reason", "reason"), ("Message", "message")] {
            if !text(ended, field).is_empty() {
                out.field(3, title, text(ended, field));
            }
        }
        out.field(3, "Exit Code", scalar(ended.get("exitCode").unwrap_or(&0.into())));
        if let Some(signal) = ended.get("signal").and_then(Value::as_i64).filter(|s| *s > 0) {
            out.field(3, "Signal", signal.to_string());
        }
        out.field(3, "Started", age::rfc1123(text(ended, "startedAt")));
        out.field(3, "Finished", age::rfc1123(text(ended, "finishedAt")));
    } else {
        out.field(2, title, "Waiting");
        if let Some(reason) = part("waiting").map(|w| text(w, "reason")).filter(|r| !r.is_empty()) {
            out.field(3, "Reason", reason);
        }
    }
}

fn resources(out: &mut Text, container: &Value) {
    for (title, field) in [("Limits", "limits"), ("Requests", "requests")] {
        let map = container.get("resources").and_then(|r| r.get(field)).and_then(Value::as_object);
        let Some(map) = map.filter(|m| !m.is_empty()) else { continue };
        out.line(2, format!("{title}:"));
        map.iter().for_each(|(name, quantity)| out.field(3, name, scalar(quantity)));
    }
}

/// One line about a probe.
pub fn probe(probe: &Value) -> String {
    let int = |field: &str, default: i64| probe.get(field).and_then(Value::as_i64).unwrap_or(default);
    let numbers = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        int("initialDelaySeconds", 0),
        int("timeoutSeconds", 0),
        int("periodSeconds", 0),
        int("successThreshold", 0),
        int("failureThreshold", 0)
    );
    let port = |p: &Value| scalar(p.get("port").unwrap_or(&Value::Null));
    if let Some(exec) = probe.get("exec") {
        let words: Vec<String> = list(exec, "command").iter().map(scalar).collect();
        return format!("exec [{}] {numbers}", words.join(" "));
    }
    if let Some(http) = probe.get("httpGet") {
        let scheme = or(text(http, "scheme"), "http").to_lowercase();
        return format!("http-get {scheme}://{}:{}{} {numbers}", text(http, "host"), port(http), text(http, "path"));
    }
    if let Some(tcp) = probe.get("tcpSocket") {
        return format!("tcp-socket {}:{} {numbers}", text(tcp, "host"), port(tcp));
    }
    if let Some(grpc) = probe.get("grpc") {
        return format!("grpc <pod>:{} {} {numbers}", port(grpc), text(grpc, "service"));
    }
    format!("unknown {numbers}")
}

fn environment(out: &mut Text, container: &Value, pod: Option<&Object>) {
    let sources = list(container, "envFrom");
    if !sources.is_empty() {
        out.line(2, "Environment Variables from:");
        for source in sources {
            let (kind, reference) = match source.get("configMapRef") {
                Some(reference) => ("ConfigMap", reference),
                None => ("Secret", source.get("secretRef").unwrap_or(&Value::Null)),
            };
            let prefix = match text(source, "prefix") {
                "" => String::new(),
                prefix => format!(" with prefix '{prefix}'"),
            };
            out.line(3, format!("{}\t{kind}{prefix}\tOptional: {}", text(reference, "name"), optional(reference)));
        }
    }
    let variables = list(container, "env");
    out.line(2, if variables.is_empty() { "Environment:\t<none>" } else { "Environment:" });
    for variable in variables {
        let name = text(variable, "name");
        let Some(from) = variable.get("valueFrom").filter(|f| f.is_object()) else {
            for (i, line) in text(variable, "value").split('\n').enumerate() {
                out.line(3, if i == 0 { format!("{name}:\t{line}") } else { format!("\t{line}") });
            }
            continue;
        };
        out.line(3, format!("{name}:\t{}", value_from(from, container, pod)));
    }
}

fn value_from(from: &Value, container: &Value, pod: Option<&Object>) -> String {
    if let Some(field) = from.get("fieldRef") {
        let path = text(field, "fieldPath");
        let value = pod.map(|p| field_value(p, path)).unwrap_or_default();
        return format!("{value} ({}:{path})", or(text(field, "apiVersion"), "v1"));
    }
    if let Some(resource) = from.get("resourceFieldRef") {
        let path = text(resource, "resource");
        let pointer = format!("/resources/{}", path.replacen('.', "/", 1));
        let value = container.pointer(&pointer).map(scalar);
        let value =
            value.unwrap_or_else(|| if path.starts_with("limits.") { "node allocatable".into() } else { "0".into() });
        return format!("{value} ({path})");
    }
    if let Some(secret) = from.get("secretKeyRef") {
        return format!(
            "<set to the key '{}' in secret '{}'>\tOptional: {}",
            text(secret, "key"),
            text(secret, "name"),
            optional(secret)
        );
    }
    if let Some(map) = from.get("configMapKeyRef") {
        return format!(
            "<set to the key '{}' of config map '{}'>\tOptional: {}",
            text(map, "key"),
            text(map, "name"),
            optional(map)
        );
    }
    String::new()
}

fn field_value(pod: &Object, path: &str) -> String {
    match path {
        "metadata.name" => pod.name().to_owned(),
        "metadata.namespace" => pod.namespace().to_owned(),
        "metadata.uid" => pod.uid().to_owned(),
        _ => String::new(),
    }
}

fn optional(reference: &Value) -> bool {
    reference.get("optional").and_then(Value::as_bool).unwrap_or(false)
}

fn mounts(out: &mut Text, container: &Value) {
    let mut mounts: Vec<&Value> = list(container, "volumeMounts").iter().collect();
    mounts.sort_by_key(|m| text(m, "mountPath"));
    out.line(2, if mounts.is_empty() { "Mounts:\t<none>" } else { "Mounts:" });
    for mount in mounts {
        let read_only = mount.get("readOnly").and_then(Value::as_bool).unwrap_or(false);
        let mut flags = if read_only { "ro".to_owned() } else { "rw".to_owned() };
        if !text(mount, "subPath").is_empty() {
            flags.push_str(&format!(",path={:?}", text(mount, "subPath")));
        }
        out.line(3, format!("{} from {} ({flags})", text(mount, "mountPath"), text(mount, "name")));
    }
}
