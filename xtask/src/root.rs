//! Where things are in the tree and on this machine.

use std::path::{Path, PathBuf};

/// The root of the workspace: the folder above xtask/.
pub(crate) fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let start = match manifest {
        Some(dir) => dir,
        None => std::env::current_dir().unwrap_or_default(),
    };
    start
        .ancestors()
        .find(|dir| dir.join("Cargo.lock").is_file() && dir.join("crates").is_dir())
        .map_or_else(|| start.clone(), Path::to_path_buf)
}

/// The folder where set-up keeps the tools it builds, one sub-folder a tool and version.
pub(crate) fn tools() -> PathBuf {
    if let Some(dir) = std::env::var_os("KUBONSAI_TOOLS") {
        return PathBuf::from(dir);
    }
    let home = std::env::var_os("HOME").map_or_else(|| root().join("target"), PathBuf::from);
    home.join(".cache/kubonsai/tools")
}

/// What cargo builds into, which may be set outside the tree.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Every file under `dir` in sorted order, without what git ignores by name (build output, installed packages).
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    const SKIPPED: [&str; 6] = ["target", "dist", "node_modules", ".git", "out", ".kubonsai"];
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(dir) else { return found };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if !SKIPPED.contains(&name) {
                found.extend(files(&path));
            }
        } else if !SKIPPED.contains(&name) {
            found.push(path);
        }
    }
    found
}

/// Every file under `dir`, build output included, in sorted order.
pub(crate) fn all_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(dir) else { return found };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            found.extend(all_files(&path));
        } else {
            found.push(path);
        }
    }
    found
}
