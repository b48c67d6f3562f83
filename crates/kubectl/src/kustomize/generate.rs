//! `configMapGenerator` and `secretGenerator`.

use base64::Engine;
use json::{Map, Value, json};

use super::load::{items, strings};
use super::{Resource, normal};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

type Pairs = Vec<(String, Vec<u8>)>;

/// Adds what the generators of a kustomization make.
pub fn run(session: &Session, directory: &str, kustomization: &Value, all: &mut Vec<Resource>) -> Outcome {
    for (field, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
        for generator in items(kustomization, field) {
            let pairs = pairs(session, directory, generator)?;
            let made = object(generator, kind, pairs, &kustomization["generatorOptions"])?;
            place(made, generator, all)?;
        }
    }
    Ok(())
}

/// Keys and values of a generator: environment files, then literals, then files.
fn pairs(session: &Session, directory: &str, generator: &Value) -> Outcome<Pairs> {
    let read = |path: &str| {
        let path = normal(&format!("{directory}/{path}"));
        let missing = format!("evalsymlink failure on '{path}' : lstat {path}: no such file or directory");
        session.place.read_file(&path).map_err(|_| Failure::message(missing))
    };
    let mut pairs = Pairs::new();
    for file in strings(generator, "envs").chain(generator["env"].as_str()) {
        let text = String::from_utf8_lossy(&read(file)?).into_owned();
        for line in text.lines().map(str::trim_start).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let (key, value) = match line.split_once('=') {
                Some((key, value)) => (key, value.to_owned()),
                None => (line, session.place.env(line).unwrap_or_default()),
            };
            pairs.push((key.to_owned(), value.into_bytes()));
        }
    }
    for literal in strings(generator, "literals") {
        let Some((key, value)) = literal.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(Failure::message(format!("invalid literal source {literal}, expected key=value")));
        };
        pairs.push((key.to_owned(), value.trim_matches(['"', '\'']).as_bytes().to_vec()));
    }
    for file in strings(generator, "files") {
        let (key, path) = file.split_once('=').unwrap_or((file.rsplit('/').next().unwrap_or(file), file));
        pairs.push((key.to_owned(), read(path)?));
    }
    Ok(pairs)
}

fn object(generator: &Value, kind: &str, pairs: Pairs, common: &Value) -> Outcome<Resource> {
    let Some(name) = generator["name"].as_str().filter(|name| !name.is_empty()) else {
        return Err(Failure::message(format!("missing metadata.name in {kind} generator")));
    };
    let mut metadata = json!({ "name": name });
    if let Some(namespace) = generator["namespace"].as_str() {
        metadata["namespace"] = namespace.into();
    }
    let own = &generator["options"];
    for field in ["labels", "annotations"] {
        for (key, value) in [common, own].into_iter().filter_map(|o| o[field].as_object()).flatten() {
            metadata[field][key] = value.clone();
        }
    }
    let (mut data, mut binary) = (Map::new(), Map::new());
    let base64 = base64::engine::general_purpose::STANDARD;
    for (key, bytes) in pairs {
        if data.contains_key(&key) || binary.contains_key(&key) {
            return Err(Failure::message(format!(
                "cannot add key {key}, another key by that name already exists: configmap {name} illegally repeats the key `{key}`"
            )));
        }
        match (kind, String::from_utf8(bytes)) {
            ("Secret", text) => {
                let bytes = text.map_or_else(std::string::FromUtf8Error::into_bytes, String::into_bytes);
                data.insert(key.into(), base64.encode(bytes).into());
            }
            (_, Ok(text)) => drop(data.insert(key.into(), text.into())),
            (_, Err(bytes)) => drop(binary.insert(key.into(), base64.encode(bytes.as_bytes()).into())),
        }
    }
    let mut object = json!({"apiVersion": "v1", "kind": kind, "metadata": metadata});
    for (field, map) in [("data", data), ("binaryData", binary)] {
        if !map.is_empty() {
            object[field] = map.into();
        }
    }
    if kind == "Secret" {
        object["type"] = generator["type"].as_str().unwrap_or("Opaque").into();
    }
    let switch = |field: &str| own[field].as_bool().or_else(|| common[field].as_bool()).unwrap_or(false);
    if switch("immutable") {
        object["immutable"] = true.into();
    }
    Ok(Resource { needs_hash: !switch("disableNameSuffixHash"), ..Resource::new(object) })
}

/// Adds what was made, or changes what is there, as `behavior` says.
fn place(made: Resource, generator: &Value, all: &mut Vec<Resource>) -> Outcome {
    let behavior = generator["behavior"].as_str().unwrap_or("create");
    let is_same = |r: &&mut Resource| {
        r.kind() == made.kind()
            && r.is_called(made.name())
            && (made.namespace().is_empty() || r.namespace() == made.namespace())
    };
    let found = all.iter_mut().find(is_same);
    match (behavior, found) {
        ("create" | "", None) => all.push(made),
        ("create" | "", Some(_)) => {
            return Err(Failure::message(format!(
                "id resid.ResId {} exists; behavior must be merge or replace",
                made.id()
            )));
        }
        (_, None) => {
            return Err(Failure::message(format!(
                "merging from generator: id {} does not exist; cannot merge or replace",
                made.id()
            )));
        }
        ("replace", Some(old)) => {
            for field in ["data", "binaryData"] {
                old.value[field] = made.value[field].clone();
                if old.value[field].is_null()
                    && let Some(map) = old.value.as_object_mut()
                {
                    map.remove(field);
                }
            }
            old.needs_hash = made.needs_hash;
        }
        (_, Some(old)) => {
            for field in ["data", "binaryData"] {
                for (key, value) in made.value[field].as_object().into_iter().flatten() {
                    old.value[field][key] = value.clone();
                }
            }
            for field in ["labels", "annotations"] {
                for (key, value) in made.value["metadata"][field].as_object().into_iter().flatten() {
                    old.value["metadata"][field][key] = value.clone();
                }
            }
            old.needs_hash = made.needs_hash;
        }
    }
    Ok(())
}
