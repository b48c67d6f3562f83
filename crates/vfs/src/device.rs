//! Device nodes: files whose bytes come from somewhere else.

use std::rc::Rc;

use bytes::Bytes;
use simulation::Sim;

use crate::node::{Content, Node};
use crate::{Errno, Layer, Vfs};

/// A character device. Calls never block: a terminal that has nothing to read answers [`Errno::Again`], and whoever
/// holds the file knows from [`Device::is_terminal`] that waiting is possible.
pub trait Device {
    /// Up to `max` bytes; empty means the end.
    fn read(&self, max: usize) -> Result<Bytes, Errno>;
    /// Takes bytes; gives how many.
    fn write(&self, bytes: &[u8]) -> Result<usize, Errno>;
    /// Whether it is a terminal (`isatty`).
    fn is_terminal(&self) -> bool {
        false
    }
}

/// Bytes that one read of an endless device gives at most.
pub const DEVICE_READ_BYTES_MAX: usize = 64 * 1024;

/// `/dev/null`.
pub struct Null;
impl Device for Null {
    fn read(&self, _max: usize) -> Result<Bytes, Errno> {
        Ok(Bytes::new())
    }
    fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
        Ok(bytes.len())
    }
}

/// `/dev/zero`.
pub struct Zero;
impl Device for Zero {
    fn read(&self, max: usize) -> Result<Bytes, Errno> {
        Ok(vec![0; max.min(DEVICE_READ_BYTES_MAX)].into())
    }
    fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
        Ok(bytes.len())
    }
}

/// `/dev/full`.
pub struct Full;
impl Device for Full {
    fn read(&self, max: usize) -> Result<Bytes, Errno> {
        Zero.read(max)
    }
    fn write(&self, _bytes: &[u8]) -> Result<usize, Errno> {
        Err(Errno::NoSpace)
    }
}

/// `/dev/random` and `/dev/urandom`: bytes of the world's generator.
pub struct Random(pub Sim);
impl Device for Random {
    fn read(&self, max: usize) -> Result<Bytes, Errno> {
        let mut bytes = vec![0; max.min(DEVICE_READ_BYTES_MAX)];
        self.0.random_bytes(&mut bytes);
        Ok(bytes.into())
    }
    fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
        Ok(bytes.len())
    }
}

/// The usual devices.
fn usual(sim: &Sim) -> [(&'static str, Rc<dyn Device>); 5] {
    [
        ("/dev/null", Rc::new(Null)),
        ("/dev/zero", Rc::new(Zero)),
        ("/dev/full", Rc::new(Full)),
        ("/dev/random", Rc::new(Random(sim.clone()))),
        ("/dev/urandom", Rc::new(Random(sim.clone()))),
    ]
}

/// Who may do what with them.
const MODE: u16 = 0o666;

/// Puts the usual devices below `/dev`.
///
/// # Errors
/// Those of [`Vfs::mkdir_all`] and [`Vfs::device`].
pub fn install(vfs: &Vfs, sim: &Sim) -> Result<(), Errno> {
    vfs.mkdir_all("/dev")?;
    for (path, device) in usual(sim) {
        vfs.device(path, device, MODE)?;
    }
    Ok(())
}

/// The files of a container before anything is mounted: those of its image, the usual devices, and the places that every
/// container has. It is made once for all containers of an image.
#[must_use]
pub fn installed(layer: &Layer, sim: &Sim) -> Layer {
    let (mut layer, now) = (layer.clone(), sim.now());
    for (path, device) in usual(sim) {
        layer.put(path, Node::new(Content::Device(device), MODE, now));
    }
    for (target, link) in [("/proc/self/fd/0", "stdin"), ("/proc/self/fd/1", "stdout"), ("/proc/self/fd/2", "stderr")] {
        let path = format!("/dev/{link}");
        // The image may have one.
        if layer.lookup(&path).is_none() {
            layer.put(&path, Node::new(Content::Symlink(target.into()), 0o777, now));
        }
    }
    for place in ["/proc", "/etc"] {
        layer.directory(place, now);
    }
    layer
}
