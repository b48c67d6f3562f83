//! What is wrong with the expressions of a policy if objects are what their schemas say
//! (k8s.io/apiserver/pkg/admission/plugin/policy/validating/typechecking.go).
//!
//! It only warns: what is asked about requests takes objects as they are. Differences: names of types end with a 0 where
//! upstream's end with a time; `authorizer.requestResource` is known.

use std::collections::BTreeSet;

use api::schema::{Definition, Type as FieldType, definition};
use api::{Kind, Object};
use cel::schema::declare;
use cel::types::Type;
use json::{Map, Value, json};

use super::compile::{Environment, Fault, Returns};
use super::params::resolve;
use super::{compile, kinds};
use crate::custom;
use crate::registry::Context;
use crate::value::{list, text};

/// Kinds that a rule is checked for.
const KINDS_MAX: usize = 10;

/// A kind, in the order in which upstream speaks of several.
type Gvk = (&'static str, &'static str, &'static str);

/// The warnings about a policy: `{fieldRef, warning}` each.
pub fn check(cx: &Context<'_>, policy: &Object) -> Vec<Value> {
    let spec = policy.at("spec");
    let objects: Vec<(Gvk, Type)> =
        meant(cx, spec).into_iter().filter_map(|kind| Some((gvk(kind), typed(kind)?))).collect();
    let param_kind = &spec["paramKind"];
    let params = param_kind.is_object().then(|| {
        let kind = resolve(cx, text(param_kind, "apiVersion"), text(param_kind, "kind"));
        kind.and_then(typed).unwrap_or(Type::Dyn)
    });
    let environments: Vec<(Gvk, Vec<(String, Type)>)> = objects
        .into_iter()
        .map(|(gvk, object)| {
            (gvk, composed(Environment { object, params: params.clone(), variables: Some(Default::default()) }, spec))
        })
        .collect();
    let mut warnings = Vec::new();
    for (i, validation) in list(spec, "validations").iter().enumerate() {
        for field in ["expression", "messageExpression"] {
            let source = text(validation, field);
            let warning = if source.is_empty() { String::new() } else { warning(source, &environments) };
            if !warning.is_empty() {
                warnings.push(json!({"fieldRef": format!("spec.validations[{i}].{field}"), "warning": warning}));
            }
        }
    }
    warnings
}

/// What is said of an expression, for each kind.
fn warning(source: &str, environments: &[(Gvk, Vec<(String, Type)>)]) -> String {
    let found = environments.iter().filter_map(|((group, version, kind), declared)| {
        let issues = cel::compile(source, declared).err()?;
        Some(format!("{group}/{version}, Kind={kind}: {issues}\n"))
    });
    found.collect::<Vec<_>>().join("\n")
}

/// The variables of the expressions, with those that the policy composes.
fn composed(mut environment: Environment, spec: &Value) -> Vec<(String, Type)> {
    for variable in list(spec, "variables") {
        let declared = environment.declarations(true);
        let program: Result<_, Fault> = compile::compile(text(variable, "expression"), Returns::Anything, &declared);
        environment.add_variable(text(variable, "name"), program.as_ref().ok().map(cel::Program::output));
    }
    environment.declarations(true)
}

fn gvk(kind: &Kind) -> Gvk {
    (kind.group, kind.version, kind.kind)
}

/// The kinds that a policy names, by group, version and kind; who says `*` names none (`typesToCheck`).
fn meant(cx: &Context<'_>, spec: &Value) -> Vec<&'static Kind> {
    let served = kinds(cx);
    let mut found: Vec<&'static Kind> = Vec::new();
    for rule in list(&spec["matchConstraints"], "resourceRules") {
        let words = |field: &str| {
            let mut all: Vec<&str> = list(rule, field).iter().filter_map(Value::as_str).collect();
            all.sort_unstable();
            all
        };
        let (groups, versions) = (words("apiGroups"), words("apiVersions"));
        if groups.iter().chain(&versions).any(|word| word.contains('*')) {
            continue;
        }
        let mut count = 0;
        for (group, version) in groups.iter().flat_map(|g| versions.iter().map(move |v| (*g, *v))) {
            for resource in words("resources").into_iter().filter(|resource| !resource.contains(['*', '/'])) {
                // Who names no group may mean any.
                let is_meant = |kind: &&&'static Kind| {
                    kind.version == version && kind.plural == resource && (group.is_empty() || kind.group == group)
                };
                for kind in served.iter().filter(is_meant) {
                    if count < KINDS_MAX && !found.contains(kind) {
                        found.push(kind);
                    }
                    count += 1;
                }
            }
        }
        if count >= KINDS_MAX {
            break;
        }
    }
    found.sort_by_key(|kind| gvk(kind));
    found
}

/// The type of the objects of a kind; `None` if nothing is known of them.
fn typed(kind: &'static Kind) -> Option<Type> {
    let schema = match custom::of(kind) {
        Some(custom) => of_custom(custom.schema()),
        None => open_api(definition(kind.schema)?, &mut BTreeSet::new()),
    };
    declare(&schema, true, &format!("{}0", kind.kind)).map(|declared| declared.of)
}

/// The published schema of a custom kind: its metadata are those of every object.
fn of_custom(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(properties) = schema.as_object_mut().map(|map| map.entry("properties").or_insert_with(|| json!({}))) {
        properties["apiVersion"] = json!({"type": "string"});
        properties["kind"] = json!({"type": "string"});
        if let Some(meta) = definition(custom::OBJECT_META) {
            properties["metadata"] = open_api(meta, &mut BTreeSet::new());
        }
    }
    schema
}

/// A definition as a schema of OpenAPI, with what it refers to in its place; what refers to itself is any object there.
fn open_api(of: &'static Definition, above: &mut BTreeSet<&'static str>) -> Value {
    if !above.insert(of.name) {
        return json!({"type": "object"});
    }
    let properties: Map =
        of.properties.iter().map(|property| (property.name.to_owned(), field(&property.ty, above))).collect();
    above.remove(of.name);
    json!({"type": "object", "properties": properties})
}

fn field(of: &FieldType, above: &mut BTreeSet<&'static str>) -> Value {
    match of {
        FieldType::String => json!({"type": "string"}),
        FieldType::Bytes => json!({"type": "string", "format": "byte"}),
        FieldType::Time => json!({"type": "string", "format": "date-time"}),
        FieldType::Boolean => json!({"type": "boolean"}),
        FieldType::Int32 | FieldType::Int64 => json!({"type": "integer"}),
        FieldType::Float => json!({"type": "number"}),
        FieldType::Object | FieldType::Fields => json!({"type": "object"}),
        FieldType::IntOrString => json!({"x-kubernetes-int-or-string": true}),
        // One of several types, which upstream does not show to expressions.
        FieldType::Quantity | FieldType::Any => json!({}),
        FieldType::List(of) => json!({"type": "array", "items": field(of, above)}),
        FieldType::Map(of) => json!({"type": "object", "additionalProperties": field(of, above)}),
        FieldType::Ref(name) => definition(name).map_or_else(|| json!({}), |of| open_api(of, above)),
    }
}
