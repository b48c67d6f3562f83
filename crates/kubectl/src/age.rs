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
    let Ok(moment) = stamp.parse::<jiff::Timestamp>() else { return stamp.to_owned() };
    let date = moment.to_zoned(jiff::tz::TimeZone::UTC);
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let weekday = days[date.weekday().to_monday_zero_offset() as usize];
    let month = months[date.month() as usize - 1];
    format!(
        "{weekday}, {:02} {month} {:04} {:02}:{:02}:{:02} +0000",
        date.day(),
        date.year(),
        date.hour(),
        date.minute(),
        date.second()
    )
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
