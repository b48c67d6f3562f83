//! `less` and `more`. On a terminal they show a screen at a time; otherwise they are `cat`.

use machine::Ctx;

use super::Outcome;
use super::io::{complain, inputs, read_text};
use crate::text::width;

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let operands: Vec<String> =
        args[1..].iter().filter(|a| !a.starts_with('-') && !a.starts_with('+')).cloned().collect();
    if operands.is_empty() && ctx.stdin.is_tty() {
        ctx.err(format!("Missing filename (\"{} --help\" for help)\n", args[0])).await;
        return Ok(1);
    }
    let mut all = String::new();
    let mut code = 0;
    for path in inputs(&operands) {
        match read_text(&ctx, &path).await {
            Ok(text) => all.push_str(&text),
            Err(vfs::Errno::IsDirectory) => {
                ctx.err(format!("{path} is a directory\n")).await;
                code = 1;
            }
            Err(errno) => {
                complain(&ctx, &path, errno.message()).await;
                code = 1;
            }
        }
    }
    match (&ctx.tty, ctx.stdout.is_tty() && ctx.stdin.is_tty()) {
        (Some(tty), true) => {
            let tty = tty.clone();
            tty.set_raw(true);
            let result = page(&ctx, &tty, &all).await;
            tty.set_raw(false);
            result?;
        }
        _ => ctx.out(all).await?,
    }
    Ok(code)
}

/// Shows the text; space and `f` go on, enter one line, `b` back, `g`/`G` to the ends, `q` leaves.
async fn page(ctx: &Ctx, tty: &machine::Tty, text: &str) -> Result<(), machine::BrokenPipe> {
    let lines: Vec<&str> = text.lines().collect();
    let rows = |size: machine::TtySize| usize::from(size.rows).saturating_sub(1).max(1);
    if lines.len() <= rows(tty.size()) && lines.iter().all(|l| width(l) <= usize::from(tty.size().cols)) {
        return ctx.out(text.replace('\n', "\r\n")).await;
    }
    let mut top = 0;
    loop {
        let height = rows(tty.size());
        let last = lines.len().saturating_sub(height);
        top = top.min(last);
        let columns = usize::from(tty.size().cols);
        let mut screen = String::from("\x1b[H\x1b[2J");
        for line in lines.iter().skip(top).take(height) {
            let mut used = 0;
            screen.extend(line.chars().take_while(|c| {
                used += crate::text::char_width(*c);
                used <= columns
            }));
            screen.push_str("\r\n");
        }
        screen.push_str(if top >= last { "\x1b[7m(END)\x1b[0m" } else { ":" });
        ctx.out(screen).await?;
        let keys = ctx.stdin.read(16).await;
        match keys.as_ref() {
            b"" | b"q" | b"Q" | b"\x03" => break,
            b" " | b"f" | b"\x06" | b"\x1b[6~" => top += height,
            b"b" | b"\x02" | b"\x1b[5~" => top = top.saturating_sub(height),
            b"\r" | b"\n" | b"j" | b"\x1b[B" | b"\x1bOB" => top += 1,
            b"k" | b"\x1b[A" | b"\x1bOA" => top = top.saturating_sub(1),
            b"g" => top = 0,
            b"G" => top = last,
            _ => {}
        }
    }
    ctx.out("\r\x1b[K").await
}
