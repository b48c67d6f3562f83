//! Objects from `-f`: files, directories, standard input; YAML and JSON, several to a file, lists taken apart.

use std::rc::Rc;

use serde_json::Value;

use crate::failure::{Failure, Outcome};
use crate::flags::Args;
use crate::kustomize;
use crate::session::Session;

/// One object of a manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The object.
    pub value: Value,
    /// The file as it is named in messages: `a.yaml`, `dir/a.yaml`, `STDIN`.
    pub source: String,
}

/// Reads everything that `-f` or `-k` names.
///
/// # Errors
/// A path that does not exist, text that is neither YAML nor JSON.
pub async fn load(session: &Rc<Session>, args: &Args) -> Outcome<Vec<Document>> {
    if !args.text("kustomize").is_empty() {
        let directory = args.text("kustomize");
        let built = kustomize::build(session, directory)?;
        return Ok(built.into_iter().map(|value| Document { value, source: directory.to_owned() }).collect());
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

/// Reads one file's text.
pub fn read(text: &str, source: &str, into: &mut Vec<Document>) -> Outcome {
    let trimmed = text.trim_start();
    if trimmed.starts_with('{') {
        for value in serde_json::Deserializer::from_str(trimmed).into_iter::<Value>() {
            let value = value.map_err(|why| {
                let why = if why.is_eof() { "unexpected EOF".to_owned() } else { why.to_string() };
                Failure::message(format!("error parsing {source}: {why}"))
            })?;
            take_apart(value, source, into);
        }
        return Ok(());
    }
    let values = api::yaml::parse(text).map_err(|why| Failure::message(format!("error parsing {source}: {why}")))?;
    for value in values.into_iter().filter(|v| !v.is_null()) {
        take_apart(value, source, into);
    }
    Ok(())
}

fn take_apart(value: Value, source: &str, into: &mut Vec<Document>) {
    let is_list = value.get("kind").and_then(Value::as_str).is_some_and(|k| k.ends_with("List"));
    match value.get("items").and_then(Value::as_array) {
        Some(items) if is_list => items.iter().for_each(|item| take_apart(item.clone(), source, into)),
        _ => into.push(Document { value, source: source.to_owned() }),
    }
}

/// The failure of an object without kind or apiVersion.
pub fn check_shape(document: &Document) -> Outcome {
    let why = if !document.value.is_object() {
        "invalid object to validate"
    } else if field(&document.value, "apiVersion").is_empty() {
        "apiVersion not set"
    } else if field(&document.value, "kind").is_empty() {
        "kind not set"
    } else {
        return check_metadata(document);
    };
    Err(Failure::message(format!(
        "error validating \"{}\": error validating data: {why}; if you choose to ignore these errors, turn validation off with --validate=false",
        document.source
    )))
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

fn field<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or("")
}
