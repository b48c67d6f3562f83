//! Time zones by their IANA names: a small table of the rules that hold today.

use jiff::Timestamp;
use jiff::tz::TimeZone;

const ZONES: &str = include_str!("timezones.txt");

/// A time zone.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Zone {
    /// Universal time.
    pub fn utc() -> Zone {
        Zone(TimeZone::UTC)
    }

    /// The zone of a name such as `Asia/Tokyo`; none if there is no such zone.
    pub fn named(name: &str) -> Option<Zone> {
        if matches!(name, "" | "UTC") {
            return Some(Zone::utc());
        }
        let rows = ZONES.lines().filter(|line| !line.starts_with('#'));
        let rule = rows.filter_map(|line| line.split_once(' ')).find(|(_, names)| names.split(' ').any(|n| n == name));
        TimeZone::posix(rule?.0).ok().map(Zone)
    }

    /// Seconds that clocks there are ahead of universal time at a moment (seconds since 1970).
    pub fn offset_seconds(&self, at: i64) -> i64 {
        Timestamp::from_second(at).map_or(0, |time| i64::from(self.0.to_offset(time).seconds()))
    }

    /// A moment as RFC 3339 writes it there: `2026-11-21T12:00:00+09:00`.
    pub fn rfc3339(&self, at: i64) -> String {
        let offset = self.offset_seconds(at);
        let Ok(local) = Timestamp::from_second(at + offset) else { return String::new() };
        let local = local.to_string();
        if offset == 0 {
            return local;
        }
        let (sign, minutes) = if offset < 0 { ('-', -offset / 60) } else { ('+', offset / 60) };
        format!("{}{sign}{:02}:{:02}", local.trim_end_matches('Z'), minutes / 60, minutes % 60)
    }
}

/// A moment in universal time as Go's `RFC1123Z` writes it: `Sat, 21 Nov 2026 02:38:39 +0000`.
pub fn rfc1123(at: i64) -> String {
    let Ok(moment) = Timestamp::from_second(at) else { return String::new() };
    let date = moment.to_zoned(TimeZone::UTC);
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let weekday = days[date.weekday().to_monday_zero_offset() as usize];
    let month = months[date.month() as usize - 1];
    let (day, year, hour, minute, second) = (date.day(), date.year(), date.hour(), date.minute(), date.second());
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} +0000")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-07-01T00:00:00Z and 2026-12-01T00:00:00Z.
    const SUMMER: i64 = 1_782_864_000;
    const WINTER: i64 = 1_796_083_200;

    #[test]
    fn offsets_follow_the_rules() {
        for (name, summer, winter) in [
            ("UTC", 0, 0),
            ("Etc/UTC", 0, 0),
            ("Asia/Tokyo", 9 * 60, 9 * 60),
            ("Asia/Kolkata", 330, 330),
            ("Europe/Berlin", 120, 60),
            ("Europe/Dublin", 60, 0),
            ("America/New_York", -240, -300),
            ("Australia/Sydney", 600, 660),
        ] {
            let zone = Zone::named(name).unwrap();
            assert_eq!(zone.offset_seconds(SUMMER), summer * 60, "{name}");
            assert_eq!(zone.offset_seconds(WINTER), winter * 60, "{name}");
        }
        assert!(Zone::named("Nowhere/Else").is_none());
    }

    #[test]
    fn every_rule_of_the_table_is_read() {
        for line in ZONES.lines().filter(|line| !line.starts_with('#')) {
            let rule = line.split(' ').next().unwrap();
            assert!(TimeZone::posix(rule).is_ok(), "{rule}");
        }
    }

    #[test]
    fn times_are_written_with_their_offset() {
        assert_eq!(Zone::utc().rfc3339(SUMMER), "2026-07-01T00:00:00Z");
        assert_eq!(Zone::named("Asia/Tokyo").unwrap().rfc3339(SUMMER), "2026-07-01T09:00:00+09:00");
        assert_eq!(Zone::named("America/New_York").unwrap().rfc3339(WINTER), "2026-11-30T19:00:00-05:00");
    }
}
