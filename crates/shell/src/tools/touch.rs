//! `touch` and `ln`.

use machine::Ctx;
use vfs::OpenOptions;

use super::Outcome;
use super::io::complain;
use super::options::{Spec, parse};

pub(super) async fn touch(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec =
        Spec { short: "camd:t:r:h", long: &[("no-create", 'c'), ("date=", 'd'), ("reference=", 'r')], permute: true };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "touch", message).await;
            return Ok(1);
        }
    };
    if parsed.operands.is_empty() {
        complain(&ctx, "touch", "missing file operand\nTry 'touch --help' for more information.").await;
        return Ok(1);
    }
    if parsed.has('d') || parsed.has('t') {
        complain(&ctx, "touch", simulation::stub!("shell", "touch with a given time")).await;
        return Ok(1);
    }
    let mut code = 0;
    for name in &parsed.operands {
        let path = ctx.path(name);
        let result = if ctx.fs.exists(&path) {
            let now = ctx.fs.now();
            ctx.fs.utimes(&path, Some(now), Some(now))
        } else if parsed.has('c') {
            Ok(())
        } else {
            ctx.fs.open(&path, OpenOptions::APPEND).map(drop)
        };
        if let Err(errno) = result {
            complain(&ctx, "touch", format!("cannot touch '{name}': {errno}")).await;
            code = 1;
        }
    }
    Ok(code)
}

pub(super) async fn ln(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec { short: "sfnvrT", long: &[("symbolic", 's'), ("force", 'f'), ("verbose", 'v')], permute: true };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "ln", message).await;
            return Ok(1);
        }
    };
    let (target, link) = match parsed.operands.as_slice() {
        [] => {
            complain(&ctx, "ln", "missing file operand\nTry 'ln --help' for more information.").await;
            return Ok(1);
        }
        [target] => (target.clone(), vfs::path::basename(target).to_owned()),
        [target, link, ..] => (target.clone(), link.clone()),
    };
    let link = if ctx.fs.is_dir(&ctx.path(&link)) && !parsed.has('n') {
        format!("{}/{}", link.trim_end_matches('/'), vfs::path::basename(&target))
    } else {
        link
    };
    let path = ctx.path(&link);
    if parsed.has('f') && ctx.fs.lstat(&path).is_ok() {
        // The link that follows tells if this did not work.
        let _ = ctx.fs.unlink(&path);
    }
    let (result, kind) = if parsed.has('s') {
        (ctx.fs.symlink(&target, &path), "symbolic")
    } else {
        (ctx.fs.link(&ctx.path(&target), &path), "hard")
    };
    match result {
        Ok(()) => Ok(0),
        Err(vfs::Errno::NotFound) if kind == "hard" => {
            complain(&ctx, "ln", format!("failed to access '{target}': No such file or directory")).await;
            Ok(1)
        }
        Err(errno) => {
            complain(&ctx, "ln", format!("failed to create {kind} link '{link}': {errno}")).await;
            Ok(1)
        }
    }
}
