//! The project's own courses are read as an author's would be, and what is wrong in one is said with file and line.
#![allow(clippy::disallowed_methods, reason = "tests read the tutorials from disk")]

use std::path::Path;

use api::Object;
use lesson::{Course, CourseFiles, Facts, Glossary, Outcome, Progress};
use serde_json::json;
use simulation::{Time, TraceEvent, TraceKind};

fn files(course: &str) -> CourseFiles {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tutorials").join(course);
    let mut files = CourseFiles::new();
    let mut pending = vec![root.clone()];
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(&folder).expect("the course is there") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                pending.push(path);
            } else {
                let name = path.strip_prefix(&root).expect("below").to_string_lossy().into_owned();
                files.insert(name, std::fs::read_to_string(&path).expect("text"));
            }
        }
    }
    files
}

fn glossary() -> Glossary {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tutorials/glossary.yaml");
    Glossary::parse(&std::fs::read_to_string(path).expect("readable")).unwrap_or_else(|p| panic!("{p:#?}"))
}

fn basics() -> Course {
    Course::parse("kubernetes-basics", &files("kubernetes-basics"), &glossary()).unwrap_or_else(|p| panic!("{p:#?}"))
}

#[test]
fn the_basics_are_whole_in_both_languages() {
    let course = basics();
    assert_eq!(
        course.lessons.iter().map(|l| l.id.as_str()).collect::<Vec<_>>(),
        ["create-cluster", "deploy-app", "explore-app"]
    );
    for lesson in &course.lessons {
        assert!(!lesson.title.ja.is_empty() && !lesson.title.en.is_empty());
        assert_eq!(lesson.text["ja"].steps.len(), lesson.text["en"].steps.len());
    }
}

fn problems(change: impl FnOnce(&mut CourseFiles)) -> Vec<String> {
    let mut files = files("kubernetes-basics");
    change(&mut files);
    match Course::parse("x", &files, &glossary()) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_missing_translation_is_an_error() {
    let found = problems(|f| drop(f.remove("deploy-app/lesson.ja.md")));
    assert!(found.iter().any(|p| p.starts_with("deploy-app/lesson.ja.md: missing")), "{found:?}");
}

#[test]
fn broken_front_matter_and_yaml_carry_the_line() {
    let found = problems(|f| {
        f.insert("deploy-app/checks.yaml".into(), "checks:\n  - id: a\n   text: b\n".into());
    });
    assert!(found.iter().any(|p| p.starts_with("deploy-app/checks.yaml:")), "{found:?}");
    let found = problems(|f| {
        let text = f["create-cluster/lesson.en.md"].replace("{#nodes}", "");
        f.insert("create-cluster/lesson.en.md".into(), text);
    });
    assert!(found.iter().any(|p| p.contains("lesson.en.md:50:") && p.contains("has no id")), "{found:?}");
}

#[test]
fn languages_that_drift_apart_are_an_error() {
    let found = problems(|f| {
        let text = f["create-cluster/lesson.ja.md"].replace("kubectl get nodes\n", "kubectl get no\n");
        f.insert("create-cluster/lesson.ja.md".into(), text);
    });
    assert!(found.iter().any(|p| p.contains("differs from step")), "{found:?}");
}

#[test]
fn an_unknown_check_is_an_error() {
    let found = problems(|f| {
        let text = f["create-cluster/lesson.en.md"].replace("node-ready", "node-reddy");
        f.insert("create-cluster/lesson.en.md".into(), text);
    });
    assert!(found.iter().any(|p| p.contains("node-reddy")), "{found:?}");
    assert!(found.iter().any(|p| p.contains("does not show the check \"node-ready\"")), "{found:?}");
}

struct OneNode(&'static str);

impl Facts for OneNode {
    fn objects(&self, _: &str, kind: &str, _: &str) -> Vec<Object> {
        if kind != "Node" || self.0.is_empty() {
            return Vec::new();
        }
        vec![Object::new(json!({
            "kind": "Node", "metadata": {"name": "minikube"},
            "status": {"conditions": [{"type": "Ready", "status": self.0}]},
        }))]
    }
}

fn hint(progress: &mut Progress, facts: &dyn Facts, check: &str) -> Option<String> {
    let course = basics();
    let outcomes = progress.evaluate(&course.lessons[0].checks, facts);
    let (_, outcome) = outcomes.into_iter().find(|(id, _)| id == check).expect("the check exists");
    match outcome {
        Outcome::Reached => None,
        Outcome::Missing(hint) => Some(hint.en),
    }
}

#[test]
fn checks_follow_the_state_and_stay_reached() {
    let mut progress = Progress::starting_at(0);
    assert!(hint(&mut progress, &OneNode(""), "node-ready").expect("missing").contains("minikube start"));
    assert!(hint(&mut progress, &OneNode("False"), "node-ready").expect("missing").contains("registered"));
    assert_eq!(hint(&mut progress, &OneNode("True"), "node-ready"), None);
    assert_eq!(hint(&mut progress, &OneNode(""), "node-ready"), None, "reached stays reached");
}

#[test]
fn checks_remember_what_happened() {
    let course = basics();
    let mut progress = Progress::starting_at(5);
    let call = |seq, from: &str| TraceEvent {
        seq,
        time: Time::default(),
        kind: TraceKind::Call {
            from: from.into(),
            method: "GET".into(),
            path: "/version?timeout=32s".into(),
            status: 200,
        },
    };
    progress.observe(&course.lessons[0].checks, &[call(5, "kubectl"), call(6, "kube-scheduler")]);
    assert!(hint(&mut progress, &OneNode(""), "server-version").is_some(), "too early, and somebody else");
    assert!(hint(&mut progress, &OneNode(""), "nodes-listed").is_some());
    progress.observe(&course.lessons[0].checks, &[call(7, "kubectl")]);
    assert_eq!(hint(&mut progress, &OneNode(""), "server-version"), None);
}

#[test]
fn checks_read_what_a_command_put_on_the_screen() {
    let yaml = "checks:
  - id: seen
    text: {ja: x, en: x}
    all:
      - output: {contains: [Running, v=2], code: 0}
        hint: {ja: x, en: not seen}
";
    let value = api::yaml::parse(yaml).expect("YAML").remove(0);
    let checks: lesson::Checks = serde_json::from_value(value).expect("checks");
    let command = |seq, code, output: &str| TraceEvent {
        seq,
        time: Time::default(),
        kind: TraceKind::Command { code, output: output.into() },
    };
    let mut progress = Progress::starting_at(0);
    for (seq, code, output, reached) in
        [(1, 0, "Running v=1", false), (2, 1, "Running v=2", false), (3, 0, "v=2\nRunning", true)]
    {
        progress.observe(&checks, &[command(seq, code, output)]);
        let (_, outcome) = progress.evaluate(&checks, &OneNode("")).remove(0);
        assert_eq!(outcome == Outcome::Reached, reached, "{output}");
    }
}
