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

/// Reads every course that tutorials/index.yaml lists.
///
/// # Errors
/// The first file that is missing, or everything that is wrong in a course, as text.
pub async fn load() -> Result<Vec<Course>, String> {
    let index: Index = read("tutorials/index.yaml").await?;
    let mut courses = Vec::new();
    for id in index.courses {
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
        let course = Course::parse(&id, &files)
            .map_err(|problems| problems.iter().map(|p| format!("{id}/{p}")).collect::<Vec<_>>().join("\n"))?;
        courses.push(course);
    }
    Ok(courses)
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
