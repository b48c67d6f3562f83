//! The glossary: words that are explained where they first stand in a step.
//!
//! Authors need not mark them. A word counts where it stands by itself: not inside of a longer Latin word, of longer code,
//! of a link or of a heading. `[text](term:id)` marks one that does not.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::document::{Block, Definition, Document, Inline};
use crate::places::Places;
use crate::yaml::{self, Part, Written};
use crate::{LANGUAGES, Problem, Text};

/// `glossary.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Glossary {
    /// The words.
    pub terms: Vec<Term>,
}

/// A word and what it means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// Named by `[text](term:id)`.
    pub id: String,
    /// The forms in which it stands in a text; the first is its name.
    pub words: Words,
    /// What it means, in one or two sentences of plain text.
    pub text: Text,
}

/// The forms of a word in each language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Japanese.
    pub ja: Vec<String>,
    /// English.
    pub en: Vec<String>,
}

impl Written for Glossary {
    const PARTS: &'static [Part] = &[Part::of::<Term>("terms")];
}

impl Written for Term {
    const PARTS: &'static [Part] = &[Part::of::<Words>("words"), Part::of::<Text>("text")];
}

impl Written for Words {}

impl Glossary {
    /// Reads `glossary.yaml`.
    ///
    /// # Errors
    /// Everything that is wrong in it.
    pub fn parse(source: &str) -> Result<Glossary, Vec<Problem>> {
        let mut problems = Vec::new();
        let file = "glossary.yaml";
        let glossary: Option<Glossary> = yaml::parse(file, source, 0, &mut problems);
        let glossary = glossary.unwrap_or_default();
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        for (index, term) in glossary.terms.iter().enumerate() {
            let mut report = |message: String| found.push((format!("terms[{index}]"), message));
            if !seen.insert(&term.id) {
                report(format!("the term {:?} is there twice", term.id));
            }
            for language in LANGUAGES {
                let words = term.words(language);
                if words.is_empty() || words.iter().any(|w| w.trim().is_empty()) {
                    report(format!("term {:?}: words.{language} is empty", term.id));
                }
                if term.text.get(language).trim().is_empty() {
                    report(format!("term {:?}: text.{language} is empty", term.id));
                }
            }
        }
        problems.extend(yaml::located(file, source, found));
        if problems.is_empty() { Ok(glossary) } else { Err(problems) }
    }

    /// Marks the words in a text and notes what they mean.
    pub(crate) fn mark(
        &self,
        file: &str,
        language: &str,
        (document, places): (&mut Document, &Places),
        problems: &mut Vec<Problem>,
    ) {
        let mut words: Vec<(&str, &str)> = Vec::new();
        for term in &self.terms {
            words.extend(term.words(language).iter().map(|word| (word.as_str(), term.id.as_str())));
        }
        // The longest first, so that "kube-proxy" is not taken for a proxy.
        words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        let mut used = BTreeSet::new();
        let parts = std::iter::once(&mut document.intro).chain(document.steps.iter_mut().map(|s| &mut s.blocks));
        for blocks in parts {
            let mut marker = Marker { words: &words, seen: BTreeSet::new() };
            marker.note_explicit(blocks);
            marker.blocks(blocks);
            used.append(&mut marker.seen);
        }
        for id in used {
            if let Some(term) = self.terms.iter().find(|term| term.id == id) {
                let word = term.words(language).first().cloned().unwrap_or_default();
                let definition = Definition { word, text: term.text.get(language).to_owned() };
                document.terms.insert(id, definition);
            }
        }
        for (id, line) in &places.terms {
            if !self.terms.iter().any(|term| term.id == *id) {
                let message = format!("[...](term:{id}): the glossary has no such term");
                problems.push(Problem { file: file.to_owned(), line: *line, message });
            }
        }
    }
}

impl Term {
    fn words(&self, language: &str) -> &[String] {
        if language == "ja" { &self.words.ja } else { &self.words.en }
    }
}

/// Marks the first mention of each word in one step.
struct Marker<'a> {
    /// Word and id.
    words: &'a [(&'a str, &'a str)],
    seen: BTreeSet<String>,
}

impl Marker<'_> {
    /// Words that the author marked are not marked again.
    fn note_explicit(&mut self, blocks: &[Block]) {
        crate::document::walk(blocks, &mut |block| {
            if let Block::Paragraph { text } = block {
                note(text, &mut self.seen);
            }
        });
    }

    fn blocks(&mut self, blocks: &mut [Block]) {
        for block in blocks {
            match block {
                Block::Paragraph { text } => self.inlines(text),
                Block::List { items, .. } => items.iter_mut().for_each(|item| self.blocks(item)),
                Block::Callout { blocks, .. } => self.blocks(blocks),
                // What is closed at first does not count as the first mention, and a question must not give hints.
                _ => {}
            }
        }
    }

    fn inlines(&mut self, inlines: &mut Vec<Inline>) {
        let mut out = Vec::with_capacity(inlines.len());
        for inline in inlines.drain(..) {
            match inline {
                Inline::Text { text } => self.text(&text, &mut out),
                Inline::Code { text } => out.push(self.code(text)),
                Inline::Emphasis { mut text } => {
                    self.inlines(&mut text);
                    out.push(Inline::Emphasis { text });
                }
                Inline::Strong { mut text } => {
                    self.inlines(&mut text);
                    out.push(Inline::Strong { text });
                }
                other => out.push(other),
            }
        }
        *inlines = out;
    }

    /// Code that is nothing but the word, such as a heading of a table that is being explained.
    fn code(&mut self, text: String) -> Inline {
        let found = self.words.iter().find(|(word, id)| *word == text && !self.seen.contains(*id));
        let code = Inline::Code { text };
        let Some((_, id)) = found else { return code };
        self.seen.insert((*id).to_owned());
        Inline::Term { id: (*id).to_owned(), text: vec![code] }
    }

    fn text(&mut self, text: &str, out: &mut Vec<Inline>) {
        let mut rest = text;
        while let Some((at, word, id)) = self.next_word(text, rest) {
            let begin = text.len() - rest.len();
            if at > begin {
                out.push(Inline::Text { text: text[begin..at].to_owned() });
            }
            let text_of_term = vec![Inline::Text { text: word.to_owned() }];
            out.push(Inline::Term { id: id.to_owned(), text: text_of_term });
            self.seen.insert(id.to_owned());
            rest = &text[at + word.len()..];
        }
        if !rest.is_empty() {
            out.push(Inline::Text { text: rest.to_owned() });
        }
    }

    /// The first word in `rest` (the end of `text`) that was not seen: where in `text`, the word, its id. Of those that
    /// begin at the same place the longest; it also hides the shorter ones inside of it.
    fn next_word<'t>(&self, text: &'t str, rest: &str) -> Option<(usize, &'t str, String)> {
        let begin = text.len() - rest.len();
        let mut at = begin;
        while at < text.len() {
            let here = self.words.iter().find(|(word, _)| text[at..].starts_with(word) && stands_alone(text, at, word));
            match here {
                Some((word, id)) if !self.seen.contains(*id) => {
                    return Some((at, &text[at..at + word.len()], (*id).to_owned()));
                }
                Some((word, _)) => at += word.len(),
                None => at += text[at..].chars().next().map_or(1, char::len_utf8),
            }
        }
        None
    }
}

fn note(inlines: &[Inline], seen: &mut BTreeSet<String>) {
    for inline in inlines {
        match inline {
            Inline::Term { id, .. } => {
                seen.insert(id.clone());
            }
            Inline::Emphasis { text } | Inline::Strong { text } => note(text, seen),
            _ => {}
        }
    }
}

/// Whether a word at `at` is not a part of a longer one. Japanese has no gaps between words, so only Latin letters count.
fn stands_alone(text: &str, at: usize, word: &str) -> bool {
    let joins = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let begins_latin = word.starts_with(joins);
    let ends_latin = word.ends_with(joins);
    let joined_before = begins_latin && text[..at].chars().next_back().is_some_and(joins);
    let joined_after = ends_latin && text[at + word.len()..].chars().next().is_some_and(joins);
    !joined_before && !joined_after
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLOSSARY: &str = "terms:
  - id: pod
    words: {ja: [Pod], en: [Pod, Pods]}
    text: {ja: 箱, en: A box.}
  - id: proxy
    words: {ja: [プロキシー], en: [proxy]}
    text: {ja: 代理, en: A go-between.}
  - id: kube-proxy
    words: {ja: [kube-proxy], en: [kube-proxy]}
    text: {ja: x, en: On each node.}
";

    /// The words that were marked: id and text.
    fn marked(blocks: &[Block]) -> Vec<(String, String)> {
        fn collect(inlines: &[Inline], found: &mut Vec<(String, String)>) {
            for inline in inlines {
                match inline {
                    Inline::Term { id, text } => found.push((id.clone(), crate::document::plain(text))),
                    Inline::Emphasis { text } | Inline::Strong { text } => collect(text, found),
                    _ => {}
                }
            }
        }
        let mut found = Vec::new();
        crate::document::walk(blocks, &mut |block| {
            if let Block::Paragraph { text } = block {
                collect(text, &mut found);
            }
        });
        found
    }

    fn marks(language: &str, source: &str) -> Vec<(String, String)> {
        let (mut problems, glossary) = (Vec::new(), Glossary::parse(GLOSSARY).expect("whole"));
        let (mut document, places) = crate::markdown::parse("l.md", source, &mut problems);
        glossary.mark("l.md", language, (&mut document, &places), &mut problems);
        let mut found: Vec<_> = problems.iter().map(|p| ("problem".to_owned(), p.to_string())).collect();
        found.extend(marked(&document.intro));
        for step in &document.steps {
            found.push(("step".to_owned(), step.id.clone()));
            found.extend(marked(&step.blocks));
        }
        assert_eq!(document.terms.contains_key("pod"), found.iter().any(|(id, _)| id == "pod"));
        found
    }

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    #[test]
    fn the_first_mention_in_each_step_is_marked() {
        let found =
            marks("en", "A **Pod** and Pods.\n\n## Pod {#s}\n\n`get Pod` [Pod](https://e.org) Podcast, a Pod.\n");
        assert_eq!(found, pairs(&[("pod", "Pod"), ("step", "s"), ("pod", "Pod")]));
        assert_eq!(marks("en", "`Pod`, a Pod, `proxy x`\n"), pairs(&[("pod", "Pod")]));
    }

    #[test]
    fn what_is_wrong_with_a_term_has_its_line() {
        let twice = format!("{GLOSSARY}  - id: pod\n    words: {{ja: [Pod], en: []}}\n    text: {{ja: x, en: x}}\n");
        let said = Glossary::parse(&twice).expect_err("twice");
        let said: Vec<String> = said.iter().map(ToString::to_string).collect();
        let expected = ["the term \"pod\" is there twice", "term \"pod\": words.en is empty"];
        assert_eq!(said, expected.map(|message| format!("glossary.yaml:11: {message}")));
        let untranslated = Glossary::parse(&GLOSSARY.replace("{ja: 代理, en", "{en")).expect_err("untranslated");
        assert_eq!(untranslated[0].to_string(), "glossary.yaml:7: missing field `ja`");
    }

    #[test]
    fn longer_words_hide_shorter_ones() {
        assert_eq!(
            marks("en", "kube-proxy, kube-proxy, then a proxy.\n"),
            pairs(&[("kube-proxy", "kube-proxy"), ("proxy", "proxy")])
        );
    }

    #[test]
    fn japanese_needs_no_gaps() {
        assert_eq!(
            marks("ja", "Podの中のプロキシーです。PodSpecではない。\n"),
            pairs(&[("pod", "Pod"), ("proxy", "プロキシー")])
        );
    }

    #[test]
    fn marks_of_the_author_win_and_must_exist() {
        assert_eq!(marks("en", "A Pod, [those boxes](term:pod).\n"), pairs(&[("pod", "those boxes")]));
        let found = marks("en", "a\n\n- [x](term:nope)\n");
        assert_eq!(found[0].1, "l.md:3: [...](term:nope): the glossary has no such term");
    }
}
