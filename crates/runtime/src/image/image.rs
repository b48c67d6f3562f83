//! An image: its configuration, its layers, and the tree that they make.

use std::cell::OnceCell;
use std::rc::Rc;

use bytes::Bytes;
use json::{Value, json};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use simulation::Sim;
use vfs::{Layer, device};

use super::ImageConfig;

/// The annotation with the size that the original image has, in bytes.
pub(super) const SIZE_ANNOTATION: &str = "dev.kubonsai.size";

/// One layer of an image.
#[derive(Clone)]
pub struct ImageLayer {
    /// The unpacked archive.
    pub tar: Bytes,
    /// Digest of the blob that a registry has: of the archive itself or of its gzip file.
    pub digest: String,
    /// Bytes of that blob.
    pub size: u64,
    /// Digest of the archive, found out when it is first wanted and known to all clones.
    diff_id: Rc<OnceCell<String>>,
}

impl ImageLayer {
    /// A layer that was made here: its blob is the archive as it is.
    pub fn of(tar: Bytes) -> ImageLayer {
        let digest = digest_of(&tar);
        let size = tar.len() as u64;
        ImageLayer { diff_id: Rc::new(OnceCell::from(digest.clone())), digest, size, tar }
    }

    /// A layer of a registry: the unpacked archive, and digest and bytes of the blob that it came as.
    pub(super) fn of_blob(tar: Bytes, digest: String, size: u64) -> ImageLayer {
        ImageLayer { tar, digest, size, diff_id: Rc::default() }
    }

    /// Digest of the unpacked archive, as configurations name the layer.
    pub fn diff_id(&self) -> &str {
        self.diff_id.get_or_init(|| digest_of(&self.tar))
    }
}

/// An image, unpacked. Shared by all machines that have it.
#[derive(Clone)]
pub struct Image {
    /// Digest of the manifest by which a registry knows it; none for an image that was made here.
    pub digest: Option<String>,
    /// Digest of the configuration: Docker's image ID.
    pub id: String,
    /// How it wants to be run.
    pub config: ImageConfig,
    /// The configuration file as it is, with the history.
    pub config_file: Bytes,
    /// Its files.
    pub layer: Rc<Layer>,
    /// What its containers begin with, once there was one.
    prepared: OnceCell<Rc<Layer>>,
    /// What its files come from, the lowest first.
    pub layers: Vec<ImageLayer>,
    /// Bytes that it appears to have.
    pub size_bytes: u64,
}

#[derive(Deserialize)]
struct ConfigFile {
    #[serde(default)]
    config: ImageConfig,
}

/// `sha256:` and 64 hexadecimal digits.
pub fn digest_of(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
    format!("sha256:{hex}")
}

impl Image {
    /// Puts an image together. `size_bytes`: what it appears to have, if that is not the size of its files.
    ///
    /// # Errors
    /// When the configuration or a layer cannot be read, as the daemon says it.
    pub fn new(config_file: Bytes, layers: Vec<ImageLayer>, size_bytes: Option<u64>) -> Result<Image, String> {
        let read: ConfigFile = json::from_slice(&config_file).map_err(|e| format!("invalid config: {e}"))?;
        let file: Value = json::from_slice(&config_file).map_err(|e| format!("invalid config: {e}"))?;
        // A list is read as the fields of a structure in order, which is no configuration.
        let is_fine = |value: &Value| value.is_null() || value.is_object();
        let history = file.get("history").filter(|history| !history.is_null());
        let entries = history.map(|history| history.as_array().is_some_and(|all| all.iter().all(Value::is_object)));
        if !file.is_object() || !is_fine(&file["config"]) || !is_fine(&file["rootfs"]) || entries == Some(false) {
            return Err("invalid config: not a configuration of an image".to_owned());
        }
        let mut layer = Layer::default();
        for part in &layers {
            layer.apply_tar(part.tar.clone()).map_err(|e| format!("failed to register layer: {e}"))?;
        }
        Ok(Image {
            digest: None,
            id: digest_of(&config_file),
            config: read.config,
            config_file,
            size_bytes: size_bytes.unwrap_or_else(|| layer.size()),
            layer: Rc::new(layer),
            prepared: OnceCell::new(),
            layers,
        })
    }

    /// Whether the configuration names the layers that there are, by the digests of their archives.
    ///
    /// # Errors
    /// In Docker's words, when it does not.
    pub fn check_layers(&self) -> Result<(), &'static str> {
        let file = self.file();
        let Some(named) = file["rootfs"]["diff_ids"].as_array() else {
            return Err("invalid rootfs in image configuration");
        };
        let is_named = |(named, layer): (&Value, &ImageLayer)| named.as_str() == Some(layer.diff_id());
        if named.len() == self.layers.len() && named.iter().zip(&self.layers).all(is_named) {
            Ok(())
        } else {
            Err("layers from manifest don't match image configuration")
        }
    }

    /// The same image as a registry knows it.
    #[must_use]
    pub fn known_as(self, digest: &str) -> Image {
        Image { digest: Some(digest.to_owned()), ..self }
    }

    /// Its files with what a runtime adds for every container: devices and places of mounts.
    pub fn prepared(&self, sim: &Sim) -> &Rc<Layer> {
        self.prepared.get_or_init(|| Rc::new(device::installed(&self.layer, sim)))
    }

    /// The configuration file.
    pub fn file(&self) -> Value {
        json::from_slice(&self.config_file).unwrap_or(Value::Null)
    }

    /// The manifest under which a registry takes it (`specs-go/v1/manifest.go` of the OCI image specification).
    pub fn manifest(&self) -> String {
        let layers = self.layers.iter().map(|layer| {
            let packed = if layer.tar.len() as u64 == layer.size { "" } else { "+gzip" };
            json!({
                "mediaType": format!("application/vnd.oci.image.layer.v1.tar{packed}"),
                "digest": layer.digest.clone(),
                "size": layer.size,
            })
        });
        let layers: Vec<Value> = layers.collect();
        json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": self.id.clone(),
                "size": self.config_file.len(),
            },
            "layers": layers,
            "annotations": { SIZE_ANNOTATION: self.size_bytes.to_string() },
        })
        .to_string()
    }
}
