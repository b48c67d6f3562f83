//! Lessons as their authors work on them: begin one, check it, break it.
#![allow(clippy::disallowed_methods, reason = "tests start the program")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("kubonsai-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the folder for temporary files can be written");
        Folder(path)
    }

    fn run(&self, arguments: &[&str]) -> (bool, String) {
        let output: Output = Command::new(env!("CARGO_BIN_EXE_kubonsai"))
            .args(arguments)
            .current_dir(&self.0)
            .stdin(std::process::Stdio::null())
            .output()
            .expect("the program starts");
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        (output.status.success(), text)
    }

    fn change(&self, file: &str, from: &str, to: &str) {
        let path = self.0.join(file);
        let text = std::fs::read_to_string(&path).expect("the file is there");
        assert!(text.contains(from), "{from:?} is missing in {text}");
        std::fs::write(path, text.replace(from, to)).expect("the file can be written");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_new_lesson_is_accepted_and_a_broken_one_is_not() {
    let folder = Folder::new("new");
    let (ok, text) = folder.run(&["new", "my-course/my-lesson"]);
    assert!(ok && text.contains("tutorials/my-course/my-lesson is a whole lesson"), "{text}");
    let (ok, text) = folder.run(&["check", "--seeds", "2"]);
    assert!(ok, "{text}");
    assert!(text.ends_with("7 passed, 0 failed\n"), "glossary; two scripts and the text, under two seeds: {text}");

    let (ok, text) = folder.run(&["new", "my-course/my-lesson"]);
    assert!(!ok && text.contains("is there already"), "{text}");
    let (ok, text) = folder.run(&["new", "my-course/second"]);
    assert!(ok, "{text}");
    assert!(Path::new(&folder.0).join("tutorials/my-course/second/checks.yaml").is_file());
    let (ok, text) = folder.run(&["check", "--seeds", "1", "tutorials/my-course/second"]);
    assert!(ok && text.ends_with("4 passed, 0 failed\n"), "only that lesson: {text}");

    let solution = "tutorials/my-course/my-lesson/solution.sh";
    folder.change(solution, "kubectl create deployment web", "kubectl create deployment other");
    folder.change(solution, "deployment/web", "deployment/other");
    let (ok, text) = folder.run(&["check", "--seeds", "1", "tutorials/my-course/my-lesson"]);
    assert!(!ok && text.contains("check \"web-running\" does not hold after solution.sh"), "{text}");
    assert!(text.ends_with("3 passed, 1 failed\n"), "{text}");

    folder.change("tutorials/my-course/my-lesson/setup.yaml", "[]", "[kubectl create deployment web --image=nginx]");
    let (ok, text) = folder.run(&["check", "--seeds", "1", "tutorials/my-course/my-lesson"]);
    assert!(!ok && text.contains("check \"web-running\" holds although nothing was done"), "{text}");

    folder.change("tutorials/my-course/my-lesson/lesson.en.md", "```quiz", "```quizz");
    let (ok, text) = folder.run(&["check"]);
    assert!(!ok && text.contains("my-course/my-lesson/lesson.en.md:25: a code fence \"quizz\""), "{text}");
}

#[test]
fn a_script_that_never_ends_is_said_to() {
    let folder = Folder::new("endless");
    let (ok, text) = folder.run(&["new", "c/l"]);
    assert!(ok, "{text}");
    let check = || folder.run(&["check", "--seeds", "1", "tutorials/c/l"]);
    let waits = "has not ended after 30 min of the cluster's time: does its last command wait for ever?";
    let turns = "steps of the cluster: does a loop in it run for ever?";

    let (solution, alternative) = ("tutorials/c/l/solution.sh", "tutorials/c/l/alternative.sh");
    folder.change(solution, "kubectl rollout status deployment/web", "kubectl get pods -w");
    folder.change(alternative, "kubectl rollout status deployment/web", "while true; do :; done");
    let (ok, text) = check();
    assert!(!ok && text.contains(&format!("solution.sh {waits} Its last lines:\n")), "{text}");
    assert!(text.contains("alternative.sh has not ended") && text.contains(turns), "{text}");
    assert!(text.ends_with("2 passed, 2 failed\n"), "{text}");

    folder.change("tutorials/c/l/setup.yaml", "[]", "['while true; do sleep 1; done']");
    let (ok, text) = check();
    assert!(!ok && text.contains(&format!("setup.yaml: run: \"while true; do sleep 1; done\" {waits}")), "{text}");
}

#[test]
fn files_in_another_encoding_are_named() {
    let folder = Folder::new("encoding");
    let (ok, text) = folder.run(&["new", "c/l"]);
    assert!(ok, "{text}");
    let path = |name: &str| folder.0.join("tutorials").join(name);
    for name in ["index.yaml", "c/course.yaml", "c/l/checks.yaml", "c/l/lesson.ja.md", "c/l/solution.sh"] {
        let marked = [b"\xef\xbb\xbf".as_slice(), &std::fs::read(path(name)).expect("readable")].concat();
        std::fs::write(path(name), marked).expect("writable");
    }
    let (ok, text) = folder.run(&["check", "--seeds", "1"]);
    assert!(ok && text.ends_with("4 passed, 0 failed\n"), "{text}");

    // Shift_JIS for two letters.
    std::fs::write(path("c/l/lesson.ja.md"), b"---\ntitle: \x93\xfa\x96\x7b\n").expect("writable");
    std::fs::write(path("c/l/alternative.sh"), b"echo \xff\n").expect("writable");
    std::fs::write(path("c/l/picture.png"), b"\x89PNG\xff").expect("writable");
    let (ok, text) = folder.run(&["check"]);
    assert!(!ok && text.contains("c/l/lesson.ja.md:2: is not UTF-8"), "{text}");
    assert!(text.contains("c/l/alternative.sh:1: is not UTF-8") && !text.contains("missing"), "{text}");
    assert!(!text.contains("picture"), "{text}");
}

#[test]
fn drafts_name_schemas_that_are_there() {
    let folder = Folder::new("schemas");
    schemas_are_there(&folder);
    assert!(folder.0.join("tutorials/schema").is_dir());
    let (ok, text) = folder.run(&["new", "schema/l"]);
    assert!(!ok && text.contains("take another name"), "{text}");

    let project = Folder::new("project");
    std::fs::create_dir_all(project.0.join("docs/schema")).expect("writable");
    std::fs::create_dir_all(project.0.join("tutorials")).expect("writable");
    for name in ["checks", "course", "index", "setup"] {
        std::fs::write(project.0.join(format!("docs/schema/{name}.schema.json")), "{\"$schema\": 1}")
            .expect("writable");
    }
    schemas_are_there(&project);
    assert!(!project.0.join("tutorials/schema").exists(), "a copy of the project has its own");
}

fn schemas_are_there(folder: &Folder) {
    let (ok, text) = folder.run(&["new", "c/l"]);
    assert!(ok, "{text}");
    for name in ["index.yaml", "c/course.yaml", "c/l/checks.yaml", "c/l/setup.yaml"] {
        let path = folder.0.join("tutorials").join(name);
        let text = std::fs::read_to_string(&path).expect("readable");
        let first = text.lines().next().expect("a line");
        let schema =
            first.strip_prefix("# yaml-language-server: $schema=").unwrap_or_else(|| panic!("{name}: {first}"));
        let there = path.parent().expect("a folder").join(schema);
        assert!(std::fs::read_to_string(&there).is_ok_and(|text| text.contains("$schema")), "{}", there.display());
    }
}

#[test]
fn names_that_make_no_folder_are_refused() {
    let folder = Folder::new("names");
    for (name, words) in [("lesson", "COURSE/LESSON"), ("a/../b", "make a name"), ("A/b", "make a name")] {
        let (ok, text) = folder.run(&["new", name]);
        assert!(!ok && text.contains(words), "{name}: {text}");
    }
    let (ok, text) = folder.run(&["check", "nowhere"]);
    assert!(!ok && text.contains("nowhere"), "{text}");
    let (ok, text) = folder.run(&["new", "c/l"]);
    assert!(ok, "{text}");
    let (ok, text) = folder.run(&["dev", "tutorials", "--page", "nowhere"]);
    assert!(!ok && text.contains("no built page there"), "{text}");
}
