//! `basename`, `dirname`, `readlink`, `realpath`.

use machine::Ctx;

use super::Outcome;
use super::io::complain;
use super::options::{Spec, parse};

pub(super) async fn basename(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec { short: "as:", long: &[("multiple", 'a'), ("suffix=", 's')], permute: false };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "basename", message).await;
            return Ok(1);
        }
    };
    if parsed.operands.is_empty() {
        complain(&ctx, "basename", "missing operand\nTry 'basename --help' for more information.").await;
        return Ok(1);
    }
    let many = parsed.has('a') || parsed.has('s');
    let suffix = parsed.value('s').or_else(|| parsed.operands.get(1).filter(|_| !many).map(String::as_str));
    let names = if many { &parsed.operands[..] } else { &parsed.operands[..1] };
    for name in names {
        let base = match vfs::path::basename(name) {
            "" if name.starts_with('/') => "/",
            base => base,
        };
        let short = suffix.and_then(|s| base.strip_suffix(s)).filter(|s| !s.is_empty()).unwrap_or(base);
        ctx.out(format!("{short}\n")).await?;
    }
    Ok(0)
}

pub(super) async fn dirname(ctx: Ctx, args: Vec<String>) -> Outcome {
    if args.len() < 2 {
        complain(&ctx, "dirname", "missing operand\nTry 'dirname --help' for more information.").await;
        return Ok(1);
    }
    for name in &args[1..] {
        ctx.out(format!("{}\n", vfs::path::dirname(name))).await?;
    }
    Ok(0)
}

/// `readlink [-f]` and `realpath`.
pub(super) async fn readlink(ctx: Ctx, args: Vec<String>) -> Outcome {
    let resolve = args[0] == "realpath" || args.iter().any(|a| a == "-f" || a == "-e" || a == "-m");
    let names: Vec<&String> = args[1..].iter().filter(|a| !a.starts_with('-')).collect();
    if names.is_empty() {
        complain(&ctx, &args[0], format!("missing operand\nTry '{} --help' for more information.", args[0])).await;
        return Ok(1);
    }
    let mut code = 0;
    for name in names {
        let path = ctx.path(name);
        let found = if resolve {
            ctx.fs.canonicalize(&path).or_else(|errno| {
                let dir = ctx.fs.canonicalize(vfs::path::dirname(&path)).map_err(|_| errno)?;
                Ok(format!("{}/{}", dir.trim_end_matches('/'), vfs::path::basename(&path)))
            })
        } else {
            ctx.fs.readlink(&path)
        };
        match found {
            Ok(target) => ctx.out(format!("{target}\n")).await?,
            Err(errno) => {
                if args[0] == "realpath" {
                    complain(&ctx, "realpath", format!("{name}: {errno}")).await;
                }
                code = 1;
            }
        }
    }
    Ok(code)
}
