//! `--sort-by` (`kubectl/pkg/cmd/get/sorter.go`).

use std::cmp::Ordering;

use json::Value;

use crate::jsonpath::{self, Template};

/// Sorts the rows of a table by a field of their objects.
pub fn sort_rows(table: &mut Value, path: &str) {
    let Some(template) = parse(path) else { return };
    if let Some(rows) = table.get_mut("rows").and_then(Value::as_array_mut) {
        rows.sort_by_cached_key(|row| Key(first(&template, row.get("object").unwrap_or(&Value::Null))));
    }
}

/// Sorts objects by a field.
pub fn sort_objects(objects: &mut [Value], path: &str) {
    let Some(template) = parse(path) else { return };
    objects.sort_by_cached_key(|object| Key(first(&template, object)));
}

fn parse(path: &str) -> Option<Template> {
    Template::parse(&jsonpath::relaxed(path).ok()?).ok()
}

fn first(template: &Template, object: &Value) -> Value {
    let found = template.results(object).unwrap_or_default();
    found.into_iter().flatten().next().unwrap_or(Value::Null)
}

struct Key(Value);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Key {}
impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Value::Null, Value::Null) => Ordering::Equal,
            (Value::Null, _) => Ordering::Less,
            (_, Value::Null) => Ordering::Greater,
            (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
            (Value::String(a), Value::String(b)) => natural(a, b),
            (a, b) => a.to_string().cmp(&b.to_string()),
        }
    }
}

/// Text order in which runs of digits count as numbers: `pod-9` before `pod-10`.
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        match (a.first(), b.first()) {
            (None, None) => return Ordering::Equal,
            (None, _) => return Ordering::Less,
            (_, None) => return Ordering::Greater,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let digits = |s: &[u8]| s.iter().take_while(|c| c.is_ascii_digit()).count();
                let (n, m) = (digits(a), digits(b));
                let strip = |s: &[u8]| s.iter().copied().skip_while(|c| *c == b'0').collect::<Vec<u8>>();
                let (p, q) = (strip(&a[..n]), strip(&b[..m]));
                let order = p.len().cmp(&q.len()).then_with(|| p.cmp(&q)).then(n.cmp(&m));
                if order != Ordering::Equal {
                    return order;
                }
                (a, b) = (&a[n..], &b[m..]);
            }
            (Some(x), Some(y)) if x == y => (a, b) = (&a[1..], &b[1..]),
            (Some(x), Some(y)) => return x.cmp(y),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count() {
        let mut names = ["pod-10", "pod-9", "a", "pod-9a"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(names, ["a", "pod-9", "pod-9a", "pod-10"]);
    }
}
