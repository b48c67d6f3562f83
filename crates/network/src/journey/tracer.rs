//! Who writes into the journal: a request that is being made, and the connection that it became.

use std::cell::{Cell, RefCell};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use simulation::Time;

use super::http::Exchange;
use super::{Answer, Journey, Kind, Outcome, Verdict, What};
use crate::fabric::{FabricInner, Route, Target};
use crate::netns::NsInner;
use crate::{NetError, Role};

/// A journey that goes on. Dropped before it was ended, it says that the asking side gave up.
pub(crate) struct Tracer {
    fabric: Rc<FabricInner>,
    id: u64,
    over: Cell<bool>,
}

impl Tracer {
    /// Begins a journey.
    pub(crate) fn begin(fabric: &Rc<FabricInner>, from: &str, kind: Kind, routine: bool) -> Tracer {
        let id = fabric.next_flow_id();
        fabric.journal.borrow_mut().begin(id, from, kind, routine, fabric.sim.now());
        Tracer { fabric: Rc::clone(fabric), id, over: Cell::new(false) }
    }

    /// Goes on with a journey that had ended.
    pub(crate) fn resume(fabric: &Rc<FabricInner>, id: u64) -> Tracer {
        fabric.journal.borrow_mut().change(id, |journey| {
            journey.outcome = Outcome::Underway;
            journey.took_us = None;
        });
        Tracer { fabric: Rc::clone(fabric), id, over: Cell::new(false) }
    }

    /// Its number.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Changes what is written of it.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Journey) -> T) -> Option<T> {
        self.fabric.journal.borrow_mut().change(self.id, change)
    }

    /// Something happened on the way.
    pub(crate) fn pass(&self, what: What) {
        let now = self.fabric.sim.now();
        self.change(|journey| journey.pass(now, what));
    }

    /// A name server was asked, when the journey began or later.
    pub(crate) fn asked(&self, at: Option<Time>, server: Ipv4Addr, by: String, name: String, answer: Answer) {
        let now = self.fabric.sim.now();
        self.change(|journey| {
            let at = at.unwrap_or(journey.begun);
            let took_us = journey.elapsed_us(now) - journey.elapsed_us(at);
            journey.pass(at, What::Asked { server, by, name, answer, took_us });
        });
    }

    /// The way that a first packet takes, as the rules and policies have it.
    pub(crate) fn way(&self, from: &NsInner, route: &Route, verdicts: Vec<Verdict>, passes: bool) {
        let fabric = &self.fabric;
        let end = route.end.and_then(|end| fabric.host(*end.ip()));
        let is_lost = matches!(route.target, Target::Lost { .. });
        let is_pod = |host: &NsInner| host.name.starts_with("pod/");
        let leaves = end.as_ref().is_some_and(|end| !std::ptr::eq(Rc::as_ptr(end), from));
        // No policy selects either end: so far as policies were asked at all, which they are not for what a node sends.
        let is_asked = |host: &NsInner| !matches!(host.role, Role::Node | Role::Service);
        let between_pods = (is_pod(from) || end.as_deref().is_some_and(is_pod))
            && is_asked(from)
            && end.as_deref().is_some_and(is_asked);
        let is_open = leaves && !is_lost && verdicts.is_empty() && between_pods;
        let now = fabric.sim.now();
        self.change(|journey| {
            if let Some(turn) = &route.turn {
                journey.turn(now, turn);
            }
            if is_open {
                journey.pass(now, What::NoPolicy);
            }
            for verdict in verdicts {
                journey.pass(now, What::Judged(verdict));
            }
            if !passes {
                return;
            }
            match (&route.target, route.end, &end) {
                (Target::Host { wire, .. }, _, Some(end)) if leaves => {
                    let delay_us = u64::try_from(wire.delay().as_micros()).unwrap_or(u64::MAX);
                    let (from, to) = (from.machine().to_owned(), end.machine().to_owned());
                    journey.pass(now, What::Wire { from, to, delay_us });
                }
                (Target::Lost { .. }, Some(address), Some(end)) => {
                    journey.pass(now, What::NoWay { at: end.name.clone(), address });
                }
                (Target::Lost { .. }, Some(address), None) => journey.pass(now, What::Nobody { address }),
                _ => {}
            }
        });
    }

    /// A packet was lost on the wire; it is sent again after that time, if at all.
    pub(crate) fn lost_on_wire(&self, again: Option<Duration>) {
        let again_us = again.map(|again| u64::try_from(again.as_micros()).unwrap_or(u64::MAX));
        self.pass(What::LostOnWire { again_us });
    }

    /// Nothing came of it.
    pub(crate) fn lost(&self, error: NetError) {
        if self.over.get() {
            return; // dropped, and written down as such
        }
        self.end(match error {
            NetError::Refused => Outcome::NoEndpoints,
            NetError::Unreachable => Outcome::Unreachable,
            _ => Outcome::TimedOut,
        });
    }

    /// It ended.
    pub(crate) fn end(&self, outcome: Outcome) {
        self.over.set(true);
        let now = self.fabric.sim.now();
        self.change(|journey| journey.end(now, outcome));
    }

    /// The connection is open: what is written and read is watched from now on.
    pub(crate) fn watch(self) -> Watch {
        self.change(|journey| journey.outcome = Outcome::Connected);
        Watch { tracer: self, exchange: RefCell::default(), sent: Cell::new(0), received: Cell::new(0) }
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        if !self.over.get() {
            let is_dropped = self.change(|journey| journey.is_dropped());
            self.end(if is_dropped == Some(true) { Outcome::Dropped } else { Outcome::GivenUp });
        }
    }
}

/// Watches the asking end of a connection; it ends the journey when it goes.
pub(crate) struct Watch {
    tracer: Tracer,
    exchange: RefCell<Exchange>,
    sent: Cell<u64>,
    received: Cell<u64>,
}

impl Watch {
    /// Its journey's number.
    pub(crate) fn id(&self) -> u64 {
        self.tracer.id
    }

    /// Bytes were written.
    pub(crate) fn wrote(&self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let before = self.sent.get();
        self.sent.set(before + bytes.len() as u64);
        if let Some(asked) = self.exchange.borrow_mut().wrote(bytes, before == 0) {
            self.tracer.pass(What::Http { method: asked.method, path: asked.path, status: None, took_us: 0 });
        }
    }

    /// Bytes were read.
    pub(crate) fn read(&self, bytes: &[u8]) {
        self.received.set(self.received.get() + bytes.len() as u64);
        let Some(answered) = self.exchange.borrow_mut().read(bytes) else { return };
        let now = self.tracer.fabric.sim.now();
        let (sent, received) = (self.sent.get(), self.received.get());
        self.tracer.change(|journey| {
            (journey.sent, journey.received) = (sent, received);
            let elapsed = journey.elapsed_us(now);
            let open = journey.hops.iter_mut().rev().find_map(|hop| match &mut hop.what {
                What::Http { status, took_us, .. } if status.is_none() => Some((hop.after_us, status, took_us)),
                _ => None,
            });
            if let Some((began, status, took_us)) = open {
                *status = Some(answered);
                *took_us = elapsed - began;
            }
        });
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let (sent, received) = (self.sent.get(), self.received.get());
        self.tracer.change(|journey| (journey.sent, journey.received) = (sent, received));
        self.tracer.end(Outcome::Answered);
    }
}
