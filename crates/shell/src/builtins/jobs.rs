//! `jobs`, `fg`, `bg`, `wait`, `kill`, `disown`, `ps`.

use super::{bad_option, usage};
use crate::exec::{Exec, Flow};
use crate::jobs::Job;
use crate::process::{SIGNALS, signal_number};
use crate::race::{Either, race};
use crate::shell::Shell;

pub(crate) async fn jobs(sh: &mut Shell, args: &[String]) -> Exec {
    let mut text = String::new();
    let specs: Vec<&String> = args[1..].iter().filter(|a| !a.starts_with('-')).collect();
    let pids = args.iter().any(|a| a == "-p");
    let long = args.iter().any(|a| a == "-l");
    let mut code = 0;
    for spec in &specs {
        if sh.jobs.find(spec).is_none() {
            sh.complain(&format!("jobs: {spec}: no such job")).await;
            code = 1;
        }
    }
    for job in &sh.jobs.0 {
        if !specs.is_empty() && !specs.iter().any(|s| sh.jobs.find(s).is_some_and(|j| j.number == job.number)) {
            continue;
        }
        if pids {
            text.push_str(&format!("{}\n", job.pid));
        } else if long {
            let line = sh.jobs.line(job);
            let at = line.find("  ").unwrap_or(0);
            text.push_str(&format!("{} {}{}", &line[..at], job.pid, &line[at + 1..]));
        } else {
            text.push_str(&sh.jobs.line(job));
        }
    }
    sh.jobs.0.retain(|j| j.state.code().is_none());
    sh.out(text).await?;
    Ok(code)
}

/// Waits for a job. Ctrl-C reaches it when `foreground`.
async fn wait_for(sh: &mut Shell, job: &Job, foreground: bool) -> Exec {
    match race(job.state.wait(), sh.interrupt.wait()).await {
        Either::Left(code) => {
            sh.jobs.0.retain(|j| j.number != job.number);
            Ok(code)
        }
        Either::Right(()) => {
            if foreground {
                job.kill.send(2);
                job.state.wait().await;
                sh.jobs.0.retain(|j| j.number != job.number);
            }
            Err(Flow::Interrupt)
        }
    }
}

pub(crate) async fn fg(sh: &mut Shell, args: &[String]) -> Exec {
    if !sh.interactive {
        return sh.failed("fg: no job control", 1).await;
    }
    let spec = args.get(1).map_or("%+", String::as_str);
    let Some(job) = sh.jobs.find(spec).cloned() else {
        let shown = if args.len() > 1 { spec } else { "current" };
        return sh.failed(&format!("fg: {shown}: no such job"), 1).await;
    };
    sh.out(format!("{}\n", job.text)).await?;
    wait_for(sh, &job, true).await
}

pub(crate) async fn bg(sh: &mut Shell, args: &[String]) -> Exec {
    if !sh.interactive {
        return sh.failed("bg: no job control", 1).await;
    }
    let spec = args.get(1).map_or("%+", String::as_str);
    match sh.jobs.find(spec) {
        Some(job) => {
            let message = format!("bg: job {} already in background", job.number);
            sh.failed(&message, 0).await
        }
        None => {
            let shown = if args.len() > 1 { spec } else { "current" };
            sh.failed(&format!("bg: {shown}: no such job"), 1).await
        }
    }
}

pub(crate) async fn wait(sh: &mut Shell, args: &[String]) -> Exec {
    let mut code = 0;
    if args.len() == 1 {
        for job in sh.jobs.0.clone() {
            wait_for(sh, &job, false).await?;
        }
        return Ok(0);
    }
    for spec in &args[1..] {
        if spec == "-n" {
            continue;
        }
        match sh.jobs.find(spec).cloned() {
            Some(job) => code = wait_for(sh, &job, false).await?,
            None => {
                let message = if spec.starts_with('%') {
                    format!("wait: {spec}: no such job")
                } else if spec.parse::<u32>().is_ok() {
                    format!("wait: pid {spec} is not a child of this shell")
                } else {
                    format!("wait: `{spec}': not a pid or valid job spec")
                };
                sh.complain(&message).await;
                code = 127;
            }
        }
    }
    Ok(code)
}

pub(crate) async fn disown(sh: &mut Shell, args: &[String]) -> Exec {
    if args.len() == 1 {
        sh.jobs.0.pop();
        return Ok(0);
    }
    for spec in &args[1..] {
        match sh.jobs.find(spec).map(|j| j.number) {
            Some(number) => sh.jobs.0.retain(|j| j.number != number),
            None => return sh.failed(&format!("disown: {spec}: no such job"), 1).await,
        }
    }
    Ok(0)
}

pub(crate) async fn kill(sh: &mut Shell, args: &[String]) -> Exec {
    let mut signal = 15;
    let mut rest = &args[1..];
    match rest.first().map(String::as_str) {
        Some("-l") => {
            let lines: Vec<String> = SIGNALS.iter().map(|(name, n)| format!("{n:2}) SIG{name}")).collect();
            sh.out(format!("{}\n", lines.join("\t"))).await?;
            return Ok(0);
        }
        Some(option @ ("-s" | "-n")) => {
            let Some(name) = rest.get(1) else {
                return sh.failed(&format!("kill: {option}: option requires an argument"), 2).await;
            };
            match signal_number(name) {
                Some(number) => signal = number,
                None => return sh.failed(&format!("kill: {name}: invalid signal specification"), 1).await,
            }
            rest = &rest[2..];
        }
        Some("--") => rest = &rest[1..],
        Some(option) if option.len() > 1 && option.starts_with('-') => {
            match signal_number(&option[1..]) {
                Some(number) => signal = number,
                None => return sh.failed(&format!("kill: {}: invalid signal specification", &option[1..]), 1).await,
            }
            rest = &rest[1..];
        }
        _ => {}
    }
    if rest.is_empty() {
        return usage(sh, "kill").await;
    }
    let mut code = 0;
    for target in rest {
        if let Err(message) = send(sh, target, signal) {
            sh.complain(&format!("kill: {message}")).await;
            code = 1;
        }
    }
    // The victim's end is seen by the commands after this one.
    sh.sim.yield_now().await;
    Ok(code)
}

fn send(sh: &Shell, target: &str, signal: i32) -> Result<(), String> {
    let kill = if target.starts_with('%') {
        sh.jobs.find(target).map(|j| j.kill.clone()).ok_or(format!("{target}: no such job"))?
    } else {
        let pid = target.parse::<u32>().map_err(|_| format!("{target}: arguments must be process or job IDs"))?;
        sh.processes.get(pid).map(|p| p.kill).ok_or(format!("({pid}) - No such process"))?
    };
    if signal != 0 {
        kill.send(signal);
    }
    Ok(())
}

/// A program in other systems; here the process table belongs to the shell.
pub(crate) async fn ps(sh: &mut Shell, args: &[String]) -> Exec {
    let options: String = args[1..].concat();
    if let Some(bad) = options.chars().find(|c| !"-efaxuAlw".contains(*c)) {
        return bad_option(sh, "ps", &format!("-{bad}")).await;
    }
    let everyone = options.contains(['e', 'A', 'a', 'x']);
    let full = options.contains(['f', 'u', 'l']);
    let user = if sh.fs.credentials().uid == 0 { "root" } else { "learner" };
    let mut text = String::from(if full {
        "UID          PID    PPID  C STIME TTY          TIME CMD\n"
    } else {
        "    PID TTY          TIME CMD\n"
    });
    let mut line = |pid: u32, parent: u32, tty: &str, started: simulation::Time, command: &str| {
        if full {
            let clock = started.rfc3339();
            let stime = clock.get(11..16).unwrap_or("00:00");
            text.push_str(&format!("{user:<8} {pid:>7} {parent:>7}  0 {stime} {tty:<8} 00:00:00 {command}\n"));
        } else {
            let name = command.split_whitespace().next().unwrap_or_default();
            text.push_str(&format!("{pid:>7} {tty:<8} 00:00:00 {name}\n"));
        }
    };
    line(sh.pid, 1, &sh.tty_name, sh.started, "bash");
    for (pid, process) in sh.processes.list() {
        if pid != sh.pid && (everyone || process.tty == sh.tty_name) {
            line(pid, process.parent, &process.tty, process.started, &process.command);
        }
    }
    sh.out(text).await?;
    Ok(0)
}
