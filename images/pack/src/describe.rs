//! `image.json`: what an image is made of.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use crate::Result;
use crate::layer::{BUSYBOX, Layer};
use crate::layout::Layout;

/// When everything was made, as far as images say: fixed, so that the bytes are.
pub const CREATED: &str = "2026-01-01T00:00:00Z";

/// The base of images that hold nothing but their programs.
const SCRATCH: &str = "scratch";

/// A folder with an `image.json`.
pub struct Image {
    /// The folder.
    pub name: String,
    /// Paths in the image and the guests that go there.
    pub programs: BTreeMap<String, String>,
    json: Value,
}

/// Reads every image, sorted by folder.
pub fn read_all(root: &Path) -> Result<Vec<Image>> {
    let entries = std::fs::read_dir(root).map_err(|e| format!("{}: {e}", root.display()))?;
    let mut folders: Vec<_> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    folders.sort();
    let mut images = Vec::new();
    for folder in folders {
        let path = folder.join("image.json");
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let json: Value = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let programs = json["programs"].as_object().into_iter().flatten();
        let programs = programs.filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect();
        images.push(Image { name, programs, json });
    }
    Ok(images)
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

impl Image {
    /// Packs every variant.
    pub fn pack(&self, root: &Path, built: &Path, applets: &[String], layout: &mut Layout) -> Result<()> {
        for variant in self.json["variants"].as_array().into_iter().flatten() {
            let either = |key: &str| if variant[key].is_null() { &self.json[key] } else { &variant[key] };
            let base = either("base").as_str().unwrap_or("busybox");
            let mut layers = if base == SCRATCH { Vec::new() } else { base_layers(root, built, applets, base)? };
            if !self.programs.is_empty() || !self.json["rootfs"].is_null() {
                layers.push(self.own_layer(root, built)?);
            }
            if let Some(folder) = variant["rootfs"].as_str() {
                let mut layer = Layer::new();
                layer.add_folder(&root.join(&self.name).join(folder))?;
                layers.push(layer);
            }
            let references = texts(&variant["references"]);
            let config = self.config(variant, &references);
            let layers = layers.into_iter().map(|l| l.into_tar()).collect::<Result<Vec<_>>>()?;
            let size = either("size").as_u64().unwrap_or(0);
            layout.add_image(&self.name, &references, config, layers, size)?;
        }
        Ok(())
    }

    fn own_layer(&self, root: &Path, built: &Path) -> Result<Layer> {
        let mut layer = Layer::new();
        if let Some(folder) = self.json["rootfs"].as_str() {
            layer.add_folder(&root.join(&self.name).join(folder))?;
        }
        let mut first: BTreeMap<&str, &str> = BTreeMap::new();
        for (path, program) in &self.programs {
            // A second path of the same guest is a hard link: it takes no room and is loaded once.
            match first.get(program.as_str()) {
                Some(there) => layer.add_link(path, there),
                None => {
                    layer.add_program(path, &built.join(format!("{program}.wasm")))?;
                    first.insert(program, path);
                }
            }
        }
        Ok(layer)
    }

    fn config(&self, variant: &Value, references: &[String]) -> Value {
        let mut config = self.json["config"].clone();
        let mut env = texts(&config["Env"]);
        env.extend(texts(&variant["env"]));
        config["Env"] = env.into();
        for (key, name) in [("entrypoint", "Entrypoint"), ("cmd", "Cmd")] {
            if !variant[key].is_null() {
                config[name] = variant[key].clone();
            }
        }
        let first = references.first().map_or(self.name.as_str(), |r| r.as_str());
        let title = first.rsplit('/').next().and_then(|n| n.split(':').next()).unwrap_or(first);
        config["Labels"] = json!({
            "org.opencontainers.image.title": title,
            "org.opencontainers.image.description": format!(
                "A small program made for Kubonsai that stands in for {title}; it is not the original."
            ),
            "org.opencontainers.image.vendor": "Kubonsai",
        });
        config
    }
}

/// The tools, and what makes a file system look like its distribution.
fn base_layers(root: &Path, built: &Path, applets: &[String], base: &str) -> Result<Vec<Layer>> {
    let mut system = Layer::new();
    system.add_folder(&root.join("base").join(base))?;
    Ok(vec![tools_layer(built, applets)?, system])
}

/// The lowest layer, the same for all images: the usual folders, the busybox program and a hard link for each applet.
fn tools_layer(built: &Path, applets: &[String]) -> Result<Layer> {
    let mut layer = Layer::new();
    for (path, mode) in [
        ("bin", 0o755),
        ("dev", 0o755),
        ("etc", 0o755),
        ("home", 0o755),
        ("proc", 0o555),
        ("root", 0o700),
        ("run", 0o755),
        ("sbin", 0o755),
        ("sys", 0o555),
        ("tmp", 0o1777),
        ("usr/bin", 0o755),
        ("usr/lib", 0o755),
        ("usr/local/bin", 0o755),
        ("usr/sbin", 0o755),
        ("var/log", 0o755),
        ("var/run", 0o755),
        ("var/spool/mail", 0o755),
        ("var/tmp", 0o1777),
        ("var/www", 0o755),
    ] {
        layer.add_directory(path, mode);
    }
    layer.add_program("bin/busybox", &built.join(format!("{BUSYBOX}.wasm")))?;
    for link in applets {
        layer.add_link(link, "bin/busybox");
    }
    Ok(layer)
}
