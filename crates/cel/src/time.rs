//! Times and durations (cel-go/common/types/timestamp.go, duration.go, Go's package time).

use jiff::tz::{Offset, TimeZone};

const NANOS: i128 = 1_000_000_000;
/// The first and the last second that there is: years 1 and 9999.
const SECONDS: (i128, i128) = (-62_135_596_800, 253_402_300_799);

/// Units of durations, the longer names first.
const UNITS: [(&str, i128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", NANOS),
    ("m", 60 * NANOS),
    ("h", 3_600 * NANOS),
];

/// Whether a time is in the years that there are.
pub(crate) fn checked_timestamp(nanos: i128) -> Option<i128> {
    let seconds = nanos.div_euclid(NANOS);
    (SECONDS.0..=SECONDS.1).contains(&seconds).then_some(nanos)
}

/// Reads RFC 3339; nanoseconds since 1970.
pub(crate) fn parse_timestamp(text: &str) -> Option<i128> {
    // Stricter than the reader, which knows more ways to write a time.
    let shape = text.as_bytes();
    let is_digit = |i: usize| shape.get(i).is_some_and(u8::is_ascii_digit);
    if !(0..4).all(is_digit) || shape.get(4) != Some(&b'-') || shape.get(10) != Some(&b'T') || text.contains('[') {
        return None;
    }
    let time: jiff::Timestamp = text.parse().ok()?;
    checked_timestamp(time.as_nanosecond())
}

/// Reads a duration as Go does: `1h30m`, `-1.5s`, `0`.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut total: i128 = 0;
    loop {
        let number_ends = rest.find(|c: char| !c.is_ascii_digit() && c != '.').filter(|end| *end > 0)?;
        let (number, after) = rest.split_at(number_ends);
        let (unit, nanos) = UNITS.iter().find(|(unit, _)| {
            // `m` is no beginning of `ms`.
            after
                .strip_prefix(unit)
                .is_some_and(|r| r.is_empty() || r.starts_with(|c: char| c.is_ascii_digit() || c == '.'))
        })?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        total += whole.checked_mul(*nanos)?;
        let mut weight = *nanos;
        for digit in fraction.chars() {
            weight /= 10;
            total += i128::from(digit.to_digit(10)?) * weight;
        }
        rest = &after[unit.len()..];
        if rest.is_empty() {
            return i64::try_from(sign * total).ok();
        }
    }
}

/// A time as RFC 3339 writes it.
pub(crate) fn show_timestamp(nanos: i128) -> String {
    jiff::Timestamp::from_nanosecond(nanos).map(|t| t.to_string()).unwrap_or_default()
}

/// A duration in seconds.
pub(crate) fn show_duration(nanos: i64) -> String {
    let (seconds, rest) = (nanos / 1_000_000_000, (nanos % 1_000_000_000).abs());
    let sign = if nanos < 0 && seconds == 0 { "-" } else { "" };
    let fraction = format!("{rest:09}");
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{seconds}{point}{fraction}s")
}

/// A part of a time in a zone (`UTC`, `+02:00`); `None` if there is no such zone here.
pub(crate) fn field(name: &str, nanos: i128, zone: &str) -> Option<i64> {
    let time = jiff::Timestamp::from_nanosecond(nanos).ok()?.to_zoned(time_zone(zone)?);
    let found = match name {
        "getFullYear" => i64::from(time.year()),
        "getMonth" => i64::from(time.month()) - 1,
        "getDayOfYear" => i64::from(time.day_of_year()) - 1,
        "getDayOfMonth" => i64::from(time.day()) - 1,
        "getDate" => i64::from(time.day()),
        "getDayOfWeek" => i64::from(time.weekday().to_sunday_zero_offset()),
        "getHours" => i64::from(time.hour()),
        "getMinutes" => i64::from(time.minute()),
        "getSeconds" => i64::from(time.second()),
        "getMilliseconds" => i64::from(time.millisecond()),
        _ => return None,
    };
    Some(found)
}

fn time_zone(zone: &str) -> Option<TimeZone> {
    if matches!(zone, "" | "UTC") {
        return Some(TimeZone::UTC);
    }
    let (hours, minutes) = zone.split_once(':')?;
    let negative = hours.starts_with('-');
    let (hours, minutes): (i32, i32) = (hours.trim_start_matches(['-', '+']).parse().ok()?, minutes.parse().ok()?);
    let seconds = (hours * 60 + minutes) * 60 * if negative { -1 } else { 1 };
    Some(TimeZone::fixed(Offset::from_seconds(seconds).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_go_reads_them() {
        for (text, seconds) in [("1h30m", 5400.0), ("1.5s", 1.5), ("-2ms", -0.002), ("0", 0.0), ("3us", 0.000_003)] {
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let found = parse_duration(text).unwrap() as f64 / 1e9;
            assert!((found - seconds).abs() < 1e-12, "{text}: {found}");
        }
        for text in ["", "1", "s", "1x", ".s", "1h-2m"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
        assert_eq!(show_duration(5_400_500_000_000), "5400.5s");
    }

    #[test]
    fn times_as_rfc_3339_has_them() {
        let time = parse_timestamp("2026-02-03T04:05:06+02:00").unwrap();
        assert_eq!(show_timestamp(time), "2026-02-03T02:05:06Z");
        assert_eq!(field("getHours", time, "+02:00"), Some(4));
        assert_eq!(field("getMonth", time, ""), Some(1));
        assert_eq!(parse_timestamp("2026-02-03"), None);
    }
}
