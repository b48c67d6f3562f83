//! The engine of one machine: what dockerd knows beyond its container runtime (`github.com/moby/moby/daemon`).

pub(crate) mod archive;
mod commit;
mod containers;
mod inspect;
mod names;
mod publish;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::task::Poll;

use network::NetNs;
use runtime::cri::ContainerRuntime;
use runtime::image::{Image, ImageLayer, ImageStore, Reference, StoredImage};
use simulation::Sim;
use simulation::notify::{Signal, Waiters};

pub(crate) use containers::{Container, NewContainer, Shown, runtime_says};
pub(crate) use publish::Publish;

use crate::build::CachedStep;

/// Build steps that are remembered; the oldest go.
const CACHED_STEPS_MAX: usize = 256;

/// Bytes of all layers that images of one engine have.
const IMAGE_BYTES_MAX: usize = 512 << 20;
/// What is said when there would be more.
const NO_ROOM: &str = "write /var/lib/docker/overlay2: no space left on device";
/// Bytes of all layers that build steps are remembered with; the oldest go.
const CACHED_BYTES_MAX: u64 = 128 << 20;

/// What an engine runs on.
#[derive(Clone)]
pub struct Machine {
    /// The world.
    pub sim: Sim,
    /// The machine's name.
    pub name: String,
    /// The machine's network, for published ports.
    pub net: NetNs,
    /// Its containers and images.
    pub runtime: ContainerRuntime,
}

pub(crate) struct Inner {
    machine: Machine,
    containers: RefCell<Vec<Rc<Container>>>,
    /// Results of build steps by what they depend on, and in the order of their making.
    cache: RefCell<BTreeMap<String, Rc<CachedStep>>>,
    cache_order: RefCell<Vec<String>>,
    /// Woken when a container changes its state, and when this goes.
    changed: Rc<Waiters>,
    /// Names of containers that are being made, with their IDs.
    held_names: RefCell<BTreeMap<String, String>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.changed.wake_all();
    }
}

/// Completes when something has changed, or the machine has lost its power.
async fn next(changed: &Rc<Waiters>, gone: &Signal) {
    let mut is_registered = false;
    let change = std::future::poll_fn(|cx| {
        if std::mem::replace(&mut is_registered, true) {
            return Poll::Ready(());
        }
        changed.register(cx);
        Poll::Pending
    });
    futures_util::future::select(std::pin::pin!(change), std::pin::pin!(gone.wait())).await;
}

/// The engine of a machine. Clones are handles to the same one.
#[derive(Clone)]
pub struct Daemon(Rc<Inner>);

/// What is needed of a daemon by tasks that must not keep it.
#[derive(Clone)]
pub(crate) struct WeakDaemon(Weak<Inner>);

impl WeakDaemon {
    pub(crate) fn upgrade(&self) -> Option<Daemon> {
        self.0.upgrade().map(Daemon)
    }
}

impl Daemon {
    /// An engine that knows what its runtime knows, and nothing else yet.
    pub fn new(machine: Machine) -> Daemon {
        let (containers, cache, cache_order, changed, held_names) = Default::default();
        let daemon = Daemon(Rc::new(Inner { machine, containers, cache, cache_order, changed, held_names }));
        let weak = Rc::downgrade(&daemon.0);
        daemon.runtime().on_change(Rc::new(move |_| {
            if let Some(inner) = weak.upgrade() {
                inner.changed.wake_all();
            }
        }));
        daemon
    }

    pub(crate) fn downgrade(&self) -> WeakDaemon {
        WeakDaemon(Rc::downgrade(&self.0))
    }

    pub(crate) fn sim(&self) -> &Sim {
        &self.0.machine.sim
    }

    /// The name of the machine.
    pub(crate) fn name(&self) -> &str {
        &self.0.machine.name
    }

    pub(crate) fn net(&self) -> &NetNs {
        &self.0.machine.net
    }

    pub(crate) fn runtime(&self) -> &ContainerRuntime {
        &self.0.machine.runtime
    }

    /// The images of the machine.
    pub(crate) fn images(&self) -> &ImageStore {
        self.runtime().image_store()
    }

    /// The image that a name or the beginning of an ID means.
    ///
    /// # Errors
    /// `No such image: NAME`.
    pub(crate) fn image(&self, text: &str) -> Result<StoredImage, String> {
        let named = || Reference::parse(text).map_or_else(|_| text.to_owned(), |r| r.familiar());
        self.images().find(text).ok_or_else(|| format!("Error response from daemon: No such image: {}", named()))
    }

    /// A name as the engine reads it.
    ///
    /// # Errors
    /// `invalid reference format` and its like.
    pub(crate) fn reference(text: &str) -> Result<Reference, String> {
        Reference::parse(text).map_err(|why| why.to_string())
    }

    /// Whether there is room for the layers of one more image.
    ///
    /// # Errors
    /// That there is none.
    pub(crate) fn check_room(&self, image: &Image) -> Result<(), String> {
        self.check_layers(image.layers.iter())
    }

    /// Whether there is room for layers beside those of all images.
    ///
    /// # Errors
    /// That there is none.
    pub(crate) fn check_layers<'a>(&self, layers: impl Iterator<Item = &'a ImageLayer>) -> Result<(), String> {
        let all = self.images().entries();
        let own = all.iter().flat_map(|stored| &stored.image.layers);
        let mut bytes: BTreeMap<&str, usize> = own.map(|layer| (layer.digest.as_str(), layer.tar.len())).collect();
        bytes.extend(layers.map(|layer| (layer.digest.as_str(), layer.tar.len())));
        if bytes.values().sum::<usize>() > IMAGE_BYTES_MAX {
            return Err(NO_ROOM.to_owned());
        }
        Ok(())
    }

    /// Completes when a container of the machine has changed its state.
    async fn next_change(&self) {
        next(&self.0.changed, self.runtime().gone()).await;
    }

    /// What a build step with this key made before.
    pub(crate) fn cached(&self, key: &str) -> Option<Rc<CachedStep>> {
        self.0.cache.borrow().get(key).cloned()
    }

    /// Remembers what a build step made.
    pub(crate) fn remember(&self, key: &str, step: Rc<CachedStep>) {
        let mut order = self.0.cache_order.borrow_mut();
        let mut cache = self.0.cache.borrow_mut();
        if cache.insert(key.to_owned(), step).is_none() {
            order.push(key.to_owned());
        }
        let bytes = |cache: &BTreeMap<String, Rc<CachedStep>>| cache.values().map(|step| step.bytes()).sum::<u64>();
        while order.len() > CACHED_STEPS_MAX || (order.len() > 1 && bytes(&cache) > CACHED_BYTES_MAX) {
            cache.remove(&order.remove(0));
        }
    }

    /// Forgets every build step; how many there were, and their bytes.
    pub(crate) fn forget_steps(&self) -> (usize, u64) {
        self.0.cache_order.borrow_mut().clear();
        let cache = std::mem::take(&mut *self.0.cache.borrow_mut());
        (cache.len(), cache.values().map(|step| step.bytes()).sum())
    }
}
