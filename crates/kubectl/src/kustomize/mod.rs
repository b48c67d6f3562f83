//! Kustomizations (`sigs.k8s.io/kustomize`): objects from a directory, changed as its `kustomization.yaml` says.
//!
//! Everything is local: nothing asks the server. A field that is not built is refused by name, never ignored.

mod generate;
mod images;
mod labels;
mod load;
mod names;
mod order;
mod patches;

use json::Value;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// One object on its way through kustomizations.
#[derive(Clone, Debug)]
struct Resource {
    value: Value,
    /// The names that it had before.
    old_names: Vec<String>,
    /// It was generated, and its name is to end with a hash of its content.
    needs_hash: bool,
}

impl Resource {
    fn new(value: Value) -> Resource {
        Resource { value, old_names: Vec::new(), needs_hash: false }
    }

    fn text(&self, pointer: &str) -> &str {
        self.value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
    }

    fn kind(&self) -> &str {
        self.text("/kind")
    }

    fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    fn namespace(&self) -> &str {
        self.text("/metadata/namespace")
    }

    fn rename(&mut self, name: String) {
        let old = self.name().to_owned();
        if old != name {
            self.old_names.push(old);
            self.value["metadata"]["name"] = name.into();
        }
    }

    /// Whether it is, or was once, called that.
    fn is_called(&self, name: &str) -> bool {
        self.name() == name || self.old_names.iter().any(|old| old == name)
    }

    /// The group and version.
    fn group_version(&self) -> (&str, &str) {
        let text = self.text("/apiVersion");
        text.split_once('/').unwrap_or(("", text))
    }

    /// `Deployment.v1.apps/web.[noNs]`, as messages name it.
    fn id(&self) -> String {
        let (group, version) = self.group_version();
        let group = if group.is_empty() { "[noGrp]" } else { group };
        let namespace = if self.namespace().is_empty() { "[noNs]" } else { self.namespace() };
        format!("{}.{version}.{group}/{}.{namespace}", self.kind(), self.name())
    }
}

/// The objects of the kustomization in a directory, in the order in which they are printed and applied.
///
/// # Errors
/// The directory has no kustomization, or the kustomization is wrong or needs what is not built.
pub fn build(session: &Session, directory: &str) -> Outcome<Vec<Value>> {
    let path = session.absolute(directory.trim_end_matches('/'));
    let path = if path.is_empty() { "/".to_owned() } else { normal(&path) };
    if session.place.stat(&path) != Some(true) {
        return Err(Failure::message(load::no_directory(directory, &path)));
    }
    let mut all = target(session, &path, 0)?;
    for resource in all.iter_mut().filter(|r| r.needs_hash) {
        let hash = crate::hashes::suffix(&resource.value, "", &Value::from(""));
        resource.rename(format!("{}-{hash}", resource.name()));
    }
    names::fix_references(&mut all);
    order::sort(&mut all);
    Ok(all.into_iter().map(|resource| resource.value).collect())
}

/// Deepest nesting of kustomizations.
const DEPTH_MAX: usize = 16;

/// The objects of one kustomization and those below it.
fn target(session: &Session, directory: &str, depth: usize) -> Outcome<Vec<Resource>> {
    if depth > DEPTH_MAX {
        return Err(Failure::message(format!("accumulating resources: kustomizations nested deeper than {DEPTH_MAX}")));
    }
    let kustomization = load::kustomization(session, directory)?;
    let mut all = Vec::new();
    for entry in load::strings(&kustomization, "resources").chain(load::strings(&kustomization, "bases")) {
        load::accumulate(session, directory, entry, depth, &mut all)?;
    }
    generate::run(session, directory, &kustomization, &mut all)?;
    change(session, directory, &kustomization, &mut all)?;
    for component in load::strings(&kustomization, "components") {
        let path = normal(&format!("{directory}/{component}"));
        if session.place.stat(&path) != Some(true) {
            let why = load::no_directory(component, &path);
            return Err(Failure::message(format!("accumulating components: {why}")));
        }
        let inner = load::kustomization(session, &path)?;
        for entry in load::strings(&inner, "resources") {
            load::accumulate(session, &path, entry, depth, &mut all)?;
        }
        generate::run(session, &path, &inner, &mut all)?;
        change(session, &path, &inner, &mut all)?;
    }
    Ok(all)
}

/// The changes of a kustomization, in kustomize's order.
fn change(session: &Session, directory: &str, kustomization: &Value, all: &mut Vec<Resource>) -> Outcome {
    let context = patches::Place { session, directory };
    patches::strategic(&context, kustomization, all)?;
    patches::with_targets(&context, kustomization, all)?;
    names::namespace(kustomization, all);
    names::affixes(kustomization, all);
    labels::run(kustomization, all);
    patches::json(&context, kustomization, all)?;
    images::replicas(kustomization, all)?;
    images::run(kustomization, all);
    Ok(())
}

/// A path without `.` and `..`.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Calls `change` with every value at a path: a slash between fields, lists on the way are gone through. Missing structs are
/// made when `create` is set, but no lists: those are marked by `[]`.
fn visit(value: &mut Value, path: &str, create: bool, change: &mut dyn FnMut(&mut Value)) {
    if let Value::Array(items) = value {
        items.iter_mut().for_each(|item| visit(item, path, create, change));
        return;
    }
    let (field, rest) = path.split_once('/').map_or((path, None), |(field, rest)| (field, Some(rest)));
    let Some(map) = value.as_object_mut() else { return };
    let is_list = field.ends_with("[]");
    let field = field.trim_end_matches("[]");
    if create && !is_list && !map.contains_key(field) {
        map.insert(field.into(), json::json!({}));
    }
    let Some(inner) = map.get_mut(field) else { return };
    if create && inner.is_null() {
        *inner = json::json!({});
    }
    match rest {
        Some(rest) => visit(inner, rest, create, change),
        None => change(inner),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_through_lists() {
        let mut value = json::json!({"a": [{"b": "1"}, {"c": 2}, {"b": "3"}]});
        visit(&mut value, "a/b", false, &mut |v| *v = "x".into());
        assert_eq!(value, json::json!({"a": [{"b": "x"}, {"c": 2}, {"b": "x"}]}));
        visit(&mut value, "m/l", true, &mut |v| v["k"] = 1.into());
        assert_eq!(value["m"], json::json!({"l": {"k": 1}}));
        assert_eq!(normal("/a/b/../c/./d"), "/a/c/d");
    }
}
