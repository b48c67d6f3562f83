//! Virtual wall-clock time.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment of virtual time: nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Time(i64);

impl Time {
    /// The moment `nanoseconds` after the Unix epoch.
    pub const fn from_nanos(nanoseconds: i64) -> Self {
        Time(nanoseconds)
    }

    /// The moment `seconds` after the Unix epoch.
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Time(seconds * 1_000_000_000)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// How long `self` is after `earlier`; zero when it is not.
    pub fn saturating_since(self, earlier: Time) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// As `metav1.Time` is written: RFC 3339 in UTC with whole seconds.
    pub fn rfc3339(self) -> String {
        match jiff::Timestamp::from_second(self.unix_seconds()) {
            Ok(stamp) => stamp.to_string(),
            Err(_) => "0001-01-01T00:00:00Z".to_owned(),
        }
    }

    /// As `metav1.MicroTime` is written: RFC 3339 in UTC with six digits of a second.
    pub fn rfc3339_micro(self) -> String {
        let whole = self.rfc3339();
        let micros = self.0.rem_euclid(1_000_000_000) / 1_000;
        format!("{}.{micros:06}Z", whole.trim_end_matches('Z'))
    }

    /// Reads RFC 3339 with or without a fraction.
    pub fn parse_rfc3339(text: &str) -> Option<Time> {
        let stamp: jiff::Timestamp = text.parse().ok()?;
        i64::try_from(stamp.as_nanosecond()).ok().map(Time)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339_micro())
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, rhs: Duration) -> Time {
        Time(self.0.saturating_add(i64::try_from(rhs.as_nanos()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Time {
    type Output = Time;
    fn sub(self, rhs: Duration) -> Time {
        Time(self.0.saturating_sub(i64::try_from(rhs.as_nanos()).unwrap_or(i64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_as_kubernetes_does() {
        let t = Time::from_nanos(1_795_230_501_123_456_789);
        assert_eq!(t.rfc3339(), "2026-11-21T03:08:21Z");
        assert_eq!(t.rfc3339_micro(), "2026-11-21T03:08:21.123456Z");
        assert_eq!(Time::parse_rfc3339("2026-11-21T03:08:21Z"), Some(Time::from_unix_seconds(t.unix_seconds())));
        assert_eq!(Time::parse_rfc3339(&t.rfc3339_micro()), Some(Time::from_nanos(1_795_230_501_123_456_000)));
    }
}
