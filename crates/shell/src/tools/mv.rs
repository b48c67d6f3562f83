//! `mv`.

use machine::Ctx;

use super::Outcome;
use super::cp::{destination, missing_dir};
use super::io::complain;
use super::options::{Spec, parse};

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec {
        short: "fnvit:T",
        long: &[("force", 'f'), ("no-clobber", 'n'), ("verbose", 'v'), ("target-directory=", 't')],
        permute: true,
    };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "mv", message).await;
            return Ok(1);
        }
    };
    let (sources, dest) = match destination(&parsed.operands, parsed.value('t')) {
        Ok(split) => split,
        Err(message) => {
            complain(&ctx, "mv", format!("{message}\nTry 'mv --help' for more information.")).await;
            return Ok(1);
        }
    };
    let into = ctx.fs.is_dir(&ctx.path(&dest));
    if sources.len() > 1 && !into {
        complain(&ctx, "mv", format!("target '{dest}': {}", missing_dir(&ctx, &dest))).await;
        return Ok(1);
    }
    let mut code = 0;
    for source in &sources {
        let target =
            if into { format!("{}/{}", dest.trim_end_matches('/'), vfs::path::basename(source)) } else { dest.clone() };
        let (from, to) = (ctx.path(source), ctx.path(&target));
        if let Err(errno) = ctx.fs.lstat(&from) {
            complain(&ctx, "mv", format!("cannot stat '{source}': {errno}")).await;
            code = 1;
            continue;
        }
        if parsed.has('n') && ctx.fs.exists(&to) {
            continue;
        }
        if vfs::path::normalize(&from) == vfs::path::normalize(&to) {
            complain(&ctx, "mv", format!("'{source}' and '{target}' are the same file")).await;
            code = 1;
            continue;
        }
        match ctx.fs.rename(&from, &to) {
            Ok(()) if parsed.has('v') => ctx.out(format!("renamed '{source}' -> '{target}'\n")).await?,
            Ok(()) => {}
            Err(errno) => {
                let message = match errno {
                    vfs::Errno::Invalid => format!("cannot move '{source}' to a subdirectory of itself, '{target}'"),
                    errno => format!("cannot move '{source}' to '{target}': {errno}"),
                };
                complain(&ctx, "mv", message).await;
                code = 1;
            }
        }
    }
    Ok(code)
}
