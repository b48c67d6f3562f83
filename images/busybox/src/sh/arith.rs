//! Arithmetic: 64-bit integers with C's operators.

use std::collections::BTreeMap;

/// Nesting of brackets and operators.
const DEPTH_MAX: usize = 100;

/// Evaluates an expression; assignments change the variables.
///
/// # Errors
/// A sentence.
pub fn evaluate(text: &str, get: &dyn Fn(&str) -> Option<String>) -> Result<(i64, BTreeMap<String, i64>), String> {
    let mut eval = Eval { chars: text.chars().collect(), at: 0, get, set: BTreeMap::new(), depth: 0, skip: 0 };
    eval.blanks();
    if eval.at == eval.chars.len() {
        return Ok((0, BTreeMap::new()));
    }
    let value = eval.comma()?;
    eval.blanks();
    if eval.at < eval.chars.len() {
        return Err(format!("arithmetic syntax error in \"{text}\""));
    }
    Ok((value, eval.set))
}

struct Eval<'a> {
    chars: Vec<char>,
    at: usize,
    get: &'a dyn Fn(&str) -> Option<String>,
    set: BTreeMap<String, i64>,
    depth: usize,
    /// Above 0 in an operand that is not evaluated (`0 && x`).
    skip: usize,
}

/// Binary operators, loosest first.
const LEVELS: &[&[&str]] = &[
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

impl Eval<'_> {
    fn blanks(&mut self) {
        while self.chars.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
    }

    fn looks(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(i, c)| self.chars.get(self.at + i) == Some(&c))
    }

    fn eat(&mut self, text: &str) -> bool {
        self.blanks();
        let found = self.looks(text);
        if found {
            self.at += text.len();
        }
        found
    }

    fn error<T>(&self) -> Result<T, String> {
        Err("arithmetic syntax error".to_owned())
    }

    fn comma(&mut self) -> Result<i64, String> {
        let mut value = self.ternary()?;
        while self.eat(",") {
            value = self.ternary()?;
        }
        Ok(value)
    }

    fn ternary(&mut self) -> Result<i64, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("expression nested too deeply".to_owned());
        }
        let condition = self.binary(0)?;
        let value = if self.eat("?") {
            let skip_first = usize::from(condition == 0);
            self.skip += skip_first;
            let first = self.ternary()?;
            self.skip -= skip_first;
            if !self.eat(":") {
                return self.error();
            }
            self.skip += 1 - skip_first;
            let second = self.ternary()?;
            self.skip -= 1 - skip_first;
            if condition == 0 { second } else { first }
        } else {
            condition
        };
        self.depth -= 1;
        Ok(value)
    }

    fn operator(&mut self, level: usize) -> Option<&'static str> {
        self.blanks();
        let op = LEVELS[level].iter().copied().find(|op| self.looks(op))?;
        // `<` is not the start of `<<`, `&` not of `&&`, and `x +=` assigns.
        let next = self.chars.get(self.at + op.len()).copied();
        let longer = match op {
            "<" | ">" => next == Some(op.as_bytes()[0].into()) || next == Some('='),
            "|" | "&" => next == Some(op.as_bytes()[0].into()),
            _ => false,
        };
        let assigns = next == Some('=') && !matches!(op, "==" | "!=" | "<=" | ">=" | "||" | "&&");
        if longer || assigns {
            return None;
        }
        self.at += op.len();
        Some(op)
    }

    fn binary(&mut self, level: usize) -> Result<i64, String> {
        if level == LEVELS.len() {
            return self.unary();
        }
        let mut left = self.binary(level + 1)?;
        while let Some(op) = self.operator(level) {
            let short = (op == "||" && left != 0) || (op == "&&" && left == 0);
            self.skip += usize::from(short);
            let right = self.binary(level + 1)?;
            self.skip -= usize::from(short);
            left = self.apply(op, left, right)?;
        }
        Ok(left)
    }

    fn apply(&self, op: &str, a: i64, b: i64) -> Result<i64, String> {
        if matches!(op, "/" | "%") && b == 0 {
            return if self.skip > 0 { Ok(0) } else { Err("divide by zero".to_owned()) };
        }
        let shift = u32::try_from(b & 63).unwrap_or(0);
        Ok(match op {
            "||" => i64::from(a != 0 || b != 0),
            "&&" => i64::from(a != 0 && b != 0),
            "|" => a | b,
            "^" => a ^ b,
            "&" => a & b,
            "==" => i64::from(a == b),
            "!=" => i64::from(a != b),
            "<=" => i64::from(a <= b),
            ">=" => i64::from(a >= b),
            "<" => i64::from(a < b),
            ">" => i64::from(a > b),
            "<<" => a.wrapping_shl(shift),
            ">>" => a.wrapping_shr(shift),
            "+" => a.wrapping_add(b),
            "-" => a.wrapping_sub(b),
            "*" => a.wrapping_mul(b),
            "/" => a.wrapping_div(b),
            _ => a.wrapping_rem(b),
        })
    }

    fn unary(&mut self) -> Result<i64, String> {
        self.blanks();
        for (sign, delta) in [("++", 1), ("--", -1)] {
            if self.looks(sign) {
                self.at += 2;
                let name = self.name();
                if name.is_empty() {
                    return self.error();
                }
                let value = self.value(&name)?.wrapping_add(delta);
                return Ok(self.assign(&name, value));
            }
        }
        if self.eat("!") {
            return Ok(i64::from(self.unary()? == 0));
        }
        if self.eat("~") {
            return Ok(!self.unary()?);
        }
        if self.eat("-") {
            return Ok(self.unary()?.wrapping_neg());
        }
        if self.eat("+") {
            return self.unary();
        }
        if self.eat("(") {
            let value = self.comma()?;
            return if self.eat(")") { Ok(value) } else { self.error() };
        }
        let name = self.name();
        if name.is_empty() { self.number() } else { self.variable(&name) }
    }

    fn name(&mut self) -> String {
        self.blanks();
        let start = self.at;
        if self.chars.get(start).is_some_and(|c| c.is_ascii_alphabetic() || *c == '_') {
            while self.chars.get(self.at).is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_') {
                self.at += 1;
            }
        }
        self.chars[start..self.at].iter().collect()
    }

    fn number(&mut self) -> Result<i64, String> {
        let start = self.at;
        while self.chars.get(self.at).is_some_and(char::is_ascii_alphanumeric) {
            self.at += 1;
        }
        let text: String = self.chars[start..self.at].iter().collect();
        parse_number(&text).map_or_else(|| self.error(), Ok)
    }

    fn value(&self, name: &str) -> Result<i64, String> {
        if let Some(value) = self.set.get(name) {
            return Ok(*value);
        }
        match (self.get)(name) {
            None => Ok(0),
            Some(text) if text.trim().is_empty() => Ok(0),
            Some(text) => parse_number(text.trim()).ok_or_else(|| format!("bad number '{text}'")),
        }
    }

    fn assign(&mut self, name: &str, value: i64) -> i64 {
        if self.skip == 0 {
            self.set.insert(name.to_owned(), value);
        }
        value
    }

    fn variable(&mut self, name: &str) -> Result<i64, String> {
        self.blanks();
        for (sign, delta) in [("++", 1), ("--", -1)] {
            if self.looks(sign) {
                self.at += 2;
                let value = self.value(name)?;
                self.assign(name, value.wrapping_add(delta));
                return Ok(value);
            }
        }
        if self.looks("=") && !self.looks("==") {
            self.at += 1;
            let value = self.ternary()?;
            return Ok(self.assign(name, value));
        }
        for op in ["<<", ">>", "+", "-", "*", "/", "%", "&", "|", "^"] {
            if self.looks(&format!("{op}=")) {
                self.at += op.len() + 1;
                let right = self.ternary()?;
                let value = self.apply(op, self.value(name)?, right)?;
                return Ok(self.assign(name, value));
            }
        }
        self.value(name)
    }
}

/// A number: decimal, `0x` or with a leading zero octal, perhaps with a sign.
pub fn parse_number(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |d| (true, d));
    let value = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => i64::from_str_radix(hex, 16).ok()?,
        None if digits.len() > 1 && digits.starts_with('0') => i64::from_str_radix(digits, 8).ok()?,
        None => digits.parse().ok()?,
    };
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions() {
        let get = |name: &str| (name == "x").then(|| "5".to_owned());
        for (text, value) in [
            ("", 0),
            ("1 + 2 * 3", 7),
            ("(1 + 2) * 3", 9),
            ("x++ + x", 11),
            ("x == 5 && 2 < 3", 1),
            ("-7 / 2", -3),
            ("0x10 + 010", 24),
            ("1 ? 2 : 3", 2),
            ("0 && 1 / 0", 0),
            ("y = 3, y * 2", 6),
            ("1 << 4 | 1", 17),
            ("!x", 0),
            ("x -= 2", 3),
            ("10 % 3", 1),
        ] {
            assert_eq!(evaluate(text, &get).map(|r| r.0), Ok(value), "{text}");
        }
        assert_eq!(evaluate("1 / 0", &get).map(|r| r.0), Err("divide by zero".to_owned()));
        assert!(evaluate("1 +", &get).is_err() && evaluate("a b", &get).is_err());
    }
}
