//! Label selectors as values.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use json::Value;

use crate::names;
use crate::status::{FieldError, FieldErrors};

/// How a requirement compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `k=v`.
    Equals,
    /// `k==v`.
    DoubleEquals,
    /// `k!=v`; true as well if the key is absent.
    NotEquals,
    /// `k in (a,b)`.
    In,
    /// `k notin (a,b)`; true as well if the key is absent.
    NotIn,
    /// `k`.
    Exists,
    /// `!k`.
    DoesNotExist,
    /// `k>1`, integers.
    GreaterThan,
    /// `k<1`, integers.
    LessThan,
}

/// One requirement on one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The label key.
    pub key: String,
    /// How it compares.
    pub operator: Operator,
    /// With what; sorted.
    pub values: BTreeSet<String>,
}

impl Requirement {
    /// Checks key, operator and values (`labels.NewRequirement`).
    ///
    /// # Errors
    /// Upstream's sentence, e.g. `values[0]: Invalid value: "b": for 'Gt', 'Lt' operators, the value must be an integer`.
    pub fn new(key: &str, operator: Operator, values: BTreeSet<String>) -> Result<Requirement, String> {
        use Operator::{DoesNotExist, DoubleEquals, Equals, Exists, GreaterThan, In, LessThan, NotEquals, NotIn};
        let mut errors = FieldErrors::new();
        if let Some(error) = key_error("key", key) {
            errors.push(error);
        }
        let list: Value = values.iter().cloned().collect();
        let one = values.len() == 1;
        match operator {
            In | NotIn if values.is_empty() => errors.push(FieldError::invalid(
                "values",
                list,
                "for 'in', 'notin' operators, values set can't be empty",
            )),
            Equals | DoubleEquals | NotEquals if !one => {
                errors.push(FieldError::invalid("values", list, "exact-match compatibility requires one single value"));
            }
            Exists | DoesNotExist if !values.is_empty() => {
                errors.push(FieldError::invalid(
                    "values",
                    list,
                    "values set must be empty for exists and does not exist",
                ));
            }
            GreaterThan | LessThan if !one => {
                errors.push(FieldError::invalid(
                    "values",
                    list,
                    "for 'Gt', 'Lt' operators, exactly one value is required",
                ));
            }
            GreaterThan | LessThan => {
                errors.extend(values.iter().enumerate().filter(|(_, v)| v.parse::<i64>().is_err()).map(|(i, v)| {
                    let detail = "for 'Gt', 'Lt' operators, the value must be an integer";
                    FieldError::invalid(format!("values[{i}]"), v.as_str(), detail)
                }));
            }
            _ => {}
        }
        for (i, value) in values.iter().enumerate() {
            if let Some(message) = joined(names::label_value(value)) {
                errors.push(FieldError::invalid(format!("values[{i}][{key}]"), value.as_str(), message));
            }
        }
        if errors.is_empty() {
            Ok(Requirement { key: key.to_owned(), operator, values })
        } else {
            Err(errors.to_string())
        }
    }

    fn matches<'a>(&self, get: &dyn Fn(&str) -> Option<&'a str>) -> bool {
        let found = get(&self.key);
        match self.operator {
            Operator::Equals | Operator::DoubleEquals | Operator::In => found.is_some_and(|v| self.values.contains(v)),
            Operator::NotEquals | Operator::NotIn => found.is_none_or(|v| !self.values.contains(v)),
            Operator::Exists => found.is_some(),
            Operator::DoesNotExist => found.is_none(),
            Operator::GreaterThan | Operator::LessThan => {
                let have = found.and_then(|v| v.parse::<i64>().ok());
                let want = self.values.first().and_then(|v| v.parse::<i64>().ok());
                match (have, want) {
                    (Some(have), Some(want)) if self.operator == Operator::GreaterThan => have > want,
                    (Some(have), Some(want)) => have < want,
                    _ => false,
                }
            }
        }
    }
}

/// The complaint about a label key, at a path.
pub(super) fn key_error(path: &str, key: &str) -> Option<FieldError> {
    joined(names::qualified_name(key)).map(|message| FieldError::invalid(path, key, message))
}

fn joined(messages: Vec<String>) -> Option<String> {
    if messages.is_empty() { None } else { Some(messages.join("; ")) }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.operator {
            Operator::DoesNotExist => return write!(f, "!{}", self.key),
            Operator::Exists => return f.write_str(&self.key),
            Operator::Equals => "=",
            Operator::DoubleEquals => "==",
            Operator::NotEquals => "!=",
            Operator::In => " in ",
            Operator::NotIn => " notin ",
            Operator::GreaterThan => ">",
            Operator::LessThan => "<",
        };
        let values: Vec<&str> = self.values.iter().map(String::as_str).collect();
        let values = values.join(",");
        match self.operator {
            Operator::In | Operator::NotIn => write!(f, "{}{sign}({values})", self.key),
            _ => write!(f, "{}{sign}{values}", self.key),
        }
    }
}

/// A label selector: all requirements must hold. Displays in canonical form, sorted by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector {
    nothing: bool,
    requirements: Vec<Requirement>,
}

impl LabelSelector {
    /// Selects everything.
    pub fn everything() -> LabelSelector {
        LabelSelector::default()
    }

    /// Selects nothing.
    pub fn nothing() -> LabelSelector {
        LabelSelector { nothing: true, requirements: Vec::new() }
    }

    /// From requirements; sorts them by key.
    pub fn new(mut requirements: Vec<Requirement>) -> LabelSelector {
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        LabelSelector { nothing: false, requirements }
    }

    /// Reads `a=b,c!=d,e in (x,y),!f,g`.
    ///
    /// # Errors
    /// Upstream's sentence, e.g. `found '=', expected: ',' or 'end of string'`.
    pub fn parse(text: &str) -> Result<LabelSelector, String> {
        super::parse::parse(text).map(LabelSelector::new)
    }

    /// Reads a `metav1.LabelSelector`. Null selects nothing, `{}` everything.
    ///
    /// # Errors
    /// Upstream's sentence for an unknown operator or values that do not fit it.
    pub fn from_value(value: &Value) -> Result<LabelSelector, String> {
        if value.is_null() {
            return Ok(LabelSelector::nothing());
        }
        let mut requirements = Vec::new();
        for (key, value) in crate::object::string_map(&value["matchLabels"]) {
            requirements.push(Requirement::new(&key, Operator::Equals, BTreeSet::from([value]))?);
        }
        for expression in value["matchExpressions"].as_array().into_iter().flatten() {
            let operator = match expression["operator"].as_str().unwrap_or("") {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                other => {
                    return Err(format!("{} is not a valid label selector operator", crate::text::go_quote(other)));
                }
            };
            let values = expression["values"].as_array().into_iter().flatten();
            let values = values.filter_map(|v| v.as_str().map(str::to_owned)).collect();
            requirements.push(Requirement::new(expression["key"].as_str().unwrap_or(""), operator, values)?);
        }
        Ok(LabelSelector::new(requirements))
    }

    /// From a plain map, as Services and ReplicationControllers carry it; unchecked (`labels.SelectorFromSet`).
    pub fn from_map(labels: &BTreeMap<String, String>) -> LabelSelector {
        let one = |(key, value): (&String, &String)| Requirement {
            key: key.clone(),
            operator: Operator::Equals,
            values: BTreeSet::from([value.clone()]),
        };
        LabelSelector::new(labels.iter().map(one).collect())
    }

    /// The requirements, sorted by key.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// Whether it selects everything.
    pub fn is_everything(&self) -> bool {
        !self.nothing && self.requirements.is_empty()
    }

    /// Whether labels match.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.holds(&|key| labels.get(key).map(String::as_str))
    }

    /// Whether an object's labels match.
    pub fn matches_object(&self, object: &crate::Object) -> bool {
        self.matches_value(object.at("metadata.labels"))
    }

    /// Whether a JSON map of labels matches.
    pub fn matches_value(&self, labels: &Value) -> bool {
        self.holds(&|key| labels.get(key).and_then(Value::as_str))
    }

    fn holds<'a>(&self, get: &dyn Fn(&str) -> Option<&'a str>) -> bool {
        !self.nothing && self.requirements.iter().all(|r| r.matches(get))
    }
}

impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, requirement) in self.requirements.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma}{requirement}")?;
        }
        Ok(())
    }
}

/// A `metav1.LabelSelector` as kubectl prints it: `<none>` if empty, `<error>` if malformed.
pub fn format_label_selector(value: &Value) -> String {
    match LabelSelector::from_value(value) {
        Err(_) => "<error>".to_owned(),
        Ok(selector) => match selector.to_string() {
            text if text.is_empty() => "<none>".to_owned(),
            text => text,
        },
    }
}
