//! The images of one node.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use simulation::Sim;

use super::{Image, PullError, Reference, Registry};
use crate::pace::Pace;

/// An image as the kubelet sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageInfo {
    /// As `containerStatuses[].image` shows it, e.g. `nginx:latest`.
    pub name: String,
    /// As `containerStatuses[].imageID` shows it, e.g. `docker-pullable://nginx@sha256:...`.
    pub reference: String,
    /// Every name that it has on the node.
    pub names: Vec<String>,
    /// Size in bytes.
    pub size_bytes: u64,
}

struct Stored {
    image: Rc<Image>,
    /// Familiar names with tags, and repositories with digests.
    names: BTreeSet<String>,
}

/// The images of one node, by the digest of their manifests.
pub struct ImageStore {
    sim: Sim,
    registry: Rc<Registry>,
    images: RefCell<BTreeMap<String, Stored>>,
    /// Full reference to digest of the manifest.
    tags: RefCell<BTreeMap<String, String>>,
    pace: Pace,
}

impl ImageStore {
    /// An empty store.
    pub fn new(sim: &Sim, registry: Rc<Registry>, pace: Pace) -> Self {
        let (images, tags) = (RefCell::default(), RefCell::default());
        ImageStore { sim: sim.clone(), registry, images, tags, pace }
    }

    /// Fetches an image, which takes virtual time by its size and the pace of the machine.
    ///
    /// # Errors
    /// In Docker's words.
    pub async fn pull(&self, name: &str) -> Result<ImageInfo, PullError> {
        let reference = Reference::parse(name)?;
        self.sim.sleep(self.pace.registry).await;
        let digest = self.registry.resolve(&reference).await?;
        if !self.images.borrow().contains_key(&digest) {
            let image = self.registry.image(&reference, &digest).await?;
            self.sim.sleep(self.download_time(&image)).await;
            self.insert(&reference, image);
        } else {
            self.tag(&reference, &digest);
        }
        let failed = || PullError::Broken(format!("No such image: {name}"));
        self.status(name).ok_or_else(failed)
    }

    /// Layers that the node has already are not downloaded again.
    fn download_time(&self, image: &Image) -> Duration {
        let images = self.images.borrow();
        let have = |digest: &str| images.values().any(|s| s.image.blobs.iter().any(|(d, _)| d == digest));
        let total: u64 = image.blobs.iter().map(|(_, size)| size).sum::<u64>().max(1);
        let missing: u64 = image.blobs.iter().filter(|(d, _)| !have(d)).map(|(_, size)| size).sum();
        let bytes = u128::from(image.size_bytes) * u128::from(missing) / u128::from(total);
        let nanos = bytes * 1_000_000_000 / u128::from(self.pace.pull_bytes_per_second.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Puts an image into the store under a name, as `docker load` does.
    pub fn insert(&self, reference: &Reference, image: Rc<Image>) {
        let digest = image.digest.clone();
        let stored = Stored { image, names: BTreeSet::new() };
        self.images.borrow_mut().entry(digest.clone()).or_insert(stored);
        self.tag(reference, &digest);
    }

    fn tag(&self, reference: &Reference, digest: &str) {
        let mut tags = self.tags.borrow_mut();
        let previous = tags.insert(reference.to_string(), digest.to_owned());
        let by_digest = Reference { tag: None, digest: Some(digest.to_owned()), ..reference.clone() };
        tags.insert(by_digest.to_string(), digest.to_owned());
        let mut images = self.images.borrow_mut();
        if let Some(old) = previous.filter(|p| p != digest).and_then(|p| images.get_mut(&p)) {
            old.names.remove(&reference.familiar());
        }
        if let Some(stored) = images.get_mut(digest) {
            stored.names.insert(format!("{}@{digest}", reference.familiar_repository()));
            if reference.tag.is_some() && reference.digest.is_none() {
                stored.names.insert(reference.familiar());
            }
        }
    }

    /// The image with this name, if the node has it.
    pub fn image(&self, name: &str) -> Option<Rc<Image>> {
        let reference = Reference::parse(name).ok()?;
        let digest = self.tags.borrow().get(&reference.to_string()).cloned()?;
        self.images.borrow().get(&digest).map(|s| Rc::clone(&s.image))
    }

    /// What the kubelet wants to know of an image, if the node has it.
    pub fn status(&self, name: &str) -> Option<ImageInfo> {
        let reference = Reference::parse(name).ok()?;
        let image = self.image(name)?;
        let images = self.images.borrow();
        let stored = images.get(&image.digest)?;
        Some(ImageInfo { name: reference.familiar(), ..info(stored, Some(&reference)) })
    }

    /// Every image, by name.
    pub fn list(&self) -> Vec<ImageInfo> {
        let mut all: Vec<ImageInfo> = self.images.borrow().values().map(|s| info(s, None)).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Removes an image.
    pub fn remove(&self, name: &str) -> bool {
        let Some(image) = self.image(name) else { return false };
        self.tags.borrow_mut().retain(|_, digest| *digest != image.digest);
        self.images.borrow_mut().remove(&image.digest).is_some()
    }
}

fn info(stored: &Stored, asked_by: Option<&Reference>) -> ImageInfo {
    let is_digest = |name: &&String| name.contains('@');
    let repository = asked_by.map(Reference::familiar_repository);
    let of_repository = |name: &&String| repository.as_ref().is_none_or(|r| name.starts_with(&format!("{r}@")));
    let pullable = stored.names.iter().filter(is_digest).find(of_repository).cloned();
    ImageInfo {
        name: stored.names.iter().find(|n| !is_digest(n)).cloned().unwrap_or_default(),
        reference: pullable
            .map_or_else(|| format!("docker://{}", stored.image.id), |p| format!("docker-pullable://{p}")),
        names: stored.names.iter().cloned().collect(),
        size_bytes: stored.image.size_bytes,
    }
}
