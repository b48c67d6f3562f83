//! Which part of an object corresponds to which part of the object as it was, and whether it is the same
//! (k8s.io/apiserver/pkg/cel/common/{equality,maplist}.go).

use json::Value;

/// A part of an object and the part that it was.
#[derive(Clone, Copy)]
pub struct Correlated<'a> {
    pub new: &'a Value,
    pub old: &'a Value,
    pub schema: &'a Value,
}

/// The element of a list of maps that has the same keys as this one; `None` if the list is of another kind.
pub fn old_element<'a>(schema: &Value, old: &'a [Value], item: &Value) -> Option<&'a Value> {
    if schema["x-kubernetes-list-type"] != "map" {
        return None;
    }
    let keys: Vec<&str> =
        schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let same = |old: &&Value| keys.iter().all(|key| old.get(key) == item.get(key));
    old.iter().find(same)
}

impl<'a> Correlated<'a> {
    pub fn key(self, name: &str) -> Option<Correlated<'a>> {
        let (new, old) = (self.new.as_object()?.get(name)?, self.old.as_object()?.get(name)?);
        let more = &self.schema["additionalProperties"];
        let schema = self.schema["properties"].get(name).or_else(|| more.is_object().then_some(more))?;
        Some(Correlated { new, old, schema })
    }

    pub fn index(self, i: usize) -> Option<Correlated<'a>> {
        let new = self.new.as_array()?.get(i)?;
        let old = old_element(self.schema, self.old.as_array()?, new)?;
        let schema = &self.schema["items"];
        schema.is_object().then_some(Correlated { new, old, schema })
    }

    /// Whether nothing has changed: lists of maps may be in another order.
    pub fn is_same(self) -> bool {
        match (self.new, self.old) {
            (Value::Array(new), Value::Array(old)) => {
                if self.schema["x-kubernetes-list-type"] != "map" {
                    return new == old;
                }
                new.len() == old.len() && (0..new.len()).all(|i| self.index(i).is_some_and(Correlated::is_same))
            }
            (Value::Object(new), Value::Object(old)) => {
                new.len() == old.len() && new.keys().all(|name| self.key(name).is_some_and(Correlated::is_same))
            }
            (new, old) => new == old,
        }
    }
}

/// What is known of a place when it is decided whether what is wrong there was wrong before (`ratchetingOptions`).
#[derive(Clone, Copy, Default)]
pub struct Ratchet<'a> {
    pub current: Option<Correlated<'a>>,
    /// The nearest place above that corresponds to something.
    pub nearest: Option<Correlated<'a>>,
}

impl<'a> Ratchet<'a> {
    pub fn key(self, name: &str) -> Ratchet<'a> {
        let Some(current) = self.current else { return self };
        if self.nearest.is_none() && matches!(name, "apiVersion" | "kind") {
            return Ratchet::default();
        }
        Ratchet { current: current.key(name), nearest: Some(current) }
    }

    pub fn index(self, i: usize) -> Ratchet<'a> {
        let Some(current) = self.current else { return self };
        Ratchet { current: current.index(i), nearest: Some(current) }
    }

    /// Whether what is wrong is only warned of, because it was so before.
    pub fn forgives(self) -> bool {
        self.current.or(self.nearest).is_some_and(Correlated::is_same)
    }
}
