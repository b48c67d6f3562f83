//! `tee`.

use machine::Ctx;
use vfs::OpenOptions;

use super::Outcome;
use super::io::complain;
use super::options::{Spec, parse};
use crate::streams::Fd;

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec { short: "ai", long: &[("append", 'a')], permute: true };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "tee", message).await;
            return Ok(1);
        }
    };
    let mut code = 0;
    let mut files = Vec::new();
    for path in &parsed.operands {
        let options = if parsed.has('a') { OpenOptions::APPEND } else { OpenOptions::CREATE };
        match ctx.fs.open(&ctx.path(path), options) {
            Ok(handle) => files.push((path, Fd::file(handle))),
            Err(errno) => {
                complain(&ctx, "tee", format!("{path}: {errno}")).await;
                code = 1;
            }
        }
    }
    loop {
        let chunk = ctx.stdin.read(64 * 1024).await;
        if chunk.is_empty() {
            return Ok(code);
        }
        ctx.stdout.write_all(&chunk).await?;
        for (path, fd) in &files {
            let Some(writer) = &fd.write else { continue };
            if writer.write_all(&chunk).await.is_err() {
                let errno = fd.failure.as_ref().and_then(|f| f.take()).unwrap_or(vfs::Errno::NoSpace);
                complain(&ctx, "tee", format!("{path}: {errno}")).await;
                code = 1;
            }
        }
    }
}
