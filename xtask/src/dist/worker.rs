//! The worker after Trunk: its code in parts, one script for both, and names that change with the content.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::hash;
use crate::root::{root, target};
use crate::split;

/// What Trunk makes of the worker.
const MADE: [&str; 3] = ["worker.js", "worker_bg.wasm", LOADER];

/// The script that index.html names.
const LOADER: &str = "worker_loader.js";

/// Splits the worker in dist/ and gives index.html the name of its script.
pub(super) fn finish(dist: &Path) -> Result<()> {
    let read = |name: &str| fs::read(dist.join(name)).with_context(|| format!("{name} of the built worker"));
    let parts = split::split(&read("worker_bg.wasm")?, &split::WORKER)?;
    fs::write(target().join("worker-parts.txt"), &parts.report)?;
    let first = format!("worker-{}.wasm", hash(&parts.first));
    let glue = String::from_utf8(read("worker.js")?).context("worker.js is no text")?;
    let loader = fs::read_to_string(root().join("web/js/worker.js")).context("web/js/worker.js")?;
    let mut loader = renamed(&loader, "worker.wasm", &first)?;
    for (rules, part) in split::WORKER.parts.iter().zip(&parts.later) {
        let file = format!("worker-{}-{}.wasm", rules.name, hash(part));
        loader = renamed(&loader, &format!("worker-{}.wasm", rules.name), &file)?;
        fs::write(dist.join(file), part)?;
    }
    let script = glue + &loader;
    let name = format!("worker-{}.js", hash(script.as_bytes()));
    let index = dist.join("index.html");
    let page = fs::read_to_string(&index).context("index.html of the built page")?;
    fs::write(&index, renamed(&page, LOADER, &name)?)?;
    for made in MADE {
        fs::remove_file(dist.join(made))?;
    }
    fs::write(dist.join(first), &parts.first)?;
    fs::write(dist.join(name), script)?;
    Ok(())
}

/// The text with a file's name in the place of another, which has to be there once.
fn renamed(text: &str, from: &str, to: &str) -> Result<String> {
    let from = format!("\"{from}\"");
    if text.matches(&from).count() != 1 {
        bail!("{from} is not there exactly once");
    }
    Ok(text.replace(&from, &format!("\"{to}\"")))
}
