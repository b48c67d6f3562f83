//! Programs that are also builtins of the shell: `echo`, `printf`, `pwd`, `test`, `true`, `false`; and `yes`.

use machine::Ctx;

use super::Outcome;
use super::io::complain;
use crate::builtins::output::{echo_text, printf_text};

pub(super) async fn echo(ctx: Ctx, args: Vec<String>) -> Outcome {
    ctx.out(echo_text(&args[1..])).await?;
    Ok(0)
}

pub(super) async fn printf(ctx: Ctx, args: Vec<String>) -> Outcome {
    let Some(format) = args.get(1) else {
        complain(&ctx, "printf", "missing operand\nTry 'printf --help' for more information.").await;
        return Ok(1);
    };
    let (text, errors) = printf_text(format, &args[2..]);
    ctx.out(text).await?;
    for error in &errors {
        complain(&ctx, "printf", error).await;
    }
    Ok(i32::from(!errors.is_empty()))
}

pub(super) async fn pwd(ctx: Ctx, _: Vec<String>) -> Outcome {
    ctx.out(format!("{}\n", ctx.cwd)).await?;
    Ok(0)
}

/// The shell's own `test`, in a shell made for it.
pub(super) async fn test(ctx: Ctx, args: Vec<String>) -> Outcome {
    let mut shell = crate::Shell::new(ctx, crate::Processes::default());
    Ok(crate::builtins::test::run(&mut shell, &args).await.unwrap_or(2))
}

pub(super) async fn yes_code(_: Ctx, _: Vec<String>) -> Outcome {
    Ok(0)
}

pub(super) async fn no(_: Ctx, _: Vec<String>) -> Outcome {
    Ok(1)
}

pub(super) async fn yes(ctx: Ctx, args: Vec<String>) -> Outcome {
    let line = if args.len() > 1 { args[1..].join(" ") } else { "y".into() };
    let block = format!("{line}\n").repeat(128);
    loop {
        ctx.out(&block).await?;
        // Into a file or a terminal nothing ever waits: let the others run, and time pass.
        ctx.sim.sleep(std::time::Duration::from_micros(10)).await;
    }
}
