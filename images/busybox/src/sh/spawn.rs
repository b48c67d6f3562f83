//! Programs and shells as processes.

use super::ast::{Command, Redirect};
use super::exec::{Flow, Result};
use super::{CAPTURE_FD, Shell, print};
use crate::applets;

/// Where the program of this shell is, as every image has it.
const SELF: &str = "/bin/busybox";
/// PATH where there is none.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Shell {
    /// The file that a command's name means.
    pub(super) fn find_program(&self, name: &str) -> Option<String> {
        if name.contains('/') {
            return std::fs::metadata(name).is_ok().then(|| name.to_owned());
        }
        let path = self.get("PATH").unwrap_or_else(|| DEFAULT_PATH.to_owned());
        path.split(':').map(|folder| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }).find(
            |file| {
                std::fs::metadata(file).is_ok_and(|m| m.is_file())
                    && proc::mode(file, true).map_or(true, |(m, ..)| m & 0o111 != 0)
            },
        )
    }

    fn environment(&self, extra: &[(String, String)]) -> Vec<(String, String)> {
        let exported = self.vars.iter().filter(|(name, v)| v.exported && !extra.iter().any(|(n, _)| n == *name));
        let mut env: Vec<(String, String)> =
            exported.filter_map(|(name, v)| Some((name.clone(), v.value.clone()?))).collect();
        env.extend(extra.iter().cloned());
        env
    }

    /// The descriptors 0, 1, 2 of a child; closed ones stay closed.
    fn child_fds(&self) -> [u32; 3] {
        [0, 1, 2].map(|fd| self.fds.get(&fd).copied().filter(|own| *own != CAPTURE_FD).unwrap_or(u32::MAX))
    }

    /// Starts a program; gives the status to end with if it cannot be.
    pub(super) fn start_program(
        &mut self,
        argv: &[String],
        extra: &[(String, String)],
    ) -> std::result::Result<u32, i32> {
        let name = argv.first().map_or("", String::as_str);
        let Some(file) = self.find_program(name) else {
            let what = if name.contains('/') { "No such file or directory" } else { self.not_found() };
            self.complain(&format!("{name}: {what}"));
            return Err(127);
        };
        if std::fs::metadata(&file).is_ok_and(|m| m.is_dir()) {
            self.complain(&format!("{name}: Permission denied"));
            return Err(126);
        }
        let env = self.environment(extra);
        let fds = self.child_fds();
        let started = match proc::spawn(&file, argv, &env, "", &fds) {
            // A script without #! is for this shell.
            Err(proc::Errno::NOEXEC) => {
                let mut own = vec!["sh".to_owned(), file];
                own.extend_from_slice(&argv[1..]);
                proc::spawn(SELF, &own, &env, "", &fds)
            }
            other => other,
        };
        started.map_err(|error| {
            self.complain(&format!("{name}: {error}"));
            if error == proc::Errno::NOENT { 127 } else { 126 }
        })
    }

    fn not_found(&self) -> &'static str {
        if self.arg0 == "bash" { "command not found" } else { "not found" }
    }

    /// Runs a program and waits for it.
    pub(super) fn program(&mut self, argv: &[String], extra: &[(String, String)]) -> Result<i32> {
        match self.start_program(argv, extra) {
            Ok(pid) => self.wait_for(pid),
            Err(status) => Ok(status),
        }
    }

    /// Starts a shell that knows what this one knows and runs a script.
    pub(super) fn start_shell(&mut self, script: &str) -> Result<Option<u32>> {
        let mut text = String::new();
        for (name, var) in &self.vars {
            if let Some(value) = var.value.as_ref().filter(|_| !var.exported) {
                text.push_str(&format!("{name}={}\n", print::quote(value)));
            }
        }
        for (name, body) in &self.functions {
            let function = Command::Function { name: name.clone(), body: body.clone() };
            text.push_str(&print::command(&function));
            text.push('\n');
        }
        let letters: String = self.option_letters().chars().filter(|c| *c != 'i').collect();
        if !letters.is_empty() {
            text.push_str(&format!("set -{letters}\n"));
        }
        text.push_str(script);
        let mut argv = vec!["sh".to_owned(), "-c".to_owned(), text, self.arg0.clone()];
        argv.extend(self.positional.iter().cloned());
        match proc::spawn(SELF, &argv, &self.environment(&[]), "", &self.child_fds()) {
            Ok(pid) => Ok(Some(pid)),
            Err(error) => Err(self.fatal(&format!("can't fork: {error}"))),
        }
    }

    /// Waits for a child in the foreground; traps run when it has ended.
    pub(super) fn wait_for(&mut self, pid: u32) -> Result<i32> {
        loop {
            match proc::wait(pid) {
                Ok(ended) => {
                    let status = ended.status.cast_signed();
                    if self.interactive && ended.status == 128 + proc::SIGINT {
                        let _ = self.write(2, b"\n");
                    }
                    return Ok(status);
                }
                Err(proc::Errno::INTR) => self.signals()?,
                Err(_) => return Ok(127),
            }
        }
    }

    /// Runs the traps of signals that have come.
    pub(super) fn signals(&mut self) -> Result<()> {
        while let Some(signal) = proc::take_signal() {
            let name = applets::signals::name(signal).unwrap_or("");
            match self.traps.get(name).cloned() {
                Some(action) => {
                    let status = self.status;
                    self.evaluate(&action)?;
                    self.status = status;
                }
                None if self.interactive => {}
                None => return Err(Flow::Exit(128 + signal.cast_signed())),
            }
        }
        Ok(())
    }

    /// `exec`: without a command its redirections stay. With one there is no way to become it, so it runs as a child
    /// that gets our signals, and we end as it does.
    pub(super) fn exec(&mut self, argv: &[String], extra: &[(String, String)], redirects: &[Redirect]) -> Result<i32> {
        let mut opened = Vec::new();
        if let Err(status) = self.redirect(redirects, &mut opened) {
            return status.and_then(|status| if self.interactive { Ok(status) } else { Err(Flow::Exit(status)) });
        }
        if argv.is_empty() {
            for (name, value) in extra {
                self.set(name, value)?;
            }
            return Ok(0);
        }
        self.traps.clear();
        let pid = match self.start_program(argv, extra) {
            Ok(pid) => pid,
            Err(status) => return Err(Flow::Exit(status)),
        };
        for signal in [1, proc::SIGINT, proc::SIGQUIT, 10, 12, proc::SIGTERM] {
            let _ = proc::on_signal(signal, proc::Disposition::Catch);
        }
        loop {
            match proc::wait(pid) {
                Ok(ended) => return Err(Flow::Exit(ended.status.cast_signed())),
                Err(proc::Errno::INTR) => {
                    while let Some(signal) = proc::take_signal() {
                        let _ = proc::kill(pid, signal);
                    }
                }
                Err(_) => return Err(Flow::Exit(127)),
            }
        }
    }
}
