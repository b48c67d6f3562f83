//! `tail` and `tac`.

use std::time::Duration;

use machine::Ctx;

use super::Outcome;
use super::head::old_style;
use super::io::{complain, inputs, read};
use super::options::{Spec, count, parse};

/// How often `-f` looks at a file: files do not tell when they change. As coreutils without inotify.
const FOLLOW_INTERVAL: Duration = Duration::from_secs(1);

/// The last `n` lines, or everything from line `n` on.
fn lines(bytes: &[u8], n: usize, from_start: bool) -> &[u8] {
    if from_start {
        let mut at = 0;
        for _ in 1..n {
            match bytes[at..].iter().position(|b| *b == b'\n') {
                Some(i) => at += i + 1,
                None => return &[],
            }
        }
        return &bytes[at..];
    }
    if n == 0 {
        return &[];
    }
    let end = bytes.len() - usize::from(bytes.last() == Some(&b'\n'));
    let mut newlines = (0..end).rev().filter(|i| bytes[*i] == b'\n');
    match newlines.nth(n - 1) {
        Some(at) => &bytes[at + 1..],
        None => bytes,
    }
}

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec {
        short: "n:c:fFqvs:",
        long: &[("lines=", 'n'), ("bytes=", 'c'), ("follow", 'f'), ("quiet", 'q'), ("verbose", 'v')],
        permute: true,
    };
    let parsed = match parse(&old_style(&args), &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "tail", message).await;
            return Ok(1);
        }
    };
    let (text, what) = match (parsed.value('c'), parsed.value('n')) {
        (Some(text), _) => (text, "bytes"),
        (None, Some(text)) => (text, "lines"),
        (None, None) => ("10", "lines"),
    };
    let from_start = text.starts_with('+');
    let Some(number) = count(text.trim_start_matches(['+', '-'])) else {
        complain(&ctx, "tail", format!("invalid number of {what}: '{text}'")).await;
        return Ok(1);
    };
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    let paths = inputs(&parsed.operands);
    let titles = parsed.has('v') || (paths.len() > 1 && !parsed.has('q'));
    let mut code = 0;
    let mut sizes = Vec::new();
    for (i, path) in paths.iter().enumerate() {
        let bytes = match read(&ctx, path).await {
            Ok(bytes) => bytes,
            Err(errno) => {
                let message = match errno {
                    vfs::Errno::IsDirectory => format!("error reading '{path}': {errno}"),
                    errno => format!("cannot open '{path}' for reading: {errno}"),
                };
                complain(&ctx, "tail", message).await;
                code = 1;
                continue;
            }
        };
        if titles {
            let shown = if path == "-" { "standard input" } else { path };
            ctx.out(format!("{}==> {shown} <==\n", if i > 0 { "\n" } else { "" })).await?;
        }
        let part = match (what, from_start) {
            ("bytes", true) => &bytes[number.saturating_sub(1).min(bytes.len())..],
            ("bytes", false) => &bytes[bytes.len().saturating_sub(number)..],
            _ => lines(&bytes, number, from_start),
        };
        ctx.stdout.write_all(part).await?;
        sizes.push((path.clone(), bytes.len()));
    }
    let follow = (parsed.has('f') || parsed.has('F')) && sizes.iter().any(|(p, _)| p != "-");
    if !follow {
        return Ok(code);
    }
    loop {
        ctx.sim.sleep(FOLLOW_INTERVAL).await;
        for (path, size) in &mut sizes {
            let Ok(bytes) = ctx.fs.read(&ctx.path(path)) else { continue };
            if bytes.len() < *size {
                *size = 0; // it was truncated
            }
            if bytes.len() > *size {
                ctx.stdout.write_all(&bytes[*size..]).await?;
                *size = bytes.len();
            }
        }
    }
}

pub(super) async fn tac(ctx: Ctx, args: Vec<String>) -> Outcome {
    let mut code = 0;
    for path in inputs(&args[1..]) {
        match super::io::read_text(&ctx, &path).await {
            Ok(text) => {
                for line in text.split_inclusive('\n').rev() {
                    ctx.out(line).await?;
                }
            }
            Err(errno) => {
                complain(&ctx, "tac", format!("failed to open '{path}' for reading: {errno}")).await;
                code = 1;
            }
        }
    }
    Ok(code)
}
