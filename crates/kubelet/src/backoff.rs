//! Doubling pauses with memory (`k8s.io/client-go/util/flowcontrol/backoff.go`).

use std::cell::RefCell;
use std::collections::BTreeMap;

use simulation::{Duration, Time};

use crate::limits::{BACK_OFF_MAX, BACK_OFF_START};

struct Entry {
    pause: Duration,
    updated: Time,
}

/// Pauses by key. An entry that was not lengthened for twice the longest pause counts as new.
#[derive(Default)]
pub(crate) struct BackOff(RefCell<BTreeMap<String, Entry>>);

fn expired(at: Time, updated: Time) -> bool {
    at.saturating_since(updated) > BACK_OFF_MAX * 2
}

impl BackOff {
    /// The pause in force for something that happened at `event`, if it is not over at `now`.
    pub(crate) fn since(&self, key: &str, event: Time, now: Time) -> Option<Duration> {
        let entries = self.0.borrow();
        let entry = entries.get(key).filter(|e| !expired(event, e.updated))?;
        (now.saturating_since(event) < entry.pause).then_some(entry.pause)
    }

    /// The same, counted from the last call of [`BackOff::next`].
    pub(crate) fn since_update(&self, key: &str, now: Time) -> Option<Duration> {
        let updated = self.0.borrow().get(key).map(|e| e.updated)?;
        if expired(now, updated) {
            return None;
        }
        self.since(key, updated, now)
    }

    /// Begins or doubles the pause.
    pub(crate) fn next(&self, key: &str, event: Time, now: Time) {
        let mut entries = self.0.borrow_mut();
        let fresh = Entry { pause: BACK_OFF_START, updated: now };
        match entries.get_mut(key) {
            Some(entry) if !expired(event, entry.updated) => {
                entry.pause = (entry.pause * 2).min(BACK_OFF_MAX);
                entry.updated = now;
            }
            _ => {
                entries.insert(key.to_owned(), fresh);
            }
        }
    }

    /// Forgets every key that begins with `prefix`.
    pub(crate) fn forget(&self, prefix: &str) {
        self.0.borrow_mut().retain(|key, _| !key.starts_with(prefix));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_to_the_limit_and_starts_anew() {
        let back_off = BackOff::default();
        let mut now = Time::from_unix_seconds(1_000);
        let mut pauses = Vec::new();
        for _ in 0..7 {
            assert_eq!(back_off.since("x", now, now + Duration::from_secs(400)), None);
            back_off.next("x", now, now);
            pauses.push(back_off.since("x", now, now).unwrap().as_secs());
            now = now + Duration::from_secs(300);
        }
        assert_eq!(pauses, [10, 20, 40, 80, 160, 300, 300]);
        now = now + Duration::from_secs(601);
        assert_eq!(back_off.since("x", now, now), None, "forgiven after ten quiet minutes");
        back_off.next("x", now, now);
        assert_eq!(back_off.since_update("x", now), Some(BACK_OFF_START));
        back_off.forget("x");
        assert_eq!(back_off.since_update("x", now), None);
    }
}
