//! The lessons that are shipped, as the worker reads them.

use lesson::{Course, CourseFiles, Lesson};

macro_rules! course_files {
    ($($name:literal),* $(,)?) => {
        CourseFiles::from([$((
            $name.to_owned(),
            include_str!(concat!("../../../tutorials/kubernetes-basics/", $name)).to_owned(),
        )),*])
    };
}

/// A lesson of the basics course.
pub(crate) fn lesson(id: &str) -> Lesson {
    changed(id, &[])
}

/// A lesson of the basics course, some of whose files have another text.
pub(crate) fn changed(id: &str, texts: &[(&str, &str)]) -> Lesson {
    let mut files = course_files![
        "create-cluster/lesson.ja.md",
        "create-cluster/lesson.en.md",
        "create-cluster/checks.yaml",
        "create-cluster/solution.sh",
        "create-cluster/setup.yaml",
        "deploy-app/lesson.ja.md",
        "deploy-app/lesson.en.md",
        "deploy-app/checks.yaml",
        "deploy-app/solution.sh",
        "deploy-app/setup.yaml",
    ];
    // These two lessons alone, whatever else the course has.
    let course =
        "title: {ja: 基本, en: Basics}\nsummary: {ja: 基本, en: Basics}\nlessons: [create-cluster, deploy-app]\n";
    files.insert("course.yaml".to_owned(), course.to_owned());
    for (name, text) in texts {
        files.insert(format!("{id}/{name}"), (*text).to_owned());
    }
    let course = Course::parse("basics", &files, &lesson::Glossary::default()).expect("the basics are in order");
    course.lesson(id).expect("the lesson is there").clone()
}
