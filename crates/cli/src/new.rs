//! `kubonsai new`: a lesson to begin with. The draft is whole: `kubonsai check` accepts it, and every change to it is seen.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use catalogue::read;

/// The files of a new lesson.
const DRAFT: [(&str, &str); 6] = [
    ("lesson.ja.md", include_str!("draft/lesson.ja.md")),
    ("lesson.en.md", include_str!("draft/lesson.en.md")),
    ("checks.yaml", include_str!("draft/checks.yaml")),
    ("setup.yaml", include_str!("draft/setup.yaml")),
    ("solution.sh", include_str!("draft/solution.sh")),
    ("alternative.sh", include_str!("draft/alternative.sh")),
];

/// The schemas by which editors check the YAML files.
const SCHEMAS: [(&str, &str); 5] = [
    ("checks.schema.json", include_str!("../../../docs/schema/checks.schema.json")),
    ("course.schema.json", include_str!("../../../docs/schema/course.schema.json")),
    ("glossary.schema.json", include_str!("../../../docs/schema/glossary.schema.json")),
    ("index.schema.json", include_str!("../../../docs/schema/index.schema.json")),
    ("setup.schema.json", include_str!("../../../docs/schema/setup.schema.json")),
];
/// Their folder beside index.yaml, which the drafts name.
const SCHEMA_FOLDER: &str = "schema";
/// Where they are in a copy of the project, whose lessons need no other.
const PROJECT_SCHEMAS: &str = "../docs/schema";

/// What a new course says of itself.
const COURSE: &str = "\
# yaml-language-server: $schema=../schema/course.schema.json
title: {ja: 新しいコース, en: A new course}
summary: {ja: どんな人が、何をできるようになるコースかを書きます。, en: Say who learns what in this course.}
lessons: []
";

#[derive(Args)]
pub(crate) struct Options {
    /// Course and lesson, e.g. `kubernetes-basics/my-lesson`: the names of their folders.
    #[arg(value_name = "COURSE/LESSON")]
    lesson: String,
    /// The folder with index.yaml; it is made if it is missing.
    #[arg(long = "in", default_value = "tutorials")]
    root: PathBuf,
}

/// Writes the draft; the value is the exit code.
pub(crate) fn run(options: &Options) -> anyhow::Result<u8> {
    let (course, lesson) = options.lesson.split_once('/').context("two names are due: COURSE/LESSON")?;
    for name in [course, lesson] {
        anyhow::ensure!(is_name(name), "{name:?}: small letters, digits and dashes make a name");
    }
    anyhow::ensure!(course != SCHEMA_FOLDER, "{course:?}: that folder is for the schemas; take another name");
    let root = &options.root;
    let folder = root.join(course).join(lesson);
    anyhow::ensure!(!folder.exists(), "{} is there already", folder.display());
    let schemas = schemas(root)?;
    // The first mention is the folder in the line for editors.
    let drafted = |text: &str| text.replacen(&format!("{SCHEMA_FOLDER}/"), &format!("{schemas}/"), 1);
    let index = root.join("index.yaml");
    if !index.exists() {
        write(&index, &drafted("# yaml-language-server: $schema=schema/index.schema.json\ncourses: []\n"))?;
    }
    let course_file = root.join(course).join("course.yaml");
    if !course_file.exists() {
        write(&course_file, &drafted(COURSE))?;
        write(&index, &with_item(&read(&index)?, "courses", course)?)?;
    }
    write(&course_file, &with_item(&read(&course_file)?, "lessons", lesson)?)?;
    for (name, text) in DRAFT {
        write(&folder.join(name), &drafted(text))?;
    }
    let shown = folder.display();
    println!("{shown} is a whole lesson that makes a Deployment. Make it yours:");
    println!("  lesson.ja.md, lesson.en.md   the text, with the same steps and commands");
    println!("  checks.yaml                  what the learner reaches, with a hint for each thing that is missing");
    println!("  setup.yaml                   the world in which it begins");
    println!("  solution.sh, alternative.sh  scripts that reach all of it");
    println!("Editors check the YAML files by the schemas in {}.", root.join(schemas).display());
    println!("Then: kubonsai check {shown}     and: kubonsai dev {}", root.display());
    Ok(0)
}

/// The folder of the schemas, from the one with index.yaml; they are put there.
fn schemas(root: &Path) -> anyhow::Result<&'static str> {
    if root.join(PROJECT_SCHEMAS).join(SCHEMAS[0].0).is_file() {
        return Ok(PROJECT_SCHEMAS);
    }
    for (name, text) in SCHEMAS {
        // Anew each time, so that they are those of this version of the command.
        write(&root.join(SCHEMA_FOLDER).join(name), text)?;
    }
    Ok(SCHEMA_FOLDER)
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(plain)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    std::fs::write(path, text).with_context(|| path.display().to_string())
}

/// The YAML with one more item in a list at its top level. Comments and everything else stay as they were.
fn with_item(yaml: &str, key: &str, item: &str) -> anyhow::Result<String> {
    let head = format!("{key}:");
    let mut lines: Vec<String> = yaml.lines().map(str::to_owned).collect();
    let at = lines.iter().position(|l| l.starts_with(&head)).with_context(|| format!("a list `{key}` is due"))?;
    let inline = lines[at][head.len()..].trim().to_owned();
    if let Some(items) = inline.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let items = items.trim();
        let before = if items.is_empty() { String::new() } else { format!("{items}, ") };
        lines[at] = format!("{head} [{before}{item}]");
    } else {
        anyhow::ensure!(inline.is_empty() || inline.starts_with('#'), "the list `{key}` is written in an unusual way");
        let mut last = at;
        let mut indent = "  ".to_owned();
        for (number, line) in lines.iter().enumerate().skip(at + 1) {
            let rest = line.trim_start();
            if rest.starts_with("- ") {
                last = number;
                indent = line[..line.len() - rest.len()].to_owned();
            } else if !rest.is_empty() && !rest.starts_with('#') {
                break;
            }
        }
        lines.insert(last + 1, format!("{indent}- {item}"));
    }
    Ok(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_grow_and_the_rest_stays() {
        for (before, after) in [
            ("lessons: []\n", "lessons: [c]\n"),
            ("a: 1\nlessons: [x, y]\nb: 2\n", "a: 1\nlessons: [x, y, c]\nb: 2\n"),
            (
                "lessons: # in order\n  - x # first\n\n  # then\n  - y\npages:\n  - p\n",
                "lessons: # in order\n  - x # first\n\n  # then\n  - y\n  - c\npages:\n  - p\n",
            ),
            ("lessons:\n- x\n", "lessons:\n- x\n- c\n"),
            ("lessons:\n", "lessons:\n  - c\n"),
        ] {
            assert_eq!(with_item(before, "lessons", "c").expect("a list"), after);
        }
        assert!(with_item("pages: []\n", "lessons", "c").is_err());
    }

    #[test]
    fn names_are_those_of_folders() {
        for name in ["a", "scale-app", "2nd"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-a", "A", "a_b", "..", "a/b", "あ"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
