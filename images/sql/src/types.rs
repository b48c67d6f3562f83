//! Types of columns and of expressions.

use crate::error::{Error, Result};
use crate::time;
use crate::value::{self, Value};

/// What values a column or an expression has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// TINYINT to BIGINT: bytes, and whether there are no negative numbers.
    Int(u8, bool),
    /// TINYINT(1), as BOOLEAN makes it.
    Bool,
    /// DECIMAL: digits, and those after the point.
    Decimal(u8, u8),
    /// FLOAT.
    Float,
    /// DOUBLE.
    Double,
    /// CHAR: characters.
    Char(u32),
    /// VARCHAR: characters.
    Varchar(u32),
    /// TINYTEXT, TEXT, MEDIUMTEXT, LONGTEXT: the bytes of their lengths.
    Text(u8),
    /// DATE.
    Date,
    /// DATETIME: digits of the second.
    DateTime(u8),
    /// TIMESTAMP: digits of the second.
    Timestamp(u8),
    /// TIME: digits of the second.
    Time(u8),
}

/// Characters of a text of unknown length.
pub(crate) const ANY_TEXT: Type = Type::Text(4);
/// What counts and keys have.
pub(crate) const BIGINT: Type = Type::Int(8, false);

impl Type {
    /// The name in DESCRIBE.
    pub fn name(&self) -> String {
        match self {
            Type::Int(bytes, unsigned) => {
                let name = match bytes {
                    1 => "tinyint",
                    2 => "smallint",
                    3 => "mediumint",
                    4 => "int",
                    _ => "bigint",
                };
                format!("{name}{}", if *unsigned { " unsigned" } else { "" })
            }
            Type::Bool => "tinyint(1)".to_owned(),
            Type::Decimal(precision, scale) => format!("decimal({precision},{scale})"),
            Type::Float => "float".to_owned(),
            Type::Double => "double".to_owned(),
            Type::Char(n) => format!("char({n})"),
            Type::Varchar(n) => format!("varchar({n})"),
            Type::Text(bytes) => match bytes {
                1 => "tinytext",
                2 => "text",
                3 => "mediumtext",
                _ => "longtext",
            }
            .to_owned(),
            Type::Date => "date".to_owned(),
            Type::DateTime(0) => "datetime".to_owned(),
            Type::DateTime(n) => format!("datetime({n})"),
            Type::Timestamp(0) => "timestamp".to_owned(),
            Type::Timestamp(n) => format!("timestamp({n})"),
            Type::Time(0) => "time".to_owned(),
            Type::Time(n) => format!("time({n})"),
        }
    }

    /// Whether clients write it at the right.
    pub fn is_number(&self) -> bool {
        matches!(self, Type::Int(..) | Type::Bool | Type::Decimal(..) | Type::Float | Type::Double)
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Type::Char(_) | Type::Varchar(_) | Type::Text(_))
    }

    pub(crate) fn is_time(&self) -> bool {
        matches!(self, Type::Date | Type::DateTime(_) | Type::Timestamp(_) | Type::Time(_))
    }

    /// The value that a column without a default has where one is needed.
    pub(crate) fn zero(&self) -> Value {
        match self {
            Type::Int(..) | Type::Bool => Value::Int(0),
            Type::Decimal(_, scale) => Value::Decimal(0, *scale),
            Type::Float | Type::Double => Value::Double(0.0),
            Type::Char(_) | Type::Varchar(_) | Type::Text(_) => Value::text(""),
            Type::Date => Value::Date(0),
            Type::DateTime(n) | Type::Timestamp(n) => Value::DateTime(0, *n),
            Type::Time(n) => Value::Time(0, *n),
        }
    }

    /// The smallest and the largest whole number.
    fn range(bytes: u8, unsigned: bool) -> (i128, i128) {
        let bits = u32::from(bytes) * 8;
        if unsigned { (0, (1i128 << bits) - 1) } else { (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1) }
    }
}

/// Where a value is to be stored, for complaints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) column: &'a str,
    pub(crate) row: usize,
}

fn incorrect(kind: &str, value: &Value, place: Place<'_>) -> Error {
    let code = if matches!(kind, "date" | "datetime" | "time") { (1292, "22007") } else { (1366, "HY000") };
    Error::new(
        code.0,
        code.1,
        format!("Incorrect {kind} value: '{value}' for column '{}' at row {}", place.column, place.row),
    )
}

fn out_of_range(place: Place<'_>) -> Error {
    Error::new(1264, "22003", format!("Out of range value for column '{}' at row {}", place.column, place.row))
}

/// A value as a column of a type stores it, in strict mode.
///
/// # Errors
/// 1264, 1265, 1292, 1366, 1406: it does not fit.
pub(crate) fn store(ty: &Type, value: Value, place: Place<'_>) -> Result<Value> {
    if value.is_null() {
        return Ok(value);
    }
    match ty {
        Type::Int(bytes, unsigned) => store_int(*bytes, *unsigned, &value, place),
        Type::Bool => store_int(1, false, &value, place),
        Type::Decimal(precision, scale) => store_decimal(*precision, *scale, &value, place),
        Type::Float | Type::Double => {
            whole_number("double", &value, place)?;
            let number = value.number();
            // What a FLOAT keeps is what its shortest text says.
            let number =
                if *ty == Type::Float { (number as f32).to_string().parse().unwrap_or(number) } else { number };
            Ok(Value::Double(number))
        }
        Type::Char(max) | Type::Varchar(max) => {
            let text = value.to_string();
            let text = if matches!(ty, Type::Char(_)) { text.trim_end_matches(' ').to_owned() } else { text };
            if text.chars().count() > *max as usize {
                return Err(too_long(place));
            }
            Ok(Value::text(text))
        }
        Type::Text(bytes) => {
            let text = value.to_string();
            let max = 1u64 << (u32::from(*bytes) * 8);
            if text.len() as u64 >= max { Err(too_long(place)) } else { Ok(Value::text(text)) }
        }
        Type::Date => match value.moment() {
            Some(micros) => Ok(Value::Date(micros.div_euclid(time::DAY_MICROS) as i32)),
            None => Err(incorrect("date", &value, place)),
        },
        Type::DateTime(places) | Type::Timestamp(places) => match value.moment() {
            Some(micros) => Ok(Value::DateTime(cut(micros, *places), *places)),
            None => Err(incorrect("datetime", &value, place)),
        },
        Type::Time(places) => match &value {
            Value::Time(micros, _) => Ok(Value::Time(cut(*micros, *places), *places)),
            Value::DateTime(micros, _) => Ok(Value::Time(cut(micros.rem_euclid(time::DAY_MICROS), *places), *places)),
            other => match time::parse_time(&other.to_string()) {
                Some((micros, _)) => Ok(Value::Time(cut(micros, *places), *places)),
                None => Err(incorrect("time", &value, place)),
            },
        },
    }
}

fn too_long(place: Place<'_>) -> Error {
    Error::new(1406, "22001", format!("Data too long for column '{}' at row {}", place.column, place.row))
}

/// Rounds to this many digits of the second.
fn cut(micros: i64, places: u8) -> i64 {
    let unit = 10i64.pow(6 - u32::from(places.min(6)));
    (micros + unit / 2).div_euclid(unit) * unit
}

/// Complains of texts that are no numbers, or not to their end.
fn whole_number(kind: &str, value: &Value, place: Place<'_>) -> Result<()> {
    let Value::Text(text) = value else { return Ok(()) };
    match value::leading_number(text) {
        (_, true) => Ok(()),
        _ if text.trim_start().starts_with(|c: char| c.is_ascii_digit()) => {
            Err(Error::new(1265, "01000", format!("Data truncated for column '{}' at row {}", place.column, place.row)))
        }
        _ => Err(incorrect(kind, value, place)),
    }
}

fn store_int(bytes: u8, unsigned: bool, value: &Value, place: Place<'_>) -> Result<Value> {
    whole_number("integer", value, place)?;
    let number = match (value.exact(), value) {
        (Some((digits, scale)), _) => value::rescale(digits, scale, 0),
        (None, Value::Text(text)) => value::parse_decimal(text).and_then(|(d, s)| value::rescale(d, s, 0)),
        _ => None,
    };
    let number = number.unwrap_or_else(|| value.number().round() as i128);
    let (least, most) = Type::range(bytes, unsigned);
    match i64::try_from(number) {
        Ok(n) if (least..=most).contains(&number) => Ok(Value::Int(n)),
        Err(_) if number <= most && number >= least => {
            Err(Error::refused("kubonsai does not support whole numbers above 9223372036854775807 (mysql) yet"))
        }
        _ => Err(out_of_range(place)),
    }
}

fn store_decimal(precision: u8, scale: u8, value: &Value, place: Place<'_>) -> Result<Value> {
    whole_number("decimal", value, place)?;
    let exact = match value {
        Value::Text(text) => value::parse_decimal(text),
        other => other.exact(),
    };
    let (digits, from) = exact.or_else(|| value::parse_decimal(&format!("{:.15}", value.number()))).unwrap_or((0, 0));
    let digits = value::rescale(digits, from, scale).ok_or_else(|| out_of_range(place))?;
    if digits.unsigned_abs() >= 10u128.pow(u32::from(precision.min(38))) {
        return Err(out_of_range(place));
    }
    Ok(Value::Decimal(digits, scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(ty: Type, value: Value) -> std::result::Result<String, u16> {
        store(&ty, value, Place { column: "c", row: 1 }).map(|v| v.to_string()).map_err(|e| e.code)
    }

    #[test]
    fn what_fits_and_what_does_not() {
        let text = |t: &str| Value::text(t);
        assert_eq!(put(Type::Int(1, false), Value::Int(128)), Err(1264));
        assert_eq!(put(Type::Int(4, false), text("12")), Ok("12".into()));
        assert_eq!(put(Type::Int(4, false), text("12x")), Err(1265));
        assert_eq!(put(Type::Int(4, false), text("x")), Err(1366));
        assert_eq!(put(Type::Decimal(5, 2), Value::Double(1.005)), Ok("1.01".into()));
        assert_eq!(put(Type::Decimal(3, 2), Value::Int(10)), Err(1264));
        assert_eq!(put(Type::Varchar(3), text("four")), Err(1406));
        assert_eq!(put(Type::Date, text("2026-02-30")), Err(1292));
        assert_eq!(put(Type::DateTime(0), text("2026-11-22")), Ok("2026-11-22 00:00:00".into()));
    }
}
