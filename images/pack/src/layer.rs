//! A layer: a sorted tar with fixed times and owners.

use std::collections::BTreeMap;
use std::path::Path;

use crate::Result;

/// The guest that is behind every applet.
pub const BUSYBOX: &str = "busybox";

/// Modification time of every entry: 2026-01-01T00:00:00Z in seconds.
const MTIME_SECONDS: u64 = 1_767_225_600;

enum Entry {
    Directory { mode: u32 },
    File { mode: u32, bytes: Vec<u8> },
    Link { target: String },
    Symlink { target: String },
}

/// Entries by path. Hard links come after all files, so that their targets are there.
pub struct Layer {
    entries: BTreeMap<String, Entry>,
}

impl Layer {
    /// An empty layer.
    pub fn new() -> Layer {
        Layer { entries: BTreeMap::new() }
    }

    /// Adds a directory and those above it.
    pub fn add_directory(&mut self, path: &str, mode: u32) {
        self.add_parents(path);
        self.entries.insert(path.to_owned(), Entry::Directory { mode });
    }

    fn add_parents(&mut self, path: &str) {
        for (at, _) in path.match_indices('/') {
            self.entries.entry(path[..at].to_owned()).or_insert(Entry::Directory { mode: 0o755 });
        }
    }

    /// Adds a guest as an executable file.
    pub fn add_program(&mut self, path: &str, file: &Path) -> Result<()> {
        let bytes = std::fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
        self.add_parents(path);
        self.entries.insert(path.to_owned(), Entry::File { mode: 0o755, bytes });
        Ok(())
    }

    /// Adds a hard link.
    pub fn add_link(&mut self, path: &str, target: &str) {
        self.add_parents(path);
        self.entries.insert(path.to_owned(), Entry::Link { target: target.to_owned() });
    }

    /// Adds what is in a folder. Scripts (with `#!`) become executable; a file named `X.symlink` holds the target of X.
    pub fn add_folder(&mut self, folder: &Path) -> Result<()> {
        self.add_below(folder, "")
    }

    fn add_below(&mut self, folder: &Path, prefix: &str) -> Result<()> {
        let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        for entry in entries {
            let entry = entry.map_err(|e| format!("{}: {e}", folder.display()))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            if entry.path().is_dir() {
                self.add_parents(&path);
                self.entries.entry(path.clone()).or_insert(Entry::Directory { mode: 0o755 });
                self.add_below(&entry.path(), &path)?;
                continue;
            }
            let bytes = std::fs::read(entry.path()).map_err(|e| format!("{}: {e}", entry.path().display()))?;
            if let Some(path) = path.strip_suffix(".symlink") {
                let target = String::from_utf8_lossy(&bytes).trim().to_owned();
                self.add_parents(path);
                self.entries.insert(path.to_owned(), Entry::Symlink { target });
                continue;
            }
            let mode = if bytes.starts_with(b"#!") { 0o755 } else { 0o644 };
            self.add_parents(&path);
            self.entries.insert(path, Entry::File { mode, bytes });
        }
        Ok(())
    }

    /// The tar.
    pub fn into_tar(self) -> Result<Vec<u8>> {
        let mut tar = tar::Builder::new(Vec::new());
        let (links, others): (Vec<_>, Vec<_>) =
            self.entries.into_iter().partition(|(_, entry)| matches!(entry, Entry::Link { .. }));
        for (path, entry) in others.into_iter().chain(links) {
            let mut header = tar::Header::new_ustar();
            header.set_mtime(MTIME_SECONDS);
            header.set_uid(0);
            header.set_gid(0);
            header.set_size(0);
            let fail = |e: std::io::Error| format!("{path}: {e}");
            match entry {
                Entry::Directory { mode } => {
                    header.set_entry_type(tar::EntryType::Directory);
                    header.set_mode(mode);
                    tar.append_data(&mut header, format!("{path}/"), std::io::empty()).map_err(fail)?;
                }
                Entry::File { mode, bytes } => {
                    header.set_entry_type(tar::EntryType::Regular);
                    header.set_mode(mode);
                    header.set_size(bytes.len() as u64);
                    tar.append_data(&mut header, &path, bytes.as_slice()).map_err(fail)?;
                }
                Entry::Link { target } => {
                    header.set_entry_type(tar::EntryType::Link);
                    header.set_mode(0o755);
                    tar.append_link(&mut header, &path, target).map_err(fail)?;
                }
                Entry::Symlink { target } => {
                    header.set_entry_type(tar::EntryType::Symlink);
                    header.set_mode(0o777);
                    tar.append_link(&mut header, &path, target).map_err(fail)?;
                }
            }
        }
        tar.into_inner().map_err(|e| e.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_entries_give_the_same_bytes() {
        let make = |order: [&str; 2]| {
            let mut layer = Layer::new();
            for path in order {
                layer.add_link(path, "bin/busybox");
            }
            layer.add_directory("tmp", 0o1777);
            layer.into_tar().expect("a tar in memory")
        };
        assert_eq!(make(["bin/sh", "usr/bin/env"]), make(["usr/bin/env", "bin/sh"]));
    }
}
