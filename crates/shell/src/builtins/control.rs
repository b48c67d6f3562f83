//! `exit`, `return`, `break`, `eval`, `source`, `exec`, `trap`, `shift`, `let`.

use std::collections::BTreeMap;

use super::{bad_option, usage};
use crate::exec::{CALL_DEPTH_MAX, Exec, Flow};
use crate::expand::arith;
use crate::process::{SIGNALS, signal_number};
use crate::shell::{Place, Shell};
use crate::text::quote;

pub(crate) async fn colon(_: &mut Shell, _: &[String]) -> Exec {
    Ok(0)
}

pub(crate) async fn no(_: &mut Shell, _: &[String]) -> Exec {
    Ok(1)
}

/// The numeric argument of `exit` and `return`.
async fn code_argument(sh: &mut Shell, args: &[String]) -> Result<i32, i32> {
    match args.get(1) {
        None => Ok(sh.status),
        Some(text) => match text.parse::<i64>() {
            Ok(code) => Ok((code & 0xff) as i32),
            Err(_) => {
                sh.complain(&format!("{}: {text}: numeric argument required", args[0])).await;
                Err(2)
            }
        },
    }
}

pub(crate) async fn exit(sh: &mut Shell, args: &[String]) -> Exec {
    if sh.interactive {
        sh.err("exit\n").await;
    }
    match code_argument(sh, args).await {
        Ok(_) if args.len() > 2 => sh.failed("exit: too many arguments", 1).await,
        Ok(code) | Err(code) => Err(Flow::Exit(code)),
    }
}

pub(crate) async fn leave_function(sh: &mut Shell, args: &[String]) -> Exec {
    if sh.call_depth == 0 {
        return sh.failed("return: can only `return' from a function or sourced script", 2).await;
    }
    match code_argument(sh, args).await {
        Ok(code) | Err(code) => Err(Flow::Return(code)),
    }
}

/// `break` and `continue`.
pub(crate) async fn leave_loop(sh: &mut Shell, args: &[String]) -> Exec {
    let name = &args[0];
    if sh.loop_depth == 0 {
        let message = format!("{name}: only meaningful in a `for', `while', or `until' loop");
        return sh.failed(&message, 0).await;
    }
    let count = match args.get(1).map(|a| a.parse::<u32>()) {
        None => 1,
        Some(Ok(n)) if n > 0 => n.min(sh.loop_depth),
        Some(Ok(_)) => return sh.failed(&format!("{name}: {}: loop count out of range", args[1]), 1).await,
        Some(Err(_)) => {
            sh.complain(&format!("{name}: {}: numeric argument required", args[1])).await;
            return Err(Flow::Exit(128));
        }
    };
    Err(if name == "break" { Flow::Break(count) } else { Flow::Continue(count) })
}

pub(crate) async fn eval(sh: &mut Shell, args: &[String]) -> Exec {
    let text = args[1..].join(" ");
    if sh.call_depth >= CALL_DEPTH_MAX {
        return sh.failed("eval: nested too deeply", 1).await;
    }
    sh.call_depth += 1;
    sh.status = 0;
    let place = sh.place.clone();
    if let Place::Script { name, .. } = &place {
        sh.place = Place::Script { name: name.clone(), origin: "eval: " };
    }
    let result = sh.in_own_task(|shell| Box::pin(async move { shell.run_text(&text).await })).await;
    sh.place = place;
    sh.call_depth -= 1;
    match result {
        Err(Flow::Fail(2)) => Ok(2), // a syntax error in the text
        Err(Flow::Return(code)) if sh.call_depth == 0 => Ok(code),
        other => other,
    }
}

pub(crate) async fn source(sh: &mut Shell, args: &[String]) -> Exec {
    let Some(name) = args.get(1) else {
        sh.complain(&format!("{}: filename argument required", args[0])).await;
        return usage(sh, &args[0]).await;
    };
    let view = sh.fs.at(&sh.cwd);
    let mut found = view.read_to_string(name);
    if found.is_err() && !name.contains('/') {
        let path = sh.vars.scalar("PATH").unwrap_or_default().to_owned();
        let in_path = path.split(':').find_map(|dir| view.read_to_string(&format!("{dir}/{name}")).ok());
        if let Some(text) = in_path {
            found = Ok(text);
        }
    }
    let text = match found {
        Ok(text) => text,
        Err(errno) => return sh.failed(&format!("{name}: {errno}"), 1).await,
    };
    if sh.call_depth >= CALL_DEPTH_MAX {
        return sh.failed(&format!("{name}: nested too deeply"), 1).await;
    }
    let outer = (args.len() > 2).then(|| std::mem::replace(&mut sh.positional, args[2..].to_vec()));
    let place = std::mem::replace(&mut sh.place, Place::Script { name: name.clone(), origin: "" });
    sh.call_depth += 1;
    sh.status = 0;
    let result = sh.in_own_task(|shell| Box::pin(async move { shell.run_text(&text).await })).await;
    sh.call_depth -= 1;
    sh.place = place;
    if let Some(outer) = outer {
        sh.positional = outer;
    }
    match result {
        Err(Flow::Return(code)) => Ok(code),
        Err(Flow::Fail(2)) => Ok(2),
        other => other,
    }
}

pub(crate) async fn exec(sh: &mut Shell, args: &[String]) -> Exec {
    if args.len() < 2 {
        return Ok(0);
    }
    if sh.find_program(&args[1]).is_none() {
        sh.complain(&format!("exec: {}: not found", args[1])).await;
        return if sh.interactive { Ok(127) } else { Err(Flow::Exit(127)) };
    }
    let code = sh.run_external(args[1..].to_vec(), BTreeMap::new()).await?;
    Err(Flow::Exit(code))
}

pub(crate) async fn shift(sh: &mut Shell, args: &[String]) -> Exec {
    let count = match args.get(1).map(|a| a.parse::<usize>()) {
        None => 1,
        Some(Ok(n)) => n,
        Some(Err(_)) => return sh.failed(&format!("shift: {}: numeric argument required", args[1]), 1).await,
    };
    if count > sh.positional.len() {
        return Ok(1);
    }
    sh.positional.drain(..count);
    Ok(0)
}

/// `let`.
pub(crate) async fn arithmetic(sh: &mut Shell, args: &[String]) -> Exec {
    if args.len() < 2 {
        return sh.failed("let: expression expected", 1).await;
    }
    let mut last = 0;
    for text in &args[1..] {
        match arith::evaluate(text, sh) {
            Ok(value) => last = value,
            Err(message) => return sh.failed(&format!("let: {message}"), 1).await,
        }
    }
    Ok(i32::from(last == 0))
}

/// Signals are accepted and shown; only EXIT, INT and ERR's absence matter to scripts here: EXIT runs at the end.
pub(crate) async fn trap(sh: &mut Shell, args: &[String]) -> Exec {
    let mut rest = &args[1..];
    match rest.first().map(String::as_str) {
        Some("-l") => {
            let lines: String = SIGNALS.iter().map(|(name, n)| format!("{n:2}) SIG{name}\n")).collect();
            sh.out(lines).await?;
            return Ok(0);
        }
        Some("--") => rest = &rest[1..],
        Some("-p") | None => {
            let lines: String = sh.traps.iter().map(|(s, a)| format!("trap -- {} {s}\n", quote_always(a))).collect();
            sh.out(lines).await?;
            return Ok(0);
        }
        Some(option) if option.len() > 1 && option.starts_with('-') => return bad_option(sh, "trap", option).await,
        Some(_) => {}
    }
    let Some(action) = rest.first() else { return Ok(0) };
    let names: Vec<String> = if rest.len() == 1 { vec![action.clone()] } else { rest[1..].to_vec() };
    let clear = rest.len() == 1 || action == "-";
    let mut code = 0;
    for name in names {
        let upper = name.to_ascii_uppercase();
        let key = match upper.strip_prefix("SIG").unwrap_or(&upper) {
            "EXIT" | "0" => "EXIT".to_owned(),
            other @ ("ERR" | "DEBUG" | "RETURN") => other.to_owned(),
            other => match signal_number(other).and_then(|n| SIGNALS.iter().find(|(_, s)| *s == n)) {
                Some((known, _)) => format!("SIG{known}"),
                None => {
                    sh.complain(&format!("trap: {name}: invalid signal specification")).await;
                    code = 1;
                    continue;
                }
            },
        };
        if clear {
            sh.traps.remove(&key)
        } else {
            sh.traps.insert(key, action.clone())
        };
    }
    Ok(code)
}

fn quote_always(text: &str) -> String {
    let quoted = quote(text);
    if quoted.starts_with('\'') || quoted.starts_with('$') { quoted } else { format!("'{text}'") }
}
