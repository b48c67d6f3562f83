//! CustomResourceDefinitions as objects (apiextensions-apiserver/pkg/registry/customresourcedefinition,
//! pkg/apis/apiextensions/validation).

use api::kinds::CUSTOM_RESOURCE_DEFINITIONS;
use api::names::{dns1035_label, dns1123_subdomain};
use api::status::{FieldError, FieldErrors, Status};
use json::{Value, json};

use super::{check_count, selectable, structural};
use crate::registry::Context;
use crate::strategy::{Strategy, child, default_to, differs, keep, plain};
use crate::validation::IMMUTABLE;
use crate::value::{at, list, list_mut, text};

/// Added when a definition is to be deleted; goes when no object of its kind is left.
pub const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

pub static STRATEGY: Strategy = Strategy {
    defaults,
    admit_create: |cx, _| check_count(cx),
    prepare_create: |_, object| {
        refuse_unbuilt(object)?;
        object["status"] = json!({"conditions": [], "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": []});
        remember_stored(object);
        Ok(())
    },
    prepare_update: |_, new, old| {
        refuse_unbuilt(new)?;
        keep(new, old, "status");
        remember_stored(new);
        Ok(())
    },
    validate,
    validate_update,
    has_status: true,
    generation: Some(|new, old| differs(new, old, "spec")),
    unconditional_update: false,
    ..plain(&CUSTOM_RESOURCE_DEFINITIONS)
};

fn defaults(object: &mut Value) {
    let spec = child(object, "spec");
    let kind = text(spec, "names.kind").to_owned();
    let names = child(spec, "names");
    default_to(names, "singular", kind.to_lowercase());
    default_to(names, "listKind", if kind.is_empty() { String::new() } else { format!("{kind}List") });
    default_to(child(spec, "conversion"), "strategy", "None");
    for version in list_mut(spec, "versions") {
        for column in list_mut(version, "additionalPrinterColumns") {
            // Written only where it says something.
            if column["priority"] == 0 {
                column.as_object_mut().map(|c| c.remove("priority"));
            }
        }
    }
}

/// Adds the version in which objects are stored from now on.
fn remember_stored(object: &mut Value) {
    let stored = list(object, "spec.versions").iter().find(|v| v["storage"] == true);
    let Some(name) = stored.map(|v| v["name"].clone()) else { return };
    let status = child(object, "status");
    let mut all = list(status, "storedVersions").to_vec();
    if !all.contains(&name) {
        all.push(name);
    }
    status["storedVersions"] = all.into();
}

/// What definitions ask for that nobody here could do.
fn refuse_unbuilt(object: &Value) -> Result<(), Status> {
    if text(object, "spec.conversion.strategy") == "Webhook" {
        return Err(Status::not_built(simulation::stub!("kube-apiserver", "conversion webhooks of custom resources")));
    }
    Ok(())
}

fn validate(object: &Value, errors: &mut FieldErrors) {
    let (name, group, plural) =
        (text(object, "metadata.name"), text(object, "spec.group"), text(object, "spec.names.plural"));
    if name != format!("{plural}.{group}") {
        errors.push(FieldError::invalid("metadata.name", name, "must be spec.names.plural+\".\"+spec.group"));
    }
    let spec = at(object, "spec");
    let problems = dns1123_subdomain(group);
    if group.is_empty() {
        errors.push(FieldError::required("spec.group", ""));
    } else if !problems.is_empty() {
        errors.push(FieldError::invalid("spec.group", group, problems.join(",")));
    } else if !group.contains('.') {
        errors.push(FieldError::invalid("spec.group", group, "should be a domain with at least one dot"));
    }
    match text(spec, "scope") {
        "" => errors.push(FieldError::required("spec.scope", "")),
        "Cluster" | "Namespaced" => {}
        other => errors.push(FieldError::not_supported("spec.scope", other, &["Cluster", "Namespaced"])),
    }
    versions(spec, errors);
    names(spec, errors);
    if let Some(schema) = common_schema(spec) {
        self::schema(schema, "spec.validation.openAPIV3Schema", errors);
    }
    selectable::validate(spec, common_schema(spec), errors);
    match text(spec, "conversion.strategy") {
        "None" | "Webhook" => {}
        other => {
            errors.push(FieldError::not_supported("spec.conversion.strategy", other, &["None", "Webhook"]));
        }
    }
    approval(object, group, errors);
}

/// The schema that all versions have: upstream keeps it beside them and complains about it there.
fn common_schema(spec: &Value) -> Option<&Value> {
    let all = list(spec, "versions");
    let first = all.first().map(|version| at(version, "schema.openAPIV3Schema"))?;
    all.iter().all(|version| at(version, "schema.openAPIV3Schema") == first).then_some(first)
}

fn schema(schema: &Value, path: &str, errors: &mut FieldErrors) {
    let mut found = FieldErrors::new();
    structural::validate(schema, path, &mut found);
    super::rules::definition::validate(schema, path, &mut found);
    errors.extend(found.0);
}

fn versions(spec: &Value, errors: &mut FieldErrors) {
    let all = list(spec, "versions");
    for (i, version) in all.iter().enumerate() {
        if !at(version, "schema.openAPIV3Schema").is_object() {
            errors.push(FieldError::required(format!("spec.versions[{i}].schema.openAPIV3Schema"), ""));
        }
    }
    let is_common = common_schema(spec).is_some();
    for (i, version) in all.iter().enumerate() {
        let path = format!("spec.versions[{i}]");
        let problems = dns1035_label(text(version, "name"));
        if !problems.is_empty() {
            errors.push(FieldError::invalid(format!("{path}.name"), text(version, "name"), problems.join(",")));
        }
        if !is_common {
            schema(at(version, "schema.openAPIV3Schema"), &format!("{path}.schema.openAPIV3Schema"), errors);
        }
        subresources(version, &format!("{path}.subresources"), errors);
        for (j, column) in list(version, "additionalPrinterColumns").iter().enumerate() {
            self::column(column, &format!("{path}.additionalPrinterColumns[{j}]"), errors);
        }
    }
    let mut names: Vec<&str> = all.iter().map(|v| text(v, "name")).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        errors.push(FieldError::invalid("spec.versions", all.to_vec(), "must contain unique version names"));
    }
    if all.iter().filter(|v| v["storage"] == true).count() != 1 {
        let why = "must have exactly one version marked as storage version";
        errors.push(FieldError::invalid("spec.versions", all.to_vec(), why));
    }
}

/// Paths of a scale are plain: fields below spec and status.
fn subresources(version: &Value, path: &str, errors: &mut FieldErrors) {
    let scale = at(version, "subresources.scale");
    if !scale.is_object() {
        return;
    }
    for (field, prefixes, required) in [
        ("specReplicasPath", &[".spec."][..], true),
        ("statusReplicasPath", &[".status."], true),
        ("labelSelectorPath", &[".spec.", ".status."], false),
    ] {
        let (given, path) = (text(scale, field), format!("{path}.scale.{field}"));
        if given.is_empty() {
            if required {
                errors.push(FieldError::required(path, ""));
            }
        } else if given.contains(['[', ']', '*', '@', '?']) || given.contains("..") {
            errors.push(FieldError::invalid(path, given, "should be a simple json path without array notation"));
        } else if !prefixes.iter().any(|prefix| given.starts_with(prefix)) {
            let below: Vec<&str> = prefixes.iter().map(|p| p.trim_end_matches('.')).collect();
            let why = match below.as_slice() {
                [one] => format!("should be a json path under {one}"),
                _ => format!("should be a json path under either {}", below.join(" or ")),
            };
            errors.push(FieldError::invalid(path, given, why));
        }
    }
}

fn column(column: &Value, path: &str, errors: &mut FieldErrors) {
    const TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
    const FORMATS: [&str; 9] = ["", "byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
    let required = |field: &str, errors: &mut FieldErrors| {
        if text(column, field).is_empty() {
            errors.push(FieldError::required(format!("{path}.{field}"), ""));
        }
    };
    required("name", errors);
    let (kind, format) = (text(column, "type"), text(column, "format"));
    if !TYPES.contains(&kind) {
        let why = format!("must be one of {}", TYPES.join(","));
        errors.push(if kind.is_empty() {
            FieldError::required(format!("{path}.type"), &why)
        } else {
            FieldError::invalid(format!("{path}.type"), kind, why)
        });
    }
    if !FORMATS.contains(&format) {
        let why = format!("must be one of {}", FORMATS[1..].join(","));
        errors.push(FieldError::invalid(format!("{path}.format"), format, why));
    }
    required("jsonPath", errors);
    let expression = text(column, "jsonPath");
    if !expression.is_empty()
        && let Err(why) = api::jsonpath::parse(&format!("{{{expression}}}"))
    {
        errors.push(FieldError::invalid(format!("{path}.jsonPath"), expression, why));
    }
}

fn names(spec: &Value, errors: &mut FieldErrors) {
    let names = at(spec, "names");
    for field in ["plural", "singular", "kind", "listKind"] {
        if text(names, field).is_empty() {
            errors.push(FieldError::required(format!("spec.names.{field}"), ""));
        }
    }
    for (field, mixed) in [("plural", false), ("singular", false), ("kind", true), ("listKind", true)] {
        let given = text(names, field);
        let lower = given.to_lowercase();
        let problems = dns1035_label(if mixed { &lower } else { given });
        if !given.is_empty() && !problems.is_empty() {
            let words = if mixed { "may have mixed case, but should otherwise match: " } else { "" };
            let why = format!("{words}{}", problems.join(","));
            errors.push(FieldError::invalid(format!("spec.names.{field}"), given, why));
        }
    }
    for (field, label) in [("shortNames", "shortNames"), ("categories", "categories")] {
        for (i, name) in list(names, field).iter().filter_map(Value::as_str).enumerate() {
            let problems = dns1035_label(name);
            if !problems.is_empty() {
                errors.push(FieldError::invalid(format!("spec.names.{label}[{i}]"), name, problems.join(",")));
            }
        }
    }
    let kind = text(names, "kind");
    if !kind.is_empty() && kind == text(names, "listKind") {
        errors.push(FieldError::invalid("spec.names.listKind", kind, "kind and listKind may not be the same"));
    }
}

/// Groups of Kubernetes itself need its approval.
fn approval(object: &Value, group: &str, errors: &mut FieldErrors) {
    let is_protected = ["k8s.io", "kubernetes.io"].iter().any(|d| group == *d || group.ends_with(&format!(".{d}")));
    let given = at(object, "metadata.annotations").get("api-approved.kubernetes.io").and_then(Value::as_str);
    let given = given.unwrap_or("");
    if !is_protected || given.starts_with("unapproved") || given.starts_with("https://") {
        return;
    }
    let path = "metadata.annotations[api-approved.kubernetes.io]";
    let see = "see https://github.com/kubernetes/enhancements/pull/1111";
    errors.push(if given.is_empty() {
        let why = format!("protected groups must have approval annotation \"api-approved.kubernetes.io\", {see}");
        FieldError::required(path, &why)
    } else {
        let why = format!("protected groups must have approval annotation \"api-approved.kubernetes.io\" with either a URL or a reason starting with \"unapproved\", {see}");
        FieldError::invalid(path, given, why)
    });
}

fn validate_update(new: &Value, old: &Value, errors: &mut FieldErrors) {
    let mut fixed = vec!["spec.group", "spec.names.plural"];
    if api::custom::has_condition(old, "Established") {
        fixed = vec!["spec.scope", "spec.names.kind", "spec.group", "spec.names.plural"];
    }
    for path in fixed {
        if at(new, path) != at(old, path) {
            errors.push(FieldError::invalid(path, at(new, path).clone(), IMMUTABLE));
        }
    }
    let stored = list(new, "status.storedVersions");
    for (i, name) in stored.iter().enumerate() {
        if !list(new, "spec.versions").iter().any(|v| v["name"] == *name) {
            let v = name.as_str().unwrap_or("");
            let why = format!(
                "missing from spec.versions; {v} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in {v} and removes {v} from status.storedVersions"
            );
            errors.push(FieldError::invalid(format!("status.storedVersions[{i}]"), v, why));
        }
    }
}

/// What a deletion writes first: the mark, the finalizer, the condition.
pub fn begin_deletion(cx: &Context<'_>, object: &mut Value) {
    let now = cx.now();
    crate::value::metadata_mut(object).insert("deletionTimestamp".into(), now.clone().into());
    let mut finalizers = list(object, "metadata.finalizers").to_vec();
    if !finalizers.iter().any(|f| f == CLEANUP) {
        finalizers.push(CLEANUP.into());
    }
    object["metadata"]["finalizers"] = finalizers.into();
    let message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon";
    set_condition(object, ("Terminating", "True", "InstanceDeletionPending", message), &now);
}

/// Writes a condition: type, status, reason, message. Its time changes with its status.
pub fn set_condition(object: &mut Value, (kind, status, reason, message): (&str, &str, &str, &str), now: &str) {
    let old = list(object, "status.conditions").iter().find(|c| c["type"] == kind && c["status"] == status);
    let time = old.map_or_else(|| now.into(), |c| c["lastTransitionTime"].clone());
    let condition =
        json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": time});
    crate::strategy::set_condition(object, condition);
}
