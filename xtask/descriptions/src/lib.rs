//! The prose about kinds and fields that `kubectl explain` and the OpenAPI documents show. It is Kubernetes' own, and is
//! taken at build time from the sources of the crate k8s-openapi, which are made from the published OpenAPI document.
//! The crate is only read: compiling it would take minutes and give nothing. So are the tables of crates/api, which say
//! what is served: nobody asks for the prose of what is not, and it is two thirds of all.
//!
//! The file has a line `=NAME<tab>TEXT` for a definition (`io.k8s.` is left out) and a line ` FIELD<tab>TEXT` for each
//! of its fields; in texts a newline is `\n` and a backslash `\\`.
#![allow(clippy::disallowed_methods, reason = "a part of the build works with files")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// The crate that carries them, and its folder for our version of Kubernetes.
const SOURCE: (&str, &str) = ("k8s-openapi", "src/v1_36");

/// The tables of crates/api, below this crate's folder.
const TABLES: &str = "../../crates/api";
/// The prefix of every definition's published name.
const PREFIX: &str = "io.k8s.";

/// Definitions that the table of schemas knows as types of their own (`api::schema::SCALARS`).
const SCALARS: [&str; 5] = [
    "apimachinery.pkg.apis.meta.v1.Time",
    "apimachinery.pkg.api.resource.Quantity",
    "apimachinery.pkg.util.intstr.IntOrString",
    "apimachinery.pkg.runtime.RawExtension",
    "apimachinery.pkg.apis.meta.v1.FieldsV1",
];

/// What is known of a definition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Definition {
    text: String,
    fields: BTreeMap<String, String>,
}

/// The file.
///
/// # Errors
/// The crate cannot be found (and, if need be, downloaded), or its sources look different than they did.
pub fn build() -> Result<String> {
    let folder = locate()?.join(SOURCE.1);
    let mut definitions = BTreeMap::new();
    collect(&folder, &mut definitions)?;
    if !definitions.contains_key("api.core.v1.PodSpec") {
        bail!("no definitions in {}", folder.display());
    }
    let tables = Path::new(env!("CARGO_MANIFEST_DIR")).join(TABLES);
    let read = |file: &str| std::fs::read_to_string(tables.join(file)).with_context(|| format!("{TABLES}/{file}"));
    let wanted = wanted(&read("src/kinds.rs")?, &read("schema/kubernetes.txt")?);
    if !wanted.contains("api.core.v1.PodSpec") {
        bail!("the tables of crates/api lead to no PodSpec: they look different than they did");
    }
    definitions.retain(|name, _| wanted.contains(name));
    Ok(write(&definitions))
}

/// The names of the definitions of all kinds, and of those that they lead to. Every word of the two tables that names a
/// definition counts: of the kinds those in quotes, of a definition those behind `=NAME`.
fn wanted(kinds: &str, schema: &str) -> BTreeSet<String> {
    let mut uses: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for block in schema.split("\n=") {
        let mut words = block.trim_start_matches('=').split_whitespace();
        let Some(name) = words.next() else { continue };
        uses.insert(name, words.map(|word| word.trim_start_matches(['[', '{'])).collect());
    }
    let named = kinds.split('"').filter_map(|text| text.strip_prefix(PREFIX));
    let mut waiting: Vec<&str> = named.chain(SCALARS).collect();
    let mut wanted = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        if wanted.insert(name.to_owned()) {
            let used = uses.get(name).into_iter().flatten().copied();
            waiting.extend(used.filter(|word| uses.contains_key(word) && !wanted.contains(*word)));
        }
    }
    wanted
}

/// Where cargo keeps the sources.
fn locate() -> Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version", "1", "--manifest-path"])
        .arg(&manifest)
        .output()
        .context("`cargo metadata` cannot be started")?;
    if !output.status.success() {
        bail!("`cargo metadata` failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let package = packages.find(|p| p["name"] == SOURCE.0).context("k8s-openapi is not among the dependencies")?;
    let manifest = package["manifest_path"].as_str().context("a package has a manifest")?;
    Ok(Path::new(manifest).parent().context("a manifest is in a folder")?.to_owned())
}

fn collect(folder: &Path, definitions: &mut BTreeMap<String, Definition>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, definitions)?;
        } else if let Some((name, definition)) = read(&std::fs::read_to_string(&path)?) {
            definitions.insert(name, definition);
        }
    }
    Ok(())
}

const NAME: &str = "// Generated from definition io.k8s.";
const SCHEMA: &str = "crate::schemars::json_schema!({";
/// Indentation of the keys of a definition's schema, and of its properties.
const KEY: &str = "            \"";
const PROPERTY: &str = "                \"";

/// Reads one source file: the schema that it builds says everything in one place.
fn read(source: &str) -> Option<(String, Definition)> {
    let name = source.lines().find_map(|line| line.strip_prefix(NAME))?.trim().to_owned();
    let schema = source.split_once(SCHEMA)?.1;
    let mut definition = Definition::default();
    let mut property: Option<&str> = None;
    for line in schema.lines() {
        if let Some(rest) = line.strip_prefix(KEY) {
            property = None;
            if let Some(text) = rest.strip_prefix("description\": ") {
                definition.text = literal(text)?;
            }
        } else if let Some(rest) = line.strip_prefix(PROPERTY) {
            property = rest.split('"').next();
        } else if let Some(field) = property
            && let Some((_, text)) = line.split_once("\"description\"")
        {
            let text = text.trim_start_matches(".into(), ").trim_start_matches(": ");
            definition.fields.entry(field.to_owned()).or_insert(literal(text)?);
        }
    }
    Some((name, definition))
}

/// The string literal at the beginning of a text.
fn literal(text: &str) -> Option<String> {
    let mut chars = text.strip_prefix('"')?.chars();
    let mut value = String::new();
    loop {
        match chars.next()? {
            '"' => return Some(value),
            '\\' => value.push(match chars.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                '0' => '\0',
                other @ ('"' | '\\' | '\'') => other,
                _ => return None,
            }),
            other => value.push(other),
        }
    }
}

fn write(definitions: &BTreeMap<String, Definition>) -> String {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('\n', "\\n");
    let mut file = String::new();
    for (name, definition) in definitions {
        let _ = writeln!(file, "={name}\t{}", escaped(&definition.text));
        for (field, text) in &definition.fields {
            let _ = writeln!(file, " {field}\t{}", escaped(text));
        }
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"// Generated from definition io.k8s.api.core.v1.Box

/// A box.
pub struct Box;

impl crate::schemars::JsonSchema for Box {
    fn json_schema() {
        crate::schemars::json_schema!({
            "description": "A \"box\".\n\nOf things.",
            "type": "object",
            "properties": {
                "kind": {
                    "description": "What it is.",
                    "type": "string",
                },
                "lid": ({
                    let mut schema_obj = __gen.subschema_for::<crate::Lid>();
                    schema_obj.ensure_object().insert("description".into(), "Its lid.".into());
                    schema_obj
                }),
                "plain": {
                    "type": "string",
                },
            },
        })
    }
}
"#;

    #[test]
    fn reads_a_source_file() {
        let (name, definition) = read(FILE).expect("a definition");
        let file = write(&BTreeMap::from([(name, definition)]));
        assert_eq!(file, "=api.core.v1.Box\tA \"box\".\\n\\nOf things.\n kind\tWhat it is.\n lid\tIts lid.\n");
        assert_eq!(read("//! nothing"), None);
    }

    #[test]
    fn only_what_a_kind_leads_to_is_wanted() {
        let kinds = r#"short [] schema "io.k8s.a.Box"; schema "io.k8s.a.New";"#;
        let schema = "=a.Box a/v1/Box\n lids! [a.Lid l=atomic\n size s\n=a.Key\n lid a.Lid\n=a.Lid\n box a.Box\n next {a.Nut\n=a.Nut";
        let wanted = wanted(kinds, schema);
        let found: Vec<&str> = wanted.iter().map(String::as_str).filter(|name| name.starts_with("a.")).collect();
        assert_eq!(found, ["a.Box", "a.Lid", "a.New", "a.Nut"]);
    }

    #[test]
    fn finds_what_is_published() {
        let file = build().expect("the crate is there");
        let definitions = file.lines().filter(|l| l.starts_with('=')).count();
        assert!(definitions > 100, "{definitions}");
        assert!(file.contains("\n=apimachinery.pkg.api.resource.Quantity\t"), "a scalar");
        assert!(!file.contains("\n=api.apiserverinternal.v1alpha1.StorageVersion\t"), "a kind that is not served");
        let described = |field: &str| file.lines().any(|l| l.strip_prefix(field).is_some_and(|rest| rest.len() > 40));
        for field in [" hostIPC\t", " imagePullPolicy\t", " maxSurge\t", " apiVersion\t"] {
            assert!(described(field), "{field}");
        }
    }
}
