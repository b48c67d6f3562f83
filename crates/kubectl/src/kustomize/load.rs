//! Reading kustomizations and what they name.

use json::Value;

use super::{Resource, normal, target};
use crate::failure::{Failure, Outcome};
use crate::manifests;
use crate::session::Session;

/// The names that a kustomization may have.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The fields that are built.
const FIELDS: &[&str] = &[
    "apiVersion",
    "kind",
    "metadata",
    "resources",
    "bases",
    "components",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "commonAnnotations",
    "configMapGenerator",
    "secretGenerator",
    "generatorOptions",
    "patches",
    "patchesStrategicMerge",
    "patchesJson6902",
    "images",
    "replicas",
];

/// The fields that kustomize has besides.
const NOT_BUILT: &[&str] = &[
    "buildMetadata",
    "configurations",
    "crds",
    "generators",
    "helmChartInflationGenerator",
    "helmCharts",
    "helmGlobals",
    "openapi",
    "replacements",
    "sortOptions",
    "transformers",
    "validators",
    "vars",
];

/// Why something is no directory to build.
pub fn no_directory(name: &str, path: &str) -> String {
    format!(
        "must build at directory: not a valid directory: evalsymlink failure on '{name}' : lstat {path}: no such file or directory"
    )
}

/// The kustomization of a directory.
pub fn kustomization(session: &Session, directory: &str) -> Outcome<Value> {
    let path = |name: &&str| format!("{directory}/{name}");
    let found: Vec<&str> =
        NAMES.iter().copied().filter(|name| session.place.stat(&path(name)) == Some(false)).collect();
    let name = match found.as_slice() {
        [] => {
            let (last, first) = NAMES.split_last().unwrap_or((&"", &[]));
            let first: Vec<String> = first.iter().map(|name| format!("'{name}'")).collect();
            let why = format!("unable to find one of {} or '{last}' in directory '{directory}'", first.join(", "));
            return Err(Failure::message(why));
        }
        [name] => name,
        _ => return Err(Failure::message(format!("Found multiple kustomization files under: {directory}\n"))),
    };
    let bytes = session.place.read_file(&path(name)).map_err(Failure::message)?;
    let text = String::from_utf8_lossy(&bytes);
    let value = api::yaml::parse(&text)
        .map_err(|why| Failure::message(format!("invalid Kustomization: yaml: {}", why.problem)))?
        .into_iter()
        .next()
        .unwrap_or(Value::Null);
    if value.as_object().is_none_or(json::Map::is_empty) {
        return Err(Failure::message("kustomization.yaml is empty"));
    }
    check_fields(&value)?;
    Ok(value)
}

fn check_fields(kustomization: &Value) -> Outcome {
    for field in kustomization.as_object().into_iter().flat_map(|map| map.keys()) {
        if NOT_BUILT.contains(&field.as_str()) {
            let text = simulation::stub!("kubectl kustomize", "some fields of kustomizations");
            return Err(Failure::message(format!("{text}: {field}")));
        }
        if !FIELDS.contains(&field.as_str()) {
            return Err(Failure::message(format!(
                "invalid Kustomization: json: unknown field {}",
                crate::flags::parse::go_quote(field)
            )));
        }
    }
    Ok(())
}

/// The texts of a list.
pub fn strings<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    value[field].as_array().map_or(&[][..], json::Array::as_slice).iter().filter_map(Value::as_str)
}

/// The elements of a list.
pub fn items<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map_or(&[][..], json::Array::as_slice)
}

/// Adds what an entry of `resources` names: a file, or a directory with a kustomization.
pub fn accumulate(session: &Session, directory: &str, entry: &str, depth: usize, into: &mut Vec<Resource>) -> Outcome {
    if entry.contains("://") || entry.starts_with("github.com/") {
        return Err(Failure::message(simulation::stub!("kubectl kustomize", "resources from other machines")));
    }
    let path = normal(&if entry.starts_with('/') { entry.to_owned() } else { format!("{directory}/{entry}") });
    let found = match session.place.stat(&path) {
        Some(true) => target(session, &path, depth + 1).map_err(|failure| {
            Failure::message(format!(
                "accumulating resources: accumulation err='accumulating resources from '{entry}': '{path}' must resolve to a file': recursed accumulation of path '{path}': {}",
                failure.bare()
            ))
        })?,
        Some(false) if !is_below(&path, directory) => {
            let why = format!("security; file '{path}' is not in or below '{directory}'");
            return Err(not_accumulated(&path, &format!("accumulating resources from '{entry}': {why}")));
        }
        Some(false) => file(session, entry, &path)?,
        None => {
            let missing = format!("evalsymlink failure on '{path}' : lstat {path}: no such file or directory");
            return Err(Failure::message(format!(
                "accumulating resources: accumulation err='accumulating resources from '{entry}': {missing}': must build at directory: not a valid directory: {missing}"
            )));
        }
    };
    for resource in found {
        add(into, resource, entry, &path)?;
    }
    Ok(())
}

/// Whether a file belongs to a kustomization: nothing is read from elsewhere.
pub fn is_below(path: &str, directory: &str) -> bool {
    path.starts_with(&format!("{}/", directory.trim_end_matches('/')))
}

/// What was tried with an entry that is a file: first as a file, and then as a directory.
fn not_accumulated(path: &str, why: &str) -> Failure {
    Failure::message(format!(
        "accumulating resources: accumulation err='{why}': must build at directory: '{path}': file is not directory"
    ))
}

fn file(session: &Session, entry: &str, path: &str) -> Outcome<Vec<Resource>> {
    let bytes = session.place.read_file(path).map_err(Failure::message)?;
    let mut documents = Vec::new();
    manifests::read(&String::from_utf8_lossy(&bytes), entry, &mut documents)?;
    let mut found = Vec::new();
    for document in documents {
        let resource = Resource::new(document.value);
        if resource.kind().is_empty() || resource.name().is_empty() {
            let what = if resource.kind().is_empty() { "kind" } else { "metadata.name" };
            let why = format!("missing {what} in object {{{}}}", resource.id());
            return Err(not_accumulated(path, &format!("accumulating resources from '{entry}': {why}")));
        }
        found.push(resource);
    }
    Ok(found)
}

/// Adds an object unless there is one of the same kind and name.
fn add(into: &mut Vec<Resource>, resource: Resource, entry: &str, path: &str) -> Outcome {
    if into.iter().any(|other| other.id() == resource.id()) {
        let why = format!("may not add resource with an already registered id: {}", resource.id());
        return Err(not_accumulated(path, &format!("merging resources from '{entry}': {why}")));
    }
    into.push(resource);
    Ok(())
}
