//! Shell arithmetic: 64-bit integers, C's operators, variables read and assigned through [`Variables`].

/// Where names get their values.
pub trait Variables {
    /// The text of a variable; empty if it is not set.
    fn get(&self, name: &str, index: Option<&str>) -> Result<String, String>;
    /// Assigns.
    fn set(&mut self, name: &str, index: Option<&str>, value: String) -> Result<(), String>;
}

/// A variable whose value is an expression is evaluated in turn, this deep at most.
const RECURSION_DEPTH_MAX: u32 = 32;
/// Parentheses, signs and powers inside each other.
const NESTING_DEPTH_MAX: u32 = 40;

/// The value of an expression; the error is bash's sentence without its place.
pub fn evaluate(text: &str, vars: &mut dyn Variables) -> Result<i64, String> {
    evaluate_at(text, vars, 0)
}

fn evaluate_at(text: &str, vars: &mut dyn Variables, depth: u32) -> Result<i64, String> {
    if depth > RECURSION_DEPTH_MAX {
        return Err(format!("{text}: expression recursion level exceeded (error token is \"{text}\")"));
    }
    let mut eval = Eval { text, chars: text.char_indices().collect(), pos: 0, vars, depth, skip: 0, nested: 0 };
    eval.blank();
    if eval.pos == eval.chars.len() {
        return Ok(0);
    }
    let value = eval.comma()?;
    eval.blank();
    if eval.pos < eval.chars.len() {
        return Err(eval.error("syntax error in expression"));
    }
    Ok(value)
}

struct Eval<'t, 'v> {
    text: &'t str,
    chars: Vec<(usize, char)>,
    pos: usize,
    vars: &'v mut dyn Variables,
    depth: u32,
    /// Above 0: in a branch that is not taken; assignments and divisions do nothing.
    skip: u32,
    nested: u32,
}

/// Binary operators by level, weakest first; a longer operator stands before its prefixes.
const LEVELS: &[&[&str]] =
    &[&["|"], &["^"], &["&"], &["==", "!="], &["<=", ">=", "<", ">"], &["<<", ">>"], &["+", "-"], &["*", "/", "%"]];
const ASSIGNMENTS: &[&str] = &["<<=", ">>=", "+=", "-=", "*=", "/=", "%=", "&=", "^=", "|=", "="];

struct Place {
    name: String,
    index: Option<String>,
}

impl Eval<'_, '_> {
    /// At the end of the text bash points at the last character before it.
    fn error(&self, what: &str) -> String {
        let end = self.text.trim_end().char_indices().next_back().map_or(0, |(i, _)| i);
        let at = self.chars.get(self.pos).map_or(end, |(i, _)| *i);
        format!("{}: {what} (error token is \"{}\")", self.text.trim_start(), &self.text[at..])
    }

    fn blank(&mut self) {
        while self.chars.get(self.pos).is_some_and(|(_, c)| c.is_whitespace()) {
            self.pos += 1;
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.pos + ahead).map(|(_, c)| *c)
    }

    fn at(&self, op: &str) -> bool {
        op.chars().enumerate().all(|(i, c)| self.peek(i) == Some(c))
    }

    fn eat(&mut self, op: &str) -> bool {
        self.blank();
        let found = self.at(op);
        if found {
            self.pos += op.len();
        }
        found
    }

    fn comma(&mut self) -> Result<i64, String> {
        let mut value = self.assignment()?;
        while self.eat(",") {
            value = self.assignment()?;
        }
        Ok(value)
    }

    fn assignment(&mut self) -> Result<i64, String> {
        if self.nested >= NESTING_DEPTH_MAX {
            return Err(self.error("expression recursion level exceeded"));
        }
        self.nested += 1;
        let value = self.assignment_inner();
        self.nested -= 1;
        value
    }

    fn assignment_inner(&mut self) -> Result<i64, String> {
        let start = self.pos;
        if let Some(place) = self.place()? {
            self.blank();
            let op = ASSIGNMENTS.iter().find(|op| self.at(op) && !(**op == "=" && self.peek(1) == Some('=')));
            if let Some(op) = op {
                self.pos += op.len();
                let right = self.assignment()?;
                let value = match op.strip_suffix('=') {
                    Some("") | None => right,
                    Some(binary) => {
                        let left = self.read(&place)?;
                        self.apply(binary, left, right)?
                    }
                };
                self.write(&place, value)?;
                return Ok(value);
            }
        }
        self.pos = start;
        self.ternary()
    }

    fn ternary(&mut self) -> Result<i64, String> {
        let test = self.or()?;
        if !self.eat("?") {
            return Ok(test);
        }
        let yes = self.branch(test != 0, Self::assignment)?;
        if !self.eat(":") {
            return Err(self.error("`:' expected for conditional expression"));
        }
        let no = self.branch(test == 0, Self::assignment)?;
        Ok(if test != 0 { yes } else { no })
    }

    fn branch(&mut self, taken: bool, f: fn(&mut Self) -> Result<i64, String>) -> Result<i64, String> {
        self.skip += u32::from(!taken);
        let value = f(self);
        self.skip -= u32::from(!taken);
        value
    }

    fn or(&mut self) -> Result<i64, String> {
        let mut left = self.and()?;
        while self.eat("||") {
            let right = self.branch(left == 0, Self::and)?;
            left = i64::from(left != 0 || right != 0);
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<i64, String> {
        let mut left = self.binary(0)?;
        while self.eat("&&") {
            let right = self.branch(left != 0, |e| e.binary(0))?;
            left = i64::from(left != 0 && right != 0);
        }
        Ok(left)
    }

    fn binary(&mut self, level: usize) -> Result<i64, String> {
        let Some(ops) = LEVELS.get(level) else { return self.power() };
        let mut left = self.binary(level + 1)?;
        'again: loop {
            self.blank();
            for op in *ops {
                if !self.at(op) {
                    continue;
                }
                let next = self.peek(op.len());
                let longer = matches!((*op, next), ("|", Some('|')) | ("&", Some('&')) | ("*", Some('*')))
                    || (matches!(*op, "<" | ">") && next == op.chars().next())
                    || (next == Some('=') && !matches!(*op, "==" | "!=" | "<=" | ">=" | "<" | ">"));
                if longer {
                    continue;
                }
                self.pos += op.len();
                let right = self.binary(level + 1)?;
                left = self.apply(op, left, right)?;
                continue 'again;
            }
            return Ok(left);
        }
    }

    fn power(&mut self) -> Result<i64, String> {
        let base = self.unary()?;
        if !self.eat("**") {
            return Ok(base);
        }
        let exponent = self.power()?;
        if exponent < 0 {
            return Err(self.error("exponent less than 0"));
        }
        Ok(base.wrapping_pow(u32::try_from(exponent).unwrap_or(u32::MAX)))
    }

    fn apply(&self, op: &str, a: i64, b: i64) -> Result<i64, String> {
        Ok(match op {
            "+" => a.wrapping_add(b),
            "-" => a.wrapping_sub(b),
            "*" => a.wrapping_mul(b),
            "/" | "%" if b == 0 => {
                if self.skip > 0 {
                    return Ok(0);
                }
                return Err(self.division_error());
            }
            "/" => a.wrapping_div(b),
            "%" => a.wrapping_rem(b),
            "<<" => a.wrapping_shl(b as u32),
            ">>" => a.wrapping_shr(b as u32),
            "&" => a & b,
            "|" => a | b,
            "^" => a ^ b,
            "==" => i64::from(a == b),
            "!=" => i64::from(a != b),
            "<" => i64::from(a < b),
            "<=" => i64::from(a <= b),
            ">" => i64::from(a > b),
            _ => i64::from(a >= b),
        })
    }

    /// bash points at the divisor.
    fn division_error(&self) -> String {
        let end = self.chars.get(self.pos).map_or(self.text.len(), |(i, _)| *i);
        let before = self.text[..end].trim_end();
        let from = before.rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).map_or(0, |i| i + 1);
        format!("{}: division by 0 (error token is \"{}\")", self.text.trim_start(), &self.text[from..])
    }

    fn unary(&mut self) -> Result<i64, String> {
        if self.nested >= NESTING_DEPTH_MAX {
            return Err(self.error("expression recursion level exceeded"));
        }
        self.nested += 1;
        let value = self.unary_inner();
        self.nested -= 1;
        value
    }

    fn unary_inner(&mut self) -> Result<i64, String> {
        self.blank();
        for (op, step) in [("++", 1), ("--", -1)] {
            if self.at(op) {
                let start = self.pos;
                self.pos += 2;
                if let Some(place) = self.place()? {
                    let value = self.read(&place)?.wrapping_add(step);
                    self.write(&place, value)?;
                    return Ok(value);
                }
                self.pos = start;
            }
        }
        match self.peek(0) {
            Some('+') => {
                self.pos += 1;
                self.unary()
            }
            Some('-') => {
                self.pos += 1;
                Ok(self.unary()?.wrapping_neg())
            }
            Some('!') => {
                self.pos += 1;
                Ok(i64::from(self.unary()? == 0))
            }
            Some('~') => {
                self.pos += 1;
                Ok(!self.unary()?)
            }
            _ => self.primary(),
        }
    }

    fn primary(&mut self) -> Result<i64, String> {
        if self.eat("(") {
            let value = self.comma()?;
            if !self.eat(")") {
                return Err(self.error("missing `)'"));
            }
            return Ok(value);
        }
        if self.peek(0).is_some_and(|c| c.is_ascii_digit()) {
            return self.number();
        }
        let Some(place) = self.place()? else {
            return Err(self.error("syntax error: operand expected"));
        };
        let value = self.read(&place)?;
        self.blank();
        for (op, step) in [("++", 1), ("--", -1)] {
            if self.at(op) {
                self.pos += 2;
                self.write(&place, value.wrapping_add(step))?;
                break;
            }
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<i64, String> {
        let start = self.pos;
        while self.peek(0).is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '#' | '_' | '@')) {
            self.pos += 1;
        }
        let text: String = self.chars[start..self.pos].iter().map(|(_, c)| *c).collect();
        let bad = |e: &mut Self, what: &str| {
            e.pos = start;
            Err(e.error(what))
        };
        if let Some((base, digits)) = text.split_once('#') {
            let radix = base.parse::<u32>().ok().filter(|r| (2..=36).contains(r));
            let Some(radix) = radix else { return bad(self, "invalid arithmetic base") };
            return match i64::from_str_radix(digits, radix) {
                Ok(value) => Ok(value),
                Err(_) => bad(self, "value too great for base"),
            };
        }
        let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(hex) => (hex, 16),
            None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
            None => (text.as_str(), 10),
        };
        match i64::from_str_radix(digits, radix) {
            Ok(value) => Ok(value),
            Err(_) if digits.chars().all(|c| c.is_digit(radix)) => Ok(digits
                .chars()
                .filter_map(|c| c.to_digit(radix))
                .fold(0_i64, |n, d| n.wrapping_mul(i64::from(radix)).wrapping_add(i64::from(d)))),
            Err(_) => bad(self, "value too great for base"),
        }
    }

    /// A variable at the cursor.
    fn place(&mut self) -> Result<Option<Place>, String> {
        self.blank();
        if !self.peek(0).is_some_and(|c| c.is_ascii_alphabetic() || c == '_') {
            return Ok(None);
        }
        let start = self.pos;
        while self.peek(0).is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
            self.pos += 1;
        }
        let name = self.chars[start..self.pos].iter().map(|(_, c)| *c).collect();
        let mut index = None;
        if self.peek(0) == Some('[') {
            let from = self.pos + 1;
            let mut depth = 0;
            loop {
                match self.peek(0) {
                    None => return Err(self.error("bad array subscript")),
                    Some('[') => depth += 1,
                    Some(']') => depth -= 1,
                    _ => {}
                }
                self.pos += 1;
                if depth == 0 {
                    break;
                }
            }
            index = Some(self.chars[from..self.pos - 1].iter().map(|(_, c)| *c).collect());
        }
        Ok(Some(Place { name, index }))
    }

    fn read(&mut self, place: &Place) -> Result<i64, String> {
        let text = self.vars.get(&place.name, place.index.as_deref())?;
        match text.trim().parse() {
            Ok(value) if !text.trim().starts_with('0') => Ok(value),
            _ => evaluate_at(&text, self.vars, self.depth + 1),
        }
    }

    fn write(&mut self, place: &Place, value: i64) -> Result<(), String> {
        if self.skip > 0 {
            return Ok(());
        }
        self.vars.set(&place.name, place.index.as_deref(), value.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    impl Variables for BTreeMap<String, String> {
        fn get(&self, name: &str, _: Option<&str>) -> Result<String, String> {
            Ok(BTreeMap::get(self, name).cloned().unwrap_or_default())
        }
        fn set(&mut self, name: &str, _: Option<&str>, value: String) -> Result<(), String> {
            self.insert(name.into(), value);
            Ok(())
        }
    }

    #[test]
    fn values_are_bashs() {
        let mut vars = BTreeMap::from([("a".to_owned(), "5".to_owned()), ("e".to_owned(), "a+1".to_owned())]);
        for (text, expected) in [
            ("", 0),
            ("1 + 2 * 3", 7),
            ("(1+2)*3", 9),
            ("2 ** 3 ** 2", 512),
            ("-2 ** 2", 4),
            ("7 / 2", 3),
            ("-7 % 3", -1),
            ("1 << 4 | 1", 17),
            ("a++ + ++a", 12),
            ("a", 7),
            ("e * 2", 16),
            ("a > 3 && a < 10", 1),
            ("0 || 0", 0),
            ("1 ? 2 : 3", 2),
            ("0 && (a = 100), a", 7),
            ("0x1f + 010 + 2#101", 44),
            ("!0 + ~0", 0),
            ("b = 3, b += 4", 7),
            ("a == 7 != 0", 1),
            ("1 <= 2", 1),
            ("9223372036854775807 + 1", i64::MIN),
        ] {
            assert_eq!(evaluate(text, &mut vars), Ok(expected), "{text}");
        }
    }

    #[test]
    fn errors_are_bashs() {
        let mut vars = BTreeMap::new();
        for (text, expected) in [
            ("1 / 0", r#"1 / 0: division by 0 (error token is "0")"#),
            ("1 +", r#"1 +: syntax error: operand expected (error token is "+")"#),
            ("08", r#"08: value too great for base (error token is "08")"#),
            ("1 2", r#"1 2: syntax error in expression (error token is "2")"#),
        ] {
            assert_eq!(evaluate(text, &mut vars), Err(expected.into()), "{text}");
        }
    }
}
