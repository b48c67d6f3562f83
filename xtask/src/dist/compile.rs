//! How cargo compiles the page.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::process::Cmd;
use crate::setup;

/// What the page is compiled for.
const TARGET: &str = "wasm32-unknown-unknown";

/// What makes cargo compile the standard library too, and for size. The one that comes ready made is made for speed: its
/// sorting alone is 40 kB (docs/decisions/0014).
const STANDARD_LIBRARY: [(&str, &str); 3] = [
    ("RUSTC_BOOTSTRAP", "1"),
    ("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort"),
    ("CARGO_UNSTABLE_BUILD_STD_FEATURES", "optimize_for_size"),
];

/// Between flags: their paths may have spaces in them.
const FLAG_END: &str = "\u{1f}";

/// Brings the source of every package, for cargo may download nothing when Trunk calls it, and gives the environment in
/// which it shall be called.
pub(super) fn prepare() -> Result<Vec<(&'static str, String)>> {
    let sysroot = setup::sysroot();
    let library = sysroot.as_deref().map(setup::standard_library).filter(|folder| folder.is_dir());
    let fetch = || Cmd::cargo().args(["fetch", "--quiet", "--target", TARGET]);
    let for_size = STANDARD_LIBRARY.map(|(name, value)| (name, value.to_owned()));
    if library.is_some() && fetch().envs(&for_size).run().is_ok() {
        return Ok(environment(library, for_size.to_vec()));
    }
    println!("the page is made with the standard library as it comes: it will be some 70 kB larger");
    fetch().run()?;
    Ok(environment(None, Vec::new()))
}

fn environment(library: Option<PathBuf>, mut variables: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    let mut flags = vec![
        // The worker is split by the names of its functions; these carry the types of generic ones.
        "-Csymbol-mangling-version=v0".to_owned(),
    ];
    if library.is_some() {
        // What a panic says stays; thousands of places in the source would be in the page only for it.
        flags.push("-Zlocation-detail=none".to_owned());
    }
    // The text of a panic names a file of the source: never where this machine keeps it.
    let places = packages().into_iter().map(|folder| (folder, "packages"));
    for (folder, name) in places.chain(library.map(|folder| (folder, "library"))) {
        flags.push(format!("--remap-path-prefix={}={name}", folder.display()));
    }
    variables.push(("CARGO_ENCODED_RUSTFLAGS", flags.join(FLAG_END)));
    variables
}

/// The folders where cargo keeps the source of packages, one for each registry.
fn packages() -> Vec<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cargo")));
    let registries = home.and_then(|home| std::fs::read_dir(home.join("registry/src")).ok());
    let mut folders: Vec<PathBuf> = registries.into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    folders.sort();
    folders
}
