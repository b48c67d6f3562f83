//! `images` and `replicas`.

use json::Value;

use super::Resource;
use super::load::items;
use crate::failure::{Failure, Outcome};
use crate::podspec;

/// Replaces names, tags and digests of images.
pub fn run(kustomization: &Value, all: &mut [Resource]) {
    for change in items(kustomization, "images") {
        for spec in all.iter_mut().filter_map(|r| podspec::of_mut(&mut r.value)) {
            podspec::each_container(spec, |container| {
                if let Some(new) = container["image"].as_str().and_then(|old| changed(old, change)) {
                    container["image"] = new.into();
                }
            });
        }
    }
}

/// The image as a change makes it, if it is meant.
fn changed(image: &str, change: &Value) -> Option<String> {
    let (named, digest) = image.split_once('@').map_or((image, ""), |(name, digest)| (name, digest));
    let (name, tag) = match named.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (named, ""),
    };
    let text = |field: &str| change[field].as_str().filter(|t| !t.is_empty());
    if Some(name) != change["name"].as_str() {
        return None;
    }
    let new_name = text("newName").unwrap_or(name);
    let suffix = text("tagSuffix").unwrap_or("");
    Some(match (text("newTag"), text("digest")) {
        (Some(tag), Some(digest)) => format!("{new_name}:{tag}@{digest}"),
        (None, Some(digest)) => format!("{new_name}@{digest}"),
        (Some(tag), None) => format!("{new_name}:{tag}"),
        (None, None) => {
            let mut new = new_name.to_owned();
            if !tag.is_empty() {
                new += &format!(":{tag}{suffix}");
            }
            if !digest.is_empty() {
                new += &format!("@{digest}");
            }
            new
        }
    })
}

/// Sets numbers of replicas.
pub fn replicas(kustomization: &Value, all: &mut [Resource]) -> Outcome {
    const KINDS: [&str; 4] = ["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"];
    for entry in items(kustomization, "replicas") {
        let name = entry["name"].as_str().unwrap_or("");
        let mut is_found = false;
        for resource in all.iter_mut().filter(|r| KINDS.contains(&r.kind()) && r.is_called(name)) {
            resource.value["spec"]["replicas"] = entry["count"].clone();
            is_found = true;
        }
        if !is_found {
            return Err(Failure::message(format!(
                "resource with name {name} does not match a config with the following GVK [Deployment.[noVer].[noGrp] StatefulSet.[noVer].[noGrp] ReplicaSet.[noVer].[noGrp] ReplicationController.[noVer].[noGrp]]"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use json::json;

    #[test]
    fn images_change_as_asked() {
        let check = |image: &str, change: Value, expected: Option<&str>| {
            assert_eq!(changed(image, &change).as_deref(), expected, "{image} {change}");
        };
        check("nginx:1.0", json!({"name": "nginx", "newTag": "2"}), Some("nginx:2"));
        check("nginx", json!({"name": "nginx", "newName": "r.io:5000/n"}), Some("r.io:5000/n"));
        check("r.io:5000/n:1", json!({"name": "r.io:5000/n", "digest": "sha256:1"}), Some("r.io:5000/n@sha256:1"));
        check("nginx2", json!({"name": "nginx", "newTag": "2"}), None);
    }
}
