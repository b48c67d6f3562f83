//! Shell patterns: `*`, `?`, `[...]`, backslash, and the extended forms `?(a|b)`, `*(..)`, `+(..)`, `@(..)`, `!(..)`.

/// Steps that one match may take; a pattern that needs more does not match.
const MATCH_STEPS_MAX: u32 = 1_000_000;
/// Stars and extended forms of one match that wait for each other.
const MATCH_DEPTH_MAX: u32 = 200;

/// Whether the whole text matches.
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    Matcher { steps: MATCH_STEPS_MAX, depth: 0 }.run(&pattern, &text)
}

/// Whether the text holds a pattern character that is not escaped.
pub fn is_pattern(text: &str) -> bool {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '*' | '?' | '[' => return true,
            _ => {}
        }
    }
    false
}

/// Puts a backslash before every character that a pattern would read specially.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '(' | ')' | '|' | '+' | '@' | '!') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Removes the backslashes of a pattern.
pub fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' { chars.next().unwrap_or('\\') } else { c });
    }
    out
}

/// Where the pattern matches at `from`: the end of the longest (or shortest) match.
pub fn match_at(pattern: &str, text: &[char], from: usize, longest: bool) -> Option<usize> {
    let pattern: Vec<char> = pattern.chars().collect();
    let mut matcher = Matcher { steps: MATCH_STEPS_MAX, depth: 0 };
    let mut fits = |end: &usize| matcher.run(&pattern, &text[from..*end]);
    if longest { (from..=text.len()).rev().find(|e| fits(e)) } else { (from..=text.len()).find(|e| fits(e)) }
}

struct Matcher {
    steps: u32,
    depth: u32,
}

impl Matcher {
    fn run(&mut self, mut pattern: &[char], mut text: &[char]) -> bool {
        loop {
            if self.steps == 0 {
                return false;
            }
            self.steps -= 1;
            let Some(&first) = pattern.first() else { return text.is_empty() };
            if matches!(first, '?' | '*' | '+' | '@' | '!')
                && pattern.get(1) == Some(&'(')
                && let Some((choices, rest)) = alternatives(&pattern[2..])
            {
                return self.deeper(|m| m.extended(first, &choices, rest, text));
            }
            if first == '*' {
                let stars = pattern.iter().take_while(|c| **c == '*').count();
                // The last of several stars may begin an extended form.
                let used = if pattern.get(stars) == Some(&'(') { (stars - 1).max(1) } else { stars };
                let rest = &pattern[used..];
                if rest.is_empty() {
                    return true;
                }
                return self.deeper(|m| (0..=text.len()).any(|i| m.run(rest, &text[i..])));
            }
            let Some(&c) = text.first() else { return false };
            let used = match first {
                '?' => 1,
                '[' => match class(pattern) {
                    Some((set, used)) if set.has(c) => used,
                    None if c == '[' => 1,
                    _ => return false,
                },
                '\\' if pattern.len() > 1 => match pattern[1] == c {
                    true => 2,
                    false => return false,
                },
                literal if literal == c => 1,
                _ => return false,
            };
            pattern = &pattern[used..];
            text = &text[1..];
        }
    }

    /// One level deeper; too deep does not match.
    fn deeper(&mut self, f: impl FnOnce(&mut Self) -> bool) -> bool {
        if self.depth >= MATCH_DEPTH_MAX {
            return false;
        }
        self.depth += 1;
        let matched = f(self);
        self.depth -= 1;
        matched
    }

    fn extended(&mut self, kind: char, choices: &[&[char]], rest: &[char], text: &[char]) -> bool {
        if kind == '!' {
            return (0..=text.len())
                .any(|i| !choices.iter().any(|c| self.run(c, &text[..i])) && self.run(rest, &text[i..]));
        }
        if matches!(kind, '?' | '*') && self.run(rest, text) {
            return true;
        }
        for end in 0..=text.len() {
            if !choices.iter().any(|c| self.run(c, &text[..end])) {
                continue;
            }
            if self.run(rest, &text[end..]) {
                return true;
            }
            if matches!(kind, '*' | '+') && end > 0 && self.extended('*', choices, rest, &text[end..]) {
                return true;
            }
        }
        false
    }
}

/// The alternatives up to the closing parenthesis, and what follows it.
fn alternatives(pattern: &[char]) -> Option<(Vec<&[char]>, &[char])> {
    let (mut depth, mut start, mut i) = (0, 0, 0);
    let mut choices = Vec::new();
    while i < pattern.len() {
        match pattern[i] {
            '\\' => i += 1,
            '(' => depth += 1,
            ')' if depth == 0 => {
                choices.push(&pattern[start..i]);
                return Some((choices, &pattern[i + 1..]));
            }
            ')' => depth -= 1,
            '|' if depth == 0 => {
                choices.push(&pattern[start..i]);
                start = i + 1;
            }
            _ => {}
        }
        i += 1;
    }
    None
}

struct Class {
    negated: bool,
    ranges: Vec<(char, char)>,
    named: Vec<String>,
}

impl Class {
    fn has(&self, c: char) -> bool {
        let found = self.ranges.iter().any(|(a, b)| *a <= c && c <= *b) || self.named.iter().any(|n| named(n, c));
        found != self.negated
    }
}

fn named(name: &str, c: char) -> bool {
    match name {
        "alpha" => c.is_alphabetic(),
        "digit" => c.is_ascii_digit(),
        "alnum" => c.is_alphanumeric(),
        "upper" => c.is_uppercase(),
        "lower" => c.is_lowercase(),
        "space" => c.is_whitespace(),
        "blank" => c == ' ' || c == '\t',
        "punct" => c.is_ascii_punctuation(),
        "xdigit" => c.is_ascii_hexdigit(),
        "cntrl" => c.is_control(),
        "print" => !c.is_control(),
        "graph" => !c.is_control() && c != ' ',
        "word" => c.is_alphanumeric() || c == '_',
        _ => false,
    }
}

/// The class at the start of the pattern and its length; none if it is not closed.
fn class(pattern: &[char]) -> Option<(Class, usize)> {
    let mut i = 1;
    let negated = matches!(pattern.get(i), Some('!' | '^'));
    if negated {
        i += 1;
    }
    let mut set = Class { negated, ranges: Vec::new(), named: Vec::new() };
    let first = i;
    loop {
        let c = *pattern.get(i)?;
        if c == ']' && i > first {
            return Some((set, i + 1));
        }
        if c == '[' && pattern.get(i + 1) == Some(&':') {
            let end = (i + 2..pattern.len().saturating_sub(1)).find(|e| pattern[*e] == ':' && pattern[*e + 1] == ']');
            if let Some(end) = end {
                set.named.push(pattern[i + 2..end].iter().collect());
                i = end + 2;
                continue;
            }
        }
        let (low, used) = if c == '\\' { (*pattern.get(i + 1)?, 2) } else { (c, 1) };
        i += used;
        if pattern.get(i) == Some(&'-') && pattern.get(i + 1).is_some_and(|c| *c != ']') {
            let high = if pattern[i + 1] == '\\' { *pattern.get(i + 2)? } else { pattern[i + 1] };
            i += if pattern[i + 1] == '\\' { 3 } else { 2 };
            set.ranges.push((low, high));
        } else {
            set.ranges.push((low, low));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_bash() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[", "[", true),
            (r"\*", "*", true),
            (r"\*", "a", false),
            ("[[:digit:]]*", "1a", true),
            ("@(a|b)c", "bc", true),
            ("+(ab)", "ababab", true),
            ("!(a)", "a", false),
            ("*.@(yaml|yml)", "x.yml", true),
            ("あ?", "あい", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        assert!(!matches(&"*a".repeat(30), &"a".repeat(29)), "ends in reasonable time");
    }
}
