//! Defaults of pod specs, for pods and for the templates of workloads (pkg/apis/core/v1/defaults.go).

use json::{Value, json};

use super::{child, default_to};
use crate::value::{at, list_mut, metadata_mut, text};

/// Mode of projected files: 0644.
const FILE_MODE: i64 = 0o644;

/// Sources of a volume; a volume with none of them is an emptyDir.
const VOLUME_SOURCES: &[&str] = &[
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "gitRepo",
    "glusterfs",
    "hostPath",
    "image",
    "iscsi",
    "nfs",
    "persistentVolumeClaim",
    "photonPersistentDisk",
    "portworxVolume",
    "projected",
    "quobyte",
    "rbd",
    "scaleIO",
    "secret",
    "storageos",
    "vsphereVolume",
];

/// Defaults of a `PodTemplateSpec`.
pub fn template_defaults(template: &mut Value) {
    metadata_mut(template).remove("creationTimestamp");
    spec_defaults(child(template, "spec"));
}

/// Defaults of a `PodSpec`.
pub fn spec_defaults(spec: &mut Value) {
    default_to(spec, "dnsPolicy", "ClusterFirst");
    default_to(spec, "restartPolicy", "Always");
    default_to(spec, "terminationGracePeriodSeconds", 30);
    default_to(spec, "schedulerName", "default-scheduler");
    child(spec, "securityContext");
    let host_network = at(spec, "hostNetwork").as_bool() == Some(true);
    for field in ["initContainers", "containers", "ephemeralContainers"] {
        for container in list_mut(spec, field) {
            container_defaults(container, host_network);
        }
    }
    for volume in list_mut(spec, "volumes") {
        volume_defaults(volume);
    }
    // The deprecated alias follows the name that counts.
    let account = text(spec, "serviceAccountName").to_owned();
    let alias = text(spec, "serviceAccount").to_owned();
    if account.is_empty() && !alias.is_empty() {
        spec["serviceAccountName"] = alias.into();
    } else if !account.is_empty() {
        spec["serviceAccount"] = account.into();
    }
}

fn container_defaults(container: &mut Value, host_network: bool) {
    let policy = if pulls_always(text(container, "image")) { "Always" } else { "IfNotPresent" };
    default_to(container, "imagePullPolicy", policy);
    default_to(container, "terminationMessagePath", "/dev/termination-log");
    default_to(container, "terminationMessagePolicy", "File");
    child(container, "resources");
    for port in list_mut(container, "ports") {
        default_to(port, "protocol", "TCP");
        if host_network {
            let number = at(port, "containerPort").clone();
            default_to(port, "hostPort", number);
        }
    }
    for variable in list_mut(container, "env") {
        if let Some(source) = variable.get_mut("valueFrom").and_then(|v| v.get_mut("fieldRef")) {
            default_to(source, "apiVersion", "v1");
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = container.get_mut(probe).filter(|p| p.is_object()) {
            probe_defaults(probe);
        }
    }
    for hook in ["postStart", "preStop"] {
        let hook = container.get_mut("lifecycle").and_then(|l| l.get_mut(hook));
        if let Some(get) = hook.and_then(|h| h.get_mut("httpGet")).filter(|g| g.is_object()) {
            http_get_defaults(get);
        }
    }
}

fn probe_defaults(probe: &mut Value) {
    for (field, value) in
        [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
    {
        if at(probe, field).as_i64() == Some(0) {
            probe[field] = value.into();
        }
        default_to(probe, field, value);
    }
    if let Some(get) = probe.get_mut("httpGet").filter(|g| g.is_object()) {
        http_get_defaults(get);
    }
    if let Some(grpc) = probe.get_mut("grpc").filter(|g| g.is_object()) {
        default_to(grpc, "service", "");
    }
}

fn http_get_defaults(get: &mut Value) {
    default_to(get, "path", "/");
    default_to(get, "scheme", "HTTP");
}

fn volume_defaults(volume: &mut Value) {
    if !VOLUME_SOURCES.iter().any(|s| volume.get(s).is_some_and(|v| !v.is_null())) {
        volume["emptyDir"] = json!({});
    }
    for source in ["configMap", "secret", "downwardAPI", "projected"] {
        if let Some(source) = volume.get_mut(source).filter(|s| s.is_object()) {
            default_to(source, "defaultMode", FILE_MODE);
            file_reference_defaults(source);
        }
    }
    if let Some(path) = volume.get_mut("hostPath").filter(|p| p.is_object()) {
        default_to(path, "type", "");
    }
    for source in list_mut(volume, "projected.sources") {
        if let Some(token) = source.get_mut("serviceAccountToken").filter(|t| t.is_object()) {
            default_to(token, "expirationSeconds", 3600);
        }
        if let Some(downward) = source.get_mut("downwardAPI").filter(|d| d.is_object()) {
            file_reference_defaults(downward);
        }
    }
}

fn file_reference_defaults(source: &mut Value) {
    for item in list_mut(source, "items") {
        if let Some(reference) = item.get_mut("fieldRef").filter(|r| r.is_object()) {
            default_to(reference, "apiVersion", "v1");
        }
    }
}

/// Whether an image's tag moves: `latest`, said or not. A digest never does.
fn pulls_always(image: &str) -> bool {
    if image.contains('@') {
        return false;
    }
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pull_policy_follows_the_tag() {
        for (image, always) in [
            ("nginx", true),
            ("nginx:latest", true),
            ("nginx:1.25", false),
            ("localhost:5000/nginx", true),
            ("localhost:5000/nginx:v1", false),
            ("nginx@sha256:0123", false),
        ] {
            assert_eq!(pulls_always(image), always, "{image}");
        }
    }
}
