//! Nodes to values.

use std::borrow::Cow;
use std::cmp::Ordering;

use json::Value;

use super::parse::{Node, Slice};
use crate::text::{go_type, go_value as plain};

type Values<'a> = Vec<Cow<'a, Value>>;

pub(super) struct Evaluation {
    pub allow_missing: bool,
}

/// Deepest recursion into data and ranges.
const DEPTH_MAX: usize = 128;

impl Evaluation {
    pub fn run(&self, nodes: &[Node], data: &Value) -> Result<Vec<Vec<Value>>, String> {
        let mut out = Vec::new();
        self.block(nodes, 0, Cow::Borrowed(data), false, &mut out, 0)?;
        Ok(out)
    }

    /// Runs the nodes from `at` up to the `{end}` of this block; gives the index after it.
    fn block<'a>(
        &self,
        nodes: &[Node],
        mut at: usize,
        data: Cow<'a, Value>,
        in_range: bool,
        out: &mut Vec<Vec<Value>>,
        depth: usize,
    ) -> Result<usize, String> {
        if depth > DEPTH_MAX {
            return Err("range is nested too deeply".to_owned());
        }
        while let Some(node) = nodes.get(at) {
            match keyword(node) {
                Some("end") if in_range => return Ok(at + 1),
                Some("end") => return Err("not in range, nothing to end".to_owned()),
                Some("range") => {
                    let mut end = skip_block(nodes, at + 1);
                    for value in self.walk(vec![data.clone()], node)? {
                        end = self.block(nodes, at + 1, value, true, out, depth + 1)?;
                    }
                    at = end;
                }
                _ => {
                    let results = self.walk(vec![data.clone()], node)?;
                    out.push(results.into_iter().map(Cow::into_owned).collect());
                    at += 1;
                }
            }
        }
        Ok(at)
    }

    fn walk<'a>(&self, input: Values<'a>, node: &Node) -> Result<Values<'a>, String> {
        match node {
            Node::List(nodes) => nodes.iter().try_fold(input, |values, node| self.walk(values, node)),
            Node::Text(text) => Ok(vec![Cow::Owned(Value::from(text.as_str()))]),
            Node::Literal(value) => Ok(input.iter().map(|_| Cow::Owned(value.clone())).collect()),
            Node::Identifier(word) if word == "range" => Ok(input),
            Node::Identifier(word) => Err(format!("unrecognized identifier {word}")),
            Node::Field(name) => self.field(input, name),
            Node::Wildcard => Ok(input.into_iter().flat_map(children).collect()),
            Node::Recursive => {
                let mut out = Vec::new();
                input.into_iter().for_each(|v| descend(v, &mut out, 0));
                Ok(out)
            }
            Node::Union(lists) => {
                let mut out = Vec::new();
                for list in lists {
                    out.extend(list.iter().try_fold(input.clone(), |values, node| self.walk(values, node))?);
                }
                Ok(out)
            }
            Node::Array(slice) => array(input, slice),
            Node::Filter(left, operator, right) => self.filter(input, left, operator, right),
        }
    }

    fn field<'a>(&self, input: Values<'a>, name: &str) -> Result<Values<'a>, String> {
        if input.is_empty() {
            return Ok(input);
        }
        let found: Values<'a> = input.into_iter().filter_map(|value| member(value, name)).collect();
        if found.is_empty() && !self.allow_missing {
            return Err(format!("{name} is not found"));
        }
        Ok(found)
    }

    fn filter<'a>(
        &self,
        input: Values<'a>,
        left: &[Node],
        operator: &str,
        right: &[Node],
    ) -> Result<Values<'a>, String> {
        let mut out = Vec::new();
        for value in input {
            if !value.is_array() {
                let shown = if value.is_null() { "<nil>".to_owned() } else { plain(&value) };
                return Err(format!("{shown} is not array or slice and cannot be filtered"));
            }
            for item in elements(value) {
                let side = |nodes: &[Node]| {
                    let start = vec![Cow::Borrowed(item.as_ref())];
                    nodes.iter().try_fold(start, |values, node| self.walk(values, node))
                };
                let lefts = side(left);
                if operator == "exists" {
                    if lefts.is_ok_and(|l| !l.is_empty()) {
                        out.push(item);
                    }
                    continue;
                }
                let (lefts, rights) = (lefts?, side(right)?);
                if lefts.is_empty() || rights.is_empty() {
                    continue;
                }
                if lefts.len() > 1 || rights.len() > 1 {
                    return Err("can only compare one element at a time".to_owned());
                }
                if passes(&lefts[0], operator, &rights[0])? {
                    drop((lefts, rights));
                    out.push(item);
                }
            }
        }
        Ok(out)
    }
}

/// The word with which an action begins.
fn keyword(node: &Node) -> Option<&str> {
    match node {
        Node::List(nodes) => match nodes.first() {
            Some(Node::Identifier(word)) => Some(word),
            _ => None,
        },
        _ => None,
    }
}

/// The index after the `{end}` that closes the block which begins at `at`.
fn skip_block(nodes: &[Node], mut at: usize) -> usize {
    let mut open = 1;
    while let Some(node) = nodes.get(at) {
        at += 1;
        match keyword(node) {
            Some("range") => open += 1,
            Some("end") => open -= 1,
            _ => {}
        }
        if open == 0 {
            break;
        }
    }
    at
}

fn member<'a>(value: Cow<'a, Value>, name: &str) -> Option<Cow<'a, Value>> {
    match value {
        Cow::Borrowed(value) => value.as_object()?.get(name).map(Cow::Borrowed),
        Cow::Owned(Value::Object(mut map)) => map.remove(name).map(Cow::Owned),
        Cow::Owned(_) => None,
    }
}

fn elements(value: Cow<'_, Value>) -> Values<'_> {
    match value {
        Cow::Borrowed(Value::Array(items)) => items.iter().map(Cow::Borrowed).collect(),
        Cow::Owned(Value::Array(items)) => items.into_iter().map(Cow::Owned).collect(),
        _ => Vec::new(),
    }
}

/// Every value of an object, every element of an array.
fn children(value: Cow<'_, Value>) -> Values<'_> {
    match value {
        Cow::Borrowed(Value::Object(map)) => map.values().map(Cow::Borrowed).collect(),
        Cow::Owned(Value::Object(map)) => map.into_iter().map(|(_, v)| Cow::Owned(v)).collect(),
        other => elements(other),
    }
}

fn descend<'a>(value: Cow<'a, Value>, out: &mut Values<'a>, depth: usize) {
    let inner = children(value.clone());
    if inner.is_empty() || depth > DEPTH_MAX {
        return;
    }
    out.push(value);
    inner.into_iter().for_each(|child| descend(child, out, depth + 1));
}

fn array<'a>(input: Values<'a>, slice: &Slice) -> Result<Values<'a>, String> {
    let mut out = Vec::new();
    for value in input {
        if value.is_null() {
            continue;
        }
        if !value.is_array() {
            return Err(format!("{} is not array or slice", go_type(&value)));
        }
        let items = elements(value);
        let length = items.len() as i64;
        let mut start = slice.start.unwrap_or(0);
        if start < 0 {
            start += length;
        }
        let mut end = slice.end.unwrap_or(length);
        if end < 0 || (end == 0 && slice.single) {
            end += length;
        }
        if start == end {
            return Ok(out);
        }
        if start >= length || start < 0 {
            return Err(format!("array index out of bounds: index {start}, length {length}"));
        }
        if end > length || end < 0 {
            return Err(format!("array index out of bounds: index {}, length {length}", end - 1));
        }
        if start > end {
            return Err(format!("starting index {start} is greater than ending index {end}"));
        }
        let step = slice.step.unwrap_or(1);
        if step <= 0 {
            return Err("step must be > 0".to_owned());
        }
        let range = items.into_iter().skip(start as usize).take((end - start) as usize);
        out.extend(range.step_by(step as usize));
    }
    Ok(out)
}

fn passes(left: &Value, operator: &str, right: &Value) -> Result<bool, String> {
    let order = match (left, right) {
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Number(a), Value::Number(b)) if a.is_f64() == b.is_f64() => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => a.as_f64().partial_cmp(&b.as_f64()),
        },
        (Value::Bool(a), Value::Bool(b)) => match operator {
            "==" | "!=" => Some(a.cmp(b)),
            _ => return Err("invalid type for comparison".to_owned()),
        },
        (Value::Array(_) | Value::Object(_) | Value::Null, _)
        | (_, Value::Array(_) | Value::Object(_) | Value::Null) => {
            return Err("invalid type for comparison".to_owned());
        }
        _ => return Err("incompatible types for comparison".to_owned()),
    };
    let order = order.unwrap_or(Ordering::Less);
    Ok(match operator {
        "<" => order == Ordering::Less,
        ">" => order == Ordering::Greater,
        "==" => order == Ordering::Equal,
        "!=" => order != Ordering::Equal,
        "<=" => order != Ordering::Greater,
        ">=" => order != Ordering::Less,
        other => return Err(format!("unrecognized filter operator {other}")),
    })
}
