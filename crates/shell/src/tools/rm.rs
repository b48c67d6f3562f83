//! `rm` and `rmdir`.

use machine::Ctx;

use super::Outcome;
use super::io::complain;
use super::options::{Spec, parse};

pub(super) async fn rm(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec {
        short: "rRfvdiI",
        long: &[("recursive", 'r'), ("force", 'f'), ("verbose", 'v'), ("dir", 'd')],
        permute: true,
    };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "rm", message).await;
            return Ok(1);
        }
    };
    let (recursive, force) = (parsed.has('r') || parsed.has('R'), parsed.has('f'));
    if parsed.operands.is_empty() && !force {
        complain(&ctx, "rm", "missing operand\nTry 'rm --help' for more information.").await;
        return Ok(1);
    }
    let mut code = 0;
    for name in &parsed.operands {
        let path = ctx.path(name);
        let base = vfs::path::basename(name);
        let was_dir = ctx.fs.lstat(&path).is_ok_and(|m| m.is_dir());
        let message = match ctx.fs.lstat(&path) {
            Err(vfs::Errno::NotFound | vfs::Errno::NotDirectory) if force => continue,
            Err(errno) => Some(format!("cannot remove '{name}': {errno}")),
            Ok(_) if vfs::path::normalize(&path) == "/" && recursive => Some(
                "it is dangerous to operate recursively on '/'\nrm: use --no-preserve-root to override this failsafe"
                    .into(),
            ),
            Ok(_) if recursive && (base == "." || base == "..") => {
                Some(format!("refusing to remove '.' or '..' directory: skipping '{name}'"))
            }
            Ok(meta) if meta.is_dir() && recursive => {
                if parsed.has('v') {
                    let mut lines = String::new();
                    contents(&ctx, name, &mut lines);
                    ctx.out(lines).await?;
                }
                ctx.fs.remove_all(&path).err().map(|errno| format!("cannot remove '{name}': {errno}"))
            }
            Ok(meta) if meta.is_dir() && parsed.has('d') => {
                ctx.fs.rmdir(&path).err().map(|errno| format!("cannot remove '{name}': {errno}"))
            }
            Ok(meta) if meta.is_dir() => Some(format!("cannot remove '{name}': Is a directory")),
            Ok(_) => ctx.fs.unlink(&path).err().map(|errno| format!("cannot remove '{name}': {errno}")),
        };
        match message {
            Some(message) => {
                complain(&ctx, "rm", message).await;
                code = 1;
            }
            None if parsed.has('v') && !was_dir => ctx.out(format!("removed '{name}'\n")).await?,
            None if parsed.has('v') => ctx.out(format!("removed directory '{name}'\n")).await?,
            None => {}
        }
    }
    Ok(code)
}

/// The lines of `-v` for what is in a directory.
fn contents(ctx: &Ctx, dir: &str, lines: &mut String) {
    for entry in ctx.fs.readdir(&ctx.path(dir)).unwrap_or_default() {
        let path = format!("{}/{}", dir.trim_end_matches('/'), entry.name);
        if entry.kind == vfs::FileKind::Directory {
            contents(ctx, &path, lines);
            lines.push_str(&format!("removed directory '{path}'\n"));
        } else {
            lines.push_str(&format!("removed '{path}'\n"));
        }
    }
}

pub(super) async fn rmdir(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec { short: "pv", long: &[("parents", 'p'), ("verbose", 'v')], permute: true };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "rmdir", message).await;
            return Ok(1);
        }
    };
    if parsed.operands.is_empty() {
        complain(&ctx, "rmdir", "missing operand\nTry 'rmdir --help' for more information.").await;
        return Ok(1);
    }
    let mut code = 0;
    for name in &parsed.operands {
        if let Err(errno) = ctx.fs.rmdir(&ctx.path(name)) {
            complain(&ctx, "rmdir", format!("failed to remove '{name}': {errno}")).await;
            code = 1;
        }
    }
    Ok(code)
}
