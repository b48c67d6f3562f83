//! Running other programs: shown as a line that can be pasted, with output passed on, kept, or both.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// How many of the last lines a program wrote are kept for an error message.
const TAIL_LINES_MAX: usize = 12;

/// How many errors of the compiler are kept.
const ERRORS_MAX: usize = 10;

/// A program to run, with its arguments, extra environment and folder.
pub(crate) struct Cmd {
    program: OsString,
    args: Vec<OsString>,
    envs: Vec<(String, OsString)>,
    dir: PathBuf,
}

/// How a program ended and the last lines it wrote.
pub(crate) struct Ended {
    /// Whether the exit status was zero.
    pub(crate) success: bool,
    /// The last lines of its output, both streams.
    pub(crate) tail: Vec<String>,
    /// The first of rustc's errors on standard error, each with its place.
    pub(crate) errors: Vec<String>,
}

impl Cmd {
    /// A command that runs in the root of the workspace.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        Self { program: program.as_ref().to_owned(), args: Vec::new(), envs: Vec::new(), dir: crate::root::root() }
    }

    /// The cargo that runs this program.
    pub(crate) fn cargo() -> Self {
        Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// Adds arguments.
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets one variable of the environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.envs.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Sets variables of the environment.
    pub(crate) fn envs(self, variables: &[(&str, String)]) -> Self {
        variables.iter().fold(self, |command, (name, value)| command.env(name, value))
    }

    /// Runs in another folder.
    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.dir = dir.to_owned();
        self
    }

    /// The command as a person would type it.
    pub(crate) fn line(&self) -> String {
        let program = Path::new(&self.program).file_name().unwrap_or(&self.program).to_string_lossy().into_owned();
        let words = self.args.iter().map(|arg| arg.to_string_lossy().into_owned());
        std::iter::once(program).chain(words).collect::<Vec<_>>().join(" ")
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.args).current_dir(&self.dir);
        // Variables that cargo set for xtask itself would leak into the builds that it starts.
        for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
            command.env_remove(name);
        }
        for (name, value) in &self.envs {
            command.env(name, value);
        }
        command
    }

    /// Runs with the terminal's own streams; an exit status other than zero is an error.
    pub(crate) fn run(self) -> Result<()> {
        if !self.status()? {
            bail!("`{}` failed", self.line());
        }
        Ok(())
    }

    /// Runs with the terminal's own streams and says whether the exit status was zero.
    pub(crate) fn status(&self) -> Result<bool> {
        let status = self.command().status().with_context(|| format!("cannot start `{}`", self.line()))?;
        Ok(status.success())
    }

    /// Runs silently and gives standard output; `None` if the program is missing or fails.
    pub(crate) fn output(&self) -> Option<String> {
        let output = self.command().stdin(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs, passes every line on, shows it to `each` as well and keeps the last ones.
    pub(crate) fn tee(&self, each: &mut dyn FnMut(&str)) -> Result<Ended> {
        let mut child = self
            .command()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{}`", self.line()))?;
        let errors = child.stderr.take().context("standard error was asked for")?;
        let reader = std::thread::spawn(move || {
            let mut found = Vec::new();
            let tail = lines(errors, &mut |line| {
                eprintln!("{line}");
                compiler_error(&mut found, line);
            });
            (tail, found)
        });
        let out = child.stdout.take().context("standard output was asked for")?;
        let mut tail = lines(out, &mut |line| {
            println!("{line}");
            each(line);
        });
        let (error_tail, errors) = reader.join().unwrap_or_default();
        let status = child.wait().context("waiting for the program")?;
        if !error_tail.is_empty() {
            tail = error_tail;
        }
        Ok(Ended { success: status.success(), tail, errors })
    }
}

/// Keeps `error: words` and adds the place in the `  --> file:line:column` that follows it.
fn compiler_error(found: &mut Vec<String>, line: &str) {
    let begins = line.starts_with("error: ") || line.starts_with("error[");
    // What cargo says at the end is no error of its own.
    if begins && !line.starts_with("error: could not compile") && found.len() < ERRORS_MAX {
        found.push(line.to_owned());
    } else if let Some(place) = line.trim_start().strip_prefix("--> ")
        && let Some(last) = found.last_mut()
        && !last.contains(" at ")
    {
        last.push_str(" at ");
        last.push_str(place);
    }
}

/// Reads to the end, line by line, and gives the last lines back.
fn lines(stream: impl Read, each: &mut dyn FnMut(&str)) -> Vec<String> {
    let mut tail: Vec<String> = Vec::new();
    let mut reader = BufReader::new(stream);
    let mut buffer = Vec::new();
    while matches!(reader.read_until(b'\n', &mut buffer), Ok(1..)) {
        let line = String::from_utf8_lossy(&buffer).trim_end_matches(['\n', '\r']).to_owned();
        each(&line);
        tail.push(line);
        if tail.len() > TAIL_LINES_MAX {
            tail.remove(0);
        }
        buffer.clear();
    }
    tail
}

/// The first program of this name on PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::compiler_error;

    #[test]
    fn errors_of_the_compiler_have_their_place() {
        let mut found = Vec::new();
        for line in [
            "warning: unused",
            "  --> crates/a/src/lib.rs:1:1",
            "error: used `unwrap()` on a `Result` value",
            "  --> crates/b/src/lib.rs:3:5",
            "  ::: crates/c/src/lib.rs:9:9",
            "error[E0599]: no method named `len` found",
            "   --> crates/d/src/lib.rs:25:27",
            "   --> crates/d/src/lib.rs:30:1",
            "error: could not compile `d` (lib) due to 2 previous errors",
        ] {
            compiler_error(&mut found, line);
        }
        let expected = [
            "error: used `unwrap()` on a `Result` value at crates/b/src/lib.rs:3:5",
            "error[E0599]: no method named `len` found at crates/d/src/lib.rs:25:27",
        ];
        assert_eq!(found, expected);
    }
}
