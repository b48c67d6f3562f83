//! `docker build`: from a Dockerfile and a folder to an image (`moby/buildkit/frontend/dockerfile/dockerfile2llb`).

mod copy;
mod ignore;
mod progress;
mod run;
mod state;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use runtime::image::{Image, Login, PullError, Reference};
use simulation::Duration;
use vfs::Vfs;

pub(crate) use ignore::{Ignore, part_fits};
pub(crate) use progress::Progress;
pub(crate) use state::{CachedStep, is_of_the_machine};

use crate::Daemon;
use crate::dockerfile::{Copy, Dockerfile, Instruction, Lines, expand};
use state::State;

/// Virtual time of small work on files.
const FILE_TIME: Duration = Duration::from_millis(12);

/// What is to be built.
pub(crate) struct Options {
    pub(crate) tags: Vec<Reference>,
    /// The Dockerfile's name as it is shown, and its text.
    pub(crate) file: (String, String),
    /// The folder.
    pub(crate) files: Vfs,
    pub(crate) root: String,
    pub(crate) ignore: Ignore,
    pub(crate) args: BTreeMap<String, String>,
    pub(crate) labels: Vec<(String, String)>,
    /// The stage that is wanted; none for the last.
    pub(crate) target: Option<String>,
    pub(crate) no_cache: bool,
    pub(crate) pull: bool,
    /// Registries with what they are shown.
    pub(crate) logins: Vec<(String, Login)>,
}

/// Why a build failed: the builder's words, and what of the Dockerfile they are about.
pub(crate) struct Failed {
    pub(crate) why: String,
    pub(crate) lines: Option<Lines>,
}

impl From<String> for Failed {
    fn from(why: String) -> Failed {
        Failed { why, lines: None }
    }
}

/// Where a stage begins.
#[derive(Clone)]
enum Base {
    Scratch,
    Stage(usize),
    Image(String),
}

/// An image that a build begins with or copies from.
struct Found {
    image: Rc<Image>,
    /// Its name in full; with the digest when a registry was asked.
    shown: String,
    /// Its blobs must be fetched.
    is_new: bool,
}

struct Build<'a> {
    daemon: &'a Daemon,
    options: &'a Options,
    progress: &'a Progress,
    file: Dockerfile,
    /// Arguments from before the first FROM that have a value.
    globals: Vec<(String, String)>,
    /// The stages that are needed, in order.
    wanted: Vec<usize>,
    bases: Vec<Base>,
    images: BTreeMap<String, Found>,
    states: BTreeMap<usize, State>,
}

/// Builds; the image, tagged.
///
/// # Errors
/// The builder's words, after `failed to solve: `.
pub(crate) async fn build(daemon: &Daemon, options: &Options, progress: &Progress) -> Result<Rc<Image>, Failed> {
    let (name, text) = &options.file;
    progress.begin(&format!("[internal] load build definition from {name}")).await;
    let began = daemon.sim().now();
    daemon.sim().sleep(FILE_TIME).await;
    let bytes = crate::text::transferred(text.len() as u64);
    progress.step(&format!("transferring dockerfile: {bytes}"), began).await;
    progress.done().await;
    let file = Dockerfile::parse(text).map_err(|error| Failed { why: error.words(), lines: error.lines })?;
    let mut build = Build {
        daemon,
        options,
        progress,
        file,
        globals: Vec::new(),
        wanted: Vec::new(),
        bases: Vec::new(),
        images: BTreeMap::new(),
        states: BTreeMap::new(),
    };
    build.plan()?;
    build.metadata().await?;
    build.context().await?;
    build.fetch().await;
    for stage in build.wanted.clone() {
        let state = build.stage(stage).await?;
        build.states.insert(stage, state);
    }
    build.export().await
}

impl Build<'_> {
    /// The value of an argument from before the first FROM.
    fn global(&self, name: &str) -> Option<String> {
        let found = self.globals.iter().rfind(|(own, _)| own == name);
        found.map_or_else(|| steps::platform(name), |(_, value)| Some(value.clone()))
    }

    /// Arguments from before the first FROM: each sees those before it, and the command line has the last word.
    fn read_globals(&mut self) -> Result<(), String> {
        for (name, default) in self.file.args.clone() {
            let given = self.options.args.get(&name).cloned();
            let own = default.map(|text| expand(&text, &|other| self.global(other))).transpose()?;
            if let Some(value) = given.or(own) {
                self.globals.push((name, value));
            }
        }
        Ok(())
    }

    /// Which stages are needed, and what each begins with.
    fn plan(&mut self) -> Result<(), Failed> {
        self.read_globals()?;
        for (index, stage) in self.file.stages.iter().enumerate() {
            let at = |why: String| Failed { why, lines: Some(stage.lines) };
            let base = expand(&stage.base, &|name| self.global(name)).map_err(at)?;
            if base.is_empty() {
                return Err(at(format!("base name ({}) should not be blank", stage.base)));
            }
            let found = self.file.stages[..index].iter().rposition(|s| s.name.as_deref() == Some(base.as_str()));
            self.bases.push(match found {
                Some(stage) => Base::Stage(stage),
                None if base == "scratch" => Base::Scratch,
                None => Base::Image(base),
            });
        }
        let last = self.file.stages.len();
        let target = match &self.options.target {
            None => last - 1,
            Some(name) => {
                self.file.stage(name, last).ok_or_else(|| format!("target stage {name:?} could not be found"))?
            }
        };
        let (mut wanted, mut todo) = (BTreeSet::new(), vec![target]);
        while let Some(index) = todo.pop() {
            if !wanted.insert(index) {
                continue;
            }
            if let Base::Stage(base) = self.bases[index] {
                todo.push(base);
            }
            todo.extend(self.copies(index).filter_map(|(copy, _)| self.file.stage(copy.from.as_deref()?, index)));
        }
        self.wanted = wanted.into_iter().collect();
        Ok(())
    }

    fn copies(&self, stage: usize) -> impl Iterator<Item = (&Copy, Lines)> {
        self.file.stages[stage].steps.iter().filter_map(|step| match &step.what {
            Instruction::Copy(copy) => Some((copy, step.lines)),
            _ => None,
        })
    }

    /// Finds out what the images are that the needed stages name.
    async fn metadata(&mut self) -> Result<(), Failed> {
        let mut names: Vec<(String, Lines)> = Vec::new();
        for index in &self.wanted {
            if let Base::Image(name) = &self.bases[*index] {
                names.push((name.clone(), self.file.stages[*index].lines));
            }
            for (copy, lines) in self.copies(*index) {
                if let Some(from) = copy.from.as_ref().filter(|from| self.file.stage(from, *index).is_none()) {
                    names.push((from.clone(), lines));
                }
            }
        }
        for (name, lines) in names {
            if self.images.contains_key(&name) {
                continue;
            }
            let at = |why: String| Failed { why, lines: Some(lines) };
            let reference =
                Daemon::reference(&name).map_err(|why| at(format!("failed to parse stage name {name:?}: {why}")))?;
            self.progress.begin(&format!("[internal] load metadata for {reference}")).await;
            match self.resolve(&reference).await {
                Ok(found) => {
                    self.progress.done().await;
                    self.images.insert(name, found);
                }
                Err(error) => {
                    let why = words(&reference, &error);
                    self.progress.failed(&why).await;
                    return Err(at(format!("{name}: failed to resolve source metadata for {reference}: {why}")));
                }
            }
        }
        self.progress.begin("[internal] load .dockerignore").await;
        let began = self.daemon.sim().now();
        self.daemon.sim().sleep(FILE_TIME).await;
        self.progress.step("transferring context: 2B", began).await;
        self.progress.done().await;
        Ok(())
    }

    async fn resolve(&self, reference: &Reference) -> Result<Found, PullError> {
        let local = self.daemon.images().image(&reference.to_string()).filter(|_| !self.options.pull);
        if let Some(image) = local {
            return Ok(Found { image, shown: reference.to_string(), is_new: false });
        }
        let registry = self.daemon.images().registry();
        self.daemon.sim().sleep(self.daemon.images().pace().registry).await;
        let logins = self.options.logins.iter().filter(|(place, _)| *place == reference.domain);
        let logins: Vec<Login> = logins.map(|(_, login)| login.clone()).collect();
        let digest = registry.resolve_as(reference, &logins).await?;
        let image = registry.image(reference, &digest).await?;
        let shown = match &reference.digest {
            Some(_) => reference.to_string(),
            None => format!("{reference}@{digest}"),
        };
        let is_new = self.daemon.cached(&format!("from {digest}")).is_none();
        Ok(Found { image, shown, is_new })
    }

    /// Sends the folder, if anything is copied from it.
    async fn context(&mut self) -> Result<(), Failed> {
        let from_here = |stage: &usize| self.copies(*stage).any(|(copy, _)| copy.from.is_none());
        if !self.wanted.iter().any(from_here) {
            return Ok(());
        }
        self.progress.begin("[internal] load build context").await;
        let began = self.daemon.sim().now();
        self.daemon.sim().sleep(FILE_TIME).await;
        let mut bytes = 2;
        for stage in self.wanted.clone() {
            for (copy, _) in self.copies(stage).filter(|(copy, _)| copy.from.is_none()) {
                let source = self.here();
                bytes += copy::find(&source, &copy.sources, false).map_or(0, |found| found.bytes());
            }
        }
        let bytes = crate::text::transferred(bytes);
        self.progress.step(&format!("transferring context: {bytes}"), began).await;
        self.progress.done().await;
        Ok(())
    }

    fn here(&self) -> copy::Source<'_> {
        copy::Source { files: &self.options.files, root: &self.options.root, ignore: &self.options.ignore }
    }

    /// Fetches the layers of images that stages only copy from; bases are fetched where they stand.
    async fn fetch(&mut self) {
        let bases: BTreeSet<String> = self
            .wanted
            .iter()
            .filter_map(|index| if let Base::Image(name) = &self.bases[*index] { Some(name.clone()) } else { None })
            .collect();
        let others: Vec<String> = self.images.keys().filter(|name| !bases.contains(*name)).cloned().collect();
        for name in others {
            let vertex = format!("FROM {}", self.images[&name].shown);
            self.load(&name, &vertex).await;
        }
    }

    /// The layers of an image, with the time that they take.
    async fn load(&mut self, name: &str, vertex: &str) {
        let Some(found) = self.images.get_mut(name) else { return };
        let is_new = std::mem::take(&mut found.is_new);
        let (image, shown) = (Rc::clone(&found.image), found.shown.clone());
        self.progress.begin(vertex).await;
        let Some(digest) = image.digest.clone().filter(|_| is_new) else {
            if shown.contains('@') {
                self.progress.cached().await;
            } else {
                self.progress.done().await;
            }
            return;
        };
        self.progress.line(&format!("resolve {shown} done")).await;
        let total: u64 = image.layers.iter().map(|layer| layer.size).sum::<u64>().max(1);
        let pace = self.daemon.images().pace();
        for layer in &image.layers {
            let began = self.daemon.sim().now();
            // By the sizes of the originals, as with a pull.
            let bytes = u128::from(image.size_bytes) * u128::from(layer.size) / u128::from(total);
            let nanos = bytes * 1_000_000_000 / u128::from(pace.pull_bytes_per_second.max(1));
            self.daemon.sim().sleep(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))).await;
            let size = crate::text::transferred(layer.size);
            self.progress.step(&format!("{} {size} / {size}", layer.digest), began).await;
        }
        for layer in &image.layers {
            let began = self.daemon.sim().now();
            self.daemon.sim().sleep(FILE_TIME).await;
            self.progress.step(&format!("extracting {}", layer.digest), began).await;
        }
        self.progress.done().await;
        let fetched = CachedStep { layer: None, created: String::new() };
        self.daemon.remember(&format!("from {digest}"), Rc::new(fetched));
    }

    /// Puts the image together and names it.
    async fn export(&mut self) -> Result<Rc<Image>, Failed> {
        let last = self.wanted.last().copied().unwrap_or(0);
        let mut state = self.states.remove(&last).ok_or_else(|| "no stage was built".to_owned())?;
        for (name, value) in &self.options.labels {
            state.label(name, value);
        }
        self.progress.begin("exporting to image").await;
        let began = self.daemon.sim().now();
        self.daemon.sim().sleep(FILE_TIME).await;
        self.progress.step("exporting layers", began).await;
        let image = Rc::new(state.image()?);
        self.daemon.check_room(&image)?;
        self.progress.line(&format!("writing image {} done", image.id)).await;
        if self.options.tags.is_empty() {
            self.daemon.images().insert_unnamed(Rc::clone(&image));
        }
        for tag in &self.options.tags {
            self.daemon.images().insert(tag, Rc::clone(&image));
            self.progress.line(&format!("naming to {tag} done")).await;
        }
        self.progress.done().await;
        Ok(image)
    }
}

/// What the builder says when an image cannot be resolved.
fn words(reference: &Reference, error: &PullError) -> String {
    match error {
        PullError::NoSuchRepository(_) => "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed".to_owned(),
        PullError::NoSuchTag { .. } => format!("{reference}: not found"),
        PullError::NoSuchRegistry(host) => {
            let tag = reference.tag.as_deref().or(reference.digest.as_deref()).unwrap_or("latest");
            let path = &reference.path;
            format!("failed to do request: Head \"https://{host}/v2/{path}/manifests/{tag}\": dial tcp: lookup {host} on 192.168.49.1:53: no such host")
        }
        other => other.to_string().trim_start_matches("Error response from daemon: ").to_owned(),
    }
}
