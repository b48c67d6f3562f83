//! `which`.

use machine::Ctx;

use super::Outcome;

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let mut code = i32::from(args.len() < 2);
    let shell = crate::Shell::new(ctx.clone(), crate::Processes::default());
    for name in args[1..].iter().filter(|a| *a != "-a") {
        match crate::builtins::file_of(&shell, name) {
            Some(path) => ctx.out(format!("{path}\n")).await?,
            None => code = 1,
        }
    }
    Ok(code)
}
