//! The law of the arrows: which crate may use which. ARCHITECTURE.md draws it; this table is what holds.
//!
//! Only what ships counts: a dev-dependency may point anywhere, because a test may put parts together, and so may what a
//! build script uses.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::Finding;
use crate::process::Cmd;

/// Crates of the map in the order a request travels, each with all that it may use.
pub const ALLOWED: [(&str, &[&str]); 20] = [
    ("simulation", &[]),
    ("json", &[]),
    ("api", &["simulation", "json"]),
    ("etcd", &["simulation", "json", "api"]),
    ("cel", &["json", "api"]),
    ("apiserver", &["simulation", "json", "api", "etcd", "cel"]),
    ("client", &["simulation", "json", "api"]),
    ("controllers", &["simulation", "json", "api", "client"]),
    ("scheduler", &["simulation", "json", "api", "client"]),
    ("vfs", &["simulation"]),
    ("network", &["simulation", "json", "api", "client"]),
    ("runtime", &["simulation", "json", "vfs", "network"]),
    ("kubelet", &["simulation", "json", "api", "client", "vfs", "network", "runtime"]),
    ("machine", &["simulation", "json", "api", "vfs", "network"]),
    ("kubectl", &["simulation", "json", "api", "client", "network", "machine", "vfs"]),
    ("shell", &["simulation", "json", "api", "vfs", "network", "machine"]),
    ("minikube", &["simulation", "json", "api", "client", "network", "machine", "vfs"]),
    ("docker", &["simulation", "json", "vfs", "network", "runtime", "machine"]),
    ("lesson", &["simulation", "json", "api"]),
    (
        "cluster",
        &[
            "simulation",
            "json",
            "api",
            "etcd",
            "apiserver",
            "client",
            "controllers",
            "scheduler",
            "vfs",
            "network",
            "runtime",
            "kubelet",
            "machine",
            "kubectl",
            "shell",
            "minikube",
            "docker",
            "lesson",
        ],
    ),
];

/// The shells may use every crate of the map; nothing uses them.
pub const SHELLS: [&str; 2] = ["kubonsai", "web"];

/// Where the platform is, as in the shells: lessons on disk, for the native command and for the build of the page.
const NATIVE: (&str, [&str; 3]) = ("catalogue", ["json", "api", "lesson"]);

/// Not part of the product.
const TOOLS: [&str; 3] = ["xtask", "laws", "descriptions"];

/// Tests that put the whole product together; nothing uses them.
const TESTS: [&str; 1] = ["oracle"];

/// What each member of the workspace uses of the workspace: name -> names.
pub type Edges = BTreeMap<String, Vec<String>>;

/// Reads the arrows from the manifests.
pub fn read() -> Result<Edges> {
    let text = Cmd::cargo()
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .context("`cargo metadata` failed")?;
    let metadata: serde_json::Value = serde_json::from_str(&text).context("reading `cargo metadata`")?;
    let packages = metadata["packages"].as_array().context("`cargo metadata` lists no packages")?;
    let name_of = |value: &serde_json::Value| value["name"].as_str().unwrap_or_default().to_owned();
    let mut edges = Edges::new();
    for package in packages {
        let used = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ours = used.iter().filter(|used| used["path"].is_string() && used["kind"].is_null());
        edges.insert(name_of(package), ours.map(name_of).collect());
    }
    Ok(edges)
}

/// Checks every arrow against the table.
#[must_use]
pub fn check(edges: &Edges) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |name: &str, message: String| {
        found.push(Finding { file: format!("{name}/Cargo.toml"), line: 0, message });
    };
    for (name, used) in edges {
        let allowed: Vec<&str> = match ALLOWED.iter().find(|(found, _)| found == name) {
            Some((_, allowed)) => allowed.to_vec(),
            None if name == NATIVE.0 => NATIVE.1.to_vec(),
            None if name == "kubonsai" => ALLOWED.iter().map(|(name, _)| *name).chain([NATIVE.0]).collect(),
            None if SHELLS.contains(&name.as_str()) => ALLOWED.iter().map(|(name, _)| *name).collect(),
            None if TESTS.contains(&name.as_str()) => ALLOWED.iter().map(|(name, _)| *name).chain(SHELLS).collect(),
            None if TOOLS.contains(&name.as_str()) => TOOLS.to_vec(),
            None => {
                add(name, "not on the map: add it to ARCHITECTURE.md and to xtask/src/tidy/edges.rs".to_owned());
                continue;
            }
        };
        for used in used {
            if !allowed.contains(&used.as_str()) {
                add(name, format!("`{name}` may not use `{used}`: arrows of the map point down only"));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(name: &str, used: &[&str]) -> Edges {
        Edges::from([(name.to_owned(), used.iter().map(|used| (*used).to_owned()).collect())])
    }

    #[test]
    fn refuses_arrows_that_are_not_on_the_map() {
        assert_eq!(check(&edges("kubectl", &["machine", "client"])), []);
        assert_eq!(check(&edges("kubectl", &["apiserver"])).len(), 1);
        assert_eq!(check(&edges("simulation", &["api"])).len(), 1);
        assert_eq!(check(&edges("kubonsai", &["cluster", "web"])).len(), 1);
        assert_eq!(check(&edges("kubonsai", &["cluster", "catalogue"])), []);
        assert_eq!(check(&edges("web", &["cluster", "catalogue"])).len(), 1);
        assert_eq!(check(&edges("catalogue", &["cluster"])).len(), 1);
        assert_eq!(check(&edges("shell", &["xtask"])).len(), 1);
        assert_eq!(check(&edges("surprise", &[])).len(), 1);
    }

    #[test]
    fn the_table_itself_only_points_back() {
        for (index, (name, allowed)) in ALLOWED.iter().enumerate() {
            for used in *allowed {
                let at = ALLOWED.iter().position(|(found, _)| found == used);
                assert!(at.is_some_and(|at| at < index), "{name} may not use {used}, which comes later");
            }
        }
    }
}
