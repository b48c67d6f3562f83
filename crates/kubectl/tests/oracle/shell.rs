//! The few shapes of bash lines that recordings use. Lines of other shapes are not played.

use std::time::Duration;

use crate::bench::{Answer, Bench};

/// Runs a recorded line; none if it is of another shape.
pub fn run(bench: &mut Bench, line: &str, stdin: Option<&str>) -> Option<Answer> {
    let line = line.split_once(" < ").map_or(line, |(head, _)| head);
    let mut words = split(line)?;
    let mut limit = Duration::from_secs(200);
    if words.first().is_some_and(|w| w == "timeout") {
        limit = Duration::from_secs(words.get(1)?.parse().ok()?);
        words.drain(..2);
    }
    if words.first()? != "kubectl" {
        return None;
    }
    Some(bench.kubectl(&words[1..], stdin.unwrap_or(""), limit))
}

/// Words by bash's quoting; none when the line has operators or expansions.
fn split(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut open) = (Vec::new(), String::new(), false);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                open = true;
                for c in chars.by_ref() {
                    if c == '\'' {
                        break;
                    }
                    word.push(c);
                }
            }
            '"' => {
                open = true;
                while let Some(c) = chars.next() {
                    match c {
                        '"' => break,
                        '\\' => match chars.next()? {
                            c @ ('"' | '\\' | '$' | '`') => word.push(c),
                            c => {
                                word.push('\\');
                                word.push(c);
                            }
                        },
                        '$' | '`' => return None,
                        c => word.push(c),
                    }
                }
            }
            '|' | '&' | ';' | '<' | '>' | '$' | '`' => return None,
            '(' | ')' => return None,
            '\\' => word.push(chars.next()?),
            ' ' => {
                if open || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                open = false;
            }
            c => word.push(c),
        }
    }
    if open || !word.is_empty() {
        words.push(word);
    }
    Some(words)
}
