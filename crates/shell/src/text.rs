//! Text operations that several parts share: backslash escapes, quoting for display, bash's way of naming a place.

/// Which backslash escapes mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escapes {
    /// `$'...'`.
    AnsiC,
    /// `echo -e` and `%b`: octal needs a leading zero, `\c` ends the output.
    Echo,
    /// The format of `printf`.
    Printf,
}

/// Interprets backslash escapes. The second value is true when `\c` ended the text.
pub fn unescape(text: &str, mode: Escapes) -> (String, bool) {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut utf8 = [0; 4];
    let mut stopped = false;
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
            continue;
        }
        let Some(next) = chars.next() else {
            out.push(b'\\');
            break;
        };
        let mut digits = |first: Option<char>, radix: u32, max: usize| {
            let mut value = first.and_then(|c| c.to_digit(radix)).unwrap_or(0);
            let mut count = usize::from(first.is_some());
            while count < max
                && let Some(d) = chars.peek().and_then(|c| c.to_digit(radix))
            {
                value = value.wrapping_mul(radix).wrapping_add(d);
                chars.next();
                count += 1;
            }
            (value, count)
        };
        match next {
            'n' => out.push(b'\n'),
            't' => out.push(b'\t'),
            'r' => out.push(b'\r'),
            'a' => out.push(7),
            'b' => out.push(8),
            'f' => out.push(12),
            'v' => out.push(11),
            'e' | 'E' => out.push(27),
            '\\' => out.push(b'\\'),
            'c' if mode == Escapes::Echo => {
                stopped = true;
                break;
            }
            '0' if mode == Escapes::Echo => out.push(digits(None, 8, 3).0 as u8),
            '0'..='7' if mode != Escapes::Echo => out.push(digits(Some(next), 8, 3).0 as u8),
            'x' | 'u' | 'U' => {
                let (value, count) = digits(
                    None,
                    16,
                    if next == 'x' {
                        2
                    } else if next == 'u' {
                        4
                    } else {
                        8
                    },
                );
                if count == 0 {
                    out.extend_from_slice(&[b'\\', next as u8]);
                } else if next == 'x' {
                    out.push(value as u8);
                } else {
                    let c = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
                    out.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
                }
            }
            '\'' | '"' | '?' if mode != Escapes::Echo => out.push(next as u8),
            other => {
                out.push(b'\\');
                out.extend_from_slice(other.encode_utf8(&mut utf8).as_bytes());
            }
        }
    }
    (String::from_utf8_lossy(&out).into_owned(), stopped)
}

/// Quoted as `set -x` and `declare -p` of arrays show it: only if needed, with single quotes.
pub fn quote(text: &str) -> String {
    if text.is_empty() {
        return "''".into();
    }
    if text.chars().any(char::is_control) {
        return ansi_quote(text);
    }
    let safe = |c: char| c.is_alphanumeric() || "%+,-./:=@_^".contains(c);
    if text.chars().all(safe) && !text.starts_with('~') {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn ansi_quote(text: &str) -> String {
    let mut out = String::from("$'");
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\x1b' => out.push_str("\\E"),
            '\'' => out.push_str("\\'"),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => out.push_str(&format!("\\{:03o}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

/// Quoted as `declare -p` and `export -p` show it.
pub fn double_quote(text: &str) -> String {
    if text.chars().any(char::is_control) {
        return ansi_quote(text);
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '$' | '`') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

/// Columns that a character takes on a terminal: 0 for combining marks, 2 for wide ones.
pub fn char_width(c: char) -> usize {
    let n = u32::from(c);
    match n {
        0x300..=0x36f | 0x200b..=0x200f | 0x20d0..=0x20ff | 0x3099..=0x309a | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f => 0,
        0x1100..=0x115f
        | 0x2e80..=0x303e
        | 0x3041..=0x33ff
        | 0x3400..=0x4dbf
        | 0x4e00..=0x9fff
        | 0xa000..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1f9ff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// Columns of a text without control sequences.
pub fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(unescape(r"a\tb\x41\101\u3042", Escapes::AnsiC).0, "a\tbAAあ");
        assert_eq!(unescape(r"a\0101\cb", Escapes::Echo), ("aA".into(), true));
        assert_eq!(unescape(r"\'\q\", Escapes::AnsiC).0, r"'\q\");
        assert_eq!(unescape(r"\xe3\x81\x82", Escapes::Printf).0, "あ");
    }

    #[test]
    fn quoting() {
        assert_eq!(quote("a b"), "'a b'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote("a\nb"), r"$'a\nb'");
        assert_eq!(quote(""), "''");
        assert_eq!(double_quote("a$b"), r#""a\$b""#);
        assert_eq!(width("あa"), 3);
    }
}
