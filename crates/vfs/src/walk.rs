//! From a path to a node: links, `..`, mounts and search permission.

use std::cell::RefCell;
use std::rc::Rc;

use crate::fs::{Fs, ROOT};
use crate::limits::{NAME_BYTES_MAX, PATH_BYTES_MAX, SYMLINKS_MAX};
use crate::node::{Content, Ino};
use crate::{Errno, FileKind, Metadata};

/// Who asks. Root (uid 0) passes every check except executing what nobody may execute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// User.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// Further groups.
    pub groups: Vec<u32>,
}

impl Credentials {
    /// The super-user.
    pub const ROOT: Credentials = Credentials { uid: 0, gid: 0, groups: Vec::new() };

    /// Whether every bit of `wanted` (4 read, 2 write, 1 execute) is allowed.
    pub fn allows(&self, meta: &Metadata, wanted: u16) -> bool {
        self.may((meta.uid, meta.gid, meta.mode), meta.is_dir(), wanted)
    }

    /// The same of a node of that owner, group and mode.
    fn may(&self, (uid, gid, mode): (u32, u32, u16), is_dir: bool, wanted: u16) -> bool {
        if self.uid == 0 {
            return wanted & 1 == 0 || is_dir || mode & 0o111 != 0;
        }
        let bits = if uid == self.uid {
            mode >> 6
        } else if gid == self.gid || self.groups.contains(&gid) {
            mode >> 3
        } else {
            mode
        };
        bits & wanted == wanted
    }
}

/// A node in one of the trees.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) fs: Rc<Fs>,
    pub(crate) ino: Ino,
    /// Number of the tree in this view's namespace (`st_dev`).
    pub(crate) dev: u64,
    pub(crate) read_only: bool,
}

impl Place {
    pub(crate) fn same(&self, other: &Place) -> bool {
        Rc::ptr_eq(&self.fs, &other.fs) && self.ino == other.ino
    }

    pub(crate) fn stat(&self) -> Result<Metadata, Errno> {
        self.fs.stat(self.dev, self.ino)
    }

    pub(crate) fn kind(&self) -> Result<FileKind, Errno> {
        self.fs.read(self.ino, |n| n.kind())
    }

    pub(crate) fn check(&self, who: &Credentials, wanted: u16) -> Result<(), Errno> {
        if wanted & 2 != 0 && self.read_only {
            return Err(Errno::ReadOnly);
        }
        if who.uid == 0 && wanted & 1 == 0 {
            return Ok(());
        }
        // Asked of every directory on a way: what `stat` counts besides is not looked at.
        let may = self.fs.read(self.ino, |n| who.may((n.uid, n.gid, n.mode), n.children().is_some(), wanted))?;
        if may { Ok(()) } else { Err(Errno::Access) }
    }
}

/// One tree put on a node of another.
#[derive(Clone)]
pub(crate) struct Mount {
    pub(crate) at: Place,
    pub(crate) root: Place,
    pub(crate) path: String,
    #[expect(dead_code, reason = "held, not read")]
    pub(crate) held: Rc<Held>,
}

/// Keeps a node for as long as something is mounted from it, also when its last name is gone.
pub(crate) struct Held(Place);

impl Held {
    pub(crate) fn new(place: &Place) -> Rc<Held> {
        place.fs.opened(place.ino);
        Rc::new(Held(place.clone()))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fs.closed(self.0.ino);
    }
}

/// The root and the mounts: what every view of one container shares.
pub(crate) struct Namespace {
    pub(crate) root: Place,
    pub(crate) mounts: RefCell<Vec<Mount>>,
}

/// A component that has been reached.
#[derive(Clone)]
pub(crate) struct Reached {
    pub(crate) name: Rc<str>,
    pub(crate) place: Place,
    /// The node carries a mount: removing or renaming it is `EBUSY`.
    pub(crate) is_mount: bool,
}

/// The result of a walk.
pub(crate) struct Found {
    /// From the root to the last node that exists. Never empty.
    pub(crate) stack: Vec<Reached>,
    /// The last name, when only it is missing.
    pub(crate) missing: Option<Rc<str>>,
    /// The path ended in a slash.
    pub(crate) wants_dir: bool,
}

impl Found {
    pub(crate) fn last(&self) -> &Reached {
        self.stack.last().expect("a walk starts at the root")
    }

    /// The node, or `ENOENT`.
    pub(crate) fn existing(&self) -> Result<&Place, Errno> {
        if self.missing.is_some() {
            return Err(Errno::NotFound);
        }
        let place = &self.last().place;
        if self.wants_dir && place.kind()? != FileKind::Directory {
            return Err(Errno::NotDirectory);
        }
        Ok(place)
    }

    /// The directory and the name of an existing node that is not the root and not a mount.
    pub(crate) fn entry(&self) -> Result<(&Place, &str, &Place), Errno> {
        self.existing()?;
        let last = self.last();
        if self.stack.len() < 2 || last.is_mount {
            return Err(Errno::Busy);
        }
        Ok((&self.stack[self.stack.len() - 2].place, &last.name, &last.place))
    }

    /// The path without links, `.` and `..`.
    pub(crate) fn path(&self) -> String {
        let mut path = String::new();
        let names = self.stack[1..].iter().map(|r| &r.name).chain(self.missing.as_ref());
        for name in names {
            path.push('/');
            path.push_str(name);
        }
        if path.is_empty() { "/".to_owned() } else { path }
    }
}

impl Namespace {
    /// The tree that is visible at a node, and whether it is another one.
    fn through_mounts(&self, mut place: Place) -> (Place, bool) {
        let mounts = self.mounts.borrow();
        let mut crossed = false;
        // A later mount on the same node hides an earlier one; a mount may itself be mounted on.
        while let Some(mount) = mounts.iter().rev().find(|m| m.at.same(&place)) {
            if mount.root.same(&place) {
                break;
            }
            place = mount.root.clone();
            crossed = true;
        }
        (place, crossed)
    }

    /// Walks an absolute path; `follow` also follows a link in the last place.
    pub(crate) fn walk(&self, path: &str, follow: bool, who: &Credentials) -> Result<Found, Errno> {
        if path.len() > PATH_BYTES_MAX {
            return Err(Errno::NameTooLong);
        }
        if path.is_empty() {
            return Err(Errno::NotFound);
        }
        if path.contains('\0') {
            return Err(Errno::Invalid);
        }
        let mut todo: Vec<String> = components(path);
        let (root, is_mount) = self.through_mounts(self.root.clone());
        let mut found = Found {
            stack: vec![Reached { name: "".into(), place: root, is_mount }],
            missing: None,
            wants_dir: path.ends_with('/') || path.ends_with("/."),
        };
        let mut links_left = SYMLINKS_MAX;
        while let Some(name) = todo.pop() {
            let dir = found.last().place.clone();
            if dir.kind()? != FileKind::Directory {
                return Err(Errno::NotDirectory);
            }
            if name == "." {
                continue;
            }
            dir.check(who, 1)?;
            if name == ".." {
                if found.stack.len() > 1 {
                    found.stack.pop();
                }
                continue;
            }
            if name.len() > NAME_BYTES_MAX {
                return Err(Errno::NameTooLong);
            }
            let Some(ino) = dir.fs.child(dir.ino, &name)? else {
                if todo.iter().all(|rest| rest == ".") {
                    found.missing = Some(name.into());
                    return Ok(found);
                }
                return Err(Errno::NotFound);
            };
            let (place, is_mount) = self.through_mounts(Place { ino, ..dir });
            let target = place.fs.read(place.ino, |n| match &n.content {
                Content::Symlink(target) => Some(Rc::clone(target)),
                _ => None,
            })?;
            match target {
                Some(target) if follow || !todo.is_empty() || found.wants_dir => {
                    links_left = links_left.checked_sub(1).ok_or(Errno::Loop)?;
                    if target.is_empty() {
                        return Err(Errno::NotFound);
                    }
                    if target.starts_with('/') {
                        found.stack.truncate(1);
                    }
                    todo.extend(components(&target));
                    if todo.len() > PATH_BYTES_MAX {
                        return Err(Errno::NameTooLong);
                    }
                }
                _ => found.stack.push(Reached { name: name.into(), place, is_mount }),
            }
        }
        Ok(found)
    }

    /// The number of a tree: the one that it has already, or the next.
    pub(crate) fn dev_of(&self, fs: &Rc<Fs>) -> u64 {
        let mounts = self.mounts.borrow();
        let roots = || std::iter::once(&self.root).chain(mounts.iter().map(|m| &m.root));
        match roots().find(|r| Rc::ptr_eq(&r.fs, fs)) {
            Some(known) => known.dev,
            None => roots().map(|r| r.dev).max().unwrap_or(0) + 1,
        }
    }

    pub(crate) fn new(root: Rc<Fs>) -> Rc<Namespace> {
        Rc::new(Namespace { root: Place { fs: root, ino: ROOT, dev: 1, read_only: false }, mounts: RefCell::default() })
    }
}

/// Components in reverse, so that the next one is popped.
fn components(path: &str) -> Vec<String> {
    path.split('/').filter(|p| !p.is_empty()).rev().map(str::to_owned).collect()
}
