//! What becomes of events that are alike (`k8s.io/client-go/tools/record/events_cache.go`): many different messages for
//! one reason are told as one, and one object is not told of too often.

use std::collections::{BTreeMap, BTreeSet};

use simulation::{Duration, Time};

/// Different messages with one reason about one object, from which on they are combined.
pub const SIMILAR_EVENTS_MAX: usize = 10;
/// Without a similar event for so long, counting begins anew.
pub const SIMILAR_EVENTS_PERIOD: Duration = Duration::from_secs(600);
/// Events about one object that may come at once.
pub const EVENTS_BURST_MAX: u64 = 25;
/// After the burst, one more event in each such period.
pub const EVENTS_REFILL_PERIOD: Duration = Duration::from_secs(300);
/// Objects and reasons remembered.
const REMEMBERED_MAX: usize = 4_096;

/// What the message of a combined event begins with.
pub const COMBINED: &str = "(combined from similar events): ";

#[derive(Default)]
struct Similar {
    last: Time,
    messages: BTreeSet<String>,
}

struct Bucket {
    left: u64,
    since: Time,
}

/// Remembers what was told.
#[derive(Default)]
pub struct Correlator {
    similar: BTreeMap<String, Similar>,
    buckets: BTreeMap<String, Bucket>,
}

impl Correlator {
    /// Whether an event with this message is to be combined with others; `key` says about what it is and why.
    pub fn is_combined(&mut self, key: &str, message: &str, now: Time) -> bool {
        if self.similar.len() >= REMEMBERED_MAX && !self.similar.contains_key(key) {
            self.similar.pop_first();
        }
        let similar = self.similar.entry(key.to_owned()).or_default();
        if now.saturating_since(similar.last) > SIMILAR_EVENTS_PERIOD {
            similar.messages.clear();
        }
        similar.last = now;
        similar.messages.insert(message.to_owned());
        if similar.messages.len() < SIMILAR_EVENTS_MAX {
            return false;
        }
        // Room for the next one, as upstream; which one goes does not matter.
        similar.messages.pop_first();
        true
    }

    /// Whether an event about this object may be written now.
    pub fn admits(&mut self, object: &str, now: Time) -> bool {
        if self.buckets.len() >= REMEMBERED_MAX && !self.buckets.contains_key(object) {
            self.buckets.pop_first();
        }
        let bucket = self.buckets.entry(object.to_owned()).or_insert(Bucket { left: EVENTS_BURST_MAX, since: now });
        while bucket.left < EVENTS_BURST_MAX && now.saturating_since(bucket.since) >= EVENTS_REFILL_PERIOD {
            bucket.left += 1;
            bucket.since = bucket.since + EVENTS_REFILL_PERIOD;
        }
        if bucket.left == EVENTS_BURST_MAX {
            bucket.since = now;
        }
        if bucket.left == 0 {
            return false;
        }
        bucket.left -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_unix_seconds(1_795_000_000 + seconds)
    }

    #[test]
    fn the_tenth_message_of_a_reason_is_combined_until_it_has_been_quiet() {
        let mut correlator = Correlator::default();
        let combined = |c: &mut Correlator, n: i64, t| c.is_combined("key", &format!("scaled {n}"), at(t));
        let first: Vec<bool> = (0..12).map(|n| combined(&mut correlator, n, n)).collect();
        assert_eq!(first.iter().position(|c| *c), Some(9));
        assert_eq!(first[9..], [true; 3]);
        assert!(!correlator.is_combined("other", "scaled 1", at(20)));
        assert!(!combined(&mut correlator, 30, 700), "ten minutes of silence");
        // The same message again is the same event, counted.
        assert!((0..50).all(|n| !correlator.is_combined("same", "again", at(n))));
    }

    #[test]
    fn an_object_is_told_of_so_often_at_once_and_then_now_and_then() {
        let mut correlator = Correlator::default();
        let admitted = |c: &mut Correlator, t: i64| (0..40).filter(|_| c.admits("pod", at(t))).count();
        assert_eq!(admitted(&mut correlator, 0), 25);
        assert_eq!(admitted(&mut correlator, 299), 0);
        assert_eq!(admitted(&mut correlator, 600), 2);
        assert!(correlator.admits("another", at(600)));
    }
}
