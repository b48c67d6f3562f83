//! Addresses of the names of ExternalName Services, for nginx's half, which waits for nobody (`resolve_external_names` of
//! rootfs/etc/nginx/lua/balancer.lua).

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use simulation::{Duration, Task, Time};

use super::session::State;
use super::site::Names;

/// How long an address is believed.
const LIFE: Duration = Duration::from_secs(30);
/// Names of one controller.
const NAMES_MAX: usize = 100;

/// What is known, and what is being asked for.
#[derive(Default)]
pub(super) struct Resolver {
    /// The addresses of the names that are wanted, and since when.
    known: RefCell<Names>,
    asked_at: RefCell<BTreeMap<String, Time>>,
    wanted: RefCell<BTreeSet<String>>,
    asking: RefCell<Option<Task<()>>>,
    is_asking: Cell<bool>,
}

impl Drop for Resolver {
    fn drop(&mut self) {
        if let Some(task) = self.asking.borrow_mut().take() {
            task.abort();
        }
    }
}

impl Resolver {
    /// The addresses so far.
    pub(super) fn known(&self) -> Names {
        self.known.borrow().clone()
    }

    /// These are wanted, and no others. Gives how many are too many: those are never resolved, and their paths answer 503.
    pub(super) fn want(&self, names: &BTreeSet<String>) -> usize {
        self.known.borrow_mut().retain(|name, _| names.contains(name));
        self.asked_at.borrow_mut().retain(|name, _| names.contains(name));
        *self.wanted.borrow_mut() = names.iter().take(NAMES_MAX).cloned().collect();
        names.len().saturating_sub(NAMES_MAX)
    }

    /// When a name is to be asked for; at the beginning of time if it never was.
    pub(super) fn due(&self) -> Option<Time> {
        if self.is_asking.get() {
            return None;
        }
        let asked = self.asked_at.borrow();
        self.wanted.borrow().iter().map(|name| asked.get(name).map_or(Time::default(), |at| *at + LIFE)).min()
    }

    /// Asks for what is due, beside everything else.
    pub(super) fn turn(&self, state: &Rc<State>) {
        let sim = state.caller().sim.clone();
        let now = sim.now();
        if self.due().is_none_or(|due| due > now) {
            return;
        }
        let asked = self.asked_at.borrow();
        let is_due = |name: &&String| asked.get(*name).is_none_or(|at| *at + LIFE <= now);
        let names: Vec<String> = self.wanted.borrow().iter().filter(is_due).cloned().collect();
        drop(asked);
        let (weak, net) = (Rc::downgrade(state), state.caller().net.clone());
        self.is_asking.set(true);
        let task = sim.clone().spawn(async move {
            for name in names {
                let found = net.resolve(&name).await;
                let Some(state) = weak.upgrade() else { return };
                state.names().learn(&name, found.ok(), sim.now(), &state);
            }
            if let Some(state) = weak.upgrade() {
                state.names().is_asking.set(false);
                state.wake();
            }
        });
        *self.asking.borrow_mut() = Some(task);
    }

    /// What was answered; without an answer what was known stays.
    fn learn(&self, name: &str, found: Option<Vec<std::net::Ipv4Addr>>, now: Time, state: &State) {
        self.asked_at.borrow_mut().insert(name.to_owned(), now);
        let Some(mut found) = found else { return };
        found.sort_unstable();
        let before = self.known.borrow_mut().insert(name.to_owned(), found.clone());
        if before.as_ref() != Some(&found) {
            state.has_changed();
            state.wake();
        }
    }
}
