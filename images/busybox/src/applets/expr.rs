//! expr.

use crate::applet::{Fail, Io, Outcome};
use crate::regex::Regex;

struct Parser<'a> {
    words: &'a [String],
    at: usize,
}

const LEVELS: &[&[&str]] =
    &[&["|"], &["&"], &["=", "==", "!=", "<", "<=", ">", ">="], &["+", "-"], &["*", "/", "%"], &[":"]];

fn number(text: &str) -> Result<i64, Fail> {
    text.parse().map_err(|_| Fail::Status(2, "non-numeric argument".to_owned()))
}

fn truth(text: &str) -> bool {
    !text.is_empty() && text != "0"
}

impl Parser<'_> {
    fn level(&mut self, level: usize) -> Result<String, Fail> {
        if level == LEVELS.len() {
            return self.primary();
        }
        let mut left = self.level(level + 1)?;
        while let Some(operator) = self.words.get(self.at).filter(|w| LEVELS[level].contains(&w.as_str())).cloned() {
            self.at += 1;
            let right = self.level(level + 1)?;
            left = apply(&operator, &left, &right)?;
        }
        Ok(left)
    }

    fn primary(&mut self) -> Result<String, Fail> {
        let word = self.words.get(self.at).cloned().ok_or_else(|| Fail::Status(2, "syntax error".to_owned()))?;
        self.at += 1;
        let mut argument = || {
            let word = self.words.get(self.at).cloned().unwrap_or_default();
            self.at += 1;
            word
        };
        match word.as_str() {
            "length" => Ok(argument().chars().count().to_string()),
            "substr" => {
                let (text, start, length) = (argument(), number(&argument())?, number(&argument())?);
                let skip = usize::try_from(start - 1).unwrap_or(usize::MAX);
                Ok(text.chars().skip(skip).take(usize::try_from(length).unwrap_or(0)).collect())
            }
            "index" => {
                let (text, set) = (argument(), argument());
                Ok(text.chars().position(|c| set.contains(c)).map_or(0, |i| i + 1).to_string())
            }
            "match" => {
                let (text, pattern) = (argument(), argument());
                apply(":", &text, &pattern)
            }
            "(" => {
                let value = self.level(0)?;
                if self.words.get(self.at).map(String::as_str) != Some(")") {
                    return Err(Fail::Status(2, "syntax error".to_owned()));
                }
                self.at += 1;
                Ok(value)
            }
            _ => Ok(word),
        }
    }
}

fn apply(operator: &str, a: &str, b: &str) -> Result<String, Fail> {
    let order = || match (a.parse::<i64>(), b.parse::<i64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.cmp(b),
    };
    let flag = |value: bool| u8::from(value).to_string();
    Ok(match operator {
        "|" => {
            if truth(a) {
                a.to_owned()
            } else {
                b.to_owned()
            }
        }
        "&" => {
            if truth(a) && truth(b) {
                a.to_owned()
            } else {
                "0".to_owned()
            }
        }
        "=" | "==" => flag(order().is_eq()),
        "!=" => flag(order().is_ne()),
        "<" => flag(order().is_lt()),
        "<=" => flag(order().is_le()),
        ">" => flag(order().is_gt()),
        ">=" => flag(order().is_ge()),
        ":" => {
            let regex = Regex::new(&format!("^{b}"), false, false).map_err(|m| Fail::Status(2, m))?;
            let chars: Vec<char> = a.chars().collect();
            let grouped = b.contains("\\(");
            match regex.find(&chars, 0) {
                None => {
                    if grouped {
                        String::new()
                    } else {
                        "0".to_owned()
                    }
                }
                Some(groups) if grouped => {
                    groups.get(1).copied().flatten().map_or(String::new(), |(f, t)| chars[f..t].iter().collect())
                }
                Some(groups) => groups[0].map_or(0, |(f, t)| t - f).to_string(),
            }
        }
        _ => {
            let (x, y) = (number(a)?, number(b)?);
            if matches!(operator, "/" | "%") && y == 0 {
                return Err(Fail::Status(2, "division by zero".to_owned()));
            }
            match operator {
                "+" => x.wrapping_add(y),
                "-" => x.wrapping_sub(y),
                "*" => x.wrapping_mul(y),
                "/" => x.wrapping_div(y),
                _ => x.wrapping_rem(y),
            }
            .to_string()
        }
    })
}

/// Evaluates an expression.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let mut parser = Parser { words: &args[1..], at: 0 };
    let value = parser.level(0)?;
    if parser.at < parser.words.len() {
        return Err(Fail::Status(2, "syntax error".to_owned()));
    }
    writeln!(io.out, "{value}")?;
    Ok(i32::from(!truth(&value)))
}

#[cfg(test)]
mod tests {
    use crate::applet::testing::{check, run};

    #[test]
    fn expr() {
        check("expr", &["1", "+", "2", "*", "3"], "", "7\n");
        check("expr", &["abc", ":", "a\\(.\\)"], "", "b\n");
        check("expr", &["length", "abc"], "", "3\n");
        check("expr", &["10", ">", "9"], "", "1\n");
        assert_eq!(run("expr", &["1", "-", "1"], ""), (1, "0\n".into(), String::new()));
        assert_eq!(run("expr", &["1", "/", "0"], "").2, "expr: division by zero\n");
    }
}
