//! `cargo xtask images`: builds the guests and packs them into the OCI layout that the page and the tests pull from.
//!
//! The guests are a workspace of their own (images/Cargo.toml) for wasm32-wasip1; its package `pack` takes the output
//! folder and does the rest. How large the stack of a guest is says images/.cargo/config.toml, for the native command as well.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::process::Cmd;
use crate::root::root;

/// Where the packed layout goes.
pub(crate) fn registry() -> PathBuf {
    root().join("images/target/registry")
}

/// Whether this checkout has guests at all.
pub(crate) fn present() -> bool {
    root().join("images/Cargo.toml").is_file()
}

/// Builds and packs, or says why not.
pub(crate) fn run() -> Result<()> {
    if !present() {
        println!("images: skipped, images/Cargo.toml does not exist yet");
        return Ok(());
    }
    let out = registry();
    std::fs::create_dir_all(&out)?;
    pack(&out)
}

fn pack(out: &Path) -> Result<()> {
    Cmd::cargo()
        .args(["run", "--quiet", "--manifest-path", "images/Cargo.toml", "--package", "pack", "--"])
        .args([out])
        .env("CARGO_TARGET_DIR", root().join("images/target"))
        .run()
}
