//! The ring that keeps journeys.

use std::collections::VecDeque;

use simulation::Time;

use super::{Hop, Journey, Kind, Outcome, What};
use crate::limits::{JOURNEY_HOPS_MAX, JOURNEYS_MAX, ROUTINE_JOURNEYS_MAX};

/// The newest journeys. Those of the cluster itself have a ring of their own: probes must not push out what a learner did.
#[derive(Default)]
pub(crate) struct Journal {
    asked: VecDeque<Journey>,
    routine: VecDeque<Journey>,
    revision: u64,
}

impl Journal {
    /// Begins a journey. Numbers must come in rising order.
    pub(crate) fn begin(&mut self, id: u64, from: &str, kind: Kind, routine: bool, now: Time) {
        self.revision += 1;
        let (ring, max) = match routine {
            true => (&mut self.routine, ROUTINE_JOURNEYS_MAX),
            false => (&mut self.asked, JOURNEYS_MAX),
        };
        ring.push_back(Journey {
            id,
            revision: self.revision,
            begun: now,
            from: from.to_owned(),
            kind,
            name: None,
            to: None,
            hops: Vec::new(),
            hops_left_out: 0,
            outcome: Outcome::Underway,
            took_us: None,
            sent: 0,
            received: 0,
            routine,
        });
        if ring.len() > max {
            ring.pop_front();
        }
    }

    /// Changes a journey; nothing happens if it is kept no more.
    pub(crate) fn change<T>(&mut self, id: u64, change: impl FnOnce(&mut Journey) -> T) -> Option<T> {
        let rings = [&mut self.asked, &mut self.routine];
        let journey = rings.into_iter().find_map(|ring| {
            let at = ring.binary_search_by_key(&id, |journey| journey.id).ok()?;
            ring.get_mut(at)
        })?;
        self.revision += 1;
        journey.revision = self.revision;
        Some(change(journey))
    }

    /// A journey that is kept.
    pub(crate) fn get(&self, id: u64) -> Option<&Journey> {
        let find = |ring: &'_ VecDeque<Journey>| ring.binary_search_by_key(&id, |journey| journey.id).ok();
        match find(&self.asked) {
            Some(at) => self.asked.get(at),
            None => self.routine.get(find(&self.routine)?),
        }
    }

    /// Journeys that began or changed after a revision, oldest first.
    pub(crate) fn since(&self, revision: u64) -> Vec<Journey> {
        if revision >= self.revision {
            return Vec::new();
        }
        let all = self.asked.iter().chain(&self.routine);
        let mut found: Vec<Journey> = all.filter(|journey| journey.revision > revision).cloned().collect();
        found.sort_by_key(|journey| journey.id);
        found
    }

    /// The newest journey of somebody that began at or after a time.
    pub(crate) fn newest_of(&self, from: &str, since: Time) -> Option<u64> {
        let newest = self.asked.iter().rev().find(|journey| journey.from == from)?;
        (newest.begun >= since).then_some(newest.id)
    }
}

impl Journey {
    /// Adds a hop, within the limit.
    pub(crate) fn pass(&mut self, now: Time, what: What) {
        // What is sent again is judged again; the same word twice is no news.
        let again = matches!(&what, What::Judged(_) | What::NoPolicy) && self.hops.iter().any(|hop| hop.what == what);
        if again {
            return;
        }
        if self.hops.len() >= JOURNEY_HOPS_MAX {
            self.hops_left_out += 1;
            return;
        }
        let after_us = self.elapsed_us(now);
        self.hops.push(Hop { after_us, what });
    }

    /// Adds what led elsewhere. A packet that is sent again finds a rule again: then only another choice is news.
    pub(crate) fn turn(&mut self, now: Time, turn: &What) {
        let last = self.hops.iter().rev().find(|hop| matches!(hop.what, What::Rule { .. } | What::HostPort { .. }));
        if last.is_none_or(|last| last.what != *turn) {
            self.pass(now, turn.clone());
        }
    }

    /// Whether the last word of a NetworkPolicy is no.
    pub(crate) fn is_dropped(&self) -> bool {
        let said = self.hops.iter().rev().find_map(|hop| match &hop.what {
            What::Judged(verdict) => Some(verdict.allowed_by.is_some()),
            _ => None,
        });
        said == Some(false)
    }

    /// Ends it.
    pub(crate) fn end(&mut self, now: Time, outcome: Outcome) {
        self.outcome = outcome;
        self.took_us = Some(self.elapsed_us(now));
    }

    /// Virtual microseconds since it began.
    pub(crate) fn elapsed_us(&self, now: Time) -> u64 {
        u64::try_from(now.saturating_since(self.begun).as_micros()).unwrap_or(u64::MAX)
    }
}
