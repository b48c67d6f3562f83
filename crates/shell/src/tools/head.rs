//! `head`.

use machine::{BrokenPipe, Ctx, Reader};

use super::Outcome;
use super::io::{Lines, complain, inputs, open};
use super::options::{Spec, count, parse};

/// `-5` is `-n 5`.
pub(super) fn old_style(args: &[String]) -> Vec<String> {
    args.iter()
        .enumerate()
        .flat_map(|(i, arg)| {
            let digits = arg.strip_prefix('-').filter(|d| !d.is_empty() && d.chars().all(|c| c.is_ascii_digit()));
            match digits.filter(|_| i == 1) {
                Some(digits) => vec!["-n".to_owned(), digits.to_owned()],
                None => vec![arg.clone()],
            }
        })
        .collect()
}

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec {
        short: "n:c:qv",
        long: &[("lines=", 'n'), ("bytes=", 'c'), ("quiet", 'q'), ("verbose", 'v')],
        permute: true,
    };
    let parsed = match parse(&old_style(&args), &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "head", message).await;
            return Ok(1);
        }
    };
    let (text, what) = match (parsed.value('c'), parsed.value('n')) {
        (Some(text), _) => (text, "bytes"),
        (None, Some(text)) => (text, "lines"),
        (None, None) => ("10", "lines"),
    };
    let all_but = text.starts_with('-');
    let Some(limit) = count(text.trim_start_matches('-')) else {
        complain(&ctx, "head", format!("invalid number of {what}: '{text}'")).await;
        return Ok(1);
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let paths = inputs(&parsed.operands);
    let titles = parsed.has('v') || (paths.len() > 1 && !parsed.has('q'));
    let mut code = 0;
    for (i, path) in paths.iter().enumerate() {
        let reader = match open(&ctx, path) {
            Ok(reader) => reader,
            Err(errno) => {
                let message = match errno {
                    vfs::Errno::IsDirectory => format!("error reading '{path}': {errno}"),
                    errno => format!("cannot open '{path}' for reading: {errno}"),
                };
                complain(&ctx, "head", message).await;
                code = 1;
                continue;
            }
        };
        if titles {
            let shown = if path == "-" { "standard input" } else { path };
            ctx.out(format!("{}==> {shown} <==\n", if i > 0 { "\n" } else { "" })).await?;
        }
        if what == "bytes" {
            bytes(&ctx, &reader, limit, all_but).await?;
        } else {
            lines(&ctx, reader, limit, all_but).await?;
        }
    }
    Ok(code)
}

/// The first bytes, or all but the last ones.
async fn bytes(ctx: &Ctx, reader: &Reader, limit: usize, all_but: bool) -> Result<(), BrokenPipe> {
    if all_but {
        let bytes = reader.read_to_end().await;
        return ctx.stdout.write_all(&bytes[..bytes.len().saturating_sub(limit)]).await;
    }
    let mut left = limit;
    while left > 0 {
        let chunk = reader.read(left.min(64 * 1024)).await;
        if chunk.is_empty() {
            break;
        }
        left -= chunk.len();
        ctx.stdout.write_all(&chunk).await?;
    }
    Ok(())
}

/// The first lines, or all but the last ones.
async fn lines(ctx: &Ctx, reader: Reader, limit: usize, all_but: bool) -> Result<(), BrokenPipe> {
    let mut lines = Lines::new(reader);
    let mut held = std::collections::VecDeque::new();
    let mut done = 0;
    while all_but || done < limit {
        let Some(line) = lines.next().await else { break };
        done += 1;
        held.push_back(line);
        let keep = if all_but { limit } else { 0 };
        while held.len() > keep {
            if let Some(line) = held.pop_front() {
                ctx.stdout.write_all(&line).await?;
            }
        }
    }
    Ok(())
}
