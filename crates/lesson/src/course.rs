//! A course: its folder of files, read and checked as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::compare;
use crate::document::Document;
use crate::glossary::Glossary;
use crate::places::Places;
use crate::yaml::{Lines, Part, Written};
use crate::{Checks, LANGUAGES, Text, Wire, markdown, yaml};

/// Nodes that a cluster can have; [`Setup::nodes`] may not ask for more.
pub const NODES_MAX: u32 = 200;

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
    /// What comes behind the lessons: text without a world.
    pub pages: Vec<Page>,
}

/// A page of text beside the lessons, e.g. the road on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Name of its files: `<id>.ja.md`, `<id>.en.md`.
    pub id: String,
    /// Title.
    pub title: Text,
    /// One or two sentences.
    pub summary: Text,
    /// Text by language. Its steps are sections of one page.
    pub text: BTreeMap<String, Document>,
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
    /// A script that reaches every check. It is played where lessons are checked and never published.
    #[serde(default, skip_serializing)]
    pub solution: String,
    /// Another way, which reaches every check too.
    #[serde(default, skip_serializing)]
    pub alternative: Option<String>,
    /// Files of `files/` that `setup.yaml` puts on the learner's machine: path from home, text.
    pub files: BTreeMap<String, String>,
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
    /// Nodes of that cluster; left out: as many as the profile has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nodes: Option<u32>,
    /// How the network is; left out: as it should be.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub network: Wire,
    /// Files below the lesson's `files/` that lie in the learner's home, by their path there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Commands that were run before the lesson, e.g. `kubectl create ...`.
    #[serde(default)]
    pub run: Vec<String>,
}

/// Whether nothing is said of the network.
fn is_usual(wire: &Wire) -> bool {
    *wire == Wire::default()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CourseYaml {
    title: Text,
    summary: Text,
    lessons: Vec<String>,
    #[serde(default)]
    pages: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    title: String,
    summary: String,
    minutes: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageFrontMatter {
    title: String,
    summary: String,
}

impl Written for CourseYaml {
    const PARTS: &'static [Part] = &[Part::of::<Text>("title"), Part::of::<Text>("summary")];
}

impl Written for Setup {}
impl Written for FrontMatter {}
impl Written for PageFrontMatter {}

/// The YAML at the head of a text.
trait Front: Written {
    /// Its fields, as they are asked for where it is missing.
    const FIELDS: &'static str;
}

impl Front for FrontMatter {
    const FIELDS: &'static str = "title, summary and minutes";
}

impl Front for PageFrontMatter {
    const FIELDS: &'static str = "title and summary";
}

/// A text in one language as it was read.
struct Read<F> {
    document: Document,
    places: Places,
    front: Option<F>,
}

/// A course as a catalogue shows it: its lessons are not read whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseOutline {
    /// Name of the folder.
    pub id: String,
    /// Title.
    pub title: Text,
    /// One or two sentences.
    pub summary: Text,
    /// The lessons in order.
    pub lessons: Vec<LessonOutline>,
    /// What comes behind the lessons.
    pub pages: Vec<Page>,
}

/// The courses of a site as its page reads them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    /// The courses in order.
    pub courses: Vec<CourseOutline>,
    /// What is wrong with what is left out, a text each.
    pub problems: Vec<String>,
}

/// A lesson of a site as its page reads it; if it is broken, everything that is wrong, a text each.
pub type PublishedLesson = Result<Lesson, Vec<String>>;

/// A lesson as a catalogue shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LessonOutline {
    /// Name of the folder.
    pub id: String,
    /// Title.
    pub title: Text,
    /// One or two sentences.
    pub summary: Text,
    /// About how long it takes, in minutes.
    pub minutes: u32,
    /// Names of the checks.
    pub checks: Vec<String>,
}

/// What is read from, and where problems go.
struct Source<'a> {
    files: &'a CourseFiles,
    glossary: &'a Glossary,
    problems: &'a mut Vec<Problem>,
}

impl Course {
    /// Reads a course, with the glossary of its catalogue.
    ///
    /// # Errors
    /// Every problem found, in the order of files and lines.
    pub fn parse(id: &str, files: &CourseFiles, glossary: &Glossary) -> Result<Course, Vec<Problem>> {
        let mut problems = Vec::new();
        let yaml: Option<CourseYaml> = yaml::read(files, "course.yaml", &mut problems);
        let Some(yaml) = yaml else { return Err(problems) };
        let mut source = Source { files, glossary, problems: &mut problems };
        let lessons: Vec<Lesson> = yaml.lessons.iter().filter_map(|lesson| source.lesson(lesson)).collect();
        let pages = yaml.pages.iter().map(|page| source.page(page)).collect();
        source.report_strays(&yaml);
        in_order(problems, Course { id: id.to_owned(), title: yaml.title, summary: yaml.summary, lessons, pages })
    }

    /// Reads what a catalogue shows of a course, which takes a fraction of the time of [`Course::parse`]: the texts of
    /// lessons are left for [`Lesson::parse`].
    ///
    /// # Errors
    /// Every problem found, in the order of files and lines.
    pub fn outline(id: &str, files: &CourseFiles, glossary: &Glossary) -> Result<CourseOutline, Vec<Problem>> {
        let mut problems = Vec::new();
        let yaml: Option<CourseYaml> = yaml::read(files, "course.yaml", &mut problems);
        let Some(yaml) = yaml else { return Err(problems) };
        let mut source = Source { files, glossary, problems: &mut problems };
        let lessons = yaml.lessons.iter().filter_map(|lesson| source.outline(lesson)).collect();
        let pages = yaml.pages.iter().map(|page| source.page(page)).collect();
        source.report_strays(&yaml);
        in_order(
            problems,
            CourseOutline { id: id.to_owned(), title: yaml.title, summary: yaml.summary, lessons, pages },
        )
    }

    /// The lesson of that id.
    pub fn lesson(&self, id: &str) -> Option<&Lesson> {
        self.lessons.iter().find(|l| l.id == id)
    }
}

impl Lesson {
    /// Reads one lesson of a course.
    ///
    /// # Errors
    /// Every problem found in it, in the order of files and lines.
    pub fn parse(id: &str, files: &CourseFiles, glossary: &Glossary) -> Result<Lesson, Vec<Problem>> {
        let mut problems = Vec::new();
        match (Source { files, glossary, problems: &mut problems }).lesson(id) {
            Some(lesson) => in_order(problems, lesson),
            None => Err(problems),
        }
    }
}

/// What was read, unless something is wrong.
fn in_order<T>(mut problems: Vec<Problem>, read: T) -> Result<T, Vec<Problem>> {
    problems.sort();
    if problems.is_empty() { Ok(read) } else { Err(problems) }
}

impl<'a> Source<'a> {
    fn problem(&mut self, file: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem { file: file.into(), line: 0, message: message.into() });
    }

    fn report_strays(&mut self, yaml: &CourseYaml) {
        let names: BTreeSet<&str> = self.files.keys().map(|path| path.split('/').next().unwrap_or(path)).collect();
        for name in names {
            let is_folder = self.files.keys().any(|path| path.strip_prefix(name).is_some_and(|p| p.starts_with('/')));
            if is_folder && !yaml.lessons.iter().any(|l| l == name) {
                self.problem("course.yaml", format!("the folder {name:?} is not listed under `lessons`"));
            }
            let page = name.strip_suffix(".md").and_then(|name| name.rsplit_once('.'));
            if let Some((page, _)) = page
                && !yaml.pages.iter().any(|p| p == page)
            {
                self.problem("course.yaml", format!("the page {page:?} is not listed under `pages`"));
            }
        }
    }

    /// The text of a file in a language that it must be in.
    fn text(&mut self, file: &str) -> Option<&'a str> {
        let source = self.files.get(file);
        if source.is_none() {
            self.problem(file, format!("missing: every lesson speaks {}", LANGUAGES.join(" and ")));
        }
        source.map(|source| yaml::without_mark(source))
    }

    /// The YAML at the head of a text.
    fn front<F: Front>(&mut self, file: &str, source: &str) -> Option<F> {
        let front = markdown::front_matter(source);
        if front.trim().is_empty() {
            let message = format!("the head is missing: a line ---, then {}, then a line ---", F::FIELDS);
            self.problems.push(Problem { file: file.to_owned(), line: 1, message });
            return None;
        }
        yaml::parse(file, front, 1, self.problems)
    }

    /// A script, without the mark that some editors put before it.
    fn script(&self, file: &str) -> Option<String> {
        self.files.get(file).map(|script| yaml::without_mark(script).to_owned())
    }

    /// The text of `stem` in every language, and the YAML at its head.
    fn texts<F: Front>(&mut self, stem: &str) -> BTreeMap<String, Read<F>> {
        let mut texts = BTreeMap::new();
        for language in LANGUAGES {
            let file = format!("{stem}.{language}.md");
            let Some(source) = self.text(&file) else { continue };
            let (mut document, places) = markdown::parse(&file, source, self.problems);
            self.glossary.mark(&file, language, (&mut document, &places), self.problems);
            let front = self.front(&file, source);
            texts.insert(language.to_owned(), Read { document, places, front });
        }
        texts
    }

    fn page(&mut self, id: &str) -> Page {
        let (mut title, mut summary) = (Text::default(), Text::default());
        let (mut text, mut places) = (BTreeMap::new(), BTreeMap::new());
        for (language, read) in self.texts::<PageFrontMatter>(id) {
            if let Some(front) = read.front {
                title.set(&language, front.title);
                summary.set(&language, front.summary);
            }
            if let Some((_, line)) = read.places.shown.first() {
                let message = "a page has no world, so it cannot show checks".to_owned();
                self.problems.push(Problem { file: format!("{id}.{language}.md"), line: *line, message });
            }
            places.insert(language.clone(), read.places);
            text.insert(language, read.document);
        }
        compare::languages(id, &text, &places, self.problems);
        Page { id: id.to_owned(), title, summary, text }
    }

    /// The head of a lesson's texts and the names of its checks.
    fn outline(&mut self, id: &str) -> Option<LessonOutline> {
        let checks: Checks = yaml::read(self.files, &format!("{id}/checks.yaml"), self.problems)?;
        let checks = checks.checks.into_iter().map(|check| check.id).collect();
        let (mut title, mut summary, mut minutes) = (Text::default(), Text::default(), 0);
        for language in LANGUAGES {
            let file = format!("{id}/lesson.{language}.md");
            let Some(source) = self.text(&file) else { continue };
            let front: Option<FrontMatter> = self.front(&file, source);
            if let Some(front) = front {
                title.set(language, front.title);
                summary.set(language, front.summary);
                minutes = front.minutes;
            }
        }
        Some(LessonOutline { id: id.to_owned(), title, summary, minutes, checks })
    }

    fn lesson(&mut self, id: &str) -> Option<Lesson> {
        let checks_file = format!("{id}/checks.yaml");
        let checks: Checks = yaml::read(self.files, &checks_file, self.problems)?;
        self.report_checks(&checks_file, &checks);
        let (mut title, mut summary, mut minutes) = (Text::default(), Text::default(), None);
        let (mut text, mut places) = (BTreeMap::new(), BTreeMap::new());
        let stem = format!("{id}/lesson");
        for (language, read) in self.texts::<FrontMatter>(&stem) {
            let file = format!("{stem}.{language}.md");
            if let Some(front) = read.front {
                title.set(&language, front.title);
                summary.set(&language, front.summary);
                if let Some(other) = minutes.replace(front.minutes).filter(|other| *other != front.minutes) {
                    let line = Lines::of(&read.document.front_matter).at("minutes") + 1;
                    let message = format!("minutes: {} here, {other} in the other language", front.minutes);
                    self.problems.push(Problem { file: file.clone(), line, message });
                }
            }
            compare::checks(&file, &read.places, &checks.checks, self.problems);
            places.insert(language.clone(), read.places);
            text.insert(language, read.document);
        }
        compare::languages(&stem, &text, &places, self.problems);
        let solution_file = format!("{id}/solution.sh");
        let solution = self.script(&solution_file);
        if solution.is_none() {
            self.problem(solution_file, "missing: a lesson is played by it");
        }
        let setup_file = format!("{id}/setup.yaml");
        let setup: Setup = match self.files.contains_key(&setup_file) {
            true => yaml::read(self.files, &setup_file, self.problems)?,
            false => Setup::default(),
        };
        self.report_nodes(&setup_file, &setup);
        let files = self.learners_files(id, &setup);
        Some(Lesson {
            id: id.to_owned(),
            title,
            summary,
            minutes: minutes.unwrap_or_default(),
            text,
            checks,
            solution: solution.unwrap_or_default(),
            alternative: self.script(&format!("{id}/alternative.sh")),
            files,
            setup,
        })
    }

    fn learners_files(&mut self, id: &str, setup: &Setup) -> BTreeMap<String, String> {
        let setup_file = format!("{id}/setup.yaml");
        let folder = format!("{id}/files/");
        let mut found = BTreeMap::new();
        for (index, path) in setup.files.iter().enumerate() {
            if path.starts_with('/') || path.split('/').any(|part| part.is_empty() || part == "..") {
                let message = format!("files: {path:?} is no path below the learner's home");
                self.report(&setup_file, vec![(format!("files[{index}]"), message)]);
                continue;
            }
            match self.files.get(&format!("{folder}{path}")) {
                Some(text) => drop(found.insert(path.clone(), text.clone())),
                None => self.problem(format!("{folder}{path}"), "missing: setup.yaml lists it under `files`"),
            }
        }
        let strays: Vec<&str> = self.files.keys().filter_map(|path| path.strip_prefix(&folder)).collect();
        for path in strays {
            if !setup.files.iter().any(|listed| listed == path) {
                self.problem(&setup_file, format!("files/{path} is not listed under `files`"));
            }
        }
        found
    }

    fn report_checks(&mut self, file: &str, checks: &Checks) {
        let mut found = Vec::new();
        for (index, check) in checks.checks.iter().enumerate() {
            let path = format!("checks[{index}]");
            if checks.checks[..index].iter().any(|before| before.id == check.id) {
                found
                    .push((format!("{path}.id"), format!("there is a check {:?} before: ids are different", check.id)));
            }
            found.extend(check.located_problems(&path));
        }
        self.report(file, found);
    }

    fn report_nodes(&mut self, file: &str, setup: &Setup) {
        let Some(nodes) = setup.nodes else { return };
        if !(1..=NODES_MAX).contains(&nodes) {
            let message = format!("nodes: {nodes}: a number from 1 to {NODES_MAX} is due");
            self.report(file, vec![("nodes".to_owned(), message)]);
        } else if setup.profile.is_none() {
            let message = "nodes: without a `profile` there is no cluster that has them".to_owned();
            self.report(file, vec![("nodes".to_owned(), message)]);
        }
    }

    /// What is wrong in a YAML file, by the paths of values.
    fn report(&mut self, file: &str, found: Vec<(String, String)>) {
        let source = self.files.get(file).map_or("", String::as_str);
        self.problems.extend(yaml::located(file, source, found));
    }
}
