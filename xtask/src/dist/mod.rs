//! Building the page: the JavaScript bundle, Trunk, and then what a static host needs beside it.
//!
//! dist/ is everything: it works on any static host, under any sub-path.

mod compile;
mod offline;
mod policy;
mod worker;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::process::Cmd;
use crate::root::{all_files, root, target};
use crate::{images, npm, setup, tools};

/// The built page.
pub(crate) fn dir() -> PathBuf {
    root().join("dist")
}

/// Whether this checkout has a page to build.
pub(crate) fn present() -> bool {
    root().join("web/src/bin/app.rs").is_file()
}

/// Builds the page and the images, and prints what it weighs.
pub(crate) fn run() -> Result<()> {
    setup::run(setup::Purpose::Serve)?;
    images::run()?;
    build()?;
    report()
}

/// Prints every file of dist/, as it is and as a good host sends it, and the sums against the targets.
fn report() -> Result<()> {
    Cmd::new("node").args(["xtask/sizes.mjs".as_ref(), dir().as_os_str()]).run()
}

/// Builds the page into dist/.
pub(crate) fn build() -> Result<()> {
    if !present() {
        bail!("there is no page yet: web/src/bin/app.rs does not exist");
    }
    let bundle = target().join("page-js");
    npm::bundle(&bundle)?;
    let trunk = tools::trunk().find().context("trunk is missing: run `cargo xtask setup`")?;
    let environment = compile::prepare()?;
    Cmd::new(trunk)
        .args(["build", "--release", "--offline"])
        .env("PATH", tools::path()?)
        // Trunk reads NO_COLOR as a truth value and rejects others.
        .env("NO_COLOR", "true")
        .envs(&environment)
        .run()?;
    worker::finish(&dir())?;
    copy_tree(&bundle, &dir().join("js"))?;
    if images::present() {
        copy_tree(&images::registry(), &dir().join("images"))?;
    }
    // The page reads lessons as `catalogue` writes them: docs/decisions/0016.
    let (lessons, published) = (root().join("tutorials"), dir().join("tutorials"));
    let cargo = Cmd::cargo().args(["run", "--quiet", "--package", "catalogue", "--"]);
    cargo.args([&lessons, &published]).run()?;
    let prose = dir().join("api/descriptions.txt");
    fs::create_dir_all(prose.parent().context("a file in a folder")?)?;
    fs::write(&prose, descriptions::build()?)?;
    policy::write(&dir())?;
    let id = write_manifest(&dir())?;
    offline::write(&dir(), &id)
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    for file in all_files(from) {
        let target = to.join(file.strip_prefix(from).context("a file outside its folder")?);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::copy(&file, &target).with_context(|| format!("copying {}", file.display()))?;
    }
    Ok(())
}

/// Writes build.json: the build's id, which is returned, and every file with its size. A service worker keys its cache by
/// the id, because not every file's name carries a hash.
fn write_manifest(dist: &Path) -> Result<String> {
    let manifest = dist.join("build.json");
    if manifest.exists() {
        fs::remove_file(&manifest)?;
    }
    let mut id = FNV_OFFSET;
    let mut files = Vec::new();
    for file in all_files(dist) {
        let path = file.strip_prefix(dist)?.to_string_lossy().replace('\\', "/");
        let bytes = fs::read(&file)?;
        id = fnv(fnv(id, path.as_bytes()), &bytes);
        files.push(json!({ "path": path, "bytes": bytes.len() }));
    }
    let id = format!("{id:016x}");
    let text = serde_json::to_string_pretty(&json!({ "id": id, "files": files }))?;
    fs::write(manifest, text + "\n")?;
    Ok(id)
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// A part of a file's name that changes with its content.
fn hash(bytes: &[u8]) -> String {
    format!("{:016x}", fnv(FNV_OFFSET, bytes))
}

/// FNV-1a: names a build, guards nothing.
fn fnv(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
