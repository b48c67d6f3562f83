//! Running commands.

use super::ast::{Command, Compound, Item, List, Pipeline, Redirect, Word};
use super::{CAPTURE_FD, Shell, Var, print};
use crate::applets;

/// Function calls and evaluations inside each other.
const DEPTH_MAX: usize = 40;

/// What is not just going on with the next command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// Out of so many loops.
    Break(u32),
    /// On with the loop that many levels up.
    Continue(u32),
    /// Out of a function or a sourced file.
    Return(i32),
    /// Out of the shell.
    Exit(i32),
    /// An error that ends a script, but brings an interactive shell back to its prompt.
    Error(i32),
}

pub(super) type Result<T> = std::result::Result<T, Flow>;

impl Shell {
    pub(super) fn list(&mut self, list: &List) -> Result<i32> {
        for item in list {
            self.signals()?;
            if item.background {
                self.background(item)?;
            } else {
                self.and_or(item)?;
            }
        }
        Ok(self.status)
    }

    fn and_or(&mut self, item: &Item) -> Result<i32> {
        let mut last = item.rest.is_empty();
        self.pipeline(&item.first, last)?;
        for (i, (and, next)) in item.rest.iter().enumerate() {
            last = i + 1 == item.rest.len();
            if *and == (self.status == 0) {
                self.pipeline(next, last)?;
            }
        }
        Ok(self.status)
    }

    fn pipeline(&mut self, pipeline: &Pipeline, last: bool) -> Result<i32> {
        let excused = pipeline.negated || !last;
        self.conditional += usize::from(excused);
        let result = match pipeline.commands.as_slice() {
            [command] => self.command(command),
            stages => self.stages(stages),
        };
        self.conditional -= usize::from(excused);
        self.status = result?;
        if pipeline.negated {
            self.status = i32::from(self.status == 0);
        } else if self.status != 0 && last && self.options.errexit && self.conditional == 0 {
            return Err(Flow::Exit(self.status));
        }
        Ok(self.status)
    }

    pub(super) fn command(&mut self, command: &Command) -> Result<i32> {
        match command {
            Command::Simple { assigns, words, redirects } => self.simple(assigns, words, redirects),
            Command::Function { name, body } => {
                self.functions.insert(name.clone(), body.clone());
                Ok(0)
            }
            Command::Compound { kind, redirects } => {
                self.redirected(redirects, |shell| shell.deeper(|shell| shell.compound(kind)))
            }
        }
    }

    pub(super) fn deeper(&mut self, run: impl FnOnce(&mut Shell) -> Result<i32>) -> Result<i32> {
        if self.depth >= DEPTH_MAX {
            return Err(self.fatal("maximum nesting of functions and commands exceeded"));
        }
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }

    /// Runs with redirections and takes them back.
    pub(super) fn redirected(
        &mut self,
        redirects: &[Redirect],
        run: impl FnOnce(&mut Shell) -> Result<i32>,
    ) -> Result<i32> {
        if redirects.is_empty() {
            return run(self);
        }
        let saved = self.fds.clone();
        let mut opened = Vec::new();
        let result = match self.redirect(redirects, &mut opened) {
            Ok(()) => run(self),
            Err(status) => status,
        };
        self.fds = saved;
        opened.into_iter().for_each(proc::close);
        result
    }

    fn compound(&mut self, kind: &Compound) -> Result<i32> {
        match kind {
            Compound::Brace(list) => self.nested(list),
            Compound::Subshell(list) => self.subshell(list),
            Compound::If(arms, otherwise) => {
                for (condition, body) in arms {
                    if self.condition(condition)? == 0 {
                        return self.nested(body);
                    }
                }
                otherwise.as_ref().map_or(Ok(0), |body| self.nested(body))
            }
            Compound::Loop(until, condition, body) => self.while_loop(*until, condition, body),
            Compound::For(name, words, body) => self.for_loop(name, words.as_deref(), body),
            Compound::Case(word, arms) => {
                let text = self.text(word)?;
                for (patterns, body) in arms {
                    for pattern in patterns {
                        if self.pattern(pattern)?.matches(&text) {
                            return self.nested(body);
                        }
                    }
                }
                Ok(0)
            }
        }
    }

    /// A list whose status is 0 if it is empty.
    fn nested(&mut self, list: &List) -> Result<i32> {
        if list.is_empty() { Ok(0) } else { self.list(list) }
    }

    fn condition(&mut self, list: &List) -> Result<i32> {
        self.conditional += 1;
        let result = self.nested(list);
        self.conditional -= 1;
        result
    }

    /// Runs a loop's body; true when the loop is left.
    fn turn(&mut self, body: &List, status: &mut i32) -> Result<bool> {
        match self.nested(body) {
            Ok(new) => *status = new,
            Err(Flow::Break(1)) => return Ok(true),
            Err(Flow::Break(more)) => return Err(Flow::Break(more - 1)),
            Err(Flow::Continue(1)) => {}
            Err(Flow::Continue(more)) => return Err(Flow::Continue(more - 1)),
            Err(other) => return Err(other),
        }
        Ok(false)
    }

    fn while_loop(&mut self, until: bool, condition: &List, body: &List) -> Result<i32> {
        let mut status = 0;
        loop {
            self.signals()?;
            match self.condition(condition) {
                Ok(result) if (result == 0) == until => return Ok(status),
                Ok(_) => {}
                Err(Flow::Break(1)) => return Ok(status),
                Err(other) => return Err(other),
            }
            if self.turn(body, &mut status)? {
                return Ok(0);
            }
        }
    }

    fn for_loop(&mut self, name: &str, words: Option<&[Word]>, body: &List) -> Result<i32> {
        let values = match words {
            Some(words) => self.fields(words)?,
            None => self.positional.clone(),
        };
        let mut status = 0;
        for value in values {
            self.signals()?;
            self.set(name, &value)?;
            if self.turn(body, &mut status)? {
                return Ok(0);
            }
        }
        Ok(status)
    }

    /// `( ... )`: on a copy of the state, in this process.
    fn subshell(&mut self, list: &List) -> Result<i32> {
        let mut inner = self.clone();
        inner.traps.clear();
        inner.interactive = false;
        let cwd = self.get("PWD");
        let result = inner.nested(list);
        let status = inner.ended(result);
        let status = inner.finish(status);
        self.capture = std::mem::take(&mut inner.capture);
        if inner.get("PWD") != cwd
            && let Some(cwd) = cwd
        {
            let _ = proc::chdir(&cwd);
        }
        Ok(status)
    }

    fn simple(&mut self, assigns: &[(String, Word)], words: &[Word], redirects: &[Redirect]) -> Result<i32> {
        self.substituted = None;
        let fields = self.fields(words)?;
        if fields.is_empty() {
            return self.redirected(redirects, |shell| {
                for (name, value) in assigns {
                    let value = shell.text(value)?;
                    shell.trace(&format!("{name}={value}"));
                    shell.set(name, &value)?;
                }
                // The status of an assignment is that of its last substitution.
                Ok(shell.substituted.unwrap_or(0))
            });
        }
        let mut values = Vec::new();
        for (name, value) in assigns {
            values.push((name.clone(), self.text(value)?));
        }
        self.trace(&fields.join(" "));
        let function = self.functions.get(&fields[0]).cloned();
        let builtin = super::builtins::find(&fields[0]);
        if builtin.is_some_and(|b| b.special) && fields[0] == "exec" {
            return self.exec(&fields[1..], &values, redirects);
        }
        let in_shell = applets::find(&fields[0]).filter(|a| a.in_shell);
        if function.is_none() && builtin.is_none() && in_shell.is_none() {
            return self.redirected(redirects, |shell| shell.program(&fields, &values));
        }
        let saved: Vec<(String, Option<Var>)> =
            values.iter().map(|(name, _)| (name.clone(), self.vars.get(name).cloned())).collect();
        for (name, value) in &values {
            self.set(name, value)?;
        }
        let result = self.redirected(redirects, |shell| match (function, builtin, in_shell) {
            (Some(body), ..) => shell.call(&body, &fields),
            (None, Some(builtin), _) => (builtin.run)(shell, &fields),
            (None, None, Some(applet)) => Ok(shell.applet(applet, &fields)),
            (None, None, None) => Ok(0),
        });
        if !builtin.is_some_and(|b| b.special) {
            self.restore(saved);
        }
        result
    }

    pub(super) fn restore(&mut self, saved: Vec<(String, Option<Var>)>) {
        for (name, var) in saved.into_iter().rev() {
            match var {
                Some(var) => self.vars.insert(name, var),
                None => self.vars.remove(&name),
            };
        }
    }

    fn trace(&mut self, text: &str) {
        if self.options.xtrace {
            let _ = self.write(2, format!("+ {text}\n").as_bytes());
        }
    }

    fn call(&mut self, body: &Command, fields: &[String]) -> Result<i32> {
        let positional = std::mem::replace(&mut self.positional, fields[1..].to_vec());
        self.locals.push(Vec::new());
        let result = self.deeper(|shell| shell.command(body));
        let locals = self.locals.pop().unwrap_or_default();
        self.restore(locals);
        self.positional = positional;
        match result {
            Err(Flow::Return(status)) => Ok(status),
            other => other,
        }
    }

    /// Runs an applet inside the shell, with its output on the script's descriptors.
    fn applet(&mut self, applet: &applets::Applet, fields: &[String]) -> i32 {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut input = std::io::empty();
        let mut io = applets::Io { input: &mut input, out: &mut out, err: &mut err };
        let status = applet.run(&mut io, fields);
        let _ = self.write(2, &err);
        match self.write(1, &out) {
            Ok(()) => status,
            Err(error) => {
                let text = format!("{}: write error: {}\n", fields[0], proc::Errno::from_io(&error));
                let _ = self.write(2, text.as_bytes());
                1
            }
        }
    }

    /// `$(...)`.
    pub(super) fn substitute(&mut self, list: &List) -> Result<String> {
        if let Some(command) = in_shell(list)
            && !self.functions.contains_key(command)
        {
            let mut inner = self.clone();
            inner.fds.insert(1, CAPTURE_FD);
            inner.capture.clear();
            let result = inner.list(list);
            self.substituted = Some(inner.ended(result));
            return Ok(String::from_utf8_lossy(&inner.capture).into_owned());
        }
        let (read, write) = proc::pipe().map_err(|e| self.fatal(&format!("can't create pipe: {e}")))?;
        let saved = self.fds.insert(1, write);
        let started = self.start_list(list);
        if let Some(saved) = saved {
            self.fds.insert(1, saved);
        }
        proc::close(write);
        let mut bytes = Vec::new();
        let read = proc::owned_file(read);
        super::redirect::read_retrying(&read, &mut bytes);
        drop(read);
        self.substituted = Some(match started? {
            Some(pid) => self.wait_for(pid)?,
            None => self.status,
        });
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Starts a list as a process: a single program as itself, everything else as a new shell.
    pub(super) fn start_list(&mut self, list: &List) -> Result<Option<u32>> {
        if let [item] = list.as_slice()
            && item.rest.is_empty()
            && !item.first.negated
            && let [command] = item.first.commands.as_slice()
        {
            return self.start_command(command);
        }
        self.start_shell(&print::list(list))
    }

    /// Starts one command as a process.
    pub(super) fn start_command(&mut self, command: &Command) -> Result<Option<u32>> {
        if let Command::Simple { assigns, words, redirects } = command
            && let Some(name) = words.first().and_then(Word::literal)
            && !self.functions.contains_key(name)
            && super::builtins::find(name).is_none()
        {
            let fields = self.fields(words)?;
            let mut values = Vec::new();
            for (name, value) in assigns {
                values.push((name.clone(), self.text(value)?));
            }
            self.trace(&fields.join(" "));
            let mut pid = None;
            let result = self.redirected(redirects, |shell| {
                let started = shell.start_program(&fields, &values);
                pid = started.ok();
                Ok(started.err().unwrap_or(0))
            });
            self.status = result?;
            return Ok(pid);
        }
        self.start_shell(&print::command(command))
    }

    /// A pipeline of several stages: each is a process.
    fn stages(&mut self, stages: &[Command]) -> Result<i32> {
        let outer = self.fds.clone();
        let mut input = None;
        let mut pids = Vec::new();
        for (i, stage) in stages.iter().enumerate() {
            let last = i + 1 == stages.len();
            if let Some(fd) = input {
                self.fds.insert(0, fd);
            }
            let mut pipe = None;
            if !last {
                let made = proc::pipe().map_err(|e| self.fatal(&format!("can't create pipe: {e}")))?;
                self.fds.insert(1, made.1);
                pipe = Some(made);
            }
            let started = self.start_command(stage);
            let failed = self.status;
            self.fds.clone_from(&outer);
            input.into_iter().for_each(proc::close);
            input = pipe.map(|(read, write)| {
                proc::close(write);
                read
            });
            match started {
                Ok(Some(pid)) => pids.push(Ok(pid)),
                Ok(None) => pids.push(Err(failed)),
                Err(flow) => {
                    input.into_iter().for_each(proc::close);
                    return Err(flow);
                }
            }
        }
        let (mut status, mut worst) = (0, 0);
        for stage in pids {
            status = match stage {
                Ok(pid) => self.wait_for(pid)?,
                Err(status) => status,
            };
            if status != 0 {
                worst = status;
            }
        }
        Ok(if self.options.pipefail { worst } else { status })
    }

    fn background(&mut self, item: &Item) -> Result<i32> {
        let list = vec![Item { background: false, ..item.clone() }];
        let saved = self.fds.clone();
        let null = if self.interactive { None } else { std::fs::File::open("/dev/null").ok().map(proc::into_fd) };
        if let Some(null) = null {
            self.fds.insert(0, null);
        }
        let started = self.start_list(&list);
        self.fds = saved;
        null.into_iter().for_each(proc::close);
        if let Some(pid) = started? {
            self.last_background = Some(pid);
            let number = self.jobs.iter().map(|j| j.number).max().unwrap_or(0) + 1;
            self.jobs.push(super::Job { number, pid, text: print::list(&list), status: None });
            if self.interactive {
                let _ = self.write(2, format!("[{number}] {pid}\n").as_bytes());
            }
            self.status = 0;
        }
        Ok(self.status)
    }
}

/// The name of the one command of a list, if it can run inside the shell: an applet that only prints, or a builtin
/// that changes nothing.
fn in_shell(list: &List) -> Option<&str> {
    let [item] = list.as_slice() else { return None };
    let [Command::Simple { words, .. }] = item.first.commands.as_slice() else { return None };
    let name = words.first().and_then(Word::literal)?;
    let quiet = applets::find(name).is_some_and(|a| a.in_shell) || matches!(name, "pwd" | "type" | "command" | ":");
    let alone = item.rest.is_empty() && !item.background && !item.first.negated;
    // `command x` runs a program unless it only asks for one.
    let asks = name != "command" || words.get(1).and_then(Word::literal) == Some("-v");
    (quiet && alone && asks).then_some(name)
}
