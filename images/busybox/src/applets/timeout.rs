//! timeout.

use std::time::{Duration, Instant};

use super::sleep::duration;
use super::{signals, which};
use crate::applet::{Fail, Io, Options, Outcome};

/// How often a running child is looked at.
const STEP: Duration = Duration::from_millis(50);
/// Status when the time was up.
const TIMED_OUT_STATUS: i32 = 124;

/// Runs a program for a time at most.
pub fn run(_: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "+s:k:", &[("signal", 's'), ("kill-after", 'k')])?;
    let [limit, command @ ..] = options.operands.as_slice() else {
        return Err(Fail::Message("missing operand".to_owned()));
    };
    let signal = match options.value('s') {
        Some(name) => signals::parse(name).ok_or_else(|| Fail::Message(format!("invalid signal '{name}'")))?,
        None => proc::SIGTERM,
    };
    let env: Vec<(String, String)> = std::env::vars().collect();
    let deadline = Instant::now() + duration(limit)?;
    let pid = which::start(command, &env)?;
    loop {
        match proc::try_wait(pid) {
            Ok(Some(ended)) => return Ok(ended.status.cast_signed()),
            Ok(None) if Instant::now() >= deadline => {
                let _ = proc::kill(pid, signal);
                let _ = proc::wait(pid);
                return Ok(TIMED_OUT_STATUS);
            }
            Ok(None) => std::thread::sleep(STEP.min(deadline.saturating_duration_since(Instant::now()))),
            Err(error) => return Err(Fail::Message(error.to_string())),
        }
    }
}
