//! Cases whose answers were given by kubectl 1.36.3.

use json::{Value, json};

use super::*;

fn data() -> Value {
    json!({
        "apiVersion": "v1", "kind": "List",
        "data": {"a": "b<c"},
        "items": [
            {"metadata": {"name": "web", "labels": {"app.kubernetes.io/name": "x"}}, "status": {"phase": "Running"}, "n": 1},
            {"metadata": {"name": "db"}, "status": {"phase": "Pending"}, "n": 2, "list": [1, 2, 3]},
        ],
    })
}

#[track_caller]
fn check(template: &str, expected: &str) {
    let got = Template::parse(template).and_then(|t| t.execute(&data()));
    assert_eq!(got.unwrap_or_else(|e| format!("ERROR {e}")), expected, "{template}");
}

#[test]
fn fields_and_text() {
    check("{.kind}", "List");
    check("a{.kind}b", "aListb");
    check(".kind", ".kind");
    check("{.data}", "{\"a\":\"b\\u003cc\"}");
    check("{.data.*}", "b<c");
    check("{.nope}", "");
    check("{$.kind}{\"\\n\"}{'x\\ty'}", "List\nx\ty");
    check("{['kind','apiVersion']}", "List v1");
    check("{.data['a']}", "b<c");
    check("{.items[0].metadata.labels.app\\.kubernetes\\.io/name}", "x");
    check("{1}{true}{'abc'}", "1trueabc");
}

#[test]
fn arrays_and_filters() {
    check("{.items[*].metadata.name}", "web db");
    check("{.items[-1].metadata.name}", "db");
    check("{.items[1].list[0:2]}", "1 2");
    check("{.items[1].list[::2]}", "1 3");
    check("{.items[?(@.status.phase==\"Running\")].metadata.name}", "web");
    check("{.items[?(@.n>1)].metadata.name}", "db");
    check("{.items[?(@.list)].metadata.name}", "db");
    check("{..name}", "web db");
    check("{.items[5].n}", "ERROR array index out of bounds: index 5, length 2");
    check("{.data[0]}", "ERROR map[string]interface {} is not array or slice");
    check("{.data.a[0]}", "ERROR string is not array or slice");
    check("{.data[?(@.a==1)]}", "ERROR map[a:b<c] is not array or slice and cannot be filtered");
}

#[test]
fn ranges() {
    check("{range .items[*]}{.metadata.name}{\"\\t\"}{.status.phase}{\"\\n\"}{end}", "web\tRunning\ndb\tPending\n");
    check("{range .items[*]}[{.n}:{range .list[*]}{@};{end}]{end}.", "[1:][2:1;2;3;].");
    check("{range .nope[*]}x{end}y", "y");
    check("{end}", "ERROR not in range, nothing to end");
}

#[test]
fn errors() {
    check("{.items[0", "ERROR unterminated array");
    check("{.metadata.name", "ERROR unclosed action");
    check("{metadata.name}", "ERROR unrecognized identifier metadata");
    check("{.data[\"a\"]}", "ERROR invalid array index \"a\"");
    check("{.kind,.apiVersion}", "ERROR unrecognized character in action: U+002C ','");
    check("{[.kind,.apiVersion]}", "ERROR invalid array index .kind");
    check("{-}", "ERROR cannot parse number -");
}

#[test]
fn relaxed_paths() {
    for text in ["metadata.name", ".metadata.name", "{metadata.name}", "{.metadata.name}"] {
        assert_eq!(relaxed(text).unwrap(), "{.metadata.name}");
    }
    assert!(relaxed("{{.a}}").is_err());
}
