//! The service worker of the built page: web/js/sw.js with the build's id and the digest of every file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::root::{all_files, root};

/// What web/js/sw.js holds in the place of the build.
const PLACE: &str = "const BUILD = { id: \"none\", files: {} };";
/// Not kept: what describes the build, and the service worker, which the browser keeps itself.
const NOT_KEPT: [&str; 2] = ["build.json", "sw.js"];

/// Writes sw.js. Every other file must be there already.
pub(super) fn write(dist: &Path, id: &str) -> Result<()> {
    let template = fs::read_to_string(root().join("web/js/sw.js")).context("reading the service worker")?;
    let mut files = BTreeMap::new();
    for file in all_files(dist) {
        let path = file.strip_prefix(dist)?.to_string_lossy().replace('\\', "/");
        if !NOT_KEPT.contains(&path.as_str()) {
            files.insert(path, hex(&Sha256::digest(fs::read(&file)?)));
        }
    }
    fs::write(dist.join("sw.js"), fill(&template, id, &files)?)?;
    Ok(())
}

fn fill(template: &str, id: &str, files: &BTreeMap<String, String>) -> Result<String> {
    if template.matches(PLACE).count() != 1 {
        bail!("web/js/sw.js has no line `{PLACE}`");
    }
    let build = serde_json::json!({ "id": id, "files": files });
    Ok(template.replace(PLACE, &format!("const BUILD = {build};")))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_takes_its_place_in_the_service_worker() {
        let template = fs::read_to_string(root().join("web/js/sw.js")).expect("it is there");
        let files = BTreeMap::from([("index.html".to_owned(), hex(&Sha256::digest(b"page")))]);
        let text = fill(&template, "0123", &files).expect("it has the place");
        let digest = "3660315a9af3df255d8f19ab077e4797822b41488a0e2a04bc6af71213c23274";
        assert!(text.contains(r#""id":"0123""#), "{text}");
        assert!(text.contains(&format!(r#""index.html":"{digest}""#)), "{text}");
        assert!(fill("nothing", "0123", &files).is_err());
    }
}
