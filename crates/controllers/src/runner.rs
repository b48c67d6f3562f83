//! Carries out what controllers decide: takes keys from the queue, applies the changes one after another, and waits
//! until the copies show them before it looks at the same key again.
//!
//! That wait stands in for upstream's expectations: no look is ever based on a state from before the last look's writes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use api::http::{Body, Request};
use api::{Kind, Object, kinds};
use client::{Client, Error, Event, EventRecorder, WorkQueue};
use json::Value;
use simulation::notify::Waiters;
use simulation::{Sim, Task, Time, TraceKind};

use crate::cache::Caches;
use crate::change::{Change, Note, Op, Write, draft_version};
use crate::controller::Controller;
use crate::loadbalancer::Cloud;
use crate::view::{Failure, Verb, View};

/// Keys of one controller that are worked on at the same time (`--concurrent-*-syncs`).
const WORKERS: usize = 5;
/// Changes within this time are looked at together. Upstream gets the same from the time that its requests take; here many
/// things happen in one moment, and a look at each of them would find nothing new.
const GATHER: Duration = Duration::from_millis(1);
/// A key waits so long for a write to come back through the watch; it is reached only when a watch is broken. Then the key
/// is put off by as much, again and again: a stale look would make what it has made once more.
const CACHE_WAIT_MAX: Duration = Duration::from_secs(10);
/// After so long a key is looked at although the copies do not show its last writes (`ExpectationsTimeout`).
const EXPECTED_TIME_MAX: Duration = Duration::from_secs(5 * 60);

/// The copies, and who waits for them to change.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) caches: RefCell<Caches>,
    pub(crate) changed: Waiters,
    /// Who makes load balancers.
    pub(crate) cloud: Option<Cloud>,
    /// When the controllers began.
    pub(crate) started: Time,
}

/// One controller at work.
pub(crate) struct Runner {
    sim: Sim,
    client: Client,
    recorder: EventRecorder,
    pub(crate) queue: WorkQueue,
    shared: Rc<Shared>,
    controller: &'static Controller,
    /// What plans wanted to be remembered, by key.
    memories: RefCell<BTreeMap<String, Value>>,
    /// Keys whose last writes the copies have not shown in time: what is missing, and until when that is waited for.
    owed: RefCell<BTreeMap<String, (Vec<Awaited>, Time)>>,
    /// Keys that wait for the copies, each with the task that does.
    waiting: RefCell<BTreeMap<String, Task<()>>>,
}

/// What is left of the work on a key until the copies show what it has written.
struct Rest {
    awaited: Vec<Awaited>,
    end: End,
}

/// How a list of changes ended.
enum End {
    /// Everything is done.
    Done,
    /// The key is to come back with a pause.
    Again,
    /// A write was refused; the controller is to hear why.
    Refused(Failure),
}

/// What the copies must show before the next look.
enum Awaited {
    Revision(&'static Kind, u64),
    Gone { kind: &'static Kind, key: String, uid: String },
}

/// What became of the writes of one list.
#[derive(Default)]
struct Applied {
    /// Versions by draft number.
    drafts: BTreeMap<usize, String>,
    awaited: Vec<Awaited>,
}

impl Runner {
    pub(crate) fn new(sim: &Sim, client: Client, shared: &Rc<Shared>, controller: &'static Controller) -> Rc<Runner> {
        let recorder = EventRecorder::new(&client, sim, controller.component, "");
        let (sim, shared) = (sim.clone(), Rc::clone(shared));
        let (queue, memories) = (WorkQueue::new(&sim), RefCell::default());
        let (owed, waiting) = Default::default();
        Rc::new(Runner { queue, sim, client, recorder, shared, controller, memories, owed, waiting })
    }

    /// Starts the workers.
    pub(crate) fn start(self: &Rc<Runner>) -> Vec<Task<()>> {
        let worker = |_| {
            let runner = Rc::clone(self);
            self.sim.spawn(async move { runner.work().await })
        };
        (0..WORKERS).map(worker).collect()
    }

    /// Queues what a change calls for.
    pub(crate) fn observe(&self, kind: &'static Kind, event: &Event) {
        if !self.controller.follows.contains(kind) {
            return;
        }
        let wakes = {
            let caches = self.shared.caches.borrow();
            let view = View::new(&caches, self.sim.now());
            (self.controller.wake)(&view, kind, event)
        };
        for wake in wakes {
            self.queue.add_after(wake.key, wake.after.max(GATHER));
        }
    }

    /// Ends what the workers have left waiting.
    pub(crate) fn stop(&self) {
        let waiting = std::mem::take(&mut *self.waiting.borrow_mut());
        for task in waiting.values() {
            task.abort();
        }
    }

    async fn work(self: Rc<Runner>) {
        loop {
            let key = self.queue.get().await;
            if self.is_owed(&key) {
                self.queue.add_after(&key, CACHE_WAIT_MAX);
                self.queue.done(&key);
                continue;
            }
            // Boxed: a worker waits for keys nearly all of its life.
            match Box::pin(self.look(&key, None)).await {
                Some(rest) => self.wait(key, rest),
                None => self.queue.done(&key),
            }
        }
    }

    /// Keeps a key until the copies show what was written for it; the worker is free for others meanwhile.
    fn wait(self: &Rc<Runner>, key: String, mut rest: Rest) {
        let runner = Rc::clone(self);
        let task = self.sim.spawn({
            let key = key.clone();
            async move {
                while let Some(next) = runner.go_on(&key, rest).await {
                    rest = next;
                }
                runner.waiting.borrow_mut().remove(&key);
                runner.queue.done(&key);
            }
        });
        self.waiting.borrow_mut().insert(key, task);
    }

    /// What follows when the copies show what was written, or do not in time.
    async fn go_on(&self, key: &str, rest: Rest) -> Option<Rest> {
        if self.settle(key, rest.awaited).await {
            let failure = self.finish(key, rest.end)?;
            return Box::pin(self.look(key, Some(failure))).await;
        }
        self.queue.add_after(key, CACHE_WAIT_MAX);
        None
    }

    /// Looks at a key, again and again if need be; gives what is left to do if that has to wait for the copies.
    async fn look(&self, key: &str, mut failure: Option<Failure>) -> Option<Rest> {
        let mut answer = None;
        loop {
            let changes = {
                let (caches, memories) = (self.shared.caches.borrow(), self.memories.borrow());
                let mut view = View::new(&caches, self.sim.now());
                (view.cloud, view.started) = (self.shared.cloud, self.shared.started);
                view.failure = failure.as_ref();
                view.answer = answer.as_ref();
                view.memory = memories.get(key).unwrap_or(view.memory);
                (self.controller.reconcile)(&view, key)
            };
            let Ok(changes) = changes else {
                self.queue.add_rate_limited(key);
                return None;
            };
            if let [Change::Ask { path, of }] = changes.as_slice() {
                answer = Some(self.ask(path, of).await);
                continue;
            }
            let mut applied = Applied::default();
            let end = match self.apply(key, changes, &mut applied).await {
                // A refusal that nobody asks for, or while reporting a refusal: start over with a pause.
                End::Refused(_) if failure.is_some() || !self.controller.reports_refusals => End::Again,
                end => end,
            };
            if !self.shows(&applied.awaited) {
                return Some(Rest { awaited: applied.awaited, end });
            }
            failure = Some(self.finish(key, end)?);
        }
    }

    /// Puts the key where its end wants it; gives a refusal that the controller is to hear of.
    fn finish(&self, key: &str, end: End) -> Option<Failure> {
        match end {
            End::Done => self.queue.forget(key),
            End::Again => self.queue.add_rate_limited(key),
            End::Refused(refusal) => return Some(refusal),
        }
        None
    }

    async fn apply(&self, key: &str, changes: Vec<Change>, applied: &mut Applied) -> End {
        let mut end = End::Done;
        for change in changes {
            let stop = match change {
                Change::Write(write) => self.write(*write, applied).await,
                Change::Batch(writes) => {
                    let mut first = None;
                    for write in writes {
                        let stop = self.write(write, applied).await;
                        first = first.or(stop);
                    }
                    first
                }
                Change::Event(note, about) => {
                    self.tell(&note, &about, "", "");
                    None
                }
                Change::Unless { kind, key, uid } => self.stop_if_exists(kind, &key, &uid).await,
                Change::UnlessAny { kind, namespace, pause } => self.stop_if_any(key, kind, &namespace, pause).await,
                // Asked before anything is applied.
                Change::Ask { .. } => None,
                Change::Remember(value) => {
                    let mut memories = self.memories.borrow_mut();
                    match value {
                        Value::Null => memories.remove(key),
                        value => memories.insert(key.to_owned(), value),
                    };
                    None
                }
                Change::After(pause) => {
                    self.queue.add_after(key, pause);
                    None
                }
                Change::Again => {
                    end = End::Again;
                    None
                }
            };
            if let Some(stop) = stop {
                return stop;
            }
        }
        end
    }

    /// Reads something that no copy holds.
    async fn ask(&self, path: &str, of: &str) -> Result<Value, String> {
        let mut request = Request::new(Body::Empty);
        *request.uri_mut() = path.parse().map_err(|_| format!("invalid path {path}"))?;
        match self.client.checked(request).await {
            Ok(response) => match response.into_body() {
                Body::Object(object) => Ok(object.into_value()),
                Body::List(list) => Ok(list.to_value()),
                other => json::from_slice(&other.into_bytes().unwrap_or_default()).map_err(|e| e.to_string()),
            },
            // What is no Status, client-go words by its code.
            Err(Error::Status(status)) if status.reason.is_empty() => {
                let words = match status.code {
                    404 => "the server could not find the requested resource".to_owned(),
                    503 => "the server is currently unable to handle the request".to_owned(),
                    _ => format!(
                        "an error on the server ({:?}) has prevented the request from succeeding",
                        status.message
                    ),
                };
                Err(format!("{words} (get {of})"))
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Asks the server whether an object is there that the copies do not show.
    async fn stop_if_exists(&self, kind: &'static Kind, key: &str, uid: &str) -> Option<End> {
        let (namespace, name) = key.split_once('/').unwrap_or(("", key));
        match self.client.get(kind, namespace, name).await {
            Ok(found) if !uid.is_empty() && found.uid() != uid => None,
            Err(error) if error.is_not_found() => None,
            Ok(_) | Err(_) => Some(End::Again),
        }
    }

    /// Asks the server whether a namespace holds anything of a kind.
    async fn stop_if_any(&self, key: &str, kind: &'static Kind, namespace: &str, pause: Duration) -> Option<End> {
        let first = client::ListOptions { limit: 1, ..client::ListOptions::default() };
        match self.client.list(kind, namespace, &first).await {
            Ok(list) if list.items.is_empty() => None,
            // The kind is not served any more.
            Err(error) if error.is_not_found() => None,
            Ok(_) => {
                self.queue.add_after(key, pause);
                Some(End::Done)
            }
            Err(_) => Some(End::Again),
        }
    }

    /// One write; gives how the list ends if it cannot go on.
    async fn write(&self, mut write: Write, applied: &mut Applied) -> Option<End> {
        if let Op::Update(object) | Op::UpdateSub(_, object) = &mut write.op
            && let Some(version) = draft_version(object).and_then(|number| applied.drafts.get(&number))
        {
            object.set("metadata.resourceVersion", version.clone());
        }
        let (kind, draft) = (write.kind, write.draft());
        let verb = match write.op {
            Op::Create(_) => Verb::Create,
            Op::Delete { .. } | Op::DeleteCollection { .. } => Verb::Delete,
            Op::Update(_) | Op::UpdateSub(..) | Op::Patch { .. } => Verb::Change,
        };
        let (success, failure) = (write.success, write.failure);
        match self.send(kind, write.op, &mut applied.awaited).await {
            Ok(answer) => {
                if let Some(number) = draft {
                    applied.drafts.insert(number, answer.resource_version().to_owned());
                }
                if let Some((note, about)) = success {
                    self.tell(&note, &about, answer.name(), "");
                }
                None
            }
            // Someone was faster, or the copy was old: a fresh look will tell.
            Err(error) if error.is_conflict() => Some(End::Again),
            Err(error) if error.is_not_found() && verb != Verb::Create => None,
            // What is created in a namespace on its way out would only have to go as well. Without a pod the rest of the
            // plan still makes sense, and is needed: a Job has to let its ended pods go.
            Err(error) if is_namespace_terminating(&error) && *kind == kinds::PODS => None,
            Err(error) if is_namespace_terminating(&error) => Some(End::Done),
            Err(error) => {
                if let Some((note, about)) = failure {
                    self.tell(&note, &about, "", &error.to_string());
                }
                Some(End::Refused(refusal(verb, kind, &error)))
            }
        }
    }

    async fn send(&self, kind: &'static Kind, op: Op, awaited: &mut Vec<Awaited>) -> Result<Object, Error> {
        let client = &self.client;
        let answer = match op {
            Op::Create(object) => {
                let namespace = object.namespace().to_owned();
                client.create(kind, &namespace, object).await?
            }
            Op::Update(object) => client.update(kind, object).await?,
            Op::UpdateSub(sub, object) => client.update_sub(kind, sub, object).await?,
            Op::Patch { namespace, name, sub, patch_type, patch } => {
                client.patch(kind, &namespace, &name, sub, patch_type, &patch).await?
            }
            Op::Delete { namespace, name, options } => {
                let key = if namespace.is_empty() { name.clone() } else { format!("{namespace}/{name}") };
                let uid = self.shared.caches.borrow().of(kind).get(&key).map(|o| o.uid().to_owned());
                client.delete(kind, &namespace, &name, &options).await?;
                awaited.extend(uid.map(|uid| Awaited::Gone { kind, key, uid }));
                return Ok(Object::new(Value::Null));
            }
            Op::DeleteCollection { namespace } => {
                let (options, all) = (client::DeleteOptions::default(), client::ListOptions::default());
                client.delete_collection(kind, &namespace, &options, &all).await?;
                return Ok(Object::new(Value::Null));
            }
        };
        if self.controller.follows.contains(kind) {
            awaited.extend(answer.resource_version().parse().ok().map(|revision| Awaited::Revision(kind, revision)));
        }
        Ok(answer)
    }

    fn tell(&self, note: &Note, about: &Object, name: &str, error: &str) {
        let message = note.message.replace("{name}", name).replace("{error}", error);
        self.recorder.event(about, note.event_type, note.reason, &message);
    }

    /// Whether the copies still do not show what the last look at a key has written.
    fn is_owed(&self, key: &str) -> bool {
        let mut owed = self.owed.borrow_mut();
        let waits = |(awaited, until): &(Vec<Awaited>, Time)| self.sim.now() < *until && !self.shows(awaited);
        let is_owed = owed.get(key).is_some_and(waits);
        if !is_owed {
            owed.remove(key);
        }
        is_owed
    }

    /// Waits until the copies show what was written; false if they do not in time.
    async fn settle(&self, key: &str, awaited: Vec<Awaited>) -> bool {
        if self.shows(&awaited) {
            return true;
        }
        let settled = std::future::poll_fn(|cx| {
            if self.shows(&awaited) {
                return std::task::Poll::Ready(());
            }
            self.shared.changed.register(cx);
            std::task::Poll::Pending
        });
        if self.sim.timeout(CACHE_WAIT_MAX, settled).await.is_ok() {
            return true;
        }
        self.sim.trace(TraceKind::Limit { limit: "CACHE_WAIT_MAX".into(), what: self.controller.name.into() });
        let until = self.sim.now() + EXPECTED_TIME_MAX;
        self.owed.borrow_mut().insert(key.to_owned(), (awaited, until));
        false
    }

    fn shows(&self, awaited: &[Awaited]) -> bool {
        let caches = self.shared.caches.borrow();
        awaited.iter().all(|one| match one {
            Awaited::Revision(kind, revision) => caches.of(kind).revision() >= *revision,
            Awaited::Gone { kind, key, uid } => {
                caches.of(kind).get(key).is_none_or(|o| o.uid() != uid || o.is_deleting())
            }
        })
    }
}

fn refusal(verb: Verb, kind: &Kind, error: &Error) -> Failure {
    let (code, reason) = match error {
        Error::Status(status) => (status.code, status.reason.clone()),
        Error::Transport(_) | Error::Decode(_) => (0, String::new()),
    };
    Failure { verb, kind: kind.kind, code, reason, message: error.to_string() }
}

/// `HasStatusCause(err, NamespaceTerminating)`
fn is_namespace_terminating(error: &Error) -> bool {
    let Error::Status(status) = error else { return false };
    let causes = status.details.get("causes").and_then(Value::as_array);
    causes.into_iter().flatten().any(|cause| cause["reason"] == "NamespaceTerminating")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_waits_holds_little() {
        fn held<F: Future>(_: impl FnOnce(Rc<Runner>) -> F) -> usize {
            size_of::<F>()
        }
        const BYTES_MAX: usize = 256;
        let bytes = held(Runner::work);
        assert!(bytes <= BYTES_MAX, "{bytes} bytes for each worker of a controller");
    }
}
