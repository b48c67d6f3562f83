//! Formats of texts by name (k8s.io/apiserver/pkg/cel/library/format.go).

use api::names;
use regex_lite::Regex;

use super::Found;
use crate::time::parse_timestamp;
use crate::value::Value;

/// The names, in the order of upstream's constants.
const NAMES: [&str; 13] = [
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "qualifiedName",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "labelValue",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime",
];

pub(super) fn call(name: &str, args: &[Value]) -> Option<Found> {
    let known = |name: &str| NAMES.iter().find(|known| **known == name).map(|known| Value::Format(known));
    let found = match (name, args) {
        ("format.named", [Value::String(name)]) => known(name).map_or(Value::Optional(None), Value::some),
        ("validate", [Value::Format(format), Value::String(text)]) => match problems(format, text) {
            found if found.is_empty() => Value::Optional(None),
            found => Value::some(Value::list(found.into_iter().map(Value::from).collect())),
        },
        (name, []) => known(name.strip_prefix("format.")?)?,
        _ => return None,
    };
    Some(Ok(found))
}

fn problems(format: &str, text: &str) -> Vec<String> {
    let one = |holds: bool, why: &str| if holds { Vec::new() } else { vec![why.to_owned()] };
    // A prefix may end with the dash that what is appended follows.
    let prefix = || text.strip_suffix('-').map_or_else(|| text.to_owned(), |rest| format!("{rest}a"));
    match format {
        "dns1123Label" => names::dns1123_label(text),
        "dns1123Subdomain" => names::dns1123_subdomain(text),
        "dns1035Label" => names::dns1035_label(text),
        "qualifiedName" => names::qualified_name(text),
        "labelValue" => names::label_value(text),
        "dns1123LabelPrefix" => names::dns1123_label(&prefix()),
        "dns1123SubdomainPrefix" => names::dns1123_subdomain(&prefix()),
        "dns1035LabelPrefix" => names::dns1035_label(&prefix()),
        "uri" => {
            let is_uri = super::url::call("isURL", &[Value::from(text)]) == Some(Ok(Value::Bool(true)));
            one(is_uri, "invalid URI")
        }
        "uuid" => {
            let shape = r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$";
            one(Regex::new(shape).is_ok_and(|r| r.is_match(text)), "does not match the UUID format")
        }
        "byte" => {
            use base64::Engine as _;
            one(base64::engine::general_purpose::STANDARD.decode(text).is_ok(), "invalid base64")
        }
        "date" => one(parse_timestamp(&format!("{text}T00:00:00Z")).is_some(), "invalid date"),
        _ => one(parse_timestamp(text).is_some(), "invalid datetime"),
    }
}
