//! Laying a configuration over an object (`structured-merge-diff/typed/merge.go`).

use json::{Map, Value};

use super::path::Element;
use super::typed::{Atom, element};

/// The object with the configuration laid over it: the configuration wins, field by field.
pub fn merge(atom: Atom, live: &Value, config: &Value) -> Value {
    if atom.is_leaf(live) || atom.is_leaf(config) {
        return config.clone();
    }
    match (live, config) {
        (Value::Object(live), Value::Object(config)) if !(live.is_empty() && config.is_empty()) => {
            let mut out = Map::new();
            for (key, value) in live {
                let merged = config.get(key).map_or_else(|| value.clone(), |c| merge(atom.child(key).0, value, c));
                out.insert(key.clone(), merged);
            }
            for (key, value) in config {
                if !live.contains_key(key) {
                    out.insert(key.clone(), value.clone());
                }
            }
            Value::Object(out)
        }
        // A null or empty one on the side of the configuration takes nothing away from a list or map of parts.
        (Value::Object(live), Value::Null) if !live.is_empty() => Value::Object(live.clone()),
        (Value::Array(live), Value::Null) if !live.is_empty() => Value::Array(live.clone()),
        (Value::Array(live), Value::Array(config)) if !(live.is_empty() && config.is_empty()) => {
            Value::Array(merge_list(atom, live, config).into())
        }
        (_, config) => config.clone(),
    }
}

/// The steps of a list, each with its element.
fn steps(atom: Atom, list: &[Value]) -> Vec<(Element, &Value)> {
    list.iter().filter_map(|item| Some((element(atom, item).ok()?, item))).collect()
}

/// Elements that only the object has stay where they are; the others come in the configuration's order.
fn merge_list(atom: Atom, live: &[Value], config: &[Value]) -> Vec<Value> {
    let (left, right) = (steps(atom, live), steps(atom, config));
    let find = |list: &[(Element, &Value)], step: &Element| list.iter().position(|(other, _)| other == step);
    let once = |step: &Element| left.iter().filter(|(other, _)| other == step).count() == 1;
    let merged = |step: &Element, new: &Value| match find(&left, step).filter(|_| once(step)) {
        Some(index) => merge(atom.step(step).0, left[index].1, new),
        None => new.clone(),
    };
    // The shared elements, in the order of the configuration: the next one is where both lists meet again.
    let mut shared = right.iter().filter(|(step, _)| find(&left, step).is_some()).map(|(step, _)| step).peekable();
    let mut done: Vec<&Element> = Vec::new();
    let (mut l, mut r) = (0, 0);
    let mut out = Vec::with_capacity(left.len().max(right.len()));
    while l < left.len() || r < right.len() {
        if let (Some((a, _)), Some((b, new))) = (left.get(l), right.get(r)) {
            if a == b {
                out.push(merged(b, new));
                done.push(b);
                (l, r) = (l + 1, r + 1);
                shared.next();
                continue;
            }
            if find(&right, a).is_some() && shared.peek().is_some_and(|next| *next != a) {
                l += 1;
                continue;
            }
        }
        if let Some((a, old)) = left.get(l) {
            if find(&right, a).is_none() {
                out.push((*old).clone());
                l += 1;
                continue;
            }
            if done.contains(&a) {
                l += 1;
            }
        }
        if let Some((b, new)) = right.get(r) {
            out.push(merged(b, new));
            done.push(b);
            r += 1;
            if shared.peek().is_some_and(|next| *next == b) {
                shared.next();
            }
        }
    }
    out
}
