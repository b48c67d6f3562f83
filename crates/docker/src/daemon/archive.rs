//! Images as archives: what `docker save` writes and `docker load` reads (`image/tarexport`): an OCI layout with Docker's
//! `manifest.json` beside it.

use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use json::{Value, json};
use runtime::image::{Image, ImageLayer, Reference, StoredImage, digest_of, unpack};
use tar::{Builder, EntryType, Header};

use super::{Daemon, IMAGE_BYTES_MAX, NO_ROOM};

/// Bytes of an archive, packed and unpacked.
pub(crate) const ARCHIVE_BYTES_MAX: usize = IMAGE_BYTES_MAX;
/// Images of one archive.
const ARCHIVE_IMAGES_MAX: usize = 256;
/// Layers of one image (`layer/layer.go`).
const LAYERS_MAX: usize = 125;
/// Bytes of one image's configuration.
const CONFIG_BYTES_MAX: usize = 4 << 20;

/// The engine's words for a disk that is full.
pub(crate) fn no_room() -> String {
    format!("Error response from daemon: {NO_ROOM}")
}

/// The annotation with the bytes that an image appears to have.
const SIZE_ANNOTATION: &str = "dev.kubonsai.size";
/// Where names are in an index.
const NAME_ANNOTATIONS: [&str; 2] = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

fn blob_path(digest: &str) -> String {
    format!("blobs/{}", digest.replacen(':', "/", 1))
}

/// The files of an OCI layout with these images, by path.
pub(crate) fn layout(images: &[(StoredImage, Vec<String>)]) -> BTreeMap<String, Bytes> {
    let mut files = BTreeMap::new();
    let (mut manifests, mut dockers) = (Vec::new(), Vec::new());
    for (stored, tags) in images {
        let image = &stored.image;
        files.insert(blob_path(&image.id), image.config_file.clone());
        // Layers are saved unpacked: their digests are those of the configuration.
        let layers: Vec<ImageLayer> = image.layers.iter().map(|layer| ImageLayer::of(layer.tar.clone())).collect();
        for layer in &layers {
            files.insert(blob_path(&layer.digest), layer.tar.clone());
        }
        let paths: Vec<Value> = layers.iter().map(|layer| Value::from(blob_path(&layer.digest))).collect();
        dockers.push(json!({ "Config": blob_path(&image.id), "RepoTags": tags.clone(), "Layers": paths }));
        let mut packed = (**image).clone();
        packed.layers = layers;
        let manifest = Bytes::from(packed.manifest());
        let digest = digest_of(&manifest);
        let descriptor = |name: Option<&String>| {
            let mut descriptor = json!({
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": digest.clone(),
                "size": manifest.len(),
            });
            if let Some(reference) = name.and_then(|name| Reference::parse(name).ok()) {
                let tag = reference.tag.clone().unwrap_or_default();
                descriptor["annotations"] = json!({});
                descriptor["annotations"][NAME_ANNOTATIONS[0]] = reference.to_string().into();
                descriptor["annotations"][NAME_ANNOTATIONS[1]] = tag.into();
            }
            descriptor
        };
        if tags.is_empty() {
            manifests.push(descriptor(None));
        }
        manifests.extend(tags.iter().map(|name| descriptor(Some(name))));
        files.insert(blob_path(&digest), manifest);
    }
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": manifests,
    });
    files.insert("index.json".to_owned(), index.to_string().into());
    files.insert("manifest.json".to_owned(), Value::from(dockers).to_string().into());
    files.insert("oci-layout".to_owned(), "{\"imageLayoutVersion\":\"1.0.0\"}".into());
    files
}

/// The files of an archive as one.
pub(crate) fn pack(files: &BTreeMap<String, Bytes>) -> std::io::Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, path, &bytes[..])?;
    }
    tar.into_inner()
}

fn files_of(archive: &Bytes) -> std::io::Result<BTreeMap<String, Bytes>> {
    let mut files = BTreeMap::new();
    let mut links = Vec::new();
    for entry in tar::Archive::new(&archive[..]).entries()? {
        let entry = entry?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
        if entry.header().entry_type().is_symlink() || entry.header().entry_type().is_hard_link() {
            let target = entry.link_name_bytes().map(|t| String::from_utf8_lossy(&t).into_owned()).unwrap_or_default();
            links.push((path, target));
            continue;
        }
        let from = usize::try_from(entry.raw_file_position()).unwrap_or(usize::MAX);
        let to = from.saturating_add(usize::try_from(entry.size()).unwrap_or(usize::MAX));
        let bytes = if to <= archive.len() {
            archive.slice(from..to)
        } else {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        };
        files.insert(path, bytes);
    }
    for (path, target) in links {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let found = vfs::path::join(&format!("/{folder}"), &target);
        let found = files.get(found.trim_start_matches('/')).cloned();
        if let Some(bytes) = found {
            files.insert(path, bytes);
        }
    }
    Ok(files)
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

/// What an index says of the manifests that lead to a configuration: names, size.
fn of_index(files: &BTreeMap<String, Bytes>) -> Vec<(Value, Vec<String>)> {
    let read = |path: &str| files.get(path).and_then(|bytes| json::from_slice::<Value>(bytes).ok());
    let mut found: BTreeMap<String, (Value, Vec<String>)> = BTreeMap::new();
    for descriptor in read("index.json").unwrap_or_default()["manifests"].as_array().into_iter().flatten() {
        let digest = descriptor["digest"].as_str().unwrap_or_default();
        let Some(manifest) = read(&blob_path(digest)) else { continue };
        let row = found.entry(digest.to_owned()).or_insert((manifest, Vec::new()));
        let names = NAME_ANNOTATIONS.iter().filter_map(|key| descriptor["annotations"][*key].as_str());
        // A reference of the OCI layout may be a tag alone, which names nothing.
        row.1.extend(names.filter(|name| name.contains([':', '/'])).take(1).map(str::to_owned));
    }
    found.into_values().collect()
}

/// The layers of an archive, each unpacked once.
struct Layers<'a> {
    files: &'a BTreeMap<String, Bytes>,
    known: BTreeMap<String, ImageLayer>,
    /// Of all that were unpacked.
    bytes: usize,
}

impl Layers<'_> {
    fn file(&self, path: &str) -> Result<Bytes, String> {
        let missing = || format!("Error response from daemon: open {path}: no such file or directory");
        self.files.get(path).cloned().ok_or_else(missing)
    }

    fn layer(&mut self, path: &str) -> Result<ImageLayer, String> {
        if let Some(layer) = self.known.get(path) {
            return Ok(layer.clone());
        }
        let tar = unpack(self.file(path)?).map_err(|why| format!("Error response from daemon: {why}"))?;
        self.bytes += tar.len();
        if self.bytes > ARCHIVE_BYTES_MAX {
            return Err(no_room());
        }
        let layer = ImageLayer::of(tar);
        self.known.insert(path.to_owned(), layer.clone());
        Ok(layer)
    }
}

/// An image that was in an archive.
pub(crate) struct Loaded {
    pub(crate) id: String,
    pub(crate) names: Vec<String>,
}

impl Daemon {
    /// Takes the images of an archive.
    ///
    /// # Errors
    /// The engine's words for what is no archive of images, or a broken one.
    pub(crate) fn load(&self, archive: Bytes) -> Result<Vec<Loaded>, String> {
        let wrong = |why: &dyn std::fmt::Display| format!("Error response from daemon: {why}");
        let archive = unpack(archive).map_err(|why| wrong(&why))?;
        let files = files_of(&archive).map_err(|_| wrong(&"archive/tar: invalid tar header"))?;
        let by_index = of_index(&files);
        let mut rows: Vec<(String, Vec<String>, Vec<String>)> = Vec::new();
        if let Some(bytes) = files.get("manifest.json") {
            let list: Value = json::from_slice(bytes).map_err(|why| wrong(&why))?;
            for row in list.as_array().into_iter().flatten() {
                let config = row["Config"].as_str().unwrap_or_default().to_owned();
                rows.push((config, texts(&row["Layers"]), texts(&row["RepoTags"])));
            }
        } else if !by_index.is_empty() {
            for (manifest, names) in &by_index {
                let digests = manifest["layers"].as_array().into_iter().flatten();
                let layers = digests.filter_map(|l| l["digest"].as_str()).map(blob_path).collect();
                rows.push((
                    blob_path(manifest["config"]["digest"].as_str().unwrap_or_default()),
                    layers,
                    names.clone(),
                ));
            }
        } else {
            return Err("open /var/lib/docker/tmp/docker-import/manifest.json: no such file or directory".to_owned())
                .map_err(|why| wrong(&why));
        }
        if rows.len() > ARCHIVE_IMAGES_MAX {
            return Err(wrong(&format!("more than {ARCHIVE_IMAGES_MAX} images in one archive")));
        }
        let mut layers = Layers { files: &files, known: BTreeMap::new(), bytes: 0 };
        rows.into_iter().map(|row| self.load_one(&mut layers, &by_index, row)).collect()
    }

    fn load_one(
        &self,
        archive: &mut Layers<'_>,
        by_index: &[(Value, Vec<String>)],
        (config, layers, names): (String, Vec<String>, Vec<String>),
    ) -> Result<Loaded, String> {
        let wrong = |why: &dyn std::fmt::Display| format!("Error response from daemon: {why}");
        let config = archive.file(&config)?;
        if config.len() > CONFIG_BYTES_MAX {
            return Err(wrong(&format!("the configuration of an image has more than {CONFIG_BYTES_MAX} bytes")));
        }
        let ids = texts(&json::from_slice::<Value>(&config).map_err(|why| wrong(&why))?["rootfs"]["diff_ids"]);
        if ids.len() != layers.len() {
            let (got, want) = (layers.len(), ids.len());
            return Err(wrong(&format!("invalid manifest, layers length mismatch: expected {want}, got {got}")));
        }
        if layers.len() > LAYERS_MAX {
            return Err(wrong(&"max depth exceeded"));
        }
        let mut unpacked = Vec::new();
        for (path, id) in layers.iter().zip(&ids) {
            let layer = archive.layer(path)?;
            if layer.digest != *id {
                return Err(wrong(&format!(
                    "wrong digest: layer {path} is {}, the configuration says {id}",
                    layer.digest
                )));
            }
            unpacked.push(self.known_layer(&layer).unwrap_or(layer));
        }
        let id = digest_of(&config);
        let told = by_index.iter().find(|(manifest, _)| manifest["config"]["digest"] == *id);
        let size = told.and_then(|(manifest, _)| manifest["annotations"][SIZE_ANNOTATION].as_str()?.parse().ok());
        let image = Rc::new(Image::new(config, unpacked, size).map_err(|why| wrong(&why))?);
        self.check_room(&image).map_err(|why| wrong(&why))?;
        let mut shown = Vec::new();
        for name in &names {
            let reference = Daemon::reference(name)?;
            self.images().insert(&reference, Rc::clone(&image));
            shown.push(reference.familiar());
        }
        if names.is_empty() {
            self.images().insert_unnamed(image);
        }
        Ok(Loaded { id, names: shown })
    }

    /// A layer that an image of the machine has: its bytes are kept once, and a registry knows its blob.
    fn known_layer(&self, layer: &ImageLayer) -> Option<ImageLayer> {
        let all = self.images().entries();
        let mut known = all.iter().flat_map(|stored| &stored.image.layers);
        known.find(|other| other.tar.len() == layer.tar.len() && other.tar == layer.tar).cloned()
    }
}
