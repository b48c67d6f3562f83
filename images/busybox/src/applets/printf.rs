//! printf.

use super::echo::unescape;
use crate::applet::{Fail, Io, Outcome};

/// Prints by a format, again while there are arguments.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let Some(format) = args.get(1) else { return Err(Fail::Message("usage: printf FORMAT [ARG]...".to_owned())) };
    let mut rest = &args[2..];
    let mut status = 0;
    loop {
        let before = rest.len();
        if !once(io, format, &mut rest, &mut status)? || rest.is_empty() || rest.len() == before {
            return Ok(status);
        }
    }
}

/// One pass over the format; false if `\c` said to stop.
fn once(io: &mut Io<'_>, format: &str, rest: &mut &[String], status: &mut i32) -> Result<bool, Fail> {
    let mut text = format;
    while let Some(at) = text.find('%') {
        let (bytes, stop) = unescape(&text[..at], false);
        io.out.write_all(&bytes)?;
        if stop {
            return Ok(false);
        }
        text = &text[at + 1..];
        if let Some(after) = text.strip_prefix('%') {
            io.out.write_all(b"%")?;
            text = after;
            continue;
        }
        let end = text
            .find(|c: char| c.is_ascii_alphabetic())
            .ok_or_else(|| Fail::Message(format!("%{text}: invalid format")))?;
        let (spec, conversion) = (&text[..end], text.as_bytes()[end]);
        text = &text[end + 1..];
        let mut take = || {
            let (first, more) = rest.split_first()?;
            *rest = more;
            Some(first.clone())
        };
        let mut spec = spec.to_owned();
        while let Some(star) = spec.find('*') {
            let width = take().unwrap_or_default();
            spec.replace_range(star..=star, &width);
        }
        let argument = take();
        if conversion == b'b' {
            let (bytes, stop) = unescape(&argument.unwrap_or_default(), true);
            io.out.write_all(&bytes)?;
            if stop {
                return Ok(false);
            }
            continue;
        }
        match converted(conversion, &spec, &argument.unwrap_or_default()) {
            Ok(piece) => io.out.write_all(piece.as_bytes())?,
            Err((piece, message)) => {
                io.out.write_all(piece.as_bytes())?;
                writeln!(io.err, "printf: {message}")?;
                *status = 1;
            }
        }
    }
    let (bytes, stop) = unescape(text, false);
    io.out.write_all(&bytes)?;
    Ok(!stop)
}

fn integer(text: &str) -> Result<i64, ()> {
    if let Some(quoted) = text.strip_prefix(['\'', '"']) {
        return Ok(quoted.chars().next().map_or(0, |c| i64::from(u32::from(c))));
    }
    if text.is_empty() { Ok(0) } else { super::numbers::integer(text).ok_or(()) }
}

fn converted(conversion: u8, spec: &str, argument: &str) -> Result<String, (String, String)> {
    let flags: String = spec.chars().take_while(|c| "-+ 0#".contains(*c)).collect();
    let (width, precision) =
        spec[flags.len()..].split_once('.').map_or((&spec[flags.len()..], None), |(w, p)| (w, Some(p)));
    let width: usize = width.parse().unwrap_or(0);
    let precision: Option<usize> = precision.map(|p| p.parse().unwrap_or(0));
    let invalid = || format!("invalid number '{argument}'");
    let mut error = None;
    let mut number = || {
        integer(argument).unwrap_or_else(|()| {
            error = Some(invalid());
            0
        })
    };
    let (mut body, numeric) = match conversion {
        b's' => (argument.chars().take(precision.unwrap_or(usize::MAX)).collect(), false),
        b'c' => (argument.chars().take(1).collect(), false),
        b'd' | b'i' => {
            let value = number();
            let sign = if value >= 0 && flags.contains('+') { "+" } else { "" };
            (format!("{sign}{value}"), true)
        }
        b'u' => (number().cast_unsigned().to_string(), true),
        b'x' => (format!("{:x}", number()), true),
        b'X' => (format!("{:X}", number()), true),
        b'o' => (format!("{:o}", number()), true),
        b'f' | b'F' | b'e' | b'g' => {
            let value: f64 = if argument.is_empty() { 0.0 } else { argument.parse().unwrap_or(0.0) };
            let digits = precision.unwrap_or(6);
            (if conversion == b'g' { format!("{value}") } else { format!("{value:.digits$}") }, true)
        }
        other => return Err((String::new(), format!("%{}: invalid format", char::from(other)))),
    };
    if let (true, Some(digits), false) = (numeric, precision, matches!(conversion, b'f' | b'F' | b'e' | b'g')) {
        let (sign, number) = body.split_at(usize::from(body.starts_with(['-', '+'])));
        body = format!("{sign}{number:0>digits$}");
    }
    let missing = width.saturating_sub(body.chars().count());
    let padded = if flags.contains('-') {
        format!("{body}{}", " ".repeat(missing))
    } else if numeric && flags.contains('0') && precision.is_none() {
        let (sign, number) = body.split_at(usize::from(body.starts_with(['-', '+'])));
        format!("{sign}{}{number}", "0".repeat(missing))
    } else {
        format!("{}{body}", " ".repeat(missing))
    };
    match error {
        Some(message) => Err((padded, message)),
        None => Ok(padded),
    }
}

#[cfg(test)]
mod tests {
    use crate::applet::testing::{check, run};

    #[test]
    fn printf() {
        check("printf", &["%s=%d\\n", "a", "1", "b", "2"], "", "a=1\nb=2\n");
        check(
            "printf",
            &["%5s|%-5s|%05d|%.2f|%x|%%", "ab", "cd", "42", "1.005", "255"],
            "",
            "   ab|cd   |00042|1.00|ff|%",
        );
        check("printf", &["a\\tb\\101\\n"], "", "a\tbA\n");
        check("printf", &["%b", "x\\ty"], "", "x\ty");
        assert_eq!(run("printf", &["%d\n", "x"], ""), (1, "0\n".into(), "printf: invalid number 'x'\n".into()));
    }
}
