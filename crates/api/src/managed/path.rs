//! One step of a path: a field, or an element of a list.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use json::Value;

/// A text that is the schema's, or shared.
#[derive(Clone, Debug)]
pub enum Text {
    /// From the schema.
    Static(&'static str),
    /// From an object.
    Shared(Arc<str>),
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Text::Static(text) => text,
            Text::Shared(text) => text,
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text::Shared(text.into())
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}

/// A step. Keys and values are kept as their JSON text, in which keys are sorted: equal steps have equal texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Element {
    /// A field of a struct or a map.
    Field(Text),
    /// The element of a list with these keys, `{"name":"web"}`.
    Key(Text),
    /// The element of a list that is a set, `"web"`.
    Value(Text),
    /// The element of a list at a place.
    Index(Text),
}

impl Element {
    /// From `f:spec`, `k:{"name":"web"}`, `v:"web"`, `i:0`; `None` if it is none of these.
    pub fn parse(text: &str) -> Option<Element> {
        let (kind, rest) = text.split_once(':')?;
        let canonical = || json::from_str::<Value>(rest).ok().map(|v| Text::from(v.to_string().as_str()));
        match kind {
            "f" => Some(Element::Field(rest.into())),
            "k" => canonical().map(Element::Key),
            "v" => canonical().map(Element::Value),
            "i" => rest.parse::<usize>().ok().map(|_| Element::Index(rest.into())),
            _ => None,
        }
    }

    /// As fieldsV1 writes it.
    pub fn encode(&self) -> String {
        match self {
            Element::Field(text) => format!("f:{}", &**text),
            Element::Key(text) => format!("k:{}", &**text),
            Element::Value(text) => format!("v:{}", &**text),
            Element::Index(text) => format!("i:{}", &**text),
        }
    }
}

/// As messages show it: `.spec`, `[name="web"]`, `[="web"]`, `[0]`.
impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Element::Field(text) => write!(f, ".{}", &**text),
            Element::Key(text) => {
                let keys = json::from_str::<json::Map>(text).unwrap_or_default();
                let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{key}={value}")).collect();
                write!(f, "[{}]", keys.join(","))
            }
            Element::Value(text) => write!(f, "[={}]", &**text),
            Element::Index(text) => write!(f, "[{}]", &**text),
        }
    }
}

/// A path as messages show it: `.spec.template.spec.containers[name="web"].image`.
pub fn show(path: &[Element]) -> String {
    path.iter().map(ToString::to_string).collect()
}
