//! Dates and times: to text and back. The time zone is UTC, as in the image.

/// Microseconds of a second.
pub(crate) const SECOND_MICROS: i64 = 1_000_000;
/// Microseconds of a day.
pub(crate) const DAY_MICROS: i64 = 86_400 * SECOND_MICROS;

/// Year, month and day of a day since 1970-01-01.
pub(crate) fn civil(days: i32) -> (i32, u32, u32) {
    let z = i64::from(days) + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as i32, month as u32, day as u32)
}

/// The day of a date; none if there is no such date.
pub(crate) fn days(year: i32, month: u32, day: u32) -> Option<i32> {
    if !(1..=12).contains(&month) || day == 0 || day > month_days(year, month) || !(0..=9999).contains(&year) {
        return None;
    }
    let y = i64::from(year) - i64::from(month <= 2);
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let shifted = i64::from(if month > 2 { month - 3 } else { month + 9 });
    let day_of_year = (153 * shifted + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i32::try_from(era * 146_097 + day_of_era - 719_468).ok()
}

/// Whether a day is of the years 0 to 9999.
pub(crate) fn is_day(day: i64) -> bool {
    (-719_528..=2_932_896).contains(&day)
}

/// Days of a month.
pub(crate) fn month_days(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `2026-11-22`.
pub(crate) fn date_text(day: i32) -> String {
    let (year, month, day) = civil(day);
    format!("{year:04}-{month:02}-{day:02}")
}

fn fraction(micros: i64, places: u8) -> String {
    if places == 0 {
        return String::new();
    }
    let all = format!("{:06}", micros.rem_euclid(SECOND_MICROS));
    format!(".{}", &all[..usize::from(places.min(6))])
}

/// `2026-11-22 09:30:00`, with this many digits of the second.
pub(crate) fn moment_text(micros: i64, places: u8) -> String {
    let day = micros.div_euclid(DAY_MICROS) as i32;
    let within = micros.rem_euclid(DAY_MICROS);
    format!("{} {}", date_text(day), time_text(within, places))
}

/// `09:30:00`, with this many digits of the second.
pub(crate) fn time_text(micros: i64, places: u8) -> String {
    let (sign, micros) = (if micros < 0 { "-" } else { "" }, micros.abs());
    let seconds = micros / SECOND_MICROS;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{sign}{hours:02}:{minutes:02}:{seconds:02}{}", fraction(micros, places))
}

/// Reads a fraction of a second: microseconds and digits.
fn parse_fraction(text: &str) -> Option<(i64, u8)> {
    if text.is_empty() {
        return Some((0, 0));
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = &text[..text.len().min(6)];
    Some((format!("{digits:0<6}").parse().ok()?, digits.len() as u8))
}

/// Reads a date, with or without a time: microseconds since 1970 and the digits of the second.
pub(crate) fn parse_moment(text: &str) -> Option<(i64, u8)> {
    let text = text.trim();
    if text.len() >= 8 && text.bytes().all(|b| b.is_ascii_digit()) {
        let (date, rest) = text.split_at(8);
        let dashed = format!("{}-{}-{}", &date[..4], &date[4..6], &date[6..]);
        return match rest.len() {
            0 => parse_moment(&dashed),
            6 => parse_moment(&format!("{dashed} {}:{}:{}", &rest[..2], &rest[2..4], &rest[4..])),
            _ => None,
        };
    }
    let (date, rest) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let parts: Vec<&str> = date.split(['-', '/', '.']).collect();
    let [year, month, day] = parts.as_slice() else { return None };
    let mut number: i32 = year.parse().ok()?;
    if year.len() == 2 {
        number += if number < 70 { 2000 } else { 1900 };
    }
    let day = days(number, month.parse().ok()?, day.parse().ok()?)?;
    let (within, places) = if rest.trim().is_empty() { (0, 0) } else { parse_clock(rest.trim())? };
    (0..DAY_MICROS).contains(&within).then_some((i64::from(day) * DAY_MICROS + within, places))
}

fn parse_clock(text: &str) -> Option<(i64, u8)> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let parts: Vec<i64> = whole.split(':').map(|p| p.parse::<u32>().ok().map(i64::from)).collect::<Option<_>>()?;
    let (hours, minutes, seconds) = match parts.as_slice() {
        [h] => (*h, 0, 0),
        [h, m] => (*h, *m, 0),
        [h, m, s] => (*h, *m, *s),
        _ => return None,
    };
    if minutes > 59 || seconds > 59 {
        return None;
    }
    let (micros, places) = parse_fraction(part)?;
    Some(((hours * 3600 + minutes * 60 + seconds) * SECOND_MICROS + micros, places))
}

/// Reads a time: microseconds and the digits of the second.
pub(crate) fn parse_time(text: &str) -> Option<(i64, u8)> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('-') {
        return parse_time(rest).map(|(micros, places)| (-micros, places));
    }
    if text.contains(':') {
        return parse_clock(text.rsplit([' ', 'T']).next()?);
    }
    let number: i64 = text.parse::<u32>().ok()?.into();
    let (hours, minutes, seconds) = (number / 10_000, number / 100 % 100, number % 100);
    (minutes < 60 && seconds < 60).then_some(((hours * 3600 + minutes * 60 + seconds) * SECOND_MICROS, 0))
}

/// Adds months to a moment; the day is the month's last if it has fewer.
pub(crate) fn add_months(micros: i64, months: i64) -> Option<i64> {
    let (year, month, day) = civil(micros.div_euclid(DAY_MICROS) as i32);
    let all = (i64::from(year) * 12 + i64::from(month) - 1).checked_add(months)?;
    let (year, month) = (i32::try_from(all.div_euclid(12)).ok()?, all.rem_euclid(12) as u32 + 1);
    let there = days(year, month, day.min(month_days(year, month)))?;
    Some(i64::from(there) * DAY_MICROS + micros.rem_euclid(DAY_MICROS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_there_and_back() {
        for text in ["1970-01-01 00:00:00", "2024-02-29 23:59:59", "1969-12-31 12:00:00", "9999-12-31 00:00:01"] {
            let (micros, places) = parse_moment(text).expect(text);
            assert_eq!(moment_text(micros, places), text);
        }
        assert_eq!((days(0, 1, 1), days(9999, 12, 31)), (Some(-719_528), Some(2_932_896)));
        assert_eq!(parse_moment("2026-02-29"), None);
        assert_eq!(parse_moment("20261122").map(|m| moment_text(m.0, 0)), Some("2026-11-22 00:00:00".to_owned()));
        let (end, _) = parse_moment("2024-01-31").expect("valid");
        assert_eq!(add_months(end, 1).map(|m| moment_text(m, 0)), Some("2024-02-29 00:00:00".to_owned()));
        assert_eq!(parse_time("-12:30:01.5").map(|(t, p)| time_text(t, p)), Some("-12:30:01.5".to_owned()));
    }
}
