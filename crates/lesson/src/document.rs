//! A lesson's text as blocks: what the page shows and what the two languages are compared by.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A parsed lesson text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The YAML between the `---` lines.
    pub front_matter: String,
    /// What stands before the first step.
    pub intro: Vec<Block>,
    /// The steps.
    pub steps: Vec<Step>,
    /// The words of the glossary that the text marks ([`Inline::Term`]), by id.
    #[serde(default)]
    pub terms: BTreeMap<String, Definition>,
}

/// What a word of the glossary means, in the language of the document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// The word.
    pub word: String,
    /// One or two sentences, plain text.
    pub text: String,
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
#[serde(rename_all = "camelCase")]
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
    /// A box that is closed until it is clicked: the answer to something the learner should try first.
    Reveal {
        /// What stands on the closed box.
        title: Vec<Inline>,
        /// What it holds.
        blocks: Vec<Block>,
    },
    /// A question with answers to choose from.
    Quiz(Quiz),
    /// Not text: what the picture turns to when the step is shown.
    Focus(Focus),
    /// Not text: what happens to the clock when the step is shown.
    Clock(Clock),
    /// A thematic break.
    Rule,
}

/// A question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiz {
    /// `quiz-1`, `quiz-2` ... in the order of the lesson; the same in every language.
    pub id: String,
    /// The question.
    pub question: Vec<Inline>,
    /// Several answers may be right (boxes to tick); otherwise exactly one is (buttons).
    pub several: bool,
    /// The answers, in the order in which they are written.
    pub choices: Vec<Choice>,
    /// Why, shown once it was answered.
    pub explanation: Vec<Inline>,
}

/// An answer to choose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Its text.
    pub text: Vec<Inline>,
    /// Whether it is right.
    pub right: bool,
}

/// What the picture turns to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Focus {
    /// A part of the cluster, by its name in the trace: `kubectl`, `kube-apiserver`, `etcd`,
    /// `kube-controller-manager`, `kube-scheduler`, `kubelet`, `kube-proxy`, `learner`.
    Part {
        /// The name.
        name: String,
    },
    /// Objects.
    Object {
        /// Kind, e.g. `Pod`.
        kind: String,
        /// Only this one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Only those with these labels (a label selector).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        selector: Option<String>,
    },
}

/// What happens to the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Clock {
    /// Time stands still.
    Pause,
    /// So many virtual seconds a second, from 1 to 100.
    Speed {
        /// How many.
        factor: u32,
    },
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
#[serde(rename_all = "camelCase")]
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
    /// A word of the glossary, explained when it is pointed at; [`Document::terms`] has the explanation.
    Term {
        /// Its id in the glossary.
        id: String,
        /// The text as it stands in the sentence.
        text: Vec<Inline>,
    },
    /// A line break.
    Break,
}

impl Document {
    /// All blocks, those inside of lists and boxes too, in order.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Block)) {
        walk(&self.intro, visit);
        self.steps.iter().for_each(|step| walk(&step.blocks, visit));
    }

    /// The questions, in order.
    pub fn quizzes(&self) -> Vec<&Quiz> {
        let mut found = Vec::new();
        self.walk(&mut |block| {
            if let Block::Quiz(quiz) = block {
                found.push(quiz);
            }
        });
        found
    }
}

/// `blocks` and all blocks inside of them, in order.
pub(crate) fn walk<'a>(blocks: &'a [Block], visit: &mut dyn FnMut(&'a Block)) {
    for block in blocks {
        visit(block);
        match block {
            Block::List { items, .. } => items.iter().for_each(|item| walk(item, visit)),
            Block::Callout { blocks, .. } | Block::Reveal { blocks, .. } => walk(blocks, visit),
            _ => {}
        }
    }
}

/// What must be the same in every language: commands, checks, questions, boxes that open, directives; one line each.
pub(crate) fn outline(blocks: &[Block]) -> Vec<String> {
    let mut lines = Vec::new();
    walk(blocks, &mut |block| lines.extend(mark(block)));
    lines
}

/// The line of a block in the outline; none of blocks that every language has in its own way.
pub(crate) fn mark(block: &Block) -> Option<String> {
    match block {
        Block::Code(code) if code.exec => Some(format!("terminal {}: {}", code.terminal, code.code)),
        Block::Checks { ids } => Some(format!("check {}", ids.join(" "))),
        Block::Quiz(quiz) => {
            let marks: String = quiz.choices.iter().map(|c| if c.right { 'x' } else { '-' }).collect();
            Some(format!("quiz {marks}"))
        }
        Block::Reveal { .. } => Some("reveal".to_owned()),
        Block::Focus(focus) => Some(format!("{focus:?}")),
        Block::Clock(clock) => Some(format!("{clock:?}")),
        _ => None,
    }
}

/// The text of inlines without their marks.
pub(crate) fn plain(inlines: &[Inline]) -> String {
    let part = |inline: &Inline| match inline {
        Inline::Text { text } | Inline::Code { text } => text.clone(),
        Inline::Emphasis { text } | Inline::Strong { text } | Inline::Link { text, .. } | Inline::Term { text, .. } => {
            plain(text)
        }
        Inline::Break => "\n".to_owned(),
    };
    inlines.iter().map(part).collect()
}
