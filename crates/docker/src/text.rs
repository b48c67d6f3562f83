//! Sizes, times and tables as Docker's command line writes them (`github.com/docker/go-units`, `text/tabwriter`).

use simulation::{Duration, Time};

/// A number of bytes in decimal units with so many digits: `8.31MB`.
pub(crate) fn size(bytes: u64, digits: usize) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    #[expect(clippy::cast_precision_loss, reason = "a few digits are shown")]
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{}{}", general(value, digits), UNITS[unit])
}

/// Bytes as BuildKit counts them: `2.13kB`, `62B`.
pub(crate) fn transferred(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "kB", "MB", "GB"];
    #[expect(clippy::cast_precision_loss, reason = "two decimals are shown")]
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes}B") } else { format!("{value:.2}{}", UNITS[unit]) }
}

/// Go's `%.*g` for numbers that need no exponent, but for one that is rounded up to a thousand.
fn general(value: f64, digits: usize) -> String {
    let before = if value < 1.0 { 1 } else { format!("{value:.0}").len().min(4) };
    if before > digits {
        return format!("{:.0}e+03", value / 1000.0);
    }
    let text = format!("{value:.*}", digits - before);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// How long ago in words: `About a minute`.
pub(crate) fn human(time: Duration) -> String {
    let seconds = time.as_secs();
    let hours = (time.as_secs_f64() / 3600.0 + 0.5).floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "hours of a session are few")]
    let hours = hours as u64;
    match seconds {
        0 => "Less than a second".to_owned(),
        1 => "1 second".to_owned(),
        2..60 => format!("{seconds} seconds"),
        60..120 => "About a minute".to_owned(),
        120..3600 => format!("{} minutes", seconds / 60),
        _ if hours == 1 => "About an hour".to_owned(),
        _ if hours < 48 => format!("{hours} hours"),
        _ if hours < 24 * 7 * 2 => format!("{} days", hours / 24),
        _ if hours < 24 * 30 * 2 => format!("{} weeks", hours / 24 / 7),
        _ if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", hours / 24 / 365),
    }
}

/// `3 minutes ago`.
pub(crate) fn ago(then: Time, now: Time) -> String {
    format!("{} ago", human(now.saturating_since(then)))
}

/// RFC 3339 with nine digits, as the engine's API writes times.
pub(crate) fn nanos(time: Time) -> String {
    let whole = time.rfc3339();
    format!("{}.{:09}Z", whole.trim_end_matches('Z'), time.as_nanos().rem_euclid(1_000_000_000))
}

/// Columns at least ten wide with three spaces between them; the last one has no spaces behind it.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        (cells.map(|cell| cell.chars().count()).max().unwrap_or(0) + 3).max(10)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            text.push_str(cell);
            if column + 1 < row.len() {
                text.push_str(&" ".repeat(widths[column] - cell.chars().count()));
            }
        }
        text.push('\n');
    }
    text
}

/// At most so many characters, the last an ellipsis if some were left out.
pub(crate) fn ellipsis(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars().take(max - 1).chain(['…']).collect()
}

/// The twelve digits of an ID that are shown.
pub(crate) fn short(id: &str) -> String {
    id.trim_start_matches("sha256:").chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_go_units() {
        let cases = [
            (0, "0B"),
            (999, "999B"),
            (1_234, "1.23kB"),
            (8_309_760, "8.31MB"),
            (187_000_000, "187MB"),
            (10_000, "10kB"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(size(bytes, 3), expected);
        }
        assert_eq!((transferred(62), transferred(2_134)), ("62B".into(), "2.13kB".into()));
    }

    #[test]
    fn times_are_told_in_words() {
        for (seconds, expected) in [
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (120, "2 minutes"),
            (3_600, "About an hour"),
            (7_200, "2 hours"),
            (3 * 86_400, "3 days"),
            (21 * 86_400, "3 weeks"),
            (90 * 86_400, "3 months"),
        ] {
            assert_eq!(human(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn columns_are_ten_wide_at_least() {
        let rows = [vec!["A".to_owned(), "B".to_owned()], vec!["longer than ten".to_owned(), "b".to_owned()]];
        assert_eq!(table(&rows), "A                 B\nlonger than ten   b\n");
        assert_eq!(table(&rows[..1]), "A         B\n");
        assert_eq!(ellipsis("\"/bin/sh -c 'sleep 1000'\"", 20), "\"/bin/sh -c 'sleep …");
    }
}
