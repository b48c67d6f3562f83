//! One API object: the wire JSON, shared.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use json::{Map, Value};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::managed::ManagedFields;

/// An API object. Cloning is cheap, and what is changed of the clone is copied then (`crates/json`).
///
/// Objects of the store keep `metadata.managedFields` beside their JSON, shared between revisions: few look at them, and
/// every write would copy them. They are in what goes over a wire: [`Object::into_value`], [`Object::wire`], serde.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    value: Value,
    managed: Option<Arc<ManagedFields>>,
}

static NULL: Value = Value::Null;

/// The field of the metadata that is kept beside.
const MANAGED: &str = "managedFields";

impl From<Value> for Object {
    fn from(value: Value) -> Self {
        Object { value, managed: None }
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (&self.managed, self.value.as_object()) {
            (Some(managed), Some(map)) => {
                let mut out = serializer.serialize_map(Some(map.len()))?;
                for (key, value) in map {
                    match (key.as_str(), value.as_object()) {
                        ("metadata", Some(map)) => out.serialize_entry(key, &Metadata { map, managed })?,
                        _ => out.serialize_entry(key, value)?,
                    }
                }
                out.end()
            }
            _ => self.value.serialize(serializer),
        }
    }
}

/// Metadata with the managed fields in their place.
struct Metadata<'a> {
    map: &'a Map,
    managed: &'a ManagedFields,
}

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_map(None)?;
        for (key, value) in self.map.iter().filter(|(key, _)| key.as_str() < MANAGED) {
            out.serialize_entry(key, value)?;
        }
        out.serialize_entry(MANAGED, &self.managed.to_value())?;
        for (key, value) in self.map.iter().filter(|(key, _)| key.as_str() > MANAGED) {
            out.serialize_entry(key, value)?;
        }
        out.end()
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Object::new)
    }
}

impl Object {
    /// Wraps a JSON value.
    pub fn new(value: Value) -> Self {
        value.into()
    }

    /// An object whose managed fields are kept beside its JSON; none if they are empty.
    pub fn with_managed(value: Value, managed: Arc<ManagedFields>) -> Self {
        Object { value, managed: (!managed.is_empty()).then_some(managed) }
    }

    /// The JSON, without the managed fields that are kept beside it.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The managed fields that are kept beside the JSON.
    pub fn managed(&self) -> Option<&Arc<ManagedFields>> {
        self.managed.as_ref()
    }

    /// The JSON to change, without the managed fields that are kept beside it.
    pub fn make_mut(&mut self) -> &mut Value {
        &mut self.value
    }

    /// The whole JSON.
    pub fn wire(&self) -> Cow<'_, Value> {
        match &self.managed {
            None => Cow::Borrowed(&self.value),
            Some(_) => Cow::Owned(self.clone().into_value()),
        }
    }

    /// The whole JSON by value.
    pub fn into_value(self) -> Value {
        let managed = self.managed.clone();
        let mut value = self.into_bare();
        if let (Some(managed), Some(metadata)) = (managed, value.get_mut("metadata").and_then(Value::as_object_mut)) {
            metadata.insert(MANAGED.into(), managed.to_value());
        }
        value
    }

    /// The JSON by value, without the managed fields that are kept beside it.
    pub fn into_bare(self) -> Value {
        self.value
    }

    // --- reading by path; field names only, so the dots in label keys are no trouble here ---

    /// The value at a dotted path of field names such as `spec.template.spec`; `Null` if absent.
    pub fn at(&self, path: &str) -> &Value {
        at(&self.value, path)
    }

    /// The text at a path, empty if absent or not text.
    pub fn str(&self, path: &str) -> &str {
        self.at(path).as_str().unwrap_or("")
    }

    /// The integer at a path.
    pub fn int(&self, path: &str) -> Option<i64> {
        self.at(path).as_i64()
    }

    /// The boolean at a path, false if absent.
    pub fn bool(&self, path: &str) -> bool {
        self.at(path).as_bool().unwrap_or(false)
    }

    /// The elements at a path, empty if absent.
    pub fn list(&self, path: &str) -> &[Value] {
        self.at(path).as_array().map_or(&[][..], json::Array::as_slice)
    }

    /// Sets the value at a dotted path, making objects on the way.
    pub fn set(&mut self, path: &str, value: impl Into<Value>) {
        set(self.make_mut(), path, value.into());
    }

    /// Removes the value at a dotted path.
    pub fn remove(&mut self, path: &str) {
        let (parent, field) = path.rsplit_once('.').unwrap_or(("", path));
        let mut cursor = self.make_mut();
        for part in parent.split('.').filter(|p| !p.is_empty()) {
            match cursor.get_mut(part) {
                Some(next) => cursor = next,
                None => return,
            }
        }
        if let Some(map) = cursor.as_object_mut() {
            map.remove(field);
        }
    }

    // --- metadata ---

    /// `apiVersion`.
    pub fn api_version(&self) -> &str {
        self.str("apiVersion")
    }

    /// `kind`.
    pub fn kind(&self) -> &str {
        self.str("kind")
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.str("metadata.name")
    }

    /// `metadata.namespace`, empty for cluster-scoped objects.
    pub fn namespace(&self) -> &str {
        self.str("metadata.namespace")
    }

    /// `metadata.uid`.
    pub fn uid(&self) -> &str {
        self.str("metadata.uid")
    }

    /// `metadata.resourceVersion`.
    pub fn resource_version(&self) -> &str {
        self.str("metadata.resourceVersion")
    }

    /// `metadata.generation`, 0 if absent.
    pub fn generation(&self) -> i64 {
        self.int("metadata.generation").unwrap_or(0)
    }

    /// `namespace/name`, or `name` for cluster-scoped objects: the key of caches and queues.
    pub fn key(&self) -> String {
        match self.namespace() {
            "" => self.name().to_owned(),
            namespace => format!("{namespace}/{}", self.name()),
        }
    }

    /// Labels.
    pub fn labels(&self) -> BTreeMap<String, String> {
        string_map(self.at("metadata.labels"))
    }

    /// The value of one label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.at("metadata.labels").get(key)?.as_str()
    }

    /// Annotations.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        string_map(self.at("metadata.annotations"))
    }

    /// The value of one annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.at("metadata.annotations").get(key)?.as_str()
    }

    /// Sets one label (`metadata.labels`).
    pub fn set_label(&mut self, key: &str, value: &str) {
        entry_map(self.make_mut(), "labels").insert(key.into(), value.into());
    }

    /// Sets one annotation (`metadata.annotations`).
    pub fn set_annotation(&mut self, key: &str, value: &str) {
        entry_map(self.make_mut(), "annotations").insert(key.into(), value.into());
    }

    /// Whether deletion has been asked for.
    pub fn is_deleting(&self) -> bool {
        !self.at("metadata.deletionTimestamp").is_null()
    }

    /// Owner references.
    pub fn owner_references(&self) -> Vec<OwnerReference> {
        self.list("metadata.ownerReferences").iter().filter_map(|v| OwnerReference::deserialize(v).ok()).collect()
    }

    /// The owner reference with `controller: true` (`metav1.GetControllerOf`).
    pub fn controller_ref(&self) -> Option<OwnerReference> {
        self.owner_references().into_iter().find(|r| r.controller == Some(true))
    }
}

/// The value at a dotted path of field names; `Null` if absent.
pub fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    // By hand: this runs so often that the search of `split` shows.
    let (mut value, mut path) = (value, path);
    loop {
        let end = path.bytes().position(|b| b == b'.');
        let Some(inner) = value.get(&path[..end.unwrap_or(path.len())]) else { return &NULL };
        let Some(end) = end else { return inner };
        (value, path) = (inner, &path[end + 1..]);
    }
}

/// Sets the value at a dotted path, making objects on the way.
pub fn set(value: &mut Value, path: &str, new: Value) {
    let mut cursor = value;
    for part in path.split('.') {
        if !cursor.is_object() {
            *cursor = Value::Object(Map::new());
        }
        let map = cursor.as_object_mut().expect("just made an object");
        cursor = map.entry(part.to_owned()).or_insert(Value::Null);
    }
    *cursor = new;
}

/// A map of strings; entries of other types are left out.
pub fn string_map(value: &Value) -> BTreeMap<String, String> {
    let entries = value.as_object().into_iter().flatten();
    entries.filter_map(|(k, v)| Some((k.to_string(), v.as_str()?.to_owned()))).collect()
}

fn entry_map<'a>(value: &'a mut Value, field: &str) -> &'a mut Map {
    let path = format!("metadata.{field}");
    if !at(value, &path).is_object() {
        set(value, &path, Value::Object(Map::new()));
    }
    value
        .get_mut("metadata")
        .and_then(|m| m.get_mut(field))
        .and_then(Value::as_object_mut)
        .expect("just made an object")
}

/// `metav1.OwnerReference`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerReference {
    /// API version of the owner.
    pub api_version: String,
    /// Kind of the owner.
    pub kind: String,
    /// Name of the owner.
    pub name: String,
    /// Uid of the owner.
    pub uid: String,
    /// Whether the owner is the managing controller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<bool>,
    /// Whether the owner's foreground deletion waits for this object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_owner_deletion: Option<bool>,
}

/// A list as the API server answers it, with the items shared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ObjectList {
    /// `v1`, `apps/v1`, ...
    pub api_version: String,
    /// `PodList`, ...
    pub kind: String,
    /// `metadata.resourceVersion`.
    pub resource_version: String,
    /// `metadata.continue`, empty at the end.
    pub continue_token: String,
    /// `metadata.remainingItemCount`.
    pub remaining_item_count: Option<u64>,
    /// The items. As upstream, they carry `apiVersion` and `kind` only where a client puts them.
    pub items: Vec<Object>,
}

impl ObjectList {
    /// The wire JSON.
    pub fn to_value(&self) -> Value {
        let mut metadata = Map::new();
        if !self.continue_token.is_empty() {
            metadata.insert("continue".into(), self.continue_token.clone().into());
        }
        if let Some(count) = self.remaining_item_count {
            metadata.insert("remainingItemCount".into(), count.into());
        }
        metadata.insert("resourceVersion".into(), self.resource_version.clone().into());
        json::json!({
            "apiVersion": self.api_version,
            "kind": self.kind,
            "metadata": metadata,
            "items": self.items.iter().map(|o| o.clone().into_value()).collect::<Vec<_>>(),
        })
    }

    /// Reads the wire JSON of a list.
    pub fn from_value(mut value: Value) -> ObjectList {
        let items = match value.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => items,
            _ => Vec::new().into(),
        };
        let text = |path: &str| at(&value, path).as_str().unwrap_or("").to_owned();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let typed = |mut item: Value| {
            // On the wire only the list says what its items are.
            if let (Some(item), Some(kind)) =
                (item.as_object_mut(), kind.strip_suffix("List").filter(|k| !k.is_empty()))
            {
                item.entry("kind").or_insert_with(|| kind.into());
                item.entry("apiVersion").or_insert_with(|| api_version.as_str().into());
            }
            Object::new(item)
        };
        let items = items.into_iter().map(typed).collect();
        ObjectList {
            api_version: text("apiVersion"),
            kind: text("kind"),
            resource_version: text("metadata.resourceVersion"),
            continue_token: text("metadata.continue"),
            remaining_item_count: at(&value, "metadata.remainingItemCount").as_u64(),
            items,
        }
    }
}
