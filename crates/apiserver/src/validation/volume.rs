//! Volumes (`ValidateVolumes`).

use std::collections::BTreeSet;

use api::names;
use api::status::{FieldError, FieldErrors};
use json::Value;

use crate::value::{fields, list, text};

/// Checks the volumes of a pod; returns their names.
pub fn volumes(volumes: &[Value], path: &str, errors: &mut FieldErrors) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for (i, volume) in volumes.iter().enumerate() {
        let path = format!("{path}[{i}]");
        let name = text(volume, "name");
        let complaints = names::dns1123_label(name);
        if name.is_empty() {
            errors.push(FieldError::required(format!("{path}.name"), ""));
        } else if complaints.is_empty() && !seen.insert(name.to_owned()) {
            errors.push(FieldError::duplicate(format!("{path}.name"), name));
        } else {
            errors.invalid_all(&format!("{path}.name"), name, complaints);
        }
        source(volume, &path, errors);
    }
    seen
}

fn source(volume: &Value, path: &str, errors: &mut FieldErrors) {
    // Upstream checks the sources in the order of its struct, in which emptyDir and hostPath come first.
    let rank = |name: &str| match name {
        "emptyDir" => 0,
        "hostPath" => 1,
        _ => 2,
    };
    let mut sources: Vec<(&json::Text, &Value)> =
        fields(volume).filter(|(k, v)| *k != "name" && !v.is_null()).collect();
    sources.sort_by_key(|(name, _)| rank(name));
    for (name, _) in sources.iter().skip(1) {
        errors.push(FieldError::forbidden(format!("{path}.{name}"), "may not specify more than 1 volume type"));
    }
    let Some((kind, value)) = sources.first() else {
        errors.push(FieldError::required(path, "must specify a volume type"));
        return;
    };
    let required = match kind.as_str() {
        "hostPath" => "path",
        "configMap" => "name",
        "secret" => "secretName",
        "persistentVolumeClaim" => "claimName",
        _ => return,
    };
    if text(value, required).is_empty() {
        errors.push(FieldError::required(format!("{path}.{kind}.{required}"), ""));
    }
    for (i, item) in list(value, "items").iter().enumerate() {
        for field in ["key", "path"] {
            if text(item, field).is_empty() {
                errors.push(FieldError::required(format!("{path}.{kind}.items[{i}].{field}"), ""));
            }
        }
    }
}
