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
