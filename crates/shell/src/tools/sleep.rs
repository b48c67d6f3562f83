//! `sleep` and `timeout`, in virtual time.

use std::time::Duration;

use machine::Ctx;

use super::Outcome;
use super::environment::run_command;
use super::io::complain;

/// `1.5`, `2m`, `infinity`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    if text == "infinity" || text == "inf" {
        return Some(Duration::from_secs(100 * 365 * 86_400));
    }
    let (digits, scale) = match text.char_indices().last()? {
        (at, 's') => (&text[..at], 1.0),
        (at, 'm') => (&text[..at], 60.0),
        (at, 'h') => (&text[..at], 3600.0),
        (at, 'd') => (&text[..at], 86_400.0),
        _ => (text, 1.0),
    };
    let value = digits.parse::<f64>().ok().filter(|v| v.is_finite() && *v >= 0.0)?;
    Duration::try_from_secs_f64(value * scale).ok()
}

pub(super) async fn sleep(ctx: Ctx, args: Vec<String>) -> Outcome {
    let hint = "Try 'sleep --help' for more information.";
    if args.len() < 2 {
        complain(&ctx, "sleep", format!("missing operand\n{hint}")).await;
        return Ok(1);
    }
    let mut total = Duration::ZERO;
    for text in &args[1..] {
        match duration(text) {
            Some(time) => total = total.saturating_add(time),
            None => {
                complain(&ctx, "sleep", format!("invalid time interval '{text}'\n{hint}")).await;
                return Ok(1);
            }
        }
    }
    ctx.sim.sleep(total).await;
    Ok(0)
}

pub(super) async fn timeout(ctx: Ctx, args: Vec<String>) -> Outcome {
    let words: Vec<String> = args[1..].iter().skip_while(|a| a.starts_with('-') && a.len() > 1).cloned().collect();
    let [limit, command @ ..] = words.as_slice() else {
        complain(&ctx, "timeout", "missing operand\nTry 'timeout --help' for more information.").await;
        return Ok(125);
    };
    let Some(limit) = duration(limit) else {
        complain(
            &ctx,
            "timeout",
            format!("invalid time interval '{limit}'\nTry 'timeout --help' for more information."),
        )
        .await;
        return Ok(125);
    };
    if command.is_empty() {
        complain(&ctx, "timeout", "missing operand\nTry 'timeout --help' for more information.").await;
        return Ok(125);
    }
    match ctx.sim.timeout(limit, run_command(ctx.clone(), command.to_vec())).await {
        Ok(Some(code)) => Ok(code),
        Ok(None) => {
            complain(&ctx, "timeout", format!("failed to run command '{}': No such file or directory", command[0]))
                .await;
            Ok(127)
        }
        Err(_) => Ok(124),
    }
}
