//! Names and namespaces, and the fields in which objects name others.

use json::Value;

use super::{Resource, visit};
use crate::podspec;

/// Kinds whose names get no prefix and no suffix.
const KEEP_NAMES: &[&str] = &["APIService", "CustomResourceDefinition", "Namespace"];

/// Kinds that live in no namespace.
const CLUSTER: &[&str] = &[
    "APIService",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "ComponentStatus",
    "CustomResourceDefinition",
    "FlowSchema",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "RuntimeClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
];

/// `namespace`.
pub fn namespace(kustomization: &Value, all: &mut [Resource]) {
    let Some(namespace) = kustomization["namespace"].as_str().filter(|n| !n.is_empty()) else { return };
    let accounts: Vec<String> =
        all.iter().filter(|r| r.kind() == "ServiceAccount").map(|r| r.name().to_owned()).collect();
    for resource in all {
        match resource.kind() {
            "Namespace" => resource.rename(namespace.to_owned()),
            "RoleBinding" | "ClusterRoleBinding" => {
                for subject in resource.value["subjects"].as_array_mut().into_iter().flatten() {
                    let name = subject["name"].as_str().unwrap_or("").to_owned();
                    let is_ours = name == "default" || accounts.contains(&name);
                    if subject["kind"] == "ServiceAccount" && is_ours {
                        subject["namespace"] = namespace.into();
                    }
                }
            }
            _ => {}
        }
        if !CLUSTER.contains(&resource.kind()) {
            resource.value["metadata"]["namespace"] = namespace.into();
        }
    }
}

/// `namePrefix` and `nameSuffix`.
pub fn affixes(kustomization: &Value, all: &mut [Resource]) {
    let text = |field: &str| kustomization[field].as_str().unwrap_or("");
    let (prefix, suffix) = (text("namePrefix"), text("nameSuffix"));
    for resource in all.iter_mut().filter(|r| !KEEP_NAMES.contains(&r.kind())) {
        resource.rename(format!("{prefix}{}{suffix}", resource.name()));
    }
}

/// Where pod specs name objects: their kinds, and the path below the spec.
const IN_POD_SPEC: &[(&[&str], &str)] = &[
    (&["ConfigMap"], "volumes/configMap/name"),
    (&["ConfigMap"], "volumes/projected/sources/configMap/name"),
    (&["ConfigMap"], "containers/env/valueFrom/configMapKeyRef/name"),
    (&["ConfigMap"], "initContainers/env/valueFrom/configMapKeyRef/name"),
    (&["ConfigMap"], "containers/envFrom/configMapRef/name"),
    (&["ConfigMap"], "initContainers/envFrom/configMapRef/name"),
    (&["Secret"], "volumes/secret/secretName"),
    (&["Secret"], "volumes/projected/sources/secret/name"),
    (&["Secret"], "containers/env/valueFrom/secretKeyRef/name"),
    (&["Secret"], "initContainers/env/valueFrom/secretKeyRef/name"),
    (&["Secret"], "containers/envFrom/secretRef/name"),
    (&["Secret"], "initContainers/envFrom/secretRef/name"),
    (&["Secret"], "imagePullSecrets/name"),
    (&["ServiceAccount"], "serviceAccountName"),
    (&["PersistentVolumeClaim"], "volumes/persistentVolumeClaim/claimName"),
    (&["PriorityClass"], "priorityClassName"),
];

/// Where other objects name objects: the kind that names, the kinds that are named, and the path.
const ELSEWHERE: &[(&str, &[&str], &str)] = &[
    ("ServiceAccount", &["Secret"], "secrets/name"),
    ("ServiceAccount", &["Secret"], "imagePullSecrets/name"),
    ("StatefulSet", &["Service"], "spec/serviceName"),
    ("StatefulSet", &["StorageClass"], "spec/volumeClaimTemplates/spec/storageClassName"),
    ("PersistentVolumeClaim", &["StorageClass"], "spec/storageClassName"),
    ("PersistentVolumeClaim", &["PersistentVolume"], "spec/volumeName"),
    ("PersistentVolume", &["StorageClass"], "spec/storageClassName"),
    ("Ingress", &["Secret"], "spec/tls/secretName"),
    ("Ingress", &["Service"], "spec/rules/http/paths/backend/service/name"),
    ("Ingress", &["Service"], "spec/defaultBackend/service/name"),
    ("Ingress", &["IngressClass"], "spec/ingressClassName"),
    ("RoleBinding", &["Role", "ClusterRole"], "roleRef/name"),
    ("ClusterRoleBinding", &["ClusterRole"], "roleRef/name"),
    ("RoleBinding", &["ServiceAccount"], "subjects/name"),
    ("ClusterRoleBinding", &["ServiceAccount"], "subjects/name"),
    (
        "HorizontalPodAutoscaler",
        &["Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"],
        "spec/scaleTargetRef/name",
    ),
];

/// Makes objects name others by their new names.
pub fn fix_references(all: &mut [Resource]) {
    let renamed: Vec<(String, Vec<String>, String)> = all
        .iter()
        .filter(|r| !r.old_names.is_empty())
        .map(|r| (r.kind().to_owned(), r.old_names.clone(), r.name().to_owned()))
        .collect();
    let new_name = |kinds: &[&str], old: &str| {
        let is_it = |(kind, names, _): &&(String, Vec<String>, String)| {
            kinds.contains(&kind.as_str()) && names.iter().any(|name| name == old)
        };
        renamed.iter().find(is_it).map(|(_, _, new)| new.clone())
    };
    for resource in all {
        let kind = resource.kind().to_owned();
        let fix = |value: &mut Value, kinds: &[&str], path: &str| {
            visit(value, path, false, &mut |name| {
                if let Some(new) = name.as_str().and_then(|old| new_name(kinds, old)) {
                    *name = new.into();
                }
            });
        };
        if let Some(spec) = podspec::of_mut(&mut resource.value) {
            IN_POD_SPEC.iter().for_each(|(kinds, path)| fix(spec, kinds, path));
        }
        for (_, kinds, path) in ELSEWHERE.iter().filter(|(from, ..)| *from == kind) {
            fix(&mut resource.value, kinds, path);
        }
    }
}
