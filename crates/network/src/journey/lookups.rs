//! Names that a namespace has just resolved, so that the connection that follows is known to be for one of them.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use simulation::Time;

use super::Outcome;
use crate::fabric::FabricInner;
use crate::limits::{FRESH_LOOKUPS_MAX, LOOKUP_FRESH};

/// The newest lookups of a namespace.
#[derive(Debug, Default)]
pub(crate) struct Lookups(VecDeque<Lookup>);

#[derive(Debug)]
struct Lookup {
    journey: u64,
    addresses: Vec<Ipv4Addr>,
    at: Time,
}

impl Lookups {
    /// A name stands for addresses.
    pub(crate) fn note(&mut self, journey: u64, addresses: &[Ipv4Addr], at: Time) {
        if self.0.len() == FRESH_LOOKUPS_MAX {
            self.0.pop_front();
        }
        self.0.push_back(Lookup { journey, addresses: addresses.to_vec(), at });
    }

    /// The journey of the newest fresh lookup that gave an address and that nothing is under way for. One whose connection
    /// failed counts too: who has several addresses tries one after the other.
    pub(crate) fn take(&self, address: Ipv4Addr, fabric: &FabricInner) -> Option<u64> {
        let now = fabric.sim.now();
        let journal = fabric.journal.borrow();
        let is_free = |lookup: &&Lookup| {
            lookup.addresses.contains(&address)
                && now.saturating_since(lookup.at) <= LOOKUP_FRESH
                && journal.get(lookup.journey).is_some_and(|journey| journey.outcome != Outcome::Underway)
        };
        self.0.iter().rev().find(is_free).map(|lookup| lookup.journey)
    }

    /// A connection came of it: the next one is another journey.
    pub(crate) fn settle(&mut self, journey: u64) {
        self.0.retain(|lookup| lookup.journey != journey);
    }
}
