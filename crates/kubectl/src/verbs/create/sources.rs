//! `--from-file`, `--from-literal`, `--from-env-file` (`kubectl/pkg/util/{configmap,secret,env_file}.go`).

use crate::failure::{Failure, Outcome};
use crate::flags::{Args, Flag, array, slice};
use crate::session::Session;

/// The flags.
pub static FLAGS: &[Flag] = &[
    crate::flags::switch("append-hash", "Append a hash of the content to the name."),
    slice("from-env-file", "File of KEY=VALUE lines."),
    slice(
        "from-file",
        "File whose content becomes a value, under its own name or as key=file; a directory gives all its files.",
    ),
    array("from-literal", "A key and its value, e.g. key=value."),
];

/// Keys and values in the order in which the flags give them.
pub fn read(session: &Session, args: &Args) -> Outcome<Vec<(String, Vec<u8>)>> {
    if args.changed("from-env-file") && (args.changed("from-file") || args.changed("from-literal")) {
        return Err(Failure::message("from-env-file cannot be combined with from-file or from-literal"));
    }
    let mut all = Vec::new();
    for source in args.list("from-literal") {
        let Some((key, value)) = source.split_once('=').filter(|(k, _)| !k.is_empty()) else {
            return Err(Failure::message(format!("invalid literal source {source}, expected key=value")));
        };
        let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
        let value = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')).unwrap_or(value);
        all.push((key.to_owned(), value.as_bytes().to_vec()));
    }
    for source in args.list("from-file") {
        file_source(session, &source, &mut all)?;
    }
    for file in args.list("from-env-file") {
        env_file(session, &file, &mut all)?;
    }
    Ok(all)
}

fn file_source(session: &Session, source: &str, all: &mut Vec<(String, Vec<u8>)>) -> Outcome {
    let (key, path) = match source.split_once('=') {
        None => (None, source),
        Some(("", _)) => {
            return Err(Failure::message(format!("key name for file path {} missing", source.trim_start_matches('='))));
        }
        Some((key, "")) => return Err(Failure::message(format!("file path for key name {key} missing"))),
        Some((_, rest)) if rest.contains('=') => {
            return Err(Failure::message("key names or file paths cannot contain '='"));
        }
        Some((key, path)) => (Some(key), path),
    };
    let full = session.absolute(path);
    match session.place.stat(&full) {
        None => Err(Failure::message(format!("error reading {path}: no such file or directory"))),
        Some(true) if key.is_some() => Err(Failure::message("cannot give a key name for a directory path")),
        Some(true) => {
            for name in session.place.list(&full) {
                let inner = format!("{}/{name}", full.trim_end_matches('/'));
                if session.place.stat(&inner) == Some(false) {
                    all.push((name, contents(session, &inner)?));
                }
            }
            Ok(())
        }
        Some(false) => {
            let name = key.unwrap_or_else(|| path.rsplit('/').next().unwrap_or(path));
            all.push((name.to_owned(), contents(session, &full)?));
            Ok(())
        }
    }
}

/// A file's bytes.
pub fn contents(session: &Session, path: &str) -> Outcome<Vec<u8>> {
    session.place.read_file(path).map_err(|why| Failure::message(format!("error reading {path}: {why}")))
}

fn env_file(session: &Session, file: &str, all: &mut Vec<(String, Vec<u8>)>) -> Outcome {
    let full = session.absolute(file);
    if session.place.stat(&full).is_none() {
        return Err(Failure::message(format!("error reading {file}: no such file or directory")));
    }
    let text = String::from_utf8_lossy(&contents(session, &full)?).into_owned();
    for line in text.lines() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.split_once('=') {
            Some((key, value)) => all.push((key.to_owned(), value.as_bytes().to_vec())),
            None => all.push((line.to_owned(), session.place.env(line).unwrap_or_default().into_bytes())),
        }
    }
    Ok(())
}

const KEY_RULE: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

/// Checks the keys of a ConfigMap or Secret called `name`.
pub fn check_keys(pairs: &[(String, Vec<u8>)], kind: &str, name: &str) -> Outcome {
    for (i, (key, _)) in pairs.iter().enumerate() {
        let valid = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if !valid || key == "." || key == ".." {
            return Err(Failure::message(format!("\"{key}\" is not a valid key name for a {kind}: {KEY_RULE}")));
        }
        if pairs[..i].iter().any(|(k, _)| k == key) {
            return Err(Failure::message(format!(
                "cannot add key \"{key}\", another key by that name already exists in Data for {kind} \"{name}\""
            )));
        }
    }
    Ok(())
}
