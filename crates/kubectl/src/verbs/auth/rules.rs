//! Which rules of a role another one has already (`component-helpers/auth/rbac/validation`).

use json::{Map, Value, json};

/// A list of texts of a rule, or of anything else.
pub(super) fn texts<'a>(value: &'a Value, field: &str) -> Vec<&'a str> {
    value[field].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Of `wanted` what `held` does not allow, in pieces of one verb, one resource and one name.
pub(super) fn uncovered(held: &[Value], wanted: &[Value]) -> Vec<Value> {
    let pieces = wanted.iter().flat_map(pieces);
    pieces.filter(|piece| !held.iter().any(|rule| covers(rule, piece))).collect()
}

fn pieces(rule: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    let (verbs, names) = (texts(rule, "verbs"), texts(rule, "resourceNames"));
    for group in texts(rule, "apiGroups") {
        for resource in texts(rule, "resources") {
            for verb in &verbs {
                let piece = json!({"apiGroups": [group], "resources": [resource], "verbs": [verb]});
                if names.is_empty() {
                    all.push(piece);
                    continue;
                }
                all.extend(names.iter().map(|name| {
                    let mut piece = piece.clone();
                    piece["resourceNames"] = json!([name]);
                    piece
                }));
            }
        }
    }
    // Paths go with verbs alone.
    for path in texts(rule, "nonResourceURLs") {
        all.extend(verbs.iter().map(|verb| json!({"nonResourceURLs": [path], "verbs": [verb]})));
    }
    all
}

/// Whether a rule allows a piece of one.
fn covers(rule: &Value, piece: &Value) -> bool {
    let has_all = |field: &str| {
        let held = texts(rule, field);
        held.contains(&"*") || texts(piece, field).iter().all(|one| held.contains(one))
    };
    let names = texts(rule, "resourceNames");
    let names_match = names.is_empty()
        || !texts(piece, "resourceNames").is_empty() && texts(piece, "resourceNames").iter().all(|n| names.contains(n));
    has_all("verbs") && has_all("apiGroups") && resources_match(rule, piece) && names_match && paths_match(rule, piece)
}

fn resources_match(rule: &Value, piece: &Value) -> bool {
    let held = texts(rule, "resources");
    held.contains(&"*")
        || texts(piece, "resources").iter().all(|one| {
            let of_any = one.split_once('/').map(|(_, subresource)| format!("*/{subresource}"));
            held.contains(one) || of_any.is_some_and(|of_any| held.contains(&of_any.as_str()))
        })
}

fn paths_match(rule: &Value, piece: &Value) -> bool {
    let held = texts(rule, "nonResourceURLs");
    texts(piece, "nonResourceURLs").iter().all(|path| {
        held.iter().any(|own| own == path || own.ends_with('*') && path.starts_with(own.trim_end_matches('*')))
    })
}

/// A rule as Go's `%+v` prints it.
pub(super) fn rule_text(rule: &Value) -> String {
    let list = |field: &str| texts(rule, field).join(" ");
    format!(
        "{{Verbs:[{}] APIGroups:[{}] Resources:[{}] ResourceNames:[{}] NonResourceURLs:[{}]}}",
        list("verbs"),
        list("apiGroups"),
        list("resources"),
        list("resourceNames"),
        list("nonResourceURLs")
    )
}

/// A subject as Go's `%+v` prints it.
pub(super) fn subject_text(subject: &Value) -> String {
    let text = |field: &str| subject[field].as_str().unwrap_or_default();
    format!(
        "{{Kind:{} APIGroup:{} Name:{} Namespace:{}}}",
        text("kind"),
        text("apiGroup"),
        text("name"),
        text("namespace")
    )
}

/// The four fields of a subject, for comparing.
fn subject_key(subject: &Value) -> [&str; 4] {
    ["kind", "apiGroup", "name", "namespace"].map(|field| subject[field].as_str().unwrap_or_default())
}

/// The subjects of one list that another does not have, each once.
pub(super) fn subjects_without(list: &[Value], other: &[Value]) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    for subject in list {
        let is_in = |list: &[Value]| list.iter().any(|known| subject_key(known) == subject_key(subject));
        if !is_in(other) && !is_in(&found) {
            found.push(subject.clone());
        }
    }
    found
}

/// `own` with the pairs of `expected` that it does not have: what is there stays.
pub(super) fn merged(expected: &Value, own: &Value) -> Value {
    let pairs = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let all: Map = pairs(expected).into_iter().chain(pairs(own)).collect();
    if all.is_empty() { Value::Null } else { all.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(groups: &[&str], resources: &[&str], verbs: &[&str], names: &[&str]) -> Value {
        json!({"apiGroups": groups, "resources": resources, "verbs": verbs, "resourceNames": names})
    }

    #[test]
    fn what_is_missing_comes_in_pieces() {
        let held = [rule(&[""], &["pods"], &["get", "list"], &[])];
        let missing = uncovered(&held, &[rule(&["", "apps"], &["pods"], &["get", "watch"], &[])]);
        let shown: Vec<String> = missing.iter().map(rule_text).collect();
        assert_eq!(
            shown,
            [
                "{Verbs:[watch] APIGroups:[] Resources:[pods] ResourceNames:[] NonResourceURLs:[]}",
                "{Verbs:[get] APIGroups:[apps] Resources:[pods] ResourceNames:[] NonResourceURLs:[]}",
                "{Verbs:[watch] APIGroups:[apps] Resources:[pods] ResourceNames:[] NonResourceURLs:[]}",
            ]
        );
    }

    #[test]
    fn stars_subresources_and_names() {
        let is_covered = |held: Value, wanted: Value| uncovered(&[held], &[wanted]).is_empty();
        let wanted = || rule(&["apps"], &["deployments/scale"], &["get"], &[]);
        assert!(is_covered(rule(&["*"], &["*"], &["*"], &[]), wanted()));
        assert!(is_covered(rule(&["apps"], &["*/scale"], &["get"], &[]), wanted()));
        assert!(!is_covered(rule(&["apps"], &["*/status"], &["get"], &[]), wanted()));
        assert!(!is_covered(rule(&["apps"], &["deployments"], &["get"], &[]), wanted()));
        let named = || rule(&[""], &["pods"], &["get"], &["a"]);
        assert!(is_covered(rule(&[""], &["pods"], &["get"], &[]), named()));
        assert!(!is_covered(rule(&[""], &["pods"], &["get"], &["b"]), named()));
        assert!(!is_covered(named(), rule(&[""], &["pods"], &["get"], &[])), "all names are more than one");
        let path = |path: &str| json!({"nonResourceURLs": [path], "verbs": ["get"]});
        assert!(is_covered(path("/healthz*"), path("/healthz/etcd")));
        assert!(!is_covered(path("/healthz"), path("/healthz/etcd")));
    }

    #[test]
    fn subjects_count_once() {
        let jane = json!({"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "jane"});
        let bot = json!({"kind": "ServiceAccount", "name": "bot", "namespace": "default"});
        assert_eq!(subjects_without(&[jane.clone(), bot.clone(), bot.clone()], &[jane]), std::slice::from_ref(&bot));
        assert_eq!(subject_text(&bot), "{Kind:ServiceAccount APIGroup: Name:bot Namespace:default}");
    }

    #[test]
    fn labels_that_are_there_stay() {
        assert_eq!(merged(&json!({"a": "1", "b": "2"}), &json!({"a": "0"})), json!({"a": "0", "b": "2"}));
        assert_eq!(merged(&Value::Null, &Value::Null), Value::Null);
    }
}
