//! GET with `watch`: a stream of events (k8s.io/apiserver/pkg/endpoints/handlers/watch.go, storage/cacher).
//!
//! Differences: periodic bookmarks are not sent, because an idle cluster must cost nothing; one is sent just before a
//! watch ends by its own timeout, which is when a client needs it. A watch without `timeoutSeconds` does not end.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use api::Object;
use api::http::Chunk;
use api::status::Status;
use etcd::{Event, Op, Watcher};
use futures_util::stream::Stream;
use json::json;
use simulation::Duration;

use super::read::{Selection, revision};
use super::{Context, key};
use crate::failure;
use crate::request::Query;
use crate::strategy::Strategy;

/// What is made of each object before it is sent: itself, a Table, only its metadata.
pub type Transform = Box<dyn FnMut(Object) -> Object>;

type Timer = Pin<Box<dyn Future<Output = ()>>>;

/// The stream behind the answer to a watch.
pub struct WatchStream {
    watcher: Watcher,
    selection: Selection,
    transform: Transform,
    /// Sent before anything from the watcher.
    initial: VecDeque<Chunk>,
    timeout: Option<Timer>,
    bookmarks: Option<&'static Strategy>,
    ended: bool,
}

/// An object that carries nothing but a revision.
fn bookmark(strategy: &Strategy, revision: u64, initial_end: bool) -> Object {
    let mut object = json!({
        "apiVersion": strategy.kind.api_version(), "kind": strategy.kind.kind,
        "metadata": {"resourceVersion": revision.to_string()},
    });
    if initial_end {
        object["metadata"]["annotations"] = json!({"k8s.io/initial-events-end": "true"});
    }
    Object::new(object)
}

impl Context<'_> {
    /// Opens a watch. Its errors come before the stream (then the answer is a refusal) or as an `ERROR` event.
    pub fn watch(
        &self,
        strategy: &'static Strategy,
        (namespace, name): (&str, &str),
        query: &Query,
        mut transform: Transform,
    ) -> Result<WatchStream, Status> {
        let selection = Selection::from_query(strategy, query)?;
        super::options::check_list(query, true)?;
        let asked = revision(query.get("resourceVersion"))?;
        let current = self.server.etcd.revision();
        if asked > current {
            return Err(failure::too_large_resource_version(asked, current));
        }
        let with_state = query.flag("sendInitialEvents") || (asked == 0 && !query.has("sendInitialEvents"));
        let prefix = key(strategy.kind, namespace, name);
        let mut initial = VecDeque::new();
        let from = if with_state || asked == 0 { current } else { asked };
        let watch = |from| match selection.lane() {
            Some(lane) => self.server.etcd.watch_lane(&prefix, from, lane),
            None => self.server.etcd.watch(&prefix, from),
        };
        let (watcher, too_old) = match watch(from) {
            Ok(watcher) => (watcher, None),
            Err(old) => (watch(current).expect("the present is never compacted"), Some(old)),
        };
        if with_state {
            let range = self.server.etcd.range(&prefix, 0).unwrap_or_default();
            let matching = range.iter().map(|kv| strategy.present(&kv.value)).filter(|o| selection.matches(o));
            initial.extend(matching.map(|object| Chunk::Event { event: "ADDED", object: transform(object) }));
            if query.flag("sendInitialEvents") && query.flag("allowWatchBookmarks") {
                let object = transform(bookmark(strategy, current, true));
                initial.push_back(Chunk::Event { event: "BOOKMARK", object });
            }
        }
        if let Some(old) = too_old {
            initial = VecDeque::from([expired(old)]);
        }
        let sim = &self.server.sim;
        let timeout = query.get("timeoutSeconds").parse().ok().filter(|s| *s > 0);
        Ok(WatchStream {
            watcher,
            selection,
            transform,
            initial,
            timeout: timeout.map(|s| Box::pin(sim.sleep(Duration::from_secs(s))) as Timer),
            bookmarks: query.flag("allowWatchBookmarks").then_some(strategy),
            ended: too_old.is_some(),
        })
    }
}

/// The event that tells a watcher to list again.
fn expired(old: etcd::Compacted) -> Chunk {
    let status = Status::expired(format!("too old resource version: {} ({})", old.requested, old.oldest));
    Chunk::Event { event: "ERROR", object: status.to_object() }
}

impl WatchStream {
    /// What an event means to this watch: objects come and go as they begin and cease to match.
    fn translate(&mut self, mut event: Event) -> Option<Chunk> {
        let strategy = self.selection.strategy();
        event.value = strategy.present(&event.value);
        event.previous = event.previous.as_ref().map(|o| strategy.present(o));
        let before = event.previous.as_ref().is_some_and(|o| self.selection.matches(o));
        let now = event.op != Op::Deleted && self.selection.matches(&event.value);
        let (name, object) = match (before, now) {
            (false, true) => ("ADDED", event.value),
            (true, true) => ("MODIFIED", event.value),
            (true, false) if event.op == Op::Deleted => ("DELETED", event.value),
            (true, false) => {
                // The object lives on, but not for this watch: its last matching state, at the new revision.
                let mut last = event.previous?;
                last.set("metadata.resourceVersion", event.revision.to_string());
                ("DELETED", last)
            }
            (false, false) => return None,
        };
        Some(Chunk::Event { event: name, object: (self.transform)(object) })
    }
}

impl Stream for WatchStream {
    type Item = Chunk;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Chunk>> {
        if let Some(chunk) = self.initial.pop_front() {
            return Poll::Ready(Some(chunk));
        }
        while !self.ended {
            match Pin::new(&mut self.watcher).poll_next(cx) {
                Poll::Ready(Some(Ok(event))) => {
                    if let Some(chunk) = self.translate(event) {
                        return Poll::Ready(Some(chunk));
                    }
                }
                Poll::Ready(Some(Err(old))) => {
                    self.ended = true;
                    return Poll::Ready(Some(expired(old)));
                }
                Poll::Ready(None) => self.ended = true,
                Poll::Pending => break,
            }
        }
        if self.ended {
            return Poll::Ready(None);
        }
        if let Some(timer) = &mut self.timeout
            && timer.as_mut().poll(cx).is_ready()
        {
            self.ended = true;
            if let Some(strategy) = self.bookmarks {
                let object = bookmark(strategy, self.watcher.seen(), false);
                let object = (self.transform)(object);
                return Poll::Ready(Some(Chunk::Event { event: "BOOKMARK", object }));
            }
            return Poll::Ready(None);
        }
        Poll::Pending
    }
}

/// A transform that changes nothing.
pub fn unchanged() -> Transform {
    Box::new(|object| object)
}
