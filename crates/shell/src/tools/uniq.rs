//! `uniq`.

use machine::Ctx;

use super::Outcome;
use super::io::{Lines, complain, open};
use super::options::{Spec, parse};

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec {
        short: "cdui",
        long: &[("count", 'c'), ("repeated", 'd'), ("unique", 'u'), ("ignore-case", 'i')],
        permute: true,
    };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "uniq", message).await;
            return Ok(1);
        }
    };
    let path = parsed.operands.first().map_or("-", String::as_str);
    let mut lines = match open(&ctx, path) {
        Ok(reader) => Lines::new(reader),
        Err(errno) => {
            complain(&ctx, "uniq", format!("{path}: {errno}")).await;
            return Ok(1);
        }
    };
    let same = |a: &str, b: &str| if parsed.has('i') { a.to_lowercase() == b.to_lowercase() } else { a == b };
    let shown = |text: &str, count: usize| -> Option<String> {
        let wanted = (!parsed.has('d') || count > 1) && (!parsed.has('u') || count == 1);
        wanted.then(|| if parsed.has('c') { format!("{count:7} {text}\n") } else { format!("{text}\n") })
    };
    let mut current: Option<(String, usize)> = None;
    while let Some((text, _)) = lines.next_text().await {
        match &mut current {
            Some((old, count)) if same(old, &text) => *count += 1,
            _ => {
                if let Some(line) = current.take().and_then(|(old, count)| shown(&old, count)) {
                    ctx.out(line).await?;
                }
                current = Some((text, 1));
            }
        }
    }
    if let Some(line) = current.and_then(|(old, count)| shown(&old, count)) {
        ctx.out(line).await?;
    }
    Ok(0)
}
