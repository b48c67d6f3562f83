//! The order of merged lists.

use json::{Array, Value};

/// Where an element stands in a list: by its merge key, or by itself if there is none.
fn index(list: &[Value], item: &Value, key: &str) -> Option<usize> {
    list.iter().position(|other| same(other, item, key))
}

/// Whether two elements are the same one.
pub(super) fn same(a: &Value, b: &Value, key: &str) -> bool {
    if key.is_empty() { a == b } else { a.get(key).is_some() && a.get(key) == b.get(key) }
}

/// Puts elements into the order of a list that names them all.
pub(super) fn sort_by(items: &mut [Value], order: &[Value], key: &str) {
    items.sort_by_key(|item| index(order, item, key));
}

/// Merges the elements that a patch names with those that only the server has: the former in the order of the patch,
/// the latter in the server's, and between the two by their places in the server's list (`normalizeElementOrder`).
pub(super) fn arrange(merged: Array, patch_order: &[Value], server_order: &[Value], key: &str) -> Array {
    let (mut named, mut rest): (Vec<Value>, Vec<Value>) =
        merged.into_iter().partition(|item| index(patch_order, item, key).is_some());
    sort_by(&mut named, patch_order, key);
    sort_by(&mut rest, server_order, key);
    let mut out = Array::with_capacity(named.len() + rest.len());
    let (mut named, mut rest) = (named.into_iter().peekable(), rest.into_iter().peekable());
    loop {
        let server_first = match (rest.peek(), named.peek()) {
            (None, None) => return out,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(left), Some(right)) => match (index(server_order, left, key), index(server_order, right, key)) {
                (Some(left), Some(right)) => left < right,
                _ => false,
            },
        };
        out.extend(if server_first { rest.next() } else { named.next() });
    }
}
