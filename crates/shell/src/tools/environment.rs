//! `env`, `printenv`, `sudo`, and running a command from a tool.

use machine::Ctx;

use super::Outcome;
use super::io::complain;
use super::options::{Spec, parse};
use crate::own_task::OwnTask;

/// Runs a program by name or path (scripts by `bash`); none if there is no such program.
pub(super) async fn run_command(ctx: Ctx, args: Vec<String>) -> Option<i32> {
    let name = args.first()?;
    if let Some(program) = ctx.programs.find(vfs::path::basename(name)) {
        let inside = !name.contains('/') || !ctx.fs.exists(&ctx.path(name));
        if inside {
            let sim = ctx.sim.clone();
            return Some(OwnTask::spawn(&sim, program.run(ctx, args)).await.unwrap_or(130));
        }
    }
    if name.contains('/') && ctx.fs.is_file(&ctx.path(name)) {
        let bash = ctx.programs.find("bash")?;
        let mut words = vec!["bash".to_owned()];
        words.extend(args);
        let sim = ctx.sim.clone();
        return Some(OwnTask::spawn(&sim, bash.run(ctx, words)).await.unwrap_or(130));
    }
    None
}

pub(super) async fn env(mut ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec { short: "iu:0S:", long: &[("ignore-environment", 'i'), ("unset=", 'u')], permute: false };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "env", message).await;
            return Ok(125);
        }
    };
    if parsed.has('i') {
        ctx.env.clear();
    }
    for name in parsed.values('u') {
        ctx.env.remove(name);
    }
    let mut words = parsed.operands.as_slice();
    while let Some((name, value)) = words.first().and_then(|w| w.split_once('=')) {
        ctx.env.insert(name.to_owned(), value.to_owned());
        words = &words[1..];
    }
    if words.is_empty() {
        for (name, value) in &ctx.env {
            ctx.out(format!("{name}={value}\n")).await?;
        }
        return Ok(0);
    }
    match run_command(ctx.clone(), words.to_vec()).await {
        Some(code) => Ok(code),
        None => {
            complain(&ctx, "env", format!("'{}': No such file or directory", words[0])).await;
            Ok(127)
        }
    }
}

pub(super) async fn printenv(ctx: Ctx, args: Vec<String>) -> Outcome {
    if args.len() == 1 {
        for (name, value) in &ctx.env {
            ctx.out(format!("{name}={value}\n")).await?;
        }
        return Ok(0);
    }
    let mut code = 0;
    for name in &args[1..] {
        match ctx.env.get(name) {
            Some(value) => ctx.out(format!("{value}\n")).await?,
            None => code = 1,
        }
    }
    Ok(code)
}

/// The learner's machine has one user who may do everything, so this only runs the command.
pub(super) async fn sudo(mut ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec { short: "EHnSkviu:g:", long: &[("preserve-env", 'E'), ("user=", 'u')], permute: false };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "sudo", message).await;
            return Ok(1);
        }
    };
    if parsed.has('i') {
        complain(&ctx, "sudo", simulation::stub!("shell", "a root shell")).await;
        return Ok(1);
    }
    let mut words = parsed.operands.as_slice();
    while let Some((name, value)) = words.first().and_then(|w| w.split_once('=')) {
        ctx.env.insert(name.to_owned(), value.to_owned());
        words = &words[1..];
    }
    if words.is_empty() {
        ctx.err("usage: sudo [-E] [-u user] [VAR=value] command\n").await;
        return Ok(i32::from(!parsed.has('v') && !parsed.has('k')));
    }
    match run_command(ctx.clone(), words.to_vec()).await {
        Some(code) => Ok(code),
        None => {
            complain(&ctx, "sudo", format!("{}: command not found", words[0])).await;
            Ok(1)
        }
    }
}
