//! The courses of the site.

use std::rc::Rc;

use lesson::{Course, CourseFiles, CourseOutline, Glossary, LANGUAGES, Lesson, Problem};
use serde::Deserialize;

use crate::protocol::{CourseCard, LessonCard};
use crate::site;

#[derive(Deserialize)]
struct Index {
    courses: Vec<String>,
}

#[derive(Deserialize)]
struct Outline {
    lessons: Vec<String>,
    #[serde(default)]
    pages: Vec<String>,
}

/// The parts of setup.yaml that name further files.
#[derive(Default, Deserialize)]
struct SetupOutline {
    #[serde(default)]
    files: Vec<String>,
}

/// A course of the site: what the catalogue shows, and the files from which a lesson is read when it is opened.
#[derive(Clone)]
pub struct Shelf {
    outline: Rc<CourseOutline>,
    files: Rc<CourseFiles>,
    glossary: Rc<Glossary>,
}

impl Shelf {
    /// Whether this is the course of that name.
    pub fn is(&self, id: &str) -> bool {
        self.outline.id == id
    }

    /// Whether it has a lesson of that name.
    pub fn has(&self, lesson: &str) -> bool {
        self.outline.lessons.iter().any(|one| one.id == lesson)
    }

    /// A lesson; none if the course has none of that name.
    ///
    /// # Errors
    /// Everything that is wrong in it, as text.
    pub fn lesson(&self, id: &str) -> Option<Result<Lesson, String>> {
        self.has(id).then(|| {
            Lesson::parse(id, &self.files, &self.glossary).map_err(|problems| told(&self.outline.id, &problems))
        })
    }

    /// The course as the catalogue shows it.
    pub fn card(&self) -> CourseCard {
        let course = &self.outline;
        let lessons = course.lessons.iter().map(|lesson| LessonCard {
            id: lesson.id.clone(),
            title: lesson.title.clone(),
            summary: lesson.summary.clone(),
            minutes: lesson.minutes,
            checks: lesson.checks.clone(),
        });
        CourseCard {
            id: course.id.clone(),
            title: course.title.clone(),
            summary: course.summary.clone(),
            lessons: lessons.collect(),
            pages: course.pages.clone(),
        }
    }
}

/// Reads every course that tutorials/index.yaml lists. What is wrong with one does not keep the others from being
/// read: the second part names it, a text for each course.
pub async fn load() -> (Vec<Shelf>, Vec<String>) {
    let index: Index = match read("tutorials/index.yaml").await {
        Ok(index) => index,
        Err(problem) => return (Vec::new(), vec![problem]),
    };
    let (mut courses, mut problems) = (Vec::new(), Vec::new());
    let glossary = match load_glossary().await {
        Ok(glossary) => glossary,
        Err(problem) => {
            problems.push(problem);
            Glossary::default()
        }
    };
    let glossary = Rc::new(glossary);
    for id in index.courses {
        match load_one(&id, &glossary).await {
            Ok(course) => courses.push(course),
            Err(problem) => problems.push(problem),
        }
    }
    (courses, problems)
}

/// The words that are explained in every course; a site may have none.
async fn load_glossary() -> Result<Glossary, String> {
    match site::fetch("tutorials/glossary.yaml").await? {
        None => Ok(Glossary::default()),
        Some(bytes) => Glossary::parse(&String::from_utf8_lossy(&bytes))
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
    }
}

/// One course; the first file that is missing, or everything that is wrong in it, as text.
async fn load_one(id: &str, glossary: &Rc<Glossary>) -> Result<Shelf, String> {
    let root = format!("tutorials/{id}");
    let outline: Outline = read(&format!("{root}/course.yaml")).await?;
    let mut names = vec!["course.yaml".to_owned()];
    for page in &outline.pages {
        names.extend(LANGUAGES.iter().map(|language| format!("{page}.{language}.md")));
    }
    for lesson in outline.lessons {
        names.extend(LANGUAGES.iter().map(|language| format!("{lesson}/lesson.{language}.md")));
        names.extend(["checks.yaml", "solution.sh", "setup.yaml"].map(|name| format!("{lesson}/{name}")));
    }
    let mut files = CourseFiles::new();
    fetch_all(&root, &names, &mut files).await?;
    // Static hosting lists no folders: set-ups say which files belong to them.
    let mut more = Vec::new();
    for (name, text) in &files {
        let Some(lesson) = name.strip_suffix("/setup.yaml") else { continue };
        // What is wrong with it is said when the course is parsed.
        let setup: SetupOutline = parse(text).unwrap_or_default();
        more.extend(setup.files.iter().map(|file| format!("{lesson}/files/{file}")));
    }
    fetch_all(&root, &more, &mut files).await?;
    let outline = Course::outline(id, &files, glossary).map_err(|problems| told(id, &problems))?;
    Ok(Shelf { outline: Rc::new(outline), files: Rc::new(files), glossary: Rc::clone(glossary) })
}

/// What is wrong in a course, a line each.
fn told(course: &str, problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{course}/{problem}")).collect::<Vec<_>>().join("\n")
}

/// Files of a course, all at once; those that are missing are left out.
async fn fetch_all(root: &str, names: &[String], files: &mut CourseFiles) -> Result<(), String> {
    let fetched = futures_util::future::join_all(names.iter().map(|name| {
        let path = format!("{root}/{name}");
        async move { site::fetch(&path).await }
    }));
    for (name, bytes) in names.iter().zip(fetched.await) {
        if let Some(bytes) = bytes? {
            files.insert(name.clone(), String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Ok(())
}

async fn read<T: serde::de::DeserializeOwned>(path: &str) -> Result<T, String> {
    parse(&site::fetch_text(path).await?).map_err(|error| format!("{path}: {error}"))
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    let documents = api::yaml::parse(text).map_err(|error| error.to_string())?;
    serde_json::from_value(documents.into_iter().next().unwrap_or_default()).map_err(|error| error.to_string())
}
