//! The state of one shell, and what every part of it needs.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use machine::{Ctx, Reader, Writer};
use simulation::notify::Signal;
use simulation::{Sim, Time};
use vfs::Vfs;

use crate::editor::History;
use crate::exec::{Exec, Flow};
use crate::jobs::Jobs;
use crate::own_task::OwnTask;
use crate::process::Processes;
use crate::record::Recorder;
use crate::streams::{Capture, Fd, Fds};
use crate::syntax::ast::{Command, List};
use crate::vars::{Value, Vars};

/// What bash says it is, in `$BASH_VERSION` and `bash --version`.
pub const BASH_VERSION: &str = "5.2.15(1)-release";

/// `set -e` and its kin, and `shopt`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// `-e`.
    pub errexit: bool,
    /// `-u`.
    pub nounset: bool,
    /// `-x`.
    pub xtrace: bool,
    /// `-f`.
    pub noglob: bool,
    /// `-n`.
    pub noexec: bool,
    /// `-v`.
    pub verbose: bool,
    /// `-C`.
    pub noclobber: bool,
    /// `-a`.
    pub allexport: bool,
    /// `-o pipefail`.
    pub pipefail: bool,
    /// `shopt -s nullglob`.
    pub nullglob: bool,
    /// `shopt -s dotglob`.
    pub dotglob: bool,
    /// `shopt -s nocasematch`: accepted, matching stays exact.
    pub expand_aliases: bool,
}

/// How errors name the place where they happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At the prompt: `bash: ...`.
    Prompt,
    /// In a script: `name: line 3: ...`; syntax errors of `-c` say `bash: -c: line 1: ...`.
    Script {
        /// The script's name, or `bash`.
        name: String,
        /// What syntax errors add to the name: `-c: `, `eval: ` or nothing.
        origin: &'static str,
    },
}

/// A shell. Cloning it is what `fork` is to a real one.
#[derive(Clone)]
pub struct Shell {
    /// What programs are started with; its streams, directory and environment are those of the start.
    pub(crate) base: Ctx,
    pub(crate) sim: Sim,
    pub(crate) fs: Vfs,
    pub(crate) processes: Processes,
    pub(crate) interrupt: Signal,
    pub(crate) fds: Fds,
    pub(crate) cwd: String,
    pub(crate) dir_stack: Vec<String>,
    pub(crate) vars: Vars,
    pub(crate) functions: BTreeMap<String, Rc<Command>>,
    pub(crate) aliases: BTreeMap<String, String>,
    pub(crate) options: Options,
    pub(crate) positional: Vec<String>,
    pub(crate) name: String,
    pub(crate) status: i32,
    /// Exit code of a command substitution in the command being expanded.
    pub(crate) substituted: Option<i32>,
    pub(crate) last_background: Option<u32>,
    pub(crate) pid: u32,
    pub(crate) tty_name: String,
    pub(crate) jobs: Jobs,
    pub(crate) traps: BTreeMap<String, String>,
    pub(crate) history: Rc<RefCell<History>>,
    pub(crate) function_names: Vec<String>,
    pub(crate) call_depth: u32,
    pub(crate) loop_depth: u32,
    /// Above 0: a failing command does not end the shell even with `set -e`.
    pub(crate) tested: u32,
    pub(crate) interactive: bool,
    pub(crate) place: Place,
    pub(crate) line: usize,
    pub(crate) subshell_depth: u32,
    pub(crate) started: Time,
    /// Tells the trace what commands put on the screen; none while one runs, so that forks have none.
    pub(crate) record: Option<Recorder>,
}

impl Shell {
    /// A shell whose commands are told to the trace.
    pub(crate) fn recorded(ctx: Ctx, processes: Processes) -> Shell {
        let recorder = Recorder::default();
        let (stdout, stderr) = (recorder.tee(ctx.stdout.clone()), recorder.tee(ctx.stderr.clone()));
        let mut shell = Shell::new(Ctx { stdout, stderr, ..ctx }, processes);
        shell.record = Some(recorder);
        shell
    }

    /// A shell that starts in `ctx`: its streams, environment and directory.
    pub fn new(ctx: Ctx, processes: Processes) -> Shell {
        let mut vars = Vars::default();
        for (name, value) in &ctx.env {
            let var = vars.entry(name);
            var.value = Value::Scalar(value.clone());
            var.exported = true;
        }
        for (name, value) in [("IFS", " \t\n"), ("OPTIND", "1"), ("PS4", "+ ")] {
            vars.entry(name).value = Value::Scalar(value.into());
        }
        let shlvl = vars.scalar("SHLVL").and_then(|s| s.parse::<u32>().ok()).unwrap_or(0) + 1;
        for (name, value) in [("PWD", ctx.cwd.clone()), ("SHLVL", shlvl.to_string())] {
            let var = vars.entry(name);
            var.value = Value::Scalar(value);
            var.exported = true;
        }
        let fds = Fds::from([
            (0, Fd::reader(ctx.stdin.clone())),
            (1, Fd::writer(ctx.stdout.clone())),
            (2, Fd::writer(ctx.stderr.clone())),
        ]);
        Shell {
            sim: ctx.sim.clone(),
            fs: ctx.fs.clone(),
            processes,
            interrupt: ctx.interrupt.clone(),
            fds,
            cwd: ctx.cwd.clone(),
            dir_stack: Vec::new(),
            vars,
            functions: BTreeMap::new(),
            aliases: BTreeMap::new(),
            options: Options::default(),
            positional: Vec::new(),
            name: "bash".into(),
            status: 0,
            substituted: None,
            last_background: None,
            pid: 1000,
            tty_name: "?".into(),
            jobs: Jobs::default(),
            traps: BTreeMap::new(),
            history: Rc::default(),
            function_names: Vec::new(),
            call_depth: 0,
            loop_depth: 0,
            tested: 0,
            interactive: false,
            place: Place::Script { name: "bash".into(), origin: "" },
            line: 1,
            subshell_depth: 0,
            started: ctx.sim.now(),
            record: None,
            base: ctx,
        }
    }

    /// What a fork of this shell starts with.
    pub(crate) fn fork(&self) -> Shell {
        let mut child = self.clone();
        child.subshell_depth += 1;
        child.interactive = false;
        child.jobs = Jobs::default();
        child.traps.clear();
        if self.interactive {
            child.place = Place::Prompt;
        }
        child
    }

    // --- streams ---

    /// Standard input.
    pub(crate) fn stdin(&self) -> Reader {
        self.fds.get(&0).and_then(|f| f.read.clone()).unwrap_or_else(Reader::empty)
    }

    fn writer(&self, fd: u32) -> Writer {
        self.fds.get(&fd).and_then(|f| f.write.clone()).unwrap_or_else(Writer::null)
    }

    /// Standard output.
    pub(crate) fn stdout(&self) -> Writer {
        self.writer(1)
    }

    /// Standard error.
    pub(crate) fn stderr(&self) -> Writer {
        self.writer(2)
    }

    /// Writes to standard output. A broken pipe ends this shell, as SIGPIPE would.
    pub(crate) async fn out(&self, text: impl AsRef<str>) -> Result<(), Flow> {
        self.stdout().print(text).await.map_err(|_| Flow::Exit(141))
    }

    /// Writes to standard error.
    pub(crate) async fn err(&self, text: impl AsRef<str>) {
        // A broken standard error is nobody's concern.
        let _ = self.stderr().print(text).await;
    }

    /// An error message, with bash's way of naming the place.
    pub(crate) async fn complain(&self, message: &str) {
        let text = match &self.place {
            Place::Prompt => format!("bash: {message}\n"),
            Place::Script { name, .. } => format!("{name}: line {}: {message}\n", self.line),
        };
        self.err(text).await;
    }

    /// The same, and the exit code of the builtin that failed.
    pub(crate) async fn failed(&self, message: &str, code: i32) -> Exec {
        self.complain(message).await;
        Ok(code)
    }

    // --- programs ---

    /// What a program is given.
    pub(crate) fn context(&self, env: BTreeMap<String, String>) -> Ctx {
        Ctx {
            fs: self.fs.at(&self.cwd),
            cwd: self.cwd.clone(),
            env,
            stdin: self.stdin(),
            stdout: self.stdout(),
            stderr: self.stderr(),
            interrupt: self.interrupt.clone(),
            ..self.base.clone()
        }
    }

    /// `path` from the working directory.
    pub(crate) fn path(&self, path: &str) -> String {
        vfs::path::join(&self.cwd, path)
    }

    /// Runs a list in a fork whose output is kept: its exit code and the bytes.
    pub(crate) async fn capture(&mut self, list: &Rc<List>) -> Result<(i32, Vec<u8>), Flow> {
        let bytes = Rc::new(RefCell::new(Vec::new()));
        let overflow = Rc::new(Cell::new(false));
        let mut child = self.fork();
        child.options.errexit = false;
        child
            .fds
            .insert(1, Fd::writer(Writer::new(Capture { bytes: Rc::clone(&bytes), overflow: Rc::clone(&overflow) })));
        let list = Rc::clone(list);
        let task = OwnTask::spawn(&self.sim, async move { child.run_fork(&list).await });
        let code = task.await.unwrap_or(130);
        if overflow.get() {
            let limit = crate::streams::SUBSTITUTION_BYTES_MAX;
            self.complain(&format!("command substitution: output is longer than {limit} bytes")).await;
        }
        if self.interrupt.is_raised() {
            return Err(Flow::Interrupt);
        }
        let bytes = bytes.take();
        Ok((code, bytes))
    }

    // --- variables ---

    /// Variables that bash computes.
    pub(crate) fn dynamic(&self, name: &str) -> Option<String> {
        Some(match name {
            "?" => self.status.to_string(),
            "$" => self.pid.to_string(),
            "!" => self.last_background.map(|p| p.to_string())?,
            "#" => self.positional.len().to_string(),
            "-" => self.flags(),
            "RANDOM" => self.sim.random_below(32_768).to_string(),
            "SECONDS" => self.sim.now().saturating_since(self.started).as_secs().to_string(),
            "EPOCHSECONDS" => self.sim.now().unix_seconds().to_string(),
            "LINENO" => self.line.to_string(),
            "PPID" => "1".into(),
            "UID" | "EUID" => self.fs.credentials().uid.to_string(),
            "BASH_VERSION" => BASH_VERSION.into(),
            "BASHPID" => self.pid.to_string(),
            "BASH_SUBSHELL" => self.subshell_depth.to_string(),
            "FUNCNAME" => self.function_names.last().cloned()?,
            "COLUMNS" | "LINES" if self.interactive => {
                let size = self.base.tty.as_ref()?.size();
                if name == "LINES" { size.rows } else { size.cols }.to_string()
            }
            "@" | "*" => self.positional.join(" "),
            "0" => self.name.clone(),
            _ => return None,
        })
    }

    /// `$-`.
    pub(crate) fn flags(&self) -> String {
        let o = &self.options;
        let all = [
            (o.allexport, 'a'),
            (o.errexit, 'e'),
            (o.noglob, 'f'),
            (true, 'h'),
            (self.interactive, 'i'),
            (self.interactive, 'm'),
            (o.noexec, 'n'),
            (o.nounset, 'u'),
            (o.verbose, 'v'),
            (o.xtrace, 'x'),
            (true, 'B'),
            (o.noclobber, 'C'),
            (self.interactive, 'H'),
        ];
        let mut text: String = all.iter().filter(|(on, _)| *on).map(|(_, c)| *c).collect();
        if matches!(self.place, Place::Script { origin: "-c: ", .. }) {
            text.push('c');
        }
        text
    }

    /// Assigns a scalar variable. The error is bash's sentence.
    pub(crate) fn assign(&mut self, name: &str, value: String) -> Result<(), String> {
        self.assign_element(name, None, value, false)
    }

    /// Assigns `name`, or its element with an evaluated index.
    pub(crate) fn assign_element(
        &mut self,
        name: &str,
        index: Option<&str>,
        value: String,
        append: bool,
    ) -> Result<(), String> {
        let readonly = || format!("{name}: readonly variable");
        if self.vars.get(name).is_some_and(|v| v.readonly) {
            return Err(readonly());
        }
        let allexport = self.options.allexport;
        let integer = self.vars.get(name).is_some_and(|v| v.integer);
        let value = if integer { crate::expand::arith::evaluate(&value, self)?.to_string() } else { value };
        let var = self.vars.entry(name);
        var.exported |= allexport;
        let joined = |old: Option<&String>| match old {
            Some(old) if append && integer => {
                (old.parse::<i64>().unwrap_or(0).wrapping_add(value.parse().unwrap_or(0))).to_string()
            }
            Some(old) if append => format!("{old}{value}"),
            _ => value.clone(),
        };
        match (&mut var.value, index) {
            (Value::Assoc(map), key) => {
                let key = key.unwrap_or("0").to_owned();
                let new = joined(map.get(&key));
                map.insert(key, new);
            }
            (Value::Array(map), index) => {
                let at = index.unwrap_or("0").parse::<i64>().unwrap_or(0);
                let at = crate::expand::wrap_index(map, at);
                if at < 0 {
                    return Err(format!("{name}[{}]: bad array subscript", index.unwrap_or_default()));
                }
                let new = joined(map.get(&at));
                map.insert(at, new);
            }
            (slot, Some(index)) => {
                let mut map = BTreeMap::new();
                if let Value::Scalar(old) = slot {
                    map.insert(0, old.clone());
                }
                let at = index.parse::<i64>().unwrap_or(0);
                let new = joined(map.get(&at));
                map.insert(at, new);
                *slot = Value::Array(map);
            }
            (Value::Scalar(old), None) => {
                let new = joined(Some(old));
                *old = new;
            }
            (slot @ Value::Unset, None) => *slot = Value::Scalar(value),
        }
        Ok(())
    }
}

impl Shell {
    /// How errors name the place.
    pub fn set_place(&mut self, place: Place) {
        self.place = place;
    }

    /// `$1` and the following.
    pub fn set_arguments(&mut self, name: &str, arguments: Vec<String>) {
        self.name = name.to_owned();
        self.positional = arguments;
    }
}

impl Shell {
    /// `set` with these words; the value is its exit code.
    pub(crate) async fn set_options(&mut self, words: &[String]) -> i32 {
        match crate::builtins::find("set") {
            Some(set) => (set.run)(self, words).await.unwrap_or(2),
            None => 2,
        }
    }
}
