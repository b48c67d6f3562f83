//! Objects from `-f`: files, directories, standard input; YAML and JSON, several to a file, lists taken apart.

use std::rc::Rc;

use json::Value;

use crate::failure::{Failure, Outcome};
use crate::flags::Args;
use crate::goval;
use crate::kustomize;
use crate::session::Session;

/// One object of a manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The object.
    pub value: Value,
    /// The file as it is named in messages: `a.yaml`, `dir/a.yaml`, `STDIN`.
    pub source: String,
    /// Why validation refuses it, if it does.
    pub refused: Option<String>,
}

/// Reads everything that `-f` or `-k` names.
///
/// # Errors
/// A path that does not exist, text that is neither YAML nor JSON.
pub async fn load(session: &Rc<Session>, args: &Args) -> Outcome<Vec<Document>> {
    let mut documents = load_as_written(session, args).await?;
    // Of the verbs that have the flag; the others only decode.
    if matches!(args.text("validate"), "strict" | "true" | "warn") {
        documents.iter_mut().for_each(validate);
    }
    Ok(documents)
}

async fn load_as_written(session: &Rc<Session>, args: &Args) -> Outcome<Vec<Document>> {
    if !args.text("kustomize").is_empty() {
        let directory = args.text("kustomize");
        let built = kustomize::build(session, directory)?;
        return Ok(built
            .into_iter()
            .map(|value| Document { value, source: directory.to_owned(), refused: None })
            .collect());
    }
    let mut documents = Vec::new();
    for name in args.list("filename") {
        if name == "-" {
            let bytes = session.stdin_to_end().await;
            read(&String::from_utf8_lossy(&bytes), "STDIN", &mut documents)?;
        } else if name.starts_with("http://") || name.starts_with("https://") {
            return Err(Failure::message(simulation::stub!("kubectl", "manifests from a URL")));
        } else {
            for file in files(session, &name, args.on("recursive"))? {
                let bytes = session
                    .place
                    .read_file(&session.absolute(&file))
                    .map_err(|_| Failure::message(format!("the path \"{file}\" cannot be accessed")))?;
                read(&String::from_utf8_lossy(&bytes), &file, &mut documents)?;
            }
        }
    }
    Ok(documents)
}

/// The files that one `-f` names.
fn files(session: &Session, name: &str, recursive: bool) -> Outcome<Vec<String>> {
    let missing = || Failure::message(format!("the path \"{name}\" does not exist"));
    if !session.place.stat(&session.absolute(name)).ok_or_else(missing)? {
        return Ok(vec![name.to_owned()]);
    }
    let mut found = Vec::new();
    walk(session, name.trim_end_matches('/'), recursive, &mut found, 0);
    if found.is_empty() {
        return Err(Failure::message(format!(
            "error reading [{name}]: recognized file extensions are [.json .yaml .yml]"
        )));
    }
    Ok(found)
}

/// Deepest directory that -R goes into.
const DIRECTORY_DEPTH_MAX: usize = 32;

fn walk(session: &Session, directory: &str, recursive: bool, found: &mut Vec<String>, depth: usize) {
    if depth > DIRECTORY_DEPTH_MAX {
        return;
    }
    for entry in session.place.list(&session.absolute(directory)) {
        let path = format!("{directory}/{entry}");
        match session.place.stat(&session.absolute(&path)) {
            Some(true) if recursive => walk(session, &path, recursive, found, depth + 1),
            Some(false) if [".json", ".yaml", ".yml"].iter().any(|end| path.ends_with(end)) => found.push(path),
            _ => {}
        }
    }
}

/// Reads one file's text. What starts like JSON is JSON, unless it is not and can be read as YAML.
pub fn read(text: &str, source: &str, into: &mut Vec<Document>) -> Outcome {
    let failure = |why: String| Failure::message(format!("error parsing {source}: {why}"));
    let (mut rest, mut complaint) = (text, None);
    if text.trim_start().starts_with('{') {
        let mut stream = json::Deserializer::from_str(text).into_iter::<Value>();
        for count in 0.. {
            match stream.next() {
                None => return Ok(()),
                Some(Ok(value)) => take_apart(value, source, into),
                Some(Err(why)) => {
                    // A trailing comma, single quotes: JSON to whoever wrote it, YAML to the reader. Only a second object
                    // settles that it is JSON.
                    let words = api::gojson::of_stream(text, count > 1).unwrap_or_else(|| why.to_string());
                    if count > 1 {
                        return Err(failure(words));
                    }
                    (rest, complaint) = (&text[stream.byte_offset()..], Some(words));
                    break;
                }
            }
        }
    }
    for (number, value) in api::yaml::parse_documents(rest).into_iter().enumerate() {
        match value {
            Ok(Value::Null) => {}
            Ok(value) => take_apart(value, source, into),
            Err(why) => return Err(failure(complaint.filter(|_| number == 0).unwrap_or_else(|| why.to_string()))),
        }
    }
    Ok(())
}

fn take_apart(value: Value, source: &str, into: &mut Vec<Document>) {
    let is_list = value.get("kind").and_then(Value::as_str).is_some_and(|k| k.ends_with("List"));
    match value.get("items").and_then(Value::as_array) {
        Some(items) if is_list => items.iter().for_each(|item| take_apart(item.clone(), source, into)),
        _ => into.push(Document { value, source: source.to_owned(), refused: None }),
    }
}

/// Refuses a document that is not even the beginning of an object. It is reported when the turn of the document comes;
/// those before it are dealt with.
fn validate(document: &mut Document) {
    let value = &document.value;
    let field = |name: &str| match value.get(name) {
        None | Some(Value::Null) => Some(format!("{name} not set")),
        Some(Value::String(_)) => None,
        Some(_) => Some(format!("{name} isn't string type")),
    };
    let why: Vec<String> = match value {
        Value::Null => return,
        Value::Object(_) => ["apiVersion", "kind"].into_iter().filter_map(field).collect(),
        _ => vec!["invalid object to validate".to_owned()],
    };
    let why = match why.as_slice() {
        [] => return,
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    };
    document.refused = Some(format!(
        "error validating \"{}\": error validating data: {why}; if you choose to ignore these errors, turn validation off with --validate=false",
        document.source
    ));
}

/// The failure of what cannot be decoded as an object, after that of validation.
pub fn check_shape(document: &Document) -> Outcome {
    let value = &document.value;
    if let Some(refused) = &document.refused {
        return Err(Failure::message(refused.clone()));
    }
    let why = match value {
        Value::Null | Value::Object(_) => None,
        _ => Some(format!("json: cannot unmarshal {} into Go value of type unstructured.detector", go_kind(value))),
    };
    let missing = || {
        let kind = value.get("kind").and_then(Value::as_str).unwrap_or("");
        kind.is_empty().then(|| format!("Object 'Kind' is missing in '{}'", goval::json(value)))
    };
    let mistyped = || {
        let field = |name, member: &str, wanted| {
            let found = value.get(name).filter(|v| !v.is_null() && go_kind(v) != wanted)?;
            let wanted = if wanted == "object" { "v1.ObjectMeta" } else { wanted };
            Some(format!(
                "json: cannot unmarshal {} into Go struct field metadataOnlyObject.{member} of type {wanted}",
                go_kind(found)
            ))
        };
        field("apiVersion", "TypeMeta.apiVersion", "string").or_else(|| field("metadata", "metadata", "object"))
    };
    match why.or_else(missing).or_else(mistyped) {
        Some(why) => Err(Failure::message(format!("unable to decode \"{}\": {why}", document.source))),
        None => check_metadata(document),
    }
}

/// What Go's JSON decoder calls a value.
fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The definition of the metadata of every object.
const OBJECT_META: &str = "apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// Of every object, whatever it is, the client reads the metadata: `name: y` is no text.
fn check_metadata(document: &Document) -> Outcome {
    let definition = api::schema::definition(OBJECT_META);
    let Some(error) = definition.and_then(|d| api::schema::check(d, &document.value["metadata"]).error) else {
        return Ok(());
    };
    let why = error.replacen("field ObjectMeta.", "field ObjectMeta.metadata.", 1);
    Err(Failure::message(format!("unable to decode \"{}\": {why}", document.source)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(failure: Failure) -> String {
        match failure {
            Failure::Message(text) => text,
            other => panic!("{other:?}"),
        }
    }

    /// What kubectl 1.36.3 says of a file (`create --dry-run=client`), validating or not; nothing if it takes it.
    fn said(text: &str, validating: bool) -> String {
        let mut documents = Vec::new();
        read(text, "a.yaml", &mut documents).unwrap();
        if validating {
            documents.iter_mut().for_each(validate);
        }
        documents.iter().find_map(|d| check_shape(d).err()).map_or_else(String::new, words)
    }

    #[test]
    fn shapes_are_refused_in_kubectls_words() {
        for (text, validated, decoded) in [
            (
                "apiVersion: v1\nmetadata:\n  name: a\n",
                "kind not set",
                r#"Object 'Kind' is missing in '{"apiVersion":"v1","metadata":{"name":"a"}}'"#,
            ),
            ("kind: Pod\n", "apiVersion not set", ""),
            (
                "b: <a>&\n",
                "[apiVersion not set, kind not set]",
                r#"Object 'Kind' is missing in '{"b":"\u003ca\u003e\u0026"}'"#,
            ),
            (
                "apiVersion: v1\nkind: 1\n",
                "kind isn't string type",
                r#"Object 'Kind' is missing in '{"apiVersion":"v1","kind":1}'"#,
            ),
            (
                "apiVersion: 1\nkind: Pod\n",
                "apiVersion isn't string type",
                "json: cannot unmarshal number into Go struct field metadataOnlyObject.TypeMeta.apiVersion of type string",
            ),
            (
                "hello\n",
                "invalid object to validate",
                "json: cannot unmarshal string into Go value of type unstructured.detector",
            ),
            (
                "5.5\n",
                "invalid object to validate",
                "json: cannot unmarshal number into Go value of type unstructured.detector",
            ),
            (
                "- a\n",
                "invalid object to validate",
                "json: cannot unmarshal array into Go value of type unstructured.detector",
            ),
            ("apiVersion: v1\nkind: ''\n", "", r#"Object 'Kind' is missing in '{"apiVersion":"v1","kind":""}'"#),
            (
                "apiVersion: v1\nkind: Pod\nmetadata: x\n",
                "",
                "json: cannot unmarshal string into Go struct field metadataOnlyObject.metadata of type v1.ObjectMeta",
            ),
            (
                "apiVersion: v1\nkind: Pod\nmetadata:\n  name: 1\n",
                "",
                "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string",
            ),
            ("apiVersion: v1\nkind: Pod\n", "", ""),
        ] {
            let decoded =
                if decoded.is_empty() { String::new() } else { format!("unable to decode \"a.yaml\": {decoded}") };
            assert_eq!(said(text, false), decoded, "{text:?}");
            let validated = match validated {
                "" => decoded,
                why => format!(
                    "error validating \"a.yaml\": error validating data: {why}; if you choose to ignore these errors, turn validation off with --validate=false"
                ),
            };
            assert_eq!(said(text, true), validated, "{text:?}");
        }
    }

    #[test]
    fn json_is_refused_in_gos_words_or_read_as_yaml() {
        let mut wrong = Vec::new();
        for (text, why) in [
            (
                "{{ if x }}\na: 1\n{{ end }}\n",
                "json: offset 2: invalid character '{' looking for beginning of object key string",
            ),
            ("{\"kind\": \"Pod\" \"a\": 1}\n", "json: offset 16: invalid character '\"' after object key:value pair"),
            ("{\"kind\": \"Pod\"\n", "unexpected EOF"),
            ("{\"a\": [1,]}\n", "{\"a\":[1]}"),
            ("{'a': 1}\n", "{\"a\":1}"),
            ("{\n  \"a\": 1,\n  \"b\": 2,\n}\n", "{\"a\":1,\"b\":2}"),
            ("{\n  \"a\": 1\n  \"b\": 2\n}\n", "json: offset 14: invalid character '\"' after object key:value pair"),
            ("{\"a\": 1}}\n", "json: offset 9: invalid character '}' looking for beginning of value"),
            (
                "{\"a\": 1}\n{\"b\": \"c\" \"d\"}\n",
                "json: offset 20: invalid character '\"' after object key:value pair",
            ),
            ("{\"a\": tru}\n", "{\"a\":\"tru\"}"),
            ("{\"a\": \"x\ny\"}\n", "{\"a\":\"x y\"}"),
            ("{\"a\": \"\\q\"}\n", "json: offset 9: invalid character 'q' in string escape code"),
            ("{\"a\": 01}\n", "{\"a\":1}"),
            ("{\"a\" 1}\n", "json: offset 6: invalid character '1' after object key"),
            ("{\"a\": }\n", "{\"a\":null}"),
            ("{\"a\": 1,\n", "unexpected EOF"),
            ("{\"a\": \"x}\n", "json: offset 10: invalid character '\\n' in string literal"),
            ("{\n\"a\": [1, 2\n}\n", "json: offset 14: invalid character '}' after array element"),
            (
                "{\n\"a\": {\"b\": 1\n\"c\": 2}\n}\n",
                "json: offset 16: invalid character '\"' after object key:value pair",
            ),
            ("{\"a\": 1}\n---\n{\"b\": 1}\n", "{\"a\":1} {\"b\":1}"),
            ("{\"a\": 1},\n{\"b\": 1}\n", "json: offset 9: invalid character ',' looking for beginning of value"),
            ("  {\"kind\": \"Pod\" \"a\": 1}\n", "json: offset 18: invalid character '\"' after object key:value pair"),
            ("{\"a\": 1}\n---\nb: 1\n", "{\"a\":1} {\"b\":1}"),
            ("{\"a\": nul}\n", "{\"a\":\"nul\"}"),
            ("{\"a\": 1.}\n", "{\"a\":1}"),
            ("{\"a\": \"b\"\n\"c\": \"d\"}\n", "json: offset 11: invalid character '\"' after object key:value pair"),
            ("{\"a\": {\"b\": [1 2]}}\n", "{\"a\":{\"b\":[\"1 2\"]}}"),
            ("{\n\t\"a\": 1,\n}\n", "{\"a\":1}"),
            ("{\n\t\"a\": 1\n\t\"b\": 2\n}\n", "json: offset 12: invalid character '\"' after object key:value pair"),
            ("{\"a\": \"\t\"}\n", "{\"a\":\"\\t\"}"),
            ("{\"é\": \"ü\" \"a\"}\n", "json: offset 13: invalid character '\"' after object key:value pair"),
            (
                "{\"kind\": \"Pod\", \"apiVersion\": \"v1\", \"metadata\": {\"name\": \"a\"}}\n{\"kind\": \"Pod\" \"x\"}\n",
                "json: offset 79: invalid character '\"' after object key:value pair",
            ),
            (
                "{\"kind\": \"Pod\", \"apiVersion\": \"v1\", \"metadata\": {\"name\": \"a\"}}\n---\nkind: x: y\n",
                "json: offset 65: invalid character '-' in numeric literal",
            ),
            (
                "\n\n{\"kind\": \"Pod\" \"a\": 1}\n",
                "json: offset 18: invalid character '\"' after object key:value pair",
            ),
            (
                "# c\n{\"kind\": \"Pod\" \"a\": 1}\n",
                "error converting YAML to JSON: yaml: line 1: did not find expected ',' or '}'",
            ),
            ("{a b}\n", "{\"a b\":null}"),
            ("{]\n", "json: offset 2: invalid character ']' looking for beginning of object key string"),
            ("{\"a\":1", "unexpected EOF"),
            ("{", "unexpected EOF"),
            ("{\"a\": \"b\n", "json: offset 9: invalid character '\\n' in string literal"),
            ("{\"a\": b\"c\"}\n", "{\"a\":\"b\\\"c\\\"\"}"),
            ("{\n  \"a\": 'x'\n}\n", "{\"a\":\"x\"}"),
            ("{\"kind\": \"Pod\",}\n", "{\"kind\":\"Pod\"}"),
        ] {
            let mut documents = Vec::new();
            let said = match read(text, "a.json", &mut documents) {
                Ok(()) => documents.iter().map(|d| d.value.to_string()).collect::<Vec<_>>().join(" "),
                Err(failure) => words(failure).replace("error parsing a.json: ", ""),
            };
            if said != why {
                wrong.push(format!("{text:?}\n  kubectl: {why}\n  ours: {said}\n"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.concat());
    }
}
