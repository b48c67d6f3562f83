//! The courses of the site, as the build of the page has written them (`catalogue::published`).

use lesson::{CourseOutline, Lesson, PublishedLesson, Shelf};
use serde::de::DeserializeOwned;

use crate::site;

/// What the catalogue shows. What is wrong with one course does not keep the others from being there: `problems` names
/// it.
pub async fn load() -> Shelf {
    match read("tutorials/catalogue.json").await {
        Ok(shelf) => shelf,
        Err(problem) => Shelf { courses: Vec::new(), problems: vec![problem] },
    }
}

/// Whether there is such a lesson.
pub fn has(courses: &[CourseOutline], course: &str, lesson: &str) -> bool {
    let course = courses.iter().find(|one| one.id == course);
    course.is_some_and(|course| course.lessons.iter().any(|one| one.id == lesson))
}

/// A lesson of the site.
///
/// # Errors
/// Everything that is wrong in it, or why it cannot be had, as text.
pub async fn lesson(course: &str, lesson: &str) -> Result<Lesson, String> {
    let read: PublishedLesson = read(&format!("tutorials/{course}/{lesson}.json")).await?;
    read.map_err(|problems| problems.join("\n"))
}

async fn read<T: DeserializeOwned>(path: &str) -> Result<T, String> {
    json::from_str(&site::fetch_text(path).await?).map_err(|error| format!("{path}: {error}"))
}
