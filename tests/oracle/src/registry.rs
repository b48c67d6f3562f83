//! The registry of the played clusters: the product's, changed to be like the recorded nodes, whose kubelets were
//! stand-ins. Containers end as soon as they are told to, and images that the recordings name but nobody has built are
//! there: what runs in those is not compared, they only have to come up.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use bytes::Bytes;
use json::{Value, json};
use sha2::{Digest as _, Sha256};
use simulation::ExternalError;

const INDEX: &str = "images/index.json";
const BLOBS: &str = "images/blobs/sha256/";

/// Name of an image that is not built.
const STAND_INS: &[&str] = &[
    "docker.io/library/redis:latest",
    "docker.io/redis:6.0.5",
    "docker.io/library/redis:6.0.5",
    "us-docker.pkg.dev/google-samples/containers/gke/gb-frontend:v5",
];
/// What it is made from, and what runs in it.
const STAND_IN_FOR: (&str, &[&str]) = ("docker.io/library/busybox:latest", &["sleep", "100000000"]);

/// The files that differ from the product's.
static CHANGED: LazyLock<BTreeMap<String, Bytes>> = LazyLock::new(|| {
    let mut files = BTreeMap::new();
    let mut index = read_json(INDEX);
    let references: Vec<(String, String)> = index["references"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, digest)| Some((name.to_string(), digest.as_str()?.to_owned())))
        .collect();
    for (name, digest) in &references {
        let manifest = changed(&mut files, digest, |config| config["StopSignal"] = "SIGKILL".into());
        index["references"][name.as_str()] = manifest.into();
    }
    let base = references.iter().find(|(name, _)| name == STAND_IN_FOR.0).expect("the image is built");
    let stand_in = changed(&mut files, &base.1, |config| {
        config["StopSignal"] = "SIGKILL".into();
        config["Cmd"] = json!(STAND_IN_FOR.1);
    });
    for name in STAND_INS {
        index["references"][*name] = stand_in.clone().into();
    }
    files.insert(INDEX.to_owned(), index.to_string().into());
    files
});

fn read_json(path: &str) -> Value {
    let bytes = kubonsai::assets::read(path).expect("the product has its images");
    json::from_slice(&bytes).expect("the layout is JSON")
}

fn blob(digest: &str) -> String {
    format!("{BLOBS}{}", digest.trim_start_matches("sha256:"))
}

/// A copy of an image with another configuration; gives the digest of its manifest.
fn changed(files: &mut BTreeMap<String, Bytes>, manifest: &str, change: impl Fn(&mut Value)) -> String {
    let mut manifest = read_json(&blob(manifest));
    let mut config =
        read_json(&blob(manifest["config"]["digest"].as_str().expect("a manifest names its configuration")));
    change(&mut config["config"]);
    let (digest, size) = add(files, &config);
    manifest["config"]["digest"] = digest.into();
    manifest["config"]["size"] = size.into();
    add(files, &manifest).0
}

fn add(files: &mut BTreeMap<String, Bytes>, value: &Value) -> (String, usize) {
    let bytes = Bytes::from(value.to_string());
    let hex: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
    let size = bytes.len();
    files.insert(format!("{BLOBS}{hex}"), bytes);
    (format!("sha256:{hex}"), size)
}

/// A file of the registry.
///
/// # Errors
/// There is no such file.
pub fn read(path: &str) -> Result<Bytes, ExternalError> {
    CHANGED.get(path).cloned().map_or_else(|| kubonsai::assets::read(path), Ok)
}

/// Writes the files that differ from the product's as an image layout for `kubonsai serve --registry`.
///
/// # Errors
/// The folder cannot be written.
pub fn write(folder: &std::path::Path) -> std::io::Result<()> {
    for (path, bytes) in CHANGED.iter() {
        let path = folder.join(path.strip_prefix("images/").unwrap_or(path));
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::write(path, bytes)?;
    }
    Ok(())
}
