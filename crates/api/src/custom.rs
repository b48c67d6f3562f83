//! Kinds that CustomResourceDefinitions add while a cluster runs.
//!
//! A row of the table of kinds lives as long as the program, and so does one that is added. Each is made once for the
//! words that describe it: a session that is replayed adds nothing, and the same words give the same row in every world.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use json::{Value, json};

use crate::kinds::Kind;
use crate::object::at;
use crate::schema;

/// One version of a kind that a definition adds.
#[derive(Debug)]
pub struct Added {
    /// The row.
    pub kind: &'static Kind,
    /// The entry of `spec.versions`.
    pub version: Value,
    /// The kind of lists.
    pub list_kind: String,
    /// The version in which objects are stored.
    pub stored_version: String,
}

static ADDED: Mutex<BTreeMap<String, &'static Added>> = Mutex::new(BTreeMap::new());

/// Whether a condition of a definition is true.
pub fn has_condition(definition: &Value, condition: &str) -> bool {
    let conditions = at(definition, "status.conditions").as_array();
    conditions.into_iter().flatten().any(|c| c["type"] == condition && c["status"] == "True")
}

/// The versions that a definition serves, the preferred first; none before its names are accepted.
pub fn versions(definition: &Value) -> Vec<&'static Added> {
    let entries = at(definition, "spec.versions").as_array().map_or(&[][..], json::Array::as_slice);
    let Some(stored) = entries.iter().find(|v| v["storage"] == true).and_then(|v| v["name"].as_str()) else {
        return Vec::new();
    };
    if !has_condition(definition, "Established") {
        return Vec::new();
    }
    let served = entries.iter().filter(|v| v["served"] == true);
    let mut rows: Vec<&Added> = served.map(|version| row(definition, version, stored)).collect();
    rows.sort_by(|a, b| by_priority(a.kind.version, b.kind.version));
    rows
}

fn row(definition: &Value, version: &Value, stored: &str) -> &'static Added {
    let (group, names) = (at(definition, "spec.group"), at(definition, "status.acceptedNames"));
    let scope = at(definition, "spec.scope");
    let words = json!([group, names, scope, version, stored]).to_string();
    let mut added = ADDED.lock().unwrap_or_else(PoisonError::into_inner);
    let count = added.len();
    added.entry(words).or_insert_with(|| {
        let text = |value: &Value| kept(value.as_str().unwrap_or(""));
        let texts = |value: &Value| -> &'static [&'static str] {
            Vec::leak(value.as_array().into_iter().flatten().map(text).collect())
        };
        let mut kind = Kind {
            group: text(group),
            version: text(&version["name"]),
            kind: text(&names["kind"]),
            plural: text(&names["plural"]),
            singular: text(&names["singular"]),
            short_names: texts(&names["shortNames"]),
            categories: texts(&names["categories"]),
            namespaced: scope == "Namespaced",
            subresources: Vec::leak(
                ["scale", "status"].into_iter().filter(|sub| version["subresources"][sub].is_object()).collect(),
            ),
            schema: kept(&format!("{PREFIX}{count}")),
        };
        kind.schema = schema::add(&kind, at(version, "schema.openAPIV3Schema"));
        Box::leak(Box::new(Added {
            kind: Box::leak(Box::new(kind)),
            version: version.clone(),
            list_kind: names["listKind"].as_str().unwrap_or("").to_owned(),
            stored_version: stored.to_owned(),
        }))
    })
}

/// What the names of added definitions in the schema table begin with.
pub(crate) const PREFIX: &str = "added.";

/// Whether a row was added by a definition.
pub fn is_added(kind: &Kind) -> bool {
    kind.schema.starts_with(PREFIX)
}

pub(crate) fn kept(text: &str) -> &'static str {
    String::leak(text.to_owned())
}

/// The order of versions: those for all before betas, betas before alphas, each the newest first; anything else last, by
/// name (`version.CompareKubeAwareVersionStrings`).
pub fn by_priority(a: &str, b: &str) -> Ordering {
    match (numbers(a), numbers(b)) {
        (Some(a), Some(b)) => b.cmp(&a),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

/// `v1beta2` as stage 1 (of alpha 0, beta 1, general 2), major 1, minor 2.
fn numbers(version: &str) -> Option<(u8, u32, u32)> {
    let rest = version.strip_prefix('v')?;
    for (stage, word) in [(1, "beta"), (0, "alpha")] {
        if let Some((major, minor)) = rest.split_once(word) {
            return Some((stage, major.parse().ok()?, minor.parse().ok()?));
        }
    }
    Some((2, rest.parse().ok()?, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition() -> Value {
        json!({
            "spec": {
                "group": "example.com", "scope": "Namespaced",
                "versions": [
                    {"name": "v1beta1", "served": true, "storage": false},
                    {"name": "v1", "served": true, "storage": true, "subresources": {"status": {}}, "schema": {"openAPIV3Schema":
                        {"type": "object", "properties": {"spec": {"type": "object", "properties": {"ports": {"type": "array",
                            "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port"],
                            "items": {"type": "object", "required": ["port"], "properties": {"port": {"type": "integer"}}}}}}}}}},
                    {"name": "v2", "served": false, "storage": false},
                ],
            },
            "status": {"acceptedNames": {"kind": "Box", "listKind": "BoxList", "plural": "boxes", "singular": "box", "shortNames": ["bx"]}},
        })
    }

    #[test]
    fn what_is_served_is_in_order_and_made_once() {
        let mut crd = definition();
        assert!(versions(&crd).is_empty());
        crd["status"]["conditions"] = json!([{"type": "Established", "status": "True"}]);
        let rows = versions(&crd);
        assert_eq!(rows.iter().map(|r| r.kind.version).collect::<Vec<_>>(), ["v1", "v1beta1"]);
        assert_eq!(rows[0].kind.object_path("d", "a"), "/apis/example.com/v1/namespaces/d/boxes/a");
        assert_eq!(rows[0].kind.subresources, ["status"]);
        assert!(std::ptr::eq(rows[0], versions(&crd)[0]) && is_added(rows[0].kind));
        let ports = schema::resolve_path(rows[0].kind.schema, "spec.ports").unwrap();
        assert_eq!(ports.property.unwrap().map_keys, ["port"]);
        crd["spec"]["versions"][1]["schema"]["openAPIV3Schema"]["properties"]["spec"]["description"] = "new".into();
        assert!(!std::ptr::eq(rows[0], versions(&crd)[0]));
    }

    #[test]
    fn versions_have_an_order() {
        let mut all = ["v1alpha1", "v10", "foo", "v2", "v1beta2", "v1beta10", "v11beta1"];
        all.sort_by(|a, b| by_priority(a, b));
        assert_eq!(all, ["v10", "v2", "v11beta1", "v1beta10", "v1beta2", "v1alpha1", "foo"]);
    }
}
