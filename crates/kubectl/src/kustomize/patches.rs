//! `patches`, `patchesStrategicMerge` and `patchesJson6902`.

use api::Object;
use api::schema;
use json::Value;

use super::load::items;
use super::{Resource, normal};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// Where files of patches are.
pub struct Place<'a> {
    pub session: &'a Session,
    pub directory: &'a str,
}

impl Place<'_> {
    fn read(&self, file: &str) -> Outcome<String> {
        let path = normal(&format!("{}/{file}", self.directory));
        let bytes = self.session.place.read_file(&path).map_err(|_| {
            let missing = format!("evalsymlink failure on '{path}' : lstat {path}: no such file or directory");
            Failure::message(format!("failed to get the patch file from path({file}): {missing}"))
        })?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The text of a patch, in place or in a file.
    fn text(&self, patch: &Value) -> Outcome<String> {
        match (patch["patch"].as_str(), patch["path"].as_str()) {
            (Some(_), Some(_)) => Err(Failure::message("patch and path can't be set at the same time")),
            (Some(text), None) => Ok(text.to_owned()),
            (None, Some(file)) => self.read(file),
            (None, None) => Err(Failure::message("must specify one of patch and path in PatchTransformer")),
        }
    }
}

fn documents(text: &str) -> Outcome<Vec<Value>> {
    let all = api::yaml::parse(text).map_err(|why| {
        Failure::message(format!("unable to parse SM or JSON patch from [{text}]: yaml: {}", why.problem))
    })?;
    Ok(all.into_iter().filter(|v| !v.is_null()).collect())
}

/// `patchesStrategicMerge`: files, or patches in place.
pub fn strategic(place: &Place<'_>, kustomization: &Value, all: &mut Vec<Resource>) -> Outcome {
    for entry in items(kustomization, "patchesStrategicMerge") {
        let text = entry.as_str().unwrap_or("");
        let text = if text.contains('\n') { text.to_owned() } else { place.read(text)? };
        for patch in documents(&text)? {
            by_id(&patch, all)?;
        }
    }
    Ok(())
}

/// `patches`: of either type, with or without a target.
pub fn with_targets(place: &Place<'_>, kustomization: &Value, all: &mut Vec<Resource>) -> Outcome {
    for entry in items(kustomization, "patches") {
        let target = &entry["target"];
        let is_hard = |field: &str| target[field].as_str().is_some_and(|text| text.contains(['[', '{', '?']));
        if is_hard("name") || is_hard("namespace") {
            return Err(Failure::message(simulation::stub!("kubectl kustomize", "targets with patterns of this kind")));
        }
        for patch in documents(&place.text(entry)?)? {
            match (&patch, target.is_object()) {
                (Value::Array(_), false) => {
                    return Err(Failure::message("must specify a target for JSON patch"));
                }
                (_, false) => by_id(&patch, all)?,
                (_, true) => {
                    let mut gone = Vec::new();
                    for (i, resource) in all.iter_mut().enumerate().filter(|(_, r)| is_target(r, target)) {
                        if !apply(resource, &patch, &entry["options"])? {
                            gone.push(i);
                        }
                    }
                    gone.into_iter().rev().for_each(|i| drop(all.remove(i)));
                }
            }
        }
    }
    Ok(())
}

/// `patchesJson6902`: each needs a target.
pub fn json(place: &Place<'_>, kustomization: &Value, all: &mut [Resource]) -> Outcome {
    for entry in items(kustomization, "patchesJson6902") {
        for patch in documents(&place.text(entry)?)? {
            let mut is_found = false;
            for resource in all.iter_mut().filter(|r| is_target(r, &entry["target"])) {
                is_found = true;
                apply(resource, &patch, &Value::Null)?;
            }
            if !is_found {
                let name = entry["target"]["name"].as_str().unwrap_or("");
                return Err(Failure::message(format!("unable to find patch target \"{name}\" in `resources`")));
            }
        }
    }
    Ok(())
}

/// Applies a strategic patch to the object that it names.
fn by_id(patch: &Value, all: &mut Vec<Resource>) -> Outcome {
    let wanted = Resource::new(patch.clone());
    let is_it = |r: &Resource| {
        r.kind() == wanted.kind()
            && r.group_version() == wanted.group_version()
            && r.is_called(wanted.name())
            && (wanted.namespace().is_empty() || r.namespace() == wanted.namespace())
    };
    let Some(at) = all.iter().position(is_it) else {
        let id = wanted.id();
        return Err(Failure::message(format!(
            "no resource matches strategic merge patch \"{id}\": no matches for Id {id}; failed to find unique target for patch {id}"
        )));
    };
    if !apply(&mut all[at], patch, &Value::Null)? {
        all.remove(at);
    }
    Ok(())
}

/// Applies a patch of either type; false when it deletes the object.
fn apply(resource: &mut Resource, patch: &Value, options: &Value) -> Outcome<bool> {
    let failed = |why: api::patch::PatchError| Failure::message(why.to_string());
    let before = resource.value.clone();
    if patch.is_array() {
        resource.value = api::patch::json_patch(&before, patch).map_err(failed)?;
    } else {
        if patch["$patch"] == "delete" {
            return Ok(false);
        }
        let definition = schema::definition_of(resource.text("/apiVersion"), resource.kind());
        resource.value = api::patch::strategic_merge(&before, patch, definition).map_err(failed)?;
    }
    for (field, option) in [("name", "allowNameChange"), ("namespace", "allowNameChange")] {
        if options[option] != true && resource.value["metadata"][field] != before["metadata"][field] {
            match before["metadata"].get(field) {
                Some(old) => resource.value["metadata"][field] = old.clone(),
                None => drop(resource.value["metadata"].as_object_mut().map(|m| m.remove(field))),
            }
        }
    }
    if options["allowKindChange"] != true {
        for field in ["kind", "apiVersion"] {
            resource.value[field] = before[field].clone();
        }
    }
    let new = resource.name().to_owned();
    resource.value["metadata"]["name"] = before["metadata"]["name"].clone();
    resource.rename(new);
    Ok(true)
}

/// Whether a target means an object. Names and namespaces are patterns for the whole text.
fn is_target(resource: &Resource, target: &Value) -> bool {
    let (group, version) = resource.group_version();
    let plain = |field: &str, own: &str| target[field].as_str().is_none_or(|wanted| wanted.is_empty() || wanted == own);
    let pattern = |field: &str, own: &[&str]| {
        target[field].as_str().is_none_or(|wanted| wanted.is_empty() || own.iter().any(|name| matches(wanted, name)))
    };
    let mut names: Vec<&str> = resource.old_names.iter().map(String::as_str).collect();
    names.push(resource.name());
    let object = Object::new(resource.value.clone());
    let selected = |field: &str, labels: std::collections::BTreeMap<String, String>| {
        let Some(text) = target[field].as_str().filter(|t| !t.is_empty()) else { return true };
        api::selector::LabelSelector::parse(text).is_ok_and(|selector| selector.matches(&labels))
    };
    plain("group", group)
        && plain("version", version)
        && plain("kind", resource.kind())
        && pattern("name", &names)
        && pattern("namespace", &[resource.namespace()])
        && selected("labelSelector", object.labels())
        && selected("annotationSelector", object.annotations())
}

/// A pattern of the simple kind that targets use: letters, `.`, `.*`, `.+`, `|` between whole alternatives.
fn matches(pattern: &str, text: &str) -> bool {
    pattern.trim_start_matches('^').trim_end_matches('$').split('|').any(|one| {
        let one = one.trim_start_matches('(').trim_end_matches(')');
        let tokens: Vec<char> = one.chars().collect();
        matches_here(&tokens, &text.chars().collect::<Vec<char>>())
    })
}

fn matches_here(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['\\', c, rest @ ..] => text.first() == Some(c) && matches_here(rest, &text[1..]),
        [c, '*', rest @ ..] => many(*c, rest, text, 0),
        [c, '+', rest @ ..] => many(*c, rest, text, 1),
        [c, rest @ ..] => text.first().is_some_and(|t| *c == '.' || c == t) && matches_here(rest, &text[1..]),
    }
}

fn many(c: char, rest: &[char], text: &[char], least: usize) -> bool {
    let run = text.iter().take_while(|t| c == '.' || **t == c).count();
    (least..=run).any(|n| matches_here(rest, &text[n..]))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_mean_the_whole_name() {
        assert!(matches("web", "web") && !matches("web", "web-1") && !matches("eb", "web"));
        assert!(matches("web.*", "web-1") && matches(".*", "x") && matches("a|b", "b"));
        assert!(!matches("web.+", "web") && matches("^web-.$", "web-1"));
    }
}
