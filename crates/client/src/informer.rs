//! A local copy of a collection that follows the server (`k8s.io/client-go/tools/cache`).
//!
//! What is promised:
//! * Handlers run in the informer's own task, one event at a time, in the order of revisions, and see the store as it is
//!   after the event.
//! * Every object that a list shows or a watch adds is handed out as `Added` once; every one that goes as `Deleted`
//!   once, also when it went while the watch was broken (the relist finds out).
//! * Intermediate states may be skipped after a relist, never within a watch.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use api::{Kind, Object};
use simulation::notify::Signal;
use simulation::{Sim, Task};

use crate::{Client, Error, ListOptions, WatchKind, WatchStream};

/// First pause after a failed list or watch.
const BACK_OFF_START: Duration = Duration::from_millis(800);
/// Longest pause after failed lists and watches.
const BACK_OFF_MAX: Duration = Duration::from_secs(30);

/// A change of the local copy.
#[derive(Clone, Debug)]
pub enum Event {
    /// New here.
    Added(Object),
    /// Changed.
    Modified {
        /// Before.
        old: Object,
        /// After.
        new: Object,
    },
    /// Gone; the last state that was seen.
    Deleted(Object),
}

impl Event {
    /// The object (after the change, where there is an after).
    pub fn object(&self) -> &Object {
        match self {
            Event::Added(object) | Event::Deleted(object) | Event::Modified { new: object, .. } => object,
        }
    }
}

type Handler = Rc<dyn Fn(&Event)>;

struct State {
    store: RefCell<BTreeMap<String, Object>>,
    handlers: RefCell<Vec<Handler>>,
    synced: Signal,
    revision: RefCell<String>,
    task: RefCell<Option<Task<()>>>,
    stopped: Cell<bool>,
}

/// A handle to an informer. It runs until [`Informer::stop`].
#[derive(Clone)]
pub struct Informer(Rc<State>);

impl Informer {
    /// Starts to list and then watch a collection.
    pub fn start(sim: &Sim, client: &Client, kind: &'static Kind, namespace: &str, options: ListOptions) -> Informer {
        let informer = Informer(Rc::new(State {
            store: RefCell::default(),
            handlers: RefCell::default(),
            synced: Signal::new(),
            revision: RefCell::default(),
            task: RefCell::default(),
            stopped: Cell::new(false),
        }));
        let reflector = Reflector {
            sim: sim.clone(),
            client: client.clone(),
            kind,
            namespace: namespace.to_owned(),
            options,
            informer: informer.clone(),
        };
        let task = sim.spawn(reflector.run());
        *informer.0.task.borrow_mut() = Some(task);
        informer
    }

    /// Ends it; the copy stays as it is. Whom it told of changes it holds no longer: they may hold it.
    pub fn stop(&self) {
        self.0.stopped.set(true);
        let handlers = self.0.handlers.take();
        drop(handlers);
        let task = self.0.task.borrow_mut().take();
        if let Some(task) = task {
            task.abort();
        }
    }

    /// Completes when the first list is in the store.
    pub async fn synced(&self) {
        self.0.synced.wait().await;
    }

    /// Whether the first list is in the store.
    pub fn has_synced(&self) -> bool {
        self.0.synced.is_raised()
    }

    /// The revision up to which the copy is known to be complete.
    pub fn revision(&self) -> String {
        self.0.revision.borrow().clone()
    }

    /// One object by `namespace/name` (or `name`).
    pub fn get(&self, key: &str) -> Option<Object> {
        self.0.store.borrow().get(key).cloned()
    }

    /// Every object, in the order of keys.
    pub fn list(&self) -> Vec<Object> {
        self.0.store.borrow().values().cloned().collect()
    }

    /// Every object of a namespace, in the order of names.
    pub fn list_namespace(&self, namespace: &str) -> Vec<Object> {
        let prefix = format!("{namespace}/");
        let store = self.0.store.borrow();
        store.range(prefix.clone()..).take_while(|(k, _)| k.starts_with(&prefix)).map(|(_, o)| o.clone()).collect()
    }

    /// Calls `handler` on every later event, and at once with `Added` for what is here already.
    pub fn on_event(&self, handler: impl Fn(&Event) + 'static) {
        let handler: Handler = Rc::new(handler);
        for object in self.list() {
            handler(&Event::Added(object));
        }
        self.0.handlers.borrow_mut().push(handler);
    }

    fn emit(&self, event: &Event) {
        let handlers = self.0.handlers.borrow().clone();
        for handler in handlers {
            handler(event);
        }
    }

    fn upsert(&self, object: Object) {
        let old = self.0.store.borrow_mut().insert(object.key(), object.clone());
        match old {
            Some(old) if old.resource_version() == object.resource_version() => {}
            Some(old) => self.emit(&Event::Modified { old, new: object }),
            None => self.emit(&Event::Added(object)),
        }
    }

    fn delete(&self, object: Object) {
        if self.0.store.borrow_mut().remove(&object.key()).is_some() {
            self.emit(&Event::Deleted(object));
        }
    }

    fn replace(&self, objects: Vec<Object>) {
        let keep: std::collections::BTreeSet<String> = objects.iter().map(Object::key).collect();
        let gone: Vec<Object> = {
            let store = self.0.store.borrow();
            store.iter().filter(|(k, _)| !keep.contains(*k)).map(|(_, o)| o.clone()).collect()
        };
        for object in gone {
            self.delete(object);
        }
        for object in objects {
            self.upsert(object);
        }
    }
}

struct Reflector {
    sim: Sim,
    client: Client,
    kind: &'static Kind,
    namespace: String,
    options: ListOptions,
    informer: Informer,
}

impl Reflector {
    async fn run(self) {
        let mut pause = BACK_OFF_START;
        while !self.informer.0.stopped.get() {
            let failed = match self.list().await {
                Ok(revision) => self.watch(revision).await,
                Err(error) => Err(error),
            };
            match failed {
                // The server ended the watch, or compacted what we had not seen: start over at once.
                Ok(()) => pause = BACK_OFF_START,
                Err(error) if error.is_gone() => pause = BACK_OFF_START,
                Err(_) => {
                    self.sim.sleep(self.sim.jitter(pause, 1.0)).await;
                    pause = (pause * 2).min(BACK_OFF_MAX);
                }
            }
        }
    }

    /// Lists and stores; gives the revision of the list.
    async fn list(&self) -> Result<String, Error> {
        let list = Box::pin(self.client.list(self.kind, &self.namespace, &self.options)).await?;
        self.informer.replace(list.items);
        *self.informer.0.revision.borrow_mut() = list.resource_version.clone();
        self.informer.0.synced.raise();
        Ok(list.resource_version)
    }

    async fn open(&self, from: &str) -> Result<WatchStream, Error> {
        let options = ListOptions { resource_version: from.to_owned(), ..self.options.clone() };
        self.client.watch(self.kind, &self.namespace, &options).await
    }

    /// Follows changes from a revision on until the watch breaks.
    async fn watch(&self, mut from: String) -> Result<(), Error> {
        loop {
            // An informer waits for changes nearly all of its life: what only asking takes is boxed and goes with the answer.
            let mut watch = Box::pin(self.open(&from)).await?;
            let mut seen = false;
            while let Some(event) = watch.next().await {
                let event = event?;
                seen = true;
                from = event.object.resource_version().to_owned();
                *self.informer.0.revision.borrow_mut() = from.clone();
                match event.kind {
                    WatchKind::Added | WatchKind::Modified => self.informer.upsert(event.object),
                    WatchKind::Deleted => self.informer.delete(event.object),
                    WatchKind::Bookmark => {}
                }
            }
            if !seen {
                // A watch that ends without a word may be a server that is going down.
                self.sim.sleep(self.sim.jitter(BACK_OFF_START, 1.0)).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_informer_that_waits_holds_little() {
        fn held<F: Future>(_: impl FnOnce(Reflector) -> F) -> usize {
            size_of::<F>()
        }
        const BYTES_MAX: usize = 1024;
        let bytes = held(Reflector::run);
        assert!(bytes <= BYTES_MAX, "{bytes} bytes for each collection that is followed");
    }
}
