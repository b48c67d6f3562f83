//! ps, pgrep, pidof.

use super::id::name_of;
use crate::applet::{Fail, Io, Outcome};

/// The processes of a program, by the name of its file.
pub fn pids_of(name: &str) -> Result<Vec<u32>, Fail> {
    let all = proc::processes().map_err(|e| Fail::Message(e.to_string()))?;
    let is = |argv: &[String]| argv.first().is_some_and(|a| a.rsplit('/').next() == Some(name));
    Ok(all.iter().filter(|p| is(&p.argv)).map(|p| p.pid).collect())
}

/// Lists the processes of the container.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let all = proc::processes().map_err(|e| Fail::Message(e.to_string()))?;
    let user = |uid: u32| name_of("/etc/passwd", uid).unwrap_or_else(|| uid.to_string());
    let time = |nanos: u64| format!("{}:{:02}", nanos / 60_000_000_000, nanos / 1_000_000_000 % 60);
    let letters: String = args[1..].concat();
    if letters.contains("aux") || letters.contains('f') {
        writeln!(io.out, "{:<8} {:>5} {:>5} {:>6} {:<4} {:>6} COMMAND", "USER", "PID", "PPID", "RSS", "STAT", "TIME")?;
        for p in &all {
            let (user, argv, rss) = (user(p.uid), p.argv.join(" "), p.memory_bytes / 1024);
            writeln!(
                io.out,
                "{user:<8} {:>5} {:>5} {rss:>6} {:<4} {:>6} {argv}",
                p.pid,
                p.parent,
                p.state,
                time(p.cpu_nanos)
            )?;
        }
        return Ok(0);
    }
    writeln!(io.out, "PID   USER     TIME  COMMAND")?;
    for p in &all {
        writeln!(io.out, "{:>5} {:<8} {:>5} {}", p.pid, user(p.uid), time(p.cpu_nanos), p.argv.join(" "))?;
    }
    Ok(0)
}

/// Prints process ids on one line.
pub fn pidof(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let mut pids = Vec::new();
    for name in &args[1..] {
        pids.extend(pids_of(name)?);
    }
    let texts: Vec<String> = pids.iter().rev().map(ToString::to_string).collect();
    if !texts.is_empty() {
        writeln!(io.out, "{}", texts.join(" "))?;
    }
    Ok(i32::from(texts.is_empty()))
}

/// Prints process ids, a line each.
pub fn pgrep(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let Some(name) = args[1..].iter().find(|a| !a.starts_with('-')) else {
        return Err(Fail::Message("no pattern".to_owned()));
    };
    let all = proc::processes().map_err(|e| Fail::Message(e.to_string()))?;
    let full = args[1..].iter().any(|a| a == "-f");
    let text = |p: &proc::Process| if full { p.argv.join(" ") } else { p.argv.first().cloned().unwrap_or_default() };
    let found: Vec<u32> =
        all.iter().filter(|p| p.pid != proc::id() && text(p).contains(name.as_str())).map(|p| p.pid).collect();
    for pid in &found {
        writeln!(io.out, "{pid}")?;
    }
    Ok(i32::from(found.is_empty()))
}
