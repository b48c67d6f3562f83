//! The names of a directory.

use std::rc::Rc;

use crate::node::Ino;

/// Children of a directory, in the order of their names. A sorted list: most directories have a name or two, and a map has room for
/// eleven from its first on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Children(Vec<(Rc<str>, Ino)>);

impl Children {
    pub(crate) fn new() -> Self {
        Children::default()
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(own, _)| (**own).cmp(name))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn get(&self, name: &str) -> Option<Ino> {
        self.find(name).ok().map(|at| self.0[at].1)
    }

    /// Gives a name to a node, whatever it led to before.
    pub(crate) fn insert(&mut self, name: Rc<str>, ino: Ino) {
        match self.find(&name) {
            Ok(at) => self.0[at].1 = ino,
            Err(at) => {
                if self.0.len() < FEW {
                    self.0.reserve_exact(1);
                }
                self.0.insert(at, (name, ino));
            }
        }
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Ino> {
        let at = self.find(name).ok()?;
        Some(self.0.remove(at).1)
    }

    /// Keeps the names of the nodes that the condition holds for.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(Ino) -> bool) {
        self.0.retain(|(_, ino)| keep(*ino));
    }

    /// Names and nodes, in order.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&Rc<str>, Ino)> + ExactSizeIterator {
        self.0.iter().map(|(name, ino)| (name, *ino))
    }
}

/// So many names are given no room for more.
const FEW: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_lead_to_one_node() {
        let mut children = Children::new();
        for (ino, name) in ["c", "a", "d", "b", "a"].into_iter().enumerate() {
            children.insert(name.into(), ino as Ino);
        }
        let names = |children: &Children| children.iter().map(|(name, ino)| format!("{name}{ino}")).collect::<String>();
        assert_eq!(names(&children), "a4b3c0d2");
        assert_eq!((children.get("c"), children.get("e")), (Some(0), None));
        assert_eq!((children.remove("c"), children.remove("c")), (Some(0), None));
        children.retain(|ino| ino > 2);
        assert_eq!(names(&children), "a4b3");
    }

    #[test]
    fn a_name_or_two_take_no_more_room_than_they_need() {
        let mut children = Children::new();
        for name in ["only", "two"] {
            children.insert(name.into(), 1);
        }
        assert_eq!(children.0.capacity(), 2);
    }
}
