//! Brace expansion: `a{b,c}d` and `{1..5}`. It happens before every other expansion, on the tree.

use super::ast::{Part, Word};

/// Words that one brace expansion may make; above this the word stays as it is.
const BRACE_WORDS_MAX: usize = 10_000;
/// Braces that one word may have.
const BRACES_MAX: usize = 100;

/// A word as a row of characters and of pieces that braces do not look into.
#[derive(Clone)]
enum Unit {
    Char(char),
    Part(Part),
}

/// The words that one word stands for.
pub fn expand(word: &Word) -> Vec<Word> {
    let has_brace = word.0.iter().any(|p| matches!(p, Part::Literal(t) if t.contains('{')));
    let braces: usize = word.0.iter().map(|p| if let Part::Literal(t) = p { t.matches('{').count() } else { 0 }).sum();
    if !has_brace || braces > BRACES_MAX {
        return vec![word.clone()];
    }
    let mut units = Vec::new();
    for part in &word.0 {
        match part {
            Part::Literal(text) => units.extend(text.chars().map(Unit::Char)),
            other => units.push(Unit::Part(other.clone())),
        }
    }
    let rows = expand_units(&units);
    if rows.len() > BRACE_WORDS_MAX {
        return vec![word.clone()];
    }
    rows.into_iter().map(join).filter(|w| !w.0.is_empty()).collect()
}

fn join(units: Vec<Unit>) -> Word {
    let mut parts: Vec<Part> = Vec::new();
    for unit in units {
        match (unit, parts.last_mut()) {
            (Unit::Char(c), Some(Part::Literal(text))) => text.push(c),
            (Unit::Char(c), _) => parts.push(Part::Literal(c.into())),
            (Unit::Part(part), _) => parts.push(part),
        }
    }
    Word(parts)
}

fn is(unit: &Unit, wanted: char) -> bool {
    matches!(unit, Unit::Char(c) if *c == wanted)
}

fn expand_units(units: &[Unit]) -> Vec<Vec<Unit>> {
    for open in 0..units.len() {
        if !is(&units[open], '{') {
            continue;
        }
        let Some((close, commas)) = matching(units, open) else { continue };
        let inner = &units[open + 1..close];
        let choices: Vec<Vec<Unit>> = if commas.is_empty() {
            match sequence(inner) {
                Some(items) => items.into_iter().map(|t| t.chars().map(Unit::Char).collect()).collect(),
                None => continue,
            }
        } else {
            let mut bounds = vec![open];
            bounds.extend(commas);
            bounds.push(close);
            bounds.windows(2).flat_map(|w| expand_units(&units[w[0] + 1..w[1]])).collect()
        };
        let tails = expand_units(&units[close + 1..]);
        if choices.len().saturating_mul(tails.len()) > BRACE_WORDS_MAX {
            return vec![units.to_vec()];
        }
        let mut rows = Vec::new();
        for choice in &choices {
            for tail in &tails {
                rows.push([&units[..open], choice, tail].concat());
            }
        }
        return rows;
    }
    vec![units.to_vec()]
}

/// The matching `}` and the commas of this level.
fn matching(units: &[Unit], open: usize) -> Option<(usize, Vec<usize>)> {
    let mut depth = 0;
    let mut commas = Vec::new();
    for (i, unit) in units.iter().enumerate().skip(open) {
        if is(unit, '{') {
            depth += 1;
        } else if is(unit, '}') {
            depth -= 1;
            if depth == 0 {
                return Some((i, commas));
            }
        } else if is(unit, ',') && depth == 1 {
            commas.push(i);
        }
    }
    None
}

/// `1..5`, `5..1..2`, `01..10`, `a..e`.
fn sequence(inner: &[Unit]) -> Option<Vec<String>> {
    let text: String =
        inner.iter().map(|u| if let Unit::Char(c) = u { Some(*c) } else { None }).collect::<Option<_>>()?;
    let mut pieces = text.split("..");
    let (from, to, step) = (pieces.next()?, pieces.next()?, pieces.next());
    if pieces.next().is_some() {
        return None;
    }
    let step = match step {
        Some(s) => s.parse::<i64>().ok()?.unsigned_abs().max(1),
        None => 1,
    };
    let (first, last, width, letters) = match (from.parse::<i64>(), to.parse::<i64>()) {
        (Ok(a), Ok(b)) => {
            let padded = |t: &str| t.trim_start_matches('-').len() > 1 && t.trim_start_matches('-').starts_with('0');
            (a, b, if padded(from) || padded(to) { from.len().max(to.len()) } else { 0 }, false)
        }
        _ => {
            let one = |t: &str| t.chars().next().filter(|c| t.len() == 1 && c.is_ascii_alphabetic());
            (i64::from(u32::from(one(from)?)), i64::from(u32::from(one(to)?)), 0, true)
        }
    };
    let count = first.abs_diff(last) / step + 1;
    if count > BRACE_WORDS_MAX as u64 {
        return None;
    }
    let step = i64::try_from(step).ok()?;
    let show = |n: i64| match u32::try_from(n).ok().and_then(char::from_u32).filter(|_| letters) {
        Some(c) => c.to_string(),
        None if n < 0 => format!("-{:0>1$}", -n, width.saturating_sub(1)),
        None => format!("{n:0>width$}"),
    };
    let sign = if first <= last { step } else { -step };
    Some((0..i64::try_from(count).ok()?).map(|i| show(first + i * sign)).collect())
}
