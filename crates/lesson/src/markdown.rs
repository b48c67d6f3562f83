//! Lesson text: markdown in, blocks out.
//!
//! Each level-two heading begins a step. Code fences carry what a click does in their info string:
//! ```` ```sh exec terminal=2 ````. A fence `check` names the checks that are shown there, one a line.
//! Raw HTML is kept as the text that it is.

use std::ops::Range;

use pulldown_cmark::{
    BlockQuoteKind, CodeBlockKind, Event, HeadingLevel, MetadataBlockKind, Options, Parser, Tag, TagEnd,
};
use serde::{Deserialize, Serialize};

use crate::Problem;

/// A parsed lesson text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The YAML between the `---` lines.
    pub front_matter: String,
    /// What stands before the first step.
    pub intro: Vec<Block>,
    /// The steps.
    pub steps: Vec<Step>,
}

/// One step of a lesson.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// From `{#id}` behind the heading; the same in every language.
    pub id: String,
    /// The heading.
    pub title: String,
    /// The text.
    pub blocks: Vec<Block>,
}

/// A block of text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Block {
    /// A paragraph.
    Paragraph {
        /// Its text.
        text: Vec<Inline>,
    },
    /// A heading below the step's own.
    Heading {
        /// 3 to 6.
        level: u8,
        /// Its text.
        text: Vec<Inline>,
    },
    /// Code.
    Code(CodeBlock),
    /// The checks to show here.
    Checks {
        /// Ids in `checks.yaml`.
        ids: Vec<String>,
    },
    /// A list.
    List {
        /// The first number of an ordered list.
        start: Option<u64>,
        /// The items.
        items: Vec<Vec<Block>>,
    },
    /// A box: tip, warning, explanation, or a plain quotation.
    Callout {
        /// Which.
        kind: CalloutKind,
        /// Its text.
        blocks: Vec<Block>,
    },
    /// A thematic break.
    Rule,
}

/// The kinds of boxes, by the GFM alert that makes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CalloutKind {
    /// `> text`
    Quote,
    /// `> [!TIP]`
    Tip,
    /// `> [!WARNING]` and `> [!CAUTION]`
    Warning,
    /// `> [!NOTE]`: what just happened, and why.
    Why,
    /// `> [!IMPORTANT]`
    Important,
}

/// A code fence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CodeBlock {
    /// The language, e.g. `sh` or `yaml`.
    pub language: String,
    /// The code, without the last newline.
    pub code: String,
    /// A click types it into a terminal.
    pub exec: bool,
    /// The terminal that a click types into, from 1.
    pub terminal: u8,
    /// Offer to copy it.
    pub copy: bool,
}

/// Text within a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Inline {
    /// Plain text.
    Text {
        /// The text.
        text: String,
    },
    /// Code.
    Code {
        /// The code.
        text: String,
    },
    /// Emphasis.
    Emphasis {
        /// The text.
        text: Vec<Inline>,
    },
    /// Strong emphasis.
    Strong {
        /// The text.
        text: Vec<Inline>,
    },
    /// A link, opened in a new tab. Only http, https and relative targets pass.
    Link {
        /// Where to.
        href: String,
        /// The text.
        text: Vec<Inline>,
    },
    /// A line break.
    Break,
}

/// Parses the markdown of `file`. Problems carry the line.
pub(crate) fn parse(file: &str, source: &str, problems: &mut Vec<Problem>) -> Document {
    let options = Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_GFM
        | Options::ENABLE_STRIKETHROUGH;
    let events: Vec<(Event, Range<usize>)> = Parser::new_ext(source, options).into_offset_iter().collect();
    let mut reader = Reader { file, source, events, at: 0, problems };
    reader.document()
}

struct Reader<'a> {
    file: &'a str,
    source: &'a str,
    events: Vec<(Event<'a>, Range<usize>)>,
    at: usize,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<(Event<'a>, Range<usize>)> {
        let event = self.events.get(self.at).cloned();
        self.at += 1;
        event
    }

    fn problem(&mut self, range: &Range<usize>, message: String) {
        let line = self.source[..range.start.min(self.source.len())].matches('\n').count() + 1;
        self.problems.push(Problem { file: self.file.to_owned(), line, message });
    }

    fn document(&mut self) -> Document {
        let mut document = Document::default();
        while let Some((event, range)) = self.next() {
            match event {
                Event::Start(Tag::MetadataBlock(MetadataBlockKind::YamlStyle)) => {
                    document.front_matter = self.plain_text();
                }
                Event::Start(Tag::Heading { level: HeadingLevel::H2, id, .. }) => {
                    let title = plain(&self.inlines());
                    let id = id.map(|i| i.to_string()).unwrap_or_default();
                    if id.is_empty() {
                        self.problem(&range, format!("step {title:?} has no id: write `## {title} {{#some-id}}`"));
                    }
                    document.steps.push(Step { id, title, blocks: Vec::new() });
                }
                Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }) => {
                    self.inlines();
                    self.problem(
                        &range,
                        "the title belongs into the front matter, not into a level-one heading".into(),
                    );
                }
                other => {
                    if let Some(block) = self.block(other, &range) {
                        match document.steps.last_mut() {
                            Some(step) => step.blocks.push(block),
                            None => document.intro.push(block),
                        }
                    }
                }
            }
        }
        document
    }

    /// Blocks up to the end of the container that was just entered.
    fn blocks(&mut self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut loose = Vec::new();
        while let Some((event, range)) = self.next() {
            let inline = match &event {
                Event::End(_) => break,
                Event::Text(_) | Event::Code(_) | Event::SoftBreak | Event::HardBreak | Event::InlineHtml(_) => true,
                Event::Start(tag) => {
                    matches!(tag, Tag::Emphasis | Tag::Strong | Tag::Link { .. } | Tag::Strikethrough)
                }
                _ => false,
            };
            if inline {
                // Items of a tight list hold text without a paragraph.
                self.inline(event, &mut loose);
                continue;
            }
            if !loose.is_empty() {
                blocks.push(Block::Paragraph { text: std::mem::take(&mut loose) });
            }
            blocks.extend(self.block(event, &range));
        }
        if !loose.is_empty() {
            blocks.push(Block::Paragraph { text: loose });
        }
        blocks
    }

    fn block(&mut self, event: Event<'a>, range: &Range<usize>) -> Option<Block> {
        match event {
            Event::Start(Tag::Paragraph) => Some(Block::Paragraph { text: self.inlines() }),
            Event::Start(Tag::Heading { level, .. }) => {
                Some(Block::Heading { level: level as u8, text: self.inlines() })
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                let info = match &kind {
                    CodeBlockKind::Fenced(info) => info.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                let code = self.plain_text();
                self.code_block(&info, &code, range)
            }
            Event::Start(Tag::List(start)) => {
                let mut items = Vec::new();
                while let Some((Event::Start(Tag::Item), _)) = self.next() {
                    items.push(self.blocks());
                }
                Some(Block::List { start, items })
            }
            Event::Start(Tag::BlockQuote(kind)) => {
                let kind = match kind {
                    None => CalloutKind::Quote,
                    Some(BlockQuoteKind::Tip) => CalloutKind::Tip,
                    Some(BlockQuoteKind::Warning | BlockQuoteKind::Caution) => CalloutKind::Warning,
                    Some(BlockQuoteKind::Note) => CalloutKind::Why,
                    Some(BlockQuoteKind::Important) => CalloutKind::Important,
                };
                Some(Block::Callout { kind, blocks: self.blocks() })
            }
            // Raw HTML is shown as the text that it is.
            Event::Start(Tag::HtmlBlock) => {
                let text = self.plain_text().trim_end().to_owned();
                Some(Block::Paragraph { text: vec![Inline::Text { text }] })
            }
            Event::Rule => Some(Block::Rule),
            Event::Start(tag) => {
                self.problem(range, format!("{tag:?} is not supported in lessons"));
                self.blocks();
                None
            }
            _ => None,
        }
    }

    fn code_block(&mut self, info: &str, code: &str, range: &Range<usize>) -> Option<Block> {
        let code = code.strip_suffix('\n').unwrap_or(code).to_owned();
        let mut words = info.split_whitespace();
        let language = words.next().unwrap_or("").to_owned();
        if language == "check" {
            let ids = code.split_whitespace().map(str::to_owned).collect();
            return Some(Block::Checks { ids });
        }
        let mut block = CodeBlock { language, code, terminal: 1, ..CodeBlock::default() };
        for word in words {
            match word.split_once('=').unwrap_or((word, "")) {
                ("exec", "") => block.exec = true,
                ("copy", "") => block.copy = true,
                ("terminal", number) => match number.parse() {
                    Ok(number @ 1..=9) => block.terminal = number,
                    _ => self.problem(range, format!("terminal={number}: a number from 1 to 9 is due")),
                },
                _ => self.problem(range, format!("unknown word {word:?} behind a code fence")),
            }
        }
        Some(Block::Code(block))
    }

    /// Inline text up to the end of the block that was just entered.
    fn inlines(&mut self) -> Vec<Inline> {
        let mut out = Vec::new();
        while let Some((event, _)) = self.next() {
            if matches!(event, Event::End(_)) {
                break;
            }
            self.inline(event, &mut out);
        }
        out
    }

    fn inline(&mut self, event: Event<'a>, out: &mut Vec<Inline>) {
        match event {
            Event::Text(text) | Event::InlineHtml(text) | Event::Html(text) => {
                if let Some(Inline::Text { text: last }) = out.last_mut() {
                    last.push_str(&text);
                } else {
                    out.push(Inline::Text { text: text.into_string() });
                }
            }
            Event::Code(text) => out.push(Inline::Code { text: text.into_string() }),
            Event::SoftBreak => out.push(Inline::Text { text: "\n".to_owned() }),
            Event::HardBreak => out.push(Inline::Break),
            Event::Start(Tag::Emphasis) => out.push(Inline::Emphasis { text: self.inlines() }),
            Event::Start(Tag::Strong) => out.push(Inline::Strong { text: self.inlines() }),
            Event::Start(Tag::Link { dest_url, .. }) => {
                let text = self.inlines();
                let scheme = dest_url.split(['/', '?', '#']).next().unwrap_or("");
                if !scheme.contains(':') || dest_url.starts_with("https://") || dest_url.starts_with("http://") {
                    out.push(Inline::Link { href: dest_url.into_string(), text });
                } else {
                    out.extend(text);
                }
            }
            Event::Start(_) => out.extend(self.inlines()),
            _ => {}
        }
    }

    /// The text up to the end of the block that was just entered, as it stands.
    fn plain_text(&mut self) -> String {
        let mut text = String::new();
        while let Some((event, _)) = self.next() {
            match event {
                Event::End(TagEnd::CodeBlock | TagEnd::HtmlBlock | TagEnd::MetadataBlock(_)) => break,
                Event::Text(part) | Event::Html(part) | Event::InlineHtml(part) => text.push_str(&part),
                _ => {}
            }
        }
        text
    }
}

/// The text of inlines without their marks.
pub(crate) fn plain(inlines: &[Inline]) -> String {
    let part = |inline: &Inline| match inline {
        Inline::Text { text } | Inline::Code { text } => text.clone(),
        Inline::Emphasis { text } | Inline::Strong { text } | Inline::Link { text, .. } => plain(text),
        Inline::Break => "\n".to_owned(),
    };
    inlines.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &str) -> (Document, Vec<Problem>) {
        let mut problems = Vec::new();
        let document = parse("l.en.md", source, &mut problems);
        (document, problems)
    }

    #[test]
    fn steps_code_checks_and_boxes() {
        let (document, problems) = read(
            "---\ntitle: T\n---\nHello **you**.\n\n## Go {#go}\n\n```sh exec terminal=2\nkubectl proxy\n```\n\n\
             ```check\na\nb\n```\n\n> [!NOTE]\n> Why.\n\n- one\n- two `x`\n",
        );
        assert_eq!(problems, []);
        assert_eq!(document.front_matter.trim(), "title: T");
        assert_eq!(document.intro.len(), 1);
        let step = &document.steps[0];
        assert_eq!((step.id.as_str(), step.title.as_str()), ("go", "Go"));
        let Block::Code(code) = &step.blocks[0] else { panic!("{step:?}") };
        assert_eq!((code.code.as_str(), code.exec, code.terminal), ("kubectl proxy", true, 2));
        assert_eq!(step.blocks[1], Block::Checks { ids: vec!["a".into(), "b".into()] });
        assert!(matches!(&step.blocks[2], Block::Callout { kind: CalloutKind::Why, .. }));
        assert!(matches!(&step.blocks[3], Block::List { items, .. } if items.len() == 2));
    }

    #[test]
    fn html_and_scripts_are_text() {
        let (document, _) =
            read("<script>alert(1)</script>\n\nA <b>c</b> [x](javascript:alert(1)) [y](https://e.org)\n");
        let text = format!("{:?}", document.intro);
        assert!(text.contains("<script>alert(1)</script>"), "{text}");
        assert!(text.contains("<b>c</b>"), "{text}");
        assert!(!text.contains("javascript:"), "{text}");
        assert!(text.contains("https://e.org"), "{text}");
    }

    #[test]
    fn problems_carry_the_line() {
        let (_, problems) = read("text\n\n## No id\n\n```sh exce\nx\n```\n");
        let lines: Vec<usize> = problems.iter().map(|p| p.line).collect();
        assert_eq!(lines, [3, 5], "{problems:?}");
    }
}
