//! Programs: finding them, running them, scripts.

use std::collections::BTreeMap;
use std::rc::Rc;

use machine::Program;

use super::{Exec, Flow};
use crate::own_task::OwnTask;
use crate::process::Processes;
use crate::race::{Either, race};
use crate::shell::{Place, Shell};

/// Where installed programs are; the rest of PATH is looked up among the files.
pub(crate) const INSTALLED_DIRS: &[&str] = &["/usr/local/bin", "/usr/bin", "/bin"];

/// What a command name leads to.
pub(crate) enum Target {
    /// An installed program and its path.
    Program(Rc<dyn Program>, String),
    /// An executable file of the learner's: absolute path and content.
    Script(String, String),
    /// An error: the sentence after the name, and the exit code.
    Error(&'static str, i32),
}

/// Whether bytes can be a script.
pub(crate) fn is_executable_text(bytes: &[u8]) -> bool {
    !bytes.iter().take(80).any(|b| *b == 0)
}

impl Shell {
    /// Finds a program by name or path.
    pub(crate) fn find_program(&self, name: &str) -> Option<Target> {
        if name.contains('/') {
            return Some(self.find_path(name));
        }
        let path = self.vars.scalar("PATH").unwrap_or("/usr/local/bin:/usr/bin:/bin").to_owned();
        for dir in path.split(':') {
            let dir = if dir.is_empty() { "." } else { dir };
            if INSTALLED_DIRS.contains(&dir)
                && crate::tools::home_of(name) == dir
                && let Some(program) = self.base.programs.find(name)
            {
                return Some(Target::Program(program, format!("{dir}/{name}")));
            }
            let file = format!("{}/{name}", self.path(dir).trim_end_matches('/'));
            if self.fs.is_file(&file)
                && let found @ Target::Script(..) = self.find_path(&file)
            {
                return Some(found);
            }
        }
        None
    }

    fn find_path(&self, name: &str) -> Target {
        let path = vfs::path::normalize(&self.path(name));
        let dir = vfs::path::dirname(&path);
        let base = vfs::path::basename(&path);
        match self.fs.stat(&path) {
            Ok(meta) if meta.is_dir() => Target::Error("Is a directory", 126),
            Ok(meta) if meta.mode & 0o111 == 0 || self.fs.access(&path, 1).is_err() => {
                Target::Error("Permission denied", 126)
            }
            Ok(_) => match self.fs.read(&path) {
                Ok(bytes) if is_executable_text(&bytes) => {
                    Target::Script(name.to_owned(), String::from_utf8_lossy(&bytes).into_owned())
                }
                Ok(_) => Target::Error("cannot execute binary file: Exec format error", 126),
                Err(_) => Target::Error("Permission denied", 126),
            },
            Err(errno) => {
                let home = crate::tools::home_of(base);
                if INSTALLED_DIRS.contains(&dir)
                    && (dir == home || (dir, home) == ("/bin", "/usr/bin"))
                    && let Some(program) = self.base.programs.find(base)
                {
                    return Target::Program(program, path.clone());
                }
                match errno {
                    vfs::Errno::NotDirectory => Target::Error("Not a directory", 126),
                    vfs::Errno::Access => Target::Error("Permission denied", 126),
                    _ => Target::Error("No such file or directory", 127),
                }
            }
        }
    }

    /// Runs what a name leads to, with `env` on top of the exported variables.
    pub(crate) async fn run_external(&mut self, args: Vec<String>, env: BTreeMap<String, String>) -> Exec {
        let name = args[0].clone();
        let mut environment = self.vars.environment();
        environment.extend(env);
        match self.find_program(&name) {
            Some(Target::Program(program, path)) => {
                environment.insert("_".into(), path);
                self.run_program(program, args, environment).await
            }
            Some(Target::Script(path, text)) => self.run_file(&path, &text, args, environment).await,
            Some(Target::Error(message, code)) => {
                self.complain(&format!("{name}: {message}")).await;
                Ok(code)
            }
            None => {
                self.complain(&format!("{name}: command not found")).await;
                Ok(127)
            }
        }
    }

    /// Runs a program to its end. Ctrl-C and `kill` end it if it does not end itself.
    pub(crate) async fn run_program(
        &mut self,
        program: Rc<dyn Program>,
        args: Vec<String>,
        env: BTreeMap<String, String>,
    ) -> Exec {
        let process = self.processes.begin(self.pid, args.join(" "), self.tty_name.clone(), self.sim.now());
        let ctx = self.context(env);
        let raw_before = ctx.tty.as_ref().is_some_and(machine::Tty::is_raw);
        let running = OwnTask::spawn(&self.sim, program.run(ctx, args));
        let ended = race(running, race(self.interrupt.wait(), process.kill.wait())).await;
        if let Some(tty) = &self.base.tty
            && !raw_before
        {
            tty.set_raw(false);
        }
        match ended {
            Either::Left(code) => {
                let code = code.unwrap_or(130);
                if self.interrupt.is_raised() {
                    self.status = code;
                    return Err(Flow::Interrupt);
                }
                Ok(code & 0xff)
            }
            Either::Right(Either::Left(())) => {
                self.status = 130;
                Err(Flow::Interrupt)
            }
            Either::Right(Either::Right(signal)) => {
                if self.interactive && signal != 13 {
                    let word = match signal {
                        9 => "Killed",
                        1 => "Hangup",
                        _ => "Terminated",
                    };
                    self.err(format!("{word}\n")).await;
                }
                Ok(128 + signal)
            }
        }
    }

    /// Runs a file that begins with `#!`, or a plain script.
    async fn run_file(&mut self, path: &str, text: &str, args: Vec<String>, env: BTreeMap<String, String>) -> Exec {
        let Some(shebang) = text.lines().next().and_then(|l| l.strip_prefix("#!")) else {
            return self.run_as_script(path, text, &args, env).await;
        };
        let mut words = shebang.split_whitespace();
        let interpreter = words.next().unwrap_or_default().to_owned();
        let mut rest: Vec<String> = words.map(str::to_owned).collect();
        let mut base = vfs::path::basename(&interpreter).to_owned();
        if base == "env" {
            if rest.first().is_some_and(|w| w == "-S") {
                rest.remove(0);
            }
            base = if rest.is_empty() { String::new() } else { rest.remove(0) };
        }
        if matches!(base.as_str(), "bash" | "sh" | "dash") {
            return self.run_as_script(path, text, &args, env).await;
        }
        let Some(program) = self.base.programs.find(&base) else {
            self.complain(&format!("{path}: {interpreter}: bad interpreter: No such file or directory")).await;
            return Ok(126);
        };
        let mut argv = vec![base];
        argv.extend(rest);
        argv.push(path.to_owned());
        argv.extend(args.into_iter().skip(1));
        self.run_program(program, argv, env).await
    }

    async fn run_as_script(&mut self, path: &str, text: &str, args: &[String], env: BTreeMap<String, String>) -> Exec {
        if self.call_depth + self.subshell_depth >= super::CALL_DEPTH_MAX {
            self.complain(&format!("{path}: scripts nested too deeply")).await;
            return Ok(126);
        }
        let mut child = script_shell(self.context(env), self.processes.clone(), path, args);
        child.call_depth = self.call_depth + 1;
        child.tty_name = self.tty_name.clone();
        let text = text.to_owned();
        let task = OwnTask::spawn(&self.sim, async move { child.run_script(&text).await });
        let code = task.await.unwrap_or(130);
        if self.interrupt.is_raised() {
            self.status = code;
            return Err(Flow::Interrupt);
        }
        Ok(code & 0xff)
    }
}

/// A shell for a script file.
pub(crate) fn script_shell(ctx: machine::Ctx, processes: Processes, path: &str, args: &[String]) -> Shell {
    let mut shell = Shell::new(ctx, processes);
    shell.name = path.to_owned();
    shell.place = Place::Script { name: path.to_owned(), origin: "" };
    shell.positional = args.iter().skip(1).cloned().collect();
    shell
}
