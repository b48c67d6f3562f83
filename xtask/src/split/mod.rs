//! Splitting a WebAssembly module: what the page needs for its first prompt, and parts that come later.
//!
//! A part is the code of some crates ([`Rules`]) and what nobody before it calls. The first part has a *door* for each
//! function of a later part that another part calls or that is in a table: a door fetches its part, once, through the import
//! whose name has [`LOAD`] in it, and calls the function through a table that the part fills. Parts come in any order. Memory,
//! tables and globals are the first part's; all data stays in it, so that addresses are the same. Nothing here depends on the
//! order of anything but the module's own, so the same module gives the same parts.

mod emit;
mod module;
mod names;
mod plan;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use module::Module;
pub(crate) use names::Rules;
use plan::Plan;
pub(crate) use rules::WORKER;

/// A part of the name of the import that brings a part: it takes the part's number, from 1, and returns when it is here.
pub(crate) const LOAD: &str = "kubonsaiLoadPart";

/// A module in parts.
pub(crate) struct Parts {
    /// Can be instantiated alone, with the whole module's imports.
    pub(crate) first: Vec<u8>,
    /// The others, in the order of the rules. They import the first part's exports, under the module name `f`.
    pub(crate) later: Vec<Vec<u8>>,
    /// One line a function: where it is, how long it is, its name. For a person who looks for what to move.
    pub(crate) report: String,
}

/// Splits a module that has names, which the parts have no longer.
pub(crate) fn split(wasm: &[u8], rules: &Rules) -> Result<Parts> {
    let module = Module::read(wasm, LOAD).context("reading the module to split")?;
    let plan = Plan::new(&module, rules);
    let seam = emit::Seam::new(&module, &plan);
    let first = emit::first(&module, &plan, &seam).context("writing the first part")?;
    let later = (plan::FIRST + 1..plan.parts.len()).map(|part| emit::later(&module, &plan, &seam, part));
    let later = later.collect::<Result<_>>().context("writing a later part")?;
    Ok(Parts { first, later, report: report(&module, &plan, rules) })
}

/// Splits a worker by hand: `first.wasm`, the others by their names, and `report.txt` in a folder.
pub(crate) fn run(module: &Path, folder: &Path) -> Result<()> {
    let wasm = fs::read(module).with_context(|| format!("reading {}", module.display()))?;
    let parts = split(&wasm, &WORKER)?;
    fs::create_dir_all(folder)?;
    fs::write(folder.join("first.wasm"), parts.first)?;
    for (rules, part) in WORKER.parts.iter().zip(parts.later) {
        fs::write(folder.join(format!("{}.wasm", rules.name)), part)?;
    }
    fs::write(folder.join("report.txt"), parts.report)?;
    Ok(())
}

/// A function's number in the first part, `-` for one that it has not; `first` or the name of its part, with `+door` if the
/// first part has one for it and `+copy` if another part has it too; bytes; name.
fn report(module: &Module<'_>, plan: &Plan, rules: &Rules) -> String {
    let mut report = String::new();
    let first = emit::in_first(module, plan);
    let numbers: BTreeMap<u32, u32> = first.into_iter().zip(module.imported..).collect();
    for index in module.defined_indices() {
        let part = plan.part_of(index);
        let mut place = part.checked_sub(1).map_or("first", |part| rules.parts[part].name).to_owned();
        if plan.doors.contains(&index) {
            place += "+door";
        }
        if plan.parts.iter().any(|part| part.copied.contains(&index)) {
            place += "+copy";
        }
        let bytes = module.defined(index).map_or(0, module::Function::bytes);
        let shown = numbers.get(&index).map_or_else(|| "-".to_owned(), u32::to_string);
        report += &format!("{shown:>6} {place:<18} {bytes:>7} {}\n", module.names[index as usize]);
    }
    report
}
