//! Values, what they become as text, numbers and times, and how they compare.

use std::cmp::Ordering;
use std::fmt;
use std::rc::Rc;

use crate::time;

/// One field of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// A whole number.
    Int(i64),
    /// A number with this many places after the point: `Decimal(125, 2)` is 1.25.
    Decimal(i128, u8),
    /// A binary number.
    Double(f64),
    /// Text, compared without regard to case and accents.
    Text(Rc<str>),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01, and the digits shown of them.
    DateTime(i64, u8),
    /// Microseconds, and the digits shown of them.
    Time(i64, u8),
}

/// Places after the point at most, as in MySQL.
pub(crate) const SCALE_MAX: u8 = 30;

/// A row of a table or of a result.
pub type Row = Rc<[Value]>;

impl Value {
    /// A text.
    pub fn text(text: impl AsRef<str>) -> Value {
        Value::Text(text.as_ref().into())
    }

    pub(crate) fn bool(value: bool) -> Value {
        Value::Int(i64::from(value))
    }

    /// Whether it is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The text a client sees; none for NULL.
    pub fn shown(&self) -> Option<String> {
        (!self.is_null()).then(|| self.to_string())
    }

    /// As a binary number: the number that a text begins with.
    pub(crate) fn number(&self) -> f64 {
        match self {
            Value::Null => 0.0,
            Value::Int(n) => *n as f64,
            Value::Decimal(digits, scale) => *digits as f64 / 10f64.powi(i32::from(*scale)),
            Value::Double(n) => *n,
            Value::Text(text) => leading_number(text).0,
            Value::Date(_) | Value::DateTime(..) | Value::Time(..) => self.digits() as f64,
        }
    }

    /// A date or time as the number of its digits: 20261122, 20261122093000.
    pub(crate) fn digits(&self) -> i64 {
        let shown: String = self.to_string().split('.').next().unwrap_or("").replace(['-', ':', ' '], "");
        let number = shown.parse().unwrap_or(0);
        if self.to_string().starts_with('-') { -number } else { number }
    }

    /// As a condition; none for NULL.
    pub(crate) fn truth(&self) -> Option<bool> {
        match self {
            Value::Null => None,
            Value::Int(n) => Some(*n != 0),
            Value::Decimal(n, _) => Some(*n != 0),
            other => Some(other.number() != 0.0),
        }
    }

    /// As an exact number where it is one: digits and places.
    pub(crate) fn exact(&self) -> Option<(i128, u8)> {
        match self {
            Value::Int(n) => Some((i128::from(*n), 0)),
            Value::Decimal(n, scale) => Some((*n, *scale)),
            Value::Date(_) | Value::DateTime(..) | Value::Time(..) => Some((i128::from(self.digits()), 0)),
            _ => None,
        }
    }

    /// As microseconds since 1970 for comparing with times.
    pub(crate) fn moment(&self) -> Option<i64> {
        match self {
            Value::Date(days) => Some(i64::from(*days) * time::DAY_MICROS),
            Value::DateTime(micros, _) => Some(*micros),
            Value::Text(text) => time::parse_moment(text).map(|(micros, _)| micros),
            Value::Int(_) => time::parse_moment(&self.to_string()).map(|(micros, _)| micros),
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => out.write_str("NULL"),
            Value::Int(n) => write!(out, "{n}"),
            Value::Decimal(digits, scale) => out.write_str(&decimal_text(*digits, *scale)),
            Value::Double(n) => out.write_str(&double_text(*n)),
            Value::Text(text) => out.write_str(text),
            Value::Date(days) => out.write_str(&time::date_text(*days)),
            Value::DateTime(micros, places) => out.write_str(&time::moment_text(*micros, *places)),
            Value::Time(micros, places) => out.write_str(&time::time_text(*micros, *places)),
        }
    }
}

fn decimal_text(digits: i128, scale: u8) -> String {
    let (sign, all) = (if digits < 0 { "-" } else { "" }, digits.unsigned_abs().to_string());
    let scale = usize::from(scale);
    if scale == 0 {
        return format!("{sign}{all}");
    }
    let all = format!("{all:0>width$}", width = scale + 1);
    let (whole, part) = all.split_at(all.len() - scale);
    format!("{sign}{whole}.{part}")
}

/// As C's `%g` with enough digits to read the same number again.
fn double_text(n: f64) -> String {
    if n == 0.0 {
        return "0".to_owned();
    }
    let exponent = n.abs().log10().floor() as i32;
    if (-5..15).contains(&exponent) {
        return format!("{n}");
    }
    let text = format!("{n:e}");
    text.replace("e-0", "e-")
}

/// The number that a text begins with, and whether that was all of it.
pub(crate) fn leading_number(text: &str) -> (f64, bool) {
    let text = text.trim();
    let bytes = text.as_bytes();
    let (mut end, mut best) = (0, 0);
    let (mut digits, mut point, mut exponent) = (false, false, false);
    while end < bytes.len() {
        match bytes[end] {
            b'0'..=b'9' => (digits, best) = (true, end + 1),
            b'+' | b'-' if end == 0 || matches!(bytes[end - 1], b'e' | b'E') => {}
            b'.' if !point && !exponent => {
                point = true;
                best = if digits { end + 1 } else { best };
            }
            b'e' | b'E' if digits && !exponent => exponent = true,
            _ => break,
        }
        end += 1;
    }
    (text[..best].parse().unwrap_or(0.0), best == bytes.len() && digits)
}

/// Reads an exact number: digits and places.
pub(crate) fn parse_decimal(text: &str) -> Option<(i128, u8)> {
    let text = text.trim();
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = rest.split_once('.').unwrap_or((rest, ""));
    if whole.is_empty() && part.is_empty() || !whole.bytes().chain(part.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = &part[..part.len().min(usize::from(SCALE_MAX))];
    let digits: i128 = format!("{whole}{part}").parse().ok()?;
    Some((if negative { -digits } else { digits }, part.len() as u8))
}

/// Gives an exact number this many places, rounding half away from zero; none if it grows too large.
pub(crate) fn rescale(digits: i128, from: u8, to: u8) -> Option<i128> {
    if to >= from {
        return digits.checked_mul(10i128.checked_pow(u32::from(to - from))?);
    }
    let unit = 10i128.checked_pow(u32::from(from - to))?;
    let (whole, rest) = (digits / unit, digits % unit);
    Some(if rest.unsigned_abs() * 2 >= unit.unsigned_abs() { whole + digits.signum() } else { whole })
}

/// Text as it is compared: without case and without the accents of Latin letters, as `utf8mb4_0900_ai_ci`.
pub(crate) fn fold(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(plain).collect()
}

fn plain(c: char) -> char {
    match c {
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' => 'o',
        'ù'..='ü' => 'u',
        'ý' | 'ÿ' => 'y',
        other => other,
    }
}

/// Compares two values that are not NULL.
pub(crate) fn compare(a: &Value, b: &Value) -> Option<Ordering> {
    use Value::{Date, DateTime, Text, Time};
    match (a, b) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Text(a), Text(b)) => Some(fold(a).cmp(&fold(b))),
        (Time(a, _), Time(b, _)) => Some(a.cmp(b)),
        (Time(a, _), Text(b)) => time::parse_time(b).map(|(b, _)| a.cmp(&b)),
        (Text(a), Time(b, _)) => time::parse_time(a).map(|(a, _)| a.cmp(b)),
        (Date(_) | DateTime(..), Date(_) | DateTime(..) | Text(_) | Value::Int(_))
        | (Text(_) | Value::Int(_), Date(_) | DateTime(..)) => match (a.moment(), b.moment()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => a.number().partial_cmp(&b.number()),
        },
        _ => match (a.exact(), b.exact()) {
            (Some((x, xs)), Some((y, ys))) => {
                let scale = xs.max(ys);
                Some(rescale(x, xs, scale)?.cmp(&rescale(y, ys, scale)?))
            }
            _ => a.number().partial_cmp(&b.number()),
        },
    }
}

/// The order of rows: NULL comes first.
pub(crate) fn order(a: &Value, b: &Value) -> Ordering {
    match (a.is_null(), b.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => compare(a, b).unwrap_or(Ordering::Equal),
    }
}

/// A value as a key of an index or a group: equal keys are equal values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    Null,
    /// The largest whole number that is not above it, and what it is above that in the smallest unit there is.
    Number(i128, i128),
    Bits(i64),
    Text(String),
}

/// The key of a value.
pub(crate) fn key(value: &Value) -> Key {
    match value {
        Value::Null => Key::Null,
        Value::Text(text) => Key::Text(fold(text)),
        Value::Double(n) => {
            // The order of the bits of a positive number is that of the number, and the other way round below zero.
            let bits = n.to_bits().cast_signed();
            Key::Bits(if bits < 0 { i64::MIN.wrapping_sub(bits) } else { bits })
        }
        Value::Int(n) => Key::Number(i128::from(*n), 0),
        Value::Decimal(n, scale) => {
            // 1 and 1.0 are one key.
            let scale = (*scale).min(SCALE_MAX);
            let unit = 10i128.pow(u32::from(scale));
            Key::Number(n.div_euclid(unit), n.rem_euclid(unit) * 10i128.pow(u32::from(SCALE_MAX - scale)))
        }
        Value::Date(days) => Key::Number(i128::from(*days), 0),
        Value::DateTime(micros, _) | Value::Time(micros, _) => Key::Number(i128::from(*micros), 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_text() {
        let cases = [
            (Value::Decimal(125, 2), "1.25"),
            (Value::Decimal(-5, 3), "-0.005"),
            (Value::Double(0.1 + 0.2), "0.30000000000000004"),
            (Value::Double(1e20), "1e20"),
            (Value::Double(3.0), "3"),
            (Value::Date(0), "1970-01-01"),
        ];
        for (value, text) in cases {
            assert_eq!(value.to_string(), text);
        }
    }

    #[test]
    fn text_compares_without_case_and_accents() {
        assert_eq!(compare(&Value::text("Éa"), &Value::text("eA")), Some(Ordering::Equal));
        assert_eq!(compare(&Value::text("10"), &Value::Int(9)), Some(Ordering::Greater));
        assert_eq!(compare(&Value::Null, &Value::Int(9)), None);
    }

    #[test]
    fn keys_are_as_exact_as_their_values_and_in_their_order() {
        let sorted = [
            Value::Decimal(-15, 1),
            Value::Int(-1),
            Value::Decimal(-1, 30),
            Value::Decimal(1, 30),
            Value::Decimal(2, 30),
        ];
        assert!(sorted.windows(2).all(|two| key(&two[0]) < key(&two[1])));
        assert_eq!(key(&Value::Int(-2)), key(&Value::Decimal(-200, 2)));
    }

    #[test]
    fn rounding_is_away_from_zero() {
        assert_eq!((rescale(125, 2, 1), rescale(-125, 2, 1), rescale(124, 2, 1)), (Some(13), Some(-13), Some(12)));
        assert_eq!(
            (leading_number("12abc"), leading_number("1e3"), leading_number("x")),
            ((12.0, false), (1000.0, true), (0.0, false))
        );
    }
}
