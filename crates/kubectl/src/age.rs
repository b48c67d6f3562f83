//! How long ago something was.

use simulation::Time;

use crate::duration;

/// `translateTimestampSince`: the age of an RFC 3339 moment, `<unknown>` without one.
pub fn of(stamp: &str, now: Time) -> String {
    match Time::parse_rfc3339(stamp) {
        Some(then) => duration::human(seconds(then, now)),
        None => "<unknown>".to_owned(),
    }
}

/// Whole seconds from `then` to `now`.
fn seconds(then: Time, now: Time) -> i64 {
    now.as_nanos().saturating_sub(then.as_nanos()).div_euclid(1_000_000_000)
}

/// `Sat, 21 Nov 2026 02:38:39 +0000`: Go's RFC1123Z, as describe writes moments.
pub fn rfc1123(stamp: &str) -> String {
    match Time::parse_rfc3339(stamp) {
        Some(moment) => api::timezone::rfc1123(moment.unix_seconds()),
        None => stamp.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        assert_eq!(rfc1123("2026-11-21T02:38:39Z"), "Sat, 21 Nov 2026 02:38:39 +0000");
        let now = Time::from_unix_seconds(1_795_230_501);
        assert_eq!(of("2026-11-21T03:08:19Z", now), "2s");
        assert_eq!(of("", now), "<unknown>");
    }
}
