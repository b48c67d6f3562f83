//! From a command to a module: PATH, permissions, `#!` lines, and the errors that `runc` words.

use std::rc::Rc;

use bytes::Bytes;
use thiserror::Error;
use vfs::{Errno, Vfs, path};

use super::Loader;
use crate::engine::{LoadError, Module, SpawnError};
use crate::limits::INTERPRETERS_MAX;

/// PATH of a process that has none, as container runtimes set it.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Why a program could not be started. The text is what `runc` says after `exec: `.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExecError {
    /// Nothing of that name in PATH.
    #[error("exec: {0:?}: executable file not found in $PATH")]
    NotInPath(String),
    /// A path that leads nowhere.
    #[error("exec: {0:?}: stat {0}: no such file or directory")]
    NotFound(String),
    /// Not executable.
    #[error("exec: {0:?}: permission denied")]
    Permission(String),
    /// A directory.
    #[error("exec: {0:?}: is a directory")]
    IsDirectory(String),
    /// The working directory does not exist.
    #[error("chdir to cwd ({0:?}) set in config.json failed: no such file or directory")]
    WorkingDirectory(String),
    /// It is no program for this runtime.
    #[error("exec {0}: exec format error")]
    Format(String, LoadError),
    /// Too many processes.
    #[error("resource temporarily unavailable")]
    TooMany,
    /// Arguments and environment are too large.
    #[error("argument list too long")]
    TooBig,
    /// Nothing to run.
    #[error("no command specified")]
    NoCommand,
    /// The engine could not start it.
    #[error("{0}")]
    Spawn(SpawnError),
}

impl ExecError {
    /// What `execve` and `fork` would say.
    pub fn errno(&self) -> Errno {
        match self {
            ExecError::NotInPath(_) | ExecError::NotFound(_) | ExecError::WorkingDirectory(_) => Errno::NotFound,
            ExecError::Permission(_) | ExecError::IsDirectory(_) => Errno::Access,
            ExecError::Format(..) => Errno::ExecFormat,
            ExecError::TooMany => Errno::Again,
            ExecError::TooBig => Errno::TooBig,
            ExecError::NoCommand => Errno::Invalid,
            ExecError::Spawn(_) => Errno::NoMemory,
        }
    }

    /// The exit code of the container or exec session that could not start.
    pub fn exit_code(&self) -> i32 {
        match self {
            ExecError::NotInPath(_) | ExecError::NotFound(_) => 127,
            ExecError::Format(..) => 255,
            ExecError::Spawn(SpawnError::Oom) => 137,
            _ => 126,
        }
    }
}

/// The file that a name means.
///
/// # Errors
/// As the names of [`ExecError`] say.
pub fn find(files: &Vfs, name: &str, search: &str) -> Result<String, ExecError> {
    if name.contains('/') {
        return check(files, name).map(|()| name.to_owned());
    }
    let directories = search.split(':').map(|dir| if dir.is_empty() { "." } else { dir });
    let mut candidates = directories.map(|dir| path::join(dir, name));
    let found = candidates.find(|file| check(files, file).is_ok());
    found.ok_or_else(|| ExecError::NotInPath(name.to_owned()))
}

fn check(files: &Vfs, file: &str) -> Result<(), ExecError> {
    match files.stat(file) {
        Err(Errno::Access) => Err(ExecError::Permission(file.to_owned())),
        Err(_) => Err(ExecError::NotFound(file.to_owned())),
        Ok(meta) if meta.is_dir() => Err(ExecError::IsDirectory(file.to_owned())),
        Ok(meta) if !meta.is_file() || files.access(file, 1).is_err() => Err(ExecError::Permission(file.to_owned())),
        Ok(_) => Ok(()),
    }
}

/// A program with the arguments that it gets after `#!` lines were followed.
pub struct Executable {
    /// What to run.
    pub module: Rc<dyn Module>,
    /// Its arguments.
    pub argv: Vec<Bytes>,
}

/// Finds and loads what a command means.
///
/// # Errors
/// As the names of [`ExecError`] say.
pub fn load(
    loader: &Loader,
    files: &Vfs,
    file: Option<&str>,
    argv: &[Bytes],
    search: &str,
) -> Result<Executable, ExecError> {
    let first = argv.first().ok_or(ExecError::NoCommand)?;
    let name = file.map_or_else(|| String::from_utf8_lossy(first).into_owned(), str::to_owned);
    if name.is_empty() {
        return Err(ExecError::NotInPath(name));
    }
    let mut file = find(files, &name, search)?;
    let mut argv = argv.to_vec();
    for _ in 0..=INTERPRETERS_MAX {
        let bytes = files.read(&file).map_err(|_| ExecError::Permission(file.clone()))?;
        let Some((interpreter, argument)) = interpreter(&bytes) else {
            let module = loader.load(&bytes).map_err(|e| ExecError::Format(file.clone(), e))?;
            return Ok(Executable { module, argv });
        };
        let mut longer = vec![Bytes::from(interpreter.clone())];
        longer.extend(argument.map(Bytes::from));
        longer.push(Bytes::from(file));
        longer.extend(argv.drain(1..));
        argv = longer;
        check(files, &interpreter)?;
        file = interpreter;
    }
    Err(ExecError::Format(file, LoadError::Invalid("too many levels of interpreters".into())))
}

/// Interpreter and its one argument of a `#!` line.
fn interpreter(bytes: &[u8]) -> Option<(String, Option<String>)> {
    let line = bytes.strip_prefix(b"#!")?;
    let line = line.split(|b| *b == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(&line[..line.len().min(256)]).trim().to_owned();
    let (program, argument) = match line.split_once([' ', '\t']) {
        Some((program, argument)) => (program.to_owned(), Some(argument.trim().to_owned())),
        None => (line, None),
    };
    (!program.is_empty()).then_some((program, argument))
}
