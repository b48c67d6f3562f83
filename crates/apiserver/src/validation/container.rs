//! Containers (`validateContainers`, `validateInitContainers`).

use std::collections::BTreeSet;

use api::names;
use api::quantity::Quantity;
use api::status::{FieldError, FieldErrors};
use json::{Value, json};

use super::{one_of, pod, probe, volume};
use crate::value::{at, fields, list, text};

/// What a container's rules need to know of its pod.
pub struct PodFacts<'a> {
    /// Names of the volumes.
    pub volumes: &'a BTreeSet<String>,
    /// Whether the pod uses the node's network.
    pub host_network: bool,
    /// `restartPolicy` of the pod.
    pub restarts: &'a str,
}

/// One container.
pub fn validate(container: &Value, path: &str, init: bool, facts: &PodFacts<'_>, errors: &mut FieldErrors) {
    match text(container, "name") {
        "" => errors.push(FieldError::required(format!("{path}.name"), "")),
        name => errors.invalid_all(&format!("{path}.name"), name, names::dns1123_label(name)),
    }
    let image = text(container, "image");
    if image.is_empty() {
        errors.push(FieldError::required(format!("{path}.image"), ""));
    } else if image.trim() != image {
        let detail = "must not have leading or trailing whitespace";
        errors.push(FieldError::invalid(format!("{path}.image"), image, detail));
    }
    ports(list(container, "ports"), &format!("{path}.ports"), facts, errors);
    environment(list(container, "env"), &format!("{path}.env"), errors);
    mounts(container, &format!("{path}.volumeMounts"), facts, errors);
    let policies = ["Always", "IfNotPresent", "Never"];
    one_of(text(container, "imagePullPolicy"), &format!("{path}.imagePullPolicy"), &policies, errors);
    resources(at(container, "resources"), &format!("{path}.resources"), errors);
    super::resize::policies(container, path, init, facts.restarts, errors);
    security(at(container, "securityContext"), &format!("{path}.securityContext"), errors);
    let sidecar = text(container, "restartPolicy") == "Always";
    for field in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let one = at(container, field);
        let path = format!("{path}.{field}");
        if one.is_null() {
            continue;
        }
        if init && !sidecar {
            let detail = "may not be set for init containers without restartPolicy=Always";
            errors.push(FieldError::forbidden(path, detail));
        } else {
            probe::validate(one, &path, field, errors);
        }
    }
    for hook in ["postStart", "preStop"] {
        let one = at(container, "lifecycle").get(hook).unwrap_or(&Value::Null);
        if !one.is_null() {
            probe::handler(
                one,
                &format!("{path}.lifecycle.{hook}"),
                &["exec", "httpGet", "tcpSocket", "sleep"],
                errors,
            );
        }
    }
}

fn ports(ports: &[Value], path: &str, facts: &PodFacts<'_>, errors: &mut FieldErrors) {
    let mut seen = BTreeSet::new();
    for (i, port) in ports.iter().enumerate() {
        let path = format!("{path}[{i}]");
        let name = text(port, "name");
        if !name.is_empty() {
            let complaints = names::port_name(name);
            if complaints.is_empty() && !seen.insert(name) {
                errors.push(FieldError::duplicate(format!("{path}.name"), name));
            }
            errors.invalid_all(&format!("{path}.name"), name, complaints);
        }
        let range = |number: i64| !(1..=65_535).contains(&number);
        let detail = "must be between 1 and 65535, inclusive";
        match at(port, "containerPort").as_i64() {
            None | Some(0) => errors.push(FieldError::required(format!("{path}.containerPort"), "")),
            Some(n) if range(n) => errors.push(FieldError::invalid(format!("{path}.containerPort"), n, detail)),
            Some(n) => {
                if let Some(host) = at(port, "hostPort").as_i64().filter(|h| *h != 0) {
                    if range(host) {
                        errors.push(FieldError::invalid(format!("{path}.hostPort"), host, detail));
                    } else if facts.host_network && host != n {
                        let detail = "must match `containerPort` when `hostNetwork` is true";
                        errors.push(FieldError::invalid(format!("{path}.hostPort"), host, detail));
                    }
                }
            }
        }
        one_of(text(port, "protocol"), &format!("{path}.protocol"), &["SCTP", "TCP", "UDP"], errors);
    }
}

fn environment(variables: &[Value], path: &str, errors: &mut FieldErrors) {
    for (i, variable) in variables.iter().enumerate() {
        let path = format!("{path}[{i}]");
        match text(variable, "name") {
            "" => errors.push(FieldError::required(format!("{path}.name"), "")),
            name => errors.invalid_all(&format!("{path}.name"), name, names::relaxed_env_var_name(name)),
        }
        let source = at(variable, "valueFrom");
        if !source.is_null() {
            value_from(source, text(variable, "value"), &format!("{path}.valueFrom"), errors);
        }
    }
}

/// Fields that an environment variable can take its value from.
const ENV_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

fn value_from(source: &Value, value: &str, path: &str, errors: &mut FieldErrors) {
    let mut sources = 0;
    let field = at(source, "fieldRef");
    if !field.is_null() {
        sources += 1;
        let reference = text(field, "fieldPath");
        let path = format!("{path}.fieldRef.fieldPath");
        let keyed = reference.starts_with("metadata.labels['") || reference.starts_with("metadata.annotations['");
        if reference.is_empty() {
            errors.push(FieldError::required(path, ""));
        } else if !keyed && !ENV_FIELDS.contains(&reference) {
            let detail = format!("error converting fieldPath: field label not supported: {reference}");
            errors.push(FieldError::invalid(path, reference, detail));
        }
    }
    if !at(source, "resourceFieldRef").is_null() {
        sources += 1;
        if text(source, "resourceFieldRef.resource").is_empty() {
            errors.push(FieldError::required(format!("{path}.resourceFieldRef.resource"), ""));
        }
    }
    for kind in ["configMapKeyRef", "secretKeyRef"] {
        let reference = at(source, kind);
        if !reference.is_null() {
            sources += 1;
            match text(reference, "key") {
                "" => errors.push(FieldError::required(format!("{path}.{kind}.key"), "")),
                key => errors.invalid_all(&format!("{path}.{kind}.key"), key, names::config_key(key)),
            }
        }
    }
    let file = at(source, "fileKeyRef");
    if !file.is_null() {
        sources += 1;
        volume::file_key(file, &format!("{path}.fileKeyRef"), errors);
    }
    if sources == 0 {
        let detail =
            "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`";
        errors.push(FieldError::invalid(path, "", detail));
    } else if !value.is_empty() {
        errors.push(FieldError::invalid(path, "", "may not be specified when `value` is not empty"));
    } else if sources > 1 {
        errors.push(FieldError::invalid(path, "", "may not have more than one field specified at a time"));
    }
}

fn mounts(container: &Value, path: &str, facts: &PodFacts<'_>, errors: &mut FieldErrors) {
    let mut paths = BTreeSet::new();
    let privileged = at(at(container, "securityContext"), "privileged").as_bool() == Some(true);
    let all = path;
    for (i, mount) in list(container, "volumeMounts").iter().enumerate() {
        let path = format!("{path}[{i}]");
        match text(mount, "name") {
            "" => errors.push(FieldError::required(format!("{path}.name"), "")),
            name if !facts.volumes.contains(name) => {
                // A new pod's token volume is added by admission, templates know only what they declare.
                errors.push(FieldError::not_found(format!("{path}.name"), name));
            }
            _ => {}
        }
        match text(mount, "mountPath") {
            "" => errors.push(FieldError::required(format!("{path}.mountPath"), "")),
            place if !paths.insert(place) => {
                errors.push(FieldError::invalid(format!("{path}.mountPath"), place, "must be unique"));
            }
            _ => {}
        }
        volume::mount(mount, privileged, all, &path, errors);
    }
}

fn resources(resources: &Value, path: &str, errors: &mut FieldErrors) {
    let (limits, requests) = (at(resources, "limits"), at(resources, "requests"));
    for (map, field) in [(limits, "limits"), (requests, "requests")] {
        pod::resource_names(map, &format!("{path}.{field}"), errors);
        for (name, value) in fields(map) {
            let negative = Quantity::from_value(value).is_ok_and(|q| q < Quantity::ZERO);
            if negative {
                let detail = "must be greater than or equal to 0";
                errors.push(FieldError::invalid(format!("{path}.{field}[{name}]"), value.clone(), detail));
            }
        }
    }
    for (name, value) in fields(requests) {
        let parsed = (Quantity::from_value(value), limits.get(name).map(Quantity::from_value));
        if let (Ok(request), Some(Ok(limit))) = parsed
            && request > limit
        {
            let detail = format!("must be less than or equal to {name} limit of {limit}");
            errors.push(FieldError::invalid(format!("{path}.requests"), request.to_string(), detail));
        }
    }
}

/// Fields of a container's security context, as upstream's struct shows them.
const SECURITY_FIELDS: [&str; 12] = [
    "Capabilities",
    "Privileged",
    "SELinuxOptions",
    "WindowsOptions",
    "RunAsUser",
    "RunAsGroup",
    "RunAsNonRoot",
    "ReadOnlyRootFilesystem",
    "AllowPrivilegeEscalation",
    "ProcMount",
    "SeccompProfile",
    "AppArmorProfile",
];

fn security(context: &Value, path: &str, errors: &mut FieldErrors) {
    let flag = |field: &str| at(context, field).as_bool();
    if flag("privileged") == Some(true) && flag("allowPrivilegeEscalation") == Some(false) {
        let of = |name: &&str| json!(at(context, &uncapitalised(name)));
        let shown: json::Map = SECURITY_FIELDS.iter().map(|name| ((*name).to_owned(), of(name))).collect();
        let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
        errors.push(FieldError::invalid(path, Value::Object(shown), detail).in_order(&SECURITY_FIELDS));
    }
}

/// The name of a field in JSON.
fn uncapitalised(name: &str) -> String {
    if name == "SELinuxOptions" {
        return "seLinuxOptions".to_owned();
    }
    let mut letters = name.chars();
    letters.next().map(|c| c.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
