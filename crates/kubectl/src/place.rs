//! The learner's machine as kubectl's [`Place`], and kubectl as one of its programs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use api::http::{Transport, TransportError};
use futures_util::future::LocalBoxFuture;
use machine::{Ctx, Program, TtySize};
use simulation::notify::Signal;

use crate::discovery::Discovery;
use crate::session::{Place, Session};

/// Bytes read from standard input at once.
const READ_BYTES_MAX: usize = 32 * 1024;

impl Place for Ctx {
    fn write_out(&self, bytes: Vec<u8>) -> LocalBoxFuture<'static, bool> {
        let stdout = self.stdout.clone();
        Box::pin(async move { stdout.write_all(&bytes).await.is_ok() })
    }

    fn write_err(&self, bytes: Vec<u8>) -> LocalBoxFuture<'static, bool> {
        let stderr = self.stderr.clone();
        Box::pin(async move { stderr.write_all(&bytes).await.is_ok() })
    }

    fn read_in(&self) -> LocalBoxFuture<'static, Vec<u8>> {
        let stdin = self.stdin.clone();
        Box::pin(async move { stdin.read(READ_BYTES_MAX).await.to_vec() })
    }

    fn read_file(&self, path: &str) -> Result<Vec<u8>, String> {
        self.fs.read(path).map(|bytes| bytes.to_vec()).map_err(|why| lower(&why.to_string()))
    }

    fn write_file(&self, path: &str, bytes: &[u8]) -> Result<(), String> {
        if let Some((directory, _)) = path.rsplit_once('/').filter(|(d, _)| !d.is_empty()) {
            self.fs.mkdir_all(directory).map_err(|why| lower(&why.to_string()))?;
        }
        self.fs.write(path, bytes.to_vec()).map_err(|why| lower(&why.to_string()))
    }

    fn make_dir(&self, path: &str) -> Result<(), String> {
        self.fs.mkdir_all(path).map_err(|why| lower(&why.to_string()))
    }

    fn remove_file(&self, path: &str) {
        // What cannot be removed stays: it is a temporary file.
        let _ = self.fs.unlink(path);
    }

    fn run(&self, words: Vec<String>) -> LocalBoxFuture<'static, Option<i32>> {
        let ctx = self.clone();
        Box::pin(async move {
            let name = words.first()?.rsplit('/').next()?;
            let program = ctx.programs.find(name)?;
            Some(program.run(ctx, words).await)
        })
    }

    fn stat(&self, path: &str) -> Option<bool> {
        self.fs.exists(path).then(|| self.fs.is_dir(path))
    }

    fn list(&self, path: &str) -> Vec<String> {
        let mut names: Vec<String> =
            self.fs.readdir(path).unwrap_or_default().into_iter().map(|entry| entry.name.to_string()).collect();
        names.retain(|name| name != "." && name != "..");
        names.sort();
        names
    }

    fn cwd(&self) -> String {
        self.cwd.clone()
    }

    fn env(&self, name: &str) -> Option<String> {
        self.env.get(name).cloned()
    }

    fn tty(&self) -> Option<(u16, u16)> {
        let TtySize { cols, rows } = self.tty.as_ref().filter(|_| self.stdin.is_tty())?.size();
        Some((cols, rows))
    }

    fn out_is_tty(&self) -> bool {
        self.stdout.is_tty()
    }

    fn resized(&self, known: (u16, u16)) -> LocalBoxFuture<'static, (u16, u16)> {
        let tty = self.tty.clone();
        Box::pin(async move {
            let Some(tty) = tty else { return std::future::pending().await };
            let size = tty.resized(TtySize { cols: known.0, rows: known.1 }).await;
            (size.cols, size.rows)
        })
    }

    fn set_raw(&self, raw: bool) {
        if let Some(tty) = &self.tty {
            tty.set_raw(raw);
        }
    }

    fn api(&self, server: &str) -> Result<Rc<dyn Transport>, TransportError> {
        self.host.api(server)
    }

    fn interrupt(&self) -> Signal {
        self.interrupt.clone()
    }

    fn net(&self) -> Option<network::NetNs> {
        Some(self.net.clone())
    }
}

/// Go words system errors without a capital.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_ascii_lowercase().to_string() + chars.as_str()).unwrap_or_default()
}

/// kubectl, as the learner's machine installs it. It keeps what discovery said between runs.
#[derive(Default)]
pub struct Kubectl {
    discovery: Rc<RefCell<BTreeMap<String, Rc<Discovery>>>>,
}

impl Kubectl {
    /// A kubectl that has met no server yet.
    pub fn new() -> Kubectl {
        Kubectl::default()
    }

    fn session(&self, ctx: Ctx) -> Rc<Session> {
        Rc::new(Session { sim: ctx.sim.clone(), place: Rc::new(ctx), discovery: Rc::clone(&self.discovery) })
    }
}

impl Program for Kubectl {
    fn names(&self) -> &[&str] {
        &["kubectl"]
    }

    fn run(self: Rc<Self>, ctx: Ctx, args: Vec<String>) -> LocalBoxFuture<'static, i32> {
        let session = self.session(ctx);
        Box::pin(async move { crate::program::run(session, args.get(1..).unwrap_or(&[])).await })
    }

    fn complete(self: Rc<Self>, ctx: Ctx, words: Vec<String>) -> LocalBoxFuture<'static, Vec<String>> {
        let session = self.session(ctx);
        Box::pin(async move { crate::complete::complete(&session, words.get(1..).unwrap_or(&[])).await })
    }
}
