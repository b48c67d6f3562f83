//! Conversions, sizes and parts of times (cel-go/common/types: ConvertToType).

use super::Found;
use crate::time::{checked_timestamp, field, parse_duration, parse_timestamp, show_duration, show_timestamp};
use crate::types::Type;
use crate::value::Value;

const NANOS: i64 = 1_000_000_000;

pub(super) fn call(name: &str, args: &[Value]) -> Option<Found> {
    if let ("size", [value]) = (name, args) {
        let has_size = matches!(value, Value::String(_) | Value::Bytes(_) | Value::List(_) | Value::Map(_));
        return has_size.then(|| Ok(Value::Int(i64::try_from(value.size()).unwrap_or(i64::MAX))));
    }
    if name.starts_with("get") {
        return part(name, args);
    }
    let [value] = args else { return None };
    let (wanted, found) = match name {
        "dyn" => return Some(Ok(value.clone())),
        "int" => (Type::Int, to_int(value)),
        "uint" => (Type::Uint, to_uint(value)),
        "double" => (Type::Double, to_double(value)),
        "bool" => (Type::Bool, to_bool(value)),
        "string" => (Type::String, to_string(value).map(|text| Ok(Value::from(text)))),
        "bytes" => {
            let found = match value {
                Value::Bytes(_) => Some(Ok(value.clone())),
                Value::String(text) => Some(Ok(Value::bytes(text.as_bytes().to_vec()))),
                _ => None,
            };
            (Type::Bytes, found)
        }
        "timestamp" => (Type::Timestamp, to_timestamp(value)),
        "duration" => (Type::Duration, to_duration(value)),
        _ => return None,
    };
    Some(found.unwrap_or_else(|| {
        Err(format!("type conversion error from '{}' to '{}'", value.type_of().name(), wanted.name()))
    }))
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn to_int(value: &Value) -> Option<Found> {
    let overflow = || "integer overflow".to_owned();
    Some(match value {
        Value::Int(_) => Ok(value.clone()),
        Value::Uint(n) => i64::try_from(*n).map(Value::Int).map_err(|_| overflow()),
        Value::Double(d) if d.is_finite() && d.abs() < 9_223_372_036_854_775_807.0 => Ok(Value::Int(*d as i64)),
        Value::Double(_) => Err(overflow()),
        Value::String(text) => return text.parse().ok().map(|n| Ok(Value::Int(n))),
        Value::Timestamp(nanos) => {
            i64::try_from(nanos.div_euclid(i128::from(NANOS))).map(Value::Int).map_err(|_| overflow())
        }
        Value::Duration(nanos) => Ok(Value::Int(*nanos)),
        _ => return None,
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn to_uint(value: &Value) -> Option<Found> {
    let overflow = || "unsigned integer overflow".to_owned();
    Some(match value {
        Value::Uint(_) => Ok(value.clone()),
        Value::Int(n) => u64::try_from(*n).map(Value::Uint).map_err(|_| overflow()),
        Value::Double(d) if *d >= 0.0 && *d < 18_446_744_073_709_551_615.0 => Ok(Value::Uint(*d as u64)),
        Value::Double(_) => Err(overflow()),
        Value::String(text) => return text.parse().ok().map(|n| Ok(Value::Uint(n))),
        _ => return None,
    })
}

#[expect(clippy::cast_precision_loss, reason = "so it is upstream")]
fn to_double(value: &Value) -> Option<Found> {
    let found = match value {
        Value::Double(d) => *d,
        Value::Int(n) => *n as f64,
        Value::Uint(n) => *n as f64,
        Value::String(text) => text.parse().ok()?,
        _ => return None,
    };
    Some(Ok(Value::Double(found)))
}

fn to_bool(value: &Value) -> Option<Found> {
    let found = match value {
        Value::Bool(b) => *b,
        Value::String(text) => match &**text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => true,
            "0" | "f" | "F" | "false" | "FALSE" | "False" => false,
            _ => return None,
        },
        _ => return None,
    };
    Some(Ok(Value::Bool(found)))
}

fn to_timestamp(value: &Value) -> Option<Found> {
    let nanos = match value {
        Value::Timestamp(_) => return Some(Ok(value.clone())),
        Value::Int(seconds) => match checked_timestamp(i128::from(*seconds) * i128::from(NANOS)) {
            Some(nanos) => nanos,
            None => return Some(Err("timestamp overflow".into())),
        },
        Value::String(text) => parse_timestamp(text)?,
        _ => return None,
    };
    Some(Ok(Value::Timestamp(nanos)))
}

fn to_duration(value: &Value) -> Option<Found> {
    let nanos = match value {
        Value::Duration(nanos) | Value::Int(nanos) => *nanos,
        Value::String(text) => parse_duration(text)?,
        _ => return None,
    };
    Some(Ok(Value::Duration(nanos)))
}

/// The text of a value that has one.
#[must_use]
pub fn to_string(value: &Value) -> Option<String> {
    Some(match value {
        Value::String(text) => text.to_string(),
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Uint(n) => n.to_string(),
        Value::Double(d) => show_double(*d),
        Value::Bytes(bytes) => String::from_utf8(bytes.to_vec()).ok()?,
        Value::Timestamp(nanos) => show_timestamp(*nanos),
        Value::Duration(nanos) => show_duration(*nanos),
        Value::Ip(ip) => ip.to_string(),
        Value::Cidr(cidr) => cidr.to_string(),
        _ => return None,
    })
}

/// A number as Go prints it when it is left to choose.
pub(super) fn show_double(d: f64) -> String {
    if d.is_nan() {
        return "NaN".into();
    }
    if d.is_infinite() {
        return if d > 0.0 { "+Inf" } else { "-Inf" }.into();
    }
    if d != 0.0 && (d.abs() >= 1e21 || d.abs() < 1e-4) {
        let text = format!("{d:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
        return format!("{mantissa}e{sign}{digits:0>2}");
    }
    d.to_string()
}

/// `getHours()` and the like.
fn part(name: &str, args: &[Value]) -> Option<Found> {
    match args {
        [Value::Timestamp(nanos)] => field(name, *nanos, "").map(|n| Ok(Value::Int(n))),
        [Value::Timestamp(nanos), Value::String(zone)] => {
            let found = field(name, *nanos, zone).map(Value::Int);
            Some(found.ok_or_else(|| format!("unknown time zone {zone}")))
        }
        [Value::Duration(nanos)] => {
            let divisor = match name {
                "getHours" => 3_600 * NANOS,
                "getMinutes" => 60 * NANOS,
                "getSeconds" => NANOS,
                "getMilliseconds" => NANOS / 1000,
                _ => return None,
            };
            Some(Ok(Value::Int(nanos / divisor)))
        }
        _ => None,
    }
}
