//! A course: its folder of files, read and checked as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::markdown::{self, Block, Document};
use crate::{Check, Checks, LANGUAGES, Text};

/// Something wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// Path of the file within the course.
    pub file: String,
    /// Line, from 1; 0 where the whole file is meant.
    pub line: usize,
    /// What is wrong, as a sentence.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.file, self.message)
        } else {
            write!(f, "{}:{}: {}", self.file, self.line, self.message)
        }
    }
}

/// The files of a course by their path within its folder, e.g. `deploy-app/lesson.ja.md`.
pub type CourseFiles = BTreeMap<String, String>;

/// A course.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    /// Name of the folder.
    pub id: String,
    /// Title.
    pub title: Text,
    /// One or two sentences.
    pub summary: Text,
    /// The lessons in order.
    pub lessons: Vec<Lesson>,
}

/// A lesson.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lesson {
    /// Name of the folder.
    pub id: String,
    /// Title.
    pub title: Text,
    /// One or two sentences.
    pub summary: Text,
    /// About how long it takes, in minutes.
    pub minutes: u32,
    /// Text by language.
    pub text: BTreeMap<String, Document>,
    /// The checks.
    pub checks: Checks,
    /// A script that reaches every check.
    pub solution: String,
    /// The world in which the lesson begins.
    pub setup: Setup,
}

/// `setup.yaml`: the world in which a lesson begins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// The profile that is running at the beginning; none: there is no cluster yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Commands that were run before the lesson, e.g. `kubectl create ...`.
    #[serde(default)]
    pub run: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CourseYaml {
    title: Text,
    summary: Text,
    lessons: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    title: String,
    summary: String,
    minutes: u32,
}

impl Course {
    /// Reads a course.
    ///
    /// # Errors
    /// Every problem found, in the order of files and lines.
    pub fn parse(id: &str, files: &CourseFiles) -> Result<Course, Vec<Problem>> {
        let mut problems = Vec::new();
        let yaml: Option<CourseYaml> = read_yaml(files, "course.yaml", &mut problems);
        let Some(yaml) = yaml else { return Err(problems) };
        let lessons: Vec<Lesson> =
            yaml.lessons.iter().filter_map(|lesson| read_lesson(lesson, files, &mut problems)).collect();
        report_strays(&yaml.lessons, files, &mut problems);
        if problems.is_empty() {
            Ok(Course { id: id.to_owned(), title: yaml.title, summary: yaml.summary, lessons })
        } else {
            problems.sort();
            Err(problems)
        }
    }

    /// The lesson of that id.
    pub fn lesson(&self, id: &str) -> Option<&Lesson> {
        self.lessons.iter().find(|l| l.id == id)
    }
}

fn report_strays(lessons: &[String], files: &CourseFiles, problems: &mut Vec<Problem>) {
    let folders: BTreeSet<&str> = files.keys().filter_map(|path| path.split_once('/').map(|(f, _)| f)).collect();
    for folder in folders {
        if !lessons.iter().any(|l| l == folder) {
            let message = format!("the folder {folder:?} is not listed under `lessons`");
            problems.push(Problem { file: "course.yaml".into(), line: 0, message });
        }
    }
}

fn read_lesson(id: &str, files: &CourseFiles, problems: &mut Vec<Problem>) -> Option<Lesson> {
    let checks_file = format!("{id}/checks.yaml");
    let checks: Checks = read_yaml(files, &checks_file, problems)?;
    for check in &checks.checks {
        for message in check.problems() {
            problems.push(Problem {
                file: checks_file.clone(),
                line: line_of(files, &checks_file, &check.id),
                message,
            });
        }
    }
    let mut text = BTreeMap::new();
    let (mut title, mut summary, mut minutes) = (Text::default(), Text::default(), 0);
    for language in LANGUAGES {
        let file = format!("{id}/lesson.{language}.md");
        let Some(source) = files.get(&file) else {
            let message = format!("missing: every lesson speaks {}", LANGUAGES.join(" and "));
            problems.push(Problem { file, line: 0, message });
            continue;
        };
        let document = markdown::parse(&file, source, problems);
        let front: Option<FrontMatter> = parse_yaml(&file, &document.front_matter, 1, problems);
        if let Some(front) = front {
            let (t, s) =
                if language == "ja" { (&mut title.ja, &mut summary.ja) } else { (&mut title.en, &mut summary.en) };
            (*t, *s, minutes) = (front.title, front.summary, front.minutes);
        }
        compare_checks(&file, &document, &checks.checks, problems);
        text.insert(language.to_owned(), document);
    }
    compare_languages(id, &text, problems);
    let solution_file = format!("{id}/solution.sh");
    let solution = files.get(&solution_file).cloned();
    if solution.is_none() {
        problems.push(Problem { file: solution_file, line: 0, message: "missing: a lesson is played by it".into() });
    }
    let setup_file = format!("{id}/setup.yaml");
    let setup =
        if files.contains_key(&setup_file) { read_yaml(files, &setup_file, problems)? } else { Setup::default() };
    Some(Lesson {
        id: id.to_owned(),
        title,
        summary,
        minutes,
        text,
        checks,
        solution: solution.unwrap_or_default(),
        setup,
    })
}

/// Every check is shown exactly once, and only checks that exist are.
fn compare_checks(file: &str, document: &Document, checks: &[Check], problems: &mut Vec<Problem>) {
    let blocks = document.intro.iter().chain(document.steps.iter().flat_map(|s| &s.blocks));
    let shown: Vec<&String> = blocks
        .filter_map(|block| match block {
            Block::Checks { ids } => Some(ids),
            _ => None,
        })
        .flatten()
        .collect();
    let mut problem = |message: String| problems.push(Problem { file: file.to_owned(), line: 0, message });
    for id in &shown {
        if !checks.iter().any(|c| c.id == **id) {
            problem(format!("shows the check {id:?}, which is not in checks.yaml"));
        }
    }
    for check in checks {
        match shown.iter().filter(|id| ***id == check.id).count() {
            1 => {}
            0 => problem(format!("does not show the check {:?}", check.id)),
            _ => problem(format!("shows the check {:?} more than once", check.id)),
        }
    }
}

/// The languages have the same steps and the same commands.
fn compare_languages(id: &str, text: &BTreeMap<String, Document>, problems: &mut Vec<Problem>) {
    let outline = |document: &Document| -> Vec<(String, Vec<String>)> {
        let commands = |blocks: &[Block]| {
            let code = blocks.iter().filter_map(|b| match b {
                Block::Code(code) if code.exec => Some(format!("{}: {}", code.terminal, code.code)),
                _ => None,
            });
            code.collect::<Vec<_>>()
        };
        document.steps.iter().map(|s| (s.id.clone(), commands(&s.blocks))).collect()
    };
    let (Some(ja), Some(en)) = (text.get("ja"), text.get("en")) else { return };
    for (a, b) in outline(ja).iter().zip(outline(en).iter()) {
        if a != b {
            let message = format!("step {:?} differs from step {:?} of lesson.en.md: {:?} / {:?}", a.0, b.0, a.1, b.1);
            problems.push(Problem { file: format!("{id}/lesson.ja.md"), line: 0, message });
            return;
        }
    }
    if ja.steps.len() != en.steps.len() {
        let message = format!("has {} steps, lesson.en.md has {}", ja.steps.len(), en.steps.len());
        problems.push(Problem { file: format!("{id}/lesson.ja.md"), line: 0, message });
    }
}

fn line_of(files: &CourseFiles, file: &str, id: &str) -> usize {
    let wanted = format!("id: {id}");
    let lines = files.get(file).map(|t| t.lines()).into_iter().flatten();
    lines.enumerate().find(|(_, l)| l.trim_start_matches(['-', ' ']).trim() == wanted).map_or(0, |(i, _)| i + 1)
}

fn read_yaml<T: serde::de::DeserializeOwned>(
    files: &CourseFiles,
    file: &str,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    match files.get(file) {
        Some(source) => parse_yaml(file, source, 0, problems),
        None => {
            problems.push(Problem { file: file.to_owned(), line: 0, message: "missing".into() });
            None
        }
    }
}

/// Reads YAML that begins `offset` lines into `file`.
fn parse_yaml<T: serde::de::DeserializeOwned>(
    file: &str,
    source: &str,
    offset: usize,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let mut report = |line: usize, message: String| {
        problems.push(Problem { file: file.to_owned(), line: if line == 0 { 0 } else { line + offset }, message });
        None
    };
    match api::yaml::parse(source) {
        Err(error) => {
            let message = error.to_string();
            // go-yaml words carry the line: "yaml: line 3: ..."
            let line = message.split_once("line ").and_then(|(_, rest)| {
                rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok())
            });
            report(line.unwrap_or(0), message)
        }
        Ok(documents) => match documents.into_iter().next() {
            None => report(0, "is empty".into()),
            Some(value) => match serde_json::from_value(value) {
                Ok(value) => Some(value),
                Err(error) => report(0, error.to_string()),
            },
        },
    }
}
