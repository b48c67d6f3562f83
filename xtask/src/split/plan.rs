//! Which functions go where.

use std::collections::{BTreeMap, BTreeSet};

use super::module::Module;
use super::names::{Rules, Side};

/// A function of a later part that is as short as this, and calls nothing of later parts, stays if it is called: handing
/// it over would take as many bytes. wasm-opt makes one function of all that are the same, such as the copying of two
/// texts, and leaves it a name of any part.
const LIGHT_BYTES_MAX: usize = 160;

/// A function that a part needs of another is in both if it is as short as this: calls between parts cost time and names.
const COPY_BYTES_MAX: usize = 48;

/// The first part: the one that runs without the others.
pub(super) const FIRST: usize = 0;

/// One part. Functions have their numbers in the whole module.
#[derive(Default)]
pub(super) struct Part {
    /// Defined in it, as they were.
    pub(super) own: BTreeSet<u32>,
    /// Another part's, and defined in it once more. None in the first.
    pub(super) copied: BTreeSet<u32>,
    /// What it calls through the first part: imports, the first part's own, and doors to other parts. None in the first.
    pub(super) shared: BTreeSet<u32>,
}

/// The split.
pub(super) struct Plan {
    /// In the order of [`Rules::parts`], after the first.
    pub(super) parts: Vec<Part>,
    /// Functions of later parts that others want: the first part has something in their place that fetches their part.
    pub(super) doors: BTreeSet<u32>,
    /// The part of every function that the module defines.
    of: BTreeMap<u32, usize>,
}

impl Plan {
    /// Follows every call from what each part is entered by, and stops at functions of later parts.
    pub(super) fn new(module: &Module<'_>, rules: &Rules) -> Self {
        let sides: Vec<Side> = module.names.iter().map(|name| rules.side(name)).collect();
        let last = rules.parts.len();
        let mut of = BTreeMap::new();
        for part in FIRST..last {
            place(module, &sides, part, &mut of);
        }
        for index in module.defined_indices() {
            of.entry(index).or_insert(last);
        }
        let mut parts: Vec<Part> = (FIRST..=last).map(|_| Part::default()).collect();
        for (index, part) in &of {
            parts[*part].own.insert(*index);
        }
        let mut doors = wanted(module, &parts[FIRST].own);
        doors.extend(module.exported().chain(module.start).chain(module.addressed.iter().copied()));
        for part in &mut parts[FIRST + 1..] {
            share(module, part);
            doors.extend(&part.shared);
        }
        doors.retain(|index| of.get(index).is_some_and(|part| *part != FIRST));
        Self { parts, doors, of }
    }

    /// The part that a function is in; imports are the first part's.
    pub(super) fn part_of(&self, index: u32) -> usize {
        self.of.get(&index).copied().unwrap_or(FIRST)
    }
}

/// Gives a part what it is entered by and everything that this calls, as far as it has no place yet and may be so early.
fn place(module: &Module<'_>, sides: &[Side], part: usize, of: &mut BTreeMap<u32, usize>) {
    let is_later =
        |index: u32| module.defined(index).is_some() && matches!(sides[index as usize], Side::Own(own) if own > part);
    let may = |index: u32| {
        module.defined(index).is_some_and(|function| {
            let light = function.bytes() <= LIGHT_BYTES_MAX && !function.uses.iter().any(|used| is_later(*used));
            !is_later(index) || function.pinned || light
        })
    };
    // A table holds functions for whoever may call them: those over types of a part are called by that part.
    let addressed = module.addressed.iter().copied().filter(|index| sides[*index as usize].part() <= part);
    let pinned = module.defined_indices().filter(|index| module.defined(*index).is_some_and(|f| f.pinned));
    let earlier: BTreeSet<u32> = of.keys().copied().collect();
    let entered = module.exported().chain(module.start).chain(addressed).chain(pinned).chain(wanted(module, &earlier));
    let mut waiting: Vec<u32> = entered.filter(|index| may(*index)).collect();
    while let Some(index) = waiting.pop() {
        if let Some(function) = module.defined(index)
            && !of.contains_key(&index)
        {
            of.insert(index, part);
            waiting.extend(function.uses.iter().copied().filter(|used| may(*used)));
        }
    }
}

/// What these functions use.
fn wanted(module: &Module<'_>, of: &BTreeSet<u32>) -> BTreeSet<u32> {
    of.iter().filter_map(|index| module.defined(*index)).flat_map(|function| function.uses.iter().copied()).collect()
}

/// Of the functions that a part uses and has not: those short enough to be copied, and those that it calls elsewhere.
fn share(module: &Module<'_>, part: &mut Part) {
    let mut waiting: Vec<u32> = wanted(module, &part.own).into_iter().collect();
    while let Some(index) = waiting.pop() {
        match module.defined(index) {
            Some(_) if part.own.contains(&index) => {}
            Some(function) if !function.pinned && function.bytes() <= COPY_BYTES_MAX => {
                if part.copied.insert(index) {
                    waiting.extend(&function.uses);
                }
            }
            _ => {
                part.shared.insert(index);
            }
        }
    }
}
