//! `history`, `help`, `getopts`, `hash`, `times`, `umask`.

use super::{BUILTINS, bad_option, find};
use crate::exec::Exec;
use crate::expand::pattern;
use crate::shell::{BASH_VERSION, Shell};

pub(crate) async fn history(sh: &mut Shell, args: &[String]) -> Exec {
    let count = match args.get(1).map(String::as_str) {
        None => usize::MAX,
        Some("-c") => {
            sh.history.borrow_mut().clear();
            return Ok(0);
        }
        Some(option) if option.starts_with('-') => return bad_option(sh, "history", option).await,
        Some(text) => match text.parse() {
            Ok(count) => count,
            Err(_) => return sh.failed(&format!("history: {text}: numeric argument required"), 1).await,
        },
    };
    let mut text = String::new();
    {
        let history = sh.history.borrow();
        let lines = history.lines();
        for (i, line) in lines.iter().enumerate().skip(lines.len().saturating_sub(count)) {
            text.push_str(&format!("{:5}  {line}\n", history.first_number() + i));
        }
    }
    sh.out(text).await?;
    Ok(0)
}

pub(crate) async fn help(sh: &mut Shell, args: &[String]) -> Exec {
    let mut text = String::new();
    let mut code = 0;
    if args.len() == 1 {
        text.push_str(&format!("GNU bash, version {BASH_VERSION} (kubonsai)\n"));
        text.push_str(
            "A shell of Kubonsai that follows bash. These commands are part of it; `help name' tells more.\n\n",
        );
        for builtin in BUILTINS {
            text.push_str(&format!(" {}\n", builtin.usage));
        }
    }
    for wanted in args[1..].iter().filter(|a| !a.starts_with('-')) {
        let mut found = false;
        for builtin in BUILTINS.iter().filter(|b| b.name == *wanted || pattern::matches(wanted, b.name)) {
            found = true;
            text.push_str(&format!("{0}: {1}\n    {2}\n", builtin.name, builtin.usage, builtin.about));
        }
        if !found {
            sh.complain(&format!("help: no help topics match `{wanted}'.  Try `help help' or `{wanted} --help'."))
                .await;
            code = 1;
        }
    }
    sh.out(text).await?;
    Ok(code)
}

pub(crate) async fn getopts(sh: &mut Shell, args: &[String]) -> Exec {
    let [_, spec, name, rest @ ..] = args else {
        return super::usage(sh, "getopts").await;
    };
    let words = if rest.is_empty() { sh.positional.clone() } else { rest.to_vec() };
    let index = sh.vars.scalar("OPTIND").and_then(|t| t.parse::<usize>().ok()).unwrap_or(1).max(1);
    let offset = sh.vars.scalar("_OPTOFS").and_then(|t| t.parse::<usize>().ok()).unwrap_or(1);
    let word = words.get(index - 1).cloned().unwrap_or_default();
    let set = |sh: &mut Shell, name: &str, value: String| {
        // A read-only name keeps its value, as in bash after its message.
        let _ = sh.assign(name, value);
    };
    if word.len() < 2 || !word.starts_with('-') || word == "--" {
        set(sh, name, "?".into());
        if word == "--" {
            set(sh, "OPTIND", (index + 1).to_string());
        }
        return Ok(1);
    }
    let letter = word.chars().nth(offset).unwrap_or('?');
    let last = offset + 1 >= word.chars().count();
    let (mut next_index, mut next_offset) = if last { (index + 1, 1) } else { (index, offset + 1) };
    let quiet = spec.starts_with(':');
    let takes_value = spec.find(letter).filter(|_| letter != ':').map(|at| spec[at + 1..].starts_with(':'));
    match takes_value {
        None => {
            set(sh, name, "?".into());
            if quiet {
                set(sh, "OPTARG", letter.to_string());
            } else {
                sh.err(format!("{}: illegal option -- {letter}\n", sh.name)).await;
            }
        }
        Some(false) => {
            set(sh, name, letter.to_string());
            // A read-only OPTARG keeps its value.
            let _ = sh.vars.unset("OPTARG");
        }
        Some(true) => {
            let value = if last { words.get(index).cloned() } else { Some(word.chars().skip(offset + 1).collect()) };
            (next_index, next_offset) = (if last { index + 2 } else { index + 1 }, 1);
            match value {
                Some(value) => {
                    set(sh, name, letter.to_string());
                    set(sh, "OPTARG", value);
                }
                None => {
                    next_index = index + 1;
                    set(sh, name, if quiet { ":" } else { "?" }.into());
                    if quiet {
                        set(sh, "OPTARG", letter.to_string());
                    } else {
                        sh.err(format!("{}: option requires an argument -- {letter}\n", sh.name)).await;
                    }
                }
            }
        }
    }
    set(sh, "OPTIND", next_index.to_string());
    set(sh, "_OPTOFS", next_offset.to_string());
    Ok(0)
}

pub(crate) async fn hash(sh: &mut Shell, args: &[String]) -> Exec {
    for name in args[1..].iter().filter(|a| !a.starts_with('-')) {
        if find(name).is_none() && sh.find_program(name).is_none() {
            return sh.failed(&format!("hash: {name}: not found"), 1).await;
        }
    }
    if args.len() == 1 {
        sh.out("hash: hash table empty\n").await?;
    }
    Ok(0)
}

pub(crate) async fn times(sh: &mut Shell, _: &[String]) -> Exec {
    sh.out("0m0.000s 0m0.000s\n0m0.000s 0m0.000s\n").await?;
    Ok(0)
}

pub(crate) async fn umask(sh: &mut Shell, args: &[String]) -> Exec {
    match args.get(1).map(String::as_str) {
        None => {
            let text = sh.vars.scalar("_UMASK").unwrap_or("0022").to_owned();
            sh.out(format!("{text}\n")).await?;
            Ok(0)
        }
        Some(text) => match u16::from_str_radix(text, 8) {
            Ok(mask) if mask <= 0o777 => {
                sh.fs = sh.fs.with_umask(mask);
                sh.vars.entry("_UMASK").value = crate::vars::Value::Scalar(format!("{mask:04o}"));
                Ok(0)
            }
            _ => sh.failed(&format!("umask: {text}: octal number out of range"), 1).await,
        },
    }
}
