//! Courses and lessons as their authors write them, and the checks that turn green by themselves.
//!
//! A course is a folder: `course.yaml` and one folder a lesson with `lesson.ja.md`, `lesson.en.md`, `checks.yaml`,
//! `solution.sh` and, if needed, `alternative.sh`, `setup.yaml` and `files/`. Everything wrong in them is an error with
//! file and line.
//!
//! Invariants: markdown becomes [`Block`]s and never HTML; raw HTML in it is shown as text. Checks look at the state of
//! the cluster and at what happened, never at how a command was typed.

mod check;
mod compare;
mod course;
mod directive;
mod document;
mod evaluate;
mod fence;
mod glossary;
mod markdown;
mod path;
mod places;
mod quiz;
mod wire;
mod words;
mod yaml;

pub use check::{Check, Checks, Clause, Expect, HttpClause, ObjectClause, OutputClause, TraceClause};
pub use course::{
    Course, CourseFiles, CourseOutline, Lesson, LessonOutline, NODES_MAX, Page, Problem, PublishedLesson, Setup, Shelf,
};
pub use document::{Block, CalloutKind, Choice, Clock, CodeBlock, Definition, Document, Focus, Inline, Quiz, Step};
pub use evaluate::{Facts, Outcome, Progress};
pub use glossary::{Glossary, Term, Words};
pub use wire::{Latency, Loss, Wire};

/// The languages that every lesson speaks, in the order in which they are offered.
pub const LANGUAGES: [&str; 2] = ["ja", "en"];

/// A text in each language of [`LANGUAGES`].
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Japanese.
    pub ja: String,
    /// English.
    pub en: String,
}

impl Text {
    /// The text in `language`; English for a language that is not offered.
    pub fn get(&self, language: &str) -> &str {
        if language == "ja" { &self.ja } else { &self.en }
    }

    pub(crate) fn set(&mut self, language: &str, text: String) {
        *(if language == "ja" { &mut self.ja } else { &mut self.en }) = text;
    }
}
