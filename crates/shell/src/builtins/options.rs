//! `set` and `shopt`.

use super::{bad_option, usage};
use crate::exec::Exec;
use crate::shell::{Options, Shell};
use crate::text::quote;
use crate::vars::Value;

type Field = fn(&mut Options) -> &mut bool;

/// Options of `set`: letter, long name, field. None: shown as it always is, and changes nothing.
const SET: &[(Option<char>, &str, Result<Field, bool>)] = &[
    (Some('a'), "allexport", Ok(|o| &mut o.allexport)),
    (Some('B'), "braceexpand", Err(true)),
    (None, "emacs", Err(true)),
    (Some('e'), "errexit", Ok(|o| &mut o.errexit)),
    (Some('E'), "errtrace", Err(false)),
    (Some('T'), "functrace", Err(false)),
    (Some('h'), "hashall", Err(true)),
    (Some('H'), "histexpand", Err(false)),
    (None, "history", Err(true)),
    (None, "ignoreeof", Err(false)),
    (Some('k'), "keyword", Err(false)),
    (Some('m'), "monitor", Err(true)),
    (Some('C'), "noclobber", Ok(|o| &mut o.noclobber)),
    (Some('n'), "noexec", Ok(|o| &mut o.noexec)),
    (Some('f'), "noglob", Ok(|o| &mut o.noglob)),
    (Some('b'), "notify", Err(false)),
    (Some('u'), "nounset", Ok(|o| &mut o.nounset)),
    (Some('P'), "physical", Err(false)),
    (None, "pipefail", Ok(|o| &mut o.pipefail)),
    (None, "posix", Err(false)),
    (Some('v'), "verbose", Ok(|o| &mut o.verbose)),
    (None, "vi", Err(false)),
    (Some('x'), "xtrace", Ok(|o| &mut o.xtrace)),
];

/// Options of `shopt`.
const SHOPT: &[(&str, Result<Field, bool>)] = &[
    ("dotglob", Ok(|o| &mut o.dotglob)),
    ("expand_aliases", Ok(|o| &mut o.expand_aliases)),
    ("nullglob", Ok(|o| &mut o.nullglob)),
    ("checkwinsize", Err(true)),
    ("cmdhist", Err(true)),
    ("histappend", Err(false)),
    ("lastpipe", Err(false)),
    ("extglob", Err(false)),
    ("globstar", Err(false)),
    ("nocasematch", Err(false)),
    ("nocaseglob", Err(false)),
    ("inherit_errexit", Err(false)),
];

fn value_of(field: &Result<Field, bool>, options: &mut Options) -> bool {
    match field {
        Ok(field) => *field(options),
        Err(fixed) => *fixed,
    }
}

async fn show(sh: &mut Shell, plus: bool) -> Exec {
    let mut text = String::new();
    for (_, name, field) in SET {
        let on = value_of(field, &mut sh.options);
        text.push_str(&if plus {
            format!("set {}o {name}\n", if on { '-' } else { '+' })
        } else {
            format!("{name:<15}\t{}\n", if on { "on" } else { "off" })
        });
    }
    sh.out(text).await?;
    Ok(0)
}

pub(crate) async fn set(sh: &mut Shell, args: &[String]) -> Exec {
    if args.len() == 1 {
        let mut text = String::new();
        for (name, var) in sh.vars.iter() {
            match &var.value {
                Value::Scalar(value) => text.push_str(&format!("{name}={}\n", quote_assigned(value))),
                Value::Array(map) => {
                    let items: Vec<String> =
                        map.iter().map(|(i, v)| format!("[{i}]={}", crate::text::double_quote(v))).collect();
                    text.push_str(&format!("{name}=({})\n", items.join(" ")));
                }
                _ => {}
            }
        }
        sh.out(text).await?;
        return Ok(0);
    }
    let mut i = 1;
    while let Some(arg) = args.get(i) {
        let on = arg.starts_with('-');
        if arg == "--" {
            sh.positional = args[i + 1..].to_vec();
            return Ok(0);
        }
        if arg == "-" || !(on || arg.starts_with('+')) || arg.len() < 2 {
            sh.positional = args[if arg == "-" { i + 1 } else { i }..].to_vec();
            return Ok(0);
        }
        for letter in arg.chars().skip(1) {
            if letter == 'o' {
                let Some(name) = args.get(i + 1) else { return show(sh, !on).await };
                i += 1;
                let Some((_, _, field)) = SET.iter().find(|(_, n, _)| n == name) else {
                    return sh.failed(&format!("set: {name}: invalid option name"), 2).await;
                };
                if let Ok(field) = field {
                    *field(&mut sh.options) = on;
                }
                continue;
            }
            match SET.iter().find(|(l, ..)| *l == Some(letter)) {
                Some((_, _, Ok(field))) => *field(&mut sh.options) = on,
                Some(_) => {}
                None => {
                    let sign = if on { '-' } else { '+' };
                    sh.complain(&format!("set: {sign}{letter}: invalid option")).await;
                    return usage(sh, "set").await;
                }
            }
        }
        i += 1;
    }
    Ok(0)
}

/// `set` shows values as they would be assigned: an empty value stays empty.
fn quote_assigned(value: &str) -> String {
    if value.is_empty() { String::new() } else { quote(value) }
}

pub(crate) async fn shopt(sh: &mut Shell, args: &[String]) -> Exec {
    let (mut change, mut quiet) = (None, false);
    let mut names = Vec::new();
    for arg in &args[1..] {
        match arg.as_str() {
            "-s" => change = Some(true),
            "-u" => change = Some(false),
            "-q" => quiet = true,
            "-p" => {}
            option if option.starts_with('-') => return bad_option(sh, "shopt", option).await,
            name => names.push(name),
        }
    }
    let mut code = 0;
    if names.is_empty() {
        names = SHOPT.iter().map(|(n, _)| *n).collect();
        names.sort_unstable();
        change = None;
    }
    for name in names {
        let Some((_, field)) = SHOPT.iter().find(|(n, _)| *n == name) else {
            sh.complain(&format!("shopt: {name}: invalid shell option name")).await;
            code = 1;
            continue;
        };
        match (change, field) {
            (Some(on), Ok(field)) => *field(&mut sh.options) = on,
            (Some(true), Err(false)) if matches!(name, "globstar" | "nocasematch" | "nocaseglob" | "lastpipe") => {
                sh.complain(&format!("shopt: {name}: {}", simulation::stub!("shell", "this shell option"))).await;
                code = 1;
            }
            (Some(_), Err(_)) => {}
            (None, field) => {
                let on = value_of(field, &mut sh.options);
                code = i32::from(!on);
                if !quiet {
                    sh.out(format!("{name:<15}\t{}\n", if on { "on" } else { "off" })).await?;
                }
            }
        }
    }
    Ok(code)
}
