//! The JSON schemas of the author's guide say what the parser says.
#![allow(clippy::disallowed_methods, reason = "tests read files from disk")]

use std::path::Path;

use json::{Value, json};
use lesson::{Course, CourseFiles, Glossary};
use serde::de::DeserializeOwned;

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn schema(name: &str) -> Value {
    let path = root().join(format!("docs/schema/{name}.schema.json"));
    json::from_str(&std::fs::read_to_string(path).expect("the schema is there")).expect("JSON")
}

/// The fields that a type takes, from its own complaint about one that it does not.
fn fields<T: DeserializeOwned>() -> Vec<String> {
    let error = json::from_value::<T>(json!({"no such field": 1})).err().expect("unknown fields are refused");
    let words = error.to_string();
    let list = words.split_once("expected ").expect("serde names the fields").1;
    let mut names: Vec<String> = list.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    names.sort();
    names
}

/// The fields without which a type is refused.
fn required<T: DeserializeOwned>() -> Vec<String> {
    let mut given = json::Map::new();
    let mut names = Vec::new();
    // Fields are asked for one after another; a wrong type is another complaint and ends the list.
    while let Err(error) = json::from_value::<T>(Value::Object(given.clone())) {
        let words = error.to_string();
        let Some(name) = words.strip_prefix("missing field `").and_then(|w| w.split('`').next()) else { break };
        names.push(name.to_owned());
        let stand_in = [json!("x"), json!([]), json!({"ja": "x", "en": "x"}), json!({"ja": [], "en": []})];
        let fits = stand_in.into_iter().find(|value| {
            let mut trial = given.clone();
            trial.insert(name.into(), value.clone());
            let error = json::from_value::<T>(Value::Object(trial)).err().map(|e| e.to_string());
            error.is_none_or(|words| words.starts_with("missing field"))
        });
        given.insert(name.into(), fits.expect("a value of some type fits"));
    }
    names.sort();
    names
}

#[track_caller]
fn agrees<T: DeserializeOwned>(schema: &Value) {
    let object = schema["properties"].as_object().expect("an object");
    let mut described: Vec<String> = object.keys().map(ToString::to_string).collect();
    described.sort();
    assert_eq!(described, fields::<T>());
    let mut wanted: Vec<String> = json::from_value(schema["required"].clone()).expect("a list");
    wanted.sort();
    assert_eq!(wanted, required::<T>());
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn schemas_have_the_fields_of_the_parser() {
    let checks = schema("checks");
    agrees::<lesson::Checks>(&checks);
    agrees::<lesson::Check>(&checks["$defs"]["check"]);
    agrees::<lesson::Clause>(&checks["$defs"]["clause"]);
    agrees::<lesson::ObjectClause>(&checks["$defs"]["object"]);
    agrees::<lesson::TraceClause>(&checks["$defs"]["trace"]);
    agrees::<lesson::OutputClause>(&checks["$defs"]["output"]);
    agrees::<lesson::HttpClause>(&checks["$defs"]["http"]);
    agrees::<lesson::Expect>(&checks["$defs"]["comparison"]);
    agrees::<lesson::Text>(&checks["$defs"]["text"]);
    agrees::<lesson::Setup>(&schema("setup"));
    let glossary = schema("glossary");
    agrees::<Glossary>(&glossary);
    agrees::<lesson::Term>(&glossary["$defs"]["term"]);
    agrees::<lesson::Words>(&glossary["$defs"]["words"]);
}

#[test]
fn course_yaml_has_the_fields_of_its_schema() {
    let schema = schema("course");
    let names: Vec<&json::Text> = schema["properties"].as_object().expect("an object").keys().collect();
    assert_eq!(names, ["lessons", "pages", "summary", "title"]);
    let problems = |yaml: &str| {
        let files = CourseFiles::from([("course.yaml".to_owned(), yaml.to_owned())]);
        let problems = Course::parse("c", &files, &Glossary::default()).err().unwrap_or_default();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let whole = "title: {ja: a, en: a}\nsummary: {ja: a, en: a}\nlessons: []\npages: []\n";
    assert_eq!(problems(whole), "");
    assert!(problems(&format!("{whole}more: 1\n")).contains("unknown field"));
    for name in schema["required"].as_array().expect("a list") {
        let name = name.as_str().expect("text");
        let without: String = whole.lines().filter(|l| !l.starts_with(name)).map(|l| format!("{l}\n")).collect();
        assert!(problems(&without).contains(&format!("missing field `{name}`")), "{name}");
    }
}

/// The part of JSON Schema that our schemas use; gives the first thing that is wrong.
fn check(value: &Value, schema: &Value, whole: &Value, at: &str) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{at}: {what}: {value}"));
    if let Some(name) = schema["$ref"].as_str() {
        return check(value, whole.pointer(&name[1..]).ok_or("a $ref that leads nowhere")?, whole, at);
    }
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    if !fits {
        return wrong("type");
    }
    if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
        return wrong("enum");
    }
    let length = value.as_str().map(str::len).or(value.as_array().map(json::Array::len)).unwrap_or_default() as u64;
    if schema["minLength"].as_u64().or(schema["minItems"].as_u64()).is_some_and(|least| length < least) {
        return wrong("too short");
    }
    if schema["minimum"].as_i64().is_some_and(|least| value.as_i64() < Some(least)) {
        return wrong("too small");
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        let known = schema["properties"].get(name).ok_or(format!("{at}.{name}: unknown"))?;
        check(inner, known, whole, &format!("{at}.{name}"))?;
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            return wrong(&format!("{name} is missing"));
        }
    }
    if let Some(ways) = schema["oneOf"].as_array()
        && ways.iter().filter(|way| value.get(way["required"][0].as_str().unwrap_or_default()).is_some()).count() != 1
    {
        return wrong("exactly one is due");
    }
    for (index, inner) in value.as_array().into_iter().flatten().enumerate() {
        check(inner, &schema["items"], whole, &format!("{at}[{index}]"))?;
    }
    Ok(())
}

#[test]
fn the_projects_own_files_pass_the_schemas() {
    let tutorials = root().join("tutorials");
    let mut pending = vec![tutorials.clone()];
    let mut seen = 0;
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(&folder).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                pending.push(path);
                continue;
            }
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let in_files = path.components().any(|part| part.as_os_str() == "files");
            if path.extension().is_none_or(|e| e != "yaml") || in_files {
                continue;
            }
            let schema = schema(&name);
            let text = std::fs::read_to_string(&path).expect("text");
            let value = api::yaml::parse(&text).expect("YAML").remove(0);
            check(&value, &schema, &schema, "$").unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display()));
            seen += 1;
        }
    }
    assert!(seen >= 14, "index, glossary, course, and two files a lesson: {seen}");
}

#[test]
fn the_schemas_can_refuse() {
    let schema = schema("checks");
    for (yaml, words) in [
        ("checks: [{id: a, text: {ja: x, en: x}, all: []}]", "too short"),
        ("checks: [{id: a, text: {ja: x}}]", "en is missing"),
        ("checks: [{id: a, text: {ja: x, en: x}, all: [{hint: {ja: x, en: x}}]}]", "exactly one"),
        ("checks: [{id: a, text: {ja: x, en: x}, all: [{hint: {ja: x, en: x}, trace: {type: cal}}]}]", "enum"),
        ("checks: [{id: a, text: {ja: x, en: x}, a: 1}]", "unknown"),
    ] {
        let value = api::yaml::parse(yaml).expect("YAML").remove(0);
        let error = check(&value, &schema, &schema, "$").expect_err(yaml);
        assert!(error.contains(words), "{yaml}: {error}");
    }
}
