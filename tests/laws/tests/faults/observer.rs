//! A client that lists a collection once and then only watches: it must always know what the server knows.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use api::{Kind, Object};
use client::{Client, ListOptions, WatchKind};
use simulation::Sim;

/// What an observer has put together.
#[derive(Default)]
struct Seen {
    objects: BTreeMap<String, Object>,
    revision: u64,
    problems: Vec<String>,
    is_listed: bool,
}

/// A running observer.
pub struct Observer {
    pub kind: &'static Kind,
    pub selector: ListOptions,
    seen: Rc<RefCell<Seen>>,
}

impl Observer {
    pub fn start(sim: &Sim, client: &Client, kind: &'static Kind, selector: ListOptions) -> Observer {
        let seen = Rc::new(RefCell::new(Seen::default()));
        sim.spawn(follow(client.clone(), kind, selector.clone(), Rc::clone(&seen)));
        Observer { kind, selector, seen }
    }

    /// What is wrong with it, given what the server lists now.
    pub fn problems(&self, listed: &[Object]) -> Vec<String> {
        let seen = self.seen.borrow();
        let who = format!("observer of {} [{}]", self.kind.plural, self.selector.field_selector);
        let mut problems: Vec<String> = seen.problems.iter().map(|problem| format!("{who}: {problem}")).collect();
        let fresh: BTreeMap<String, &Object> = listed.iter().map(|object| (object.key(), object)).collect();
        for (key, object) in &seen.objects {
            match fresh.get(key) {
                None => problems.push(format!("{who}: still has {key}, which is gone")),
                Some(fresh) if fresh.value() != object.value() => problems.push(format!(
                    "{who}: has {key} at {}, the server at {}",
                    object.resource_version(),
                    fresh.resource_version()
                )),
                Some(_) => {}
            }
        }
        let missed = fresh.keys().filter(|key| !seen.objects.contains_key(*key));
        problems.extend(missed.map(|key| format!("{who}: never heard of {key}")));
        problems
    }
}

async fn follow(client: Client, kind: &'static Kind, selector: ListOptions, seen: Rc<RefCell<Seen>>) {
    let failed = |what: String| seen.borrow_mut().problems.push(what);
    let list = match client.list(kind, "", &selector).await {
        Ok(list) => list,
        Err(error) => return failed(format!("the list failed: {error}")),
    };
    let from = list.resource_version.clone();
    {
        let mut seen = seen.borrow_mut();
        seen.revision = from.parse().unwrap_or(0);
        seen.objects = list.items.into_iter().map(|object| (object.key(), object)).collect();
        seen.is_listed = true;
    }
    let options = ListOptions { resource_version: from, ..selector };
    let mut watch = match client.watch(kind, "", &options).await {
        Ok(watch) => watch,
        Err(error) => return failed(format!("the watch failed: {error}")),
    };
    while let Some(event) = watch.next().await {
        match event {
            Ok(event) => seen.borrow_mut().take(event.kind, event.object),
            Err(error) => failed(format!("the watch broke: {error}")),
        }
    }
    failed("the watch ended".to_owned());
}

impl Seen {
    fn take(&mut self, what: WatchKind, object: Object) {
        let key = object.key();
        let revision = object.resource_version().parse().unwrap_or(0);
        if revision <= self.revision {
            self.problems.push(format!("{} {key} at {revision} after {}", what.as_str(), self.revision));
        }
        self.revision = revision;
        let known = self.objects.get(&key);
        let is_wrong = match what {
            WatchKind::Added => known.is_some(),
            WatchKind::Modified | WatchKind::Deleted => known.is_none_or(|known| known.uid() != object.uid()),
            WatchKind::Bookmark => false,
        };
        if is_wrong {
            self.problems.push(format!("{} {key} at {revision} does not follow from what was known", what.as_str()));
        }
        match what {
            WatchKind::Added | WatchKind::Modified => drop(self.objects.insert(key, object)),
            WatchKind::Deleted => drop(self.objects.remove(&key)),
            WatchKind::Bookmark => {}
        }
    }
}
