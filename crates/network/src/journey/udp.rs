//! Datagrams as exchanges: what a socket sends to somebody new begins a journey, and what comes back from there answers it.
//!
//! An exchange is forgotten after a while of silence, as connection tracking does.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddrV4;

use simulation::Time;

use super::Tracer;
use crate::limits::{UDP_EXCHANGES_MAX, UDP_FLOW_TIMEOUT};

/// The exchanges of a socket.
#[derive(Default)]
pub(crate) struct Exchanges {
    /// Those that it began, by whom it asked.
    begun: RefCell<VecDeque<(SocketAddrV4, Time, Tracer)>>,
    /// Those that others began, by who asks.
    heard: RefCell<VecDeque<(SocketAddrV4, u64)>>,
    /// The journey of the name for which this socket asks.
    pub(crate) lookup: Cell<Option<u64>>,
    /// Where the last datagram went once the rules were followed.
    pub(crate) last_end: Cell<Option<SocketAddrV4>>,
}

impl Exchanges {
    /// The journey of an exchange that is still known.
    pub(crate) fn with(&self, to: SocketAddrV4, now: Time) -> Option<u64> {
        let mut begun = self.begun.borrow_mut();
        begun.retain(|(_, at, _)| now.saturating_since(*at) <= UDP_FLOW_TIMEOUT);
        let (_, at, tracer) = begun.iter_mut().find(|(address, ..)| *address == to)?;
        *at = now;
        Some(tracer.id())
    }

    /// It began one.
    pub(crate) fn begin(&self, to: SocketAddrV4, now: Time, tracer: Tracer) {
        let mut begun = self.begun.borrow_mut();
        if begun.len() == UDP_EXCHANGES_MAX {
            begun.pop_front();
        }
        begun.push_back((to, now, tracer));
    }

    /// Something came back for one that it began: gives its tracer to `tell`.
    pub(crate) fn comes_back(&self, journey: u64, tell: impl FnOnce(&Tracer)) {
        if let Some((.., tracer)) = self.begun.borrow().iter().find(|(.., tracer)| tracer.id() == journey) {
            tell(tracer);
        }
    }

    /// Somebody asked this socket.
    pub(crate) fn hear(&self, from: SocketAddrV4, journey: u64) {
        let mut heard = self.heard.borrow_mut();
        heard.retain(|(address, _)| *address != from);
        if heard.len() == UDP_EXCHANGES_MAX {
            heard.pop_front();
        }
        heard.push_back((from, journey));
    }

    /// The journey that a datagram to an address answers.
    pub(crate) fn answers(&self, to: SocketAddrV4) -> Option<u64> {
        self.heard.borrow().iter().rev().find(|(address, _)| *address == to).map(|(_, journey)| *journey)
    }
}
