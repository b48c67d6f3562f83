//! Volumes of a pod: one row a type.

use json::Value;

use super::write::{Text, list, scalar, text};

/// How a type of volume is described: its field, its sentence, and titles with the fields under them.
struct Row {
    field: &'static str,
    sentence: &'static str,
    parts: &'static [(&'static str, &'static str, &'static str)],
}

/// Title, field, text when absent.
static ROWS: &[Row] = &[
    Row {
        field: "hostPath",
        sentence: "HostPath (bare host directory volume)",
        parts: &[("Path", "path", ""), ("HostPathType", "type", "<none>")],
    },
    Row {
        field: "emptyDir",
        sentence: "EmptyDir (a temporary directory that shares a pod's lifetime)",
        parts: &[("Medium", "medium", ""), ("SizeLimit", "sizeLimit", "<unset>")],
    },
    Row {
        field: "secret",
        sentence: "Secret (a volume populated by a Secret)",
        parts: &[("SecretName", "secretName", ""), ("Optional", "optional", "false")],
    },
    Row {
        field: "configMap",
        sentence: "ConfigMap (a volume populated by a ConfigMap)",
        parts: &[("Name", "name", ""), ("Optional", "optional", "false")],
    },
    Row {
        field: "persistentVolumeClaim",
        sentence: "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        parts: &[("ClaimName", "claimName", ""), ("ReadOnly", "readOnly", "false")],
    },
    Row {
        field: "nfs",
        sentence: "NFS (an NFS mount that lasts the lifetime of a pod)",
        parts: &[("Server", "server", ""), ("Path", "path", ""), ("ReadOnly", "readOnly", "false")],
    },
];

/// Writes the volumes. `space` is two spaces within a template.
pub fn write(out: &mut Text, volumes: &[Value], space: &str) {
    if volumes.is_empty() {
        return out.field(0, &format!("{space}Volumes"), "<none>");
    }
    out.line(0, format!("{space}Volumes:"));
    let indent = if space.is_empty() { "" } else { " " };
    for volume in volumes {
        out.line(1, format!("{indent}{}:", text(volume, "name")));
        if let Some(projected) = volume.get("projected") {
            write_projected(out, projected);
            continue;
        }
        if let Some(downward) = volume.get("downwardAPI") {
            write_downward(out, downward);
            continue;
        }
        let row = ROWS.iter().find_map(|row| Some((row, volume.get(row.field)?)));
        let Some((row, source)) = row else {
            out.line(1, "<unknown>");
            continue;
        };
        out.field(2, "Type", row.sentence);
        for (title, field, absent) in row.parts {
            let value = source.get(*field).filter(|v| !v.is_null()).map(scalar);
            out.field(2, title, value.unwrap_or_else(|| (*absent).to_owned()));
        }
    }
}

fn write_projected(out: &mut Text, projected: &Value) {
    out.field(2, "Type", "Projected (a volume that contains injected data from multiple sources)");
    for source in list(projected, "sources") {
        if let Some(token) = source.get("serviceAccountToken") {
            out.field(2, "TokenExpirationSeconds", scalar(token.get("expirationSeconds").unwrap_or(&Value::Null)));
        } else if source.get("downwardAPI").is_some() {
            out.field(2, "DownwardAPI", "true");
        }
        for (title, field) in [("ConfigMapName", "configMap"), ("SecretName", "secret")] {
            if let Some(reference) = source.get(field) {
                out.field(2, title, text(reference, "name"));
                let optional = reference.get("optional").and_then(Value::as_bool).unwrap_or(false);
                out.field(2, "Optional", optional.to_string());
            }
        }
    }
}

fn write_downward(out: &mut Text, downward: &Value) {
    out.field(2, "Type", "DownwardAPI (a volume populated by information about the pod)");
    out.line(2, "Items:");
    for item in list(downward, "items") {
        let path = text(item, "path");
        if let Some(field) = item.get("fieldRef") {
            out.line(3, format!("{} -> {path}", text(field, "fieldPath")));
        }
        if let Some(resource) = item.get("resourceFieldRef") {
            out.line(3, format!("{} -> {path}", text(resource, "resource")));
        }
    }
}
