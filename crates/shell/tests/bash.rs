//! Scripts and what bash 5.2 answers. The expected texts were recorded by running bash itself (`record` below).
//!
//! A case: a line `# name`, the script (`$ `), standard output (`> `, `>~` when its last line has no newline), standard
//! error (`! `), the exit code (`? `).
#![allow(clippy::disallowed_methods, reason = "reads and, when recording, writes its case files")]

mod common;

use std::fmt::Write as _;
use std::path::PathBuf;

struct Case {
    name: String,
    script: String,
    expected: String,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/bash")
}

fn files() -> Vec<(PathBuf, Vec<Case>)> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder()).expect("the folder of cases").map(|e| e.expect("an entry").path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), parse(&std::fs::read_to_string(&path).expect("a case file")))).collect()
}

fn parse(text: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for block in format!("\n{text}").split("\n# ").skip(1) {
        let (name, rest) = block.split_once('\n').unwrap_or((block, ""));
        let (mut script, mut expected) = (String::new(), String::new());
        for line in rest.lines() {
            match line.strip_prefix("$ ").or(line.strip_prefix('$').filter(|l| l.is_empty())) {
                Some(code) => {
                    script.push_str(code);
                    script.push('\n');
                }
                None if line.is_empty() => {}
                None => {
                    expected.push_str(line);
                    expected.push('\n');
                }
            }
        }
        cases.push(Case { name: name.to_owned(), script, expected });
    }
    cases
}

fn shown(stdout: &str, stderr: &str, code: i32) -> String {
    let mut text = String::new();
    for line in stdout.split_inclusive('\n') {
        match line.strip_suffix('\n') {
            Some(line) => writeln!(text, "> {line}"),
            None => writeln!(text, ">~{line}"),
        }
        .expect("a string");
    }
    for line in stderr.lines() {
        writeln!(text, "! {line}").expect("a string");
    }
    if code != 0 {
        writeln!(text, "? {code}").expect("a string");
    }
    text
}

#[test]
fn scripts_answer_as_bash_does() {
    let mut wrong = String::new();
    for (path, cases) in files() {
        for case in cases {
            let machine = common::Machine::new();
            let (stdout, stderr, code) = machine.bash(&case.script);
            let actual = shown(&stdout, &stderr, code);
            if actual != case.expected {
                let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                writeln!(
                    wrong,
                    "== {file}: {}\n{}-- expected\n{}-- actual\n{actual}",
                    case.name, case.script, case.expected
                )
                .expect("a string");
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Rewrites the expected texts with the answers of the bash of this machine:
/// `cargo test -p shell --test bash -- --ignored record`.
#[test]
#[ignore = "rewrites the cases; needs bash"]
fn record() {
    for (path, cases) in files() {
        let mut text = String::new();
        for case in cases {
            let home = std::env::temp_dir().join(format!("kubonsai-bash-{}", std::process::id()));
            std::fs::create_dir_all(&home).expect("a scratch folder");
            let output = std::process::Command::new("bash")
                .args(["--norc", "-c", &case.script])
                .current_dir(&home)
                .env_clear()
                .envs([("PATH", "/usr/bin:/bin"), ("HOME", "/home/learner"), ("LC_ALL", "C")])
                .stdin(std::process::Stdio::null())
                .output()
                .expect("bash runs");
            std::fs::remove_dir_all(&home).expect("the scratch folder goes");
            let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            writeln!(text, "# {}", case.name).expect("a string");
            for line in case.script.lines() {
                writeln!(text, "$ {line}").expect("a string");
            }
            writeln!(text, "{}", shown(&out, &err, output.status.code().unwrap_or(-1))).expect("a string");
        }
        std::fs::write(path, format!("{}\n", text.trim_end())).expect("the case file");
    }
}
