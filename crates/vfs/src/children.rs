//! The names of a directory.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::node::Ino;

/// So many names are a list; above, they are a map until few are left. Most directories have a name or two, and a map has room for
/// eleven from its first on; a list of a hundred thousand is moved at every name that comes in front.
const FEW: usize = 32;

/// Children of a directory, in the order of their names.
#[derive(Clone, Debug)]
pub(crate) enum Children {
    /// Sorted.
    Few(Vec<(Rc<str>, Ino)>),
    Many(BTreeMap<Rc<str>, Ino>),
}

impl Default for Children {
    fn default() -> Self {
        Children::new()
    }
}

fn find(list: &[(Rc<str>, Ino)], name: &str) -> Result<usize, usize> {
    list.binary_search_by(|(own, _)| (**own).cmp(name))
}

impl Children {
    pub(crate) const fn new() -> Self {
        Children::Few(Vec::new())
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Children::Few(list) => list.is_empty(),
            Children::Many(map) => map.is_empty(),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<Ino> {
        match self {
            Children::Few(list) => find(list, name).ok().map(|at| list[at].1),
            Children::Many(map) => map.get(name).copied(),
        }
    }

    /// Gives a name to a node, whatever it led to before.
    pub(crate) fn insert(&mut self, name: Rc<str>, ino: Ino) {
        match self {
            Children::Few(list) => match find(list, &name) {
                Ok(at) => list[at].1 = ino,
                Err(_) if list.len() == FEW => {
                    let mut map: BTreeMap<_, _> = std::mem::take(list).into_iter().collect();
                    map.insert(name, ino);
                    *self = Children::Many(map);
                }
                Err(at) => {
                    list.reserve_exact(1);
                    list.insert(at, (name, ino));
                }
            },
            Children::Many(map) => {
                map.insert(name, ino);
            }
        }
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Ino> {
        let taken = match self {
            Children::Few(list) => {
                let at = find(list, name).ok()?;
                Some(list.remove(at).1)
            }
            Children::Many(map) => map.remove(name),
        };
        self.shrink();
        taken
    }

    /// Keeps the names of the nodes that the condition holds for.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(Ino) -> bool) {
        match self {
            Children::Few(list) => list.retain(|(_, ino)| keep(*ino)),
            Children::Many(map) => map.retain(|_, ino| keep(*ino)),
        }
        self.shrink();
    }

    /// What has become few is a list again; not at once below the boundary, which a name that comes and goes would cross each time.
    fn shrink(&mut self) {
        if let Children::Many(map) = self
            && map.len() <= FEW / 2
        {
            *self = Children::Few(std::mem::take(map).into_iter().collect());
        }
    }

    /// Names and nodes, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Rc<str>, Ino)> {
        let (list, map) = match self {
            Children::Few(list) => (Some(list), None),
            Children::Many(map) => (None, Some(map)),
        };
        let list = list.into_iter().flatten().map(|(name, ino)| (name, *ino));
        list.chain(map.into_iter().flatten().map(|(name, ino)| (name, *ino)))
    }
}

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
    fn few_names_and_many_are_kept_alike() {
        let (mut children, mut map) = (Children::new(), BTreeMap::new());
        let mut state = 1_u64;
        for _ in 0..3_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let name: Rc<str> = (state >> 58).to_string().into();
            if state & 4 == 0 || map.len() > 50 {
                assert_eq!(children.remove(&name), map.remove(&name));
            } else {
                children.insert(Rc::clone(&name), state);
                map.insert(Rc::clone(&name), state);
            }
            assert_eq!(children.get(&name), map.get(&name).copied());
            assert!(children.iter().eq(map.iter().map(|(name, ino)| (name, *ino))));
        }
        children.retain(|_| false);
        assert!(children.is_empty() && matches!(children, Children::Few(_)));
    }

    #[test]
    fn a_name_or_two_take_no_more_room_than_they_need() {
        let mut children = Children::new();
        for name in ["only", "two"] {
            children.insert(name.into(), 1);
        }
        assert!(matches!(children, Children::Few(list) if list.capacity() == 2));
    }
}
