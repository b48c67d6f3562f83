//! What is different between two states of an object (`structured-merge-diff/typed/compare.go`).

use std::collections::BTreeMap;

use json::{Map, Value};

use super::path::Element;
use super::set::{Node, Set};
use super::typed::{Atom, element, field};

/// Fields that differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Those that are no more.
    pub removed: Set,
    /// Those with another value.
    pub modified: Set,
    /// Those that are new.
    pub added: Set,
}

impl Comparison {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.modified.is_empty() && self.added.is_empty()
    }

    /// What has been written.
    pub fn written(&self) -> Set {
        self.modified.union(&self.added)
    }

    /// Leaves out what is out of reach.
    pub fn limit(&mut self, reach: Reach<'_>) {
        reach.limit(&mut self.removed);
        reach.limit(&mut self.modified);
        reach.limit(&mut self.added);
    }
}

/// Which fields a write of a kind can change: nobody comes to own others by it (`ResetFieldsFilter`).
#[derive(Clone, Copy, Debug)]
pub enum Reach<'a> {
    /// All but those at these paths and below them.
    Without(&'a [&'a [&'a str]]),
    /// None but those at these paths, below them, and what they are in; the step [`super::ANY`] is any step.
    Only(&'a [&'a [&'a str]]),
}

impl Reach<'_> {
    /// Leaves out of a set what is out of reach.
    pub(super) fn limit(self, set: &mut Set) {
        match self {
            Reach::Without(paths) => paths.iter().for_each(|path| set.cut(path)),
            Reach::Only(paths) => *set = set.only(paths),
        }
    }

    /// Whether a field at the top is out of reach with all that is below it.
    fn leaves_out(self, key: &str) -> bool {
        match self {
            Reach::Without(paths) => paths.iter().any(|path| matches!(path, [one] if *one == key)),
            Reach::Only(paths) => !paths.iter().any(|path| path.first().is_some_and(|first| *first == key)),
        }
    }
}

/// Compares two objects of a kind.
pub fn compare(atom: Atom, old: &Value, new: &Value) -> Comparison {
    compare_in(atom, old, new, Reach::Without(&[]))
}

/// Compares two objects of a kind; fields out of reach count as the same.
pub fn compare_in(atom: Atom, old: &Value, new: &Value, reach: Reach<'_>) -> Comparison {
    let mut found = Found::default();
    let whole = |key: &str| reach.leaves_out(key);
    match (old.as_object(), new.as_object()) {
        // Most of an object stays out of most writes: its status or its spec.
        (Some(old), Some(new)) if !matches!(reach, Reach::Without([])) => {
            fields(atom, Some(old), Some(new), &whole, &mut found)
        }
        _ => value(atom, Some(old), Some(new), &mut found),
    }
    let [removed, modified, added] = found.nodes.map(Set::from_nodes);
    let mut comparison = Comparison { removed, modified, added };
    comparison.limit(reach);
    comparison
}

const REMOVED: usize = 0;
const MODIFIED: usize = 1;
const ADDED: usize = 2;

/// What was found at a place: whether the place itself is removed, modified, added, and what is below it.
#[derive(Default)]
struct Found {
    members: [bool; 3],
    nodes: [Vec<Node>; 3],
}

impl Found {
    /// Takes over what was found one step below.
    fn below(&mut self, element: impl Fn() -> Element, inner: Found) {
        for (which, (member, nodes)) in inner.members.into_iter().zip(inner.nodes).enumerate() {
            if member || !nodes.is_empty() {
                self.nodes[which].push(Node { element: element(), member, children: Set::from_nodes(nodes) });
            }
        }
    }
}

fn leaf(old: Option<&Value>, new: Option<&Value>, found: &mut Found) {
    match (old, new) {
        (None, _) => found.members[ADDED] = true,
        (_, None) => found.members[REMOVED] = true,
        (Some(old), Some(new)) => found.members[MODIFIED] = old != new,
    }
}

fn value(atom: Atom, old: Option<&Value>, new: Option<&Value>, found: &mut Found) {
    if old.zip(new).is_some_and(|(old, new)| old.is_same(new)) {
        return;
    }
    let nothing = |v: Option<&Value>| match v {
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        None | Some(Value::Null) => true,
        _ => false,
    };
    let one = |v: Option<&Value>| v.is_some_and(|v| atom.is_leaf(v));
    if one(old) || one(new) || (nothing(old) && nothing(new)) {
        return leaf(old, new, found);
    }
    if atom.is_list() {
        if old == new {
            return;
        }
        items(atom, list(old), list(new), found);
    } else {
        fields(atom, old.and_then(Value::as_object), new.and_then(Value::as_object), &|_| false, found);
    }
    found.members[ADDED] |= old.is_none();
    found.members[REMOVED] |= new.is_none();
}

/// Whether two values are seen to be equal at once, before anybody asks what they are: most of the fields of most writes.
fn is_plainly_equal(old: &Value, new: &Value) -> bool {
    match old {
        Value::Object(_) | Value::Array(_) => old.is_same(new),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => old == new,
    }
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[][..], json::Array::as_slice)
}

fn fields(atom: Atom, old: Option<&Map>, new: Option<&Map>, without: &dyn Fn(&str) -> bool, found: &mut Found) {
    let one = |key: &str, l: Option<&Value>, r: Option<&Value>, found: &mut Found| {
        let (child, named) = atom.child(key);
        let mut inner = Found::default();
        value(child, l, r, &mut inner);
        found.below(|| field(key, named), inner);
    };
    let mut after = new.map(Map::in_order).unwrap_or_default();
    for (key, l) in old.into_iter().flatten().filter(|(key, _)| !without(key)) {
        let r = after.get(key);
        if !r.is_some_and(|r| is_plainly_equal(l, r)) {
            one(key, Some(l), r, found);
        }
    }
    let mut before = old.map(Map::in_order).unwrap_or_default();
    for (key, r) in new.into_iter().flatten() {
        if before.get(key).is_none() && !without(key) {
            one(key, None, Some(r), found);
        }
    }
}

/// Elements under their step, before and after; an element may stand in a list more than once.
type Pairs<'a> = BTreeMap<Element, (Vec<&'a Value>, Vec<&'a Value>)>;

fn items(atom: Atom, old: &[Value], new: &[Value], found: &mut Found) {
    let mut pairs: Pairs<'_> = BTreeMap::new();
    for item in old {
        if let Ok(step) = element(atom, item) {
            pairs.entry(step).or_default().0.push(item);
        }
    }
    for item in new {
        if let Ok(step) = element(atom, item) {
            pairs.entry(step).or_default().1.push(item);
        }
    }
    for (step, (old, new)) in pairs {
        let mut inner = Found::default();
        let child = atom.step(&step).0;
        match (old.len(), new.len()) {
            (0 | 1, 0 | 1) => value(child, old.first().copied(), new.first().copied(), &mut inner),
            // Those that stand there more than once are one value.
            (2.., 2..) => inner.members[MODIFIED] = old != new,
            (2.., _) => {
                if let Some(new) = new.first() {
                    value(child, None, Some(new), &mut inner);
                }
                inner.members[REMOVED] = true;
            }
            (_, _) => {
                if let Some(old) = old.first() {
                    value(child, Some(old), None, &mut inner);
                }
                inner.members[ADDED] = true;
            }
        }
        found.below(|| step.clone(), inner);
    }
}
