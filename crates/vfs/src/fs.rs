//! One tree: nodes by number, copied from the shared layer when first changed, with accounting.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use simulation::Time;

use crate::children::Children;
use crate::limits::{FILE_BYTES_MAX, LINKS_MAX, NODE_BYTES, TREE_BYTES_MAX, TREE_NODES_MAX};
use crate::node::{Content, Data, Ino, Node};
use crate::nodes::Nodes;
use crate::{Clock, Errno, Layer, Metadata};

/// Number of the root directory in every tree.
pub(crate) const ROOT: Ino = 0;

/// What a tree holds, without the shared layer below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Bytes that count against the limit.
    pub bytes: u64,
    /// The limit.
    pub bytes_max: u64,
    /// Nodes made or changed.
    pub nodes: usize,
    /// Whether it lies in memory, as a tmpfs does.
    pub in_memory: bool,
}

pub(crate) struct Fs {
    lower: Option<Rc<Layer>>,
    upper: RefCell<Nodes>,
    /// Open handles by node: a node without names lives as long as it is open.
    opens: RefCell<BTreeMap<Ino, u32>>,
    next: Cell<Ino>,
    used: Cell<u64>,
    limit: Cell<u64>,
    in_memory: Cell<bool>,
    clock: Rc<dyn Clock>,
}

impl Fs {
    pub(crate) fn new(clock: Rc<dyn Clock>, lower: Option<Rc<Layer>>) -> Rc<Fs> {
        let mut upper = Nodes::new();
        if lower.is_none() {
            upper.insert(ROOT, Node::directory(0o755, clock.now()));
        }
        let next = lower.as_ref().map_or(1, |l| l.nodes.len() as u64);
        Rc::new(Fs {
            lower,
            upper: RefCell::new(upper),
            opens: RefCell::default(),
            next: Cell::new(next),
            used: Cell::new(0),
            limit: Cell::new(TREE_BYTES_MAX),
            in_memory: Cell::new(false),
            clock,
        })
    }

    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage {
            bytes: self.used.get(),
            bytes_max: self.limit.get(),
            nodes: self.upper.borrow().len(),
            in_memory: self.in_memory.get(),
        }
    }

    pub(crate) fn keep_in_memory(&self) {
        self.in_memory.set(true);
    }

    pub(crate) fn set_limit(&self, bytes: u64) {
        self.limit.set(bytes);
    }

    /// Calls `f` with the node. Every number that a caller holds comes from a directory or an open handle, so the
    /// node exists; a stale one answers `ENOENT`.
    pub(crate) fn read<T>(&self, ino: Ino, f: impl FnOnce(&Node) -> T) -> Result<T, Errno> {
        let upper = self.upper.borrow();
        if let Some(node) = upper.get(ino) {
            return Ok(f(node));
        }
        match self.lower.as_ref().and_then(|l| l.nodes.get(usize::try_from(ino).ok()?)) {
            Some(node) => Ok(f(node)),
            None => Err(Errno::NotFound),
        }
    }

    /// Calls `f` with the node for changing, copying it from the layer first.
    pub(crate) fn write<T>(&self, ino: Ino, f: impl FnOnce(&mut Node) -> T) -> Result<T, Errno> {
        if self.upper.borrow().get(ino).is_none() {
            let copy = self.read(ino, Node::clone)?;
            self.upper.borrow_mut().insert(ino, copy);
        }
        match self.upper.borrow_mut().get_mut(ino) {
            Some(node) => Ok(f(node)),
            None => Err(Errno::NotFound),
        }
    }

    /// `dev` is the number that the asking view has for this tree.
    pub(crate) fn stat(&self, dev: u64, ino: Ino) -> Result<Metadata, Errno> {
        let subdirectories = self.subdirectories(ino)?;
        self.read(ino, |n| Metadata {
            dev,
            ino,
            kind: n.kind(),
            mode: n.mode,
            uid: n.uid,
            gid: n.gid,
            links: subdirectories.map_or(n.links, |count| 2 + count),
            size: n.size(),
            modified: n.modified,
            accessed: n.accessed,
            changed: n.changed,
        })
    }

    /// None when it is not a directory.
    fn subdirectories(&self, ino: Ino) -> Result<Option<u32>, Errno> {
        let children = self.read(ino, |n| n.children().map(|c| c.iter().map(|(_, ino)| ino).collect::<Vec<_>>()))?;
        let Some(children) = children else { return Ok(None) };
        let is_dir = |c: &&Ino| matches!(self.read(**c, |n| n.children().is_some()), Ok(true));
        Ok(Some(u32::try_from(children.iter().filter(is_dir).count()).unwrap_or(u32::MAX)))
    }

    pub(crate) fn child(&self, dir: Ino, name: &str) -> Result<Option<Ino>, Errno> {
        self.read(dir, |n| n.children().map(|c| c.get(name)))?.ok_or(Errno::NotDirectory)
    }

    /// Whether a node was made or changed since the layer.
    pub(crate) fn is_changed(&self, ino: Ino) -> bool {
        self.upper.borrow().get(ino).is_some()
    }

    /// What a directory of the layer holds there; none if it is no directory of the layer.
    pub(crate) fn lower_children(&self, dir: Ino) -> Option<Children> {
        self.lower.as_ref()?.nodes.get(usize::try_from(dir).ok()?)?.children().cloned()
    }

    pub(crate) fn children(&self, dir: Ino) -> Result<Children, Errno> {
        self.read(dir, |n| n.children().cloned())?.ok_or(Errno::NotDirectory)
    }

    /// Makes a node and gives it a name. The caller has checked that the name is free.
    pub(crate) fn add(&self, dir: Ino, name: &str, mut node: Node) -> Result<Ino, Errno> {
        if self.upper.borrow().len() >= TREE_NODES_MAX {
            return Err(Errno::NoSpace);
        }
        node.charged = NODE_BYTES + content_bytes(&node);
        self.charge(node.charged)?;
        let ino = self.next.get();
        self.next.set(ino + 1);
        self.upper.borrow_mut().insert(ino, node);
        self.set_name(dir, name, ino)?;
        Ok(ino)
    }

    pub(crate) fn set_name(&self, dir: Ino, name: &str, ino: Ino) -> Result<(), Errno> {
        let now = self.now();
        self.write(dir, |n| match &mut n.content {
            Content::Directory(children) => {
                children.insert(name.into(), ino);
                (n.modified, n.changed) = (now, now);
                Ok(())
            }
            _ => Err(Errno::NotDirectory),
        })?
    }

    /// Gives a node a further name, which takes room as a node does.
    pub(crate) fn add_name(&self, dir: Ino, name: &str, ino: Ino) -> Result<(), Errno> {
        if self.read(ino, |n| n.links)? >= LINKS_MAX {
            return Err(Errno::TooManyLinks);
        }
        self.charge(NODE_BYTES)?;
        self.set_name(dir, name, ino)?;
        let now = self.now();
        self.write(ino, |n| {
            n.links += 1;
            n.charged += NODE_BYTES;
            n.changed = now;
        })
    }

    /// Takes a name away; the node goes with its last name unless it is open.
    pub(crate) fn remove_name(&self, dir: Ino, name: &str) -> Result<(), Errno> {
        let ino = self.take_name(dir, name)?;
        let now = self.now();
        let links = self.write(ino, |n| {
            n.links = n.links.saturating_sub(1);
            n.changed = now;
            // The last one goes with the node; those of a layer have taken nothing.
            if n.links > 0 {
                let given_back = n.charged.min(NODE_BYTES);
                n.charged -= given_back;
                self.used.set(self.used.get().saturating_sub(given_back));
            }
            n.links
        })?;
        if links == 0 {
            self.reap(ino);
        }
        Ok(())
    }

    /// Takes a name away and leaves the node as it is, for renaming.
    pub(crate) fn take_name(&self, dir: Ino, name: &str) -> Result<Ino, Errno> {
        let now = self.now();
        let taken = self.write(dir, |n| match &mut n.content {
            Content::Directory(children) => {
                (n.modified, n.changed) = (now, now);
                children.remove(name)
            }
            _ => None,
        })?;
        taken.ok_or(Errno::NotFound)
    }

    fn reap(&self, ino: Ino) {
        if self.opens.borrow().contains_key(&ino) {
            return;
        }
        let node = self.upper.borrow_mut().remove(ino);
        if let Some(node) = node {
            self.used.set(self.used.get().saturating_sub(node.charged));
        }
    }

    pub(crate) fn opened(&self, ino: Ino) {
        *self.opens.borrow_mut().entry(ino).or_default() += 1;
    }

    pub(crate) fn closed(&self, ino: Ino) {
        let last = {
            let mut opens = self.opens.borrow_mut();
            match opens.get_mut(&ino) {
                Some(count) if *count > 1 => {
                    *count -= 1;
                    false
                }
                _ => opens.remove(&ino).is_some(),
            }
        };
        if last && matches!(self.read(ino, |n| n.links), Ok(0)) {
            self.reap(ino);
        }
    }

    fn charge(&self, bytes: u64) -> Result<(), Errno> {
        let used = self.used.get().saturating_add(bytes);
        if used > self.limit.get() {
            return Err(Errno::NoSpace);
        }
        self.used.set(used);
        Ok(())
    }

    /// Makes room for a file of `length` bytes; what it gives up is credited by the caller through the same call.
    fn recharge(&self, ino: Ino, length: u64) -> Result<(), Errno> {
        if length > FILE_BYTES_MAX {
            return Err(Errno::FileTooBig);
        }
        let (charged, wanted) = (self.read(ino, |n| n.charged)?, NODE_BYTES + length);
        if wanted > charged {
            self.charge(wanted - charged)?;
        } else {
            self.used.set(self.used.get().saturating_sub(charged - wanted));
        }
        self.write(ino, |n| n.charged = wanted)
    }

    pub(crate) fn read_at(&self, ino: Ino, offset: u64, max: usize) -> Result<Bytes, Errno> {
        enum Source {
            Bytes(Bytes),
            Generated(crate::Generator),
            Device(Rc<dyn crate::Device>),
        }
        let source = self.read(ino, |n| match &n.content {
            Content::File(data) => Ok(Source::Bytes(data.read(offset, max))),
            Content::Generated(make) => Ok(Source::Generated(Rc::clone(make))),
            Content::Device(device) => Ok(Source::Device(Rc::clone(device))),
            Content::Directory(_) => Err(Errno::IsDirectory),
            Content::Symlink(_) => Err(Errno::Loop),
        })??;
        match source {
            Source::Bytes(bytes) => Ok(bytes),
            Source::Generated(make) => Ok(Data::Shared(make()).read(offset, max)),
            Source::Device(device) => device.read(max),
        }
    }

    /// Writes at `offset`, or at the end when it is none. A gap is filled with zeros.
    pub(crate) fn write_at(&self, ino: Ino, offset: Option<u64>, bytes: &[u8]) -> Result<usize, Errno> {
        let length = match self.read(ino, |n| match &n.content {
            Content::File(data) => Ok(data.len()),
            Content::Device(device) => Err(Ok(Rc::clone(device))),
            Content::Generated(_) => Err(Err(Errno::Access)),
            Content::Directory(_) => Err(Err(Errno::IsDirectory)),
            Content::Symlink(_) => Err(Err(Errno::Loop)),
        })? {
            Ok(length) => length,
            Err(Ok(device)) => return device.write(bytes),
            Err(Err(errno)) => return Err(errno),
        };
        let offset = offset.unwrap_or(length);
        let end = offset.checked_add(bytes.len() as u64).ok_or(Errno::FileTooBig)?;
        self.recharge(ino, end.max(length))?;
        let now = self.now();
        let fits = "recharge refused everything above FILE_BYTES_MAX";
        let (from, to) = (usize::try_from(offset).expect(fits), usize::try_from(end).expect(fits));
        self.write(ino, |n| {
            if let Content::File(data) = &mut n.content {
                let own = data.own();
                if own.len() < to {
                    own.resize(to, 0);
                }
                own[from..to].copy_from_slice(bytes);
            }
            (n.modified, n.changed) = (now, now);
        })?;
        Ok(bytes.len())
    }

    /// Replaces the whole content of a regular file.
    pub(crate) fn set_bytes(&self, ino: Ino, bytes: Bytes) -> Result<(), Errno> {
        self.recharge(ino, bytes.len() as u64)?;
        let now = self.now();
        self.write(ino, |n| {
            (n.modified, n.changed) = (now, now);
            match &mut n.content {
                Content::File(data) => {
                    *data = Data::Shared(bytes);
                    Ok(())
                }
                _ => Err(Errno::Invalid),
            }
        })?
    }

    pub(crate) fn truncate(&self, ino: Ino, length: u64) -> Result<(), Errno> {
        if !self.read(ino, |n| matches!(n.content, Content::File(_)))? {
            return Err(Errno::Invalid);
        }
        self.recharge(ino, length)?;
        let now = self.now();
        let length = usize::try_from(length).map_err(|_| Errno::FileTooBig)?;
        self.write(ino, |n| {
            if let Content::File(data) = &mut n.content {
                match length {
                    0 => *data = Data::Own(Vec::new()),
                    _ => data.own().resize(length, 0),
                }
            }
            (n.modified, n.changed) = (now, now);
        })
    }

    /// The device behind a node, if it is one.
    pub(crate) fn device(&self, ino: Ino) -> Option<Rc<dyn crate::Device>> {
        self.read(ino, |n| match &n.content {
            Content::Device(device) => Some(Rc::clone(device)),
            _ => None,
        })
        .ok()
        .flatten()
    }
}

fn content_bytes(node: &Node) -> u64 {
    match &node.content {
        Content::File(data) => data.len(),
        Content::Symlink(target) => target.len() as u64,
        _ => 0,
    }
}
