//! POSIX regular expressions for `grep`, `sed` and `=~`, put into the notation of the engine.
//!
//! Difference: alternatives are tried from left to right (the first that fits), not for the longest.

/// An extended expression: what the engine reads otherwise is escaped.
pub fn extended(source: &str) -> String {
    convert(source, true)
}

/// A basic expression: `\(`, `\{`, `\|`, `\+` and `\?` are the special ones.
pub fn basic(source: &str) -> String {
    convert(source, false)
}

fn convert(source: &str, extended: bool) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::new();
    let mut i = 0;
    // A `*` at the start of a basic expression or group is an ordinary character.
    let mut at_start = true;
    while i < chars.len() {
        let c = chars[i];
        let was_start = std::mem::replace(&mut at_start, false);
        match c {
            '\\' => {
                i += 1;
                match chars.get(i) {
                    None => out.push_str("\\\\"),
                    Some(next @ ('(' | ')' | '{' | '}' | '|' | '+' | '?')) => {
                        if extended {
                            out.push('\\');
                        }
                        at_start = !extended && matches!(next, '(' | '|');
                        out.push(*next);
                    }
                    Some('<') => out.push_str("\\b"),
                    Some('>') => out.push_str("\\b"),
                    Some(next @ ('w' | 'W' | 's' | 'S' | 'b' | 'B' | 'n' | 't')) => {
                        out.push('\\');
                        out.push(*next);
                    }
                    Some(next) if next.is_alphanumeric() => out.push(*next),
                    Some(next) => {
                        out.push('\\');
                        out.push(*next);
                    }
                }
            }
            '[' => i = bracket(&chars, i, &mut out),
            '(' | ')' | '{' | '}' | '|' | '+' | '?' if !extended => {
                out.push('\\');
                out.push(c);
            }
            '{' if !chars.get(i + 1).is_some_and(char::is_ascii_digit) => out.push_str("\\{"),
            '*' if was_start => out.push_str("\\*"),
            '^' if !extended && !was_start => out.push_str("\\^"),
            '^' => {
                out.push('^');
                at_start = !extended;
            }
            '$' if !extended && i + 1 < chars.len() && !(chars[i + 1] == '\\' && chars.get(i + 2) == Some(&')')) => {
                out.push_str("\\$");
            }
            _ => out.push(c),
        }
        i += 1;
    }
    out
}

/// Copies `[...]` from `start`; gives the index of its last character.
fn bracket(chars: &[char], start: usize, out: &mut String) -> usize {
    let mut i = start + 1;
    let mut set = String::from("[");
    if chars.get(i) == Some(&'^') {
        set.push('^');
        i += 1;
    }
    let first = i;
    while let Some(&c) = chars.get(i) {
        match c {
            ']' if i > first => {
                set.push(']');
                out.push_str(&set);
                return i;
            }
            '[' if chars.get(i + 1) == Some(&':') => {
                while let Some(&c) = chars.get(i) {
                    set.push(c);
                    i += 1;
                    if c == ':' && chars.get(i) == Some(&']') {
                        set.push(']');
                        break;
                    }
                }
            }
            ']' | '[' | '\\' | '&' | '~' => {
                set.push('\\');
                set.push(c);
            }
            _ => set.push(c),
        }
        i += 1;
    }
    out.push('['); // not closed: the engine refuses it
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations() {
        for (source, expected) in [
            (r"a\(b\)\{2\}", "a(b){2}"),
            ("a(b)+", r"a\(b\)\+"),
            ("*a", r"\*a"),
            ("[]a]", r"[\]a]"),
            ("[[:space:]]*$", "[[:space:]]*$"),
            ("a$b", r"a\$b"),
            (r"\.x", r"\.x"),
        ] {
            assert_eq!(basic(source), expected, "{source}");
        }
        assert_eq!(extended(r"a{2}|\{"), r"a{2}|\{");
        assert_eq!(extended("{{x}}"), r"\{\{x}}");
    }
}
