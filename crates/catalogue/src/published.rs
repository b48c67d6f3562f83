//! Lessons as the page reads them: parsed, so that the page carries no markdown parser (docs/decisions/0016).

use std::collections::BTreeMap;
use std::path::Path;

use lesson::{Problem, PublishedLesson, Shelf};

use crate::{Catalogue, Parts};

/// What lies in the `tutorials/` of a built page.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// JSON by path: `catalogue.json`, a [`Shelf`]; `<course>/<lesson>.json`, a [`PublishedLesson`].
    pub files: BTreeMap<String, String>,
    /// Everything that is wrong, a line each. The page says it too: the catalogue's file what is left out of the
    /// catalogue, a lesson's file what is wrong with that.
    pub problems: Vec<String>,
}

/// The catalogue's file.
const CATALOGUE: &str = "catalogue.json";

/// Reads every course of the folder with `index.yaml`. One that is broken does not keep the others from being read.
///
/// # Errors
/// When the folder or its index cannot be read.
pub fn read(root: &Path) -> anyhow::Result<Published> {
    let catalogue = Catalogue::read(root)?;
    let mut published = Published::default();
    let mut shelf = Shelf { courses: Vec::new(), problems: said(&catalogue.problems) };
    for id in &catalogue.courses {
        match catalogue.parts(id) {
            Ok(parts) => published.add(id, parts, &mut shelf)?,
            Err(error) => shelf.problems.push(format!("{error:#}")),
        }
    }
    published.problems.splice(0..0, shelf.problems.iter().cloned());
    published.files.insert(CATALOGUE.to_owned(), json::to_string(&shelf)?);
    Ok(published)
}

impl Published {
    fn add(&mut self, course: &str, parts: Parts, shelf: &mut Shelf) -> json::Result<()> {
        shelf.problems.extend(said(&parts.problems));
        shelf.courses.extend(parts.outline);
        for (id, read) in parts.lessons {
            let read: PublishedLesson = read.map_err(|problems| said(&problems));
            self.problems.extend(read.as_ref().err().into_iter().flatten().cloned());
            self.files.insert(format!("{course}/{id}.json"), json::to_string(&read)?);
        }
        Ok(())
    }
}

fn said(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use lesson::Lesson;

    use super::*;

    fn basics() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tutorials")
    }

    fn lesson(published: &Published, name: &str) -> PublishedLesson {
        json::from_str(&published.files[name]).expect("a lesson")
    }

    #[test]
    fn what_is_published_is_what_was_written_without_the_scripts() {
        let published = read(&basics()).expect("the lessons of the product");
        assert_eq!(published.problems, [""; 0]);
        let shelf: Shelf = json::from_str(&published.files[CATALOGUE]).expect("a shelf");
        assert_eq!(shelf.courses[0].lessons.len() + 1, published.files.len());
        let course = Catalogue::read(&basics()).and_then(|c| c.course("kubernetes-basics")).expect("readable");
        for written in course.expect("in order").lessons {
            let read = lesson(&published, &format!("kubernetes-basics/{}.json", written.id)).expect("in order");
            assert_eq!(read, Lesson { solution: String::new(), alternative: None, ..written });
        }
    }

    #[test]
    fn what_is_wrong_is_said_where_it_is_met() {
        let root = std::env::temp_dir().join(format!("kubonsai-published-{}", std::process::id()));
        let write = |name: &str, text: &str| {
            let file = root.join(name);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("writable");
            std::fs::write(file, text).expect("writable");
        };
        write("index.yaml", "courses: [good, gone, bad]\n");
        for course in ["good", "bad"] {
            write(
                &format!("{course}/course.yaml"),
                "title: {ja: a, en: a}\nsummary: {ja: a, en: a}\nlessons: [one, two]\n",
            );
            for lesson in ["one", "two"] {
                for language in lesson::LANGUAGES {
                    let head = "---\ntitle: a\nsummary: a\nminutes: 5\n---\n\n## Step {#step}\n\ntext\n";
                    write(&format!("{course}/{lesson}/lesson.{language}.md"), head);
                }
                write(&format!("{course}/{lesson}/checks.yaml"), "checks: []\n");
                write(&format!("{course}/{lesson}/solution.sh"), "");
            }
        }
        write("good/two/lesson.ja.md", "---\ntitle: a\nsummary: a\nminutes: 5\n---\n\n## Other {#other}\n\ntext\n");
        write("bad/course.yaml", "title: 1\n");
        let published = read(&root).expect("an index");
        std::fs::remove_dir_all(&root).expect("its own folder");
        let shelf: Shelf = json::from_str(&published.files[CATALOGUE]).expect("a shelf");
        assert_eq!(shelf.courses.iter().map(|course| course.id.as_str()).collect::<Vec<_>>(), ["good"]);
        assert!(shelf.problems.iter().any(|problem| problem.contains("gone")), "{:?}", shelf.problems);
        assert!(shelf.problems.iter().any(|problem| problem.starts_with("bad/course.yaml")), "{:?}", shelf.problems);
        assert!(lesson(&published, "good/one.json").is_ok());
        let wrong = lesson(&published, "good/two.json").expect_err("its languages differ");
        assert!(wrong[0].starts_with("good/two/lesson."), "{wrong:?}");
        assert!(wrong.iter().chain(&shelf.problems).all(|problem| published.problems.contains(problem)));
    }
}
