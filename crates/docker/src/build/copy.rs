//! COPY and ADD: what is taken from where, and how it is laid down (`solver/llbsolver/file`).

use bytes::Bytes;
use runtime::image::{digest_of, unpack};
use simulation::{Sim, Time};
use std::rc::Rc;
use vfs::{Errno, FileKind, Layer, Vfs, path};

use super::ignore::{Ignore, part_fits};

/// A file, folder or link to be laid down.
struct Item {
    /// Below the target.
    to: String,
    mode: u16,
    modified: Time,
    what: What,
}

enum What {
    Folder,
    File(Bytes),
    Link(String),
}

/// What a COPY found.
pub(super) struct Found {
    items: Vec<Item>,
    /// The target is a folder because of what is copied.
    into_folder: bool,
}

/// Where files are taken from: a folder of a tree.
pub(super) struct Source<'a> {
    pub(super) files: &'a Vfs,
    /// The folder that paths begin at.
    pub(super) root: &'a str,
    pub(super) ignore: &'a Ignore,
}

/// Bytes that one COPY or ADD lays down.
const FOUND_BYTES_MAX: u64 = 512 << 20;
/// Links that are followed on the way to one file.
const LINKS_MAX: usize = 40;

/// Why nothing is copied.
pub(super) enum Unfound {
    /// The path that nothing is at.
    Missing(String),
    /// The words for anything else.
    Wrong(String),
}

impl From<Errno> for Unfound {
    fn from(errno: Errno) -> Unfound {
        Unfound::Wrong(errno.message().to_lowercase())
    }
}

/// Looks for what the instruction names.
///
/// # Errors
/// The path that nothing is at, or more than there is room for.
pub(super) fn find(source: &Source<'_>, names: &[String], is_add: bool) -> Result<Found, Unfound> {
    let mut found = Found { items: Vec::new(), into_folder: names.len() > 1 };
    let mut room = FOUND_BYTES_MAX;
    for name in names {
        let clean = path::normalize(&format!("/{name}"));
        let matches = if name.contains(['*', '?', '[']) { wild(source, &clean) } else { vec![clean.clone()] };
        found.into_folder |= matches.len() > 1;
        let mut any = false;
        for at in matches {
            any |= take(source, &at, is_add, &mut found, &mut room)?;
        }
        if !any {
            return Err(Unfound::Missing(clean));
        }
    }
    Ok(found)
}

/// Takes what is at one path; false if nothing is there, or all of it is left out.
fn take(source: &Source<'_>, at: &str, is_add: bool, found: &mut Found, room: &mut u64) -> Result<bool, Unfound> {
    let is_out = at != "/" && source.ignore.leaves_out(at);
    let Some(real) = source.within(at) else { return Ok(false) };
    let Ok(meta) = source.files.lstat(&source.full(&real)) else { return Ok(false) };
    if is_out && !meta.is_dir() {
        return Ok(false);
    }
    if meta.is_dir() {
        let before = found.items.len();
        below(source, &real, "", &mut found.items, room)?;
        found.into_folder |= !is_out || found.items.len() > before;
        return Ok(!is_out || found.items.len() > before);
    }
    let bytes = source.files.read(&source.full(&real))?;
    if let Some(layer) = is_add.then(|| archive(&bytes)).flatten() {
        found.into_folder = true;
        let inner = Vfs::with_layer(meta.modified, Rc::new(layer));
        let all = Source { files: &inner, root: "/", ignore: &Ignore::default() };
        below(&all, "/", "", &mut found.items, room)?;
        return Ok(true);
    }
    spend(room, bytes.len())?;
    let to = path::basename(at).to_owned();
    found.items.push(Item { to, mode: meta.mode, modified: meta.modified, what: What::File(bytes) });
    Ok(true)
}

fn spend(room: &mut u64, bytes: usize) -> Result<(), Unfound> {
    let left = room.checked_sub(bytes as u64);
    *room = left.ok_or_else(|| Unfound::Wrong("no space left on device".to_owned()))?;
    Ok(())
}

impl Source<'_> {
    /// A path of the folder as one of the tree.
    fn full(&self, at: &str) -> String {
        let full = format!("{}{}", self.root.trim_end_matches('/'), at.trim_end_matches('/'));
        if full.is_empty() { "/".to_owned() } else { full }
    }

    /// Follows links as if the folder were all there is: what leads out of it ends at its top.
    fn within(&self, at: &str) -> Option<String> {
        let mut todo: Vec<String> = at.split('/').rev().map(str::to_owned).collect();
        let (mut real, mut links) = (String::new(), 0);
        while let Some(part) = todo.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    real.truncate(real.rfind('/').unwrap_or(0));
                    continue;
                }
                _ => {}
            }
            let next = format!("{real}/{part}");
            if !self.files.lstat(&self.full(&next)).ok()?.is_symlink() {
                real = next;
                continue;
            }
            links += 1;
            if links > LINKS_MAX {
                return None;
            }
            let target = self.files.readlink(&self.full(&next)).ok()?;
            if target.starts_with('/') {
                real.clear();
            }
            todo.extend(target.split('/').rev().map(str::to_owned));
        }
        Some(if real.is_empty() { "/".to_owned() } else { real })
    }
}

/// An archive that ADD unpacks.
fn archive(bytes: &Bytes) -> Option<Layer> {
    let tar = unpack(bytes.clone()).ok()?;
    let is_tar = tar.get(257..262) == Some(b"ustar");
    is_tar.then(|| Layer::from_tar(tar).ok()).flatten()
}

fn wild(source: &Source<'_>, pattern: &str) -> Vec<String> {
    let mut at = vec![String::new()];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for folder in at {
            let Some(real) = source.within(&folder) else { continue };
            let names = source.files.readdir(&source.full(&real)).unwrap_or_default();
            next.extend(names.iter().filter(|e| part_fits(part, &e.name)).map(|e| format!("{folder}/{}", e.name)));
        }
        at = next;
    }
    at
}

/// Everything below a folder, each folder before what is in it.
fn below(source: &Source<'_>, at: &str, to: &str, items: &mut Vec<Item>, room: &mut u64) -> Result<(), Unfound> {
    let first = items.len();
    let mut todo = vec![(at.to_owned(), to.to_owned())];
    while let Some((at, to)) = todo.pop() {
        let full = source.full(&at);
        for entry in source.files.readdir(&full)? {
            let here = path::join(&at, &entry.name);
            let meta = source.files.lstat(&path::join(&full, &entry.name))?;
            let to = if to.is_empty() { entry.name.clone() } else { format!("{to}/{}", entry.name) };
            let is_out = source.ignore.leaves_out(&here);
            let what = match meta.kind {
                FileKind::Directory => {
                    todo.push((here, to.clone()));
                    What::Folder
                }
                _ if is_out => continue,
                FileKind::Symlink => What::Link(source.files.readlink(&path::join(&full, &entry.name))?),
                FileKind::Regular => {
                    let bytes = source.files.read(&path::join(&full, &entry.name))?;
                    spend(room, bytes.len())?;
                    What::File(bytes)
                }
                FileKind::CharDevice => continue,
            };
            if !(is_out && matches!(what, What::Folder)) {
                items.push(Item { to, mode: meta.mode, modified: meta.modified, what });
            }
        }
    }
    items[first..].sort_by(|a, b| a.to.cmp(&b.to));
    Ok(())
}

impl Found {
    /// A digest of everything but the times: what a build's cache goes by.
    pub(super) fn digest(&self) -> String {
        let mut all = Vec::new();
        for item in &self.items {
            let (kind, bytes) = match &item.what {
                What::Folder => ("d", String::new()),
                What::File(bytes) => ("f", digest_of(bytes)),
                What::Link(target) => ("l", target.clone()),
            };
            all.extend(format!("{kind} {:o} {} {bytes}\n", item.mode, item.to).into_bytes());
        }
        digest_of(&all)
    }

    /// Bytes of all files.
    pub(super) fn bytes(&self) -> u64 {
        let size = |item: &Item| if let What::File(bytes) = &item.what { bytes.len() as u64 } else { 0 };
        self.items.iter().map(size).sum()
    }

    /// Lays everything down in a tree. `owner`: user and group; `mode`: for everything, unless none.
    pub(super) fn lay(&self, root: &Vfs, to: &str, owner: (u32, u32), mode: Option<u16>) -> Result<(), Errno> {
        let is_folder = self.into_folder || to.ends_with('/') || root.is_dir(to);
        let target = path::normalize(to);
        let own = |at: &str| if owner == (0, 0) { Ok(()) } else { root.chown(at, owner.0, owner.1) };
        let make = |folder: &str| {
            let missing: Vec<&str> =
                folder.match_indices('/').skip(1).map(|(i, _)| &folder[..i]).chain([folder]).collect();
            for at in missing.into_iter().filter(|at| !at.is_empty() && *at != "/") {
                if !root.is_dir(at) {
                    root.mkdir(at, 0o755)?;
                    own(at)?;
                }
            }
            Ok::<(), Errno>(())
        };
        make(if is_folder { &target } else { path::dirname(&target) })?;
        for item in &self.items {
            let at = if is_folder { path::join(&target, &item.to) } else { target.clone() };
            make(path::dirname(&at))?;
            match &item.what {
                What::Folder if root.is_dir(&at) => {}
                What::Folder => root.mkdir(&at, 0o755)?,
                What::Link(target) => {
                    let _ = root.unlink(&at); // usually nothing is there
                    root.symlink(target, &at)?;
                    own(&at)?;
                    continue;
                }
                What::File(bytes) => {
                    // A name of several for the same bytes must not change the others.
                    if root.lstat(&at).is_ok_and(|meta| !meta.is_dir()) {
                        root.unlink(&at)?;
                    }
                    root.write(&at, bytes.clone())?;
                }
            }
            root.chmod(&at, mode.unwrap_or(item.mode))?;
            own(&at)?;
            root.utimes(&at, None, Some(item.modified))?;
        }
        Ok(())
    }
}

/// A reference as the builder prints those of its sources.
pub(super) fn random_reference(sim: &Sim) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let letter = |_| char::from(LETTERS[usize::try_from(sim.random_below(LETTERS.len() as u64)).unwrap_or(0)]);
    let part = || (0..25).map(letter).collect::<String>();
    format!("{}::{}", part(), part())
}
