//! The project's own courses are read as an author's would be, and what is wrong in one is said with file and line.
#![allow(clippy::disallowed_methods, reason = "tests read the tutorials from disk")]

use std::path::Path;

use api::Object;
use json::json;
use lesson::{Course, CourseFiles, Facts, Glossary, Lesson, Outcome, Progress};
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
        ["create-cluster", "deploy-app", "explore-app", "expose-app", "scale-app", "update-app"]
    );
    for lesson in &course.lessons {
        assert!(!lesson.title.ja.is_empty() && !lesson.title.en.is_empty());
        assert_eq!(lesson.text["ja"].steps.len(), lesson.text["en"].steps.len());
    }
}

#[test]
fn an_outline_says_what_the_whole_course_says() {
    let (course, files) = (basics(), files("kubernetes-basics"));
    let outline = Course::outline("kubernetes-basics", &files, &glossary()).unwrap_or_else(|p| panic!("{p:#?}"));
    assert_eq!((&outline.title, &outline.summary, &outline.pages), (&course.title, &course.summary, &course.pages));
    assert_eq!(outline.lessons.len(), course.lessons.len());
    for (short, whole) in outline.lessons.iter().zip(&course.lessons) {
        assert_eq!((&short.id, &short.title, &short.summary), (&whole.id, &whole.title, &whole.summary));
        let checks: Vec<&String> = whole.checks.checks.iter().map(|check| &check.id).collect();
        assert_eq!((short.minutes, short.checks.iter().collect()), (whole.minutes, checks));
        let alone = Lesson::parse(&whole.id, &files, &glossary()).unwrap_or_else(|p| panic!("{p:#?}"));
        assert_eq!(&alone, whole);
    }
}

#[test]
fn an_outline_names_what_is_wrong_in_what_it_reads() {
    let outlined = |change: &dyn Fn(&mut CourseFiles)| {
        let mut files = files("kubernetes-basics");
        change(&mut files);
        let outline = Course::outline("x", &files, &glossary());
        outline.err().unwrap_or_default().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let broken = outlined(&|files| drop(files.insert("deploy-app/checks.yaml".into(), "checks:\n  - [oops\n".into())));
    assert!(broken.len() == 1 && broken[0].starts_with("deploy-app/checks.yaml"), "{broken:#?}");
    let missing = outlined(&|files| drop(files.remove("deploy-app/lesson.ja.md")));
    assert_eq!(missing, ["deploy-app/lesson.ja.md: missing: every lesson speaks ja and en"]);
    let headless = outlined(&|files| drop(files.insert("deploy-app/lesson.en.md".into(), "# No head\n".into())));
    let head = "the head is missing: a line ---, then title, summary and minutes, then a line ---";
    assert_eq!(headless, [format!("deploy-app/lesson.en.md:1: {head}")]);
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
    let checks = checks(yaml);
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

fn checks(yaml: &str) -> lesson::Checks {
    let value = api::yaml::parse(yaml).expect("YAML").remove(0);
    json::from_value(value).expect("checks")
}

#[test]
fn different_ends_of_flows_are_counted() {
    let checks = checks(
        "checks:
  - id: balanced
    text: {ja: x, en: x}
    all:
      - trace: {type: flow, from: learner, method: connected, to: service/default/web, different: 2}
        hint: {ja: x, en: x}
",
    );
    let flow = |seq, to: &str, outcome: &str| TraceEvent {
        seq,
        time: Time::default(),
        kind: TraceKind::Flow {
            id: seq,
            from: "learner".into(),
            hops: vec!["192.168.49.2:30000".into(), "service/default/web".into()],
            to: to.into(),
            outcome: outcome.into(),
        },
    };
    let mut progress = Progress::starting_at(0);
    for (seq, to, outcome, reached) in [
        (1, "pod/default/a", "connected", false),
        (2, "pod/default/a", "connected", false),
        (3, "pod/default/b", "refused", false),
        (4, "pod/default/b", "connected", true),
    ] {
        progress.observe(&checks, &[flow(seq, to, outcome)]);
        let (_, outcome) = progress.evaluate(&checks, &OneNode("")).remove(0);
        assert_eq!(outcome == Outcome::Reached, reached, "{seq}");
    }
}

/// A Service with a port, and whoever answers there.
struct Asked(bool);

impl Facts for Asked {
    fn objects(&self, api_version: &str, kind: &str, namespace: &str) -> Vec<Object> {
        assert_eq!((api_version, kind, namespace), ("v1", "Service", "default"));
        vec![Object::new(json!({"metadata": {"name": "web"}, "spec": {"ports": [{"nodePort": 30123}]}}))]
    }

    fn answered(&self, clause: &lesson::HttpClause) -> bool {
        assert_eq!(clause.contains.as_deref(), Some("v=2"));
        self.0
    }
}

#[test]
fn answers_over_http_are_asked_for_at_an_address_of_now() {
    let mut checks = checks(
        "checks:
  - id: answers
    text: {ja: x, en: x}
    all:
      - http: {url: \"http://192.168.49.2:{Service/web:spec.ports[0].nodePort}/x\", contains: v=2}
        hint: {ja: x, en: x}
",
    );
    let http = checks.http_clauses()[0].clone();
    assert_eq!(http.url_now(&Asked(false)).as_deref(), Some("http://192.168.49.2:30123/x"));
    let missing = lesson::HttpClause { url: "http://{Service/nope:spec.x}".into(), ..http.clone() };
    assert_eq!(missing.url_now(&Asked(false)), None);
    assert!(http.accepts(200, "now v=2") && !http.accepts(200, "v=1") && !http.accepts(503, "v=2"));

    let mut progress = Progress::starting_at(0);
    assert_ne!(progress.evaluate(&checks, &Asked(false))[0].1, Outcome::Reached);
    assert_eq!(progress.evaluate(&checks, &Asked(true))[0].1, Outcome::Reached);

    let clause = checks.checks[0].all[0].http.as_mut().expect("it is one");
    clause.url = "http://{Service}".into();
    assert!(checks.checks[0].problems()[0].contains("{Kind/name:path}"));
}

#[test]
fn every_lesson_ends_with_three_questions_and_has_another_way() {
    for lesson in basics().lessons {
        for (language, text) in &lesson.text {
            assert_eq!(text.quizzes().len(), 3, "{} {language}", lesson.id);
            let last = text.steps.last().expect("steps");
            assert_eq!(last.id, "quiz", "{} {language}", lesson.id);
        }
        assert!(lesson.alternative.is_some(), "{}", lesson.id);
        assert!((10..=20).contains(&lesson.minutes), "{}", lesson.id);
    }
}

#[test]
fn every_word_of_the_glossary_is_used_in_both_languages() {
    let course = basics();
    let texts = || course.lessons.iter().map(|l| &l.text).chain(course.pages.iter().map(|p| &p.text));
    let mut unused = Vec::new();
    for term in glossary().terms {
        for language in lesson::LANGUAGES {
            if !texts().any(|text| text[language].terms.contains_key(&term.id)) {
                unused.push(format!("{} {language}", term.id));
            }
        }
    }
    assert!(unused.is_empty(), "explained but not used: {unused:?}");
}

#[test]
fn pages_and_files_are_listed_and_there() {
    let found = problems(|f| drop(f.remove("road-on.ja.md")));
    assert!(found.iter().any(|p| p.starts_with("road-on.ja.md: missing")), "{found:?}");
    let found = problems(|f| drop(f.insert("more.en.md".into(), String::new())));
    assert!(found.iter().any(|p| p.contains("\"more\" is not listed under `pages`")), "{found:?}");
    let found = problems(|f| drop(f.insert("deploy-app/files/a.yaml".into(), String::new())));
    assert!(found.iter().any(|p| p.contains("files/a.yaml is not listed")), "{found:?}");
    let found = problems(|f| {
        let setup = "profile: minikube\nfiles: [a.yaml, ../b, /etc/passwd]\n";
        f.insert("deploy-app/setup.yaml".into(), setup.into());
    });
    assert!(found.iter().any(|p| p.starts_with("deploy-app/files/a.yaml: missing")), "{found:?}");
    assert_eq!(found.iter().filter(|p| p.contains("no path below the learner's home")).count(), 2, "{found:?}");
}

#[test]
fn questions_that_drift_apart_are_an_error() {
    let found = problems(|f| {
        let text = f["deploy-app/lesson.ja.md"].replacen("(x)", "( )", 1).replacen("( ) kubectl", "(x) kubectl", 1);
        f.insert("deploy-app/lesson.ja.md".into(), text);
    });
    assert!(found.iter().any(|p| p.contains("differs from step") && p.contains("quiz x--")), "{found:?}");
}

/// The text of a file of a course, changed.
fn replaced(files: &mut CourseFiles, file: &str, from: &str, to: &str) {
    assert!(files[file].contains(from), "{from:?} is missing in {file}");
    let text = files[file].replacen(from, to, 1);
    files.insert(file.to_owned(), text);
}

/// The line of a file on which a text first stands.
fn line_of(course: &CourseFiles, file: &str, text: &str) -> usize {
    course[file].lines().position(|line| line.contains(text)).expect("it is there") + 1
}

#[test]
fn what_is_wrong_has_its_line() {
    let (checks, en, ja) = ("deploy-app/checks.yaml", "deploy-app/lesson.en.md", "deploy-app/lesson.ja.md");
    let whole = files("kubernetes-basics");
    let listed = line_of(&whole, checks, "id: deployments-listed");
    let minutes = line_of(&whole, ja, "minutes:");
    for (file, from, to, expected) in [
        (checks, "        hint:\n", "        hnt:\n", format!("{checks}:11: unknown field `hnt`")),
        (checks, "      ja: Deployment kube", "      jp: Deployment kube", format!("{checks}:4: unknown field `jp`")),
        (
            checks,
            "      ja: Deployment kubernetes-bootcamp のアプリが動いている\n",
            "",
            format!("{checks}:3: missing field `ja`"),
        ),
        (checks, "kind: Deployment", "kind: Deploment", format!("{checks}:9: check \"app-running\": there is no kind")),
        (
            checks,
            "id: deployments-listed",
            "id: app-running",
            format!("{checks}:{listed}: there is a check \"app-running\" before"),
        ),
        (en, "minutes:", "minuten:", format!("{en}:4: unknown field `minuten`")),
        (en, "minutes: 15\n", "", format!("{en}:1: missing field `minutes`")),
        (ja, "minutes: 15", "minutes: 10", format!("{ja}:{minutes}: minutes: 10 here, 15 in the other language")),
        (
            "deploy-app/setup.yaml",
            "minikube",
            "minikube\nnodes: 0",
            "deploy-app/setup.yaml:3: nodes: 0: a number from 1 to 200".into(),
        ),
        (
            "deploy-app/setup.yaml",
            "minikube",
            "minikube\nnodes: 201",
            "deploy-app/setup.yaml:3: nodes: 201: a number".into(),
        ),
        (
            "deploy-app/setup.yaml",
            "profile: minikube",
            "nodes: 1",
            "deploy-app/setup.yaml:2: nodes: without a `profile`".into(),
        ),
        ("course.yaml", "title:\n", "titel:\n", "course.yaml:1: unknown field `titel`".into()),
    ] {
        let found = problems(|f| replaced(f, file, from, to));
        assert!(found.iter().any(|p| p.starts_with(&expected)), "{expected}: {found:#?}");
    }
}

#[test]
fn what_does_not_fit_together_has_its_line() {
    let (en, ja) = ("create-cluster/lesson.en.md", "create-cluster/lesson.ja.md");
    let whole = files("kubernetes-basics");
    let shown = line_of(&whole, en, "node-ready");
    let found = problems(|f| replaced(f, en, "node-ready", "node-reddy"));
    let expected = format!("{en}:{shown}: shows the check \"node-reddy\", which is not in checks.yaml");
    assert!(found.contains(&expected), "{found:#?}");

    let line = whole[ja].lines().position(|line| line == "kubectl get nodes").expect("a command");
    let there = whole[en].lines().position(|line| line == "kubectl get nodes").expect("a command");
    let found = problems(|f| replaced(f, ja, "\nkubectl get nodes\n", "\nkubectl get no\n"));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with(&format!("{ja}:{line}: step ")), "{found:#?}");
    let both = format!("`terminal 1: kubectl get no` here, `terminal 1: kubectl get nodes` there (line {there})");
    assert!(found[0].ends_with(&both), "{found:#?}");
}

#[test]
fn a_question_that_cannot_be_read_is_no_drift_of_the_other_language() {
    let found = problems(|f| replaced(f, "deploy-app/lesson.en.md", "(x)", "( )"));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].starts_with("deploy-app/lesson.en.md:") && found[0].contains("0 answers are marked"),
        "{found:#?}"
    );
}

#[test]
fn byte_order_marks_are_no_part_of_any_file() {
    let mut marked = files("kubernetes-basics");
    marked.values_mut().for_each(|text| text.insert(0, '\u{feff}'));
    let course = Course::parse("kubernetes-basics", &marked, &glossary()).unwrap_or_else(|p| panic!("{p:#?}"));
    assert_eq!(course, basics());
}
