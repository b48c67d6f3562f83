//! The images of one machine.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use simulation::{Sim, Time};

use super::{Image, Login, PullError, Reference, Registry};
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

/// An image with the names that a machine has for it.
#[derive(Clone)]
pub struct StoredImage {
    /// The image.
    pub image: Rc<Image>,
    /// As people write them, e.g. `nginx:latest`, in order.
    pub tags: Vec<String>,
    /// Repository and digest, e.g. `nginx@sha256:...`, in order.
    pub digests: Vec<String>,
}

impl StoredImage {
    /// What a container that was asked for by ID says of its image.
    pub fn info(&self) -> ImageInfo {
        let names: Vec<String> = self.tags.iter().chain(&self.digests).cloned().collect();
        ImageInfo {
            name: self.tags.first().unwrap_or(&self.image.id).clone(),
            reference: format!("docker://{}", self.image.id),
            names,
            size_bytes: self.image.size_bytes,
        }
    }
}

/// What the removal of a name did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Names that were taken away, as people write them.
    pub untagged: Vec<String>,
    /// The image, if it is gone with its last name.
    pub deleted: Option<String>,
}

#[derive(Clone)]
struct Stored {
    image: Rc<Image>,
    /// Familiar names with tags, and repositories with digests.
    names: BTreeSet<String>,
    /// Since when the machine has it.
    since: Time,
}

fn is_digest(name: &str) -> bool {
    name.contains('@')
}

/// The images of one machine, by their IDs.
pub struct ImageStore {
    sim: Sim,
    registry: Rc<Registry>,
    images: RefCell<BTreeMap<String, Stored>>,
    /// Full reference to image ID.
    tags: RefCell<BTreeMap<String, String>>,
    pace: Pace,
}

impl ImageStore {
    /// An empty store.
    pub fn new(sim: &Sim, registry: Rc<Registry>, pace: Pace) -> Self {
        let (images, tags) = (RefCell::default(), RefCell::default());
        ImageStore { sim: sim.clone(), registry, images, tags, pace }
    }

    /// Where images come from.
    pub fn registry(&self) -> &Rc<Registry> {
        &self.registry
    }

    /// How fast the machine is.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// Fetches an image, which takes virtual time by its size and the pace of the machine. The registry is shown the logins.
    ///
    /// # Errors
    /// In Docker's words.
    pub async fn pull(&self, name: &str, logins: &[Login]) -> Result<ImageInfo, PullError> {
        let reference = Reference::parse(name)?;
        self.sim.sleep(self.pace.registry).await;
        let digest = self.registry.resolve_as(&reference, logins).await?;
        let known = self.images.borrow().values().any(|s| s.image.digest.as_ref() == Some(&digest));
        let image = self.registry.image(&reference, &digest).await?;
        if !known {
            self.sim.sleep(self.download_time(&image)).await;
        }
        self.insert(&reference, image);
        let failed = || PullError::Broken(format!("No such image: {name}"));
        self.status(name).ok_or_else(failed)
    }

    /// Layers that the machine has already are not downloaded again.
    fn download_time(&self, image: &Image) -> Duration {
        let images = self.images.borrow();
        let have = |digest: &str| images.values().any(|s| s.image.layers.iter().any(|l| l.digest == digest));
        let total: u64 = image.layers.iter().map(|l| l.size).sum::<u64>().max(1);
        let missing: u64 = image.layers.iter().filter(|l| !have(&l.digest)).map(|l| l.size).sum();
        let bytes = u128::from(image.size_bytes) * u128::from(missing) / u128::from(total);
        let nanos = bytes * 1_000_000_000 / u128::from(self.pace.pull_bytes_per_second.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Puts an image into the store without a name, as a build without a tag does.
    pub fn insert_unnamed(&self, image: Rc<Image>) {
        let stored = Stored { image: Rc::clone(&image), names: BTreeSet::new(), since: self.sim.now() };
        let mut images = self.images.borrow_mut();
        let kept = images.entry(image.id.clone()).or_insert(stored);
        if image.digest.is_some() {
            kept.image = image; // what a registry knows it by
        }
    }

    /// Puts an image into the store under a name, as `docker pull` and `docker load` do. Another image that had the name loses
    /// it and stays.
    pub fn insert(&self, reference: &Reference, image: Rc<Image>) {
        let (id, digest) = (image.id.clone(), image.digest.clone());
        self.insert_unnamed(image);
        if reference.digest.is_none() {
            self.tag(reference, &id);
        }
        if let Some(digest) = digest {
            self.note_digest(reference, &id, &digest);
        }
    }

    /// Notes by what digest a repository knows an image, as after a push.
    pub fn note_digest(&self, reference: &Reference, id: &str, digest: &str) {
        let by_digest = Reference { tag: None, digest: Some(digest.to_owned()), ..reference.clone() };
        self.tags.borrow_mut().insert(by_digest.to_string(), id.to_owned());
        if let Some(stored) = self.images.borrow_mut().get_mut(id) {
            stored.names.insert(by_digest.familiar());
        }
    }

    /// Gives an image that is there one more name.
    pub fn tag(&self, reference: &Reference, id: &str) {
        let previous = self.tags.borrow_mut().insert(reference.to_string(), id.to_owned());
        let mut images = self.images.borrow_mut();
        if let Some(old) = previous.filter(|p| p != id).and_then(|p| images.get_mut(&p)) {
            old.names.remove(&reference.familiar());
        }
        if let Some(stored) = images.get_mut(id) {
            stored.names.insert(reference.familiar());
        }
    }

    /// The image with this name, if the machine has it.
    pub fn image(&self, name: &str) -> Option<Rc<Image>> {
        let reference = Reference::parse(name).ok()?;
        let by_digest = reference.digest.is_some();
        let wanted = if by_digest { Reference { tag: None, ..reference } } else { reference };
        let id = self.tags.borrow().get(&wanted.to_string()).cloned()?;
        self.images.borrow().get(&id).map(|s| Rc::clone(&s.image))
    }

    /// The image that a name or the beginning of an ID means.
    pub fn find(&self, text: &str) -> Option<StoredImage> {
        if let Some(image) = self.image(text) {
            return self.entry(&image.id);
        }
        let hex = text.strip_prefix("sha256:").unwrap_or(text);
        if hex.is_empty() || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let wanted = format!("sha256:{hex}");
        let found: Vec<String> = self.images.borrow().keys().filter(|id| id.starts_with(&wanted)).cloned().collect();
        if let [only] = &found[..] { self.entry(only) } else { None }
    }

    fn entry(&self, id: &str) -> Option<StoredImage> {
        self.images.borrow().get(id).map(Stored::shown)
    }

    /// Every image with its names, by ID.
    pub fn entries(&self) -> Vec<StoredImage> {
        self.images.borrow().values().map(Stored::shown).collect()
    }

    /// What the kubelet wants to know of an image, if the machine has it.
    pub fn status(&self, name: &str) -> Option<ImageInfo> {
        let reference = Reference::parse(name).ok()?;
        let image = self.image(name)?;
        let images = self.images.borrow();
        let stored = images.get(&image.id)?;
        Some(ImageInfo { name: reference.familiar(), ..info(stored, Some(&reference)) })
    }

    /// Every image that has a name, by name.
    pub fn list(&self) -> Vec<ImageInfo> {
        let images = self.images.borrow();
        let mut all: Vec<ImageInfo> = images.values().filter(|s| !s.names.is_empty()).map(|s| info(s, None)).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Takes a name away, and the image with its last tag.
    pub fn untag(&self, reference: &Reference) -> Option<Removed> {
        let id = self.tags.borrow_mut().remove(&reference.to_string())?;
        let mut removed = Removed { untagged: vec![reference.familiar()], deleted: None };
        let left = {
            let mut images = self.images.borrow_mut();
            let stored = images.get_mut(&id)?;
            stored.names.remove(&reference.familiar());
            stored.names.iter().any(|name| !is_digest(name))
        };
        if !left && let Some(rest) = self.delete(&id) {
            removed.untagged.extend(rest.untagged);
            removed.deleted = rest.deleted;
        }
        Some(removed)
    }

    /// Takes a name away, with what the same repository calls the image by digest; the image stays. What `docker rmi --force` does
    /// while a container runs of it.
    pub fn untag_only(&self, reference: &Reference) -> Option<Removed> {
        let id = self.tags.borrow_mut().remove(&reference.to_string())?;
        let mut removed = Removed { untagged: vec![reference.familiar()], deleted: None };
        let by_digest = format!("{}@", reference.familiar_repository());
        if let Some(stored) = self.images.borrow_mut().get_mut(&id) {
            stored.names.remove(&reference.familiar());
            let gone = stored.names.iter().filter(|name| name.starts_with(&by_digest)).cloned();
            removed.untagged.extend(gone);
            stored.names.retain(|name| !name.starts_with(&by_digest));
        }
        let by_digest = format!("{}@", reference.repository());
        self.tags.borrow_mut().retain(|name, other| *other != id || !name.starts_with(&by_digest));
        Some(removed)
    }

    /// The IDs of the images that the machine has since a time that is one of those meant.
    pub(crate) fn known_since(&self, is_meant: impl Fn(Time) -> bool) -> Vec<String> {
        let images = self.images.borrow();
        images.iter().filter(|(_, stored)| is_meant(stored.since)).map(|(id, _)| id.clone()).collect()
    }

    /// What all images take on disk.
    pub fn bytes(&self) -> u64 {
        self.images.borrow().values().map(|stored| stored.image.size_bytes).sum()
    }

    /// Removes an image with all its names.
    pub fn delete(&self, id: &str) -> Option<Removed> {
        let stored = self.images.borrow_mut().remove(id)?;
        self.tags.borrow_mut().retain(|_, other| other != id);
        Some(Removed { untagged: stored.names.into_iter().collect(), deleted: Some(id.to_owned()) })
    }
}

impl Stored {
    fn shown(&self) -> StoredImage {
        let (digests, tags) = self.names.iter().cloned().partition(|name: &String| is_digest(name));
        StoredImage { image: Rc::clone(&self.image), tags, digests }
    }
}

fn info(stored: &Stored, asked_by: Option<&Reference>) -> ImageInfo {
    let repository = asked_by.map(Reference::familiar_repository);
    let of_repository = |name: &&String| repository.as_ref().is_none_or(|r| name.starts_with(&format!("{r}@")));
    let pullable = stored.names.iter().filter(|n| is_digest(n)).find(of_repository).cloned();
    ImageInfo {
        name: stored.names.iter().find(|n| !is_digest(n)).cloned().unwrap_or_default(),
        reference: pullable
            .map_or_else(|| format!("docker://{}", stored.image.id), |p| format!("docker-pullable://{p}")),
        names: stored.names.iter().cloned().collect(),
        size_bytes: stored.image.size_bytes,
    }
}
