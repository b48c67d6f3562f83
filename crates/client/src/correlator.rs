//! What becomes of events that are alike (`k8s.io/client-go/tools/record/events_cache.go`): many different messages for
//! one reason are told as one, and one object is not told of too often.

use std::collections::BTreeMap;

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

/// What an event is about, why it came or what it says, as 128 bits of a hash (FNV-1a): what is remembered of each event is a few
/// words, not its texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest(u128);

impl Digest {
    /// Of nothing.
    pub const EMPTY: Digest = Digest(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

    /// The digest of what this is one of, with one more text.
    #[must_use]
    pub fn and(self, text: &str) -> Digest {
        // A byte that is in no text ends each.
        let bytes = text.bytes().chain([0xff]);
        Digest(bytes.fold(self.0, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(Self::PRIME)))
    }
}

#[derive(Default)]
struct Similar {
    last: Time,
    messages: Vec<Digest>,
}

struct Bucket {
    left: u64,
    since: Time,
}

/// Remembers what was told.
#[derive(Default)]
pub struct Correlator {
    similar: BTreeMap<Digest, Similar>,
    buckets: BTreeMap<Digest, Bucket>,
}

impl Correlator {
    /// Whether an event with this message is to be combined with others; `key` says about what it is and why.
    pub fn is_combined(&mut self, key: Digest, message: &str, now: Time) -> bool {
        if self.similar.len() >= REMEMBERED_MAX && !self.similar.contains_key(&key) {
            self.similar.pop_first();
        }
        let similar = self.similar.entry(key).or_default();
        if now.saturating_since(similar.last) > SIMILAR_EVENTS_PERIOD {
            similar.messages.clear();
        }
        similar.last = now;
        let message = Digest::EMPTY.and(message);
        if !similar.messages.contains(&message) {
            similar.messages.reserve_exact(1);
            similar.messages.push(message);
        }
        if similar.messages.len() < SIMILAR_EVENTS_MAX {
            return false;
        }
        // Room for the next one, as upstream; which one goes does not matter.
        similar.messages.remove(0);
        true
    }

    /// Whether an event about this object may be written now.
    pub fn admits(&mut self, object: Digest, now: Time) -> bool {
        if self.buckets.len() >= REMEMBERED_MAX && !self.buckets.contains_key(&object) {
            self.buckets.pop_first();
        }
        let bucket = self.buckets.entry(object).or_insert(Bucket { left: EVENTS_BURST_MAX, since: now });
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
        let key = |text: &str| Digest::EMPTY.and(text);
        let combined = |c: &mut Correlator, n: i64, t| c.is_combined(key("key"), &format!("scaled {n}"), at(t));
        let first: Vec<bool> = (0..12).map(|n| combined(&mut correlator, n, n)).collect();
        assert_eq!(first.iter().position(|c| *c), Some(9));
        assert_eq!(first[9..], [true; 3]);
        assert!(!correlator.is_combined(key("other"), "scaled 1", at(20)));
        assert!(!combined(&mut correlator, 30, 700), "ten minutes of silence");
        // The same message again is the same event, counted.
        assert!((0..50).all(|n| !correlator.is_combined(key("same"), "again", at(n))));
    }

    #[test]
    fn texts_and_where_they_end_make_a_digest() {
        let of = |texts: &[&str]| texts.iter().fold(Digest::EMPTY, |digest, text| digest.and(text));
        assert_eq!(of(&["a", "bc"]), Digest::EMPTY.and("a").and("bc"));
        let all =
            [of(&[]), of(&[""]), of(&["", ""]), of(&["abc"]), of(&["a", "bc"]), of(&["ab", "c"]), of(&["bc", "a"])];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[..index].contains(one), "{index}");
        }
    }

    #[test]
    fn an_object_is_told_of_so_often_at_once_and_then_now_and_then() {
        let mut correlator = Correlator::default();
        let admitted =
            |c: &mut Correlator, t: i64| (0..40).filter(|_| c.admits(Digest::EMPTY.and("pod"), at(t))).count();
        assert_eq!(admitted(&mut correlator, 0), 25);
        assert_eq!(admitted(&mut correlator, 299), 0);
        assert_eq!(admitted(&mut correlator, 600), 2);
        assert!(correlator.admits(Digest::EMPTY.and("another"), at(600)));
    }
}
