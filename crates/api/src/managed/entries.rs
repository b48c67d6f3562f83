//! The entries of `metadata.managedFields`.

use std::sync::Arc;

use json::{Value, json};

use super::path::Text;
use super::set::Set;

/// How a manager came to own fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// By server-side apply.
    Apply,
    /// By anything else.
    Update,
}

impl Operation {
    /// As in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Apply => "Apply",
            Operation::Update => "Update",
        }
    }
}

/// What one manager owns.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The manager, e.g. `kubectl`.
    pub manager: Text,
    /// How it came to own the fields.
    pub operation: Operation,
    /// The version of the fields.
    pub api_version: Text,
    /// The subresource that was written to; empty for the object itself.
    pub subresource: Text,
    /// When, RFC 3339.
    pub time: Option<Arc<str>>,
    /// The fields.
    pub fields: Arc<Set>,
}

impl Entry {
    /// Whether both are of the same manager. Versions do not tell appliers apart.
    pub fn same_manager(&self, other: &Entry) -> bool {
        self.operation == other.operation
            && self.manager == other.manager
            && self.subresource == other.subresource
            && (self.operation == Operation::Apply || self.api_version == other.api_version)
    }

    /// Whether all but the time is the same.
    pub fn same_but_time(&self, other: &Entry) -> bool {
        self.same_manager(other)
            && self.api_version == other.api_version
            && (Arc::ptr_eq(&self.fields, &other.fields) || self.fields == other.fields)
    }

    /// The order of the entries: appliers first, then by time.
    fn rank(&self) -> (Operation, &str, &str, &str, &str) {
        (self.operation, self.time.as_deref().unwrap_or(""), &self.manager, &self.api_version, &self.subresource)
    }

    fn to_value(&self) -> Value {
        let mut value = json!({
            "apiVersion": &*self.api_version, "fieldsType": "FieldsV1", "fieldsV1": self.fields.to_fields(),
            "manager": &*self.manager, "operation": self.operation.name(),
        });
        if !self.subresource.is_empty() {
            value["subresource"] = (*self.subresource).into();
        }
        if let Some(time) = &self.time {
            value["time"] = (**time).into();
        }
        value
    }

    fn from_value(value: &Value) -> Option<Entry> {
        let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or("");
        let operation = match text("operation") {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return None,
        };
        if text("apiVersion").is_empty() || text("fieldsType") != "FieldsV1" {
            return None;
        }
        Some(Entry {
            manager: text("manager").into(),
            operation,
            api_version: text("apiVersion").into(),
            subresource: text("subresource").into(),
            time: value.get("time").and_then(Value::as_str).map(Arc::from),
            fields: Arc::new(Set::from_fields(value.get("fieldsV1").unwrap_or(&Value::Null))),
        })
    }
}

/// Who set which field of an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ManagedFields {
    pub(super) entries: Vec<Entry>,
}

impl ManagedFields {
    /// The entries, in upstream's order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether nobody owns anything.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// As `metadata.managedFields`.
    pub fn to_value(&self) -> Value {
        Value::Array(self.entries.iter().map(Entry::to_value).collect())
    }

    /// From `metadata.managedFields`; `None` if an entry cannot be read.
    pub fn from_value(value: &Value) -> Option<ManagedFields> {
        let entries = value.as_array()?.iter().map(Entry::from_value).collect::<Option<Vec<_>>>()?;
        Some(ManagedFields::new(entries))
    }

    /// What a client that sends `metadata.managedFields` means: an empty list, or one empty entry, forgets everything.
    pub fn is_reset(value: &Value) -> bool {
        match value.as_array().map(json::Array::as_slice) {
            Some([]) => true,
            Some([one]) => one.as_object().is_some_and(json::Map::is_empty),
            _ => false,
        }
    }

    /// From entries in any order.
    pub fn new(mut entries: Vec<Entry>) -> ManagedFields {
        entries.sort_by(|a, b| a.rank().cmp(&b.rank()));
        ManagedFields { entries }
    }

    /// Whether all but the times is the same.
    pub fn same_but_times(&self, other: &ManagedFields) -> bool {
        self.entries.len() == other.entries.len()
            && self.entries.iter().all(|a| other.entries.iter().any(|b| a.same_but_time(b)))
    }
}
