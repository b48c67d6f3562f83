//! The path calls.

use std::rc::Rc;

use bytes::Bytes;
use simulation::Time;

use crate::fs::{Fs, Usage};
use crate::handle::set_times;
use crate::node::{Content, Data, Generator, Node};
use crate::walk::{Credentials, Found, Held, Mount, Namespace, Place};
use crate::{Clock, Device, DirEntry, Errno, FileHandle, FileKind, Layer, Metadata, OpenOptions, path};

/// What is made in such a directory belongs to the directory's group.
const SET_GID: u16 = 0o2000;

/// How a tree is mounted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MountOptions {
    /// Writing is refused with `EROFS`.
    pub read_only: bool,
    /// What of the source is mounted: a path inside it, `""` for all. Links in it cannot lead out of the source.
    pub sub_path: String,
}

/// A view of a tree of files: mounts, working directory and identity. Clones show the same files.
///
/// Paths are as POSIX has them, relative ones from [`Vfs::cwd`]. New trees have only a root directory.
#[derive(Clone)]
pub struct Vfs {
    ns: Rc<Namespace>,
    cwd: Rc<str>,
    who: Rc<Credentials>,
    umask: u16,
}

impl Vfs {
    /// An empty tree. `clock` is the world (or a fixed [`Time`] in tests).
    pub fn new(clock: impl Clock + 'static) -> Vfs {
        Vfs::from_fs(Fs::new(Rc::new(clock), None))
    }

    /// A tree that begins as `layer` and keeps its own changes.
    pub fn with_layer(clock: impl Clock + 'static, layer: Rc<Layer>) -> Vfs {
        Vfs::from_fs(Fs::new(Rc::new(clock), Some(layer)))
    }

    fn from_fs(fs: Rc<Fs>) -> Vfs {
        Vfs { ns: Namespace::new(fs), cwd: "/".into(), who: Rc::new(Credentials::ROOT), umask: 0o022 }
    }

    // --- views ---

    /// The same files seen from another working directory. It is not checked that it exists.
    #[must_use]
    pub fn at(&self, cwd: &str) -> Vfs {
        Vfs { cwd: path::normalize(&self.absolute(cwd)).into(), ..self.clone() }
    }

    /// The same files seen by someone else.
    #[must_use]
    pub fn as_user(&self, who: Credentials) -> Vfs {
        Vfs { who: Rc::new(who), ..self.clone() }
    }

    /// The same files with another umask (0022 at first).
    #[must_use]
    pub fn with_umask(&self, umask: u16) -> Vfs {
        Vfs { umask: umask & 0o777, ..self.clone() }
    }

    /// Where relative paths begin.
    pub fn cwd(&self) -> &str {
        &self.cwd
    }

    /// Who asks.
    pub fn credentials(&self) -> &Credentials {
        &self.who
    }

    fn absolute(&self, path: &str) -> String {
        path::join(&self.cwd, path)
    }

    fn walk(&self, path: &str, follow: bool) -> Result<Found, Errno> {
        if path.is_empty() {
            return Err(Errno::NotFound);
        }
        self.ns.walk(&self.absolute(path), follow, &self.who)
    }

    /// The directory in which a new name may be made; `EEXIST` when it is there already.
    fn vacancy(&self, path: &str) -> Result<(Place, Rc<str>, bool), Errno> {
        let found = self.walk(path, false)?;
        match &found.missing {
            Some(name) => {
                let dir = found.last().place.clone();
                dir.check(&self.who, 3)?;
                Ok((dir, Rc::clone(name), found.wants_dir))
            }
            None => Err(Errno::Exists),
        }
    }

    fn make(&self, dir: &Place, name: &str, mut node: Node) -> Result<Place, Errno> {
        let (mode, gid) = dir.fs.read(dir.ino, |n| (n.mode, n.gid))?;
        node.uid = self.who.uid;
        node.gid = self.who.gid;
        if mode & SET_GID != 0 {
            node.gid = gid;
            if node.children().is_some() {
                node.mode |= SET_GID; // what is made further below is the group's too
            }
        }
        let ino = dir.fs.add(dir.ino, name, node)?;
        Ok(Place { ino, ..dir.clone() })
    }

    // --- reading the tree ---

    /// What a path leads to.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`: those of every walk.
    pub fn stat(&self, path: &str) -> Result<Metadata, Errno> {
        self.walk(path, true)?.existing()?.stat()
    }

    /// As [`Vfs::stat`], but of a link itself.
    ///
    /// # Errors
    /// Those of every walk.
    pub fn lstat(&self, path: &str) -> Result<Metadata, Errno> {
        self.walk(path, false)?.existing()?.stat()
    }

    /// Whether a path leads to something.
    pub fn exists(&self, path: &str) -> bool {
        self.stat(path).is_ok()
    }

    /// Whether a path leads to a directory.
    pub fn is_dir(&self, path: &str) -> bool {
        self.stat(path).is_ok_and(|m| m.is_dir())
    }

    /// Whether a path leads to a regular file.
    pub fn is_file(&self, path: &str) -> bool {
        self.stat(path).is_ok_and(|m| m.is_file())
    }

    /// Whether the caller may do `wanted` (4 read, 2 write, 1 execute; 0 exists).
    ///
    /// # Errors
    /// `EACCES`, `EROFS` and those of every walk.
    pub fn access(&self, path: &str, wanted: u16) -> Result<(), Errno> {
        self.walk(path, true)?.existing()?.check(&self.who, wanted)
    }

    /// Names of a directory in byte order, without `.` and `..`.
    ///
    /// # Errors
    /// `ENOTDIR`, `EACCES` and those of every walk.
    pub fn readdir(&self, path: &str) -> Result<Vec<DirEntry>, Errno> {
        let found = self.walk(path, true)?;
        let dir = found.existing()?;
        if dir.kind()? != FileKind::Directory {
            return Err(Errno::NotDirectory);
        }
        dir.check(&self.who, 4)?;
        let children = dir.fs.children(dir.ino)?;
        let entry = |(name, ino): (&Rc<str>, u64)| {
            let kind = dir.fs.read(ino, |n| n.kind())?;
            Ok(DirEntry { name: name.to_string(), kind, ino })
        };
        children.iter().map(entry).collect()
    }

    /// Where a link points.
    ///
    /// # Errors
    /// `EINVAL` when it is no link, and those of every walk.
    pub fn readlink(&self, path: &str) -> Result<String, Errno> {
        let found = self.walk(path, false)?;
        let place = found.existing()?;
        let target = place.fs.read(place.ino, |n| match &n.content {
            Content::Symlink(target) => Some(target.to_string()),
            _ => None,
        })?;
        target.ok_or(Errno::Invalid)
    }

    /// The path without links, `.` and `..`; everything on the way must exist.
    ///
    /// # Errors
    /// Those of every walk.
    pub fn canonicalize(&self, path: &str) -> Result<String, Errno> {
        let found = self.walk(path, true)?;
        found.existing()?;
        Ok(found.path())
    }

    // --- opening ---

    /// Opens a path.
    ///
    /// # Errors
    /// As `open(2)`: `ENOENT`, `EEXIST`, `EISDIR`, `ENOTDIR`, `EACCES`, `EROFS`, `ELOOP`, `ENOSPC`.
    pub fn open(&self, path: &str, options: OpenOptions) -> Result<FileHandle, Errno> {
        let follow = !(options.no_follow || options.create && options.exclusive);
        let found = self.walk(path, follow)?;
        if let Some(name) = &found.missing {
            if !options.create {
                return Err(Errno::NotFound);
            }
            if found.wants_dir || options.directory {
                return Err(Errno::IsDirectory);
            }
            let dir = &found.last().place;
            dir.check(&self.who, 3)?;
            let mode = if options.mode == 0 { 0o666 } else { options.mode };
            let node = Node::new(Content::File(Data::Own(Vec::new())), mode & !self.umask, dir.fs.now());
            let place = self.make(dir, name, node)?;
            return Ok(FileHandle::new(place, found.path(), options));
        }
        if options.create && options.exclusive {
            return Err(Errno::Exists);
        }
        let place = found.existing()?;
        match place.kind()? {
            FileKind::Symlink => return Err(Errno::Loop),
            FileKind::Directory if options.write || options.create => return Err(Errno::IsDirectory),
            FileKind::Directory => {}
            _ if options.directory => return Err(Errno::NotDirectory),
            _ => {}
        }
        let writes = options.write || options.truncate;
        let device = place.kind()? == FileKind::CharDevice;
        if writes && place.read_only && !device {
            return Err(Errno::ReadOnly);
        }
        let wanted = if options.read { 4 } else { 0 } | if writes { 2 } else { 0 };
        Place { read_only: false, ..place.clone() }.check(&self.who, wanted)?;
        if options.truncate && place.kind()? == FileKind::Regular {
            place.fs.truncate(place.ino, 0)?;
        }
        Ok(FileHandle::new(place.clone(), found.path(), options))
    }

    // --- changing the tree ---

    /// Makes a directory; the umask is taken off `mode`.
    ///
    /// # Errors
    /// `EEXIST`, `ENOSPC`, `EROFS`, `EACCES` and those of every walk.
    pub fn mkdir(&self, path: &str, mode: u16) -> Result<(), Errno> {
        let (dir, name, _) = self.vacancy(path)?;
        let node = Node::directory(mode & !self.umask, dir.fs.now());
        self.make(&dir, &name, node).map(drop)
    }

    /// Makes a directory and those above it; it may exist.
    ///
    /// # Errors
    /// `ENOTDIR` when something else is in the way, and those of [`Vfs::mkdir`].
    pub fn mkdir_all(&self, path: &str) -> Result<(), Errno> {
        let absolute = self.absolute(path);
        let mut at = String::new();
        for part in absolute.split('/').filter(|p| !p.is_empty()) {
            at.push('/');
            at.push_str(part);
            match self.mkdir(&at, 0o777) {
                Ok(()) => {}
                Err(Errno::Exists) if self.is_dir(&at) => {}
                Err(Errno::Exists) => return Err(Errno::NotDirectory),
                Err(_) if self.is_dir(&at) => {} // e.g. a read-only parent that has it
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    /// Checks that an entry may be taken out of `dir`.
    fn check_removal(&self, dir: &Place, entry: &Place) -> Result<(), Errno> {
        dir.check(&self.who, 3)?;
        // Not by `stat`, which counts what is in a directory.
        let (of_parent, mode) = dir.fs.read(dir.ino, |n| (n.uid, n.mode))?;
        let of_child = entry.fs.read(entry.ino, |n| n.uid)?;
        let owner = self.who.uid == 0 || self.who.uid == of_parent || self.who.uid == of_child;
        if mode & 0o1000 != 0 && !owner { Err(Errno::NotPermitted) } else { Ok(()) }
    }

    /// Removes a name that is not a directory.
    ///
    /// # Errors
    /// `EISDIR`, `EBUSY`, `EROFS`, `EACCES`, `EPERM` and those of every walk.
    pub fn unlink(&self, path: &str) -> Result<(), Errno> {
        let found = self.walk(path, false)?;
        if found.existing()?.kind()? == FileKind::Directory {
            return Err(Errno::IsDirectory);
        }
        let (dir, name, entry) = found.entry()?;
        self.check_removal(dir, entry)?;
        dir.fs.remove_name(dir.ino, name)
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// `ENOTDIR`, `ENOTEMPTY`, `EBUSY`, `EINVAL` (for `.`), `EROFS`, `EACCES`, `EPERM` and those of every walk.
    pub fn rmdir(&self, path: &str) -> Result<(), Errno> {
        match path.trim_end_matches('/').rsplit('/').next() {
            Some(".") => return Err(Errno::Invalid),
            Some("..") => return Err(Errno::NotEmpty),
            _ => {}
        }
        let found = self.walk(path, false)?;
        if found.existing()?.kind()? != FileKind::Directory {
            return Err(Errno::NotDirectory);
        }
        let (dir, name, entry) = found.entry()?;
        if !entry.fs.children(entry.ino)?.is_empty() {
            return Err(Errno::NotEmpty);
        }
        self.check_removal(dir, entry)?;
        dir.fs.remove_name(dir.ino, name)
    }

    /// Removes a path with everything below it. Links are removed, not followed.
    ///
    /// # Errors
    /// Those of [`Vfs::unlink`] and [`Vfs::rmdir`]; what was removed before stays removed.
    pub fn remove_all(&self, path: &str) -> Result<(), Errno> {
        // Depth first without recursion: the depth of a tree is the writer's choice.
        let mut todo = vec![(self.absolute(path), false)];
        while let Some((path, emptied)) = todo.pop() {
            if emptied {
                self.rmdir(&path)?;
            } else if self.lstat(&path)?.is_dir() {
                let entries = self.readdir(&path)?;
                todo.push((path.clone(), true));
                todo.extend(entries.into_iter().map(|e| (path::join(&path, &e.name), false)));
            } else {
                self.unlink(&path)?;
            }
        }
        Ok(())
    }

    /// Gives a node another name, replacing what is there as `rename(2)` does.
    ///
    /// # Errors
    /// `EXDEV` between mounts, `EINVAL` into itself, `EISDIR`, `ENOTDIR`, `ENOTEMPTY` and those of [`Vfs::unlink`].
    pub fn rename(&self, from: &str, to: &str) -> Result<(), Errno> {
        let source = self.walk(from, false)?;
        let (old_dir, old_name, node) = source.entry()?;
        let target = self.walk(to, false)?;
        let is_dir = node.kind()? == FileKind::Directory;
        if target.stack.iter().any(|r| is_dir && r.place.same(node)) && target.missing.is_some() {
            return Err(Errno::Invalid);
        }
        self.check_removal(old_dir, node)?;
        let (new_dir, new_name) = match &target.missing {
            Some(name) if target.wants_dir && !is_dir && !name.is_empty() => return Err(Errno::NotDirectory),
            Some(name) => (&target.last().place, &**name),
            None => {
                let (dir, name, existing) = target.entry()?;
                if existing.same(node) {
                    return Ok(());
                }
                if target.stack.iter().rev().skip(1).any(|r| is_dir && r.place.same(node)) {
                    return Err(Errno::Invalid);
                }
                match (is_dir, existing.kind()? == FileKind::Directory) {
                    (true, false) => return Err(Errno::NotDirectory),
                    (false, true) => return Err(Errno::IsDirectory),
                    (true, true) if !existing.fs.children(existing.ino)?.is_empty() => return Err(Errno::NotEmpty),
                    _ => self.check_removal(dir, existing)?,
                }
                (dir, name)
            }
        };
        new_dir.check(&self.who, 3)?;
        if !Rc::ptr_eq(&old_dir.fs, &new_dir.fs) {
            return Err(Errno::CrossDevice);
        }
        if target.missing.is_none() {
            new_dir.fs.remove_name(new_dir.ino, new_name)?;
        }
        let ino = old_dir.fs.take_name(old_dir.ino, old_name)?;
        new_dir.fs.set_name(new_dir.ino, new_name, ino)
    }

    /// Makes a symbolic link at `path` that points to `target` (any text).
    ///
    /// # Errors
    /// `EEXIST`, `ENOSPC`, `EROFS`, `EACCES` and those of every walk.
    pub fn symlink(&self, target: &str, path: &str) -> Result<(), Errno> {
        if target.is_empty() {
            return Err(Errno::NotFound);
        }
        let (dir, name, wants_dir) = self.vacancy(path)?;
        if wants_dir {
            return Err(Errno::NotFound);
        }
        let node = Node::new(Content::Symlink(target.into()), 0o777, dir.fs.now());
        self.make(&dir, &name, node).map(drop)
    }

    /// Gives an existing node (not a directory) a second name.
    ///
    /// # Errors
    /// `EPERM` for directories, `EXDEV`, `EEXIST`, `EMLINK`, `ENOSPC` and those of every walk.
    pub fn link(&self, existing: &str, path: &str) -> Result<(), Errno> {
        let found = self.walk(existing, false)?;
        let place = found.existing()?;
        if place.kind()? == FileKind::Directory {
            return Err(Errno::NotPermitted);
        }
        let (dir, name, _) = self.vacancy(path)?;
        if !Rc::ptr_eq(&dir.fs, &place.fs) {
            return Err(Errno::CrossDevice);
        }
        dir.fs.add_name(dir.ino, &name, place.ino)
    }

    /// A node whose attributes the caller may change.
    fn owned(&self, path: &str, follow: bool) -> Result<Place, Errno> {
        let found = self.walk(path, follow)?;
        let place = found.existing()?;
        if place.read_only {
            return Err(Errno::ReadOnly);
        }
        if self.who.uid != 0 && place.stat()?.uid != self.who.uid {
            return Err(Errno::NotPermitted);
        }
        Ok(place.clone())
    }

    /// Sets the permission bits.
    ///
    /// # Errors
    /// `EPERM`, `EROFS` and those of every walk.
    pub fn chmod(&self, path: &str, mode: u16) -> Result<(), Errno> {
        let place = self.owned(path, true)?;
        let now = place.fs.now();
        place.fs.write(place.ino, |n| (n.mode, n.changed) = (mode & 0o7777, now))
    }

    /// Sets owner and group (of a link itself); only root may.
    ///
    /// # Errors
    /// `EPERM`, `EROFS` and those of every walk.
    pub fn chown(&self, path: &str, uid: u32, gid: u32) -> Result<(), Errno> {
        if self.who.uid != 0 {
            return Err(Errno::NotPermitted);
        }
        let place = self.owned(path, false)?;
        let now = place.fs.now();
        place.fs.write(place.ino, |n| (n.uid, n.gid, n.changed) = (uid, gid, now))
    }

    /// Sets access and modification time; none leaves one as it is.
    ///
    /// # Errors
    /// `EPERM`, `EROFS` and those of every walk.
    pub fn utimes(&self, path: &str, accessed: Option<Time>, modified: Option<Time>) -> Result<(), Errno> {
        set_times(&self.owned(path, true)?, accessed, modified)
    }

    /// As [`Vfs::utimes`], of a link itself.
    ///
    /// # Errors
    /// `EPERM`, `EROFS` and those of every walk.
    pub fn lutimes(&self, path: &str, accessed: Option<Time>, modified: Option<Time>) -> Result<(), Errno> {
        set_times(&self.owned(path, false)?, accessed, modified)
    }

    /// Puts a device at `path`, replacing a device that is there.
    ///
    /// # Errors
    /// `EEXIST` when something else is there, and those of every walk.
    pub fn device(&self, path: &str, device: Rc<dyn Device>, mode: u16) -> Result<(), Errno> {
        self.special(path, Content::Device(device), mode)
    }

    /// Puts a file at `path` whose bytes are computed when they are read (as below `/proc`).
    ///
    /// # Errors
    /// `EEXIST` when something else is there, and those of every walk.
    pub fn generated(&self, path: &str, generator: Generator, mode: u16) -> Result<(), Errno> {
        self.special(path, Content::Generated(generator), mode)
    }

    fn special(&self, path: &str, content: Content, mode: u16) -> Result<(), Errno> {
        if self.lstat(path).is_ok_and(|m| m.kind == FileKind::CharDevice) {
            self.unlink(path)?;
        }
        let (dir, name, _) = self.vacancy(path)?;
        let node = Node::new(content, mode, dir.fs.now());
        self.make(&dir, &name, node).map(drop)
    }

    // --- whole files ---

    /// All bytes of a file.
    ///
    /// # Errors
    /// Those of [`Vfs::open`].
    pub fn read(&self, path: &str) -> Result<Bytes, Errno> {
        self.open(path, OpenOptions::READ)?.read_at(0, usize::MAX)
    }

    /// All of a file as text; bytes that are not UTF-8 become U+FFFD.
    ///
    /// # Errors
    /// Those of [`Vfs::open`].
    pub fn read_to_string(&self, path: &str) -> Result<String, Errno> {
        Ok(String::from_utf8_lossy(&self.read(path)?).into_owned())
    }

    /// Makes or replaces a file's content. Missing directories are an error; see [`Vfs::mkdir_all`].
    ///
    /// # Errors
    /// Those of [`Vfs::open`].
    pub fn write(&self, path: &str, bytes: impl Into<Bytes>) -> Result<(), Errno> {
        let bytes = bytes.into();
        let file = self.open(path, OpenOptions::CREATE)?;
        if file.kind() != FileKind::Regular {
            return file.write_at(0, &bytes).map(drop);
        }
        file.set_bytes(bytes)
    }

    /// Writes at the end of a file, made if need be.
    ///
    /// # Errors
    /// Those of [`Vfs::open`].
    pub fn append(&self, path: &str, bytes: &[u8]) -> Result<(), Errno> {
        self.open(path, OpenOptions::APPEND)?.append(bytes).map(drop)
    }

    // --- mounts and limits ---

    /// Mounts (a part of) another view's files at `path`. The place is made when it is missing: a directory, or a
    /// file when the source is one.
    ///
    /// # Errors
    /// Those of walking the source and of making the place; `ENOTDIR` when only one of both is a directory.
    pub fn mount(&self, path: &str, source: &Vfs, options: &MountOptions) -> Result<(), Errno> {
        let inside = format!("/{}", options.sub_path);
        let root = source.ns.walk(&inside, true, &Credentials::ROOT)?.existing()?.clone();
        let is_dir = root.kind()? == FileKind::Directory;
        let admin = self.as_user(Credentials::ROOT);
        if !admin.exists(path) {
            if is_dir {
                admin.mkdir_all(path)?;
            } else {
                admin.mkdir_all(path::dirname(&self.absolute(path)))?;
                admin.open(path, OpenOptions::APPEND)?;
            }
        }
        let found = admin.walk(path, true)?;
        let at = found.existing()?.clone();
        if (at.kind()? == FileKind::Directory) != is_dir {
            return Err(Errno::NotDirectory);
        }
        let dev = self.ns.dev_of(&root.fs);
        let root = Place { read_only: options.read_only || root.read_only, dev, ..root };
        let held = Held::new(&root);
        self.ns.mounts.borrow_mut().push(Mount { at, root, path: found.path(), held });
        Ok(())
    }

    /// Takes the newest mount at `path` away.
    ///
    /// # Errors
    /// `EINVAL` when nothing is mounted there.
    pub fn unmount(&self, path: &str) -> Result<(), Errno> {
        let path = self.canonicalize(path)?;
        let taken = {
            let mut mounts = self.ns.mounts.borrow_mut();
            let at = mounts.iter().rposition(|m| m.path == path).ok_or(Errno::Invalid)?;
            mounts.remove(at)
        };
        drop(taken); // after the borrow: what it was mounted from may go now
        Ok(())
    }

    /// Where something is mounted, and whether read-only, in the order of mounting.
    pub fn mounts(&self) -> Vec<(String, bool)> {
        self.ns.mounts.borrow().iter().map(|m| (m.path.clone(), m.root.read_only)).collect()
    }

    /// A view in which the root tree (not the mounts) cannot be written. Mounts made so far are kept.
    #[must_use]
    pub fn read_only_root(&self) -> Vfs {
        let ns = Namespace { root: Place { read_only: true, ..self.ns.root.clone() }, mounts: self.ns.mounts.clone() };
        Vfs { ns: Rc::new(ns), ..self.clone() }
    }

    /// The root tree.
    pub(crate) fn root_fs(&self) -> &Rc<Fs> {
        &self.ns.root.fs
    }

    /// What the root tree holds beyond its layer.
    pub fn usage(&self) -> Usage {
        self.ns.root.fs.usage()
    }

    /// What the tree at `path` (which may be a mount) holds beyond its layer.
    ///
    /// # Errors
    /// Those of every walk.
    pub fn usage_at(&self, path: &str) -> Result<Usage, Errno> {
        Ok(self.walk(path, true)?.existing()?.fs.usage())
    }

    /// Sets how many bytes the root tree may hold beyond its layer. Below what it holds, writing fails until some is
    /// removed.
    pub fn set_limit(&self, bytes: u64) {
        self.ns.root.fs.set_limit(bytes);
    }

    /// Says that the root tree lies in memory, as a tmpfs does.
    pub fn keep_in_memory(&self) {
        self.ns.root.fs.keep_in_memory();
    }

    /// The present, as this tree sees it.
    pub fn now(&self) -> Time {
        self.ns.root.fs.now()
    }
}
