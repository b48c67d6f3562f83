//! Paths into objects as checks write them: `status.conditions[type=Ready].status`, `spec.containers[0].image`,
//! `metadata.labels["app.kubernetes.io/name"]`.

use json::Value;

/// Every value that a path leads to; several where a list has no index.
pub(crate) fn lookup<'a>(root: &'a Value, path: &str) -> Result<Vec<&'a Value>, String> {
    let mut found = vec![root];
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let end = after.find(']').ok_or_else(|| format!("path {path:?}: `[` without `]`"))?;
            found = select(found, &after[..end]);
            rest = after[end + 1..].trim_start_matches('.');
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let field = &rest[..end];
            if field.is_empty() {
                return Err(format!("path {path:?}: empty field name"));
            }
            found = found.into_iter().flat_map(spread).filter_map(|v| v.get(field)).collect();
            rest = rest[end..].strip_prefix('.').unwrap_or(&rest[end..]);
        }
    }
    Ok(found)
}

/// A list stands for its elements when a field is asked of it.
fn spread(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        other => vec![other],
    }
}

fn select<'a>(found: Vec<&'a Value>, selector: &str) -> Vec<&'a Value> {
    if let Ok(index) = selector.parse::<usize>() {
        return found.into_iter().filter_map(|v| v.get(index)).collect();
    }
    if let Some(key) = selector.strip_prefix('"').and_then(|s| s.strip_suffix('"')) {
        return found.into_iter().filter_map(|v| v.get(key)).collect();
    }
    let (field, wanted) = selector.split_once('=').unwrap_or((selector, ""));
    let matches = |item: &&Value| item.get(field).is_some_and(|v| text(v) == wanted);
    found.into_iter().flat_map(spread).filter(matches).collect()
}

/// A value as a check compares it: text without quotes, anything else as JSON.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use json::json;

    #[test]
    fn paths_lead_through_fields_lists_and_keys() {
        let object = json!({
            "metadata": {"labels": {"app.kubernetes.io/name": "x"}},
            "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "Other", "status": "False"}]},
        });
        let get = |path: &str| lookup(&object, path).map(|v| v.into_iter().map(text).collect::<Vec<_>>());
        assert_eq!(get("status.conditions[type=Ready].status"), Ok(vec!["True".into()]));
        assert_eq!(get("status.conditions[1].type"), Ok(vec!["Other".into()]));
        assert_eq!(get("status.conditions.status"), Ok(vec!["True".into(), "False".into()]));
        assert_eq!(get("metadata.labels[\"app.kubernetes.io/name\"]"), Ok(vec!["x".into()]));
        assert_eq!(get("spec.nothing"), Ok(vec![]));
        assert!(get("status.conditions[0").is_err());
    }
}
