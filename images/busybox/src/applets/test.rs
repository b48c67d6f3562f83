//! test and [.

use crate::applet::{Fail, Io, Outcome};

struct Parser<'a> {
    words: &'a [String],
    at: usize,
}

fn syntax(message: &str) -> Fail {
    Fail::Status(2, message.to_owned())
}

const BINARY: &[&str] = &["=", "==", "!=", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "<", ">", "-nt", "-ot", "-ef"];

impl Parser<'_> {
    fn peek(&self, offset: usize) -> Option<&str> {
        self.words.get(self.at + offset).map(String::as_str)
    }

    fn or(&mut self) -> Result<bool, Fail> {
        let mut value = self.and()?;
        while self.peek(0) == Some("-o") {
            self.at += 1;
            value |= self.and()?;
        }
        Ok(value)
    }

    fn and(&mut self) -> Result<bool, Fail> {
        let mut value = self.not()?;
        while self.peek(0) == Some("-a") {
            self.at += 1;
            value &= self.not()?;
        }
        Ok(value)
    }

    fn not(&mut self) -> Result<bool, Fail> {
        let binary_follows = self.peek(1).is_some_and(|w| BINARY.contains(&w)) && self.peek(2).is_some();
        if self.peek(0) == Some("!") && !binary_follows {
            self.at += 1;
            return Ok(!self.not()?);
        }
        self.primary(binary_follows)
    }

    fn primary(&mut self, binary: bool) -> Result<bool, Fail> {
        let Some(first) = self.peek(0).map(str::to_owned) else { return Err(syntax("argument expected")) };
        if binary {
            let (operator, second) = (self.peek(1).unwrap_or("").to_owned(), self.peek(2).unwrap_or("").to_owned());
            self.at += 3;
            return compare(&first, &operator, &second);
        }
        if first == "(" {
            self.at += 1;
            let value = self.or()?;
            if self.peek(0) != Some(")") {
                return Err(syntax("closing paren expected"));
            }
            self.at += 1;
            return Ok(value);
        }
        let letter = first.strip_prefix('-').filter(|l| l.len() == 1 && "bcdefghknLprSstuwxzG".contains(*l));
        if let (Some(letter), Some(operand)) = (letter, self.peek(1)) {
            let value = unary(letter, operand);
            self.at += 2;
            return value;
        }
        self.at += 1;
        Ok(!first.is_empty())
    }
}

fn unary(letter: &str, operand: &str) -> Result<bool, Fail> {
    let meta = || std::fs::metadata(operand).ok();
    let link = || std::fs::symlink_metadata(operand).is_ok_and(|m| m.file_type().is_symlink());
    Ok(match letter {
        "n" => !operand.is_empty(),
        "z" => operand.is_empty(),
        "e" => meta().is_some(),
        "f" => meta().is_some_and(|m| m.is_file()),
        "d" => meta().is_some_and(|m| m.is_dir()),
        "s" => meta().is_some_and(|m| m.len() > 0),
        "h" | "L" => link(),
        "r" | "w" => meta().is_some(),
        "x" => meta().is_some_and(|m| proc::mode(operand, true).map_or(m.is_dir(), |(mode, ..)| mode & 0o111 != 0)),
        "t" => operand.parse().is_ok_and(proc::is_tty),
        "c" => proc::mode(operand, true).is_ok_and(|(mode, ..)| mode & 0o170_000 == 0o020_000),
        _ => false,
    })
}

fn compare(first: &str, operator: &str, second: &str) -> Result<bool, Fail> {
    let modified = |path: &str| std::fs::metadata(path).and_then(|m| m.modified()).ok();
    Ok(match operator {
        "=" | "==" => first == second,
        "!=" => first != second,
        "<" => first < second,
        ">" => first > second,
        "-nt" => modified(first) > modified(second),
        "-ot" => modified(first) < modified(second),
        "-ef" => super::readlink::canonical(first).ok() == super::readlink::canonical(second).ok(),
        _ => {
            let number = |text: &str| text.trim().parse::<i64>().map_err(|_| syntax(&format!("{text}: bad number")));
            let (a, b) = (number(first)?, number(second)?);
            match operator {
                "-eq" => a == b,
                "-ne" => a != b,
                "-lt" => a < b,
                "-le" => a <= b,
                "-gt" => a > b,
                _ => a >= b,
            }
        }
    })
}

/// Checks a condition.
pub fn run(_: &mut Io<'_>, args: &[String]) -> Outcome {
    let bracket = args.first().is_some_and(|a| a.ends_with('['));
    let mut words = &args[1..];
    if bracket {
        match words.split_last() {
            Some((last, rest)) if last == "]" => words = rest,
            _ => return Err(syntax("missing ]")),
        }
    }
    if words.is_empty() {
        return Ok(1);
    }
    let mut parser = Parser { words, at: 0 };
    let value = parser.or()?;
    match parser.peek(0) {
        None => Ok(i32::from(!value)),
        Some(word) => Err(syntax(&format!("{word}: unknown operand"))),
    }
}

#[cfg(test)]
mod tests {
    use crate::applet::testing::run;

    #[test]
    fn conditions() {
        for (words, status) in [
            (&[""][..], 1),
            (&["x"], 0),
            (&["-n", ""], 1),
            (&["-z", ""], 0),
            (&["a", "=", "a"], 0),
            (&["a", "!=", "a"], 1),
            (&["2", "-lt", "10"], 0),
            (&["!", "x"], 1),
            (&["-d", "/"], 0),
            (&["-f", "/"], 1),
            (&["x", "-a", ""], 1),
            (&["", "-o", "x"], 0),
            (&["(", "x", ")"], 0),
            (&["-n"], 0),
            (&["!", "=", "!"], 0),
            (&["a", "-eq", "1"], 2),
            (&["a", "b"], 2),
        ] {
            assert_eq!(run("test", words, "").0, status, "{words:?}");
        }
        assert_eq!(run("[", &["x", "]"], "").0, 0);
        assert_eq!(run("[", &["x"], "").2, "[: missing ]\n");
    }
}
