//! The programs that are built from their published sources, and how to find them.
//!
//! Each version lives in a folder of its own, so that another checkout with other versions does not disturb this one
//! and the check is one look at the disk.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::process::{Cmd, on_path};
use crate::root;

/// A program that `cargo install` builds.
pub(crate) struct CargoTool {
    /// The package to install.
    pub(crate) package: &'static str,
    /// The program it brings that we call.
    pub(crate) binary: &'static str,
    /// The exact version.
    pub(crate) version: String,
    /// Arguments for `cargo install` beside name and version.
    pub(crate) args: &'static [&'static str],
    /// What to expect, for a person who waits.
    pub(crate) expected: &'static str,
}

/// wasm-bindgen's command line, in the version that Cargo.lock has.
///
/// Not `--locked`: its lock file names a version of one dependency that has been withdrawn.
pub(crate) fn wasm_bindgen() -> Result<CargoTool> {
    Ok(CargoTool {
        package: "wasm-bindgen-cli",
        binary: "wasm-bindgen",
        version: locked_version("wasm-bindgen")?,
        args: &["--no-default-features"],
        expected: "about 5 minutes of processor time",
    })
}

/// Trunk builds the page. Newer versions want a newer compiler than ours.
pub(crate) fn trunk() -> CargoTool {
    CargoTool {
        package: "trunk",
        binary: "trunk",
        version: "0.21.14".to_owned(),
        args: &["--locked", "--no-default-features", "--features", "rustls"],
        expected: "about 11 minutes of processor time",
    }
}

/// wasm-pack runs the tests that need a browser's engine.
pub(crate) fn wasm_pack() -> CargoTool {
    CargoTool {
        package: "wasm-pack",
        binary: "wasm-pack",
        version: "0.15.1".to_owned(),
        args: &["--locked"],
        expected: "about 3 minutes of processor time",
    }
}

impl CargoTool {
    /// Where set-up puts this version.
    pub(crate) fn dir(&self) -> PathBuf {
        root::tools().join(format!("{}-{}", self.package, self.version))
    }

    /// The program: ours, or one on PATH that says it is the same version.
    pub(crate) fn find(&self) -> Option<PathBuf> {
        let ours = self.dir().join("bin").join(self.binary);
        if ours.is_file() {
            return Some(ours);
        }
        let other = on_path(self.binary)?;
        let said = Cmd::new(&other).args(["--version"]).output()?;
        (said.split_whitespace().nth(1) == Some(self.version.as_str())).then_some(other)
    }

    /// The command that builds it. Light optimisation: the tools run for seconds, their build for minutes.
    pub(crate) fn install(&self) -> Cmd {
        let version = format!("={}", self.version);
        Cmd::cargo()
            .args(["install", self.package, "--version", &version])
            .args(self.args)
            .args(["--root".into(), self.dir().into_os_string()])
            .args(["--target-dir".into(), root::tools().join("build").into_os_string()])
            // Outside the workspace: its .cargo/config.toml is not meant for the tools.
            .dir(&root::tools())
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
    }
}

/// The version of a package in the workspace's Cargo.lock.
pub(crate) fn locked_version(package: &str) -> Result<String> {
    let lock = std::fs::read_to_string(root::root().join("Cargo.lock")).context("reading Cargo.lock")?;
    version_in_lock(&lock, package).with_context(|| format!("Cargo.lock has no package `{package}`"))
}

fn version_in_lock(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines.next()?;
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"').map(str::to_owned)
}

/// PATH with our tools and the npm packages' programs first.
pub(crate) fn path() -> Result<OsString> {
    let mut dirs = vec![root::root().join("node_modules/.bin")];
    for tool in [wasm_bindgen()?, trunk(), wasm_pack()] {
        dirs.push(tool.dir().join("bin"));
    }
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    dirs.extend(std::env::split_paths(&inherited));
    std::env::join_paths(dirs).context("a folder on PATH has a separator in its name")
}

#[cfg(test)]
mod tests {
    use super::version_in_lock;

    #[test]
    fn reads_the_locked_version() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"9.9.9\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\nsource = \"x\"\n";
        assert_eq!(version_in_lock(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(version_in_lock(lock, "yew"), None);
    }
}
