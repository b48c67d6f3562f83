//! Files of pods, nodes and the learner's machine: an in-memory tree as POSIX describes it.
//!
//! * [`Layer`]: a read-only tree made from an image's tar, shared by everyone who uses it.
//! * [`Vfs`]: a view of a tree, with mounts of other trees, a working directory and an identity. Cloning it is cheap
//!   and gives another view of the same files. On top of a layer, what is changed is copied on the first write.
//! * [`FileHandle`]: an open file. It stays usable after its name is gone; offsets are the caller's business.
//!
//! Invariants: no platform file is ever touched; the clock is the one given to [`Vfs::new`]; no path leaves the view's
//! root; every call ends (links are followed [`limits::SYMLINKS_MAX`] times at most); bytes and nodes are limited per
//! tree.
//!
//! Differences from Linux: no fifos and sockets as nodes, no extended attributes, reading does not touch `atime`.

mod children;
pub mod device;
mod diff;
mod errno;
mod fs;
mod handle;
mod layer;
pub mod limits;
mod node;
mod nodes;
pub mod path;
mod view;
mod walk;

pub use device::Device;
pub use errno::Errno;
pub use fs::Usage;
pub use handle::{FileHandle, OpenOptions};
pub use layer::{Entry, Layer, LayerError};
pub use node::{DirEntry, FileKind, Generator, Metadata};
pub use view::{MountOptions, Vfs};
pub use walk::Credentials;

use simulation::{Sim, Time};

/// Where modification times come from: the world's clock, or a fixed moment.
pub trait Clock {
    /// The present.
    fn now(&self) -> Time;
}

impl Clock for Sim {
    fn now(&self) -> Time {
        Sim::now(self)
    }
}

impl Clock for Time {
    fn now(&self) -> Time {
        *self
    }
}
