//! A stage while it is built: layers so far, configuration, history.

use std::rc::Rc;

use json::{Map, Value, json};
use runtime::image::{Image, ImageLayer, digest_of};
use simulation::Time;
use vfs::{Layer, Vfs};

use crate::dockerfile::{Form, Instruction, expand};
use crate::text::nanos;

/// What a step made, for the next time.
#[derive(Clone)]
pub(crate) struct CachedStep {
    /// None when it changed no file.
    pub(super) layer: Option<ImageLayer>,
    pub(super) created: String,
}

impl CachedStep {
    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        self.layer.as_ref().map_or(0, |layer| layer.size)
    }
}

/// The shell of instructions that are no list of words.
const SHELL: [&str; 2] = ["/bin/sh", "-c"];
/// Bytes that the instructions of a stage may write into its configuration.
const NOTED_BYTES_MAX: usize = 2 << 20;
/// The comment of every instruction in the history.
const COMMENT: &str = "buildkit.dockerfile.v0";

#[derive(Clone)]
pub(super) struct State {
    /// The configuration file of the base, for architecture and system.
    file: Value,
    pub(super) config: Map,
    pub(super) layers: Vec<ImageLayer>,
    pub(super) layer: Rc<Layer>,
    history: Vec<Value>,
    pub(super) created: String,
    size: u64,
    /// ENV so far.
    pub(super) env: Vec<(String, String)>,
    /// ARG so far, with their values.
    pub(super) args: Vec<(String, String)>,
    pub(super) shell: Vec<String>,
    /// What everything so far depends on.
    pub(super) key: String,
    has_cmd: bool,
    /// Bytes of what instructions wrote into configuration and history.
    noted_bytes: usize,
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

fn quoted(words: &[String]) -> String {
    let all: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    format!("[{}]", all.join(" "))
}

fn joined(pairs: &[(String, String)]) -> String {
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}

impl State {
    /// Nothing: `FROM scratch`.
    pub(super) fn scratch(now: Time) -> State {
        State {
            file: json!({ "architecture": "wasm", "os": "wasip1" }),
            config: Map::default(),
            layers: Vec::new(),
            layer: Rc::new(Layer::default()),
            history: Vec::new(),
            created: nanos(now),
            size: 0,
            env: Vec::new(),
            args: Vec::new(),
            shell: SHELL.map(str::to_owned).to_vec(),
            key: "scratch".to_owned(),
            has_cmd: false,
            noted_bytes: 0,
        }
    }

    /// On top of an image.
    pub(super) fn of(image: &Image) -> State {
        let file = image.file();
        let config = file["config"].as_object().cloned().unwrap_or_default();
        let env = strings(&file["config"]["Env"]);
        let env = env.iter().filter_map(|e| e.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let shell = strings(&file["config"]["Shell"]);
        State {
            config,
            layers: image.layers.clone(),
            layer: Rc::clone(&image.layer),
            history: file["history"].as_array().into_iter().flatten().cloned().collect(),
            created: file["created"].as_str().unwrap_or_default().to_owned(),
            size: image.size_bytes,
            env,
            args: Vec::new(),
            shell: if shell.is_empty() { SHELL.map(str::to_owned).to_vec() } else { shell },
            key: image.id.clone(),
            has_cmd: false,
            noted_bytes: 0,
            file,
        }
    }

    /// As another stage begins with it, arguments and all.
    pub(super) fn as_base(&self) -> State {
        State { has_cmd: false, ..self.clone() }
    }

    /// The value of a variable: ENV before ARG.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let env = self.env.iter().find(|(n, _)| n == name);
        env.or_else(|| self.args.iter().rfind(|(n, _)| n == name)).map(|(_, value)| value.clone())
    }

    /// Quotes off, variables in.
    pub(super) fn expand(&self, text: &str) -> Result<String, String> {
        expand(text, &|name| self.variable(name))
    }

    /// The tree so far, for looking or for changing a copy.
    pub(super) fn files(&self, now: Time) -> Vfs {
        Vfs::with_layer(now, Rc::clone(&self.layer))
    }

    pub(super) fn text(&self, field: &str) -> &str {
        self.config.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// Everything that comes later depends on this too.
    pub(super) fn depend_on(&mut self, what: &str) {
        self.key = digest_of(format!("{}\n{what}", self.key).as_bytes());
    }

    /// What a step made becomes part of the stage.
    pub(super) fn add(&mut self, made: &CachedStep, created_by: &str) -> Result<(), String> {
        let mut entry = json!({ "created": made.created.clone(), "created_by": created_by, "comment": COMMENT });
        match &made.layer {
            Some(layer) => {
                let mut tree = (*self.layer).clone();
                tree.apply_tar(layer.tar.clone()).map_err(|why| format!("failed to register layer: {why}"))?;
                let own = Layer::from_tar(layer.tar.clone()).map_or(layer.size, |own| own.size());
                self.layer = Rc::new(tree);
                self.layers.push(layer.clone());
                self.size += own;
                self.created.clone_from(&made.created);
            }
            None => entry["empty_layer"] = true.into(),
        }
        self.history.push(entry);
        Ok(())
    }

    /// What a command that is run depends on, besides the files.
    pub(super) fn circumstances(&self) -> String {
        let place = [self.text("User"), self.text("WorkingDir")].map(str::to_owned);
        format!("{:?} {:?} {place:?}", self.env, self.args)
    }

    fn note(&mut self, created_by: String) {
        self.noted_bytes += created_by.len();
        // When is told at the end: see `dated`.
        self.history.push(json!({ "created_by": created_by, "comment": COMMENT, "empty_layer": true }));
    }

    fn words(&self, form: &Form) -> Vec<String> {
        match form {
            Form::Exec(words) => words.clone(),
            Form::Shell(line) => self.shell.iter().cloned().chain([line.clone()]).collect(),
        }
    }

    fn set(&mut self, field: &str, value: impl Into<Value>) {
        self.config.insert(field.into(), value.into());
    }

    fn put_into(&mut self, field: &str, name: &str, value: Value) {
        let mut map = self.config.get(field).and_then(|v| v.as_object().cloned()).unwrap_or_default();
        map.insert(name.into(), value);
        self.set(field, map);
    }

    /// The command of a RUN.
    pub(super) fn command(&self, form: &Form) -> Vec<String> {
        self.words(form)
    }

    /// An instruction that changes no file. `given`: arguments of the command line and those before the first FROM.
    pub(super) fn configure(
        &mut self,
        what: &Instruction,
        given: &dyn Fn(&str, bool) -> Option<String>,
    ) -> Result<(), String> {
        match what {
            Instruction::Arg(args) => {
                let mut notes = Vec::new();
                for (name, default) in args {
                    let value = match (given(name, default.is_none()), default) {
                        (Some(value), _) => Some(value),
                        (None, Some(default)) => Some(self.expand(default)?),
                        (None, None) => None,
                    };
                    notes.push(value.as_ref().map_or(name.clone(), |value| format!("{name}={value}")));
                    if let Some(value) = value {
                        self.args.push((name.clone(), value));
                    }
                }
                self.note(format!("ARG {}", notes.join(" ")));
            }
            Instruction::Cmd(form) => {
                let words = self.words(form);
                self.has_cmd = true;
                self.note(format!("CMD {}", quoted(&words)));
                self.set("Cmd", words);
            }
            Instruction::Entrypoint(form) => {
                let words = self.words(form);
                self.note(format!("ENTRYPOINT {}", quoted(&words)));
                self.set("Entrypoint", words);
                if !self.has_cmd {
                    self.config.remove("Cmd"); // the base's arguments were for another program
                }
            }
            Instruction::Env(pairs) => {
                let pairs = self.expand_all(pairs)?;
                self.note(format!("ENV {}", joined(&pairs)));
                for (name, value) in pairs {
                    match self.env.iter_mut().find(|(n, _)| *n == name) {
                        Some(slot) => slot.1 = value,
                        None => self.env.push((name, value)),
                    }
                }
                let env: Vec<String> = self.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
                self.set("Env", env);
            }
            Instruction::Expose(ports) => {
                let mut notes = Vec::new();
                for port in ports {
                    let port = self.expand(port)?;
                    let port = if port.contains('/') { port } else { format!("{port}/tcp") };
                    let number = port.split('/').next().and_then(|n| n.parse::<u16>().ok());
                    if number.is_none_or(|n| n == 0) {
                        return Err(format!("invalid containerPort: {}", port.split('/').next().unwrap_or_default()));
                    }
                    self.put_into("ExposedPorts", &port, json!({}));
                    notes.push(port);
                }
                self.note(format!("EXPOSE [{}]", notes.join(" ")));
            }
            Instruction::Label(pairs) => {
                let pairs = self.expand_all(pairs)?;
                self.note(format!("LABEL {}", joined(&pairs)));
                for (name, value) in pairs {
                    self.label(&name, &value);
                }
            }
            Instruction::Maintainer(name) => {
                self.note(format!("MAINTAINER {name}"));
                self.file["author"] = name.as_str().into();
            }
            Instruction::Shell(words) => {
                self.note(format!("SHELL {}", quoted(words)));
                self.set("Shell", words.clone());
                self.shell.clone_from(words);
            }
            Instruction::StopSignal(signal) => {
                let signal = self.expand(signal)?;
                self.note(format!("STOPSIGNAL {signal}"));
                self.set("StopSignal", signal);
            }
            Instruction::User(user) => {
                let user = self.expand(user)?;
                self.note(format!("USER {user}"));
                self.set("User", user);
            }
            Instruction::Volume(paths) => {
                let paths = paths.iter().map(|at| self.expand(at)).collect::<Result<Vec<_>, _>>()?;
                self.note(format!("VOLUME [{}]", paths.join(" ")));
                for at in paths {
                    self.put_into("Volumes", &at, json!({}));
                }
            }
            Instruction::Copy(_) | Instruction::Run(_) | Instruction::Workdir(_) => {}
        }
        if self.noted_bytes > NOTED_BYTES_MAX {
            return Err(format!("the configuration of an image has more than {NOTED_BYTES_MAX} bytes"));
        }
        Ok(())
    }

    /// Sets a label, of which the history says nothing.
    pub(super) fn label(&mut self, name: &str, value: &str) {
        self.put_into("Labels", name, value.into());
    }

    fn expand_all(&self, pairs: &[(String, String)]) -> Result<Vec<(String, String)>, String> {
        // All of one instruction see the variables from before it.
        pairs.iter().map(|(name, value)| Ok((self.expand(name)?, self.expand(value)?))).collect()
    }

    /// The image.
    pub(super) fn image(&self) -> Result<Image, String> {
        let ids: Vec<&str> = self.layers.iter().map(ImageLayer::diff_id).collect();
        let mut file = self.file.clone();
        file["created"] = self.created.clone().into();
        file["config"] = self.config.clone().into();
        file["history"] = dated(self.history.clone()).into();
        file["rootfs"] = json!({ "type": "layers", "diff_ids": ids });
        Image::new(file.to_string().into(), self.layers.clone(), Some(self.size))
    }
}

/// Instructions that made no layer are as old as the first layer of the build, or the one before them
/// (`exporter/containerimage/writer.go`), so that the same build has the same image.
fn dated(mut history: Vec<Value>) -> Vec<Value> {
    let mut created = Value::Null;
    let mut is_past_one = false;
    for entry in &history {
        if entry["created"].is_null() {
            is_past_one = true;
        } else {
            created = entry["created"].clone();
            if is_past_one {
                break;
            }
        }
    }
    let mut is_past_one = false;
    for entry in &mut history {
        if !entry["created"].is_null() {
            if is_past_one {
                created = entry["created"].clone();
            }
        } else {
            is_past_one = true;
            if !created.is_null() {
                entry["created"] = created.clone();
            }
        }
    }
    history
}

/// What a container runtime puts into a container's files, which is no part of an image.
pub(crate) fn is_of_the_machine(at: &str) -> bool {
    let below = |folder: &str| at == folder || at.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    ["/dev", "/proc", "/sys"].into_iter().any(below)
        || ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"].contains(&at)
}
