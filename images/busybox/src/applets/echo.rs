//! echo.

use crate::applet::{Io, Outcome};

/// Prints its arguments.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let (mut newline, mut escapes) = (true, false);
    let mut rest = &args[1..];
    while let Some(arg) = rest.first() {
        let letters = arg.strip_prefix('-').unwrap_or("");
        if letters.is_empty() || !letters.chars().all(|c| matches!(c, 'n' | 'e' | 'E')) {
            break;
        }
        newline &= !letters.contains('n');
        escapes = letters.contains('e') || (escapes && !letters.contains('E'));
        rest = &rest[1..];
    }
    let text = rest.join(" ");
    if escapes {
        let (bytes, stop) = unescape(&text, true);
        io.out.write_all(&bytes)?;
        if stop {
            return Ok(0);
        }
    } else {
        io.out.write_all(text.as_bytes())?;
    }
    if newline {
        io.out.write_all(b"\n")?;
    }
    Ok(0)
}

/// Backslash escapes; true if `\c` said to stop. In echo octal numbers begin with a zero.
pub fn unescape(text: &str, zero: bool) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let digits = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>, radix: u32, max: usize| {
            let mut value = None;
            for _ in 0..max {
                let Some(digit) = chars.peek().and_then(|c| c.to_digit(radix)) else { break };
                chars.next();
                value = Some(value.unwrap_or(0u32) * radix + digit);
            }
            value
        };
        match chars.next() {
            None => out.push(b'\\'),
            Some('n') => out.push(b'\n'),
            Some('t') => out.push(b'\t'),
            Some('r') => out.push(b'\r'),
            Some('a') => out.push(7),
            Some('b') => out.push(8),
            Some('f') => out.push(12),
            Some('v') => out.push(11),
            Some('e') => out.push(27),
            Some('\\') => out.push(b'\\'),
            Some('c') => return (out, true),
            Some('x') => match digits(&mut chars, 16, 2) {
                Some(value) => out.push(value.to_le_bytes()[0]),
                None => out.extend_from_slice(b"\\x"),
            },
            Some('0') if zero => out.push(digits(&mut chars, 8, 3).unwrap_or(0).to_le_bytes()[0]),
            Some(c @ '0'..='7') if !zero => {
                let mut value = c.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    if let Some(digit) = chars.peek().and_then(|c| c.to_digit(8)) {
                        chars.next();
                        value = value * 8 + digit;
                    }
                }
                out.push(value.to_le_bytes()[0]);
            }
            Some(other) => {
                out.push(b'\\');
                out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
    (out, false)
}

#[cfg(test)]
mod tests {
    use crate::applet::testing::check;

    #[test]
    fn echo() {
        check("echo", &["a", "b"], "", "a b\n");
        check("echo", &["-n", "a"], "", "a");
        check("echo", &["-e", "a\\tb\\x41\\0101\\c", "x"], "", "a\tbAA");
        check("echo", &["-x", "a\\n"], "", "-x a\\n\n");
    }
}
