use json::json;

use super::*;

/// What kubectl 1.36.3 printed, one file a recorded command.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/yaml");

fn golden() -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(GOLDEN).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 50, "the golden files are there");
    files
}

#[test]
fn what_kubectl_printed_survives_reading_and_printing() {
    for file in golden() {
        #[expect(clippy::disallowed_methods, reason = "tests read their own golden files")]
        let text = std::fs::read_to_string(&file).unwrap();
        let documents = parse(&text).unwrap();
        let printed: Vec<String> = documents.iter().map(emit).collect();
        assert_eq!(printed.join("---\n"), text, "{}", file.display());
    }
}

#[test]
fn strings_are_quoted_as_go_yaml_does() {
    for (value, text) in [
        ("plain", "plain"),
        ("", "\"\""),
        ("1", "\"1\""),
        ("true", "\"true\""),
        ("y", "\"y\""),
        ("null", "\"null\""),
        ("~", "\"~\""),
        ("1e3", "\"1e3\""),
        ("1.5", "\"1.5\""),
        ("0x1f", "\"0x1f\""),
        ("10:30", "\"10:30\""),
        ("2026-11-21T02:38:39Z", "\"2026-11-21T02:38:39Z\""),
        ("2026-11-21", "\"2026-11-21\""),
        ("a: b", "'a: b'"),
        ("a:b", "a:b"),
        ("a #b", "'a #b'"),
        ("a#b", "a#b"),
        ("*", "'*'"),
        ("* * * * *", "'* * * * *'"),
        ("-", "'-'"),
        ("- a", "'- a'"),
        ("-a", "-a"),
        ("@hourly", "'@hourly'"),
        ("it's", "it's"),
        ("'x'", "'''x'''"),
        ("{}", "'{}'"),
        ("a,b", "a,b"),
        ("50%", "50%"),
        ("%a", "'%a'"),
        (" a", "' a'"),
        ("a ", "'a '"),
        ("a\tb", "\"a\\tb\""),
        ("---", "'---'"),
        ("日本語", "日本語"),
        ("a:", "'a:'"),
        ("?", "'?'"),
        ("?a", "?a"),
        ("<<", "\"<<\""),
        ("=", "="),
        ("\u{1b}[0m", "\"\\e[0m\""),
    ] {
        assert_eq!(emit(&json!(value)), format!("{text}\n"), "{value:?}");
        assert_eq!(parse_document(&emit(&json!(value))).unwrap(), json!(value), "{value:?} reads back");
    }
}

#[test]
fn blocks_and_empty_collections() {
    let value = json!({"a": "x\ny\n", "b": "x\ny", "c": "x\n\n", "d": "  x\ny\n", "e": [], "f": {}, "g": [[1, 2], {"h": null}], "i": "a \nb"});
    let text = "a: |\n  x\n  y\nb: |-\n  x\n  y\nc: |+\n  x\n\nd: |2\n    x\n  y\ne: []\nf: {}\ng:\n- - 1\n  - 2\n- h: null\ni: \"a \\nb\"\n";
    assert_eq!(emit(&value), text);
    assert_eq!(parse_document(text).unwrap(), value);
    assert_eq!(emit(&json!({})), "{}\n");
    assert_eq!(emit(&json!(["1", 1])), "- \"1\"\n- 1\n");
}

#[test]
fn long_lines_fold() {
    let words = "word ".repeat(30);
    let text = emit(&json!({"message": words.trim_end()}));
    assert!(text.lines().all(|l| l.chars().count() <= 85) && text.lines().count() == 2, "{text}");
    assert_eq!(parse_document(&text).unwrap()["message"], words.trim_end());
}

#[test]
fn documents_split_at_markers() {
    let text = "# only a comment\n---\na: 1\n--- # next\nb: 2\n---\n";
    assert_eq!(parse(text).unwrap(), [json!({"a": 1}), json!({"b": 2})]);
    assert_eq!(documents(text).iter().map(|d| d.0).collect::<Vec<_>>(), [0, 2, 4]);
    assert_eq!(parse("").unwrap(), Vec::<json::Value>::new());
    assert_eq!(parse("---\na: 1\n").unwrap(), [json!({"a": 1})]);
}

#[test]
fn reading_follows_go_yaml() {
    for (text, value) in [
        ("a: 1\na: 2", json!({"a": 2})),
        ("metadata:\n  name: x\n  name: y\n", json!({"metadata": {"name": true}})),
        (
            "base: &b {x: 1, z: 2}\nmore:\n  <<: *b\n  z: 3\n",
            json!({"base": {"x": 1, "z": 2}, "more": {"x": 1, "z": 3}}),
        ),
        ("1: a\ntrue: b\n", json!({"1": "a", "true": "b"})),
        ("a: !!str 1\nb: !!binary aGk=\n", json!({"a": "1", "b": "hi"})),
        ("a: 2026-11-21\n", json!({"a": "2026-11-21"})),
        ("a: >-\n  x\n  y\nb: \"\\u00e9\"\n", json!({"a": "x y", "b": "é"})),
        ("just a string\n", json!("just a string")),
        ("{\"a\": [1, {\"b\": null}]}", json!({"a": [1, {"b": null}]})),
    ] {
        assert_eq!(parse_document(text).unwrap(), value, "{text}");
    }
}

#[test]
fn complaints_are_go_yamls() {
    let mut wrong = Vec::new();
    for (text, message) in complaints::REFUSED {
        let said = parse(text).map_or_else(|error| error.to_string(), |values| format!("{values:?}"));
        if said != format!("error converting YAML to JSON: yaml: {message}") {
            wrong.push(format!("{text:?}\n  kubectl: {message}\n  ours: {said}\n"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

#[test]
fn what_go_yaml_reads_is_read() {
    let mut wrong = Vec::new();
    for (text, json) in complaints::ACCEPTED {
        let said = parse_document(text).map_or_else(|error| error.to_string(), |value| value.to_string());
        if said != *json {
            wrong.push(format!("{text:?}\n  kubectl: {json}\n  ours: {said}\n"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

#[test]
fn nothing_that_kubectl_printed_is_complained_about() {
    for file in golden() {
        #[expect(clippy::disallowed_methods, reason = "tests read their own golden files")]
        let text = std::fs::read_to_string(&file).unwrap();
        for (_, document) in documents(&text) {
            assert!(matches!(check::check(document), check::Verdict::Fine(_)), "{}", file.display());
        }
    }
}

#[test]
fn lines_count_within_the_document_and_within_the_file() {
    // For people who know kubectl, and for the editor. A marker at the start is a line of its document.
    for (text, go_line, line) in [
        ("a: 1\n---\nb: 2\nb: c: d\n", 2, 4),
        ("---\na: 1\nb: c: d\n", 3, 3),
        ("a: 1\nb: \"x\nc: 2\n", 4, 3),
        ("a: 1\n---\n\tb: 2\n", 0, 3),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!((error.go_line, error.line), (go_line, line), "{text:?}");
    }
}

#[test]
fn alias_bombs_are_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..8 {
        let before = i - 1;
        text.push_str(&format!("a{i}: &a{i} [{}]\n", vec![format!("*a{before}"); 10].join(", ")));
    }
    assert!(parse(&text).unwrap_err().problem.contains("excessive aliasing"));
}

#[test]
fn a_key_that_stands_twice_is_named_with_the_line_of_its_value() {
    let text = "metadata:\n  name: a\n  name: b\nlist:\n- x: 1\n  x:\n    y: 2\n1: a\n1: b\nlist: []\n";
    let (value, repeated) = parse_document_strict(text).unwrap();
    assert_eq!(value["metadata"]["name"], "b");
    let lines = [
        "line 3: key \"name\" already set in map",
        "line 7: key \"x\" already set in map",
        "line 9: key 1 already set in map",
        "line 10: key \"list\" already set in map",
    ];
    assert_eq!(repeated, lines);
    assert!(parse_document_strict("a: {b: 1}\nc: {b: 1}\n").unwrap().1.is_empty());
}
