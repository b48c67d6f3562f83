//! The parsed table.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use json::Value;

use super::normal::{self, Written};

const TEXT: &str = include_str!("../../schema/kubernetes.txt");

/// The prefix of every definition's published name; the table leaves it out.
const PREFIX: &str = "io.k8s.";

/// Texts and numbers with a meaning, and their definitions.
pub const SCALARS: [(Type, &str); 5] = [
    (Type::Time, "apimachinery.pkg.apis.meta.v1.Time"),
    (Type::Quantity, "apimachinery.pkg.api.resource.Quantity"),
    (Type::IntOrString, "apimachinery.pkg.util.intstr.IntOrString"),
    (Type::Object, "apimachinery.pkg.runtime.RawExtension"),
    (Type::Fields, "apimachinery.pkg.apis.meta.v1.FieldsV1"),
];

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text.
    String,
    /// Base64.
    Bytes,
    /// RFC 3339.
    Time,
    /// True or false.
    Boolean,
    /// 32 bits.
    Int32,
    /// 64 bits.
    Int64,
    /// Floating point.
    Float,
    /// Any object (`runtime.RawExtension`).
    Object,
    /// A set of fields (`FieldsV1`): an object whose keys are paths.
    Fields,
    /// Anything.
    Any,
    /// A quantity: text or number.
    Quantity,
    /// An integer or text.
    IntOrString,
    /// A list.
    List(Box<Type>),
    /// A map from text.
    Map(Box<Type>),
    /// A definition, by its name without `io.k8s.`.
    Ref(&'static str),
}

impl Type {
    /// The definition this type leads to, through lists and maps.
    pub fn definition(&self) -> Option<&'static Definition> {
        match self {
            Type::Ref(name) => lookup(name),
            Type::List(inner) | Type::Map(inner) => inner.definition(),
            _ => None,
        }
    }

    /// The name of the definition this type leads to, through lists and maps; texts and numbers with a meaning have one
    /// too.
    pub fn definition_name(&self) -> Option<&'static str> {
        match self {
            Type::Ref(name) => Some(name),
            Type::List(inner) | Type::Map(inner) => inner.definition_name(),
            scalar => SCALARS.iter().find(|(ty, _)| ty == scalar).map(|(_, name)| *name),
        }
    }

    fn parse(text: &'static str) -> Type {
        match text {
            "s" => Type::String,
            "byte" => Type::Bytes,
            "time" => Type::Time,
            "b" => Type::Boolean,
            "i32" => Type::Int32,
            "i64" => Type::Int64,
            "f64" => Type::Float,
            "o" => Type::Object,
            "fields" => Type::Fields,
            "?" => Type::Any,
            "#" => Type::Quantity,
            "%" => Type::IntOrString,
            _ => match text.split_at(1) {
                ("[", inner) => Type::List(Box::new(Type::parse(inner))),
                ("{", inner) => Type::Map(Box::new(Type::parse(inner))),
                _ => Type::Ref(text),
            },
        }
    }

    /// As `kubectl explain` and Go's errors name it: `string`, `integer`, `[]Container`, `map[string]string`.
    pub fn explain_name(&self) -> String {
        match self {
            Type::String => "string".to_owned(),
            Type::Bytes => "string".to_owned(),
            Type::Time => "string".to_owned(),
            Type::Boolean => "boolean".to_owned(),
            Type::Int32 | Type::Int64 => "integer".to_owned(),
            Type::Float => "number".to_owned(),
            Type::Any => "Object".to_owned(),
            Type::Object => "RawExtension".to_owned(),
            Type::Fields => "FieldsV1".to_owned(),
            Type::Quantity => "Quantity".to_owned(),
            Type::IntOrString => "IntOrString".to_owned(),
            Type::List(inner) => format!("[]{}", inner.explain_name()),
            Type::Map(inner) => format!("map[string]{}", inner.explain_name()),
            // Those that were added have no name of their own.
            Type::Ref(name) if name.starts_with(crate::custom::PREFIX) => "Object".to_owned(),
            Type::Ref(name) => last(name).to_owned(),
        }
    }
}

/// How a list merges under server-side apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListType {
    /// As one value.
    #[default]
    Atomic,
    /// As a set of scalars.
    Set,
    /// By keys.
    Map,
}

/// One property of a definition.
#[derive(Clone, Debug)]
pub struct Property {
    /// The field.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// Whether it must be there.
    pub required: bool,
    /// The published default as JSON text, e.g. `"TCP"`, `{}`, `""`.
    pub default: Option<&'static str>,
    /// The published enum, sorted; empty if any value goes.
    pub enumeration: Vec<&'static str>,
    /// How a list merges under server-side apply.
    pub list_type: ListType,
    /// The keys of a map list.
    pub map_keys: Vec<&'static str>,
    /// `merge`, `replace`, `retainKeys`, `merge,retainKeys`, or empty.
    pub patch_strategy: &'static str,
    /// The key by which a strategic merge finds elements; empty if there is none.
    pub merge_key: &'static str,
    /// Whether a map is applied as one value.
    pub atomic: bool,
    /// Where the type leads, once somebody asked; only what the table itself holds, which never changes.
    target: OnceLock<&'static Definition>,
}

impl Property {
    /// A property of which no more is known than its type.
    pub(super) fn new(name: &'static str, ty: Type) -> Property {
        Property {
            name,
            ty,
            required: false,
            default: None,
            enumeration: Vec::new(),
            list_type: ListType::Atomic,
            map_keys: Vec::new(),
            patch_strategy: "",
            merge_key: "",
            atomic: false,
            target: OnceLock::new(),
        }
    }

    /// The definition that the type leads to, through lists and maps: [`Type::definition`], remembered.
    pub fn definition(&self) -> Option<&'static Definition> {
        if let Some(known) = self.target.get() {
            return Some(known);
        }
        let found = self.ty.definition()?;
        if table().contains_key(found.name) {
            return Some(self.target.get_or_init(|| found));
        }
        Some(found)
    }

    fn parse(line: &'static str) -> Option<Property> {
        let mut words = line.split(' ');
        let name = words.next()?;
        let (name, required) = name.strip_suffix('!').map_or((name, false), |n| (n, true));
        let mut property = Property::new(name, Type::parse(words.next()?));
        property.required = required;
        for word in words {
            match word.split_once('=') {
                Some(("d", default)) => property.default = Some(default),
                Some(("e", all)) => property.enumeration = all.split(',').collect(),
                Some(("l", "map")) => property.list_type = ListType::Map,
                Some(("l", "set")) => property.list_type = ListType::Set,
                Some(("k", keys)) => property.map_keys = keys.split(',').collect(),
                Some(("p", strategy)) => property.patch_strategy = strategy,
                Some(("m", key)) => property.merge_key = key,
                Some(_) => {}
                None => property.atomic |= word == "a",
            }
        }
        Some(property)
    }

    /// The default as a value.
    pub fn default_value(&self) -> Option<Value> {
        self.default.and_then(|d| json::from_str(d).ok())
    }

    /// Whether a list of this property merges by key or as a set in a strategic merge.
    pub fn merges(&self) -> bool {
        self.patch_strategy.split(',').any(|s| s == "merge")
    }

    /// Whether a patch of this property may list the keys to retain.
    pub fn retains_keys(&self) -> bool {
        self.patch_strategy.split(',').any(|s| s == "retainKeys")
    }
}

/// One definition.
#[derive(Debug)]
pub struct Definition {
    /// The name without `io.k8s.`, e.g. `api.apps.v1.Deployment`.
    pub name: &'static str,
    /// Group, version and kind, if it is a kind: `apps`, `v1`, `Deployment`.
    pub gvk: Option<(&'static str, &'static str, &'static str)>,
    /// Whether objects of it are applied as one value.
    pub atomic: bool,
    /// Whether objects of it keep fields that it does not name.
    pub open: bool,
    /// Properties, sorted by name. Empty for types that are not objects.
    pub properties: Vec<Property>,
    /// Those of them that are written also when nobody set them.
    pub(super) written: Vec<Written>,
}

impl Definition {
    /// A definition of these properties.
    pub(super) fn new(name: &'static str, mut properties: Vec<Property>) -> Definition {
        properties.sort_by(|a, b| a.name.cmp(b.name));
        let written = normal::written(name, &properties);
        Definition { name, gvk: None, atomic: false, open: false, properties, written }
    }

    /// The published name, e.g. `io.k8s.api.apps.v1.Deployment`.
    pub fn full_name(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }

    /// The name of the Go type, e.g. `Deployment`.
    pub fn type_name(&self) -> &'static str {
        last(self.name)
    }

    /// A property by name.
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.properties.binary_search_by(|p| p.name.cmp(name)).ok().map(|i| &self.properties[i])
    }

    /// Looks up properties one after the other, in the order of their names: the fields of an object are sorted too.
    pub fn in_order(&self) -> InOrder<'_> {
        InOrder { rest: &self.properties }
    }

    /// The names of the properties that must be there.
    pub fn required(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.properties.iter().filter(|p| p.required).map(|p| p.name)
    }
}

/// A lookup that goes forward only ([`Definition::in_order`]).
pub struct InOrder<'a> {
    rest: &'a [Property],
}

impl<'a> InOrder<'a> {
    /// A property by name; no name may come before one that was asked for earlier.
    pub fn property(&mut self, name: &str) -> Option<&'a Property> {
        // Most objects have most of the fields that come first, so a few steps find what halving would find in more.
        let steps = self.rest.iter().take(STEPS).take_while(|p| p.name < name).count();
        self.rest = &self.rest[steps..];
        if steps == STEPS {
            self.rest = &self.rest[self.rest.partition_point(|p| p.name < name)..];
        }
        let (first, rest) = self.rest.split_first().filter(|(first, _)| first.name == name)?;
        self.rest = rest;
        Some(first)
    }
}

/// Properties that [`InOrder`] passes one by one before it halves what is left.
const STEPS: usize = 3;

fn last(name: &'static str) -> &'static str {
    name.rsplit('.').next().unwrap_or(name)
}

fn table() -> &'static BTreeMap<&'static str, Definition> {
    static TABLE: OnceLock<BTreeMap<&'static str, Definition>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = BTreeMap::new();
        for block in TEXT.split("\n=") {
            let mut lines = block.lines();
            let head = lines.next().unwrap_or("");
            let mut words = head.strip_prefix('=').unwrap_or(head).split(' ');
            let name = words.next().unwrap_or("");
            let properties = lines.filter_map(|l| Property::parse(l.strip_prefix(' ')?)).collect();
            let mut definition = Definition::new(name, properties);
            for word in words {
                let mut parts = word.split('/');
                match (parts.next(), parts.next(), parts.next()) {
                    (Some(group), Some(version), Some(kind)) => definition.gvk = Some((group, version, kind)),
                    _ => definition.atomic |= word == "a",
                }
            }
            table.insert(name, definition);
        }
        table
    })
}

fn lookup(name: &str) -> Option<&'static Definition> {
    table().get(name).or_else(|| super::added::find(name))
}

/// A definition by its published name, e.g. `io.k8s.api.apps.v1.Deployment` (the prefix may be left out).
pub fn definition(name: &str) -> Option<&'static Definition> {
    lookup(name.strip_prefix(PREFIX).unwrap_or(name))
}

/// The definition of a kind.
pub fn definition_of(api_version: &str, kind: &str) -> Option<&'static Definition> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    definitions().find(|d| d.gvk == Some((group, version, kind)))
}

/// Every definition, by name.
pub fn definitions() -> impl Iterator<Item = &'static Definition> {
    table().values()
}
