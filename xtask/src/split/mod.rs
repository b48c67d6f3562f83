//! Splitting a WebAssembly module in two: what the page needs for its first prompt, and the rest, which comes later.
//!
//! The rest is the code of some crates ([`Rules`]) and what nobody else calls. The first part has a *door* for each
//! function of the rest that it calls or keeps in a table: a door fetches the rest, once, through the import whose name has
//! [`LOAD`] in it, and calls the function through a table that the rest fills. Memory, tables and globals are the first
//! part's; all data stays in it, so that addresses are the same. Nothing here depends on the order of anything but the
//! module's own, so the same module gives the same parts.

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

/// A part of the name of the import that brings the rest: it takes nothing, gives nothing and returns when the rest is here.
pub(crate) const LOAD: &str = "kubonsaiLoadRest";

/// A module in two parts.
pub(crate) struct Parts {
    /// Can be instantiated alone, with the whole module's imports.
    pub(crate) first: Vec<u8>,
    /// Imports the first part's exports, under the module name `f`.
    pub(crate) rest: Vec<u8>,
    /// One line a function: where it is, how long it is, its name. For a person who looks for what to move.
    pub(crate) report: String,
}

/// Splits a module that has names, which the parts have no longer.
pub(crate) fn split(wasm: &[u8], rules: &Rules) -> Result<Parts> {
    let module = Module::read(wasm, LOAD).context("reading the module to split")?;
    let plan = Plan::new(&module, rules);
    let seam = emit::Seam::new(&module, &plan);
    let first = emit::first(&module, &plan, &seam).context("writing the first part")?;
    let rest = emit::rest(&module, &plan, &seam).context("writing the rest")?;
    Ok(Parts { first, rest, report: report(&module, &plan) })
}

/// Splits a worker by hand: `first.wasm`, `rest.wasm` and `report.txt` in a folder.
pub(crate) fn run(module: &Path, folder: &Path) -> Result<()> {
    let wasm = fs::read(module).with_context(|| format!("reading {}", module.display()))?;
    let parts = split(&wasm, &WORKER)?;
    fs::create_dir_all(folder)?;
    fs::write(folder.join("first.wasm"), parts.first)?;
    fs::write(folder.join("rest.wasm"), parts.rest)?;
    fs::write(folder.join("report.txt"), parts.report)?;
    Ok(())
}

/// A function's number in the first part, `-` for one of the rest; `first`, `door`, `both` or `rest`; bytes; name.
fn report(module: &Module<'_>, plan: &Plan) -> String {
    let mut report = String::new();
    let first = emit::in_first(module, plan);
    let numbers: BTreeMap<u32, u32> = first.into_iter().zip(module.imported..).collect();
    for index in module.defined_indices() {
        let place = match () {
            () if plan.copied.contains(&index) => "both",
            () if plan.kept.contains(&index) => "first",
            () if plan.doors.contains(&index) => "door",
            () => "rest",
        };
        let bytes = module.defined(index).map_or(0, module::Function::bytes);
        let shown = numbers.get(&index).map_or_else(|| "-".to_owned(), u32::to_string);
        report += &format!("{shown:>6} {place:>5} {bytes:>7} {}\n", module.names[index as usize]);
    }
    report
}
