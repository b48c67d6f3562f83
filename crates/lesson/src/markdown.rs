//! Lesson text: markdown in, blocks out.
//!
//! Each level-two heading begins a step. Code fences carry what a click does in their info string:
//! ```` ```sh exec terminal=2 ````. A fence `check` names the checks that are shown there, one a line; `quiz`, `focus`
//! and `clock` are read by modules of their own. Raw HTML is kept as the text that it is.

use std::ops::Range;

use pulldown_cmark::{
    BlockQuoteKind, CodeBlockKind, Event, HeadingLevel, MetadataBlockKind, Options, Parser, Tag, TagEnd,
};

use crate::document::{Block, CalloutKind, CodeBlock, Document, Inline, Step, mark, plain};
use crate::places::{Place, Places};
use crate::{Problem, directive, fence, quiz};

/// Marks a quotation as a box that opens: `> [!REVEAL] Title`. GFM does not know it, so it arrives as text.
const REVEAL: &str = "[!REVEAL]";
/// The boxes that there are, by the word in their mark.
const BOXES: [&str; 6] = ["NOTE", "TIP", "WARNING", "CAUTION", "IMPORTANT", "REVEAL"];
/// The scheme of links to the glossary: `[Pod](term:pod)`.
const TERM: &str = "term:";

/// The YAML at the head of a text, between two lines of `---`; empty if there is none.
pub(crate) fn front_matter(source: &str) -> &str {
    const FENCE: &str = "---";
    let Some(body) = source.strip_prefix(FENCE).and_then(|rest| rest.trim_start_matches('\r').strip_prefix('\n'))
    else {
        return "";
    };
    let mut end = 0;
    for line in body.split_inclusive('\n') {
        if line.trim_end() == FENCE {
            return &body[..end];
        }
        end += line.len();
    }
    ""
}

/// Parses the markdown of `file`; says too where what stands. Problems carry the line.
pub(crate) fn parse(file: &str, source: &str, problems: &mut Vec<Problem>) -> (Document, Places) {
    let mut reader = reader(file, source, problems);
    let document = reader.document();
    // A box comes after what is in it.
    reader.places.parts.iter_mut().for_each(|part| part.marks.sort_unstable());
    (document, reader.places)
}

/// Inline text, for the parts of a fence.
pub(crate) fn inline_text(source: &str) -> Vec<Inline> {
    let mut ignored = Vec::new();
    let mut document = reader("", source, &mut ignored).document();
    match (document.intro.pop(), document.intro.is_empty()) {
        (Some(Block::Paragraph { text }), true) => text,
        // Something that only looks like a list or a heading.
        _ => vec![Inline::Text { text: source.to_owned() }],
    }
}

fn reader<'a>(file: &'a str, source: &'a str, problems: &'a mut Vec<Problem>) -> Reader<'a> {
    let options = Options::ENABLE_YAML_STYLE_METADATA_BLOCKS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_GFM
        // To be refused: otherwise they are shown as the bars that they are written with.
        | Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH;
    let events: Vec<(Event, Range<usize>)> = Parser::new_ext(source, options).into_offset_iter().collect();
    Reader { file, source, events, at: 0, quizzes: 0, places: Places::default(), problems }
}

struct Reader<'a> {
    file: &'a str,
    source: &'a str,
    events: Vec<(Event<'a>, Range<usize>)>,
    at: usize,
    /// Questions read so far.
    quizzes: usize,
    places: Places,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<(Event<'a>, Range<usize>)> {
        let event = self.events.get(self.at).cloned();
        self.at += 1;
        event
    }

    /// The line on which something begins.
    fn line(&self, range: &Range<usize>) -> usize {
        self.source[..range.start.min(self.source.len())].matches('\n').count() + 1
    }

    fn problem(&mut self, range: &Range<usize>, message: String) {
        let line = self.line(range);
        self.problems.push(Problem { file: self.file.to_owned(), line, message });
    }

    fn document(&mut self) -> Document {
        let mut document = Document::default();
        self.places.last();
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
                    if !id.is_empty() && document.steps.iter().any(|step| step.id == id) {
                        self.problem(&range, format!("there is a step with the id {id:?} before: ids are different"));
                    }
                    let line = self.line(&range);
                    self.places.parts.push(Place { line, ..Place::default() });
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
                    matches!(
                        tag,
                        Tag::Emphasis | Tag::Strong | Tag::Link { .. } | Tag::Image { .. } | Tag::Strikethrough
                    )
                }
                _ => false,
            };
            if inline {
                // Items of a tight list hold text without a paragraph.
                self.inline(event, &range, &mut loose);
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
        let block = self.read_block(event, range)?;
        if mark(&block).is_some() {
            let line = self.line(range);
            self.places.last().marks.push(line);
        }
        Some(block)
    }

    fn read_block(&mut self, event: Event<'a>, range: &Range<usize>) -> Option<Block> {
        match event {
            Event::Start(Tag::Paragraph) => Some(Block::Paragraph { text: self.inlines() }),
            Event::Start(Tag::Heading { level, .. }) => {
                Some(Block::Heading { level: level as u8, text: self.inlines() })
            }
            Event::Start(Tag::CodeBlock(kind)) => self.code(&kind, range),
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
                let blocks = self.blocks();
                Some(match (kind, reveal_title(&blocks)) {
                    (CalloutKind::Quote, Some((title, rest))) => self.reveal(title, rest, blocks, range),
                    (CalloutKind::Quote, None) => {
                        self.report_mark(&blocks, range);
                        Block::Callout { kind, blocks }
                    }
                    _ => Block::Callout { kind, blocks },
                })
            }
            // Raw HTML is shown as the text that it is.
            Event::Start(Tag::HtmlBlock) => {
                let text = self.plain_text().trim_end().to_owned();
                Some(Block::Paragraph { text: vec![Inline::Text { text }] })
            }
            Event::Rule => Some(Block::Rule),
            Event::Start(Tag::Table(_)) => {
                self.problem(range, "tables are not shown: write a list or a code fence".into());
                self.skip();
                None
            }
            Event::Start(tag) => {
                self.problem(range, format!("{tag:?} is not supported in lessons"));
                self.skip();
                None
            }
            _ => None,
        }
    }

    /// Goes to the end of the container that was just entered.
    fn skip(&mut self) {
        let mut depth = 1;
        while depth > 0 {
            match self.next() {
                Some((Event::Start(_), _)) => depth += 1,
                Some((Event::End(_), _)) => depth -= 1,
                Some(_) => {}
                None => return,
            }
        }
    }

    /// A quotation that begins as a box does but is none.
    fn report_mark(&mut self, blocks: &[Block], range: &Range<usize>) {
        let Some(Block::Paragraph { text }) = blocks.first() else { return };
        let Some(Inline::Text { text }) = text.first() else { return };
        let Some((word, _)) = text.strip_prefix("[!").and_then(|rest| rest.split_once(']')) else { return };
        let message = match BOXES.iter().find(|known| **known == word.to_uppercase()) {
            Some(&"REVEAL") => format!("a box that opens is written `> {REVEAL} Title`"),
            Some(known) => format!("`> [!{known}]` stands alone on its line; the text of the box is below it"),
            None => format!("there is no box [!{word}]: there are {}", BOXES.join(", ")),
        };
        self.problem(range, message);
        self.places.last().is_broken = true;
    }

    /// A box that opens: the rest of the line behind the mark is its title.
    fn reveal(&mut self, title: Vec<Inline>, rest: Vec<Inline>, mut blocks: Vec<Block>, range: &Range<usize>) -> Block {
        if title.is_empty() {
            self.problem(range, format!("`> {REVEAL}` needs a title behind it, on the same line"));
        }
        blocks.remove(0);
        if !rest.is_empty() {
            blocks.insert(0, Block::Paragraph { text: rest });
        }
        if blocks.is_empty() {
            self.problem(range, format!("the box `> {REVEAL}` is empty"));
        }
        Block::Reveal { title, blocks }
    }

    fn code(&mut self, kind: &CodeBlockKind, range: &Range<usize>) -> Option<Block> {
        let code = self.plain_text();
        let CodeBlockKind::Fenced(info) = kind else {
            if code.lines().any(|line| line.trim_start().starts_with("```")) {
                self.problem(range, "a code fence that is indented by four spaces is text: move it left".into());
            }
            return self.code_block("", &code, range);
        };
        if let Some(message) = fence::unclosed(&self.source[range.clone()], self.line(range)) {
            self.problem(range, message);
        }
        self.code_block(info, &code, range)
    }

    fn code_block(&mut self, info: &str, code: &str, range: &Range<usize>) -> Option<Block> {
        let code = code.strip_suffix('\n').unwrap_or(code).to_owned();
        let mut words = info.split_whitespace();
        let language = words.next().unwrap_or("").to_owned();
        let special = match language.as_str() {
            "check" => Some(Ok(Block::Checks { ids: code.split_whitespace().map(str::to_owned).collect() })),
            "quiz" => {
                self.quizzes += 1;
                Some(quiz::parse(format!("quiz-{}", self.quizzes), &code).map(Block::Quiz))
            }
            "focus" => Some(directive::focus(&code).map(Block::Focus)),
            "clock" => Some(directive::clock(&code).map(Block::Clock)),
            _ => None,
        };
        if let Some(special) = special {
            if let Some(word) = words.next() {
                self.problem(range, format!("unknown word {word:?} behind the code fence {language:?}"));
            }
            return match special {
                Ok(block) => {
                    self.note_checks(&block, &code, range);
                    Some(block)
                }
                Err(message) => {
                    self.problem(range, message);
                    self.places.last().is_broken = true;
                    None
                }
            };
        }
        if let Some(message) = fence::language(&language) {
            self.problem(range, message);
            self.places.last().is_broken = true;
        }
        let mut is_terminal_given = false;
        let mut block = CodeBlock { language, code, terminal: 1, ..CodeBlock::default() };
        for word in words {
            match word.split_once('=').unwrap_or((word, "")) {
                ("exec", "") => block.exec = true,
                ("copy", "") => block.copy = true,
                ("terminal", number) => {
                    is_terminal_given = true;
                    match number.parse() {
                        Ok(number @ 1..=9) => block.terminal = number,
                        _ => self.problem(range, format!("terminal={number}: a number from 1 to 9 is due")),
                    }
                }
                _ => self.problem(range, format!("unknown word {word:?} behind a code fence")),
            }
        }
        if is_terminal_given && !block.exec {
            self.problem(range, "`terminal=` does nothing without `exec`, which makes the Run button".into());
        }
        if block.exec && block.code.trim().is_empty() {
            self.problem(range, "`exec` without a command: there is nothing to run".into());
        }
        Some(Block::Code(block))
    }

    /// Notes where the checks of a fence are shown.
    fn note_checks(&mut self, block: &Block, code: &str, range: &Range<usize>) {
        let Block::Checks { ids } = block else { return };
        if ids.is_empty() {
            self.problem(range, "this `check` fence shows no check: put their ids into it, one a line".into());
        }
        let first = self.line(range) + 1;
        for (below, line) in code.lines().enumerate() {
            self.places.shown.extend(line.split_whitespace().map(|id| (id.to_owned(), first + below)));
        }
    }

    /// Inline text up to the end of the block that was just entered.
    fn inlines(&mut self) -> Vec<Inline> {
        let mut out = Vec::new();
        while let Some((event, range)) = self.next() {
            if matches!(event, Event::End(_)) {
                break;
            }
            self.inline(event, &range, &mut out);
        }
        out
    }

    fn inline(&mut self, event: Event<'a>, range: &Range<usize>, out: &mut Vec<Inline>) {
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
                if let Some(id) = dest_url.strip_prefix(TERM) {
                    let line = self.line(range);
                    self.places.terms.push((id.to_owned(), line));
                    out.push(Inline::Term { id: id.to_owned(), text });
                    return;
                }
                let scheme = dest_url.split(['/', '?', '#']).next().unwrap_or("");
                if !scheme.contains(':') || dest_url.starts_with("https://") || dest_url.starts_with("http://") {
                    out.push(Inline::Link { href: dest_url.into_string(), text });
                } else {
                    out.extend(text);
                }
            }
            Event::Start(Tag::Image { .. }) => {
                self.problem(range, "pictures are not shown, only their text would be: say it in words".into());
                out.extend(self.inlines());
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

/// Title and the rest of the first paragraph, if a quotation begins with the mark.
fn reveal_title(blocks: &[Block]) -> Option<(Vec<Inline>, Vec<Inline>)> {
    let Some(Block::Paragraph { text }) = blocks.first() else { return None };
    let Some(Inline::Text { text: first }) = text.first() else { return None };
    let first = first.strip_prefix(REVEAL)?;
    let (mut title, mut rest) = (Vec::new(), Vec::new());
    let mut below = false;
    let pieces = std::iter::once(Inline::Text { text: first.trim_start_matches(' ').to_owned() });
    for inline in pieces.chain(text.iter().skip(1).cloned()) {
        match inline {
            _ if below => rest.push(inline),
            Inline::Text { text } => match text.split_once('\n') {
                Some((above, under)) => {
                    title.push(Inline::Text { text: above.to_owned() });
                    rest.push(Inline::Text { text: under.to_owned() });
                    below = true;
                }
                None => title.push(Inline::Text { text }),
            },
            Inline::Break => below = true,
            other => title.push(other),
        }
    }
    let written = |inline: &Inline| !matches!(inline, Inline::Text { text } if text.is_empty());
    title.retain(written);
    rest.retain(written);
    Some((title, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Clock, Focus};

    fn read(source: &str) -> (Document, Vec<Problem>) {
        let mut problems = Vec::new();
        let (document, _) = parse("l.en.md", source, &mut problems);
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
    fn boxes_that_open_have_a_title() {
        let (document, problems) =
            read("> [!REVEAL] Where is `x`?\n> Here, in **y**.\n>\n> And there.\n\n> [!REVEAL]\n> No title.\n");
        let Block::Reveal { title, blocks } = &document.intro[0] else { panic!("{document:?}") };
        assert_eq!(plain(title), "Where is x?");
        assert_eq!(blocks.len(), 2);
        assert!(matches!(&blocks[0], Block::Paragraph { text } if plain(text) == "Here, in y."));
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].message.contains("needs a title"));
        assert_eq!(problems[0].line, 6);
    }

    #[test]
    fn directives_and_terms_are_not_text() {
        let (document, problems) = read("```focus\nPod app=web\n```\n\n```clock\n10x\n```\n\nA [box](term:pod).\n");
        assert_eq!(problems, []);
        let selector = Some("app=web".to_owned());
        assert_eq!(document.intro[0], Block::Focus(Focus::Object { kind: "Pod".into(), name: None, selector }));
        assert_eq!(document.intro[1], Block::Clock(Clock::Speed { factor: 10 }));
        assert!(format!("{:?}", document.intro[2]).contains("Term { id: \"pod\""));
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
    #[test]
    fn what_would_not_be_shown_as_it_is_meant_is_refused() {
        for (source, expected) in [
            ("a\n\n```sh exec\nls\n", "l.en.md:3: this code fence is never closed"),
            (
                "```sh\nls\n\na\n\n```sh exec\nls\n```\n",
                "l.en.md:1: this code fence is not closed before another begins in line 6",
            ),
            ("a\n\n    ```sh exec\n    ls\n    ```\n", "l.en.md:3: a code fence that is indented by four spaces"),
            ("a\n\n```exec\nls\n```\n", "l.en.md:3: \"exec\" stands in the place of the language"),
            ("```sh terminal=2\nls\n```\n", "l.en.md:1: `terminal=` does nothing without `exec`"),
            ("```sh exec\n```\n", "l.en.md:1: `exec` without a command"),
            ("```quizz\nA?\n```\n", "l.en.md:1: a code fence \"quizz\": did you mean \"quiz\"?"),
            ("```check\n```\n", "l.en.md:1: this `check` fence shows no check"),
            ("```check a\nb\n```\n", "l.en.md:1: unknown word \"a\" behind the code fence \"check\""),
            ("a\n\n> [!NOET]\n> x\n", "l.en.md:3: there is no box [!NOET]: there are NOTE, TIP"),
            ("> [!NOTE] x\n", "l.en.md:1: `> [!NOTE]` stands alone on its line"),
            ("> [!Reveal] x\n> y\n", "l.en.md:1: a box that opens is written `> [!REVEAL] Title`"),
            ("## A {#a}\n\n## B {#a}\n", "l.en.md:3: there is a step with the id \"a\" before"),
            ("a\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", "l.en.md:3: tables are not shown"),
            ("a\n\nb ![c](d.png)\n", "l.en.md:3: pictures are not shown"),
            ("- a\n- ![c](d.png)\n", "l.en.md:2: pictures are not shown"),
        ] {
            let (_, problems) = read(source);
            assert!(problems.len() == 1 && problems[0].to_string().starts_with(expected), "{source}: {problems:#?}");
        }
    }

    #[test]
    fn places_are_those_of_the_outline() {
        let source = "> [!REVEAL] T\n> ```sh exec\n> a\n> ```\n\n[x](term:pod)\n\n\
                      ## S {#s}\n\n- ```check\n  c\n  d\n  ```\n\n```clock\npause\n```\n";
        let mut problems = Vec::new();
        let (document, places) = parse("l.en.md", source, &mut problems);
        assert_eq!(problems, []);
        let marks: Vec<_> = places.parts.iter().map(|part| (part.line, part.marks.clone())).collect();
        assert_eq!(marks, [(1, vec![1, 2]), (8, vec![10, 15])]);
        assert_eq!(crate::document::outline(&document.intro).len(), 2);
        assert_eq!(crate::document::outline(&document.steps[0].blocks).len(), 2);
        assert_eq!(places.terms, [("pod".to_owned(), 6)]);
        assert_eq!(places.shown, [("c".to_owned(), 11), ("d".to_owned(), 12)]);
    }
}
