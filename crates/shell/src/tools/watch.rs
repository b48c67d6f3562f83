//! `watch`: runs a command again and again and shows its output from the top of the screen.

use machine::{Ctx, Reader, pipe};

use super::Outcome;
use super::environment::run_command;
use super::io::complain;
use super::options::{Spec, parse};
use super::sleep::duration;

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec {
        short: "n:dtxbegc",
        long: &[("interval=", 'n'), ("differences", 'd'), ("no-title", 't'), ("exec", 'x')],
        permute: false,
    };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "watch", message).await;
            return Ok(1);
        }
    };
    if parsed.operands.is_empty() {
        ctx.err("Usage:\n watch [options] command\n").await;
        return Ok(1);
    }
    let text = parsed.value('n').unwrap_or("2");
    let Some(interval) = duration(text).map(|d| d.max(std::time::Duration::from_millis(100))) else {
        complain(&ctx, "watch", format!("failed to parse argument: '{text}'")).await;
        return Ok(1);
    };
    let command = parsed.operands.join(" ");
    loop {
        let (reader, writer) = pipe();
        let inner = Ctx { stdin: Reader::empty(), stdout: writer.clone(), stderr: writer, tty: None, ..ctx.clone() };
        let words =
            if parsed.has('x') { parsed.operands.clone() } else { vec!["sh".into(), "-c".into(), command.clone()] };
        let (output, _) = futures_util::future::join(reader.read_to_string(), run_command(inner, words)).await;
        let size = ctx.tty.as_ref().map(machine::Tty::size);
        let (columns, rows) = size.map_or((80, 24), |s| (usize::from(s.cols), usize::from(s.rows)));
        let mut screen = String::from("\x1b[H\x1b[2J");
        let mut room = rows.saturating_sub(1);
        if !parsed.has('t') {
            let left = format!("Every {:.1}s: {command}", interval.as_secs_f64());
            let now = ctx.sim.now().rfc3339().replace('T', " ");
            let right = format!("kubonsai: {}", now.trim_end_matches('Z'));
            let gap = columns.saturating_sub(left.chars().count() + right.chars().count()).max(1);
            screen.push_str(&format!("{left}{}{right}\n\n", " ".repeat(gap)));
            room = room.saturating_sub(2);
        }
        for line in output.lines().take(room) {
            screen.extend(line.chars().take(columns));
            screen.push('\n');
        }
        ctx.out(screen).await?;
        ctx.sim.sleep(interval).await;
    }
}
