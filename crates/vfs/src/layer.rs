//! Read-only trees made from the tars of an image, with whiteouts (`.wh.name`, `.wh..wh..opq`) as in the OCI image
//! specification's layer document.

use std::cmp::Reverse;
use std::io::Read as _;

use bytes::Bytes;
use simulation::Time;
use thiserror::Error;

use crate::children::Children;
use crate::node::{Content, Data, Ino, Node};
use crate::{Errno, FileKind, limits, path};

/// Why a layer cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LayerError {
    /// Not a tar, or a broken one.
    #[error("archive/tar: {0}")]
    Tar(String),
    /// More than this project allows in one layer.
    #[error("archive has more than {0} entries")]
    TooManyEntries(usize),
    /// A path or a name that is longer than a file system has them.
    #[error("file name too long: {0}...")]
    NameTooLong(String),
    /// A hard link whose target does not come before it.
    #[error("hard link {0} has no target")]
    MissingTarget(String),
}

/// A read-only tree, shared by everything that is built on it. Its file contents are slices of the archive it came
/// from, so stacking layers and starting containers copies names and not bytes.
#[derive(Clone)]
pub struct Layer {
    pub(crate) nodes: Vec<Node>,
}

/// An entry of a layer for tests and for images that are made without a tar.
pub enum Entry<'a> {
    /// Path, mode, content.
    File(&'a str, u16, Bytes),
    /// Path, mode.
    Directory(&'a str, u16),
    /// Path, target.
    Symlink(&'a str, &'a str),
    /// Path, existing path.
    HardLink(&'a str, &'a str),
}

impl Default for Layer {
    fn default() -> Self {
        Layer { nodes: vec![Node::directory(0o755, Time::default())] }
    }
}

impl Layer {
    /// A layer from a list; missing parents are made.
    ///
    /// # Errors
    /// [`LayerError::MissingTarget`].
    pub fn from_entries(entries: &[Entry<'_>]) -> Result<Layer, LayerError> {
        let mut layer = Layer::default();
        for entry in entries {
            match entry {
                Entry::File(path, mode, bytes) => {
                    let content = Content::File(Data::Shared(bytes.clone()));
                    layer.put(path, Node::new(content, *mode, Time::default()));
                }
                Entry::Directory(path, mode) => layer.put(path, Node::directory(*mode, Time::default())),
                Entry::Symlink(path, target) => {
                    layer.put(path, Node::new(Content::Symlink((*target).into()), 0o777, Time::default()));
                }
                Entry::HardLink(path, target) => layer.hard_link(path, target)?,
            }
        }
        Ok(layer)
    }

    /// A layer on its own from an uncompressed tar.
    ///
    /// # Errors
    /// When the archive is broken or too large.
    pub fn from_tar(tar: Bytes) -> Result<Layer, LayerError> {
        let mut layer = Layer::default();
        layer.apply_tar(tar)?;
        Ok(layer)
    }

    /// The stack of an image: each tar is applied on the ones before it.
    ///
    /// # Errors
    /// When an archive is broken or too large.
    pub fn stack(tars: impl IntoIterator<Item = Bytes>) -> Result<Layer, LayerError> {
        let mut layer = Layer::default();
        for tar in tars {
            layer.apply_tar(tar)?;
        }
        Ok(layer)
    }

    /// Applies one more tar on top.
    ///
    /// # Errors
    /// When the archive is broken or too large.
    pub fn apply_tar(&mut self, tar: Bytes) -> Result<(), LayerError> {
        let broken = |e: std::io::Error| LayerError::Tar(e.to_string());
        let mut archive = tar::Archive::new(tar.as_ref());
        // Nodes below this number are of the layers underneath: whiteouts take them away, and only them.
        let mine = self.nodes.len();
        let mut links = 0;
        for entry in archive.entries().map_err(broken)? {
            let mut entry = entry.map_err(broken)?;
            if self.nodes.len() + links >= limits::TREE_NODES_MAX {
                return Err(LayerError::TooManyEntries(limits::TREE_NODES_MAX));
            }
            let name = path::normalize(&checked(&entry.path_bytes())?);
            let base = path::basename(&name).to_owned();
            if base == ".wh..wh..opq" {
                self.make_opaque(path::dirname(&name), mine);
                continue;
            }
            if let Some(hidden) = base.strip_prefix(".wh.") {
                self.remove(&path::join(path::dirname(&name), hidden));
                continue;
            }
            let link = entry.link_name_bytes().map(|bytes| checked_path(&bytes)).transpose()?.unwrap_or_default();
            let header = entry.header();
            let kind = header.entry_type();
            let number = |value: std::io::Result<u64>| u32::try_from(value.unwrap_or(0)).unwrap_or(0);
            let (uid, gid) = (number(header.uid()), number(header.gid()));
            let mode = (header.mode().unwrap_or(0o644) & 0o7777) as u16;
            let time = Time::from_unix_seconds(i64::try_from(header.mtime().unwrap_or(0)).unwrap_or(0));
            let content = if kind.is_dir() {
                Content::Directory(Children::new())
            } else if kind.is_symlink() {
                Content::Symlink(link.into())
            } else if kind.is_hard_link() {
                self.hard_link(&name, &link)?;
                links += 1;
                continue;
            } else if kind.is_file() || kind.is_contiguous() {
                Content::File(Data::Shared(content(&tar, &mut entry).map_err(broken)?))
            } else {
                continue; // devices and fifos of an image are made by the runtime
            };
            let mut node = Node::new(content, mode, time);
            (node.uid, node.gid) = (uid, gid);
            self.put(&name, node);
            // Directories that nothing names count too.
            if self.nodes.len() + links > limits::TREE_NODES_MAX + limits::PATH_BYTES_MAX {
                return Err(LayerError::TooManyEntries(limits::TREE_NODES_MAX));
            }
        }
        Ok(())
    }

    pub(crate) fn lookup(&self, path: &str) -> Option<usize> {
        let mut at = 0;
        for part in path.split('/').filter(|p| !p.is_empty()) {
            at = usize::try_from(self.nodes[at].children()?.get(part)?).ok()?;
        }
        Some(at)
    }

    fn set_child(&mut self, dir: usize, name: &str, ino: Ino) {
        if let Content::Directory(children) = &mut self.nodes[dir].content {
            children.insert(name.into(), ino);
        }
    }

    /// The directory at `path`, made (with its parents) when it is missing or not a directory.
    pub(crate) fn directory(&mut self, path: &str, time: Time) -> usize {
        let mut at = 0;
        for part in path.split('/').filter(|p| !p.is_empty()) {
            let next = self.nodes[at].children().and_then(|c| c.get(part)).and_then(|ino| usize::try_from(ino).ok());
            at = match next {
                Some(next) if self.nodes[next].kind() == FileKind::Directory => next,
                _ => {
                    self.nodes.push(Node::directory(0o755, time));
                    let made = self.nodes.len() - 1;
                    self.set_child(at, part, made as Ino);
                    made
                }
            };
        }
        at
    }

    pub(crate) fn put(&mut self, path: &str, mut node: Node) {
        let name = path::normalize(path);
        if name == "/" {
            (self.nodes[0].mode, self.nodes[0].uid, self.nodes[0].gid) = (node.mode, node.uid, node.gid);
            return;
        }
        // A directory that exists keeps its children and takes the new attributes.
        if let (Content::Directory(new), Some(old)) = (&mut node.content, self.lookup(&name))
            && let Content::Directory(kept) = &self.nodes[old].content
        {
            new.clone_from(kept);
            self.nodes[old] = node;
            return;
        }
        let time = node.modified;
        if self.nodes[0].modified < time {
            (self.nodes[0].modified, self.nodes[0].changed) = (time, time); // few archives have an entry for the root
        }
        let dir = self.directory(path::dirname(&name), time);
        self.nodes.push(node);
        let made = (self.nodes.len() - 1) as Ino;
        self.set_child(dir, path::basename(&name), made);
    }

    fn hard_link(&mut self, path: &str, target: &str) -> Result<(), LayerError> {
        let target = path::normalize(target);
        let found = self.lookup(&target).filter(|i| self.nodes[*i].kind() != FileKind::Directory);
        let Some(found) = found else { return Err(LayerError::MissingTarget(target)) };
        self.nodes[found].links += 1;
        let name = path::normalize(path);
        let dir = self.directory(path::dirname(&name), self.nodes[found].modified);
        self.set_child(dir, path::basename(&name), found as Ino);
        Ok(())
    }

    fn remove(&mut self, path: &str) {
        if let Some(dir) = self.lookup(path::dirname(path))
            && let Content::Directory(children) = &mut self.nodes[dir].content
        {
            children.remove(path::basename(path));
        }
    }

    fn make_opaque(&mut self, path: &str, mine: usize) {
        if let Some(dir) = self.lookup(path)
            && let Content::Directory(children) = &mut self.nodes[dir].content
        {
            children.retain(|ino| ino >= mine as Ino);
        }
    }

    /// Bytes of all regular files.
    pub fn size(&self) -> u64 {
        let file = |n: &&Node| n.kind() == FileKind::Regular;
        self.nodes.iter().filter(file).map(Node::size).sum()
    }

    /// Every path with its kind, deepest last; for tests and listings.
    pub fn paths(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut todo = vec![(String::new(), 0_usize)];
        while let Some((path, at)) = todo.pop() {
            let Some(children) = self.nodes[at].children() else { continue };
            let mut names: Vec<_> = children.iter().collect();
            names.sort_by_key(|(name, _)| Reverse((*name).clone()));
            for (name, ino) in names {
                let full = format!("{path}/{name}");
                if let Ok(index) = usize::try_from(ino) {
                    todo.push((full.clone(), index));
                }
                found.push(full);
            }
        }
        found.sort();
        found
    }
}

/// A path of an archive as text, if it is one that a file system can have.
fn checked_path(path: &[u8]) -> Result<String, LayerError> {
    if path.len() > limits::PATH_BYTES_MAX {
        return Err(too_long(path));
    }
    Ok(String::from_utf8_lossy(path).into_owned())
}

/// As [`checked_path`], with each of its names.
fn checked(path: &[u8]) -> Result<String, LayerError> {
    if path.split(|b| *b == b'/').any(|name| name.len() > limits::NAME_BYTES_MAX) {
        return Err(too_long(path));
    }
    checked_path(path)
}

fn too_long(path: &[u8]) -> LayerError {
    const SHOWN_BYTES: usize = 64;
    LayerError::NameTooLong(String::from_utf8_lossy(&path[..path.len().min(SHOWN_BYTES)]).into_owned())
}

/// The entry's bytes: a slice of the archive where they lie in one piece.
fn content(tar: &Bytes, entry: &mut tar::Entry<'_, &[u8]>) -> std::io::Result<Bytes> {
    let (from, size) = (entry.raw_file_position(), entry.size());
    if !entry.header().entry_type().is_gnu_sparse() {
        let (from, to) = (usize::try_from(from), usize::try_from(from.saturating_add(size)));
        if let (Ok(from), Ok(to)) = (from, to) {
            if to <= tar.len() {
                return Ok(tar.slice(from..to));
            }
            return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "unexpected EOF"));
        }
    }
    let mut bytes = Vec::new();
    entry.take(limits::FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes.into())
}

impl From<LayerError> for Errno {
    fn from(_: LayerError) -> Errno {
        Errno::Io
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tar(entries: &[(&str, tar::EntryType, &str)]) -> Bytes {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, kind, text) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(0o755);
            header.set_mtime(1_000);
            if kind.is_symlink() || kind.is_hard_link() {
                header.set_size(0);
                builder.append_link(&mut header, path, text).unwrap();
            } else {
                header.set_size(text.len() as u64);
                builder.append_data(&mut header, path, text.as_bytes()).unwrap();
            }
        }
        builder.into_inner().unwrap().into()
    }

    const FILE: tar::EntryType = tar::EntryType::Regular;
    const DIR: tar::EntryType = tar::EntryType::Directory;

    #[test]
    fn layers_stack_with_whiteouts() {
        let base = tar(&[
            ("bin/", DIR, ""),
            ("bin/busybox", FILE, "wasm"),
            ("bin/sh", tar::EntryType::Link, "bin/busybox"),
            ("bin/ls", tar::EntryType::Symlink, "busybox"),
            ("etc/a", FILE, "1"),
            ("etc/b", FILE, "2"),
            ("opt/x", FILE, "3"),
        ]);
        let upper = tar(&[
            ("etc/.wh.a", FILE, ""),
            ("opt/new", FILE, "4"),
            ("opt/.wh..wh..opq", FILE, ""),
            ("etc/b", FILE, "changed"),
        ]);
        let layer = Layer::stack([base, upper]).unwrap();
        assert_eq!(layer.paths(), ["/bin", "/bin/busybox", "/bin/ls", "/bin/sh", "/etc", "/etc/b", "/opt", "/opt/new"]);
        assert_eq!(layer.lookup("/bin/sh"), layer.lookup("/bin/busybox"));
        assert_eq!(layer.nodes[layer.lookup("/bin/sh").unwrap()].links, 2);
    }

    /// A tar whose only file has this path, as GNU tar writes long ones.
    fn long(path: &str) -> Bytes {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, &[][..]).unwrap();
        builder.into_inner().unwrap().into()
    }

    #[test]
    fn paths_that_no_file_system_has_are_refused() {
        let too_long = |path: &str| matches!(Layer::from_tar(long(path)), Err(LayerError::NameTooLong(_)));
        assert!(too_long(&"a/".repeat(1_000_000)));
        assert!(too_long(&"a".repeat(256)));
        let layer = Layer::from_tar(long(&format!("{}f", "a/".repeat(2_000)))).unwrap();
        assert_eq!(layer.nodes.len(), 2_002);
    }

    #[test]
    fn directories_that_no_entry_names_count() {
        let mut builder = tar::Builder::new(Vec::new());
        for number in 0..60 {
            let mut header = tar::Header::new_gnu();
            header.set_size(0);
            header.set_mode(0o644);
            builder.append_data(&mut header, format!("{number}/{}f", "a/".repeat(2_000)), &[][..]).unwrap();
        }
        let tar = Bytes::from(builder.into_inner().unwrap());
        assert!(matches!(Layer::from_tar(tar), Err(LayerError::TooManyEntries(_))));
    }

    #[test]
    fn broken_archives_are_refused() {
        let whole = tar(&[("a", FILE, &"x".repeat(5_000))]);
        assert!(Layer::from_tar(whole.slice(..1_000)).is_err());
        assert!(Layer::from_tar(Bytes::from(vec![b'x'; 2_000])).is_err());
        assert!(Layer::from_tar(tar(&[("a", tar::EntryType::Link, "nowhere")])).is_err());
        let escape = Layer::from_entries(&[Entry::File("../../etc/x", 0o644, Bytes::new())]).unwrap();
        assert_eq!(escape.paths(), ["/etc", "/etc/x"]);
    }
}
