//! How code fences are written, and what makes them something else than what was meant.

use crate::words::nearest;

/// Languages that are not code, and the word that makes a Run button: what a misspelt language may have been.
const SPECIAL: [&str; 5] = ["check", "quiz", "focus", "clock", "exec"];

/// What is wrong with the lines that open and close a fence. `whole` is the fence with both, the first of them on `line`.
pub(crate) fn unclosed(whole: &str, line: usize) -> Option<String> {
    let bare = |line: &str| line.trim_start_matches([' ', '\t', '>']).trim_end().to_owned();
    let lines: Vec<String> = whole.lines().map(bare).collect();
    let (first, below) = lines.split_first()?;
    let mark = first.chars().next()?;
    let length = first.chars().take_while(|c| *c == mark).count();
    let bar: String = std::iter::repeat_n(mark, length).collect();
    let is_bar = |line: &String| line.starts_with(&bar) && line.chars().all(|c| c == mark);
    if let Some(at) = below.iter().position(|line| line.starts_with(&bar) && !is_bar(line)) {
        return Some(format!("this code fence is not closed before another begins in line {}", line + at + 1));
    }
    let is_closed = below.iter().rfind(|line| !line.is_empty()).is_some_and(is_bar);
    (!is_closed).then(|| format!("this code fence is never closed: put a line {bar} behind its text"))
}

/// What is wrong with the first word behind a fence, if it is no language.
pub(crate) fn language(word: &str) -> Option<String> {
    let example = "the language comes first, then the words: ```sh exec";
    if ["exec", "copy"].contains(&word) || word.starts_with("terminal=") {
        return Some(format!("{word:?} stands in the place of the language: {example}"));
    }
    if SPECIAL.contains(&word) {
        return None;
    }
    if let Some(meant) = nearest(word, SPECIAL) {
        return Some(format!("a code fence {word:?}: did you mean {meant:?}?"));
    }
    let is_plain = word.chars().all(|c| c.is_alphanumeric() || "+-_.#".contains(c));
    let is_joined = ["exec", "copy"].iter().any(|end| word.ends_with(end));
    (!is_plain || is_joined).then(|| format!("{word:?} is no language: {example}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fences_are_closed() {
        for whole in [
            "```sh\nx\n```",
            "```\n```\n",
            "> ```sh\n> x\n> ```",
            "~~~\n```sh\n~~~",
            "````md\n```sh\nx\n```\n````",
            "  ```\n  x\n  ```\n\n",
        ] {
            assert_eq!(unclosed(whole, 1), None, "{whole:?}");
        }
        for whole in ["```sh\nx\n", "```", "````\nx\n```\n", "> ```sh\n> x\n"] {
            assert!(unclosed(whole, 1).expect(whole).contains("never closed"), "{whole:?}");
        }
        let two = unclosed("```sh\nx\n\ntext\n\n```sh exec\ny\n```", 10).expect("not closed");
        assert!(two.ends_with("in line 15"), "{two}");
    }

    #[test]
    fn languages_that_are_none() {
        for word in ["", "sh", "yaml", "c++", "check", "quiz", "focus", "clock", "console"] {
            assert_eq!(language(word), None, "{word}");
        }
        for (word, words) in [
            ("exec", "comes first"),
            ("terminal=2", "comes first"),
            ("exce", "did you mean \"exec\""),
            ("quizz", "did you mean \"quiz\""),
            ("chekc", "did you mean \"check\""),
            ("Check", "did you mean \"check\""),
            ("clok", "did you mean \"clock\""),
            ("sh,exec", "no language"),
            ("shexec", "no language"),
            ("{sh", "no language"),
        ] {
            assert!(language(word).expect(word).contains(words), "{word}");
        }
    }
}
