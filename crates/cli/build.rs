//! Builds the images (guests for wasm32-wasip1, packed into an OCI layout) and the prose about fields, and embeds them.
#![allow(clippy::disallowed_methods, reason = "a build script works with files")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let images = root.join("images");
    println!("cargo::rerun-if-changed={}", images.join("Cargo.toml").display());
    println!("cargo::rerun-if-changed={}", images.join("Cargo.lock").display());
    let mut files = Vec::new();
    if images.join("Cargo.toml").exists() {
        watch_sources(&images);
        let layout = out.join("images");
        pack(&images, &layout, &out.join("images-target"));
        collect(&layout, &layout, &mut files);
    }
    // The name by which the API server asks for it.
    let prose = out.join("descriptions.txt");
    std::fs::write(&prose, descriptions::build().expect("the published prose can be read"))
        .expect("OUT_DIR can be written");
    println!("cargo::rerun-if-changed={}", root.join("Cargo.lock").display());
    files.push(("api/descriptions.txt".to_owned(), prose.display().to_string()));
    files.sort();
    let mut source = String::from("static ASSETS: &[(&str, &[u8])] = &[\n");
    for (name, path) in files {
        writeln!(source, "    ({:?}, include_bytes!({:?})),", name, path).expect("strings grow");
    }
    source.push_str("];\n");
    std::fs::write(out.join("assets.rs"), source).expect("OUT_DIR can be written");
}

/// Every source of the guests, but not what building them leaves behind.
fn watch_sources(images: &Path) {
    for entry in std::fs::read_dir(images).expect("images/ can be read").flatten() {
        if entry.file_name() != "target" {
            println!("cargo::rerun-if-changed={}", entry.path().display());
        }
    }
}

fn pack(images: &Path, layout: &Path, target: &Path) {
    let status = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["run", "--quiet", "--release", "--package", "pack", "--"])
        .arg(layout)
        .current_dir(images)
        // A target folder of its own: the outer cargo holds the lock of the usual one.
        .env("CARGO_TARGET_DIR", target)
        // The outer build's flags and wrappers are not meant for guests.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("CARGO_BUILD_TARGET")
        .status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => panic!(
            "building the images failed ({status}). If the target is missing, run: rustup target add wasm32-wasip1"
        ),
        Err(error) => panic!("cargo could not be started to build the images: {error}"),
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("the layout can be read").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
            files.push((format!("images/{name}"), path.display().to_string()));
        }
    }
}
