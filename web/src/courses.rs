//! The courses of the site.

use lesson::{Course, CourseFiles, LANGUAGES};
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
}

/// Reads every course that tutorials/index.yaml lists. What is wrong with one does not keep the others from being
/// read: the second part names it, a text for each course.
pub async fn load() -> (Vec<Course>, Vec<String>) {
    let index: Index = match read("tutorials/index.yaml").await {
        Ok(index) => index,
        Err(problem) => return (Vec::new(), vec![problem]),
    };
    let (mut courses, mut problems) = (Vec::new(), Vec::new());
    for id in index.courses {
        match load_one(&id).await {
            Ok(course) => courses.push(course),
            Err(problem) => problems.push(problem),
        }
    }
    (courses, problems)
}

/// One course; the first file that is missing, or everything that is wrong in it, as text.
async fn load_one(id: &str) -> Result<Course, String> {
    let root = format!("tutorials/{id}");
    let outline: Outline = read(&format!("{root}/course.yaml")).await?;
    let mut names = vec!["course.yaml".to_owned()];
    for lesson in outline.lessons {
        names.extend(LANGUAGES.iter().map(|language| format!("{lesson}/lesson.{language}.md")));
        names.extend(["checks.yaml", "solution.sh", "setup.yaml"].map(|name| format!("{lesson}/{name}")));
    }
    let mut files = CourseFiles::new();
    let fetched = futures_util::future::join_all(names.iter().map(|name| {
        let path = format!("{root}/{name}");
        async move { site::fetch(&path).await }
    }));
    for (name, bytes) in names.iter().zip(fetched.await) {
        if let Some(bytes) = bytes? {
            files.insert(name.clone(), String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Course::parse(id, &files)
        .map_err(|problems| problems.iter().map(|p| format!("{id}/{p}")).collect::<Vec<_>>().join("\n"))
}

async fn read<T: serde::de::DeserializeOwned>(path: &str) -> Result<T, String> {
    let text = site::fetch_text(path).await?;
    let documents = api::yaml::parse(&text).map_err(|error| format!("{path}: {error}"))?;
    let value = documents.into_iter().next().unwrap_or_default();
    serde_json::from_value(value).map_err(|error| format!("{path}: {error}"))
}

/// A course as the catalogue shows it.
pub fn card(course: &Course) -> CourseCard {
    let lessons = course.lessons.iter().map(|lesson| LessonCard {
        id: lesson.id.clone(),
        title: lesson.title.clone(),
        summary: lesson.summary.clone(),
        minutes: lesson.minutes,
        checks: lesson.checks.checks.iter().map(|c| c.id.clone()).collect(),
    });
    CourseCard {
        id: course.id.clone(),
        title: course.title.clone(),
        summary: course.summary.clone(),
        lessons: lessons.collect(),
    }
}
