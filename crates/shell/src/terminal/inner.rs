//! A shell that is started inside another one's terminal (`bash`, `minikube ssh`).
//!
//! Differences: lines are read as the terminal gives them to any program, without editing, completion and history, and
//! Ctrl-C ends the shell together with what it runs.

use machine::{Ctx, Reader};

use super::prompt::{DEFAULT_PS1, DEFAULT_PS2, expand};
use super::session::needs_more;
use crate::Processes;
use crate::exec::Flow;
use crate::shell::{Place, Shell};

/// Runs a shell on the terminal of the program that it replaces; the value is its exit code.
pub(crate) async fn inner(ctx: Ctx, processes: Processes) -> i32 {
    let (input, output) = (ctx.stdin.clone(), ctx.stdout.clone());
    let mut shell = Shell::new(ctx, processes);
    shell.interactive = true;
    shell.place = Place::Prompt;
    loop {
        let mut text = String::new();
        loop {
            let (name, default) = if text.is_empty() { ("PS1", DEFAULT_PS1) } else { ("PS2", DEFAULT_PS2) };
            let prompt = expand(&shell, shell.vars.scalar(name).unwrap_or(default));
            if output.print(prompt).await.is_err() {
                return shell.status;
            }
            match line(&input).await {
                Some(line) => text.push_str(&line),
                None if text.is_empty() => {
                    let _ = output.print("exit\n").await;
                    return shell.status;
                }
                None => break, // the parser says what is missing
            }
            if text.trim().is_empty() || !needs_more(&text, &shell) {
                break;
            }
        }
        match shell.run_text(&text).await {
            Ok(_) => {}
            Err(Flow::Exit(code)) => return code,
            Err(Flow::Fail(code) | Flow::Return(code)) => shell.status = code,
            Err(Flow::Break(_) | Flow::Continue(_)) => shell.status = 0,
            Err(Flow::Interrupt) => return 130,
        }
    }
}

/// The next line, with its end; none at the end of the input.
async fn line(input: &Reader) -> Option<String> {
    let mut bytes = Vec::new();
    while bytes.last() != Some(&b'\n') && bytes.len() < LINE_BYTES_MAX {
        let byte = input.read(1).await;
        if byte.is_empty() {
            break;
        }
        bytes.extend_from_slice(&byte);
    }
    (!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// Longest line that is read.
const LINE_BYTES_MAX: usize = 1 << 16;
