//! `clear`.

use machine::Ctx;

use super::Outcome;

pub(super) async fn run(ctx: Ctx, _: Vec<String>) -> Outcome {
    ctx.out("\x1b[H\x1b[2J\x1b[3J").await?;
    Ok(0)
}
