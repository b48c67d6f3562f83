//! Japanese and English are equals: every text for learners exists in both.

use std::collections::BTreeSet;

use super::{Finding, Source};

/// The two languages.
const LANGUAGES: [&str; 2] = ["en", "ja"];

/// Folders whose files come in both languages.
const FOLDERS: [&str; 2] = ["tutorials/", "web/locales/"];

/// Checks that a file of one language has its sibling of the other.
#[must_use]
pub fn check(sources: &[Source]) -> Vec<Finding> {
    let paths: BTreeSet<&str> = sources.iter().map(|source| source.path.as_str()).collect();
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| FOLDERS.iter().any(|folder| source.path.starts_with(folder))) {
        for (from, to) in [(LANGUAGES[0], LANGUAGES[1]), (LANGUAGES[1], LANGUAGES[0])] {
            if let Some(sibling) = sibling(&source.path, from, to).filter(|sibling| !paths.contains(sibling.as_str())) {
                found.push(source.finding(0, format!("its translation {sibling} is missing")));
            }
        }
    }
    found
}

/// The path with the language replaced where it is a part of its own: `a/ja/x.md`, `a/ja.md`, `a/x.ja.md`.
fn sibling(path: &str, from: &str, to: &str) -> Option<String> {
    let parts: Vec<&str> = path.split_inclusive(['/', '.']).collect();
    let is_from = |part: &str| part.trim_end_matches(['/', '.']) == from;
    if !parts.iter().any(|part| is_from(part)) {
        return None;
    }
    Some(parts.iter().map(|part| if is_from(part) { part.replacen(from, to, 1) } else { (*part).to_owned() }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wants_both_languages_in_every_layout() {
        for (one, other) in [
            ("tutorials/basics/create/ja.md", "tutorials/basics/create/en.md"),
            ("tutorials/basics/create/lesson.ja.md", "tutorials/basics/create/lesson.en.md"),
            ("web/locales/ja/page.ftl", "web/locales/en/page.ftl"),
        ] {
            assert_eq!(check(&[Source::new(one, ""), Source::new(other, "")]), []);
            let found = check(&[Source::new(one, "")]);
            assert_eq!(found.len(), 1);
            assert!(found[0].message.contains(other), "{}", found[0]);
        }
        assert_eq!(check(&[Source::new("tutorials/basics/solution.sh", "")]), []);
    }
}
