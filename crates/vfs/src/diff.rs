//! What was changed in a tree since its layer, as a layer of its own: a tar with whiteouts (`.wh.NAME`), as a container runtime
//! makes one of a container's files (the OCI image specification's layer document).

use std::collections::BTreeMap;
use std::rc::Rc;

use tar::{EntryType, Header};

use crate::fs::{Fs, ROOT};
use crate::limits::PATH_BYTES_MAX;
use crate::node::{Content, Ino, Node};
use crate::{Errno, Vfs, path};

/// A layer that is being written.
struct Diff<'a> {
    fs: &'a Fs,
    skip: &'a dyn Fn(&str) -> bool,
    tar: tar::Builder<Vec<u8>>,
    /// Where a node with several names was written first.
    written: BTreeMap<Ino, String>,
    entries: usize,
}

/// A node that is still to be looked at.
struct Pending {
    path: String,
    ino: Ino,
    /// What had the name before.
    before: Option<Ino>,
}

impl Vfs {
    /// The changes of the root tree (not of mounts) as an uncompressed tar, in the order of paths; the same changes at the same
    /// times give the same bytes. What `skip` says of a path, `/` first, is left out with everything below. None if nothing was
    /// changed.
    ///
    /// # Errors
    /// `ENAMETOOLONG` for a path that a tar cannot hold.
    pub fn diff_tar(&self, skip: &dyn Fn(&str) -> bool) -> Result<Option<Vec<u8>>, Errno> {
        let fs: &Rc<Fs> = self.root_fs();
        let tar = tar::Builder::new(Vec::new());
        let mut diff = Diff { fs, skip, tar, written: BTreeMap::new(), entries: 0 };
        diff.all()?;
        if diff.entries == 0 {
            return Ok(None);
        }
        diff.tar.into_inner().map(Some).map_err(|_| Errno::Io)
    }
}

impl Diff<'_> {
    /// Everything, a directory before what is in it. A stack of its own: how deep a tree is is the container's affair.
    fn all(&mut self) -> Result<(), Errno> {
        let mut todo = Vec::new();
        self.directory("", ROOT, Some(ROOT), &mut todo)?;
        while let Some(Pending { path, ino, before }) = todo.pop() {
            if self.node(&path, ino, before)? {
                self.directory(&path, ino, before, &mut todo)?;
            }
        }
        Ok(())
    }

    /// What a directory lacks that was there before; its children are still to be done, the first on top.
    fn directory(&mut self, at: &str, ino: Ino, before: Option<Ino>, todo: &mut Vec<Pending>) -> Result<(), Errno> {
        if at.len() > PATH_BYTES_MAX {
            return Err(Errno::NameTooLong);
        }
        let children = self.fs.children(ino)?;
        let old = before.and_then(|ino| self.fs.lower_children(ino)).unwrap_or_default();
        for gone in old.iter().map(|(name, _)| name).filter(|name| children.get(name).is_none()) {
            let whiteout = format!("{at}/.wh.{gone}");
            if !(self.skip)(&format!("{at}/{gone}")) {
                self.entry(&whiteout, EntryType::Regular, None, &[], "")?;
            }
        }
        let first = todo.len();
        for (name, ino) in children.iter() {
            let path = format!("{at}/{name}");
            if !(self.skip)(&path) {
                todo.push(Pending { path, ino, before: old.get(name) });
            }
        }
        todo[first..].reverse();
        Ok(())
    }

    /// One node if it has changed; whether it is a directory.
    fn node(&mut self, path: &str, ino: Ino, before: Option<Ino>) -> Result<bool, Errno> {
        let is_new = before != Some(ino) || self.fs.is_changed(ino);
        let node = self.fs.read(ino, Node::clone)?;
        match &node.content {
            Content::Directory(_) => {
                if is_new {
                    self.entry(path, EntryType::Directory, Some(&node), &[], "")?;
                }
                return Ok(true);
            }
            _ if !is_new => {}
            Content::Symlink(target) => self.entry(path, EntryType::Symlink, Some(&node), &[], target)?,
            Content::File(data) => match self.written.get(&ino).cloned() {
                Some(first) => self.entry(path, EntryType::Link, Some(&node), &[], &first)?,
                None => {
                    self.written.insert(ino, path.trim_start_matches('/').to_owned());
                    self.entry(path, EntryType::Regular, Some(&node), data.as_slice(), "")?;
                }
            },
            // What the machine puts into a container.
            Content::Generated(_) | Content::Device(_) => {}
        }
        Ok(false)
    }

    fn entry(
        &mut self,
        path: &str,
        kind: EntryType,
        node: Option<&Node>,
        bytes: &[u8],
        target: &str,
    ) -> Result<(), Errno> {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(bytes.len() as u64);
        header.set_mode(node.map_or(0, |n| u32::from(n.mode)));
        header.set_uid(node.map_or(0, |n| u64::from(n.uid)));
        header.set_gid(node.map_or(0, |n| u64::from(n.gid)));
        let seconds = node.map_or(0, |n| n.modified.as_nanos().div_euclid(1_000_000_000));
        header.set_mtime(u64::try_from(seconds).unwrap_or(0));
        let name = path::normalize(path);
        let name = name.trim_start_matches('/');
        let written = if matches!(kind, EntryType::Symlink | EntryType::Link) {
            self.tar.append_link(&mut header, name, target)
        } else {
            let name = if kind.is_dir() { format!("{name}/") } else { name.to_owned() };
            self.tar.append_data(&mut header, name, bytes)
        };
        self.entries += 1;
        written.map_err(|_| Errno::NameTooLong)
    }
}

#[cfg(test)]
mod tests {
    use simulation::Time;

    use super::*;
    use crate::{Entry, Layer};

    fn base() -> Rc<Layer> {
        let file = |text: &'static str| bytes::Bytes::from_static(text.as_bytes());
        Rc::new(
            Layer::from_entries(&[
                Entry::File("bin/busybox", 0o755, file("wasm")),
                Entry::HardLink("bin/sh", "bin/busybox"),
                Entry::File("etc/a", 0o644, file("1")),
                Entry::File("etc/b", 0o644, file("2")),
                Entry::File("opt/x/y", 0o644, file("3")),
                Entry::File("srv/same", 0o644, file("4")),
            ])
            .unwrap(),
        )
    }

    /// What a tree holds: path, and content or target.
    fn all(files: &Vfs) -> Vec<(String, u16, String)> {
        let mut found = Vec::new();
        let mut todo = vec!["/".to_owned()];
        while let Some(at) = todo.pop() {
            for entry in files.readdir(&at).unwrap() {
                let path = path::join(&at, &entry.name);
                let meta = files.lstat(&path).unwrap();
                let text = if meta.is_symlink() {
                    files.readlink(&path).unwrap()
                } else if meta.is_dir() {
                    todo.push(path.clone());
                    String::new()
                } else {
                    files.read_to_string(&path).unwrap()
                };
                found.push((path, meta.mode, text));
            }
        }
        found.sort();
        found
    }

    #[test]
    fn changes_on_top_of_the_layer_give_the_tree_again() {
        let files = Vfs::with_layer(Time::from_unix_seconds(5_000), base());
        files.write("/etc/a", "changed").unwrap();
        files.unlink("/etc/b").unwrap();
        files.remove_all("/opt/x").unwrap();
        files.mkdir_all("/opt/x").unwrap();
        files.write("/opt/x/new", "new").unwrap();
        files.symlink("x/new", "/opt/link").unwrap();
        files.chmod("/srv", 0o700).unwrap();
        files.write("/skipped", "not there").unwrap();
        files.write("/two", "names").unwrap();
        files.link("/two", "/three").unwrap();
        let tar = files.diff_tar(&|path| path == "/skipped").unwrap().unwrap();
        let again = files.diff_tar(&|path| path == "/skipped").unwrap().unwrap();
        assert_eq!(tar, again);
        let mut stacked = (*base()).clone();
        stacked.apply_tar(tar.clone().into()).unwrap();
        let stacked = Vfs::with_layer(Time::default(), Rc::new(stacked));
        files.unlink("/skipped").unwrap();
        assert_eq!(all(&stacked), all(&files));
        let alone = Layer::from_tar(tar.into());
        let listed = alone.map(|layer| layer.paths()).unwrap();
        assert!(!listed.iter().any(|p| p.contains("same") || p.contains("busybox")), "unchanged: {listed:?}");
        assert_eq!(stacked.stat("/etc/a").unwrap().modified, Time::from_unix_seconds(5_000));
    }

    #[test]
    fn a_tree_that_is_deeper_than_any_path_is_refused_and_not_fallen_into() {
        let files = Vfs::with_layer(Time::default(), Rc::new(Layer::default()));
        let mut at = ROOT;
        for _ in 0..50_000 {
            at = files.root_fs().add(at, "d", Node::directory(0o755, Time::default())).unwrap();
        }
        assert_eq!(files.diff_tar(&|_| false), Err(Errno::NameTooLong));
        let files = Vfs::with_layer(Time::default(), Rc::new(Layer::default()));
        files.mkdir_all(&"/d".repeat(1_500)).unwrap();
        let tar = files.diff_tar(&|_| false).unwrap().unwrap();
        assert_eq!(Layer::from_tar(tar.into()).unwrap().paths().len(), 1_500);
    }

    #[test]
    fn nothing_changed_is_no_layer() {
        let files = Vfs::with_layer(Time::default(), base());
        files.read("/etc/a").unwrap();
        assert_eq!(files.diff_tar(&|_| false), Ok(None));
    }
}
