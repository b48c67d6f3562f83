//! Quantities: `100m`, `64Mi`, `1.5`, `2e3`, in nanos of one so that sums are exact.
//!
//! Upstream: `k8s.io/apimachinery/pkg/api/resource`.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use std::str::FromStr;

/// Nanos in one.
const ONE: i128 = 1_000_000_000;
/// Larger values are cut to this many, as upstream does.
const MAX: i128 = i64::MAX as i128 * ONE;

/// How a quantity was written, which is how it is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `Ki`, `Mi`, `Gi`, ...
    Binary,
    /// `m`, none, `k`, `M`, ...
    #[default]
    Decimal,
    /// `e3`.
    Exponent,
}

/// An exact number with a unit. Equality and order are by value, whatever the format.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quantity {
    nanos: i128,
    format: Format,
}

/// Why a quantity was refused, in upstream's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Not a number and a suffix at all.
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    Format,
    /// An unknown suffix.
    #[error("unable to parse quantity's suffix")]
    Suffix,
    /// Not a number.
    #[error("unable to parse numeric part of quantity")]
    Numeric,
}

const BINARY: [(&str, u32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];
const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];

impl Quantity {
    /// Zero.
    pub const ZERO: Quantity = Quantity { nanos: 0, format: Format::Decimal };

    /// A whole number.
    pub fn new(value: i64, format: Format) -> Quantity {
        Quantity { nanos: i128::from(value) * ONE, format }
    }

    /// So many thousandths, e.g. of a CPU.
    pub fn from_milli(milli: i64) -> Quantity {
        Quantity { nanos: i128::from(milli) * (ONE / 1000), format: Format::Decimal }
    }

    /// So many billionths, e.g. of a CPU.
    pub fn from_nanos(nanos: i64) -> Quantity {
        Quantity { nanos: i128::from(nanos), format: Format::Decimal }
    }

    /// So many bytes, printed with binary suffixes.
    pub fn from_bytes(bytes: i64) -> Quantity {
        Quantity::new(bytes, Format::Binary)
    }

    /// Reads a quantity from its text.
    ///
    /// # Errors
    /// See [`QuantityError`].
    pub fn parse(text: &str) -> Result<Quantity, QuantityError> {
        let (negative, whole, fraction, suffix) = split(text)?;
        let (format, scale) = interpret(suffix).ok_or(QuantityError::Suffix)?;
        let magnitude = match scale {
            Scale::Ten(exponent) => scale_ten(whole, fraction, exponent),
            Scale::Two(bits) => scale_two(whole, fraction, bits),
        };
        let nanos = magnitude.min(MAX);
        // A binary suffix on less than one would print as zero.
        let format = if format == Format::Binary && nanos < ONE { Format::Decimal } else { format };
        Ok(Quantity { nanos: if negative { -nanos } else { nanos }, format })
    }

    /// Reads a JSON value: a string or a number.
    ///
    /// # Errors
    /// See [`QuantityError`].
    pub fn from_value(value: &json::Value) -> Result<Quantity, QuantityError> {
        match value {
            json::Value::String(text) if text.is_empty() => Ok(Quantity::ZERO),
            json::Value::String(text) => Quantity::parse(text),
            json::Value::Number(number) => Quantity::parse(&number.to_string()),
            json::Value::Null => Ok(Quantity::ZERO),
            _ => Err(QuantityError::Format),
        }
    }

    /// The whole number, rounded away from zero.
    pub fn value(self) -> i64 {
        self.scaled(ONE)
    }

    /// Thousandths, rounded away from zero.
    pub fn milli_value(self) -> i64 {
        self.scaled(ONE / 1000)
    }

    fn scaled(self, unit: i128) -> i64 {
        let up = (self.nanos.abs() + unit - 1) / unit;
        let value = i64::try_from(up).unwrap_or(i64::MAX);
        if self.nanos < 0 { -value } else { value }
    }

    /// As a floating-point number, for ratios and percentages.
    #[expect(clippy::cast_precision_loss, reason = "ratios need no more than 53 bits")]
    pub fn as_f64(self) -> f64 {
        self.nanos as f64 / ONE as f64
    }

    /// The same amount, printed otherwise.
    pub fn printed(self, format: Format) -> Quantity {
        Quantity { format, ..self }
    }

    /// Whether it is zero.
    pub fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// How it is printed.
    pub fn format(self) -> Format {
        self.format
    }

    /// Times a whole number.
    pub fn times(self, factor: i64) -> Quantity {
        Quantity { nanos: self.nanos.saturating_mul(i128::from(factor)).clamp(-MAX, MAX), ..self }
    }

    fn combined(self, nanos: i128, other: Quantity) -> Quantity {
        let format = if self.is_zero() { other.format } else { self.format };
        Quantity { nanos, format }
    }
}

/// Sign, digits before and after the point, suffix.
fn split(text: &str) -> Result<(bool, &str, &str, &str), QuantityError> {
    let (negative, rest) = match text.as_bytes().first() {
        None => return Err(QuantityError::Format),
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        Some(_) => (false, text),
    };
    let digits = |s: &str| s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len());
    let (whole, rest) = rest.split_at(digits(rest));
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(tail) => tail.split_at(digits(tail)),
        None => ("", rest),
    };
    let letters = suffix.find(|c| !"eEinumkKMGTP".contains(c)).unwrap_or(suffix.len());
    let tail = &suffix[letters..];
    let tail = tail.strip_prefix(['-', '+']).unwrap_or(tail);
    if digits(tail) != tail.len() {
        return Err(QuantityError::Format);
    }
    if whole.is_empty() && fraction.is_empty() {
        return Err(if suffix.is_empty() { QuantityError::Format } else { QuantityError::Numeric });
    }
    Ok((negative, whole, fraction, suffix))
}

enum Scale {
    Ten(i32),
    Two(u32),
}

fn interpret(suffix: &str) -> Option<(Format, Scale)> {
    if let Some((_, exponent)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Some((Format::Decimal, Scale::Ten(*exponent)));
    }
    if let Some((_, bits)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        return Some((Format::Binary, Scale::Two(*bits)));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?;
    let exponent: i32 = exponent.parse().ok()?;
    Some((Format::Exponent, Scale::Ten(exponent)))
}

/// `whole.fraction * 10^exponent` in nanos; what is finer than a nano rounds up.
fn scale_ten(whole: &str, fraction: &str, exponent: i32) -> i128 {
    let mut nanos: i128 = 0;
    let mut beyond = false;
    // The point sits after `whole`; each digit's power of ten in nanos follows from its place.
    let first = i64::try_from(whole.len()).unwrap_or(i64::MAX) + i64::from(exponent) + 8;
    for (i, digit) in whole.bytes().chain(fraction.bytes()).enumerate() {
        let digit = i128::from(digit - b'0');
        let power = first - i64::try_from(i).unwrap_or(i64::MAX);
        if digit == 0 {
            continue;
        }
        match u32::try_from(power) {
            Err(_) => beyond = true,
            Ok(power) if power > 30 => return MAX,
            Ok(power) => nanos = nanos.saturating_add(digit.saturating_mul(10i128.pow(power))),
        }
    }
    nanos.saturating_add(i128::from(beyond))
}

/// `whole.fraction * 2^bits` in nanos; what is finer than a nano rounds up.
fn scale_two(whole: &str, fraction: &str, bits: u32) -> i128 {
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().unwrap_or(MAX) };
    let unit = 1i128 << bits;
    let mut nanos = whole.saturating_mul(unit).saturating_mul(ONE);
    // Twelve digits after the point are finer than a byte of the largest unit would ever be written.
    let digits = &fraction[..fraction.len().min(12)];
    if !digits.is_empty() {
        let power = 10i128.pow(u32::try_from(digits.len()).unwrap_or(12));
        let value: i128 = digits.parse().unwrap_or(0);
        let scaled = value.saturating_mul(unit);
        let (quotient, rest) = (scaled / power, scaled % power);
        nanos = nanos.saturating_add(quotient.saturating_mul(ONE));
        nanos = nanos.saturating_add((rest * ONE + power - 1) / power);
    }
    nanos
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        let sign = if self.nanos < 0 { "-" } else { "" };
        let nanos = self.nanos.abs();
        if self.format == Format::Binary && nanos % ONE == 0 && nanos >= 1024 * ONE {
            let mut number = nanos / ONE;
            let mut suffix = "";
            for (name, _) in BINARY {
                if number % 1024 != 0 {
                    break;
                }
                number /= 1024;
                suffix = name;
            }
            return write!(f, "{sign}{number}{suffix}");
        }
        let (mut number, mut exponent) = (nanos, -9);
        while number % 1000 == 0 && exponent < 18 {
            number /= 1000;
            exponent += 3;
        }
        if self.format == Format::Exponent {
            let suffix = if exponent == 0 { String::new() } else { format!("e{exponent}") };
            return write!(f, "{sign}{number}{suffix}");
        }
        let suffix = DECIMAL.iter().find(|(_, e)| *e == exponent).map_or("", |(name, _)| name);
        write!(f, "{sign}{number}{suffix}")
    }
}

impl FromStr for Quantity {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Quantity, QuantityError> {
        Quantity::parse(text)
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Quantity) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Quantity) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Quantity) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl Add for Quantity {
    type Output = Quantity;
    fn add(self, other: Quantity) -> Quantity {
        self.combined(self.nanos.saturating_add(other.nanos), other)
    }
}

impl Sub for Quantity {
    type Output = Quantity;
    fn sub(self, other: Quantity) -> Quantity {
        self.combined(self.nanos.saturating_sub(other.nanos), other)
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Quantity) {
        *self = *self + other;
    }
}

impl SubAssign for Quantity {
    fn sub_assign(&mut self, other: Quantity) {
        *self = *self - other;
    }
}

impl Neg for Quantity {
    type Output = Quantity;
    fn neg(self) -> Quantity {
        Quantity { nanos: -self.nanos, ..self }
    }
}

impl std::iter::Sum for Quantity {
    fn sum<I: Iterator<Item = Quantity>>(iter: I) -> Quantity {
        iter.fold(Quantity::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_print_in_canonical_form() {
        for (text, canonical, value, milli) in [
            ("0", "0", 0, 0),
            ("1", "1", 1, 1000),
            ("0.5", "500m", 1, 500),
            (".5", "500m", 1, 500),
            ("1.5", "1500m", 2, 1500),
            ("100m", "100m", 1, 100),
            ("1000m", "1", 1, 1000),
            ("0.1m", "100u", 1, 1),
            ("0.0000000001", "1n", 1, 1),
            ("1000", "1k", 1000, 1_000_000),
            ("1500", "1500", 1500, 1_500_000),
            ("64Mi", "64Mi", 67_108_864, 67_108_864_000),
            ("1024Mi", "1Gi", 1 << 30, (1 << 30) * 1000),
            ("1.5Gi", "1536Mi", 1_610_612_736, 1_610_612_736_000),
            ("0.5Ki", "512", 512, 512_000),
            ("0.0001Ki", "102400u", 1, 103),
            ("128M", "128M", 128_000_000, 128_000_000_000),
            ("1e3", "1e3", 1000, 1_000_000),
            ("2E6", "2e6", 2_000_000, 2_000_000_000),
            ("1E", "1E", 1_000_000_000_000_000_000, i64::MAX),
            ("-5Ki", "-5Ki", -5120, -5_120_000),
            ("+1", "1", 1, 1000),
            ("007", "7", 7, 7000),
            ("100Ei", "9223372036854775807", i64::MAX, i64::MAX),
        ] {
            let quantity = Quantity::parse(text).unwrap();
            assert_eq!(quantity.to_string(), canonical, "{text}");
            assert_eq!((quantity.value(), quantity.milli_value()), (value, milli), "{text}");
        }
    }

    #[test]
    fn refusals_are_upstreams() {
        for (text, error) in [
            ("", QuantityError::Format),
            ("abc", QuantityError::Format),
            ("1x", QuantityError::Format),
            ("1 ", QuantityError::Format),
            ("1MiB", QuantityError::Format),
            ("1ki", QuantityError::Suffix),
            ("1e", QuantityError::Suffix),
        ] {
            assert_eq!(Quantity::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn arithmetic_keeps_the_first_format() {
        let q = |s| Quantity::parse(s).unwrap();
        assert_eq!((q("100m") + q("1")).to_string(), "1100m");
        assert_eq!((q("1Gi") - q("512Mi")).to_string(), "512Mi");
        assert_eq!((Quantity::ZERO + q("1Ki")).to_string(), "1Ki");
        assert_eq!((q("1Mi") + q("1k")).to_string(), "1049576");
        assert_eq!(["100m", "200m"].map(q).into_iter().sum::<Quantity>().to_string(), "300m");
        assert_eq!(q("250m").times(3).to_string(), "750m");
        assert!(q("1Gi") > q("1G"));
        assert_eq!(q("1000m"), q("1"));
        assert_eq!(Quantity::from_milli(1500).to_string(), "1500m");
        assert_eq!(Quantity::from_bytes(2048).to_string(), "2Ki");
    }
}
