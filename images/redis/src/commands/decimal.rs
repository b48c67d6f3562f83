//! Sums as INCRBYFLOAT makes them: in the original's `long double`, whose fraction has 64 bits, shown with `%.17Lf`.
//! Guests have no such numbers, and `f64` shows 0.1 + 0.2 as what nobody typed.

use std::cmp::Ordering;

/// Bytes of a number that is read, as the original's `MAX_LONG_DOUBLE_CHARS` for words.
const WORD_BYTES_MAX: usize = 255;
/// Bits of the fraction.
const FRACTION_BITS: usize = 64;
/// Digits after the point.
const DIGITS: usize = 17;

/// A whole number of any size, its least part first and no zeros at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Big(Vec<u32>);

impl Big {
    fn trim(mut self) -> Big {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        self
    }

    fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    fn bits(&self) -> usize {
        self.0.last().map_or(0, |last| self.0.len() * 32 - last.leading_zeros() as usize)
    }

    fn bit(&self, at: usize) -> bool {
        self.0.get(at / 32).is_some_and(|part| part >> (at % 32) & 1 == 1)
    }

    /// Times ten and a digit on top.
    fn push_digit(&mut self, digit: u32) {
        let mut carry = u64::from(digit);
        for part in &mut self.0 {
            carry += u64::from(*part) * 10;
            *part = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    /// Takes the last digit off.
    fn pop_digit(&mut self) -> u32 {
        let mut rest = 0u64;
        for part in self.0.iter_mut().rev() {
            let whole = rest << 32 | u64::from(*part);
            *part = (whole / 10) as u32;
            rest = whole % 10;
        }
        *self = std::mem::take(self).trim();
        rest as u32
    }

    fn shifted_left(&self, bits: usize) -> Big {
        if self.is_zero() {
            return Big::default();
        }
        let mut out = vec![0; bits / 32];
        let mut carry = 0u64;
        for part in &self.0 {
            carry |= u64::from(*part) << (bits % 32);
            out.push(carry as u32);
            carry >>= 32;
        }
        out.push(carry as u32);
        Big(out).trim()
    }

    /// Without its last bits, rounded to the nearest, to the even one from the middle; `more` says that something below
    /// them is lost already.
    fn rounded_right(&self, bits: usize, more: bool) -> Big {
        let rest: Vec<u32> = self.0.iter().skip(bits / 32).copied().collect();
        let mut out: Vec<u32> = Vec::new();
        for (at, part) in rest.iter().enumerate() {
            let above = u64::from(rest.get(at + 1).copied().unwrap_or(0)) << 32;
            out.push(((above | u64::from(*part)) >> (bits % 32)) as u32);
        }
        let out = Big(out).trim();
        let half = bits > 0 && self.bit(bits - 1);
        let below = more || (0..bits.saturating_sub(1)).any(|at| self.bit(at));
        if half && (below || out.bit(0)) { out.plus(&Big(vec![1])) } else { out }
    }

    fn plus(&self, other: &Big) -> Big {
        let (mut out, mut carry) = (Vec::new(), 0u64);
        for at in 0..self.0.len().max(other.0.len()) + 1 {
            let part = |big: &Big| u64::from(big.0.get(at).copied().unwrap_or(0));
            carry += part(self) + part(other);
            out.push(carry as u32);
            carry >>= 32;
        }
        Big(out).trim()
    }

    /// Less a number that is not larger.
    fn minus(&self, other: &Big) -> Big {
        let mut borrow = 0i64;
        let parts = self.0.iter().enumerate().map(|(at, part)| {
            let left = i64::from(*part) - i64::from(other.0.get(at).copied().unwrap_or(0)) + borrow;
            borrow = left >> 32;
            left as u32
        });
        Big(parts.collect()).trim()
    }

    fn compare(&self, other: &Big) -> Ordering {
        let lengths = self.0.len().cmp(&other.0.len());
        lengths.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

/// A number: a fraction times a power of two.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Long {
    negative: bool,
    fraction: Big,
    power: i64,
}

impl Long {
    /// The nearest number; `more` as with [`Big::rounded_right`].
    fn nearest(negative: bool, whole: &Big, power: i64, more: bool) -> Long {
        let over = whole.bits().saturating_sub(FRACTION_BITS);
        Long { negative, fraction: whole.rounded_right(over, more), power: power + over as i64 }
    }

    /// Reads a finite number.
    fn read(word: &[u8]) -> Option<Long> {
        let value = super::float(word).filter(|n| n.is_finite() && word.len() <= WORD_BYTES_MAX)?;
        let text = std::str::from_utf8(word).ok()?.to_ascii_lowercase();
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let negative = digits.starts_with('-');
        // What an f64 has as zero is shown as zero, and its exponent may be of any size.
        if value == 0.0 {
            return Some(Long { negative, fraction: Big::default(), power: 0 });
        }
        let (mut whole, mut after) = (Big::default(), None);
        for byte in digits.bytes() {
            match byte {
                b'.' => after = Some(0),
                b'0'..=b'9' => {
                    whole.push_digit(u32::from(byte - b'0'));
                    after = after.map(|count: i64| count + 1);
                }
                _ => {}
            }
        }
        let tens = exponent.parse::<i64>().ok()? - after.unwrap_or(0);
        if tens >= 0 {
            (0..tens).for_each(|_| whole.push_digit(0));
            return Some(Long::nearest(negative, &whole, 0, false));
        }
        let mut divisor = Big(vec![1]);
        (tens..0).for_each(|_| divisor.push_digit(0));
        Some(Long::quotient(negative, &whole, &divisor))
    }

    fn quotient(negative: bool, whole: &Big, divisor: &Big) -> Long {
        // Two bits more than the fraction has, so that its last one is rounded rightly.
        let shift = (FRACTION_BITS + 2 + divisor.bits()).saturating_sub(whole.bits());
        let whole = whole.shifted_left(shift);
        let (mut quotient, mut rest) = (Big::default(), Big::default());
        for at in (0..whole.bits()).rev() {
            rest = rest.shifted_left(1).plus(&Big(vec![u32::from(whole.bit(at))]).trim());
            let fits = rest.compare(divisor) != Ordering::Less;
            if fits {
                rest = rest.minus(divisor);
            }
            quotient = quotient.shifted_left(1).plus(&Big(vec![u32::from(fits)]).trim());
        }
        Long::nearest(negative, &quotient, -(shift as i64), !rest.is_zero())
    }

    fn plus(&self, other: &Long) -> Long {
        let power = self.power.min(other.power);
        let whole = |n: &Long| n.fraction.shifted_left((n.power - power) as usize);
        let (a, b) = (whole(self), whole(other));
        let (negative, sum) = match (self.negative == other.negative, a.compare(&b)) {
            (true, _) => (self.negative, a.plus(&b)),
            (false, Ordering::Less) => (other.negative, b.minus(&a)),
            (false, Ordering::Equal) => (false, Big::default()),
            (false, Ordering::Greater) => (self.negative, a.minus(&b)),
        };
        Long::nearest(negative, &sum, power, false)
    }

    /// As `%.17Lf`, without zeros at the end.
    fn show(&self) -> String {
        let mut whole = self.fraction.clone();
        (0..DIGITS).for_each(|_| whole.push_digit(0));
        let mut whole = match usize::try_from(self.power) {
            Ok(power) => whole.shifted_left(power),
            Err(_) => whole.rounded_right(self.power.unsigned_abs() as usize, false),
        };
        let mut digits = Vec::new();
        while !whole.is_zero() || digits.len() <= DIGITS {
            digits.push(char::from_digit(whole.pop_digit(), 10).unwrap_or('0'));
        }
        let before: String = digits[DIGITS..].iter().rev().collect();
        let after: String = digits[..DIGITS].iter().rev().collect();
        let text = format!("{before}.{after}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        if self.negative && text != "0" { format!("-{text}") } else { text.to_owned() }
    }
}

/// The sum of two numbers as it is shown; `None` if one of them is none, or infinite.
pub fn sum(a: &[u8], b: &[u8]) -> Option<String> {
    Some(Long::read(a)?.plus(&Long::read(b)?).show())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_a_long_double() {
        // Made with the C library: `printf("%.17Lf", strtold(a) + strtold(b))`, zeros cut.
        for (a, b, expected) in [
            ("0.1", "0.2", "0.3"),
            ("10.5", "0.1", "10.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("3", "-3", "0"),
            ("-0.5", "0.25", "-0.25"),
            ("1e20", "1", "100000000000000000000"),
            ("1e22", "0.5", "10000000000000000000000"),
            ("1e-18", "0", "0"),
            ("-1e-5000", "0", "0"),
            ("1e-5", "0", "0.00001"),
            (".5", "+5.", "5.5"),
            ("1234.1", "0.1", "1234.19999999999999996"),
            ("98765432.123", "0.001", "98765432.12399999999615829"),
            ("123456789012345678", "0.7", "123456789012345678.703125"),
            ("-1e17", "0.3", "-99999999999999999.703125"),
            ("5e-18", "0", "0"),
            ("1.5e-17", "0", "0.00000000000000002"),
            ("3.14159265358979", "2.71828", "5.85987265358979"),
        ] {
            assert_eq!(sum(a.as_bytes(), b.as_bytes()).as_deref(), Some(expected), "{a} + {b}");
        }
        assert_eq!((sum(b"inf", b"1"), sum(b"x", b"1"), sum(b"1e400", b"1")), (None, None, None));
    }
}
