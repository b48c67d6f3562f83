//! Cron schedules as CronJobs write them: five fields, names, steps, `@hourly` and its like, `@every 90s`. Semantics and
//! words of errors are those of the parser that Kubernetes uses (github.com/robfig/cron, `ParseStandard`).
//!
//! The crate croner was looked at and left: its errors and some of its syntax (`L`, `#`, seconds) differ.

use crate::timezone::Zone;

/// When something is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// At certain times of certain days.
    Fields(Fields),
    /// Again and again after so many seconds.
    Every(i64),
}

/// The five fields, each a set of numbers as bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    minute: u64,
    hour: u64,
    day: u64,
    month: u64,
    weekday: u64,
}

/// The field was a star: with both days given, either is enough; with a star, both must match.
const STAR: u64 = 1 << 63;
/// How far ahead a next time is looked for, in seconds: a schedule such as 31 February has none.
const HORIZON_SECONDS: i64 = 5 * 366 * 86_400;

struct Bounds {
    min: u32,
    max: u32,
    names: &'static [&'static str],
}

const MINUTES: Bounds = Bounds { min: 0, max: 59, names: &[] };
const HOURS: Bounds = Bounds { min: 0, max: 23, names: &[] };
const DAYS: Bounds = Bounds { min: 1, max: 31, names: &[] };
const MONTHS: Bounds = Bounds {
    min: 1,
    max: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const WEEKDAYS: Bounds = Bounds { min: 0, max: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

impl Schedule {
    /// Reads a schedule.
    ///
    /// # Errors
    /// What is wrong, in upstream's words.
    pub fn parse(text: &str) -> Result<Schedule, String> {
        if text.is_empty() {
            return Err("empty spec string".to_owned());
        }
        let mut text = text;
        if text.starts_with("TZ=") || text.starts_with("CRON_TZ=") {
            text = text.split_once(' ').map_or("", |(_, rest)| rest).trim();
        }
        if text.starts_with('@') {
            return descriptor(text);
        }
        let parts: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = parts.as_slice() else {
            return Err(format!("expected exactly 5 fields, found {}: [{}]", parts.len(), parts.join(" ")));
        };
        Ok(Schedule::Fields(Fields {
            minute: field(minute, &MINUTES)?,
            hour: field(hour, &HOURS)?,
            day: field(day, &DAYS)?,
            month: field(month, &MONTHS)?,
            weekday: field(weekday, &WEEKDAYS)?,
        }))
    }

    /// The first time after `after` (both seconds since 1970); none if there is none within five years.
    pub fn next(&self, after: i64, zone: &Zone) -> Option<i64> {
        match self {
            Schedule::Every(seconds) => Some(after + seconds),
            Schedule::Fields(fields) => fields.next(after, zone),
        }
    }
}

impl Fields {
    fn next(&self, after: i64, zone: &Zone) -> Option<i64> {
        let mut time = (after.div_euclid(60) + 1) * 60;
        while time < after + HORIZON_SECONDS {
            let local = time + zone.offset_seconds(time);
            let second = local.rem_euclid(86_400);
            let hour = second / 3600;
            // Whole hours are skipped, not whole days: clocks may change on the way.
            if !self.has_date(local.div_euclid(86_400)) || !has(self.hour, hour) {
                time += 3600 - second % 3600;
            } else if has(self.minute, second % 3600 / 60) {
                return Some(time);
            } else {
                time += 60;
            }
        }
        None
    }

    fn has_date(&self, days: i64) -> bool {
        let (month, day) = month_and_day(days);
        // 1970-01-01 was a Thursday.
        let (by_day, by_weekday) = (has(self.day, day), has(self.weekday, (days + 4).rem_euclid(7)));
        let days_match =
            if (self.day | self.weekday) & STAR == 0 { by_day || by_weekday } else { by_day && by_weekday };
        has(self.month, month) && days_match
    }
}

fn has(set: u64, number: i64) -> bool {
    set >> number & 1 == 1
}

/// Month and day of the month of a day counted from 1970-01-01, in the Gregorian calendar.
fn month_and_day(days: i64) -> (i64, i64) {
    // Years that begin in March put the leap day at the end.
    let shifted = (days + 719_468).rem_euclid(146_097);
    let year = (shifted - shifted / 1460 + shifted / 36_524 - shifted / 146_096) / 365;
    let day_of_year = shifted - (365 * year + year / 4 - year / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    (if march_month < 10 { march_month + 3 } else { march_month - 9 }, day)
}

fn descriptor(text: &str) -> Result<Schedule, String> {
    let fields = match text {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        _ => {
            let Some(every) = text.strip_prefix("@every ") else {
                return Err(format!("unrecognized descriptor: {text}"));
            };
            let nanos = crate::duration::parse_go(every)
                .map_err(|error| format!("failed to parse duration {text}: {error}"))?;
            return Ok(Schedule::Every((nanos / 1_000_000_000).max(1)));
        }
    };
    Schedule::parse(fields)
}

fn field(text: &str, bounds: &Bounds) -> Result<u64, String> {
    text.split(',').filter(|part| !part.is_empty()).try_fold(0, |set, part| Ok(set | range(part, bounds)?))
}

/// `number`, `number-number` or `*`, with `/step`.
fn range(text: &str, bounds: &Bounds) -> Result<u64, String> {
    let parts: Vec<&str> = text.split('/').collect();
    let ends: Vec<&str> = parts[0].split('-').collect();
    let is_star = matches!(ends[0], "*" | "?");
    let (start, mut end) = match ends.as_slice() {
        _ if is_star => (bounds.min, bounds.max),
        [one] => (number_or_name(one, bounds)?, number_or_name(one, bounds)?),
        [first, last] => (number_or_name(first, bounds)?, number_or_name(last, bounds)?),
        _ => return Err(format!("too many hyphens: {text}")),
    };
    let step = match parts.as_slice() {
        [_] => 1,
        [_, step] => {
            // "N/step" means "N-max/step".
            if ends.len() == 1 {
                end = bounds.max;
            }
            number(step)?
        }
        _ => return Err(format!("too many slashes: {text}")),
    };
    if start < bounds.min {
        return Err(format!("beginning of range ({start}) below minimum ({}): {text}", bounds.min));
    }
    if end > bounds.max {
        return Err(format!("end of range ({end}) above maximum ({}): {text}", bounds.max));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {text}"));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {text}"));
    }
    let numbers = (start..=end).step_by(step as usize).fold(0, |set, n| set | 1 << n);
    Ok(if is_star && step == 1 { numbers | STAR } else { numbers })
}

fn number_or_name(text: &str, bounds: &Bounds) -> Result<u32, String> {
    let name = bounds.names.iter().position(|name| name.eq_ignore_ascii_case(text));
    match name.and_then(|position| u32::try_from(position).ok()) {
        Some(position) => Ok(position + bounds.min),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u32, String> {
    let value: i64 = text
        .parse()
        .map_err(|_| format!("failed to parse int from {text}: strconv.Atoi: parsing {text:?}: invalid syntax"))?;
    if value < 0 {
        return Err(format!("negative number ({value}) not allowed: {text}"));
    }
    Ok(u32::try_from(value).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(schedule: &str, time: &str, zone: &str) -> String {
        let from: jiff::Timestamp = time.parse().unwrap();
        let zone = Zone::named(zone).unwrap();
        match Schedule::parse(schedule).unwrap().next(from.as_second(), &zone) {
            Some(next) => zone.rfc3339(next),
            None => "never".to_owned(),
        }
    }

    #[test]
    fn next_times() {
        for (schedule, time, next) in [
            ("*/1 * * * *", "2026-11-21T02:44:24Z", "2026-11-21T02:45:00Z"),
            ("*/15 * * * *", "2026-11-21T02:45:00Z", "2026-11-21T03:00:00Z"),
            ("@hourly", "2026-11-21T02:44:24Z", "2026-11-21T03:00:00Z"),
            ("@daily", "2026-11-21T02:44:24Z", "2026-11-22T00:00:00Z"),
            ("@weekly", "2026-11-21T02:44:24Z", "2026-11-22T00:00:00Z"),
            ("@monthly", "2026-11-21T02:44:24Z", "2026-12-01T00:00:00Z"),
            ("@yearly", "2026-11-21T02:44:24Z", "2027-01-01T00:00:00Z"),
            ("@every 90s", "2026-11-21T02:44:24Z", "2026-11-21T02:45:54Z"),
            ("30 4 1,15 * 5", "2026-11-21T02:44:24Z", "2026-11-27T04:30:00Z"),
            ("0 9 * * MON-FRI", "2026-11-21T02:44:24Z", "2026-11-23T09:00:00Z"),
            ("5/20 * * * *", "2026-11-21T02:44:24Z", "2026-11-21T02:45:00Z"),
            ("0 0 29 2 *", "2026-11-21T02:44:24Z", "2028-02-29T00:00:00Z"),
            ("0 0 31 2 *", "2026-11-21T02:44:24Z", "never"),
        ] {
            assert_eq!(after(schedule, time, "UTC"), next, "{schedule}");
        }
    }

    #[test]
    fn zones_move_the_fields() {
        assert_eq!(after("0 9 * * *", "2026-11-21T02:00:00Z", "Asia/Tokyo"), "2026-11-22T09:00:00+09:00");
        assert_eq!(after("0 9 * * *", "2026-11-21T02:00:00Z", "America/New_York"), "2026-11-21T09:00:00-05:00");
        // The hour that clocks skip in spring has no times of its own.
        assert_eq!(after("30 2 * * *", "2027-03-14T06:00:00Z", "America/New_York"), "2027-03-15T02:30:00-04:00");
    }

    #[test]
    fn errors_are_upstreams() {
        for (schedule, error) in [
            ("bad", "expected exactly 5 fields, found 1: [bad]"),
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("5-3 * * * *", "beginning of range (5) beyond end of range (3): 5-3"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("x * * * *", "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"),
            ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
            ("*/2/3 * * * *", "too many slashes: */2/3"),
            ("@often", "unrecognized descriptor: @often"),
        ] {
            assert_eq!(Schedule::parse(schedule), Err(error.to_owned()), "{schedule}");
        }
    }
}
