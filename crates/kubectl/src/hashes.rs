//! The hash that config maps and secrets get in their names (`kubectl/pkg/util/hash`).

use json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::goval;

/// The suffix for the content of a config map or secret called `name`. `absent` stands for data that is not there.
pub fn suffix(object: &Value, name: &str, absent: &Value) -> String {
    let kind = object["kind"].as_str().unwrap_or("");
    let data = if object["data"].is_null() { absent } else { &object["data"] };
    let mut hashed = json!({"kind": kind, "name": name, "data": data});
    if kind == "Secret" {
        let default = if absent.is_null() { json!("") } else { absent.clone() };
        hashed["type"] = if object["type"].is_null() { default } else { object["type"].clone() };
    }
    for field in ["binaryData", "immutable"] {
        let value = &object[field];
        if !value.is_null() {
            hashed[field] = value.clone();
        }
    }
    let hex: String = Sha256::digest(goval::json(&hashed)).iter().map(|b| format!("{b:02x}")).collect();
    // Letters that can make words are replaced.
    let safe = |c: char| match c {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        other => other,
    };
    hex.chars().take(SUFFIX_CHARS).map(safe).collect()
}

/// How much of the hash is used.
const SUFFIX_CHARS: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_real_one() {
        let map = json!({"kind": "ConfigMap", "data": {"A": "1"}});
        assert_eq!(suffix(&map, "", &json!("")), "89g4tffbfk");
        let secret = json!({"kind": "Secret", "type": "Opaque", "data": {"P": "cHc="}});
        assert_eq!(suffix(&secret, "", &json!("")), "9bf7ght95b");
        let map = json!({"kind": "ConfigMap", "data": {"a": "1"}});
        assert_eq!(suffix(&map, "cm10", &Value::Null), "d2gdt9t672");
    }
}
