//! The hash in the names of ReplicaSets and in the label `pod-template-hash`, the same that Kubernetes gives to the same
//! template (`controller.ComputeHash`).
//!
//! Upstream hashes a dump of the Go value (`k8s.io/utils/dump`, which prints as go-spew's `%#v` does): every field of
//! every struct in the order of its declaration, with types, set or not. So the dump is made here from a table of those
//! structs.
//!
//! Difference: a quantity that upstream keeps as a decimal of any size (one with more digits than 64 bits hold, or a binary
//! fraction such as `1.5Gi`) is dumped by its text; its hash differs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use api::Object;
use api::hash::safe_hash;
use json::Value;

const TYPES: &str = include_str!("pod_template_types.txt");
/// Digits that a 64-bit amount surely holds.
const FAST_DIGITS_MAX: usize = 18;

/// The hash of a Deployment's (or DaemonSet's) template, other than the one before if names have collided.
pub(crate) fn of(deployment: &Object) -> String {
    let mut bytes = dump(deployment.at("spec.template")).into_bytes();
    if let Some(count) = deployment.int("status.collisionCount") {
        bytes.extend(count.to_le_bytes());
    }
    safe_hash(&bytes)
}

struct Field<'a> {
    go_name: &'a str,
    /// None for an embedded struct.
    json_name: Option<&'a str>,
    go_type: &'a str,
}

type Types<'a> = BTreeMap<&'a str, Vec<Field<'a>>>;

fn read_types(text: &str) -> Types<'_> {
    let mut types = Types::new();
    let mut current = "";
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut words = line.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some(go_name), Some(json_name), Some(go_type)) => {
                let json_name = Some(json_name).filter(|name| *name != "-");
                types.entry(current).or_default().push(Field { go_name, json_name, go_type });
            }
            (Some(name), ..) => {
                current = name;
                types.insert(name, Vec::new());
            }
            _ => {}
        }
    }
    types
}

fn dump(template: &Value) -> String {
    let mut dump = Dump { types: read_types(TYPES), text: String::new() };
    dump.value("PodTemplateSpec", template, true);
    dump.text
}

struct Dump<'a> {
    types: Types<'a>,
    text: String,
}

/// A type as Go names it: both API packages are called `v1`.
fn go_name(name: &str) -> String {
    if let Some(inner) = name.strip_prefix('*') {
        return format!("*{}", go_name(inner));
    }
    if let Some(inner) = name.strip_prefix("[]") {
        return format!("[]{}", go_name(inner));
    }
    match name.strip_prefix("metav1.") {
        Some(name) => format!("v1.{name}"),
        None if name.starts_with(char::is_uppercase) => format!("v1.{name}"),
        None => name.to_owned(),
    }
}

impl Dump<'_> {
    /// `named` is false for what stands in a list or a map, whose type says it already.
    fn value(&mut self, go_type: &str, value: &Value, named: bool) {
        if named {
            let _ = write!(self.text, "({})", go_name(go_type));
        }
        if let Some(inner) = go_type.strip_prefix('*') {
            return if value.is_null() { self.text.push_str("<nil>") } else { self.value(inner, value, false) };
        }
        if let Some(inner) = go_type.strip_prefix("[]") {
            return self.list(inner, value);
        }
        match go_type {
            "map[string]string" => self.map("string", value),
            "ResourceList" => self.map("resource.Quantity", value),
            "bool" => self.text.push_str(if value == true { "true" } else { "false" }),
            "int32" | "int64" => {
                let _ = write!(self.text, "{}", value.as_i64().unwrap_or(0));
            }
            "metav1.Time" => {
                self.text.push_str("{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}");
            }
            "intstr.IntOrString" => self.int_or_string(value),
            "resource.Quantity" => self.quantity(value),
            _ if self.types.contains_key(go_type) => self.fields(go_type, value),
            _ => self.text.push_str(value.as_str().unwrap_or("")),
        }
    }

    fn fields(&mut self, go_type: &str, value: &Value) {
        let Some((name, fields)) = self.types.remove_entry(go_type) else { return };
        self.text.push('{');
        for (index, field) in fields.iter().enumerate() {
            if index > 0 {
                self.text.push(' ');
            }
            let _ = write!(self.text, "{}:", field.go_name);
            let inner = field.json_name.map_or(value, |name| value.get(name).unwrap_or(&Value::Null));
            self.value(field.go_type, inner, true);
        }
        self.text.push('}');
        self.types.insert(name, fields);
    }

    fn list(&mut self, go_type: &str, value: &Value) {
        let elements = value.as_array().map_or(&[][..], json::Array::as_slice);
        if elements.is_empty() {
            return self.text.push_str("<nil>");
        }
        for (index, element) in elements.iter().enumerate() {
            self.text.push(if index == 0 { '[' } else { ' ' });
            self.value(go_type, element, false);
        }
        self.text.push(']');
    }

    fn map(&mut self, go_type: &str, value: &Value) {
        let Some(map) = value.as_object().filter(|map| !map.is_empty()) else { return self.text.push_str("<nil>") };
        for (index, (key, element)) in map.iter().enumerate() {
            self.text.push_str(if index == 0 { "map[" } else { " " });
            let _ = write!(self.text, "{key}:");
            self.value(go_type, element, false);
        }
        self.text.push(']');
    }

    fn int_or_string(&mut self, value: &Value) {
        let (kind, number, text) = match value {
            Value::String(text) => (1, 0, text.as_str()),
            other => (0, other.as_i64().unwrap_or(0), ""),
        };
        let _ = write!(self.text, "{{Type:(intstr.Type){kind} IntVal:(int32){number} StrVal:(string){text}}}");
    }

    fn quantity(&mut self, value: &Value) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let Quantity { amount, scale, cached, format } = Quantity::parse(&text);
        let _ = write!(
            self.text,
            "{{i:(resource.int64Amount){{value:(int64){amount} scale:(resource.Scale){scale}}} \
             d:(resource.infDecAmount){{Dec:(*inf.Dec)<nil>}} s:(string){} Format:(resource.Format){format}}}",
            if cached { text.as_str() } else { "" }
        );
    }
}

/// The fields of `resource.Quantity` after `ParseQuantity` has read a text.
struct Quantity {
    amount: i64,
    scale: i32,
    /// Whether the text is kept: it is where it is surely in the canonical form.
    cached: bool,
    format: &'static str,
}

impl Quantity {
    fn parse(text: &str) -> Quantity {
        let by_text = Quantity { amount: 0, scale: 0, cached: true, format: "DecimalSI" };
        if text == "0" {
            return by_text;
        }
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, suffix) = text.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let whole = whole.trim_start_matches('0');
        let digits = format!("{}{fraction}", if whole.is_empty() { "0" } else { whole });
        let Some(value) = digits.parse::<i64>().ok().filter(|_| digits.len() <= FAST_DIGITS_MAX) else {
            return by_text;
        };
        let binary = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].iter().position(|s| *s == suffix);
        if let Some(position) = binary {
            let factor = 1_i64 << (10 * (position + 1));
            return match value.checked_mul(factor).filter(|_| fraction.is_empty()) {
                Some(amount) => Quantity { amount, scale: 0, cached: value & 7 != 0, format: "BinarySI" },
                None => by_text,
            };
        }
        let decimal =
            [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
        let Some((_, exponent)) = decimal.iter().find(|(name, _)| *name == suffix) else { return by_text };
        let scale = exponent - i32::try_from(fraction.len()).unwrap_or(i32::MAX);
        let cached = scale % 3 == 0 && !digits.ends_with("000") && !digits.starts_with('0');
        Quantity { amount: value, scale, cached, format: "DecimalSI" }
    }
}

#[cfg(test)]
mod tests {
    use json::json;

    use super::*;

    /// A template of the recordings, with all defaults, and the hash that Kubernetes v1.36.3 gave it.
    fn check(container: Value, spec: Value, annotations: Value, hash: &str) {
        let mut template = json!({
            "metadata": {"creationTimestamp": null, "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "nginx", "image": "nginx:1.26", "imagePullPolicy": "IfNotPresent",
                    "resources": {}, "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File"}],
                "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
                "securityContext": {}, "terminationGracePeriodSeconds": 30}});
        let merge = |target: &mut Value, extra: Value| {
            for (key, value) in extra.as_object().cloned().unwrap_or_default() {
                target[key.as_str()] = value;
            }
        };
        merge(&mut template["spec"]["containers"][0], container);
        merge(&mut template["spec"], spec);
        if !annotations.is_null() {
            template["metadata"]["annotations"] = annotations;
        }
        assert_eq!(of(&Object::new(json!({"spec": {"template": template}}))), hash);
    }

    #[test]
    fn hashes_are_those_of_kubernetes() {
        let (none, null) = (json!({}), Value::Null);
        check(json!({"image": "nginx:1.25"}), none.clone(), null.clone(), "7b46c4b544");
        check(none.clone(), none.clone(), null.clone(), "777f9fc55f");
        check(json!({"image": "nginx:notfound"}), none.clone(), null.clone(), "5c56775d67");
        check(json!({"image": "nginx", "imagePullPolicy": "Always"}), none.clone(), null.clone(), "7887448d46");
        let restarted = json!({"kubectl.kubernetes.io/restartedAt": "2026-11-21T03:04:26Z"});
        check(none.clone(), none.clone(), restarted, "77b6cfccb");
        check(json!({"env": [{"name": "FOO", "value": "bar"}]}), none.clone(), null.clone(), "bccb86444");
        let from =
            |name: &str, key: &str| json!({"name": name, "valueFrom": {"configMapKeyRef": {"key": key, "name": "ec"}}});
        let mut container = json!({"env": [from("A", "a"), from("B", "b")]});
        check(container.clone(), none.clone(), null.clone(), "768cd956b");
        container["resources"] = json!({"limits": {"cpu": "200m", "memory": "512Mi"},
            "requests": {"cpu": "100m", "memory": "256Mi"}});
        check(container.clone(), none, null.clone(), "7dc7687744");
        let account = json!({"serviceAccount": "nope", "serviceAccountName": "nope"});
        check(container, account, null, "65d748597b");
    }

    #[test]
    fn every_type_of_the_table_is_known() {
        let types = read_types(TYPES);
        let plain = ["string", "bool", "int32", "int64", "map[string]string", "ResourceList", "types.UID"];
        for field in types.values().flatten() {
            let name = field.go_type.trim_start_matches(['*', '[', ']']);
            let outside = name.contains('.') && !name.starts_with("metav1.");
            let known = types.contains_key(name) || plain.contains(&name) || name.starts_with(char::is_uppercase);
            let special = matches!(name, "intstr.IntOrString" | "resource.Quantity");
            assert!(known || special || (!outside && name.starts_with("metav1.")), "{name}");
        }
    }
}
