//! Sets of fields (`structured-merge-diff/fieldpath`).
//!
//! A set is a tree: a node is a member, has members below it, or both. Operations look at members one by one: a parent
//! that is a member says nothing of its children.

use std::cmp::Ordering;

use json::{Map, Value};

use super::path::Element;

/// In a path to fields: any step, `MatchAnyPathElement` of upstream.
pub const ANY: &str = "*";

/// A set of fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set(Vec<Node>);

/// One field of a set and what is below it. Never neither member nor parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The last step of the path.
    pub element: Element,
    /// Whether the field itself is in the set.
    pub member: bool,
    /// The fields below.
    pub children: Set,
}

impl Set {
    /// From nodes in any order; those without a member are left out.
    pub fn from_nodes(mut nodes: Vec<Node>) -> Set {
        nodes.retain(|n| n.member || !n.children.is_empty());
        nodes.sort_by(|a, b| a.element.cmp(&b.element));
        Set::exact(nodes)
    }

    /// Without room for more: sets stay as they are for as long as their objects.
    fn exact(mut nodes: Vec<Node>) -> Set {
        nodes.shrink_to_fit();
        Set(nodes)
    }

    /// A set of one field.
    pub fn of(path: &[Element]) -> Set {
        match path {
            [] => Set::default(),
            [element] => Set(vec![Node { element: element.clone(), member: true, children: Set::default() }]),
            [element, rest @ ..] => {
                Set(vec![Node { element: element.clone(), member: false, children: Set::of(rest) }])
            }
        }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields at the top.
    pub fn nodes(&self) -> &[Node] {
        &self.0
    }

    /// The node of a field.
    pub fn node(&self, element: &Element) -> Option<&Node> {
        self.0.binary_search_by(|n| n.element.cmp(element)).ok().map(|i| &self.0[i])
    }

    /// Whether a field is in the set.
    pub fn has(&self, path: &[Element]) -> bool {
        match path {
            [] => false,
            [element] => self.node(element).is_some_and(|n| n.member),
            [element, rest @ ..] => self.node(element).is_some_and(|n| n.children.has(rest)),
        }
    }

    /// What is in either.
    pub fn union(&self, other: &Set) -> Set {
        let mut out = Vec::with_capacity(self.0.len().max(other.0.len()));
        let (mut left, mut right) = (self.0.iter().peekable(), other.0.iter().peekable());
        loop {
            let order = match (left.peek(), right.peek()) {
                (None, None) => return Set::exact(out),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(a), Some(b)) => a.element.cmp(&b.element),
            };
            match order {
                Ordering::Less => out.extend(left.next().cloned()),
                Ordering::Greater => out.extend(right.next().cloned()),
                Ordering::Equal => {
                    if let (Some(a), Some(b)) = (left.next(), right.next()) {
                        let children = a.children.union(&b.children);
                        out.push(Node { element: a.element.clone(), member: a.member || b.member, children });
                    }
                }
            }
        }
    }

    /// Whether everything of `other` is in it.
    pub fn contains(&self, other: &Set) -> bool {
        other
            .0
            .iter()
            .all(|b| self.node(&b.element).is_some_and(|a| (a.member || !b.member) && a.children.contains(&b.children)))
    }

    /// Whether both have a field in common.
    pub fn meets(&self, other: &Set) -> bool {
        self.0
            .iter()
            .any(|a| other.node(&a.element).is_some_and(|b| (a.member && b.member) || a.children.meets(&b.children)))
    }

    /// What is in both.
    pub fn intersection(&self, other: &Set) -> Set {
        let both = self.0.iter().filter_map(|a| {
            let b = other.node(&a.element)?;
            let (member, children) = (a.member && b.member, a.children.intersection(&b.children));
            (member || !children.is_empty()).then(|| Node { element: a.element.clone(), member, children })
        });
        Set::exact(both.collect())
    }

    /// What is in it and not in `other`.
    pub fn difference(&self, other: &Set) -> Set {
        let rest = self.0.iter().filter_map(|a| {
            let Some(b) = other.node(&a.element) else { return Some(a.clone()) };
            let (member, children) = (a.member && !b.member, a.children.difference(&b.children));
            (member || !children.is_empty()).then(|| Node { element: a.element.clone(), member, children })
        });
        Set::exact(rest.collect())
    }

    /// Takes a field out with all that is below it.
    pub fn cut(&mut self, path: &[&str]) {
        let Some((first, rest)) = path.split_first() else { return };
        let found = self.0.iter().position(|n| matches!(&n.element, Element::Field(name) if **name == **first));
        let Some(index) = found else { return };
        if !rest.is_empty() {
            self.0[index].children.cut(rest);
            if self.0[index].member || !self.0[index].children.is_empty() {
                return;
            }
        }
        self.0.remove(index);
    }

    /// Only the fields at these paths, with all that is below them and what they are in. The step [`ANY`] is any step.
    pub fn only(&self, paths: &[&[&str]]) -> Set {
        let nodes = self.0.iter().filter_map(|node| {
            let is = |step: &str| step == ANY || matches!(&node.element, Element::Field(name) if **name == *step);
            let split = paths.iter().filter_map(|path| path.split_first());
            let rests: Vec<&[&str]> = split.filter(|(first, _)| is(first)).map(|(_, rest)| rest).collect();
            if rests.iter().any(|rest| rest.is_empty()) {
                return Some(node.clone());
            }
            let (member, children) = (node.member && !rests.is_empty(), node.children.only(&rests));
            (member || !children.is_empty()).then(|| Node { element: node.element.clone(), member, children })
        });
        Set::exact(nodes.collect())
    }

    /// Takes a field out, not what is below it.
    pub fn drop_member(&mut self, path: &[&str]) {
        let Some((first, rest)) = path.split_first() else { return };
        let found = self.0.iter().position(|n| matches!(&n.element, Element::Field(name) if **name == **first));
        let Some(index) = found else { return };
        let node = &mut self.0[index];
        if rest.is_empty() {
            node.member = false;
        } else {
            node.children.drop_member(rest);
        }
        if !node.member && node.children.is_empty() {
            self.0.remove(index);
        }
    }

    /// Calls `f` with the path of each member: at every level the members first, then what is below.
    pub fn each(&self, path: &mut Vec<Element>, f: &mut dyn FnMut(&[Element])) {
        for node in self.0.iter().filter(|n| n.member) {
            path.push(node.element.clone());
            f(path);
            path.pop();
        }
        for node in self.0.iter().filter(|n| !n.children.is_empty()) {
            path.push(node.element.clone());
            node.children.each(path, f);
            path.pop();
        }
    }

    /// As fieldsV1.
    pub fn to_fields(&self) -> Value {
        let mut map = Map::new();
        for node in &self.0 {
            let mut inner = node.children.to_fields();
            if let (true, false, Some(fields)) = (node.member, node.children.is_empty(), inner.as_object_mut()) {
                fields.insert(".".into(), Value::Object(Map::new()));
            }
            map.insert(node.element.encode().into(), inner);
        }
        Value::Object(map)
    }

    /// From fieldsV1; steps of unknown kinds are left out.
    pub fn from_fields(fields: &Value) -> Set {
        let nodes = fields.as_object().into_iter().flatten().filter_map(|(key, inner)| {
            let element = Element::parse(key)?;
            let children = Set::from_fields(inner);
            let empty = inner.as_object().is_none_or(Map::is_empty);
            Some(Node { element, member: empty || inner.get(".").is_some(), children })
        });
        Set::from_nodes(nodes.collect())
    }
}
