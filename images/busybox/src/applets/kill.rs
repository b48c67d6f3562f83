//! kill, killall.

use super::signals;
use crate::applet::{Fail, Io, Outcome};

/// The signal in the arguments, and what is left of them.
fn signal(args: &[String]) -> Result<(u32, &[String]), Fail> {
    let bad = |name: &str| Fail::Message(format!("bad signal name '{name}'"));
    match args {
        [flag, name, rest @ ..] if flag == "-s" => Ok((signals::parse(name).ok_or_else(|| bad(name))?, rest)),
        [flag, rest @ ..] if flag.starts_with('-') && flag.len() > 1 && flag != "--" => {
            Ok((signals::parse(&flag[1..]).ok_or_else(|| bad(&flag[1..]))?, rest))
        }
        [flag, rest @ ..] if flag == "--" => Ok((proc::SIGTERM, rest)),
        rest => Ok((proc::SIGTERM, rest)),
    }
}

/// Sends a signal to processes.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    if args.get(1).is_some_and(|a| a == "-l") {
        for (number, name) in signals::all() {
            writeln!(io.out, "{number:2}) {name}")?;
        }
        return Ok(0);
    }
    let (signal, pids) = signal(&args[1..])?;
    if pids.is_empty() {
        return Err(Fail::Message("you need to specify whom to kill".to_owned()));
    }
    let mut status = 0;
    for text in pids {
        let result = match text.parse() {
            Ok(pid) => proc::kill(pid, signal).map_err(|e| format!("can't kill pid {pid}: {e}")),
            Err(_) => Err(format!("invalid number '{text}'")),
        };
        if let Err(message) = result {
            writeln!(io.err, "kill: {message}")?;
            status = 1;
        }
    }
    Ok(status)
}

/// Sends a signal to the processes of a name.
pub fn killall(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let (signal, names) = signal(&args[1..])?;
    let mut status = 0;
    for name in names {
        let pids = super::ps::pids_of(name)?;
        if pids.is_empty() {
            writeln!(io.err, "killall: {name}: no process killed")?;
            status = 1;
        }
        for pid in pids.into_iter().filter(|p| *p != proc::id()) {
            let _ = proc::kill(pid, signal);
        }
    }
    Ok(status)
}
