//! Values of expressions, their equality and their order (cel-go/common/types).

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use api::quantity::Quantity;

use crate::access::{Access, DECISION, Decision};
use crate::declarations::{CIDR, FORMAT, IP, QUANTITY, SEMVER, URL};
use crate::functions::net::Cidr;
use crate::functions::semver::Semver;
use crate::functions::url::Url;
use crate::types::Type;

/// What an expression can be.
#[derive(Clone, Debug)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number with a sign.
    Int(i64),
    /// A number without a sign.
    Uint(u64),
    /// A number with a fraction.
    Double(f64),
    /// A text.
    String(Arc<str>),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// Nanoseconds since 1970.
    Timestamp(i128),
    /// Nanoseconds.
    Duration(i64),
    /// A list.
    List(Arc<List>),
    /// A map, or an object.
    Map(Arc<BTreeMap<Key, Value>>),
    /// A type.
    Type(Type),
    /// What may be absent.
    Optional(Option<Arc<Value>>),
    /// A quantity.
    Quantity(Quantity),
    /// An address.
    Ip(IpAddr),
    /// A range of addresses.
    Cidr(Cidr),
    /// A URL.
    Url(Arc<Url>),
    /// A format of text, by its name.
    Format(&'static str),
    /// A version.
    Semver(Arc<Semver>),
    /// A question to the authorizer.
    Access(Arc<Access>),
    /// What the authorizer says.
    Decision(Arc<Decision>),
}

/// A key of a map.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A truth value.
    Bool(bool),
    /// A number with a sign, or one without that would fit.
    Int(i64),
    /// A number that is too large for a sign.
    Uint(u64),
    /// A text.
    String(Arc<str>),
}

/// A list and how its elements are told apart (`x-kubernetes-list-type`).
#[derive(Clone, Debug, Default)]
pub struct List {
    /// The elements.
    pub items: Vec<Value>,
    /// What kind of list it is.
    pub kind: ListKind,
}

/// What makes two elements of a list the same (k8s.io/apiserver/pkg/cel/common/values.go).
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ListKind {
    /// Their place.
    #[default]
    Atomic,
    /// What they are.
    Set,
    /// The values of these fields.
    Map(Vec<Arc<str>>),
}

impl Key {
    /// The key that a value is.
    #[must_use]
    pub fn of(value: &Value) -> Option<Key> {
        Some(match value {
            Value::Bool(b) => Key::Bool(*b),
            Value::Int(n) => Key::Int(*n),
            Value::Uint(n) => i64::try_from(*n).map_or(Key::Uint(*n), Key::Int),
            #[expect(clippy::cast_possible_truncation, reason = "it has no fraction and is in range")]
            Value::Double(d) if d.fract() == 0.0 && d.abs() < 9.0e18 => Key::Int(*d as i64),
            Value::String(text) => Key::String(Arc::clone(text)),
            _ => return None,
        })
    }

    /// The value that a key is.
    #[must_use]
    pub fn value(&self) -> Value {
        match self {
            Key::Bool(b) => Value::Bool(*b),
            Key::Int(n) => Value::Int(*n),
            Key::Uint(n) => Value::Uint(*n),
            Key::String(text) => Value::String(Arc::clone(text)),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(text.into())
    }
}

impl Value {
    /// Bytes.
    #[must_use]
    pub fn bytes(content: Vec<u8>) -> Value {
        Value::Bytes(content.into())
    }

    /// A list without a kind.
    #[must_use]
    pub fn list(items: Vec<Value>) -> Value {
        Value::List(Arc::new(List { items, kind: ListKind::Atomic }))
    }

    /// An optional value that is there.
    #[must_use]
    pub fn some(value: Value) -> Value {
        Value::Optional(Some(Arc::new(value)))
    }

    /// The type of the value.
    #[must_use]
    pub fn type_of(&self) -> Type {
        match self {
            Value::Null => Type::Null,
            Value::Bool(_) => Type::Bool,
            Value::Int(_) => Type::Int,
            Value::Uint(_) => Type::Uint,
            Value::Double(_) => Type::Double,
            Value::String(_) => Type::String,
            Value::Bytes(_) => Type::Bytes,
            Value::Timestamp(_) => Type::Timestamp,
            Value::Duration(_) => Type::Duration,
            Value::List(_) => Type::list(Type::Dyn),
            Value::Map(_) => Type::map(Type::Dyn, Type::Dyn),
            Value::Type(of) => Type::Type(Arc::new(of.clone())),
            Value::Optional(_) => Type::optional(Type::Dyn),
            Value::Quantity(_) => Type::Opaque(QUANTITY, Vec::new()),
            Value::Ip(_) => Type::Opaque(IP, Vec::new()),
            Value::Cidr(_) => Type::Opaque(CIDR, Vec::new()),
            Value::Url(_) => Type::Opaque(URL, Vec::new()),
            Value::Format(_) => Type::Opaque(FORMAT, Vec::new()),
            Value::Semver(_) => Type::Opaque(SEMVER, Vec::new()),
            Value::Access(access) => Type::Opaque(access.type_name(), Vec::new()),
            Value::Decision(_) => Type::Opaque(DECISION, Vec::new()),
        }
    }

    /// How much there is to look at, for costs: characters, bytes, elements, or one.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Value::String(text) => text.chars().count() as u64,
            Value::Bytes(bytes) => bytes.len() as u64,
            Value::List(list) => list.items.len() as u64,
            Value::Map(map) => map.len() as u64,
            Value::Optional(Some(inner)) => inner.size(),
            Value::Ip(ip) => {
                if ip.is_ipv4() {
                    4
                } else {
                    16
                }
            }
            Value::Cidr(cidr) => {
                if cidr.address.is_ipv4() {
                    4
                } else {
                    16
                }
            }
            _ => 1,
        }
    }

    /// Whether it says nothing: zero, empty, false.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        match self {
            Value::Null | Value::Bool(false) | Value::Int(0) | Value::Uint(0) | Value::Duration(0) => true,
            Value::Double(d) => *d == 0.0,
            Value::String(text) => text.is_empty(),
            Value::Bytes(bytes) => bytes.is_empty(),
            Value::List(list) => list.items.is_empty(),
            Value::Map(map) => map.is_empty(),
            // The first second of the year 1.
            Value::Timestamp(nanos) => *nanos == -62_135_596_800_000_000_000,
            Value::Optional(inner) => inner.as_ref().is_none_or(|v| v.is_zero()),
            _ => false,
        }
    }

    /// How two values are ordered; `None` if they are not.
    #[must_use]
    pub fn compare(&self, other: &Value) -> Option<Ordering> {
        Some(match (self, other) {
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Int(a), Value::Int(b)) => a.cmp(b),
            (Value::Uint(a), Value::Uint(b)) => a.cmp(b),
            (Value::Int(a), Value::Uint(b)) => i128::from(*a).cmp(&i128::from(*b)),
            (Value::Uint(a), Value::Int(b)) => i128::from(*a).cmp(&i128::from(*b)),
            (Value::Double(a), Value::Double(b)) => return a.partial_cmp(b),
            (Value::Double(a), Value::Int(b)) => return compare_mixed(*a, i128::from(*b)),
            (Value::Double(a), Value::Uint(b)) => return compare_mixed(*a, i128::from(*b)),
            (Value::Int(_) | Value::Uint(_), Value::Double(_)) => return other.compare(self).map(Ordering::reverse),
            (Value::String(a), Value::String(b)) => a.cmp(b),
            (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
            (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b),
            (Value::Duration(a), Value::Duration(b)) => a.cmp(b),
            (Value::Quantity(a), Value::Quantity(b)) => a.cmp(b),
            (Value::Semver(a), Value::Semver(b)) => a.compare(b),
            _ => return None,
        })
    }
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "the range is checked first")]
fn compare_mixed(a: f64, b: i128) -> Option<Ordering> {
    if a.is_nan() {
        return None;
    }
    if a.abs() >= 1.9e19 {
        return a.partial_cmp(&(b as f64));
    }
    let whole = a.trunc() as i128;
    Some(whole.cmp(&b).then(a.partial_cmp(&a.trunc())?))
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::List(a), Value::List(b)) => a.same(b),
            (Value::Map(a), Value::Map(b)) => a == b,
            (Value::Type(a), Value::Type(b)) => a.name() == b.name(),
            (Value::Optional(a), Value::Optional(b)) => a == b,
            (Value::Ip(a), Value::Ip(b)) => a == b,
            (Value::Cidr(a), Value::Cidr(b)) => a == b,
            (Value::Url(a), Value::Url(b)) => a == b,
            (Value::Format(a), Value::Format(b)) => a == b,
            (Value::Access(a), Value::Access(b)) => a == b,
            (Value::Decision(a), Value::Decision(b)) => a == b,
            _ => self.compare(other) == Some(Ordering::Equal),
        }
    }
}

impl List {
    /// Whether two lists are the same for what they are.
    fn same(&self, other: &List) -> bool {
        if self.items.len() != other.items.len() {
            return false;
        }
        match &self.kind {
            ListKind::Atomic => self.items == other.items,
            ListKind::Set => self.items.iter().all(|item| other.items.contains(item)),
            ListKind::Map(keys) => self.items.iter().all(|item| {
                let same = other.items.iter().find(|o| key_of(o, keys) == key_of(item, keys));
                same.is_some_and(|o| o == item)
            }),
        }
    }

    /// Both together: sets have each element once, of maps the later replaces the earlier.
    #[must_use]
    pub fn with(&self, other: &List) -> List {
        let mut items = self.items.clone();
        for item in &other.items {
            match &self.kind {
                ListKind::Set if items.contains(item) => {}
                ListKind::Map(keys) => match items.iter_mut().find(|o| key_of(o, keys) == key_of(item, keys)) {
                    Some(old) => *old = item.clone(),
                    None => items.push(item.clone()),
                },
                _ => items.push(item.clone()),
            }
        }
        List { items, kind: self.kind.clone() }
    }
}

fn key_of(item: &Value, keys: &[Arc<str>]) -> Vec<Option<Value>> {
    let Value::Map(map) = item else { return Vec::new() };
    keys.iter().map(|key| map.get(&Key::String(Arc::clone(key))).cloned()).collect()
}
