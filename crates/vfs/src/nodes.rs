//! The nodes of a tree by number.

use std::collections::BTreeMap;

use crate::node::{Ino, Node};

/// So many nodes are a list; above, they are a map for good. Most trees hold a file or two, and a map has room for eleven from its
/// first on.
const FEW: usize = 32;

/// The nodes of a tree by number, boxed: there is little room to be moved.
pub(crate) enum Nodes {
    /// In the order of their numbers.
    Few(Vec<(Ino, Box<Node>)>),
    Many(BTreeMap<Ino, Box<Node>>),
}

impl Nodes {
    pub(crate) const fn new() -> Self {
        Nodes::Few(Vec::new())
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Nodes::Few(nodes) => nodes.len(),
            Nodes::Many(nodes) => nodes.len(),
        }
    }

    pub(crate) fn get(&self, ino: Ino) -> Option<&Node> {
        match self {
            Nodes::Few(nodes) => {
                let at = nodes.binary_search_by_key(&ino, |(own, _)| *own).ok()?;
                Some(&*nodes[at].1)
            }
            Nodes::Many(nodes) => nodes.get(&ino).map(|node| &**node),
        }
    }

    pub(crate) fn get_mut(&mut self, ino: Ino) -> Option<&mut Node> {
        match self {
            Nodes::Few(nodes) => {
                let at = nodes.binary_search_by_key(&ino, |(own, _)| *own).ok()?;
                Some(&mut *nodes[at].1)
            }
            Nodes::Many(nodes) => nodes.get_mut(&ino).map(|node| &mut **node),
        }
    }

    pub(crate) fn insert(&mut self, ino: Ino, node: Node) {
        if let Nodes::Few(nodes) = self
            && nodes.len() == FEW
        {
            *self = Nodes::Many(std::mem::take(nodes).into_iter().collect());
        }
        let node = Box::new(node);
        match self {
            Nodes::Few(nodes) => match nodes.binary_search_by_key(&ino, |(own, _)| *own) {
                Ok(at) => nodes[at].1 = node,
                Err(at) => {
                    nodes.reserve_exact(1);
                    nodes.insert(at, (ino, node));
                }
            },
            Nodes::Many(nodes) => {
                nodes.insert(ino, node);
            }
        }
    }

    pub(crate) fn remove(&mut self, ino: Ino) -> Option<Node> {
        match self {
            Nodes::Few(nodes) => {
                let at = nodes.binary_search_by_key(&ino, |(own, _)| *own).ok()?;
                Some(*nodes.remove(at).1)
            }
            Nodes::Many(nodes) => nodes.remove(&ino).map(|node| *node),
        }
    }
}

#[cfg(test)]
mod tests {
    use simulation::Time;

    use super::*;

    #[test]
    fn few_nodes_and_many_are_found_alike() {
        let mut nodes = Nodes::new();
        let last = 2 * FEW as Ino;
        for ino in (0..=last).rev() {
            nodes.insert(ino, Node::directory(u16::try_from(ino).unwrap(), Time::default()));
            assert_eq!(nodes.get(ino).map(|node| node.mode), u16::try_from(ino).ok());
            assert!(nodes.get(last).is_some() && nodes.get(last + 1).is_none());
        }
        assert_eq!(nodes.len(), 2 * FEW + 1);
        nodes.insert(3, Node::directory(0o777, Time::default()));
        assert_eq!((nodes.len(), nodes.get_mut(3).map(|node| node.mode)), (2 * FEW + 1, Some(0o777)));
        for ino in 0..=last {
            assert!(nodes.remove(ino).is_some() && nodes.remove(ino).is_none());
        }
        assert_eq!(nodes.len(), 0);
    }
}
