//! Lessons on disk: the folder with `index.yaml`, its glossary and its courses; and the same as the page reads them.
//!
//! For what runs on a machine with files: the command `kubonsai`, and the build of the page.

#![allow(clippy::disallowed_methods, reason = "outside the core: lessons are read from files")]

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use lesson::{Course, CourseFiles, CourseOutline, Glossary, Lesson, LessonOutline, Problem};

pub mod published;

/// What some editors put before the first letter of a file.
const BYTE_ORDER_MARK: char = '\u{feff}';
/// Files that are read as text, by how their names end.
const TEXT_ENDINGS: [&str; 4] = ["md", "yaml", "yml", "sh"];

/// The file that says which courses there are.
const INDEX: &str = "index.yaml";
/// The file with the words that are explained.
const GLOSSARY: &str = "glossary.yaml";

/// A folder of courses.
pub struct Catalogue {
    /// The folder.
    pub root: PathBuf,
    /// The folders of its courses, in order.
    pub courses: Vec<String>,
    glossary: Glossary,
    /// What is wrong with the glossary.
    pub problems: Vec<Problem>,
}

/// What could be read of a course.
struct Parts {
    /// None when what the catalogue shows of it cannot be read.
    outline: Option<CourseOutline>,
    /// The lessons, or what is wrong with them.
    lessons: Vec<(String, Result<Lesson, Vec<Problem>>)>,
    /// Everything else that is wrong.
    problems: Vec<Problem>,
}

/// What a path of an author means: a catalogue, and in it perhaps one course, one lesson.
pub struct Selection {
    /// The folder with `index.yaml`.
    pub root: PathBuf,
    /// Only this course.
    pub course: Option<String>,
    /// Only this lesson.
    pub lesson: Option<String>,
}

impl Selection {
    /// Goes up from `path` to the folder with `index.yaml`.
    ///
    /// # Errors
    /// When there is no such path, or no `index.yaml` above it.
    pub fn find(path: &Path) -> anyhow::Result<Selection> {
        let full = path.canonicalize().with_context(|| path.display().to_string())?;
        for root in full.ancestors().take(3) {
            if root.join(INDEX).is_file() {
                let below = full.strip_prefix(root).unwrap_or(Path::new(""));
                let mut names = below.components().map(|c| c.as_os_str().to_string_lossy().into_owned());
                return Ok(Selection { root: root.to_owned(), course: names.next(), lesson: names.next() });
            }
        }
        anyhow::bail!("{}: neither it nor a folder above it has an {INDEX}", path.display())
    }
}

impl Catalogue {
    /// Reads what is common to all courses.
    ///
    /// # Errors
    /// When the index or the glossary cannot be read.
    pub fn read(root: &Path) -> anyhow::Result<Catalogue> {
        let file = root.join(INDEX);
        let text = read(&file)?;
        let documents = api::yaml::parse(&text).map_err(|e| anyhow::anyhow!("{}: {e}", file.display()))?;
        let courses = documents.first().and_then(|v| v.get("courses"));
        let courses: Vec<String> = courses
            .and_then(|v| json::from_value(v.clone()).ok())
            .with_context(|| format!("{}: a list `courses` is due", file.display()))?;
        let file = root.join(GLOSSARY);
        let (mut glossary, mut problems) = (Glossary::default(), Vec::new());
        if file.is_file() {
            match Glossary::parse(&read(&file)?) {
                Ok(read) => glossary = read,
                Err(wrong) => problems = wrong,
            }
        }
        Ok(Catalogue { root: root.to_owned(), courses, glossary, problems })
    }

    /// Reads a course; the error is everything that is wrong in it, with paths from the catalogue's folder.
    ///
    /// # Errors
    /// When its folder cannot be read.
    pub fn course(&self, id: &str) -> anyhow::Result<Result<Course, Vec<Problem>>> {
        Ok(self.parse(id, &read_folder(&self.root.join(id))?))
    }

    fn parse(&self, id: &str, folder: &Folder) -> Result<Course, Vec<Problem>> {
        let parsed = Course::parse(id, &folder.files, &self.glossary);
        let (course, mut problems) = match parsed {
            Ok(course) => (Some(course), Vec::new()),
            Err(problems) => (None, problems),
        };
        for (file, line) in &folder.not_utf8 {
            // It is there, so it is not missing.
            let before = problems.len();
            problems.retain(|problem| problem.file != *file);
            let ending = Path::new(file).extension().unwrap_or_default().to_string_lossy().into_owned();
            if problems.len() < before || TEXT_ENDINGS.contains(&ending.as_str()) {
                problems.push(Problem { file: file.clone(), line: *line, message: NOT_UTF8.to_owned() });
            }
        }
        problems.iter_mut().for_each(|p| p.file = format!("{id}/{}", p.file));
        problems.sort();
        match course {
            Some(course) if problems.is_empty() => Ok(course),
            _ => Err(problems),
        }
    }

    /// Reads as much of a course as can be read.
    ///
    /// # Errors
    /// When its folder cannot be read.
    fn parts(&self, id: &str) -> anyhow::Result<Parts> {
        let folder = read_folder(&self.root.join(id))?;
        let mut problems = self.parse(id, &folder).err().unwrap_or_default();
        let Ok(outline) = Course::outline(id, &folder.files, &self.glossary) else {
            return Ok(Parts { outline: None, lessons: Vec::new(), problems });
        };
        let mut lessons = Vec::new();
        for LessonOutline { id: lesson, .. } in &outline.lessons {
            let of_lesson = format!("{id}/{lesson}/");
            let (wrong, others) = problems.into_iter().partition(|problem| problem.file.starts_with(&of_lesson));
            problems = others;
            let read = Lesson::parse(lesson, &folder.files, &self.glossary);
            lessons.push((lesson.clone(), read.map_err(|_| wrong)));
        }
        Ok(Parts { outline: Some(outline), lessons, problems })
    }

    /// Everything that is wrong, in the glossary and in every course.
    ///
    /// # Errors
    /// When the folder, its index or a course cannot be read.
    pub fn all_problems(root: &Path) -> anyhow::Result<Vec<Problem>> {
        let catalogue = Catalogue::read(root)?;
        let mut problems = Vec::new();
        for id in &catalogue.courses {
            problems.extend(catalogue.course(id)?.err().unwrap_or_default());
        }
        problems.splice(0..0, catalogue.problems);
        Ok(problems)
    }
}

/// What is said of a file of text that is in another encoding.
const NOT_UTF8: &str = "is not UTF-8: save it with that encoding";

/// A text file, without the mark that some editors put before it.
///
/// # Errors
/// When it cannot be read, or is no text in UTF-8.
pub fn read(path: &Path) -> anyhow::Result<String> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    match text(bytes) {
        Ok(text) => Ok(text.strip_prefix(BYTE_ORDER_MARK).map(str::to_owned).unwrap_or(text)),
        Err(line) => anyhow::bail!("{}:{line}: {NOT_UTF8}", path.display()),
    }
}

/// The text of a file; the error is the line from which on it is none.
fn text(bytes: Vec<u8>) -> Result<String, usize> {
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        good.iter().filter(|byte| **byte == b'\n').count() + 1
    })
}

/// What lies in the folder of a course.
#[derive(Default)]
struct Folder {
    files: CourseFiles,
    /// Files that are no text in UTF-8, with the line from which on they are not.
    not_utf8: Vec<(String, usize)>,
}

fn read_folder(folder: &Path) -> anyhow::Result<Folder> {
    let mut read = Folder::default();
    let mut pending = vec![folder.to_owned()];
    while let Some(current) = pending.pop() {
        for entry in std::fs::read_dir(&current).with_context(|| current.display().to_string())? {
            let path = entry?.path();
            // What an editor leaves behind is not part of a lesson.
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            if hidden {
                continue;
            }
            if path.is_dir() {
                pending.push(path);
            } else if let Ok(relative) = path.strip_prefix(folder) {
                let name = relative.to_string_lossy().replace('\\', "/");
                // Only text belongs into a lesson; anything else is served as it is.
                match text(std::fs::read(&path).with_context(|| path.display().to_string())?) {
                    Ok(text) => drop(read.files.insert(name, text)),
                    Err(line) => read.not_utf8.push((name, line)),
                }
            }
        }
    }
    Ok(read)
}
