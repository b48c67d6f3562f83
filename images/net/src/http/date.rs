//! Times in the forms that servers print, in UTC.

use std::time::{SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// A moment taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// Year.
    pub year: i64,
    /// 1 to 12.
    pub month: usize,
    /// 1 to 31.
    pub day: i64,
    /// 0 to 23.
    pub hour: i64,
    /// 0 to 59.
    pub minute: i64,
    /// 0 to 59.
    pub second: i64,
    /// 0 to 999.
    pub millis: i64,
    /// 0 is Sunday.
    pub weekday: usize,
    /// 1 to 366.
    pub day_of_year: i64,
}

impl Civil {
    /// `Jan`.
    pub fn month_name(&self) -> &'static str {
        MONTHS[self.month - 1]
    }

    /// `Sun`.
    pub fn day_name(&self) -> &'static str {
        DAYS[(self.weekday + 3) % 7]
    }
}

/// Takes a moment apart (proleptic Gregorian calendar).
pub fn civil(time: SystemTime) -> Civil {
    let millis = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(0),
    };
    let (days, rest) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
    // Days are counted from 1 March of the year 0, so that the leap day is the last of its year.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_march_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_march_year + 2) / 153;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let day_of_year =
        if march_month >= 10 { day_of_march_year - 305 } else { day_of_march_year + 60 + i64::from(leap) };
    Civil {
        year,
        month: usize::try_from(month).unwrap_or(1),
        day: day_of_march_year - (153 * march_month + 2) / 5 + 1,
        hour: rest / 3_600_000,
        minute: rest / 60_000 % 60,
        second: rest / 1_000 % 60,
        millis: rest % 1_000,
        weekday: usize::try_from((days + 4).rem_euclid(7)).unwrap_or(0),
        day_of_year,
    }
}

/// `Sat, 21 Nov 2026 02:38:39 GMT`: the Date header.
pub fn http_date(time: SystemTime) -> String {
    let c = civil(time);
    let (day, month) = (c.day_name(), c.month_name());
    format!("{day}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT", c.day, c.year, c.hour, c.minute, c.second)
}

/// `21/Nov/2026:02:38:39 +0000`: access logs.
pub fn log_date(time: SystemTime) -> String {
    let c = civil(time);
    format!("{:02}/{}/{:04}:{:02}:{:02}:{:02} +0000", c.day, c.month_name(), c.year, c.hour, c.minute, c.second)
}

/// `2026-11-21T02:38:39.123Z`: how JavaScript prints a date.
pub fn iso_millis(time: SystemTime) -> String {
    let c = civil(time);
    format!("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", c.year, c.month, c.day, c.hour, c.minute, c.second, c.millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let at = |seconds: u64| UNIX_EPOCH + Duration::from_millis(seconds * 1000 + 123);
        assert_eq!(http_date(at(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(http_date(at(1_795_228_719)), "Sat, 21 Nov 2026 02:38:39 GMT");
        assert_eq!(log_date(at(1_709_210_096)), "29/Feb/2024:12:34:56 +0000");
        assert_eq!(iso_millis(at(1_795_228_719)), "2026-11-21T02:38:39.123Z");
        assert_eq!(civil(at(1_709_210_096)).day_of_year, 60);
        assert_eq!(civil(at(1_795_228_719)).day_of_year, 325);
    }
}
