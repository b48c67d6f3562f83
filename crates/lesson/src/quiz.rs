//! The fence `quiz`: a question, its answers, and why.
//!
//! ```text
//! What does `1/1` under READY mean?
//! ( ) One node is ready.
//! (x) One Pod is wanted and one is ready.
//! Before the slash stands how many are ready, behind it how many are wanted.
//! ```
//! Round brackets: one answer is right. Square brackets: any number may be.

use crate::document::{Choice, Quiz};
use crate::markdown::inline_text;

/// Reads the text of the fence. The error is a sentence for the author.
pub(crate) fn parse(id: String, source: &str) -> Result<Quiz, String> {
    let (mut question, mut explanation): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    let mut choices: Vec<(char, bool, &str)> = Vec::new();
    for line in source.lines().map(str::trim).filter(|line| !line.is_empty()) {
        match mark(line) {
            Some(choice) if explanation.is_empty() => choices.push(choice),
            Some(_) => return Err(format!("quiz: the answer {line:?} stands behind the explanation")),
            None if choices.is_empty() => question.push(line),
            None => explanation.push(line),
        }
    }
    let several = choices.first().is_some_and(|c| c.0 == '[');
    let right = choices.iter().filter(|c| c.1).count();
    if question.is_empty() {
        return Err("quiz: the question is missing: it stands before the answers".into());
    }
    if choices.len() < 2 {
        return Err("quiz: at least two answers are due, as lines that begin with ( ) or (x)".into());
    }
    if choices.iter().any(|c| (c.0 == '[') != several) {
        return Err("quiz: round and square brackets are mixed".into());
    }
    if right == 0 || (!several && right > 1) {
        return Err(format!("quiz: {right} answers are marked with (x); with round brackets exactly one is right"));
    }
    if explanation.is_empty() {
        return Err("quiz: the explanation is missing: it stands behind the answers".into());
    }
    let choices = choices.iter().map(|(_, right, text)| Choice { text: inline_text(text), right: *right });
    Ok(Quiz {
        id,
        question: inline_text(&question.join("\n")),
        several,
        choices: choices.collect(),
        explanation: inline_text(&explanation.join("\n")),
    })
}

/// The bracket, whether the answer is right, and its text.
fn mark(line: &str) -> Option<(char, bool, &str)> {
    let open = line.chars().next()?;
    let close = match open {
        '(' => ')',
        '[' => ']',
        _ => return None,
    };
    let (inside, text) = line[1..].split_once(close)?;
    match inside {
        " " => Some((open, false, text.trim())),
        "x" => Some((open, true, text.trim())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::plain;

    #[test]
    fn question_answers_and_why() {
        let quiz = parse("q".into(), "What is\n`x`?\n( ) One\n(x) *Two*\n\nBecause.\nReally (yes).").expect("whole");
        assert_eq!(plain(&quiz.question), "What is\nx?");
        assert_eq!(
            quiz.choices.iter().map(|c| (plain(&c.text), c.right)).collect::<Vec<_>>(),
            [("One".to_owned(), false), ("Two".to_owned(), true)]
        );
        assert_eq!(plain(&quiz.explanation), "Because.\nReally (yes).");
        assert!(!quiz.several);
        assert!(parse("q".into(), "A?\n[x] a\n[x] b\n[ ] c\nWhy").expect("whole").several);
    }

    #[test]
    fn what_is_missing_is_said() {
        for (source, words) in [
            ("( ) a\n(x) b\nWhy", "question is missing"),
            ("A?\n(x) a\nWhy", "at least two answers"),
            ("A?\n( ) a\n( ) b\nWhy", "0 answers"),
            ("A?\n(x) a\n(x) b\nWhy", "2 answers"),
            ("A?\n(x) a\n[ ] b\nWhy", "mixed"),
            ("A?\n(x) a\n( ) b", "explanation is missing"),
            ("A?\n(x) a\nWhy\n( ) b", "behind the explanation"),
        ] {
            let error = parse("q".into(), source).expect_err(source);
            assert!(error.contains(words), "{source:?}: {error}");
        }
    }
}
