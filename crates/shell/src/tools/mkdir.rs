//! `mkdir`, `mktemp`.

use machine::Ctx;
use vfs::OpenOptions;

use super::Outcome;
use super::io::complain;
use super::options::{Spec, parse};

pub(super) async fn mkdir(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec { short: "pvm:", long: &[("parents", 'p'), ("verbose", 'v'), ("mode=", 'm')], permute: true };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "mkdir", message).await;
            return Ok(1);
        }
    };
    if parsed.operands.is_empty() {
        complain(&ctx, "mkdir", "missing operand\nTry 'mkdir --help' for more information.").await;
        return Ok(1);
    }
    let mode = match parsed.value('m').map(|m| u16::from_str_radix(m, 8)) {
        None => 0o777,
        Some(Ok(mode)) => mode,
        Some(Err(_)) => {
            complain(&ctx, "mkdir", format!("invalid mode '{}'", parsed.value('m').unwrap_or_default())).await;
            return Ok(1);
        }
    };
    let mut code = 0;
    for dir in &parsed.operands {
        let path = ctx.path(dir);
        let result = if parsed.has('p') { ctx.fs.mkdir_all(&path) } else { ctx.fs.mkdir(&path, mode) };
        match result {
            Ok(()) if parsed.has('v') => ctx.out(format!("mkdir: created directory '{dir}'\n")).await?,
            Ok(()) => {}
            Err(errno) => {
                complain(&ctx, "mkdir", format!("cannot create directory '{dir}': {errno}")).await;
                code = 1;
            }
        }
    }
    Ok(code)
}

pub(super) async fn mktemp(ctx: Ctx, args: Vec<String>) -> Outcome {
    let dir = args.iter().any(|a| a == "-d");
    let template = args[1..].iter().find(|a| !a.starts_with('-'));
    let path = match template {
        Some(template) => {
            let trimmed = template.trim_end_matches('X');
            let count = template.len() - trimmed.len();
            if count < 3 {
                complain(&ctx, "mktemp", format!("too few X's in template '{template}'")).await;
                return Ok(1);
            }
            format!("{trimmed}{}", ctx.sim.name_suffix(count))
        }
        None => format!("/tmp/tmp.{}", ctx.sim.name_suffix(10)),
    };
    let full = ctx.path(&path);
    let options = OpenOptions { exclusive: true, mode: 0o600, ..OpenOptions::CREATE };
    let result = if dir { ctx.fs.mkdir(&full, 0o700) } else { ctx.fs.open(&full, options).map(drop) };
    match result {
        Ok(()) => {
            ctx.out(format!("{path}\n")).await?;
            Ok(0)
        }
        Err(errno) => {
            let what = if dir { "directory" } else { "file" };
            let template = template.map_or("/tmp/tmp.XXXXXXXXXX", String::as_str);
            complain(&ctx, "mktemp", format!("failed to create {what} via template '{template}': {errno}")).await;
            Ok(1)
        }
    }
}
