//! Texts and regular expressions (cel-go/ext/strings.go, k8s.io/apiserver/pkg/cel/library/regex.go).

use super::Found;
use super::convert::{show_double, to_string};
use crate::value::Value;

/// How long a text may become: a few characters can be replaced by many, many times.
const TEXT_BYTES_MAX: usize = 16 * 1024 * 1024;

fn fits(bytes: usize) -> Result<(), String> {
    if bytes <= TEXT_BYTES_MAX { Ok(()) } else { Err(format!("text of more than {TEXT_BYTES_MAX} bytes")) }
}

pub(super) fn call(name: &str, args: &[Value]) -> Option<Found> {
    let Some(Value::String(text)) = args.first() else {
        return match (name, args) {
            ("join", [Value::List(list), rest @ ..]) => {
                let separator = match rest {
                    [Value::String(separator)] => separator,
                    _ => "",
                };
                Some(join(&list.items, separator))
            }
            _ => None,
        };
    };
    let found = match (name, &args[1..]) {
        ("contains", [Value::String(part)]) => Value::Bool(text.contains(&**part)),
        ("startsWith", [Value::String(part)]) => Value::Bool(text.starts_with(&**part)),
        ("endsWith", [Value::String(part)]) => Value::Bool(text.ends_with(&**part)),
        ("matches" | "find" | "findAll", [Value::String(pattern), rest @ ..]) => {
            return Some(regex(name, text, pattern, rest));
        }
        ("lowerAscii", []) => Value::from(text.to_ascii_lowercase()),
        ("upperAscii", []) => Value::from(text.to_ascii_uppercase()),
        ("trim", []) => Value::from(text.trim()),
        ("strings.quote", []) => Value::from(quote(text)),
        ("charAt" | "substring", rest) => return Some(cut(name, text, rest)),
        ("indexOf" | "lastIndexOf", [Value::String(part), rest @ ..]) => {
            return Some(index_of(name, text, part, rest));
        }
        ("replace", [Value::String(old), Value::String(new), rest @ ..]) => {
            let most = limit(rest)?.unwrap_or(usize::MAX);
            let count = text.matches(&**old).take(most).count();
            if let Err(why) = fits(text.len().saturating_add(count.saturating_mul(new.len()))) {
                return Some(Err(why));
            }
            Value::from(text.replacen(&**old, new, most))
        }
        ("split", [Value::String(separator), rest @ ..]) => split(text, separator, limit(rest)?),
        ("format", [Value::List(list)]) => return Some(format(text, &list.items)),
        _ => return None,
    };
    Some(Ok(found))
}

fn join(items: &[Value], separator: &str) -> Found {
    let mut out = String::new();
    for (i, item) in items.iter().enumerate() {
        let Value::String(text) = item else { return Err("no such overload".into()) };
        if i > 0 {
            out.push_str(separator);
        }
        out.push_str(text);
        fits(out.len())?;
    }
    Ok(Value::from(out))
}

/// A number that limits how often; negative is without limit, as none.
fn limit(rest: &[Value]) -> Option<Option<usize>> {
    match rest {
        [] => Some(None),
        [Value::Int(n)] => Some(usize::try_from(*n).ok()),
        _ => None,
    }
}

fn split(text: &str, separator: &str, limit: Option<usize>) -> Value {
    let parts: Vec<String> = match (separator, limit) {
        (_, Some(0)) => Vec::new(),
        ("", None) => text.chars().map(String::from).collect(),
        ("", Some(count)) => {
            let chars: Vec<char> = text.chars().collect();
            let alone = chars.len().min(count - 1);
            let mut parts: Vec<String> = chars[..alone].iter().copied().map(String::from).collect();
            if alone < chars.len() {
                parts.push(chars[alone..].iter().collect());
            }
            parts
        }
        (_, None) => text.split(separator).map(str::to_owned).collect(),
        (_, Some(count)) => text.splitn(count, separator).map(str::to_owned).collect(),
    };
    Value::list(parts.into_iter().map(Value::from).collect())
}

fn regex(name: &str, text: &str, pattern: &str, rest: &[Value]) -> Found {
    let regex = super::regex(pattern).map_err(|why| match name {
        "matches" => format!("error parsing regexp: {why}"),
        _ => format!("Illegal regex: error parsing regexp: {why}"),
    })?;
    Ok(match name {
        "matches" => Value::Bool(regex.is_match(text)),
        "find" => Value::from(regex.find(text).map_or("", |m| m.as_str())),
        _ => {
            let most = match rest {
                [Value::Int(n)] => usize::try_from(*n).unwrap_or(usize::MAX),
                _ => usize::MAX,
            };
            Value::list(regex.find_iter(text).take(most).map(|m| Value::from(m.as_str())).collect())
        }
    })
}

fn cut(name: &str, text: &str, rest: &[Value]) -> Found {
    let chars: Vec<char> = text.chars().collect();
    let out_of_range = |i: i64| format!("index out of range: {i}");
    let at = |i: i64| usize::try_from(i).ok().filter(|i| *i <= chars.len()).ok_or_else(|| out_of_range(i));
    match (name, rest) {
        ("charAt", [Value::Int(i)]) => Ok(Value::from(chars.get(at(*i)?).map(char::to_string).unwrap_or_default())),
        ("substring", [Value::Int(from)]) => Ok(Value::from(chars[at(*from)?..].iter().collect::<String>())),
        ("substring", [Value::Int(from), Value::Int(to)]) => {
            if from > to {
                return Err(format!("invalid substring range. start: {from}, end: {to}"));
            }
            Ok(Value::from(chars[at(*from)?..at(*to)?].iter().collect::<String>()))
        }
        _ => Err("no such overload".into()),
    }
}

fn index_of(name: &str, text: &str, part: &str, rest: &[Value]) -> Found {
    let (chars, part): (Vec<char>, Vec<char>) = (text.chars().collect(), part.chars().collect());
    let offset = match rest {
        [] => None,
        [Value::Int(offset)] => {
            let at = usize::try_from(*offset).ok().filter(|at| *at <= chars.len());
            Some(at.ok_or_else(|| format!("index out of range: {offset}"))?)
        }
        _ => return Err("no such overload".into()),
    };
    let is_at = |i: &usize| chars[*i..].starts_with(&part);
    let last = chars.len().checked_sub(part.len());
    let found = match (name, last) {
        (_, None) => None,
        ("indexOf", Some(last)) => (offset.unwrap_or(0)..=last).find(is_at),
        (_, Some(last)) => (0..=last.min(offset.unwrap_or(last))).rev().find(is_at),
    };
    Ok(Value::Int(found.map_or(-1, |i| i64::try_from(i).unwrap_or(i64::MAX))))
}

fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// `'%s is %d'.format([a, b])` (cel-go/ext/formatting.go).
fn format(template: &str, args: &[Value]) -> Found {
    let mut out = String::new();
    let mut chars = template.chars().peekable();
    let mut next = 0;
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        if chars.peek() == Some(&'%') {
            chars.next();
            out.push('%');
            continue;
        }
        let mut precision = None;
        if chars.peek() == Some(&'.') {
            chars.next();
            let mut digits = String::new();
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            precision = digits.parse::<usize>().ok().map(|p| p.min(100));
        }
        let clause = chars.next().ok_or("unexpected end of string")?;
        let value = args.get(next).ok_or_else(|| format!("index {next} out of range"))?;
        next += 1;
        out.push_str(&clause_of(clause, precision, value)?);
        fits(out.len())?;
    }
    Ok(Value::from(out))
}

fn clause_of(clause: char, precision: Option<usize>, value: &Value) -> Result<String, String> {
    let number = match value {
        Value::Int(n) => Some(i128::from(*n)),
        Value::Uint(n) => Some(i128::from(*n)),
        Value::Bool(b) => Some(i128::from(*b)),
        _ => None,
    };
    let signed = |text: String| if number.is_some_and(|n| n < 0) { format!("-{text}") } else { text };
    let size = number.map(i128::unsigned_abs);
    let found = match (clause, value) {
        ('s', value) => Some(show(value)),
        ('d', Value::Int(n)) => Some(n.to_string()),
        ('d', Value::Uint(n)) => Some(n.to_string()),
        ('f', Value::Double(d)) => Some(format!("{d:.*}", precision.unwrap_or(6))),
        #[expect(clippy::cast_precision_loss, reason = "so it is upstream")]
        ('f', Value::Int(n)) => Some(format!("{:.*}", precision.unwrap_or(6), *n as f64)),
        ('e', Value::Double(d)) => {
            let text = format!("{d:.*e}", precision.unwrap_or(6));
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            Some(format!("{mantissa}×10{}", superscript(exponent)))
        }
        ('b', _) => size.map(|n| signed(format!("{n:b}"))),
        ('o', Value::Int(_) | Value::Uint(_)) => size.map(|n| signed(format!("{n:o}"))),
        ('x', Value::Int(_) | Value::Uint(_)) => size.map(|n| signed(format!("{n:x}"))),
        ('X', Value::Int(_) | Value::Uint(_)) => size.map(|n| signed(format!("{n:X}"))),
        ('x', Value::String(text)) => Some(text.bytes().map(|b| format!("{b:02x}")).collect()),
        ('X', Value::String(text)) => Some(text.bytes().map(|b| format!("{b:02X}")).collect()),
        ('x', Value::Bytes(bytes)) => Some(bytes.iter().map(|b| format!("{b:02x}")).collect()),
        ('X', Value::Bytes(bytes)) => Some(bytes.iter().map(|b| format!("{b:02X}")).collect()),
        ('d' | 'f' | 'e' | 'o' | 'x' | 'X', _) => None,
        _ => {
            let why = format!("could not parse formatting clause: unrecognized formatting clause \"{clause}\"");
            return Err(why);
        }
    };
    found.ok_or_else(|| {
        let what = match clause {
            'd' => "decimal clause can only be used on integers",
            'f' => "fixed-point clause can only be used on doubles",
            'e' => "scientific clause can only be used on doubles",
            'b' => "only integers and bools can be formatted as binary",
            'o' => "octal clause can only be used on integers",
            _ => "only integers, byte buffers, and strings can be formatted as hex",
        };
        format!("error during formatting: {what}, was given {}", value.type_of().name())
    })
}

/// An exponent as it is written above the line.
fn superscript(exponent: &str) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let (sign, digits) = exponent.strip_prefix('-').map_or(("", exponent), |digits| ("⁻", digits));
    let digits = format!("{digits:0>2}");
    let raised = digits.chars().filter_map(|c| DIGITS.get(c.to_digit(10)? as usize));
    format!("{sign}{}", raised.collect::<String>())
}

/// A value inside of a text.
fn show(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Double(d) => show_double(*d),
        Value::List(list) => {
            let items: Vec<String> = list.items.iter().map(show).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(map) => {
            let entries: Vec<String> = map.iter().map(|(k, v)| format!("{}: {}", show(&k.value()), show(v))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Type(of) => of.name(),
        other => to_string(other).unwrap_or_default(),
    }
}
