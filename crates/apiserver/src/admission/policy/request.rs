//! What is the same for every expression that is asked about a request (k8s.io/apiserver/pkg/admission/plugin/cel/activation.go,
//! `CreateAdmissionRequest`).

use api::{Kind, Object};
use cel::access::Resource;
use cel::schema::plain;
use cel::value::Value;
use json::{Map, Value as Json, json};

use super::{given, kind_of};
use crate::admission::attributes::Attributes;
use crate::registry::Context;
use crate::strategy;
use crate::value::{at, fields};

/// What is known of the metadata of a namespace.
const NAMESPACE_METADATA: [&str; 12] = [
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "finalizers",
];

/// The values of the variables that every expression has.
pub struct Shared {
    /// The object.
    pub object: Value,
    /// The object as it was.
    pub old: Value,
    /// The request, as the kind that was matched.
    pub request: Value,
    /// The request, for match conditions: as the resource that was asked for.
    pub request_as_asked: Value,
    /// The namespace.
    pub namespace: Value,
    /// The question whether somebody may do with the resource of the request.
    pub resource: Resource,
}

impl Shared {
    /// What a request is, for policies that know its resource as `matched`.
    pub fn new(
        cx: &Context<'_>,
        attributes: &Attributes<'_>,
        matched: &'static Kind,
        namespace: Option<&Object>,
    ) -> Shared {
        let as_matched =
            |object: Option<&Json>| object.map_or(Value::Null, |o| plain(&converted(o, attributes, matched)));
        let own = attributes.resource;
        Shared {
            object: as_matched(attributes.object),
            old: as_matched(attributes.old),
            request: plain(&request(cx, attributes, matched, matched)),
            request_as_asked: plain(&request(cx, attributes, matched, own)),
            namespace: namespace.map_or(Value::Null, |object| plain(&shown_namespace(object))),
            resource: Resource {
                group: own.group.into(),
                resource: own.plural.into(),
                subresource: attributes.subresource.into(),
                namespace: attributes.namespace.into(),
                name: attributes.name.into(),
            },
        }
    }
}

/// An object as another version of its kind.
fn converted(object: &Json, attributes: &Attributes<'_>, matched: &'static Kind) -> Json {
    let own = attributes.resource;
    let mut object = object.clone();
    if std::ptr::eq(own, matched) || !matches!(attributes.subresource, "" | "status") {
        return object;
    }
    if let Some(conversion) = strategy::of(own).conversion {
        (conversion.to_stored)(own, &mut object);
    }
    if let Some(conversion) = strategy::of(matched).conversion {
        (conversion.from_stored)(matched, &mut object);
    }
    object
}

fn request(cx: &Context<'_>, attributes: &Attributes<'_>, kind: &'static Kind, resource: &'static Kind) -> Json {
    let named = |resource: &'static Kind| {
        let (group, version, kind) = kind_of(resource, attributes.subresource);
        json!({"group": group, "version": version, "kind": kind})
    };
    let placed =
        |resource: &Kind| json!({"group": resource.group, "version": resource.version, "resource": resource.plural});
    let own = attributes.resource;
    let mut request = json!({
        "uid": "", "kind": named(kind), "resource": placed(resource),
        "requestKind": named(own), "requestResource": placed(own),
        "operation": attributes.operation, "dryRun": cx.dry_run.get(),
        "userInfo": cx.user.map_or(json!({}), |user| user.to_value()),
    });
    let texts = [
        ("subResource", attributes.subresource),
        ("requestSubResource", attributes.subresource),
        ("name", attributes.name),
        ("namespace", attributes.namespace),
    ];
    for (field, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
        request[field] = text.into();
    }
    request["options"] = options(cx, attributes);
    request
}

/// The options of a request, as clients gave them.
fn options(cx: &Context<'_>, attributes: &Attributes<'_>) -> Json {
    let kind = match attributes.operation {
        "CONNECT" => return Json::Null,
        "CREATE" => "CreateOptions",
        "UPDATE" => "UpdateOptions",
        _ => "DeleteOptions",
    };
    let mut options = json!({"kind": kind, "apiVersion": "meta.k8s.io/v1"});
    if cx.dry_run.get() {
        options["dryRun"] = json!(["All"]);
    }
    if let Some(given) = attributes.options {
        for (field, value) in fields(&given.to_value()) {
            options[field.as_str()] = value.clone();
        }
        return options;
    }
    for field in ["fieldManager", "fieldValidation"] {
        match cx.query.map_or("", |query| query.get(field)) {
            "" => {}
            text => options[field] = text.into(),
        }
    }
    options
}

/// The namespace as expressions see it (`CreateNamespaceObject`).
fn shown_namespace(object: &Object) -> Json {
    let mut shown = Map::new();
    let known = fields(object.at("metadata")).filter(|(name, _)| NAMESPACE_METADATA.contains(&name.as_str()));
    shown.insert("metadata".into(), known.map(|(name, value)| (name.clone(), value.clone())).collect::<Map>().into());
    for field in ["spec", "status"] {
        let value = given(at(object.value(), field)).cloned();
        shown.insert(field.into(), value.unwrap_or_else(|| json!({})));
    }
    shown.into()
}
