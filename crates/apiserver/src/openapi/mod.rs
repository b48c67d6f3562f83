//! `/openapi/v3`: the schemas and the paths that are served, made from the tables of kinds and schemas.
//!
//! Real clients read it to learn that the server checks fields (`fieldValidation` on PATCH), to merge lists by key and
//! to explain kinds. `/openapi/v2` says the same in the older form, as JSON and as protobuf. A difference: only PATCH
//! operations are listed, since nothing else is read.

mod protobuf;

use std::borrow::Cow;
use std::collections::BTreeSet;

use api::Kind;
use api::http::{Body, Response, StatusCode};
use api::kinds::{COMPUTED, KINDS, VERSIONS};
use api::schema::{self, Definition, ListType, Property, Type};
use json::{Map, Value, json};

use crate::custom::{self, Custom, selectable};
use crate::descriptions::Descriptions;
use crate::server::Server;
use crate::wire;

/// The version of the documents.
const VERSION: &str = "v1.36.3";

/// Answers a path below `/openapi`; `None` if it is another.
pub async fn answer(server: &Server, path: &str, accept: &str) -> Option<Response> {
    let rest = path.trim_end_matches('/').strip_prefix("/openapi/")?;
    Some(match rest {
        "v2" => {
            let prose = server.prose.get(&server.sim).await;
            let kinds: Vec<&Kind> = KINDS.iter().chain(VERSIONS).chain(COMPUTED).copied().collect();
            let older = version_two(document(&kinds, &custom::served(server), &prose));
            if accept.contains("proto-openapi.spec.v2") {
                let body = Body::Bytes(protobuf::document(&older).into());
                wire::build(StatusCode::OK, protobuf::MEDIA_TYPE, body)
            } else {
                json_answer(&older)
            }
        }
        "v3" => json_answer(&index(&custom::served(server))),
        other => {
            let kinds = other.strip_prefix("v3/").map(kinds_below).unwrap_or_default();
            let mut customs = custom::served(server).to_vec();
            customs.retain(|c| other.strip_prefix("v3/") == Some(c.kind.api_root().trim_start_matches('/')));
            if kinds.is_empty() && customs.is_empty() {
                return Some(wire::text(StatusCode::NOT_FOUND, "404 page not found\n"));
            }
            let prose = server.prose.get(&server.sim).await;
            json_answer(&document(&kinds, &customs, &prose))
        }
    })
}

/// The older document (swagger 2.0) from the newer one.
fn version_two(mut document: Value) -> Value {
    let mut definitions = document["components"]["schemas"].take();
    for definition in definitions.as_object_mut().into_iter().flat_map(Map::values_mut) {
        older(definition);
    }
    let mut paths = document["paths"].take();
    for path in paths.as_object_mut().into_iter().flat_map(Map::values_mut) {
        let parameters = path["patch"]["parameters"].as_array_mut();
        for parameter in parameters.into_iter().flatten() {
            if let (Value::Object(schema), Some(map)) = (parameter["schema"].take(), parameter.as_object_mut()) {
                map.remove("schema");
                map.extend(schema);
            }
        }
    }
    json!({"swagger": "2.0", "info": document["info"], "paths": paths, "definitions": definitions})
}

/// One schema in the older form: references stand alone, there are no choices and no defaults.
fn older(schema: &mut Value) {
    if let Some(Value::String(target)) = schema.pointer("/allOf/0/$ref") {
        let target = target.replace("#/components/schemas/", "#/definitions/");
        let description = schema.get("description").cloned();
        *schema = json!({"$ref": target});
        if let Some(description) = description {
            schema["description"] = description;
        }
        return;
    }
    let Some(map) = schema.as_object_mut() else { return };
    map.remove("default");
    if map.remove("oneOf").is_some() {
        map.insert("type".into(), "string".into());
    }
    for field in ["items", "additionalProperties"] {
        map.get_mut(field).into_iter().for_each(older);
    }
    let properties = map.get_mut("properties").and_then(Value::as_object_mut);
    properties.into_iter().flat_map(Map::values_mut).for_each(older);
}

fn json_answer(value: &Value) -> Response {
    wire::build(StatusCode::OK, "application/json", Body::Bytes(value.to_string().into()))
}

/// The roots of the group versions, without the leading slash.
fn roots(customs: &[&Custom]) -> BTreeSet<String> {
    let customs = customs.iter().map(|custom| custom.kind);
    KINDS
        .iter()
        .chain(VERSIONS)
        .copied()
        .chain(customs)
        .map(|k| k.api_root().trim_start_matches('/').to_owned())
        .collect()
}

fn index(customs: &[&Custom]) -> Value {
    let paths: Map = roots(customs)
        .into_iter()
        .map(|root| {
            let url = json!({"serverRelativeURL": format!("/openapi/v3/{root}")});
            (root, url)
        })
        .collect();
    json!({"paths": paths})
}

fn kinds_below(root: &str) -> Vec<&'static Kind> {
    let all = KINDS.iter().chain(VERSIONS).chain(COMPUTED).copied();
    all.filter(|k| k.api_root().trim_start_matches('/') == root).collect()
}

/// The document of one group version.
fn document(kinds: &[&Kind], customs: &[&Custom], prose: &Descriptions) -> Value {
    let mut paths = Map::new();
    let mut wanted = BTreeSet::new();
    for kind in kinds.iter().copied().chain(customs.iter().map(|custom| custom.kind)) {
        let namespace = if kind.namespaced { "{namespace}" } else { "" };
        if !COMPUTED.iter().any(|computed| std::ptr::eq(*computed, kind)) {
            paths.insert(kind.object_path(namespace, "{name}").into(), json!({"patch": patch_operation(kind)}));
        }
        if let Some(definition) = schema::definition(if custom::of(kind).is_some() { OBJECT_META } else { kind.schema })
        {
            collect(definition, &mut wanted);
        }
    }
    let schemas: Map = wanted
        .into_iter()
        .filter_map(schema::definition)
        .map(|definition| (definition.full_name(), schema_of(definition, prose)))
        .chain(scalars(prose))
        .chain(customs.iter().map(|custom| schema_of_custom(custom, prose)))
        .collect();
    json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": VERSION},
        "paths": paths,
        "components": {"schemas": schemas},
    })
}

/// The definition of the metadata of every object.
const OBJECT_META: &str = "apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// The name and schema of a custom kind: as its definition has it, and what every object has.
fn schema_of_custom(custom: &Custom, prose: &Descriptions) -> (String, Value) {
    let kind = custom.kind;
    let group: Vec<&str> = kind.group.rsplit('.').collect();
    let mut value = custom.schema().clone();
    // Every kind has these fields, and they mean the same everywhere.
    let of_pods = |field: &str| prose.field("api.core.v1.Pod", field);
    for (field, mut schema) in [
        ("apiVersion", json!({"type": "string"})),
        ("kind", json!({"type": "string"})),
        ("metadata", reference(OBJECT_META)),
    ] {
        describe(&mut schema, of_pods(field));
        value["properties"][field] = schema;
    }
    value["x-kubernetes-group-version-kind"] = json!([gvk((kind.group, kind.version, kind.kind))]);
    if let Some(fields) = selectable::extension(&custom.added.version) {
        value["x-kubernetes-selectable-fields"] = fields;
    }
    (format!("{}.{}.{}", group.join("."), kind.version, kind.kind), value)
}

/// The definitions of texts and numbers that have a meaning.
fn scalars(prose: &Descriptions) -> impl Iterator<Item = (String, Value)> {
    schema::SCALARS.iter().map(|(ty, name)| {
        let mut value = match ty {
            Type::Time => json!({"type": "string", "format": "date-time"}),
            Type::Object | Type::Fields => json!({"type": "object"}),
            Type::IntOrString => json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]}),
            _ => json!({"oneOf": [{"type": "string"}, {"type": "number"}]}),
        };
        describe(&mut value, prose.definition(name));
        (format!("io.k8s.{name}"), value)
    })
}

fn describe(schema: &mut Value, text: Option<&str>) {
    if let Some(text) = text {
        schema["description"] = text.into();
    }
}

/// A field's prose with the values that it may have. Upstream says of some what they mean; the prose that was published, from
/// which ours is taken, does not.
fn with_values<'a>(text: &'a str, values: &[&str]) -> Cow<'a, str> {
    if values.is_empty() {
        return text.into();
    }
    let mut values = values.to_vec();
    values.sort_unstable();
    let lines: String = values.iter().map(|value| format!("\n - `{value:?}`")).collect();
    format!("{text}\n\nPossible enum values:{lines}").into()
}

fn patch_operation(kind: &Kind) -> Value {
    let query = |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}});
    json!({
        "operationId": format!("patch{}", kind.kind),
        "parameters": [query("dryRun"), query("fieldManager"), query("fieldValidation")],
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": "patch",
        "x-kubernetes-group-version-kind": gvk((kind.group, kind.version, kind.kind)),
    })
}

fn gvk((group, version, kind): (&str, &str, &str)) -> Value {
    json!({"group": group, "version": version, "kind": kind})
}

/// Names of a definition and of all that it leads to.
fn collect(definition: &'static Definition, names: &mut BTreeSet<&'static str>) {
    if names.insert(definition.name) {
        definition.properties.iter().filter_map(|p| p.ty.definition()).for_each(|d| collect(d, names));
    }
}

fn schema_of(definition: &Definition, prose: &Descriptions) -> Value {
    let described = |p: &Property| {
        let mut property = property_of(p);
        let text = prose.field(definition.name, p.name).map(|text| with_values(text, &p.enumeration));
        describe(&mut property, text.as_deref());
        (p.name.to_owned(), property)
    };
    let properties: Map = definition.properties.iter().map(described).collect();
    let mut schema = json!({"type": "object"});
    describe(&mut schema, prose.definition(definition.name));
    if !properties.is_empty() {
        schema["properties"] = properties.into();
    }
    let required: Vec<&str> = definition.required().collect();
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if let Some(kind) = definition.gvk {
        schema["x-kubernetes-group-version-kind"] = json!([gvk(kind)]);
    }
    if definition.atomic {
        schema["x-kubernetes-map-type"] = "atomic".into();
    }
    schema
}

fn property_of(property: &Property) -> Value {
    let mut value = type_of(&property.ty);
    if let Some(default) = property.default_value() {
        value["default"] = default;
    }
    if !property.enumeration.is_empty() {
        value["enum"] = json!(property.enumeration);
    }
    match property.list_type {
        ListType::Map => {
            value["x-kubernetes-list-type"] = "map".into();
            value["x-kubernetes-list-map-keys"] = json!(property.map_keys);
        }
        ListType::Set => value["x-kubernetes-list-type"] = "set".into(),
        ListType::Atomic if matches!(property.ty, Type::List(_)) => value["x-kubernetes-list-type"] = "atomic".into(),
        ListType::Atomic => {}
    }
    if !property.patch_strategy.is_empty() {
        value["x-kubernetes-patch-strategy"] = property.patch_strategy.into();
    }
    if !property.merge_key.is_empty() {
        value["x-kubernetes-patch-merge-key"] = property.merge_key.into();
    }
    if property.atomic {
        value["x-kubernetes-map-type"] = "atomic".into();
    }
    value
}

fn type_of(ty: &Type) -> Value {
    match ty {
        Type::String => json!({"type": "string"}),
        Type::Bytes => json!({"type": "string", "format": "byte"}),
        Type::Boolean => json!({"type": "boolean"}),
        Type::Int32 => json!({"type": "integer", "format": "int32"}),
        Type::Int64 => json!({"type": "integer", "format": "int64"}),
        Type::Float => json!({"type": "number", "format": "double"}),
        Type::Any => json!({"type": "object"}),
        Type::Time | Type::Quantity | Type::IntOrString | Type::Object | Type::Fields => {
            reference(ty.definition_name().expect("each has a definition"))
        }
        Type::List(of) => json!({"type": "array", "items": type_of(of)}),
        Type::Map(of) => json!({"type": "object", "additionalProperties": type_of(of)}),
        Type::Ref(name) => reference(name),
    }
}

fn reference(name: &str) -> Value {
    json!({"allOf": [{"$ref": format!("#/components/schemas/io.k8s.{name}")}]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_ends_with_the_values() {
        assert_eq!(with_values("How many.", &[]), "How many.");
        let text = "Which one.\n\nPossible enum values:\n - `\"Always\"`\n - `\"Never\"`";
        assert_eq!(with_values("Which one.", &["Never", "Always"]), text);
    }

    #[test]
    fn the_older_document_is_the_same_as_protobuf() {
        let two = version_two(document(KINDS, &[], &Descriptions::default()));
        let bytes = protobuf::document(&two);
        assert!(bytes.starts_with(b"\x0a\x032.0\x12"), "swagger, then info");
        let has = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
        // Field 8 of the document is its paths; the name of the first follows.
        let (path, _) = two["paths"].as_object().and_then(|all| all.iter().next()).expect("there are paths");
        assert!(has(&[b"\x0a", &[path.len() as u8][..], path.as_bytes(), b"\x12"].concat()));
        // A list of texts: type 22, items 23, in them a schema with a type.
        assert!(has(b"\x0a\x04args\x12"));
        assert!(has(b"\xb2\x01\x07\x0a\x05array\xba\x01\x0d\x0a\x0b\xb2\x01\x08\x0a\x06string"));
        let extension = br#"[{"group":"apps","kind":"Deployment","version":"v1"}]"#;
        assert!(has(&[b"\x0a\x1fx-kubernetes-group-version-kind\x12\x37\x12\x35", &extension[..]].concat()));
    }

    #[test]
    fn the_older_schemas_are_those_of_the_newer_document() {
        let two = version_two(document(KINDS, &[], &Descriptions::default()));
        assert_eq!(two["swagger"], "2.0");
        let spec = &two["definitions"]["io.k8s.api.apps.v1.DeploymentSpec"]["properties"];
        assert_eq!(spec["replicas"]["format"], "int32");
        assert_eq!(spec["template"]["$ref"], "#/definitions/io.k8s.api.core.v1.PodTemplateSpec");
        assert_eq!(two["definitions"]["io.k8s.apimachinery.pkg.util.intstr.IntOrString"]["type"], "string");
        let patch = &two["paths"]["/api/v1/namespaces/{namespace}/pods/{name}"]["patch"];
        assert_eq!(patch["parameters"][0]["type"], "string");
        let text = two.to_string();
        // As words of a schema, not as the names of fields of one.
        assert!(!text.contains("\"allOf\":[") && !text.contains("\"oneOf\":[") && !text.contains("components/schemas"));
    }
}
