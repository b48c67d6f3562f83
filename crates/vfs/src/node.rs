//! What a tree is made of: nodes with content, mode, owner and times.

use std::rc::Rc;

use bytes::Bytes;
use simulation::Time;

use crate::Device;
use crate::children::Children;

/// Number of a node in its tree. Nodes of the shared layer come first, those made later follow.
pub(crate) type Ino = u64;

/// Computes the bytes of a generated file at the moment it is read.
pub type Generator = Rc<dyn Fn() -> Bytes>;

/// The bytes of a regular file: shared with a layer until the first write.
#[derive(Clone)]
pub(crate) enum Data {
    Shared(Bytes),
    Own(Vec<u8>),
}

impl Data {
    pub(crate) fn len(&self) -> u64 {
        self.as_slice().len() as u64
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Data::Shared(bytes) => bytes,
            Data::Own(bytes) => bytes,
        }
    }

    /// Up to `max` bytes from `offset`; empty at or behind the end.
    pub(crate) fn read(&self, offset: u64, max: usize) -> Bytes {
        let length = self.as_slice().len();
        let from = usize::try_from(offset).unwrap_or(usize::MAX).min(length);
        let to = from.saturating_add(max).min(length);
        match self {
            Data::Shared(bytes) => bytes.slice(from..to),
            Data::Own(bytes) => Bytes::copy_from_slice(&bytes[from..to]),
        }
    }

    pub(crate) fn own(&mut self) -> &mut Vec<u8> {
        if let Data::Shared(bytes) = self {
            *self = Data::Own(bytes.to_vec());
        }
        match self {
            Data::Own(bytes) => bytes,
            Data::Shared(_) => unreachable!("made own just above"),
        }
    }
}

#[derive(Clone)]
pub(crate) enum Content {
    File(Data),
    Generated(Generator),
    Directory(Children),
    Symlink(Rc<str>),
    Device(Rc<dyn Device>),
}

#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) content: Content,
    /// Permission bits with set-uid, set-gid and sticky: the lower twelve bits.
    pub(crate) mode: u16,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Names that lead here. A directory has one.
    pub(crate) links: u32,
    pub(crate) modified: Time,
    pub(crate) accessed: Time,
    pub(crate) changed: Time,
    /// Bytes of this node that count against the limit of the tree.
    pub(crate) charged: u64,
}

impl Node {
    pub(crate) fn new(content: Content, mode: u16, now: Time) -> Self {
        Node {
            content,
            mode: mode & 0o7777,
            uid: 0,
            gid: 0,
            links: 1,
            modified: now,
            accessed: now,
            changed: now,
            charged: 0,
        }
    }

    pub(crate) fn directory(mode: u16, now: Time) -> Self {
        Node::new(Content::Directory(Children::new()), mode, now)
    }

    pub(crate) fn kind(&self) -> FileKind {
        match self.content {
            Content::File(_) | Content::Generated(_) => FileKind::Regular,
            Content::Directory(_) => FileKind::Directory,
            Content::Symlink(_) => FileKind::Symlink,
            Content::Device(_) => FileKind::CharDevice,
        }
    }

    pub(crate) fn size(&self) -> u64 {
        match &self.content {
            Content::File(data) => data.len(),
            Content::Symlink(target) => target.len() as u64,
            Content::Directory(_) => 4096,
            Content::Generated(_) | Content::Device(_) => 0,
        }
    }

    pub(crate) fn children(&self) -> Option<&Children> {
        match &self.content {
            Content::Directory(children) => Some(children),
            _ => None,
        }
    }
}

/// What sort of thing a name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// Bytes.
    Regular,
    /// Names.
    Directory,
    /// Another path.
    Symlink,
    /// Null, zero, a terminal.
    CharDevice,
}

impl FileKind {
    /// The first letter of `ls -l`.
    pub fn letter(self) -> char {
        match self {
            FileKind::Regular => '-',
            FileKind::Directory => 'd',
            FileKind::Symlink => 'l',
            FileKind::CharDevice => 'c',
        }
    }
}

/// What `stat` tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Number of the tree: differs between mounts.
    pub dev: u64,
    /// Number of the node within its tree.
    pub ino: u64,
    /// What it is.
    pub kind: FileKind,
    /// Permission bits (the lower twelve).
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Names that lead here; for a directory two and its subdirectories.
    pub links: u32,
    /// Bytes.
    pub size: u64,
    /// Last change of the content.
    pub modified: Time,
    /// Last access, as set by `utimes`: reading does not change it (as if mounted `noatime`).
    pub accessed: Time,
    /// Last change of content or attributes.
    pub changed: Time,
}

impl Metadata {
    /// Whether it is a directory.
    pub fn is_dir(&self) -> bool {
        self.kind == FileKind::Directory
    }

    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.kind == FileKind::Regular
    }

    /// Whether it is a symbolic link.
    pub fn is_symlink(&self) -> bool {
        self.kind == FileKind::Symlink
    }

    /// As `ls -l` begins a line, e.g. `drwxr-xr-x`.
    pub fn mode_string(&self) -> String {
        let mut text = String::with_capacity(10);
        text.push(self.kind.letter());
        let special = [(0o4000, 's', 'S'), (0o2000, 's', 'S'), (0o1000, 't', 'T')];
        for (i, (bit, with_x, without_x)) in special.into_iter().enumerate() {
            let bits = self.mode >> (6 - 3 * i);
            text.push(if bits & 4 != 0 { 'r' } else { '-' });
            text.push(if bits & 2 != 0 { 'w' } else { '-' });
            text.push(match (self.mode & bit != 0, bits & 1 != 0) {
                (true, true) => with_x,
                (true, false) => without_x,
                (false, true) => 'x',
                (false, false) => '-',
            });
        }
        text
    }
}

/// One name of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// The name, without a path.
    pub name: String,
    /// What it leads to (links are not followed).
    pub kind: FileKind,
    /// Number of the node.
    pub ino: u64,
}
