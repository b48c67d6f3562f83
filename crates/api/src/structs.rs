//! The structs of Kubernetes' own types: their fields in the order of their declaration, which is the order in which Go writes
//! them, with their numbers and types in protobuf.
//!
//! structs.txt is data: the fields of each message that the served kinds lead to, as the `generated.proto` files of k8s.io/api
//! and k8s.io/apimachinery publish them, in the order of types.go there. One line a message, then one a field: `NUMBER NAME TYPE`,
//! where a type is `s`tring, `b`ytes, `t`ruth, `i`nteger, `d`ouble, `T`ime, `M`icro time, `Q`uantity, `I`nteger or string, `R`aw
//! JSON or `.MESSAGE`; `*` before it is a list, `{` a map from strings, `^` a struct whose fields belong to the one around it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use json::{Map, Value};
use serde::ser::{Serialize, Serializer};

/// A field of a struct.
#[derive(Debug)]
pub struct Field {
    /// Its number in protobuf.
    pub number: u64,
    /// Its name in JSON.
    pub name: &'static str,
    /// Its type, in the letters of structs.txt.
    pub ty: &'static str,
}

/// Every struct, by its name without `k8s.io.`.
pub fn all() -> &'static BTreeMap<&'static str, Vec<Field>> {
    static ALL: OnceLock<BTreeMap<&'static str, Vec<Field>>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all = BTreeMap::<_, Vec<Field>>::new();
        let mut current = "";
        for line in include_str!("structs.txt").lines() {
            let mut words = line.split_ascii_whitespace();
            match (words.next(), words.next(), words.next()) {
                (Some(number), Some(name), Some(ty)) => {
                    let number = number.parse().expect("structs.txt begins fields with their number");
                    all.entry(current).or_default().push(Field { number, name, ty });
                }
                (Some(message), ..) => {
                    current = message;
                    all.entry(message).or_default();
                }
                _ => {}
            }
        }
        all
    })
}

/// The name of a kind's struct, if it is one of Kubernetes' own.
pub fn of_kind(api_version: &str, kind: &str) -> Option<&'static str> {
    let (group, version) = api_version.split_once('/').unwrap_or(("core", api_version));
    let (package, domain) = group.split_once('.').unwrap_or((group, ""));
    if !domain.is_empty() && domain != "k8s.io" && !domain.ends_with(".k8s.io") {
        return None;
    }
    let name = match kind {
        "DeleteOptions" | "Status" => format!("apimachinery.pkg.apis.meta.v1.{kind}"),
        _ => format!("api.{package}.{version}.{kind}"),
    };
    all().get_key_value(name.as_str()).map(|(name, _)| *name)
}

/// What a value is, as far as the order of its fields is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// No struct: fields by name.
    Sorted,
    /// A struct.
    Struct(&'static str),
    /// A list as the server answers it, of objects of this struct.
    List(&'static str),
    /// Elements of such a list.
    Items(&'static str),
    /// One of them: the list has said what they are.
    Item(&'static str),
    /// A field's type, in the letters of structs.txt.
    Field(&'static str),
}

const LIST_META: Shape = Shape::Struct("apimachinery.pkg.apis.meta.v1.ListMeta");

impl Shape {
    /// What an object or a list is, by its apiVersion and kind.
    pub fn of(value: &Value) -> Shape {
        let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or("");
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        if let Some(name) = of_kind(api_version, kind) {
            return Shape::Struct(name);
        }
        let item = kind.strip_suffix("List").and_then(|item| of_kind(api_version, item));
        item.map_or(Shape::Sorted, Shape::List)
    }

    /// What the elements of an array are.
    pub fn element(self) -> Shape {
        match self {
            Shape::Items(name) => Shape::Item(name),
            Shape::Field(ty) => ty.strip_prefix('*').map_or(Shape::Sorted, Shape::Field),
            _ => Shape::Sorted,
        }
    }

    /// The fields of an object in their order, each with what it is. What the struct does not have comes last.
    pub fn fields(self, map: &Map) -> Vec<(&str, &Value, Shape)> {
        let by_name = |shape: Shape| map.iter().map(|(name, value)| (name.as_str(), value, shape)).collect();
        let name = match self {
            Shape::Struct(name) | Shape::Item(name) => name,
            Shape::List(item) => return in_order(map, &[("metadata", LIST_META), ("items", Shape::Items(item))]),
            Shape::Field(ty) => match (ty.strip_prefix('{'), ty.strip_prefix('.')) {
                (Some(value), _) => return by_name(Shape::Field(value)),
                (None, Some(name)) => name,
                (None, None) => return by_name(Shape::Sorted),
            },
            Shape::Sorted | Shape::Items(_) => return by_name(Shape::Sorted),
        };
        let mut order = Vec::new();
        declare(name, &mut order);
        let mut fields = in_order(map, &order);
        if matches!(self, Shape::Item(_)) {
            fields.retain(|(name, ..)| !matches!(*name, "kind" | "apiVersion"));
        }
        fields
    }
}

/// The fields of a struct, those of structs inside it in their place.
fn declare(name: &str, order: &mut Vec<(&'static str, Shape)>) {
    for field in all().get(name).into_iter().flatten() {
        match field.ty.strip_prefix("^.") {
            Some(inner) => declare(inner, order),
            None => order.push((field.name, Shape::Field(field.ty))),
        }
    }
}

fn in_order<'v>(map: &'v Map, order: &[(&str, Shape)]) -> Vec<(&'v str, &'v Value, Shape)> {
    let declared = |name: &str| order.iter().position(|(field, _)| *field == name);
    let place = |name: &str| match (declared(name), name) {
        (Some(at), _) => at + 2,
        // `TypeMeta` comes before everything else.
        (None, "kind") => 0,
        (None, "apiVersion") => 1,
        (None, _) => usize::MAX,
    };
    let shape = |name: &str| declared(name).map_or(Shape::Sorted, |at| order[at].1);
    let mut fields: Vec<_> = map.iter().map(|(name, value)| (name.as_str(), value, shape(name))).collect();
    fields.sort_by_key(|(name, ..)| place(name));
    fields
}

/// A value as Go writes it: the fields of Kubernetes' own kinds in the order of their declaration.
#[derive(Clone, Copy, Debug)]
pub struct InOrder<'v> {
    value: &'v Value,
    shape: Shape,
}

impl<'v> InOrder<'v> {
    /// An object or a list.
    pub fn new(value: &'v Value) -> InOrder<'v> {
        InOrder { value, shape: Shape::of(value) }
    }
}

impl Serialize for InOrder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Object(map) => {
                let fields = self.shape.fields(map);
                serializer.collect_map(fields.into_iter().map(|(name, value, shape)| (name, InOrder { value, shape })))
            }
            Value::Array(items) => {
                let shape = self.shape.element();
                serializer.collect_seq(items.iter().map(|value| InOrder { value, shape }))
            }
            other => other.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;

    fn names(shape: Shape, value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (name, value, shape) in shape.fields(map) {
                    out.push(name.to_owned());
                    names(shape, value, out);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| names(shape.element(), item, out)),
            _ => {}
        }
    }

    #[track_caller]
    fn check(value: &Value, expected: &str) {
        let mut out = Vec::new();
        names(Shape::of(value), value, &mut out);
        assert_eq!(out.join(" "), expected);
    }

    #[test]
    fn fields_come_as_they_are_declared() {
        let container = json!({"resources": {}, "image": "i", "name": "c", "env": [{"value": "v", "name": "n"}]});
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "status": {}, "zzz": 1, "spec": {"containers": [container],
            "volumes": [{"emptyDir": {}, "name": "v"}]}, "metadata": {"labels": {"b": "1", "a": "2"}, "name": "p"}});
        let fields = "metadata name labels a b spec volumes name emptyDir containers name image env name value resources status zzz";
        check(&pod, &format!("kind apiVersion {fields}"));
        let list = json!({"apiVersion": "v1", "kind": "PodList", "items": [pod], "metadata": {"resourceVersion": "1"}});
        check(&list, &format!("kind apiVersion metadata resourceVersion items {fields}"));
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "status": {}, "spec": {}, "metadata": {"uid": "u", "name": "n"}});
        let text = json::to_string(&InOrder::new(&namespace)).expect("JSON values serialise");
        assert_eq!(
            text,
            r#"{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"n","uid":"u"},"spec":{},"status":{}}"#
        );
    }

    #[test]
    fn what_has_no_struct_is_sorted() {
        let custom = json!({"apiVersion": "apps.example.com/v1", "kind": "Deployment", "spec": {"b": 1, "a": 2}});
        check(&custom, "apiVersion kind spec a b");
        check(
            &json!({"apiVersion": "v1", "kind": "List", "items": [], "metadata": {}}),
            "apiVersion items kind metadata",
        );
    }
}
