//! Programs of the learner's machine that are guests: they come from an image, run on fuel and under a memory limit like
//! everything in a container, and see the learner's files.
//!
//! That is for tools in whose language one can write a loop without end. Their bytes are fetched when they are first used.

use std::rc::Rc;

use bytes::Bytes;
use futures_util::future::{Either, LocalBoxFuture, join, select};
use machine::{Ctx, Program, Programs, Reader, Writer};
use runtime::cri::Shared;
use runtime::image::{PullError, Reference};
use runtime::kernel::{Description, Kind, PipeReader, PipeWriter, pipe};
use runtime::process::{Jail, JailConfig, SpawnRequest};
use vfs::{Credentials, Vfs};

/// A program, its image and where it is in it.
struct Guest {
    name: &'static str,
    image: &'static str,
    path: &'static str,
}

/// The programs; the next is a row.
const GUESTS: &[Guest] = &[
    Guest { name: "awk", image: "docker.io/library/busybox:latest", path: "/usr/bin/awk" },
    Guest { name: "jq", image: "ghcr.io/jqlang/jq:1.7.1", path: "/usr/bin/jq" },
];

/// Where their bytes are on the learner's machine.
const FOLDER: &str = "/usr/lib/kubonsai";
/// Memory that one run may take.
const MEMORY_BYTES_MAX: u64 = 128 << 20;
/// Bytes read from standard input at once.
const READ_BYTES_MAX: usize = 32 * 1024;

struct GuestProgram {
    guest: &'static Guest,
    names: [&'static str; 1],
    shared: Shared,
}

/// Installs them.
pub(crate) fn install(programs: &mut Programs, shared: &Shared) {
    for guest in GUESTS {
        programs.install(Rc::new(GuestProgram { guest, names: [guest.name], shared: shared.clone() }));
    }
}

impl Program for GuestProgram {
    fn names(&self) -> &[&str] {
        &self.names
    }

    fn run(self: Rc<Self>, ctx: Ctx, args: Vec<String>) -> LocalBoxFuture<'static, i32> {
        Box::pin(async move {
            match self.executable(&ctx).await {
                Ok(path) => self.execute(&ctx, path, args).await,
                Err(why) => {
                    ctx.err(format!("{}: {why}\n", self.guest.name)).await;
                    126
                }
            }
        })
    }
}

/// Ends what runs when its program is dropped.
struct Running(Rc<Jail>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill_all();
    }
}

impl GuestProgram {
    /// Puts the program's bytes onto the learner's machine; its path there.
    async fn executable(&self, ctx: &Ctx) -> Result<String, String> {
        let path = format!("{FOLDER}/{}", self.guest.name);
        if ctx.fs.exists(&path) {
            return Ok(path);
        }
        let bytes = self.bytes(ctx).await.map_err(|why| format!("the program could not be loaded: {why}"))?;
        let root = ctx.fs.as_user(Credentials { uid: 0, gid: 0, groups: Vec::new() });
        let written =
            root.mkdir_all(FOLDER).and_then(|()| root.write(&path, bytes)).and_then(|()| root.chmod(&path, 0o755));
        written.map_err(|errno| errno.to_string())?;
        Ok(path)
    }

    async fn bytes(&self, ctx: &Ctx) -> Result<Bytes, PullError> {
        let reference = Reference::parse(self.guest.image)?;
        let digest = self.shared.registry.resolve(&reference).await?;
        let image = self.shared.registry.image(&reference, &digest).await?;
        let files = Vfs::with_layer(ctx.sim.clone(), Rc::clone(&image.layer));
        files.read(self.guest.path).map_err(|errno| PullError::Broken(format!("{}: {errno}", self.guest.path)))
    }

    async fn execute(&self, ctx: &Ctx, path: String, args: Vec<String>) -> i32 {
        let ((stdin, feed), (out, stdout), (err, stderr)) = (pipe(), pipe(), pipe());
        let jail = Jail::new(JailConfig {
            sim: ctx.sim.clone(),
            files: ctx.fs.clone(),
            net: ctx.net.clone(),
            hostname: ctx.var("HOSTNAME").unwrap_or("kubonsai").to_owned(),
            loader: Rc::clone(&self.shared.loader),
            memory_bytes: Some(MEMORY_BYTES_MAX),
            cpu_milli: None,
        });
        let running = Running(Rc::clone(&jail));
        let request = SpawnRequest {
            path: Some(path),
            argv: args.into_iter().map(Bytes::from).collect(),
            env: ctx.env.iter().map(|(name, value)| Bytes::from(format!("{name}={value}"))).collect(),
            files: ctx.fs.at(&ctx.cwd),
            fds: vec![
                (0, Description::new(Kind::PipeReader(stdin))),
                (1, Description::new(Kind::PipeWriter(stdout))),
                (2, Description::new(Kind::PipeWriter(stderr))),
            ],
            tty: None,
            parent: 0,
            ignored: Vec::new(),
        };
        if let Err(why) = jail.spawn(request) {
            ctx.err(format!("{}: {why}\n", self.guest.name)).await;
            return 126;
        }
        let output = join(pump(out, ctx.stdout.clone(), &jail), pump(err, ctx.stderr.clone(), &jail));
        let work = async {
            let (whole, _) = output.await;
            let exit = jail.wait().await;
            if whole { exit.code() } else { 141 }
        };
        let input = std::pin::pin!(feed_all(ctx.stdin.clone(), feed));
        let code = match select(input, std::pin::pin!(work)).await {
            Either::Left(((), work)) => work.await,
            Either::Right((code, _)) => code,
        };
        if jail.memory().was_exceeded() {
            ctx.err(format!(
                "{}: killed: it took more than {} MiB of memory\n",
                self.guest.name,
                MEMORY_BYTES_MAX >> 20
            ))
            .await;
        }
        if let Some(trap) = jail.trap() {
            ctx.err(format!("{trap}\n")).await;
        }
        drop(running);
        code
    }
}

/// Passes output on until its end; false when nobody reads it any more, which ends the program.
async fn pump(from: PipeReader, to: Writer, jail: &Jail) -> bool {
    loop {
        let bytes = from.read().await;
        if bytes.is_empty() {
            return true;
        }
        if to.write_all(&bytes).await.is_err() {
            jail.kill_all();
            return false;
        }
    }
}

/// Passes input on until its end, or until the program has ended.
async fn feed_all(from: Reader, to: PipeWriter) {
    loop {
        let bytes = from.read(READ_BYTES_MAX).await;
        if bytes.is_empty() || to.write_all(&bytes).await.is_err() {
            to.close();
            return;
        }
    }
}
