//! `cp`.

use machine::Ctx;
use vfs::Errno;

use super::Outcome;
use super::io::complain;
use super::options::{Spec, parse};

/// Directories inside each other that are copied.
const DEPTH_MAX: usize = 64;

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec {
        short: "rRafvpnut:T",
        long: &[
            ("recursive", 'r'),
            ("archive", 'a'),
            ("force", 'f'),
            ("verbose", 'v'),
            ("no-clobber", 'n'),
            ("preserve", 'p'),
            ("target-directory=", 't'),
        ],
        permute: true,
    };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "cp", message).await;
            return Ok(1);
        }
    };
    let (sources, dest) = match destination(&parsed.operands, parsed.value('t')) {
        Ok(split) => split,
        Err(message) => {
            complain(&ctx, "cp", format!("{message}\nTry 'cp --help' for more information.")).await;
            return Ok(1);
        }
    };
    let into = ctx.fs.is_dir(&ctx.path(&dest));
    if sources.len() > 1 && !into {
        complain(&ctx, "cp", format!("target '{dest}': {}", missing_dir(&ctx, &dest))).await;
        return Ok(1);
    }
    let recursive = parsed.has('r') || parsed.has('R') || parsed.has('a');
    let mut code = 0;
    for source in &sources {
        let target =
            if into { format!("{}/{}", dest.trim_end_matches('/'), vfs::path::basename(source)) } else { dest.clone() };
        if parsed.has('n') && ctx.fs.exists(&ctx.path(&target)) {
            continue;
        }
        let mut errors = Vec::new();
        let mut done = Vec::new();
        copy(&ctx, source, &target, recursive, 0, &mut errors, &mut done);
        if parsed.has('v') {
            for (from, to) in &done {
                ctx.out(format!("'{from}' -> '{to}'\n")).await?;
            }
        }
        for error in errors {
            complain(&ctx, "cp", error).await;
            code = 1;
        }
    }
    Ok(code)
}

/// What coreutils says of a target that should be a directory.
pub(super) fn missing_dir(ctx: &Ctx, dest: &str) -> Errno {
    if ctx.fs.exists(&ctx.path(dest)) { Errno::NotDirectory } else { Errno::NotFound }
}

/// Sources and destination of `cp` and `mv`.
pub(super) fn destination(operands: &[String], target: Option<&str>) -> Result<(Vec<String>, String), String> {
    match (operands.split_last(), target) {
        (None, _) => Err("missing file operand".into()),
        (Some(_), Some(target)) => Ok((operands.to_vec(), target.to_owned())),
        (Some((last, [])), None) => Err(format!("missing destination file operand after '{last}'")),
        (Some((last, sources)), None) => Ok((sources.to_vec(), last.clone())),
    }
}

fn copy(
    ctx: &Ctx,
    source: &str,
    target: &str,
    recursive: bool,
    depth: usize,
    errors: &mut Vec<String>,
    done: &mut Vec<(String, String)>,
) {
    let (from, to) = (ctx.path(source), ctx.path(target));
    let meta = match ctx.fs.stat(&from) {
        Ok(meta) => meta,
        Err(errno) => return errors.push(format!("cannot stat '{source}': {errno}")),
    };
    if meta.is_dir() {
        if !recursive {
            return errors.push(format!("-r not specified; omitting directory '{source}'"));
        }
        let inside = format!("{}/", vfs::path::normalize(&from));
        if depth > DEPTH_MAX || format!("{}/", vfs::path::normalize(&to)).starts_with(&inside) {
            return errors.push(format!("cannot copy a directory, '{source}', into itself, '{target}'"));
        }
        if !ctx.fs.is_dir(&to)
            && let Err(errno) = ctx.fs.mkdir(&to, meta.mode)
        {
            return errors.push(format!("cannot create directory '{target}': {errno}"));
        }
        done.push((source.to_owned(), target.to_owned()));
        for entry in ctx.fs.readdir(&from).unwrap_or_default() {
            let name = &entry.name;
            copy(ctx, &format!("{source}/{name}"), &format!("{target}/{name}"), recursive, depth + 1, errors, done);
        }
        return;
    }
    if ctx.fs.stat(&to).is_ok_and(|t| (t.dev, t.ino) == (meta.dev, meta.ino)) {
        return errors.push(format!("'{source}' and '{target}' are the same file"));
    }
    let bytes = match ctx.fs.read(&from) {
        Ok(bytes) => bytes,
        Err(errno) => return errors.push(format!("cannot open '{source}' for reading: {errno}")),
    };
    let existed = ctx.fs.exists(&to);
    match ctx.fs.write(&to, bytes) {
        Ok(()) => {
            if !existed {
                // The mode is a convenience; a file that was just made belongs to us.
                let _ = ctx.fs.chmod(&to, meta.mode);
            }
            done.push((source.to_owned(), target.to_owned()));
        }
        Err(errno) => errors.push(format!("cannot create regular file '{target}': {errno}")),
    }
}
