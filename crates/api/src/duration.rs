//! Durations in words: the AGE column and Go's `time.Duration`.
//!
//! Upstream: `k8s.io/apimachinery/pkg/util/duration`, Go's `time.ParseDuration` and `Duration.String`.

use std::time::Duration;

/// Nanoseconds in a second.
const SECOND_NANOS: i64 = 1_000_000_000;

/// The AGE column: two units at most, the finer one only while it matters (`duration.HumanDuration`).
pub fn human(duration: Duration) -> String {
    human_nanos(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
}

/// As [`human`] for a signed number of nanoseconds: a clock that runs ahead by less than two seconds is `0s`, more is
/// `<invalid>`.
pub fn human_nanos(nanos: i64) -> String {
    let seconds = nanos / SECOND_NANOS;
    if let Some(text) = below_zero(seconds) {
        return text;
    }
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let days = hours / 24;
    if seconds < 120 {
        format!("{seconds}s")
    } else if minutes < 10 {
        two(minutes, "m", seconds % 60, "s")
    } else if minutes < 180 {
        format!("{minutes}m")
    } else if hours < 8 {
        two(hours, "h", minutes % 60, "m")
    } else if hours < 48 {
        format!("{hours}h")
    } else if hours < 24 * 8 {
        two(days, "d", hours % 24, "h")
    } else if hours < 24 * 365 * 2 {
        format!("{days}d")
    } else if hours < 24 * 365 * 8 {
        two(days / 365, "y", days % 365, "d")
    } else {
        format!("{}y", days / 365)
    }
}

/// One unit only (`duration.ShortHumanDuration`).
pub fn short_human(duration: Duration) -> String {
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    if seconds < 60 {
        format!("{seconds}s")
    } else if minutes < 60 {
        format!("{minutes}m")
    } else if hours < 24 {
        format!("{hours}h")
    } else if hours < 24 * 365 {
        format!("{}d", hours / 24)
    } else {
        format!("{}y", hours / 24 / 365)
    }
}

fn below_zero(seconds: i64) -> Option<String> {
    match seconds {
        0.. => None,
        -1 => Some("0s".to_owned()),
        _ => Some("<invalid>".to_owned()),
    }
}

fn two(major: i64, major_unit: &str, minor: i64, minor_unit: &str) -> String {
    if minor == 0 { format!("{major}{major_unit}") } else { format!("{major}{major_unit}{minor}{minor_unit}") }
}

/// Go's units, in nanoseconds.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("\u{b5}s", 1_000),
    ("\u{3bc}s", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a Go duration such as `1h15m30.918s` to nanoseconds.
///
/// # Errors
/// Go's sentence, e.g. `time: invalid duration "bad"`.
pub fn parse_go(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", crate::text::go_quote(text));
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (whole, after_whole) = split_digits(rest);
        let (fraction, after_number) = match after_whole.strip_prefix('.') {
            Some(tail) => split_digits(tail),
            None => ("", after_whole),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let unit_end = after_number.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after_number.len());
        let (unit, tail) = after_number.split_at(unit_end);
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", crate::text::go_quote(text)));
        }
        let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            let (unit, text) = (crate::text::go_quote(unit), crate::text::go_quote(text));
            return Err(format!("time: unknown unit {unit} in duration {text}"));
        };
        let part = scaled(whole, fraction, *scale).ok_or_else(invalid)?;
        total = total.checked_add(part).filter(|t| *t <= 1 << 63).ok_or_else(invalid)?;
        rest = tail;
    }
    match (negative, i64::try_from(total)) {
        (false, Ok(nanos)) => Ok(nanos),
        (true, Ok(nanos)) => Ok(-nanos),
        (true, Err(_)) => Ok(i64::MIN),
        (false, Err(_)) => Err(invalid()),
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// `whole.fraction` units in nanoseconds; digits beyond a nanosecond are cut off.
fn scaled(whole: &str, fraction: &str, scale: u64) -> Option<u64> {
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut nanos = whole.checked_mul(scale)?;
    let digits = &fraction[..fraction.len().min(18)];
    if !digits.is_empty() {
        let value: u128 = digits.parse().ok()?;
        let part = value * u128::from(scale) / 10u128.pow(u32::try_from(digits.len()).ok()?);
        nanos = nanos.checked_add(u64::try_from(part).ok()?)?;
    }
    Some(nanos)
}

/// As Go prints a duration of so many nanoseconds: `1h0m0s`, `1.5s`, `250ms`, `0s`.
pub fn format_go(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let n = nanos.unsigned_abs();
    let body = match n {
        0 => "0s".to_owned(),
        1..=999 => format!("{n}ns"),
        1_000..=999_999 => format!("{}\u{b5}s", decimal(n, 1_000)),
        1_000_000..=999_999_999 => format!("{}ms", decimal(n, 1_000_000)),
        _ => {
            let minutes = n / 60_000_000_000;
            let seconds = decimal(n % 60_000_000_000, 1_000_000_000);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, m) => format!("{m}m{seconds}s"),
                (h, m) => format!("{h}h{m}m{seconds}s"),
            }
        }
    };
    format!("{sign}{body}")
}

fn decimal(value: u64, unit: u64) -> String {
    let fraction = value % unit;
    if fraction == 0 {
        return (value / unit).to_string();
    }
    let width = unit.ilog10() as usize;
    let digits = format!("{fraction:0width$}");
    format!("{}.{}", value / unit, digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn human_durations() {
        for (seconds, long, short) in [
            (0, "0s", "0s"),
            (119, "119s", "1m"),
            (120, "2m", "2m"),
            (121, "2m1s", "2m"),
            (599, "9m59s", "9m"),
            (600, "10m", "10m"),
            (10_799, "179m", "2h"),
            (10_800, "3h", "3h"),
            (11_000, "3h3m", "3h"),
            (8 * 3600, "8h", "8h"),
            (47 * 3600, "47h", "1d"),
            (48 * 3600, "2d", "2d"),
            (49 * 3600, "2d1h", "2d"),
            (8 * 86_400, "8d", "8d"),
            (729 * 86_400, "729d", "1y"),
            (730 * 86_400, "2y", "2y"),
            (731 * 86_400, "2y1d", "2y"),
            (9 * 365 * 86_400, "9y", "9y"),
        ] {
            assert_eq!(human(Duration::from_secs(seconds)), long);
            assert_eq!(short_human(Duration::from_secs(seconds)), short);
        }
        assert_eq!(human_nanos(-SECOND_NANOS), "0s");
        assert_eq!(human_nanos(-2 * SECOND_NANOS), "<invalid>");
    }

    #[test]
    fn go_durations_parse_and_print() {
        for (text, nanos, printed) in [
            ("0", 0, "0s"),
            ("5s", 5_000_000_000, "5s"),
            ("1h", 3_600_000_000_000, "1h0m0s"),
            ("1h15m30.918s", 4_530_918_000_000, "1h15m30.918s"),
            ("90s", 90_000_000_000, "1m30s"),
            ("250ms", 250_000_000, "250ms"),
            ("1.5us", 1_500, "1.5\u{b5}s"),
            (".5s", 500_000_000, "500ms"),
            ("-1s", -1_000_000_000, "-1s"),
            ("7ns", 7, "7ns"),
        ] {
            assert_eq!(parse_go(text), Ok(nanos), "{text}");
            assert_eq!(format_go(nanos), printed);
        }
    }

    #[test]
    fn go_durations_are_refused_in_gos_words() {
        for (text, message) in [
            ("bad", r#"time: invalid duration "bad""#),
            ("", r#"time: invalid duration """#),
            ("5", r#"time: missing unit in duration "5""#),
            ("5x", r#"time: unknown unit "x" in duration "5x""#),
            ("99999999999h", r#"time: invalid duration "99999999999h""#),
        ] {
            assert_eq!(parse_go(text), Err(message.to_owned()));
        }
    }
}
