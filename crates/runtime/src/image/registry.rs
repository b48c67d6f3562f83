//! The registry: an OCI layout of static files that the platform supplies (ABI.md has the format), and what was pushed since.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use simulation::{ExternalError, Sim};
use thiserror::Error;

use super::image::{ImageLayer, SIZE_ANNOTATION};
use super::{Image, InvalidReference, Login, Reference, gzip};

/// Registries that exist in this world. Any other name does not resolve.
const KNOWN_DOMAINS: &[&str] = &[
    "docker.io",
    "gcr.io",
    "k8s.gcr.io",
    "registry.k8s.io",
    "quay.io",
    "ghcr.io",
    "mcr.microsoft.com",
    "us-docker.pkg.dev",
    "public.ecr.aws",
    // Amazon's images for EKS in us-west-2.
    "602401143452.dkr.ecr.us-west-2.amazonaws.com",
];

/// Docker's own registry.
const HUB: &str = "docker.io";
/// What a manifest may be.
const MANIFEST_TYPES: &[&str] =
    &["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];
/// What a configuration may be.
const CONFIG_TYPES: &[&str] =
    &["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// Tags that may be pushed in one world.
const PUSHED_TAGS_MAX: usize = 512;
/// Manifests that may be pushed to one repository; the oldest that has no tag goes.
const PUSHED_MANIFESTS_MAX: usize = 512;
/// Bytes of all layers that were pushed in one world. Images that lost their tags go before a push is refused.
const PUSHED_BYTES_MAX: usize = 512 << 20;

/// Why an image could not be pulled. The text is Docker's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PullError {
    /// The name is none.
    #[error("{0}")]
    Invalid(#[from] InvalidReference),
    /// The repository has no such tag.
    #[error("Error response from daemon: manifest for {name} not found: manifest unknown: {detail}")]
    NoSuchTag {
        /// As people write it.
        name: String,
        /// What the registry adds.
        detail: String,
    },
    /// There is no such repository.
    #[error(
        "Error response from daemon: pull access denied for {0}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied"
    )]
    NoSuchRepository(String),
    /// The repository is somebody's own, and nobody or somebody else asked.
    #[error("Error response from daemon: Head \"https://{domain}/v2/{path}/manifests/{what}\": {why}")]
    NotAllowed {
        /// The registry.
        domain: String,
        /// The repository there.
        path: String,
        /// Tag or digest.
        what: String,
        /// `unauthorized` without a login, `denied` with another's.
        why: &'static str,
    },
    /// There is no such registry.
    #[error(
        "Error response from daemon: Get \"https://{0}/v2/\": dial tcp: lookup {0} on 192.168.49.1:53: no such host"
    )]
    NoSuchRegistry(String),
    /// What came is not what was asked for.
    #[error("Error response from daemon: filesystem layer verification failed for digest {0}")]
    DigestMismatch(String),
    /// A manifest, config or layer cannot be read.
    #[error("Error response from daemon: {0}")]
    Broken(String),
    /// The platform could not supply it; may work later.
    #[error("Error response from daemon: Get \"https://{domain}/v2/\": {why}")]
    Unavailable {
        /// The registry.
        domain: String,
        /// The platform's words.
        why: String,
    },
}

#[derive(Deserialize)]
struct Index {
    #[serde(default)]
    repositories: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    aliases: BTreeMap<String, String>,
    /// The same in another form: names in full with their tags.
    #[serde(default)]
    references: BTreeMap<String, String>,
}

impl Index {
    fn parse(bytes: &[u8]) -> Result<Index, json::Error> {
        let mut index: Index = json::from_slice(bytes)?;
        for (name, digest) in std::mem::take(&mut index.references) {
            if let Ok(Reference { tag: Some(tag), .. }) = Reference::parse(&name) {
                let repository = name.strip_suffix(&format!(":{tag}")).unwrap_or(&name);
                index.repositories.entry(repository.to_owned()).or_default().insert(tag, digest);
            }
        }
        Ok(index)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    #[serde(default)]
    size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    #[serde(default)]
    media_type: String,
    config: Descriptor,
    layers: Vec<Descriptor>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// The registries of the world. Share one between all nodes: what was fetched once is not fetched again.
pub struct Registry {
    sim: Sim,
    index: RefCell<Option<Rc<Index>>>,
    images: RefCell<BTreeMap<String, Rc<Image>>>,
    /// Unpacked layers by digest: most images share one, and its files are parts of these bytes.
    layers: RefCell<BTreeMap<String, ImageLayer>>,
    /// What was pushed, by repository.
    pushed: RefCell<BTreeMap<String, Repository>>,
}

/// A repository that was pushed to.
#[derive(Default)]
struct Repository {
    /// Tag to digest of the manifest.
    tags: BTreeMap<String, String>,
    /// Everything that was pushed, the oldest first: a manifest can be pulled by its digest after its tag has moved.
    images: Vec<Rc<Image>>,
}

impl Repository {
    fn image(&self, digest: &str) -> Option<&Rc<Image>> {
        self.images.iter().find(|image| image.digest.as_deref() == Some(digest))
    }

    /// Lets go of the oldest image that has no tag; false if all have one.
    fn drop_oldest(&mut self) -> bool {
        let is_tagged = |image: &Rc<Image>| self.tags.values().any(|d| Some(d) == image.digest.as_ref());
        let found = self.images.iter().position(|image| !is_tagged(image));
        found.map(|at| self.images.remove(at)).is_some()
    }
}

/// Bytes of the layers of all, each counted once.
fn bytes_of<'a>(images: impl Iterator<Item = &'a Rc<Image>>) -> usize {
    let layers = images.flat_map(|image| &image.layers).map(|layer| (layer.digest.as_str(), layer.tar.len()));
    layers.collect::<BTreeMap<_, _>>().values().sum()
}

impl Registry {
    /// A registry whose files come from the platform.
    pub fn new(sim: &Sim) -> Rc<Self> {
        let (index, images, layers, pushed) = Default::default();
        Rc::new(Registry { sim: sim.clone(), index, images, layers, pushed })
    }

    async fn fetch(&self, reference: &Reference, path: &str) -> Result<Bytes, PullError> {
        self.sim.fetch(path).await.map_err(|error| match error {
            ExternalError::NotFound => PullError::Broken(format!("{path} is missing in this build's registry")),
            ExternalError::Unavailable(why) => PullError::Unavailable { domain: host(&reference.domain), why },
        })
    }

    async fn index(&self, reference: &Reference) -> Result<Rc<Index>, PullError> {
        if let Some(index) = self.index.borrow().clone() {
            return Ok(index);
        }
        let bytes = self.fetch(reference, "images/index.json").await?;
        let index = Index::parse(&bytes);
        let index = Rc::new(index.map_err(|e| PullError::Broken(format!("images/index.json: {e}")))?);
        *self.index.borrow_mut() = Some(Rc::clone(&index));
        Ok(index)
    }

    /// The digest of the manifest that a name means, for somebody who shows no login.
    ///
    /// # Errors
    /// When there is no such registry, repository or tag, or the repository is somebody's own.
    pub async fn resolve(&self, reference: &Reference) -> Result<String, PullError> {
        self.resolve_as(reference, &[]).await
    }

    /// As [`Registry::resolve`], for somebody who shows logins.
    ///
    /// # Errors
    /// Those of [`Registry::resolve`].
    pub async fn resolve_as(&self, reference: &Reference, logins: &[Login]) -> Result<String, PullError> {
        if !is_known(&reference.domain) {
            return Err(PullError::NoSuchRegistry(reference.domain.clone()));
        }
        let name = reference.repository();
        self.check_access(reference, logins)?;
        if let Some(digest) = self.pushed_as(reference) {
            return Ok(digest);
        }
        let index = self.index(reference).await?;
        let repository = index.aliases.get(&name).unwrap_or(&name);
        let Some(tags) = index.repositories.get(repository) else {
            return Err(match reference.domain.as_str() {
                _ if self.pushed.borrow().contains_key(&name) => no_such_tag(reference),
                "docker.io" => PullError::NoSuchRepository(reference.familiar_repository()),
                _ => no_such_tag(reference),
            });
        };
        if let Some(digest) = &reference.digest {
            let known = tags.values().any(|d| d == digest);
            return if known { Ok(digest.clone()) } else { Err(no_such_tag(reference)) };
        }
        let tag = reference.tag.as_deref().unwrap_or("latest");
        tags.get(tag).cloned().ok_or_else(|| no_such_tag(reference))
    }

    /// Fetches and checks an image.
    ///
    /// # Errors
    /// When a part is missing, altered or unreadable.
    pub async fn image(&self, reference: &Reference, digest: &str) -> Result<Rc<Image>, PullError> {
        if let Some(image) = self.pushed.borrow().get(&reference.repository()).and_then(|r| r.image(digest)) {
            return Ok(Rc::clone(image));
        }
        if let Some(image) = self.images.borrow().get(digest) {
            return Ok(Rc::clone(image));
        }
        let broken = |what: &str, e: &dyn std::fmt::Display| PullError::Broken(format!("{what}: {e}"));
        let manifest = self.blob(reference, digest).await?;
        let manifest: Manifest = json::from_slice(&manifest).map_err(|e| broken("invalid manifest", &e))?;
        check_types(&manifest)?;
        let config = self.blob(reference, &manifest.config.digest).await?;
        let mut layers = Vec::new();
        for Descriptor { digest, size, .. } in manifest.layers {
            let layer = self.layer(reference, &digest, size).await?;
            layers.push(layer.map_err(|e| broken("failed to register layer", &e))?);
        }
        let told = manifest.annotations.get(SIZE_ANNOTATION).and_then(|s| s.parse().ok());
        let image = Image::new(config, layers, told).map_err(PullError::Broken)?;
        image.check_layers().map_err(|words| PullError::Broken(words.to_owned()))?;
        let image = Rc::new(image.known_as(digest));
        self.images.borrow_mut().insert(digest.to_owned(), Rc::clone(&image));
        Ok(image)
    }

    /// What was pushed to Docker Hub is open to all; elsewhere it is its owner's until that is changed, which nobody can do here.
    fn check_access(&self, reference: &Reference, logins: &[Login]) -> Result<(), PullError> {
        let owner = reference.path.split('/').next().unwrap_or_default();
        let is_own = reference.domain != HUB && self.pushed.borrow().contains_key(&reference.repository());
        if !is_own || logins.iter().any(|login| login.user == owner) {
            return Ok(());
        }
        Err(PullError::NotAllowed {
            domain: reference.domain.clone(),
            path: reference.path.clone(),
            what: reference.digest.as_deref().or(reference.tag.as_deref()).unwrap_or("latest").to_owned(),
            why: if logins.is_empty() { "unauthorized" } else { "denied" },
        })
    }

    fn pushed_as(&self, reference: &Reference) -> Option<String> {
        let pushed = self.pushed.borrow();
        let repository = pushed.get(&reference.repository())?;
        match &reference.digest {
            Some(digest) => repository.image(digest).and_then(|image| image.digest.clone()),
            None => repository.tags.get(reference.tag.as_deref().unwrap_or("latest")).cloned(),
        }
    }

    /// Takes an image under a name; the digest of its manifest and the manifest's size in bytes. Who may do that is the caller's
    /// affair.
    ///
    /// # Errors
    /// When there is no such registry, or no room in it.
    pub fn push(&self, reference: &Reference, image: &Image) -> Result<(String, usize), PullError> {
        if !is_known(&reference.domain) {
            return Err(PullError::NoSuchRegistry(reference.domain.clone()));
        }
        let manifest = image.manifest();
        let digest = super::image::digest_of(manifest.as_bytes());
        let tag = reference.tag.clone().unwrap_or_else(|| "latest".to_owned());
        let name = reference.repository();
        let mut pushed = self.pushed.borrow_mut();
        let is_new = pushed.get(&name).is_none_or(|repository| !repository.tags.contains_key(&tag));
        if is_new && pushed.values().map(|repository| repository.tags.len()).sum::<usize>() >= PUSHED_TAGS_MAX {
            return Err(PullError::Broken(format!("toomanyrequests: more than {PUSHED_TAGS_MAX} tags")));
        }
        let kept = Rc::new(image.clone().known_as(&digest));
        loop {
            let bytes = bytes_of(pushed.values().flat_map(|repository| &repository.images).chain([&kept]));
            if bytes <= PUSHED_BYTES_MAX {
                break;
            }
            if !pushed.values_mut().any(Repository::drop_oldest) {
                return Err(PullError::Broken(format!("denied: more than {} MiB of layers", PUSHED_BYTES_MAX >> 20)));
            }
        }
        let repository = pushed.entry(name).or_default();
        if repository.image(&digest).is_none() {
            repository.images.push(kept);
        }
        repository.tags.insert(tag, digest.clone());
        if repository.images.len() > PUSHED_MANIFESTS_MAX {
            repository.drop_oldest();
        }
        Ok((digest, manifest.len()))
    }

    /// Whether a repository has been pushed to that has a layer.
    pub fn has_layer(&self, repository: &str, digest: &str) -> bool {
        let pushed = self.pushed.borrow();
        let mut images = pushed.get(repository).into_iter().flat_map(|repository| &repository.images);
        images.any(|image| image.layers.iter().any(|layer| layer.digest == digest))
    }

    /// An unpacked layer; the inner error is one of unpacking.
    async fn layer(
        &self,
        reference: &Reference,
        digest: &str,
        size: u64,
    ) -> Result<Result<ImageLayer, String>, PullError> {
        let known = || self.layers.borrow().get(digest).cloned();
        if let Some(layer) = known() {
            return Ok(Ok(layer));
        }
        let packed = self.blob(reference, digest).await?;
        // Another image may have brought it in the meantime.
        if let Some(layer) = known() {
            return Ok(Ok(layer));
        }
        Ok(gzip::unpack(packed).map(|tar| {
            let layer = ImageLayer::of_blob(tar, digest.to_owned(), size);
            self.layers.borrow_mut().insert(digest.to_owned(), layer.clone());
            layer
        }))
    }

    async fn blob(&self, reference: &Reference, digest: &str) -> Result<Bytes, PullError> {
        let hex = digest.strip_prefix("sha256:").filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        let hex = hex.ok_or_else(|| PullError::Broken(format!("unsupported digest {digest}")))?;
        let bytes = self.fetch(reference, &format!("images/blobs/sha256/{hex}")).await?;
        let found: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        if found == hex { Ok(bytes) } else { Err(PullError::DigestMismatch(digest.to_owned())) }
    }
}

/// Refuses what is no image for containers, in Docker's words.
fn check_types(manifest: &Manifest) -> Result<(), PullError> {
    let is_one_of = |all: &[&str], found: &str| found.is_empty() || all.contains(&found);
    if !is_one_of(MANIFEST_TYPES, &manifest.media_type) {
        return Err(PullError::Broken(format!("unsupported media type {}", manifest.media_type)));
    }
    let config = &manifest.config.media_type;
    if !is_one_of(CONFIG_TYPES, config) {
        return Err(PullError::Broken(format!("Encountered remote {config:?}(unknown) when fetching")));
    }
    Ok(())
}

/// Whether there is such a registry in this world.
pub fn is_known(domain: &str) -> bool {
    KNOWN_DOMAINS.contains(&domain) || domain.ends_with("-docker.pkg.dev")
}

/// Where a registry's API is.
fn host(domain: &str) -> String {
    if domain == "docker.io" { "registry-1.docker.io".to_owned() } else { domain.to_owned() }
}

fn no_such_tag(reference: &Reference) -> PullError {
    let detail = match (reference.domain.as_str(), &reference.tag) {
        ("gcr.io" | "k8s.gcr.io", Some(tag)) => format!("Failed to fetch \"{tag}\""),
        _ => "manifest unknown".to_owned(),
    };
    PullError::NoSuchTag { name: reference.familiar(), detail }
}
