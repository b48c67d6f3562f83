//! `tr`.

use machine::Ctx;

use super::Outcome;
use super::io::complain;
use super::options::{Spec, parse};
use crate::text::{Escapes, unescape};

/// The characters of a set: ranges and classes written out.
fn set(text: &str) -> Vec<char> {
    let mut rest = text;
    let mut plain = String::new();
    while let Some(at) = rest.find("[:") {
        let Some(end) = rest[at..].find(":]") else { break };
        plain.push_str(&unescape(&rest[..at], Escapes::Printf).0);
        let test: fn(&char) -> bool = match &rest[at + 2..at + end] {
            "alpha" => char::is_ascii_alphabetic,
            "digit" => char::is_ascii_digit,
            "alnum" => char::is_ascii_alphanumeric,
            "upper" => char::is_ascii_uppercase,
            "lower" => char::is_ascii_lowercase,
            "punct" => char::is_ascii_punctuation,
            "space" => |c| matches!(c, ' ' | '\t'..='\r'),
            "blank" => |c| matches!(c, ' ' | '\t'),
            "cntrl" => char::is_ascii_control,
            "xdigit" => char::is_ascii_hexdigit,
            _ => |_| false,
        };
        // Ranges are written out below; a class holds no `-` of its own but in punct, kept at its place.
        plain.extend((0..128_u8).map(char::from).filter(|c| *c != '-').filter(test));
        rest = &rest[at + end + 2..];
    }
    plain.push_str(&unescape(rest, Escapes::Printf).0);
    let chars: Vec<char> = plain.chars().collect();
    let mut out = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        if i + 2 < chars.len() && chars[i + 1] == '-' && chars[i] <= chars[i + 2] {
            out.extend(chars[i]..=chars[i + 2]);
            i += 3;
        } else {
            out.push(chars[i]);
            i += 1;
        }
    }
    out
}

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec {
        short: "cCdst",
        long: &[("complement", 'c'), ("delete", 'd'), ("squeeze-repeats", 's')],
        permute: false,
    };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "tr", message).await;
            return Ok(1);
        }
    };
    let hint = "\nTry 'tr --help' for more information.";
    let (delete, squeeze) = (parsed.has('d'), parsed.has('s'));
    let sets: Vec<Vec<char>> = parsed.operands.iter().map(|o| set(o)).collect();
    let Some(first) = sets.first() else {
        complain(&ctx, "tr", format!("missing operand{hint}")).await;
        return Ok(1);
    };
    if sets.len() < 2 && !delete && !squeeze {
        let text = format!(
            "missing operand after '{}'\nTwo strings must be given when translating.{hint}",
            parsed.operands[0]
        );
        complain(&ctx, "tr", text).await;
        return Ok(1);
    }
    let complement = parsed.has('c') || parsed.has('C');
    let second = sets.get(1);
    let find = |c: char| -> Option<usize> {
        let at = first.iter().position(|s| *s == c);
        if complement { at.is_none().then_some(usize::MAX) } else { at }
    };
    let squeezed = |c: char| match second {
        Some(second) => second.contains(&c),
        None => find(c).is_some(),
    };
    let mut pending = Vec::new();
    let mut last = None;
    loop {
        let chunk = ctx.stdin.read(64 * 1024).await;
        pending.extend_from_slice(&chunk);
        let end = match std::str::from_utf8(&pending) {
            Ok(_) => pending.len(),
            Err(e) if e.error_len().is_none() && !chunk.is_empty() => e.valid_up_to(),
            Err(_) => pending.len(),
        };
        let text = String::from_utf8_lossy(&pending[..end]).into_owned();
        pending.drain(..end);
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            let found = find(c);
            if delete && found.is_some() {
                continue;
            }
            let new = match (found, second, delete) {
                (Some(at), Some(second), false) => second.get(at).or(second.last()).copied().unwrap_or(c),
                _ => c,
            };
            if squeeze && last == Some(new) && squeezed(new) {
                continue;
            }
            last = Some(new);
            out.push(new);
        }
        ctx.out(out).await?;
        if chunk.is_empty() {
            return Ok(0);
        }
    }
}
