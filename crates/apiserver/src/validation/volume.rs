//! Volumes and where they are mounted (`ValidateVolumes`, `ValidateVolumeMounts`).

use std::collections::BTreeSet;

use api::names;
use api::status::{FieldError, FieldErrors};
use json::Value;

use super::one_of;
use crate::value::{at, fields, list, text};

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
    let path = format!("{path}.{kind}");
    let required = match kind.as_str() {
        "hostPath" => "path",
        "configMap" => "name",
        "secret" => "secretName",
        "persistentVolumeClaim" => "claimName",
        "projected" => return projected(value, &path, errors),
        "downwardAPI" => return downward(value, &path, errors),
        "image" => {
            let policies = ["Always", "IfNotPresent", "Never"];
            return if_set(text(value, "pullPolicy"), &format!("{path}.pullPolicy"), &policies, errors);
        }
        _ => return,
    };
    if text(value, required).is_empty() {
        errors.push(FieldError::required(format!("{path}.{required}"), ""));
    }
    if kind.as_str() == "hostPath" {
        let place = format!("{path}.path");
        no_backsteps(text(value, "path"), &place, errors);
        one_of(text(value, "type"), &format!("{path}.type"), &HOST_PATH_TYPES, errors);
        return;
    }
    mode(value, "defaultMode", &path, errors);
    items(value, &path, errors);
}

fn if_set(value: &str, path: &str, known: &[&str], errors: &mut FieldErrors) {
    if !value.is_empty() {
        one_of(value, path, known, errors);
    }
}

const HOST_PATH_TYPES: [&str; 8] =
    ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];

/// The keys that a volume shows, and where.
fn items(value: &Value, path: &str, errors: &mut FieldErrors) {
    for (i, item) in list(value, "items").iter().enumerate() {
        let path = format!("{path}.items[{i}]");
        for field in ["key", "path"] {
            if text(item, field).is_empty() {
                errors.push(FieldError::required(format!("{path}.{field}"), ""));
            }
        }
        non_reserved(text(item, "path"), &format!("{path}.path"), errors);
        mode(item, "mode", &path, errors);
    }
}

fn mode(value: &Value, field: &str, path: &str, errors: &mut FieldErrors) {
    if let Some(bits) = at(value, field).as_i64().filter(|bits| !(0..=0o777).contains(bits)) {
        let detail = "must be a number between 0 and 0777 (octal), both inclusive";
        errors.push(FieldError::invalid(format!("{path}.{field}"), bits, detail));
    }
}

fn no_backsteps(place: &str, path: &str, errors: &mut FieldErrors) {
    if place.split('/').any(|part| part == "..") {
        errors.push(FieldError::invalid(path, place, "must not contain '..'"));
    }
}

fn descending(place: &str, path: &str, errors: &mut FieldErrors) {
    if place.starts_with('/') {
        errors.push(FieldError::invalid(path, place, "must be a relative path"));
    }
    no_backsteps(place, path, errors);
}

/// A path below a volume's root that is not one of the writer's own (`..data`).
fn non_reserved(place: &str, path: &str, errors: &mut FieldErrors) {
    descending(place, path, errors);
    if place.starts_with("..") && !place.starts_with("../") {
        errors.push(FieldError::invalid(path, place, "must not start with '..'"));
    }
}

/// Upstream names the source alone, not which of its items.
fn downward(value: &Value, path: &str, errors: &mut FieldErrors) {
    mode(value, "defaultMode", path, errors);
    for item in list(value, "items") {
        if text(item, "path").is_empty() {
            errors.push(FieldError::required(format!("{path}.path"), ""));
        }
        non_reserved(text(item, "path"), &format!("{path}.path"), errors);
        let (field, resource) = (!at(item, "fieldRef").is_null(), !at(item, "resourceFieldRef").is_null());
        if field && resource {
            let detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
            errors.push(FieldError::invalid(path, "resource", detail));
        } else if !field && !resource {
            errors.push(FieldError::required(path, "one of fieldRef and resourceFieldRef is required"));
        } else if resource && text(item, "resourceFieldRef.containerName").is_empty() {
            errors.push(FieldError::required(format!("{path}.resourceFieldRef.containerName"), ""));
        }
        mode(item, "mode", path, errors);
    }
}

/// Seconds that a token holds: at least ten minutes, at most 2^32.
const TOKEN_SECONDS: (i64, i64) = (600, 1 << 32);

fn projected(value: &Value, path: &str, errors: &mut FieldErrors) {
    mode(value, "defaultMode", path, errors);
    let mut places = BTreeSet::new();
    for (i, source) in list(value, "sources").iter().enumerate() {
        let base = format!("{path}.sources[{i}]");
        for (kind, content) in fields(source).filter(|(_, content)| !content.is_null()) {
            let own = format!("{base}.{kind}");
            match kind.as_str() {
                "secret" | "configMap" => {
                    if text(content, "name").is_empty() {
                        errors.push(FieldError::required(format!("{own}.name"), ""));
                    }
                    items(content, &own, errors);
                }
                "downwardAPI" => downward(content, &own, errors),
                "serviceAccountToken" => token(content, path, &own, errors),
                _ => {}
            }
            for item in list(content, "items") {
                let place = text(item, "path");
                if !place.is_empty() && !places.insert(place.to_owned()) {
                    let shown = if kind.as_str() == "downwardAPI" { place } else { text(content, "name") };
                    errors.push(FieldError::invalid(path, shown, "conflicting duplicate paths"));
                }
            }
        }
        if fields(source).filter(|(_, content)| !content.is_null()).count() > 1 {
            let detail = "may not specify more than 1 volume type per source";
            errors.push(FieldError::forbidden(base, detail));
        }
    }
}

fn token(content: &Value, path: &str, own: &str, errors: &mut FieldErrors) {
    let (least, most) = TOKEN_SECONDS;
    if let Some(seconds) = at(content, "expirationSeconds").as_i64() {
        let place = format!("{own}.expirationSeconds");
        if seconds < least {
            errors.push(FieldError::invalid(place, seconds, "may not specify a duration less than 10 minutes"));
        } else if seconds > most {
            errors.push(FieldError::invalid(place, seconds, "may not specify a duration larger than 2^32 seconds"));
        }
    }
    match text(content, "path") {
        "" => errors.push(FieldError::required(format!("{path}.path"), "")),
        place => non_reserved(place, &format!("{path}.path"), errors),
    }
}

/// What a mount says beside volume and place. `path` is that of the list: upstream names no entry here.
pub fn mount(mount: &Value, is_privileged: bool, path: &str, own: &str, errors: &mut FieldErrors) {
    let (sub, expression) = (text(mount, "subPath"), text(mount, "subPathExpr"));
    if !sub.is_empty() {
        descending(sub, &format!("{path}.subPath"), errors);
    }
    if !expression.is_empty() {
        if !sub.is_empty() {
            let detail = "subPathExpr and subPath are mutually exclusive";
            errors.push(FieldError::invalid(format!("{own}.subPathExpr"), expression, detail));
        }
        descending(expression, &format!("{path}.subPathExpr"), errors);
    }
    let propagation = text(mount, "mountPropagation");
    let place = format!("{path}.mountPropagation");
    if_set(propagation, &place, &["Bidirectional", "HostToContainer", "None"], errors);
    if propagation == "Bidirectional" && !is_privileged {
        let detail = "Bidirectional mount propagation is available only to privileged containers";
        errors.push(FieldError::forbidden(place, detail));
    }
    let recursive = text(mount, "recursiveReadOnly");
    let place = format!("{path}.recursiveReadOnly");
    if_set(recursive, &place, &["Disabled", "Enabled", "IfPossible"], errors);
    if matches!(recursive, "Enabled" | "IfPossible") {
        if at(mount, "readOnly").as_bool() != Some(true) {
            let detail = "may only be specified when readOnly is true";
            errors.push(FieldError::forbidden(place.as_str(), detail));
        }
        if !matches!(propagation, "" | "None") {
            let detail = "may only be specified when mountPropagation is None or not specified";
            errors.push(FieldError::forbidden(place, detail));
        }
    }
}

/// A variable's value from a file of a volume (`validateFileKeySelector`).
pub fn file_key(reference: &Value, path: &str, errors: &mut FieldErrors) {
    match text(reference, "key") {
        "" => errors.push(FieldError::required(format!("{path}.key"), "")),
        key => errors.invalid_all(&format!("{path}.key"), key, names::relaxed_env_var_name(key)),
    }
    match text(reference, "volumeName") {
        "" => errors.push(FieldError::required(format!("{path}.volumeName"), "")),
        name => errors.invalid_all(&format!("{path}.volumeName"), name, names::dns1123_label(name)),
    }
    match text(reference, "path") {
        "" => errors.push(FieldError::required(format!("{path}.path"), "")),
        place => no_backsteps(place, &format!("{path}.path"), errors),
    }
}

/// Variables come from files of emptyDir volumes alone (`validateFileKeyRefVolumes`).
pub fn file_key_volumes(spec: &Value, path: &str, errors: &mut FieldErrors) {
    for kind in ["initContainers", "containers", "ephemeralContainers"] {
        for (i, container) in list(spec, kind).iter().enumerate() {
            for (j, variable) in list(container, "env").iter().enumerate() {
                let reference = at(at(variable, "valueFrom"), "fileKeyRef");
                if reference.is_null() {
                    continue;
                }
                let name = text(reference, "volumeName");
                let place = format!("{path}.{kind}[{i}].env[{j}].valueFrom.fileKeyRef.volumeName");
                match list(spec, "volumes").iter().find(|volume| text(volume, "name") == name) {
                    None => errors.push(FieldError::not_found(place, name)),
                    Some(volume) if at(volume, "emptyDir").is_null() => {
                        errors.push(FieldError::invalid(place, name, "referenced volume must be of type emptyDir"));
                    }
                    Some(_) => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use json::json;

    use super::*;

    fn check(volume: &Value, expected: Expect) {
        let mut volume = volume.clone();
        volume["name"] = "v".into();
        let mut errors = FieldErrors::default();
        volumes(&[volume], "spec.volumes", &mut errors);
        expected.assert_eq(&said(&errors));
    }

    fn said(errors: &FieldErrors) -> String {
        errors.0.iter().map(|error| format!("{error}\n")).collect()
    }

    #[test]
    fn sources() {
        check(
            &json!({"hostPath": {"path": "/a/../b", "type": "Dir"}}),
            expect![[r#"
            spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain '..'
            spec.volumes[0].hostPath.type: Unsupported value: "Dir": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"
        "#]],
        );
        check(
            &json!({"configMap": {"name": "c", "defaultMode": 512, "items": [{"key": "k", "path": "/a"}]}}),
            expect![[r#"
                spec.volumes[0].configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive
                spec.volumes[0].configMap.items[0].path: Invalid value: "/a": must be a relative path
            "#]],
        );
        check(
            &json!({"secret": {"secretName": "s", "items": [{"key": "k", "path": "..a", "mode": 1000}]}}),
            expect![[r#"
                spec.volumes[0].secret.items[0].path: Invalid value: "..a": must not start with '..'
                spec.volumes[0].secret.items[0].mode: Invalid value: 1000: must be a number between 0 and 0777 (octal), both inclusive
            "#]],
        );
        check(
            &json!({"downwardAPI": {"items": [{"path": "a"}]}}),
            expect![[r#"
            spec.volumes[0].downwardAPI: Required value: one of fieldRef and resourceFieldRef is required
        "#]],
        );
        let sources = json!([
            {"configMap": {"name": "c", "items": [{"key": "k", "path": "a"}]}},
            {"secret": {"name": "s", "items": [{"key": "k", "path": "a"}]}},
            {"serviceAccountToken": {"path": "../t", "expirationSeconds": 60}},
        ]);
        check(
            &json!({"projected": {"sources": sources}}),
            expect![[r#"
            spec.volumes[0].projected: Invalid value: "s": conflicting duplicate paths
            spec.volumes[0].projected.sources[2].serviceAccountToken.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes
            spec.volumes[0].projected.path: Invalid value: "../t": must not contain '..'
        "#]],
        );
        check(
            &json!({"image": {"reference": "x", "pullPolicy": "Now"}}),
            expect![[r#"
            spec.volumes[0].image.pullPolicy: Unsupported value: "Now": supported values: "Always", "IfNotPresent", "Never"
        "#]],
        );
        check(&json!({"emptyDir": {"medium": "Memory"}}), expect![[""]]);
    }

    #[test]
    fn mounts() {
        let mut errors = FieldErrors::default();
        for one in [
            json!({"subPath": "../a"}),
            json!({"subPath": "/a", "subPathExpr": "$(B)"}),
            json!({"mountPropagation": "Bidirectional"}),
            json!({"recursiveReadOnly": "Enabled", "mountPropagation": "HostToContainer"}),
            json!({"recursiveReadOnly": "Yes", "readOnly": true}),
            json!({"subPath": "a..b/..c"}),
        ] {
            mount(&one, false, "mounts", "mounts[0]", &mut errors);
        }
        expect![[r#"
            mounts.subPath: Invalid value: "../a": must not contain '..'
            mounts.subPath: Invalid value: "/a": must be a relative path
            mounts[0].subPathExpr: Invalid value: "$(B)": subPathExpr and subPath are mutually exclusive
            mounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers
            mounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true
            mounts.recursiveReadOnly: Forbidden: may only be specified when mountPropagation is None or not specified
            mounts.recursiveReadOnly: Unsupported value: "Yes": supported values: "Disabled", "Enabled", "IfPossible"
        "#]].assert_eq(&said(&errors));
    }

    #[test]
    fn files_of_variables() {
        let variable = |volume: &str| json!({"name": "A", "valueFrom": {"fileKeyRef": {"volumeName": volume}}});
        let spec = json!({
            "volumes": [{"name": "e", "emptyDir": {}}, {"name": "c", "configMap": {}}],
            "containers": [{"env": [variable("e"), variable("c"), variable("no")]}],
        });
        let mut errors = FieldErrors::default();
        file_key_volumes(&spec, "spec", &mut errors);
        file_key(&json!({"key": "A=", "volumeName": "A", "path": "../x"}), "ref", &mut errors);
        expect![[r#"
            spec.containers[0].env[1].valueFrom.fileKeyRef.volumeName: Invalid value: "c": referenced volume must be of type emptyDir
            spec.containers[0].env[2].valueFrom.fileKeyRef.volumeName: Not found: "no"
            ref.key: Invalid value: "A=": a valid environment variable name must consist only of printable ASCII characters other than '='
            ref.volumeName: Invalid value: "A": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')
            ref.path: Invalid value: "../x": must not contain '..'
        "#]].assert_eq(&said(&errors));
    }
}
