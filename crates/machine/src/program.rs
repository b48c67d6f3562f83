//! What a program is, and what it is given when it runs.

use std::collections::BTreeMap;
use std::rc::Rc;

use api::http::{Transport, TransportError};
use futures_util::future::LocalBoxFuture;
use network::NetNs;
use simulation::Sim;
use simulation::notify::Signal;
use vfs::Vfs;

use crate::{BrokenPipe, Desktop, Reader, Tty, Writer};

/// What the world offers to programs beyond files and network.
pub trait Host {
    /// The API server at a kubeconfig's `server` URL, as reached over HTTPS from this machine.
    ///
    /// # Errors
    /// Whatever a connection there would meet: refused, unreachable, timeout.
    fn api(&self, server: &str) -> Result<Rc<dyn Transport>, TransportError>;

    /// The windows beside the terminal that the program was started in; none for scripts.
    fn desktop(&self) -> Option<Rc<dyn Desktop>> {
        None
    }
}

/// All that a running program has. Cloning shares the streams and the files.
#[derive(Clone)]
pub struct Ctx {
    /// Time, chance and tasks.
    pub sim: Sim,
    /// The machine's files.
    pub fs: Vfs,
    /// Working directory, absolute.
    pub cwd: String,
    /// Environment.
    pub env: BTreeMap<String, String>,
    /// Standard input.
    pub stdin: Reader,
    /// Standard output.
    pub stdout: Writer,
    /// Standard error.
    pub stderr: Writer,
    /// The controlling terminal, if there is one.
    pub tty: Option<Tty>,
    /// Raised by Ctrl-C. A program that does not look at it is dropped (exit code 130).
    pub interrupt: Signal,
    /// The machine's network.
    pub net: NetNs,
    /// The way to API servers.
    pub host: Rc<dyn Host>,
    /// The programs that can be run, for `sudo`, `xargs` and their like.
    pub programs: Rc<Programs>,
}

impl Ctx {
    /// An environment variable.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str)
    }

    /// Writes to standard output.
    pub async fn out(&self, text: impl AsRef<str>) -> Result<(), BrokenPipe> {
        self.stdout.print(text).await
    }

    /// Writes to standard error. A broken one is nobody's concern.
    pub async fn err(&self, text: impl AsRef<str>) {
        let _ = self.stderr.print(text).await;
    }

    /// `path` made absolute by the working directory; `.` and `..` are left to the file system.
    pub fn path(&self, path: &str) -> String {
        if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", self.cwd.trim_end_matches('/')) }
    }
}

/// A program of the learner's machine.
pub trait Program {
    /// The names under which it is found; the first is its own.
    fn names(&self) -> &[&str];

    /// Runs it. `args[0]` is the name it was called by. The value is the exit code.
    fn run(self: Rc<Self>, ctx: Ctx, args: Vec<String>) -> LocalBoxFuture<'static, i32>;

    /// Completions for the last of `words` (`words[0]` is the name it was called by), for the Tab key.
    fn complete(self: Rc<Self>, _ctx: Ctx, _words: Vec<String>) -> LocalBoxFuture<'static, Vec<String>> {
        Box::pin(std::future::ready(Vec::new()))
    }
}

/// The programs that are installed, by name.
#[derive(Default)]
pub struct Programs(BTreeMap<String, Rc<dyn Program>>);

impl Programs {
    /// Nothing installed.
    pub fn new() -> Programs {
        Programs::default()
    }

    /// Installs a program under all its names.
    pub fn install(&mut self, program: Rc<dyn Program>) {
        for name in program.names() {
            self.0.insert((*name).to_owned(), Rc::clone(&program));
        }
    }

    /// The program of that name.
    pub fn find(&self, name: &str) -> Option<Rc<dyn Program>> {
        self.0.get(name).cloned()
    }

    /// All names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
