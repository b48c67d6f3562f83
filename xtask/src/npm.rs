//! Packages from the npm registry: exactly those of package-lock.json, without their install scripts.

use std::path::Path;

use anyhow::{Context, Result};

use crate::process::{Cmd, on_path};
use crate::root::root;
use crate::setup::Step;

/// The oldest Node.js that the packages run on.
const NODE_MAJOR_MIN: u32 = 20;

/// A copy of the lock file that the installed packages came from; equal bytes mean nothing to do.
const STAMP: &str = "node_modules/.kubonsai-lock.json";

/// Node.js and npm, which set-up does not install: how depends on the machine.
pub(crate) fn node() -> Step {
    let found = Cmd::new("node").args(["--version"]).output().unwrap_or_default();
    let present = major(&found).is_some_and(|major| major >= NODE_MAJOR_MIN) && on_path("npm").is_some();
    Step {
        name: format!("Node.js {NODE_MAJOR_MIN} or newer with npm"),
        expected: "from your system's packages",
        install: Vec::new(),
        instead: format!(
            "install Node.js {NODE_MAJOR_MIN} or newer with npm (on Debian 13 or newer: apt-get install nodejs npm; found \
             here: {})",
            if found.is_empty() { "no node on PATH" } else { found.trim() }
        ),
        present,
        without: None,
    }
}

fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// xterm.js, CodeMirror, esbuild, binaryen, playwright-core and axe-core.
pub(crate) fn packages() -> Step {
    Step {
        name: "npm packages of package-lock.json".to_owned(),
        expected: "about 20 seconds and 140 MB",
        // Scripts of packages have no business here: the one we need (esbuild) works without.
        install: vec![Cmd::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]), stamp_command()],
        instead: "make npm reach a registry that carries these packages (npm config get registry), or copy a \
                  node_modules folder, with its .kubonsai-lock.json, from a machine where set-up worked"
            .to_owned(),
        present: is_current(&root()),
        without: None,
    }
}

/// Written last and by a command of its own, so that an interrupted installation is done again.
fn stamp_command() -> Cmd {
    Cmd::new("cp").args(["package-lock.json", STAMP])
}

fn is_current(root: &Path) -> bool {
    let lock = std::fs::read(root.join("package-lock.json"));
    let stamp = std::fs::read(root.join(STAMP));
    matches!((lock, stamp), (Ok(lock), Ok(stamp)) if lock == stamp)
}

/// Bundles the JavaScript of the page (web/js) into `out`.
pub(crate) fn bundle(out: &Path) -> Result<()> {
    std::fs::create_dir_all(out).context("making the folder of the JavaScript bundle")?;
    Cmd::new("node").args(["web/js/build.mjs".as_ref(), out.as_os_str()]).run()
}

#[cfg(test)]
mod tests {
    use super::major;

    #[test]
    fn reads_the_major_version_of_node() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major(""), None);
    }
}
