//! Which functions go where.

use std::collections::BTreeSet;

use super::module::Module;
use super::names::{Rules, Side};

/// A function of the rest that is as short as this, and calls nothing of the rest, stays if it is called: handing it over
/// would take as many bytes. wasm-opt makes one function of all that are the same, such as the copying of two texts, and
/// leaves it a name of either part.
const LIGHT_BYTES_MAX: usize = 160;

/// A function that both parts need is in both if it is as short as this: calls between parts cost time and names.
const COPY_BYTES_MAX: usize = 48;

/// The split. Functions have their numbers in the whole module.
pub(super) struct Plan {
    /// Defined in the first part, as they were.
    pub(super) kept: BTreeSet<u32>,
    /// Defined in the rest.
    pub(super) moved: BTreeSet<u32>,
    /// Moved, and wanted by the first part: it has something in their place that fetches the rest.
    pub(super) doors: BTreeSet<u32>,
    /// Kept, and defined in the rest once more.
    pub(super) copied: BTreeSet<u32>,
    /// Kept, and called by the rest.
    pub(super) shared: BTreeSet<u32>,
}

impl Plan {
    /// Follows every call from what the first part is entered by, and stops at functions of the rest.
    pub(super) fn new(module: &Module<'_>, rules: &Rules) -> Self {
        let sides: Vec<Side> = module.names.iter().map(|name| rules.side(name)).collect();
        let of_rest = |index: u32| module.defined(index).is_some() && sides[index as usize] == Side::Rest;
        let stays = |index: u32| {
            module.defined(index).is_none_or(|function| {
                let light = function.bytes() <= LIGHT_BYTES_MAX && !function.uses.iter().any(|used| of_rest(*used));
                !of_rest(index) || function.pinned || light
            })
        };
        // A table holds functions for whoever may call them: those over types of the rest are called by the rest.
        let addressed = module.addressed.iter().copied().filter(|index| sides[*index as usize] == Side::First);
        let pinned = module.defined_indices().filter(|index| module.defined(*index).is_some_and(|f| f.pinned));
        let entered = module.exported().chain(module.start).chain(addressed).chain(pinned);
        let mut waiting: Vec<u32> = entered.filter(|index| stays(*index)).collect();
        let mut kept = BTreeSet::new();
        while let Some(index) = waiting.pop() {
            if let Some(function) = module.defined(index)
                && kept.insert(index)
            {
                waiting.extend(function.uses.iter().copied().filter(|used| stays(*used)));
            }
        }
        let moved: BTreeSet<u32> = module.defined_indices().filter(|index| !kept.contains(index)).collect();
        let wanted = |list: &BTreeSet<u32>| -> BTreeSet<u32> {
            list.iter().filter_map(|index| module.defined(*index)).flat_map(|f| f.uses.iter().copied()).collect()
        };
        let mut doors: BTreeSet<u32> = wanted(&kept);
        doors.extend(module.exported().chain(module.start).chain(module.addressed.iter().copied()));
        doors.retain(|index| moved.contains(index));
        let (copied, shared) = copies(module, &kept, wanted(&moved));
        Self { kept, moved, doors, copied, shared }
    }
}

/// Of the functions that the rest uses: those short enough to be copied, and those that it calls in the first part.
fn copies(module: &Module<'_>, kept: &BTreeSet<u32>, wanted: BTreeSet<u32>) -> (BTreeSet<u32>, BTreeSet<u32>) {
    let (mut copied, mut shared) = (BTreeSet::new(), BTreeSet::new());
    let mut waiting: Vec<u32> = wanted.into_iter().collect();
    while let Some(index) = waiting.pop() {
        match module.defined(index) {
            Some(function) if !kept.contains(&index) => debug_assert!(!function.pinned, "pinned functions stay"),
            Some(function) if !function.pinned && function.bytes() <= COPY_BYTES_MAX => {
                if copied.insert(index) {
                    waiting.extend(&function.uses);
                }
            }
            _ => {
                shared.insert(index);
            }
        }
    }
    (copied, shared)
}
