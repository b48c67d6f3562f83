//! `echo` and `printf`. The texts are made without the shell, so that programs of those names share them.

use super::bad_option;
use crate::exec::Exec;
use crate::shell::Shell;
use crate::syntax::is_name;
use crate::text::{Escapes, unescape, width};

/// A field of `printf` is at most this wide.
const FIELD_CHARS_MAX: usize = 100_000;

/// What `echo` writes.
pub(crate) fn echo_text(args: &[String]) -> String {
    let (mut newline, mut escapes) = (true, false);
    let mut rest = args;
    while let Some(option) = rest
        .first()
        .filter(|a| a.len() > 1 && a.starts_with('-') && a.chars().skip(1).all(|c| matches!(c, 'n' | 'e' | 'E')))
    {
        for letter in option.chars().skip(1) {
            match letter {
                'n' => newline = false,
                'e' => escapes = true,
                _ => escapes = false,
            }
        }
        rest = &rest[1..];
    }
    let mut text = rest.join(" ");
    if escapes {
        let (plain, stopped) = unescape(&text, Escapes::Echo);
        text = plain;
        newline &= !stopped;
    }
    if newline {
        text.push('\n');
    }
    text
}

pub(crate) async fn echo(sh: &mut Shell, args: &[String]) -> Exec {
    sh.out(echo_text(&args[1..])).await?;
    Ok(0)
}

/// What `printf` writes, and its complaints (each without `printf: `).
pub(crate) fn printf_text(format: &str, args: &[String]) -> (String, Vec<String>) {
    let mut printer = Printer { out: String::new(), errors: Vec::new(), args, next: 0, stopped: false };
    loop {
        let before = printer.next;
        printer.once(format);
        if printer.stopped || printer.next >= args.len() || printer.next == before {
            return (printer.out, printer.errors);
        }
    }
}

struct Printer<'a> {
    out: String,
    errors: Vec<String>,
    args: &'a [String],
    next: usize,
    stopped: bool,
}

#[derive(Default)]
struct Spec {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

impl Printer<'_> {
    fn argument(&mut self) -> Option<&str> {
        let arg = self.args.get(self.next);
        self.next += 1;
        arg.map(String::as_str)
    }

    fn once(&mut self, format: &str) {
        let mut rest = format;
        while let Some(at) = rest.find('%') {
            self.out.push_str(&unescape(&rest[..at], Escapes::Printf).0);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('%') {
                self.out.push('%');
                rest = after;
                continue;
            }
            rest = self.directive(rest);
            if self.stopped {
                return;
            }
        }
        self.out.push_str(&unescape(rest, Escapes::Printf).0);
    }

    /// One directive after its `%`; gives what follows it.
    fn directive<'f>(&mut self, text: &'f str) -> &'f str {
        let mut spec = Spec::default();
        let mut chars = text.char_indices().peekable();
        while let Some((_, c)) = chars.peek() {
            match c {
                '-' => spec.left = true,
                '0' => spec.zero = true,
                '+' => spec.plus = true,
                ' ' => spec.space = true,
                '#' => spec.alternate = true,
                _ => break,
            }
            chars.next();
        }
        let number = |chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>, printer: &mut Self| -> i64 {
            if chars.next_if(|(_, c)| *c == '*').is_some() {
                return printer.argument().and_then(|a| a.parse().ok()).unwrap_or(0);
            }
            let mut value: i64 = 0;
            while let Some((_, c)) = chars.next_if(|(_, c)| c.is_ascii_digit()) {
                value = value.saturating_mul(10).saturating_add(i64::from(c.to_digit(10).unwrap_or(0)));
            }
            value
        };
        let width = number(&mut chars, self);
        spec.left |= width < 0;
        spec.width = usize::try_from(width.unsigned_abs()).unwrap_or(0).min(FIELD_CHARS_MAX);
        if chars.next_if(|(_, c)| *c == '.').is_some() {
            spec.precision = usize::try_from(number(&mut chars, self)).ok().map(|n| n.min(FIELD_CHARS_MAX));
        }
        while chars.next_if(|(_, c)| matches!(c, 'l' | 'h' | 'j' | 'z')).is_some() {}
        let Some((at, conversion)) = chars.next() else {
            self.errors.push(format!("`%{text}': missing format character"));
            self.stopped = true;
            return "";
        };
        let rest = &text[at + conversion.len_utf8()..];
        self.convert(conversion, &spec, text, at);
        rest
    }

    fn convert(&mut self, conversion: char, spec: &Spec, text: &str, at: usize) {
        match conversion {
            's' => {
                let value = self.argument().unwrap_or_default().to_owned();
                let value = match spec.precision {
                    Some(n) => value.chars().take(n).collect(),
                    None => value,
                };
                self.pad(&value, spec, false);
            }
            'b' => {
                let (value, stopped) = unescape(self.argument().unwrap_or_default(), Escapes::Echo);
                self.pad(&value, spec, false);
                self.stopped |= stopped;
            }
            'q' => {
                let value = printf_quote(self.argument().unwrap_or_default());
                self.pad(&value, spec, false);
            }
            'c' => {
                let value: String = self.argument().unwrap_or_default().chars().take(1).collect();
                self.pad(&value, spec, false);
            }
            'd' | 'i' => {
                let n = self.integer();
                let digits = format!("{:0>1$}", n.unsigned_abs(), spec.precision.unwrap_or(1));
                let sign = if n < 0 {
                    "-"
                } else if spec.plus {
                    "+"
                } else if spec.space {
                    " "
                } else {
                    ""
                };
                self.number(sign, &digits, spec);
            }
            'u' | 'x' | 'X' | 'o' => {
                let n = self.integer();
                let (digits, prefix) = match conversion {
                    'x' => (format!("{n:x}"), "0x"),
                    'X' => (format!("{n:X}"), "0X"),
                    'o' => (format!("{n:o}"), "0"),
                    _ => ((n as u64).to_string(), ""),
                };
                let digits = format!("{digits:0>0$}", spec.precision.unwrap_or(1));
                self.number(if spec.alternate { prefix } else { "" }, &digits, spec);
            }
            'f' | 'F' | 'e' | 'g' | 'G' | 'E' => {
                let n = self.float();
                let precision = spec.precision.unwrap_or(6);
                let digits = match conversion {
                    'f' | 'F' => format!("{:.precision$}", n.abs()),
                    'e' | 'E' => exponent(n.abs(), precision),
                    _ => general(n.abs(), precision),
                };
                let sign = if n < 0.0 {
                    "-"
                } else if spec.plus {
                    "+"
                } else {
                    ""
                };
                self.number(sign, &digits, spec);
            }
            other => {
                self.errors.push(format!("`{other}': invalid format character"));
                let _ = (text, at);
                self.stopped = true;
            }
        }
    }

    fn integer(&mut self) -> i64 {
        let Some(text) = self.argument().map(str::to_owned) else { return 0 };
        if text.is_empty() {
            return 0;
        }
        if let Some(quoted) = text.strip_prefix(['\'', '"']) {
            return quoted.chars().next().map_or(0, |c| i64::from(u32::from(c)));
        }
        let (negative, digits) = match text.trim_start().strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.trim_start().strip_prefix('+').unwrap_or(text.trim_start())),
        };
        let (digits, radix) = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
            Some(hex) => (hex, 16),
            None if digits.len() > 1 && digits.starts_with('0') => (&digits[1..], 8),
            None => (digits, 10),
        };
        let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
        if end < digits.len() || digits.is_empty() {
            self.errors.push(format!("{text}: invalid number"));
        }
        let value = i64::from_str_radix(&digits[..end], radix).unwrap_or(0);
        if negative { -value } else { value }
    }

    fn float(&mut self) -> f64 {
        let Some(text) = self.argument().map(str::to_owned) else { return 0.0 };
        text.trim().parse().unwrap_or_else(|_| {
            if !text.is_empty() {
                self.errors.push(format!("{text}: invalid number"));
            }
            0.0
        })
    }

    fn number(&mut self, sign: &str, digits: &str, spec: &Spec) {
        if spec.zero && !spec.left {
            let room = spec.width.saturating_sub(sign.len());
            let padded = format!("{sign}{digits:0>room$}");
            self.out.push_str(&padded);
        } else {
            self.pad(&format!("{sign}{digits}"), spec, true);
        }
    }

    fn pad(&mut self, value: &str, spec: &Spec, _number: bool) {
        let room = spec.width.saturating_sub(width(value).min(value.chars().count()));
        if spec.left {
            self.out.push_str(value);
        }
        self.out.extend(std::iter::repeat_n(' ', room));
        if !spec.left {
            self.out.push_str(value);
        }
    }
}

/// C writes at least two digits of exponent and always a sign.
fn exponent(n: f64, precision: usize) -> String {
    let text = format!("{n:.precision$e}");
    let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, power) = match power.strip_prefix('-') {
        Some(p) => ('-', p),
        None => ('+', power),
    };
    format!("{mantissa}e{sign}{power:0>2}")
}

fn general(n: f64, precision: usize) -> String {
    let precision = precision.max(1);
    let power = if n == 0.0 { 0 } else { n.log10().floor() as i64 };
    let trim = |text: String| {
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    };
    if power < -4 || power >= precision as i64 {
        let text = exponent(n, precision - 1);
        let (mantissa, rest) = text.split_once('e').unwrap_or((&text, "+00"));
        return format!("{}e{rest}", trim(mantissa.to_owned()));
    }
    let digits = usize::try_from(precision as i64 - 1 - power).unwrap_or(0);
    trim(format!("{n:.digits$}"))
}

/// `%q`: backslashes rather than quotes.
fn printf_quote(text: &str) -> String {
    if text.is_empty() {
        return "''".into();
    }
    if text.chars().any(char::is_control) {
        return crate::text::quote(text);
    }
    let mut out = String::new();
    for c in text.chars() {
        if !c.is_alphanumeric() && !"%+,-./:=@_".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

pub(crate) async fn printf(sh: &mut Shell, args: &[String]) -> Exec {
    let mut rest = &args[1..];
    let mut variable = None;
    match rest.first().map(String::as_str) {
        Some("-v") => {
            let Some(name) = rest.get(1) else { return super::usage(sh, "printf").await };
            if !is_name(name) {
                return sh.failed(&format!("printf: `{name}': not a valid identifier"), 2).await;
            }
            variable = Some(name.clone());
            rest = &rest[2..];
        }
        Some("--") => rest = &rest[1..],
        Some(option) if option.len() > 1 && option.starts_with('-') => {
            return bad_option(sh, "printf", &option[..2]).await;
        }
        _ => {}
    }
    let Some(format) = rest.first() else { return super::usage(sh, "printf").await };
    let (text, errors) = printf_text(format, &rest[1..]);
    for error in &errors {
        sh.complain(&format!("printf: {error}")).await;
    }
    match variable {
        Some(name) => {
            if let Err(message) = sh.assign(&name, text) {
                return sh.failed(&message, 1).await;
            }
        }
        None => sh.out(text).await?,
    }
    Ok(i32::from(!errors.is_empty()))
}
