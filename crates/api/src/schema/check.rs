//! Decoding: what does not fit the schema, in the words of upstream's decoder.
//!
//! Upstream: `sigs.k8s.io/json`, `k8s.io/apimachinery/pkg/runtime/serializer/json` (strict decoding).

use base64::Engine;
use json::Value;

use super::table::{Definition, Property, Type};
use crate::quantity::Quantity;

/// What decoding found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Paths of unknown fields in order, e.g. `spec.containers[0].comand`.
    pub unknown: Vec<String>,
    /// The first value of a wrong type, in the decoder's words.
    pub error: Option<String>,
}

impl Checked {
    /// One complaint for each unknown field: `unknown field "spec.replica"`.
    pub fn complaints(&self) -> Vec<String> {
        self.unknown.iter().map(|path| format!("unknown field {path:?}")).collect()
    }
}

/// Decodes an object in mind and says what does not fit.
pub fn check(root: &'static Definition, value: &Value) -> Checked {
    check_change(root, value, None)
}

/// The same of an object that was made from one that fits: what they share is not looked at again.
pub fn check_change(root: &'static Definition, value: &Value, known: Option<&Value>) -> Checked {
    let mut checker = Checker { found: Checked::default() };
    checker.fields(root, value, known, &Where { outer: None, step: Step::Root, owner: root });
    checker.found
}

struct Checker {
    found: Checked,
}

/// A place in the object, and the definition around it. Most objects are right, so that its name is put together only when
/// something is wrong there.
struct Where<'a> {
    outer: Option<&'a Where<'a>>,
    step: Step<'a>,
    owner: &'static Definition,
}

/// What leads to a place from the one around it.
enum Step<'a> {
    Root,
    Field(&'a str),
    Index(usize),
    Key(&'a str),
}

impl<'a> Where<'a> {
    fn inner(&'a self, step: Step<'a>) -> Where<'a> {
        Where { outer: Some(self), step, owner: self.owner }
    }

    /// With list indexes, as unknown fields are named.
    fn indexed(&self) -> String {
        let outer = self.outer.map_or_else(String::new, Where::indexed);
        match self.step {
            Step::Root => outer,
            Step::Field(name) if outer.is_empty() => name.to_owned(),
            Step::Field(name) | Step::Key(name) => format!("{outer}.{name}"),
            Step::Index(at) => format!("{outer}[{at}]"),
        }
    }

    /// Field names alone, as type errors name a place.
    fn plain(&self) -> String {
        let outer = self.outer.map_or_else(String::new, Where::plain);
        match self.step {
            Step::Field(name) if outer.is_empty() => name.to_owned(),
            Step::Field(name) => format!("{outer}.{name}"),
            _ => outer,
        }
    }
}

impl Checker {
    fn fields(&mut self, definition: &'static Definition, value: &Value, known: Option<&Value>, place: &Where) {
        let Some(map) = value.as_object() else { return };
        let mut properties = definition.in_order();
        let mut known = known.and_then(Value::as_object).map(json::Map::in_order).unwrap_or_default();
        for (name, value) in map {
            let place = place.inner(Step::Field(name));
            match properties.property(name) {
                Some(property) => {
                    let place = Where { owner: definition, ..place };
                    self.value(property, &property.ty, value, known.get(name), &place);
                }
                None if definition.properties.is_empty() => {}
                None => self.found.unknown.push(place.indexed()),
            }
        }
    }

    fn value(&mut self, property: &'static Property, ty: &Type, value: &Value, known: Option<&Value>, place: &Where) {
        if known.is_some_and(|known| known.is_same(value)) {
            return;
        }
        match (ty, value) {
            (Type::Any, _) | (_, Value::Null) | (Type::Object | Type::Fields, Value::Object(_)) => {}
            (Type::List(inner), Value::Array(items)) => {
                for (at, item) in items.iter().enumerate() {
                    let known = known.and_then(|known| known.get(at));
                    self.value(property, inner, item, known, &place.inner(Step::Index(at)));
                }
            }
            (Type::Map(inner), Value::Object(map)) => {
                for (key, item) in map {
                    let known = known.and_then(|known| known.get(key));
                    self.value(property, inner, item, known, &place.inner(Step::Key(key)));
                }
            }
            (Type::Ref(_), value) => match property.definition() {
                Some(definition) if definition.properties.is_empty() => {}
                Some(definition) if value.is_object() => self.fields(definition, value, known, place),
                _ => self.mismatch(ty, value, place),
            },
            (Type::Bytes, Value::String(text)) => self.base64(text),
            (Type::Time, Value::String(text)) => self.time(text),
            (Type::String, Value::String(_)) | (Type::Boolean, Value::Bool(_)) | (Type::Float, Value::Number(_)) => {}
            (Type::IntOrString, Value::String(_)) => {}
            (Type::Int32 | Type::IntOrString, Value::Number(n))
                if n.as_i64().is_some_and(|i| i32::try_from(i).is_ok()) => {}
            (Type::Int64, Value::Number(n)) if n.is_i64() => {}
            (Type::Quantity, Value::String(_) | Value::Number(_)) => {
                if let Err(error) = Quantity::from_value(value) {
                    self.error(error.to_string());
                }
            }
            (Type::Quantity, _) => self.error(crate::quantity::QuantityError::Format.to_string()),
            _ => self.mismatch(ty, value, place),
        }
    }

    fn base64(&mut self, text: &str) {
        use base64::DecodeError as D;
        let error = match base64::engine::general_purpose::STANDARD.decode(text) {
            Ok(_) => return,
            Err(D::InvalidByte(at, _) | D::InvalidLastSymbol { offset: at, .. }) => at,
            Err(_) => text.len() / 4 * 4,
        };
        self.error(format!("illegal base64 data at input byte {error}"));
    }

    fn time(&mut self, text: &str) {
        if text.parse::<jiff::Timestamp>().is_err() {
            let quoted = crate::text::go_quote(text);
            let what = r#"as "2006-01-02T15:04:05Z07:00": cannot parse"#;
            self.error(format!("parsing time {quoted} {what} {quoted} as \"2006\""));
        }
    }

    fn mismatch(&mut self, ty: &Type, value: &Value, place: &Where) {
        let have = match value {
            Value::Null => "null".to_owned(),
            Value::Bool(_) => "bool".to_owned(),
            Value::Number(n) if matches!(ty, Type::Int32 | Type::Int64 | Type::IntOrString) => format!("number {n}"),
            Value::Number(_) => "number".to_owned(),
            Value::String(_) => "string".to_owned(),
            Value::Array(_) => "array".to_owned(),
            Value::Object(_) => "object".to_owned(),
        };
        let (plain, owner) = (place.plain(), place.owner.type_name());
        let error = match ty {
            // These decode themselves, so the decoder does not know the field.
            Type::IntOrString if value.is_number() => {
                format!("json: cannot unmarshal {have} into Go value of type int32")
            }
            Type::IntOrString => format!("json: cannot unmarshal {have} into Go value of type string"),
            Type::Time => format!("json: cannot unmarshal {have} into Go value of type string"),
            _ => format!("json: cannot unmarshal {have} into Go struct field {owner}.{plain} of type {}", go_type(ty)),
        };
        self.error(error);
    }

    fn error(&mut self, error: String) {
        self.found.error.get_or_insert(error);
    }
}

/// The type as Go prints it.
fn go_type(ty: &Type) -> String {
    match ty {
        Type::String => "string".to_owned(),
        Type::Bytes => "[]uint8".to_owned(),
        Type::Time => "v1.Time".to_owned(),
        Type::Boolean => "bool".to_owned(),
        Type::Int32 => "int32".to_owned(),
        Type::Int64 => "int64".to_owned(),
        Type::Float => "float64".to_owned(),
        Type::Object => "runtime.RawExtension".to_owned(),
        Type::Fields => "v1.FieldsV1".to_owned(),
        Type::Any => "interface {}".to_owned(),
        Type::Quantity => "resource.Quantity".to_owned(),
        Type::IntOrString => "intstr.IntOrString".to_owned(),
        Type::List(inner) => format!("[]{}", go_type(inner)),
        Type::Map(inner) => format!("map[string]{}", go_type(inner)),
        Type::Ref(name) => {
            let mut parts = name.rsplit('.');
            let kind = parts.next().unwrap_or("");
            format!("{}.{kind}", parts.next().unwrap_or("v1"))
        }
    }
}
