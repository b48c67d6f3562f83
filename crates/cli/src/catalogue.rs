//! Lessons on disk: the folder with `index.yaml`, its glossary and its courses.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use lesson::{Course, CourseFiles, Glossary, Problem};

/// The file that says which courses there are.
const INDEX: &str = "index.yaml";
/// The file with the words that are explained.
const GLOSSARY: &str = "glossary.yaml";

/// A folder of courses.
pub(crate) struct Catalogue {
    /// The folder.
    pub(crate) root: PathBuf,
    /// The folders of its courses, in order.
    pub(crate) courses: Vec<String>,
    glossary: Glossary,
    /// What is wrong with the glossary.
    pub(crate) problems: Vec<Problem>,
}

/// What a path of an author means: a catalogue, and in it perhaps one course, one lesson.
pub(crate) struct Selection {
    /// The folder with `index.yaml`.
    pub(crate) root: PathBuf,
    /// Only this course.
    pub(crate) course: Option<String>,
    /// Only this lesson.
    pub(crate) lesson: Option<String>,
}

impl Selection {
    /// Goes up from `path` to the folder with `index.yaml`.
    pub(crate) fn find(path: &Path) -> anyhow::Result<Selection> {
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
    pub(crate) fn read(root: &Path) -> anyhow::Result<Catalogue> {
        let file = root.join(INDEX);
        let text = read(&file)?;
        let documents = api::yaml::parse(&text).map_err(|e| anyhow::anyhow!("{}: {e}", file.display()))?;
        let courses = documents.first().and_then(|v| v.get("courses"));
        let courses: Vec<String> = courses
            .and_then(|v| serde_json::from_value(v.clone()).ok())
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
    pub(crate) fn course(&self, id: &str) -> anyhow::Result<Result<Course, Vec<Problem>>> {
        let files = read_folder(&self.root.join(id))?;
        Ok(Course::parse(id, &files, &self.glossary).map_err(|mut problems| {
            problems.iter_mut().for_each(|p| p.file = format!("{id}/{}", p.file));
            problems
        }))
    }

    /// Everything that is wrong, in the glossary and in every course.
    pub(crate) fn all_problems(root: &Path) -> anyhow::Result<Vec<Problem>> {
        let catalogue = Catalogue::read(root)?;
        let mut problems = Vec::new();
        for id in &catalogue.courses {
            problems.extend(catalogue.course(id)?.err().unwrap_or_default());
        }
        problems.splice(0..0, catalogue.problems);
        Ok(problems)
    }
}

/// A text file.
pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}

fn read_folder(folder: &Path) -> anyhow::Result<CourseFiles> {
    let mut files = CourseFiles::new();
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
                if let Ok(text) = std::fs::read_to_string(&path) {
                    files.insert(name, text);
                }
            }
        }
    }
    Ok(files)
}
