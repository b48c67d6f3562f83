//! What the schema says of how a value is owned and merged (`structured-merge-diff/typed`).

use json::{Map, Value};

use super::path::{Element, Text};
use super::set::{Node, Set};
use crate::schema::{Definition, ListType, Property, Type};

/// How a value is owned.
#[derive(Clone, Copy, Debug)]
pub enum Atom {
    /// A text, a number: one value.
    Scalar,
    /// A list or map that is one value.
    Atomic,
    /// A struct.
    Struct(&'static Definition),
    /// A map of such values.
    Map(&'static Type),
    /// A list of scalars, each of which is there or not.
    Set,
    /// A list of structs that these keys tell apart.
    Keyed(&'static [&'static str], &'static Type),
    /// Unknown to the schema: the value says what it is.
    Deduced,
}

impl Atom {
    /// That of an object of a kind.
    pub fn of(definition: Option<&'static Definition>) -> Atom {
        definition.map_or(Atom::Deduced, Atom::of_definition)
    }

    fn of_definition(definition: &'static Definition) -> Atom {
        match definition {
            d if d.atomic => Atom::Atomic,
            d if d.properties.is_empty() => Atom::Deduced,
            d => Atom::Struct(d),
        }
    }

    /// That of an element or a map's value.
    pub fn of_type(ty: &'static Type) -> Atom {
        match ty {
            Type::List(_) => Atom::Atomic,
            Type::Map(inner) => Atom::Map(inner),
            Type::Ref(_) => Atom::of(ty.definition()),
            Type::Object | Type::Fields | Type::Any => Atom::Deduced,
            _ => Atom::Scalar,
        }
    }

    /// That of a field.
    pub fn of_property(property: &'static Property) -> Atom {
        match &property.ty {
            Type::List(inner) => match property.list_type {
                ListType::Atomic => Atom::Atomic,
                ListType::Set => Atom::Set,
                ListType::Map => Atom::Keyed(&property.map_keys, inner),
            },
            _ if property.atomic => Atom::Atomic,
            ty => Atom::of_type(ty),
        }
    }

    /// That of a field of a struct or a value of a map; and the field's name if the schema names it.
    pub fn child(self, key: &str) -> (Atom, Option<&'static str>) {
        match self {
            Atom::Struct(definition) => match definition.property(key) {
                Some(property) => (Atom::of_property(property), Some(property.name)),
                None => (Atom::Deduced, None),
            },
            Atom::Map(ty) => (Atom::of_type(ty), None),
            _ => (Atom::Deduced, None),
        }
    }

    /// That of what a step leads to; and whether the step is a field that the schema names.
    pub fn step(self, element: &Element) -> (Atom, bool) {
        match (self, element) {
            (atom, Element::Field(name)) => {
                let (child, named) = atom.child(name);
                (child, named.is_some())
            }
            (Atom::Keyed(_, ty), _) => (Atom::of_type(ty), false),
            _ => (Atom::Scalar, false),
        }
    }

    /// Whether the value is one, whatever is in it.
    pub fn is_leaf(self, value: &Value) -> bool {
        match self {
            Atom::Scalar | Atom::Atomic => true,
            Atom::Deduced => !(value.is_object() || value.is_null()),
            _ => false,
        }
    }

    /// Whether elements of a list are told apart.
    pub fn is_list(self) -> bool {
        matches!(self, Atom::Set | Atom::Keyed(..))
    }
}

/// The step to a field.
pub fn field(key: &str, named: Option<&'static str>) -> Element {
    Element::Field(named.map_or_else(|| Text::from(key), Text::Static))
}

/// The step to an element of a list; `Err` says why it has none.
pub fn element(atom: Atom, item: &Value) -> Result<Element, String> {
    match atom {
        Atom::Set => match item {
            Value::Null => Err("associative list without keys has an element that's an explicit null".into()),
            Value::Object(_) => Err("associative list without keys has an element that's a map type".into()),
            Value::Array(_) => Err("not supported: associative list with lists as elements".into()),
            scalar => Ok(Element::Value(scalar.to_string().as_str().into())),
        },
        Atom::Keyed(keys, ty) => {
            let Some(map) = item.as_object() else {
                let what = if item.is_null() { "a null element" } else { "non-map elements" };
                return Err(format!("associative list with keys may not have {what}"));
            };
            let mut found = Map::new();
            for key in keys {
                let default = || ty.definition().and_then(|d| d.property(key)).and_then(Property::default_value);
                if let Some(value) = map.get(*key).cloned().or_else(default) {
                    found.insert((*key).into(), value);
                }
            }
            if found.is_empty() {
                return Err(format!(
                    "associative list with keys has an element that omits all key fields [{}] (and doesn't have default values for any key fields)",
                    keys.iter().map(|k| format!("{k:?}")).collect::<Vec<_>>().join(" ")
                ));
            }
            Ok(Element::Key(Value::Object(found).to_string().as_str().into()))
        }
        _ => Err("invalid indexing of non-associative list".into()),
    }
}

/// The fields that an object sets (`ToFieldSet`).
pub fn field_set(atom: Atom, value: &Value) -> Set {
    below(atom, value).1
}

/// Whether the value itself is a member, and what is below it.
fn below(atom: Atom, value: &Value) -> (bool, Set) {
    if atom.is_leaf(value) {
        return (true, Set::default());
    }
    let mut nodes: Vec<Node> = Vec::new();
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let (child, named) = atom.child(key);
                let (member, children) = below(child, inner);
                let empty = inner.is_null() || inner.as_object().is_some_and(Map::is_empty);
                nodes.push(Node { element: field(key, named), member: member || empty || named.is_none(), children });
            }
        }
        Value::Array(items) => {
            let elements: Vec<(Element, &Value)> =
                items.iter().filter_map(|item| Some((element(atom, item).ok()?, item))).collect();
            for (index, (element, item)) in elements.iter().enumerate() {
                let twice = elements.iter().filter(|(other, _)| other == element).count() > 1;
                if twice && elements[..index].iter().any(|(other, _)| other == element) {
                    continue;
                }
                let (child, _) = atom.step(element);
                let children = if twice { Set::default() } else { below(child, item).1 };
                nodes.push(Node { element: element.clone(), member: true, children });
            }
        }
        _ => {}
    }
    (false, Set::from_nodes(nodes))
}

/// The set with every named field in it that leads to a member (`EnsureNamedFieldsAreMembers`).
pub fn with_named(set: &Set, atom: Atom) -> Set {
    let nodes = set.nodes().iter().map(|node| {
        let (child, named) = atom.step(&node.element);
        let children = with_named(&node.children, child);
        let member = node.member || (named && !children.is_empty());
        Node { element: node.element.clone(), member, children }
    });
    Set::from_nodes(nodes.collect())
}

/// The value without the fields of a set.
pub fn remove(atom: Atom, value: &Value, set: &Set) -> Value {
    match value {
        Value::Object(map) if !atom.is_leaf(value) => {
            let mut out = Map::new();
            for (key, inner) in map {
                let (child, named) = atom.child(key);
                match set.node(&field(key, named)) {
                    Some(node) if node.member => {}
                    Some(node) => {
                        out.insert(key.clone(), remove(child, inner, &node.children));
                    }
                    None => {
                        out.insert(key.clone(), inner.clone());
                    }
                }
            }
            if out.is_empty() && !map.is_empty() { Value::Null } else { Value::Object(out) }
        }
        Value::Array(items) if atom.is_list() => {
            let mut out = Vec::new();
            for item in items {
                let element = element(atom, item).ok();
                match element.as_ref().and_then(|e| set.node(e).map(|n| (e, n))) {
                    Some((_, node)) if node.member => {}
                    Some((element, node)) => out.push(remove(atom.step(element).0, item, &node.children)),
                    None => out.push(item.clone()),
                }
            }
            if out.is_empty() && !items.is_empty() { Value::Null } else { Value::Array(out.into()) }
        }
        other => other.clone(),
    }
}
