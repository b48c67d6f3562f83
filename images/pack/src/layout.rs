//! The OCI layout: `oci-layout`, `index.json` and `blobs/sha256/`.
//!
//! Beside the descriptors of the OCI index, `index.json` has our catalogue: `references`, from every name with its tag
//! (`docker.io/library/nginx:1.25`) to the digest of its manifest.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::describe::CREATED;
use crate::{Result, gzip};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// How many bytes the original image has: what the cluster shows and takes as the measure of a pull.
const SIZE_ANNOTATION: &str = "dev.kubonsai.size";

/// A layout that is being written.
pub struct Layout {
    out: PathBuf,
    blobs: BTreeMap<String, usize>,
    /// Descriptors of layers by the digest of their tar.
    layers: BTreeMap<String, Value>,
    manifests: Vec<Value>,
    references: BTreeMap<String, String>,
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).map_err(|e| format!("{}: {e}", path.display()))
}

fn digest_of(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
    format!("sha256:{hex}")
}

impl Layout {
    /// Starts in a folder; blobs of an older layout there are removed.
    pub fn create(out: &Path) -> Result<Layout> {
        let blobs = out.join("blobs/sha256");
        if blobs.exists() {
            std::fs::remove_dir_all(&blobs).map_err(|e| format!("{}: {e}", blobs.display()))?;
        }
        std::fs::create_dir_all(&blobs).map_err(|e| format!("{}: {e}", blobs.display()))?;
        Ok(Layout {
            out: out.to_owned(),
            blobs: BTreeMap::new(),
            layers: BTreeMap::new(),
            manifests: Vec::new(),
            references: BTreeMap::new(),
        })
    }

    fn blob(&mut self, media_type: &str, bytes: &[u8]) -> Result<Value> {
        let digest = digest_of(bytes);
        let digest = digest.trim_start_matches("sha256:").to_owned();
        if self.blobs.insert(digest.clone(), bytes.len()).is_none() {
            write(&self.out.join("blobs/sha256").join(&digest), bytes)?;
        }
        Ok(json!({"mediaType": media_type, "digest": format!("sha256:{digest}"), "size": bytes.len()}))
    }

    /// A layer, compressed once however many images share it.
    fn layer(&mut self, tar: &[u8]) -> Result<Value> {
        let digest = digest_of(tar);
        if let Some(known) = self.layers.get(&digest) {
            return Ok(known.clone());
        }
        let descriptor = self.blob(LAYER, &gzip::compress(tar))?;
        self.layers.insert(digest, descriptor.clone());
        Ok(descriptor)
    }

    /// Adds an image under its references.
    pub fn add_image(
        &mut self,
        name: &str,
        references: &[String],
        config: Value,
        layers: Vec<Vec<u8>>,
        size: u64,
    ) -> Result<()> {
        let diff_ids: Vec<String> = layers.iter().map(|l| digest_of(l)).collect();
        let layers = layers.iter().map(|l| self.layer(l)).collect::<Result<Vec<_>>>()?;
        let config = json!({
            "created": CREATED,
            "architecture": "wasm",
            "os": "wasip1",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": layers.iter().map(|_| json!({"created": CREATED, "created_by": format!("pack {name}")})).collect::<Vec<_>>(),
        });
        let config = self.blob(CONFIG, config.to_string().as_bytes())?;
        let mut manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
        if size > 0 {
            manifest["annotations"] = json!({SIZE_ANNOTATION: size.to_string()});
        }
        let mut descriptor = self.blob(MANIFEST, manifest.to_string().as_bytes())?;
        let digest = descriptor["digest"].as_str().unwrap_or("").to_owned();
        for reference in references {
            if let Some(other) = self.references.insert(reference.clone(), digest.clone())
                && other != digest
            {
                return Err(format!("{reference} names two images"));
            }
        }
        if let Some(first) = references.first() {
            descriptor["annotations"] = json!({"org.opencontainers.image.ref.name": first});
        }
        self.manifests.push(descriptor);
        Ok(())
    }

    /// Writes the index and says what there is.
    pub fn finish(self) -> Result<String> {
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": self.manifests,
            "references": self.references,
        });
        write(&self.out.join("index.json"), format!("{index}\n").as_bytes())?;
        write(&self.out.join("oci-layout"), b"{\"imageLayoutVersion\":\"1.0.0\"}\n")?;
        let bytes: usize = self.blobs.values().sum();
        let (images, names) = (self.manifests.len(), self.references.len());
        Ok(format!("{images} images under {names} names, {} blobs, {bytes} bytes", self.blobs.len()))
    }
}
