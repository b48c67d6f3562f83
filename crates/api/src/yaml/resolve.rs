//! What a plain scalar means: YAML 1.1 as go-yaml v2 reads it.

use json::{Number, Value};

/// A plain scalar's meaning.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    /// Null, a boolean, a number.
    Value(Value),
    /// Not a JSON value: `.inf`, `.nan`.
    NotFinite(&'static str),
    /// The merge key `<<`.
    Merge,
    /// A timestamp: stays text, but is quoted when printed.
    Timestamp,
    /// Text.
    Text,
}

/// Resolves a plain scalar.
pub(super) fn resolve(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Value(Value::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Scalar::Value(true.into());
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Value(false.into());
        }
        ".nan" | ".NaN" | ".NAN" => return Scalar::NotFinite("NaN"),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Scalar::NotFinite("+Inf"),
        "-.inf" | "-.Inf" | "-.INF" => return Scalar::NotFinite("-Inf"),
        "<<" => return Scalar::Merge,
        _ => {}
    }
    match text.as_bytes()[0] {
        b'+' | b'-' | b'0'..=b'9' => number(text),
        b'.' => float(text).map_or(Scalar::Text, |f| Scalar::Value(from_float(f))),
        _ => Scalar::Text,
    }
}

fn number(text: &str) -> Scalar {
    if is_timestamp(text) {
        return Scalar::Timestamp;
    }
    let plain = text.replace('_', "");
    if let Some(value) = integer(&plain) {
        return Scalar::Value(Value::Number(value));
    }
    match float(&plain) {
        Some(f) if f.is_finite() => Scalar::Value(from_float(f)),
        _ => Scalar::Text,
    }
}

/// Go's `ParseInt` with base 0: a prefix names the base, and a leading zero means octal.
fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = if let Some(hex) = lower.strip_prefix("0x") {
        (16, hex)
    } else if let Some(octal) = lower.strip_prefix("0o") {
        (8, octal)
    } else if let Some(binary) = lower.strip_prefix("0b") {
        (2, binary)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    if !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, base).ok()?;
    if !negative {
        return Some(magnitude.into());
    }
    0i64.checked_sub_unsigned(magnitude).map(Number::from)
}

fn float(text: &str) -> Option<f64> {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = body.split_once(['e', 'E']).map_or((body, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['+', '-']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    if whole.len() + fraction.len() == 0 || !digits(whole) || !digits(fraction) || !exponent_fits {
        return None;
    }
    text.parse().ok()
}

/// JSON knows no difference between 8.0 and 8: whole numbers come out as integers, as upstream's detour over JSON does.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn from_float(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9.0e15 {
        return Value::from(value as i64);
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// Whether go-yaml would read it as a date or a date and time.
fn is_timestamp(text: &str) -> bool {
    timestamp(text).is_some()
}

fn timestamp(text: &str) -> Option<()> {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || !bytes[..4].iter().all(u8::is_ascii_digit) || bytes[4] != b'-' {
        return None;
    }
    let year: u32 = text.get(..4)?.parse().ok()?;
    let (month, rest) = take(&text[5..], 2)?;
    let (day, rest) = take(rest.strip_prefix('-')?, 2)?;
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if day == 0 || day > days {
        return None;
    }
    if rest.is_empty() {
        return Some(());
    }
    let zoned = !rest.starts_with(' ');
    let (hour, rest) = take(rest.strip_prefix(['T', 't', ' '])?, 2)?;
    let (minute, rest) = take(rest.strip_prefix(':')?, 2)?;
    let (second, rest) = take(rest.strip_prefix(':')?, 2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => rest,
    };
    if !zoned {
        return zone.is_empty().then_some(());
    }
    if zone == "Z" {
        return Some(());
    }
    let (hours, rest) = take(zone.strip_prefix(['+', '-'])?, 2)?;
    let (minutes, rest) = take(rest.strip_prefix(':')?, 2)?;
    (hours < 24 && minutes < 60 && rest.is_empty()).then_some(())
}

/// One to `max` digits.
fn take(text: &str, max: usize) -> Option<(u32, &str)> {
    let length = text.bytes().take(max).take_while(u8::is_ascii_digit).count();
    Some((text.get(..length)?.parse().ok()?, &text[length..]))
}

/// Whether text looks like a number in base 60, which YAML 1.1 readers may take for one (`1:30`).
pub(super) fn is_base60(text: &str) -> bool {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = body.split(':');
    let first = parts.next().unwrap_or("");
    let mut rest: Vec<&str> = parts.collect();
    let Some(last) = rest.last_mut() else { return false };
    let (whole, fraction) = last.split_once('.').unwrap_or((last, ""));
    *last = whole;
    first.starts_with(|c: char| c.is_ascii_digit())
        && first.bytes().all(|b| b.is_ascii_digit() || b == b'_')
        && fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_')
        && rest.iter().all(|p| matches!(p.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use json::json;

    #[test]
    fn plain_scalars_mean_what_go_yaml_says() {
        for (text, value) in [
            ("", json!(null)),
            ("y", json!(true)),
            ("Off", json!(false)),
            ("12", json!(12)),
            ("-7", json!(-7)),
            ("0777", json!(511)),
            ("0o17", json!(15)),
            ("0x1F", json!(31)),
            ("0b11", json!(3)),
            ("1_000", json!(1000)),
            ("08", json!(8)),
            ("1e3", json!(1000)),
            ("1.5", json!(1.5)),
            (".5", json!(0.5)),
            ("80.0", json!(80)),
            ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
        ] {
            assert_eq!(resolve(text), Scalar::Value(value), "{text}");
        }
        for text in ["a", "yEs", "1a", "-", "+", ".", "1.2.3", "100m", "0x", "1:30", "2026-13-01", "e3"] {
            assert_eq!(resolve(text), Scalar::Text, "{text}");
        }
        for text in ["2026-11-21", "2026-11-21T02:38:39Z", "2026-1-2 03:04:05.6", "2026-11-21T02:38:39+09:00"] {
            assert_eq!(resolve(text), Scalar::Timestamp, "{text}");
        }
        assert!(is_base60("1:30") && is_base60("10:30:59.5") && !is_base60("1:60") && !is_base60("a:1"));
    }
}
