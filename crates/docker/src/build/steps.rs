//! The instructions of one stage, one after the other; what was made before of the same is taken again.

use std::rc::Rc;

use runtime::image::ImageLayer;
use vfs::{Vfs, path};

use super::copy::{self, Source, Unfound};
use super::state::{CachedStep, State, is_of_the_machine};
use super::{Base, Build, FILE_TIME, Failed, Ignore, run};
use crate::dockerfile::{Copy, Form, Instruction, Step, expand};
use crate::text::nanos;

impl Build<'_> {
    pub(super) async fn stage(&mut self, index: usize) -> Result<State, Failed> {
        let makes_layers =
            |step: &&Step| matches!(step.what, Instruction::Copy(_) | Instruction::Run(_) | Instruction::Workdir(_));
        let of_image = matches!(self.bases[index], Base::Image(_));
        let total = self.file.stages[index].steps.iter().filter(makes_layers).count() + usize::from(of_image);
        let name = match &self.file.stages[index].name {
            _ if self.file.stages.len() == 1 => String::new(),
            Some(name) => format!("{name} "),
            None => format!("stage-{index} "),
        };
        let mut number = usize::from(of_image);
        let mut state = match self.bases[index].clone() {
            Base::Scratch => State::scratch(self.daemon.sim().now()),
            Base::Stage(base) => match self.states.get(&base) {
                Some(state) => state.as_base(),
                None => State::scratch(self.daemon.sim().now()),
            },
            Base::Image(base) => {
                let vertex = format!("[{name}1/{total}] FROM {}", self.images[&base].shown);
                self.load(&base, &vertex).await;
                State::of(&self.images[&base].image)
            }
        };
        for step in self.file.stages[index].steps.clone() {
            let at = |why: String| Failed { why, lines: Some(step.lines) };
            let vertex = || {
                let shown = expand(&step.text.replace(['\'', '"'], ""), &|name| state.variable(name));
                // Words of a shell are its own; variables of the builder are shown with their values.
                match &step.what {
                    Instruction::Run(_) => step.text.clone(),
                    _ => shown.unwrap_or_else(|_| step.text.clone()),
                }
            };
            let prefix = format!("[{name}{}/{total}] ", number + 1);
            match &step.what {
                Instruction::Run(form) => {
                    number += 1;
                    let title = format!("{prefix}{}", vertex());
                    self.run_step(&mut state, form, &title).await.map_err(at)?;
                }
                Instruction::Copy(copy) => {
                    number += 1;
                    let title = format!("{prefix}{}", vertex());
                    self.copy_step(&mut state, copy, &step, &title, index).await.map_err(at)?;
                }
                Instruction::Workdir(to) => {
                    number += 1;
                    let title = format!("{prefix}{}", vertex());
                    self.workdir_step(&mut state, to, &title).await.map_err(at)?;
                }
                other => {
                    let given = |name: &str, has_no_default: bool| {
                        let given = self.options.args.get(name).cloned();
                        given.or_else(|| has_no_default.then(|| self.global(name)).flatten())
                    };
                    state.configure(other, &given).map_err(at)?;
                }
            }
        }
        Ok(state)
    }

    /// What a step with this key made before, unless the cache is not wanted.
    async fn known(&self, key: &str, title: &str) -> Option<Rc<CachedStep>> {
        let found = if self.options.no_cache { None } else { self.daemon.cached(key) };
        self.progress.begin(title).await;
        if found.is_some() {
            self.progress.cached().await;
        }
        found
    }

    /// What a step made becomes part of a stage, if there is room for it.
    fn add(&self, state: &mut State, made: &CachedStep, created_by: &str) -> Result<(), String> {
        state.add(made, created_by)?;
        self.daemon.check_layers(self.states.values().flat_map(|other| &other.layers).chain(&state.layers))
    }

    async fn made(&self, key: &str, step: CachedStep) -> Rc<CachedStep> {
        self.progress.done().await;
        let step = Rc::new(step);
        self.daemon.remember(key, Rc::clone(&step));
        step
    }

    async fn run_step(&self, state: &mut State, form: &Form, title: &str) -> Result<(), String> {
        let argv = state.command(form);
        let command = argv.join(" ");
        let args: Vec<String> = state.args.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let before = if args.is_empty() { String::new() } else { format!("|{} {} ", args.len(), args.join(" ")) };
        state.depend_on(&format!("RUN {argv:?} {}", state.circumstances()));
        let key = state.key.clone();
        let step = match self.known(&key, title).await {
            Some(step) => step,
            None => match run::run(self.daemon, state, argv, self.progress).await {
                Ok(step) => self.made(&key, step).await,
                Err(why) => {
                    let why = match why.strip_prefix("process ") {
                        Some(_) => why,
                        None => format!("process \"{command}\" did not complete successfully: {why}"),
                    };
                    self.progress.failed(&why).await;
                    return Err(why);
                }
            },
        };
        self.add(state, &step, &format!("RUN {before}{command} # buildkit"))
    }

    async fn copy_step(
        &self,
        state: &mut State,
        copy: &Copy,
        step: &Step,
        title: &str,
        stage: usize,
    ) -> Result<(), String> {
        let sources: Vec<String> = copy.sources.iter().map(|s| state.expand(s)).collect::<Result<_, _>>()?;
        let to = state.expand(&copy.to)?;
        let folder = if to.ends_with('/') || to == "." || to.ends_with("/.") { "/" } else { "" };
        let to = path::normalize(&path::join(&format!("/{}", state.text("WorkingDir")), &to));
        let to = if to == "/" { to } else { format!("{to}{folder}") };
        if copy.is_add && sources.iter().any(|source| source.contains("://")) {
            return Err(simulation::stub!("docker build", "ADD of a URL").to_owned());
        }
        let (files, nothing) = (self.source(copy, stage), Ignore::default());
        let source = match &files {
            Some(files) => Source { files, root: "/", ignore: &nothing },
            None => self.here(),
        };
        let found = match copy::find(&source, &sources, copy.is_add) {
            Ok(found) => found,
            Err(Unfound::Wrong(why)) => {
                self.progress.begin(title).await;
                self.progress.failed(&why).await;
                return Err(why);
            }
            Err(Unfound::Missing(missing)) => {
                self.progress.begin(title).await;
                let reference = copy::random_reference(self.daemon.sim());
                let why = format!("failed to calculate checksum of ref {reference}: {missing:?}: not found");
                self.progress.failed(&why).await;
                return Err(format!("failed to compute cache key: {why}"));
            }
        };
        let owner = copy.chown.as_ref().map(|owner| state.expand(owner)).transpose()?;
        let mode = copy.chmod.as_ref().map(|mode| state.expand(mode)).transpose()?;
        state.depend_on(&format!("{} {to} {owner:?} {mode:?} {}", step.text, found.digest()));
        let key = state.key.clone();
        let made = match self.known(&key, title).await {
            Some(step) => step,
            None => {
                self.daemon.sim().sleep(FILE_TIME).await;
                let now = self.daemon.sim().now();
                let files = state.files(now);
                let owner = owner.map_or(Ok((0, 0)), |owner| ids(&files, &owner))?;
                let mode = mode
                    .map(|mode| {
                        u16::from_str_radix(&mode, 8).map_err(|_| {
                            format!(
                                "invalid chmod parameter: '{mode}'. it should be octal string and between 0 and 07777"
                            )
                        })
                    })
                    .transpose()?;
                let laid = found.lay(&files, &to, owner, mode);
                laid.map_err(|errno| format!("cannot copy to {to:?}: {}", errno.message().to_lowercase()))?;
                self.made(&key, layer_of(&files, now)?).await
            }
        };
        self.add(state, &made, &format!("{} # buildkit", step.text))
    }

    /// The files of what `--from` names; none for the folder that is built.
    fn source(&self, copy: &Copy, stage: usize) -> Option<Vfs> {
        let from = copy.from.as_ref()?;
        let now = self.daemon.sim().now();
        match self.file.stage(from, stage).and_then(|stage| self.states.get(&stage)) {
            Some(state) => Some(state.files(now)),
            None => self.images.get(from).map(|found| Vfs::with_layer(now, Rc::clone(&found.image.layer))),
        }
    }

    async fn workdir_step(&self, state: &mut State, to: &str, title: &str) -> Result<(), String> {
        let to = state.expand(to)?;
        let to = path::normalize(&path::join(&format!("/{}", state.text("WorkingDir")), &to));
        state.config.insert("WorkingDir".into(), to.as_str().into());
        state.depend_on(&format!("WORKDIR {to}"));
        let key = state.key.clone();
        let step = match self.known(&key, title).await {
            Some(step) => step,
            None => {
                self.daemon.sim().sleep(FILE_TIME).await;
                let now = self.daemon.sim().now();
                let files = state.files(now);
                files
                    .mkdir_all(&to)
                    .map_err(|errno| format!("cannot make {to:?}: {}", errno.message().to_lowercase()))?;
                self.made(&key, layer_of(&files, now)?).await
            }
        };
        self.add(state, &step, &format!("WORKDIR {to}"))
    }
}

fn layer_of(files: &Vfs, now: simulation::Time) -> Result<CachedStep, String> {
    let tar = files.diff_tar(&is_of_the_machine).map_err(|errno| errno.to_string())?;
    Ok(CachedStep { layer: tar.map(|tar| ImageLayer::of(tar.into())), created: nanos(now) })
}

/// Arguments that the builder gives to those who declare them.
pub(super) fn platform(name: &str) -> Option<String> {
    let (os, arch) = ("wasip1", "wasm");
    let value = match name {
        "TARGETPLATFORM" | "BUILDPLATFORM" => format!("{os}/{arch}"),
        "TARGETOS" | "BUILDOS" => os.to_owned(),
        "TARGETARCH" | "BUILDARCH" => arch.to_owned(),
        _ => return None,
    };
    Some(value)
}

/// User and group of `--chown`, by number or by the files of the image.
fn ids(files: &Vfs, owner: &str) -> Result<(u32, u32), String> {
    let (user, group) = owner.split_once(':').map_or((owner, None), |(user, group)| (user, Some(group)));
    let field = |file: &str, name: &str, field: usize| {
        let text = files.read_to_string(file).unwrap_or_default();
        let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
        lines.find(|parts| parts.first() == Some(&name)).and_then(|parts| parts.get(field)?.parse::<u32>().ok())
    };
    let missing = |what: &str, name: &str| format!("unable to convert {what} string \"{name}\" to {what}id");
    let uid = user.parse().ok().or_else(|| field("/etc/passwd", user, 2)).ok_or_else(|| missing("u", user))?;
    let gid = match group {
        Some(group) => {
            group.parse().ok().or_else(|| field("/etc/group", group, 2)).ok_or_else(|| missing("g", group))?
        }
        None if user.parse::<u32>().is_ok() => uid,
        None => field("/etc/passwd", user, 3).unwrap_or(uid),
    };
    Ok((uid, gid))
}
