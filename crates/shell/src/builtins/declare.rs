//! `declare`, `local`, `export`, `readonly`, `unset`.

use std::collections::BTreeMap;

use super::bad_option;
use crate::exec::Exec;
use crate::shell::Shell;
use crate::syntax::is_name;
use crate::text::double_quote;
use crate::vars::{Value, Var};

/// Attributes asked for by `-x` (some true) or `+x` (some false).
#[derive(Default)]
struct Flags {
    exported: Option<bool>,
    readonly: Option<bool>,
    integer: Option<bool>,
    array: bool,
    assoc: bool,
    print: bool,
    functions: bool,
    global: bool,
}

/// `declare -x name="value"`.
fn shown(name: &str, var: &Var) -> String {
    let mut letters = String::new();
    match var.value {
        Value::Array(_) => letters.push('a'),
        Value::Assoc(_) => letters.push('A'),
        _ => {}
    }
    for (on, letter) in [(var.integer, 'i'), (var.readonly, 'r'), (var.exported, 'x')] {
        if on {
            letters.push(letter);
        }
    }
    if letters.is_empty() {
        letters.push('-');
    }
    let value = match &var.value {
        Value::Unset => String::new(),
        Value::Scalar(text) => format!("={}", double_quote(text)),
        Value::Array(map) => {
            let items: Vec<String> = map.iter().map(|(i, v)| format!("[{i}]={}", double_quote(v))).collect();
            format!("=({})", items.join(" "))
        }
        Value::Assoc(map) => {
            let items: String = map.iter().map(|(k, v)| format!("[{k}]={} ", double_quote(v))).collect();
            format!("=({items})")
        }
    };
    format!("declare -{letters} {name}{value}\n")
}

fn parse(args: &[String]) -> Result<(Flags, &[String]), String> {
    let mut flags = Flags::default();
    let mut rest = &args[1..];
    while let Some(arg) = rest.first() {
        let on = arg.starts_with('-');
        if arg == "--" {
            rest = &rest[1..];
            break;
        }
        if arg.len() < 2 || !(on || arg.starts_with('+')) {
            break;
        }
        for letter in arg.chars().skip(1) {
            match letter {
                'x' => flags.exported = Some(on),
                'r' => flags.readonly = Some(on),
                'i' => flags.integer = Some(on),
                'a' => flags.array = true,
                'A' => flags.assoc = true,
                'p' => flags.print = true,
                'f' | 'F' => flags.functions = true,
                'g' => flags.global = true,
                'n' if args[0] == "export" => flags.exported = Some(false),
                'l' | 'u' | 't' | 'n' => {}
                _ => return Err(format!("-{letter}")),
            }
        }
        rest = &rest[1..];
    }
    Ok((flags, rest))
}

pub(crate) async fn declare(sh: &mut Shell, args: &[String]) -> Exec {
    let (flags, names) = match parse(args) {
        Ok(parsed) => parsed,
        Err(option) => return bad_option(sh, &args[0], &option).await,
    };
    let local = sh.vars.in_function() && !flags.global && !flags.print;
    run(sh, args, &flags, names, local).await
}

pub(crate) async fn local(sh: &mut Shell, args: &[String]) -> Exec {
    if !sh.vars.in_function() {
        return sh.failed("local: can only be used in a function", 1).await;
    }
    let (flags, names) = match parse(args) {
        Ok(parsed) => parsed,
        Err(option) => return bad_option(sh, &args[0], &option).await,
    };
    run(sh, args, &flags, names, true).await
}

pub(crate) async fn export(sh: &mut Shell, args: &[String]) -> Exec {
    attribute(sh, args, |flags| {
        flags.exported.get_or_insert(true);
    })
    .await
}

pub(crate) async fn readonly(sh: &mut Shell, args: &[String]) -> Exec {
    attribute(sh, args, |flags| flags.readonly = Some(true)).await
}

async fn attribute(sh: &mut Shell, args: &[String], set: fn(&mut Flags)) -> Exec {
    let (mut flags, names) = match parse(args) {
        Ok(parsed) => parsed,
        Err(option) => return bad_option(sh, &args[0], &option).await,
    };
    if flags.functions {
        return Ok(0); // functions cannot reach other programs here
    }
    set(&mut flags);
    run(sh, args, &flags, names, false).await
}

async fn run(sh: &mut Shell, args: &[String], flags: &Flags, names: &[String], local: bool) -> Exec {
    if flags.functions {
        return functions(sh, names).await;
    }
    if names.is_empty() {
        return list(sh, args, flags).await;
    }
    let mut code = 0;
    for argument in names {
        let (target, value) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (argument.as_str(), None),
        };
        let (name, append) = match target.strip_suffix('+') {
            Some(name) if value.is_some() => (name, true),
            _ => (target, false),
        };
        if !is_name(name) {
            sh.complain(&format!("{}: `{argument}': not a valid identifier", args[0])).await;
            code = 1;
            continue;
        }
        if flags.print {
            match sh.vars.get(name) {
                Some(var) => sh.out(shown(name, var)).await?,
                None => {
                    sh.complain(&format!("{}: {name}: not found", args[0])).await;
                    code = 1;
                }
            }
            continue;
        }
        if local {
            sh.vars.make_local(name);
        }
        if let Err(message) = apply(sh, name, flags, value, append) {
            sh.complain(&format!("{}: {message}", args[0])).await;
            code = 1;
        }
    }
    Ok(code)
}

fn apply(sh: &mut Shell, name: &str, flags: &Flags, value: Option<&str>, append: bool) -> Result<(), String> {
    let var = sh.vars.entry(name);
    if var.readonly && (value.is_some() || flags.readonly == Some(false)) {
        return Err(format!("{name}: readonly variable"));
    }
    if flags.assoc && matches!(var.value, Value::Unset) {
        var.value = Value::Assoc(BTreeMap::new());
    }
    if flags.array && matches!(var.value, Value::Unset) {
        var.value = Value::Array(BTreeMap::new());
    }
    var.integer = flags.integer.unwrap_or(var.integer);
    var.exported = flags.exported.unwrap_or(var.exported);
    if let Some(value) = value {
        sh.assign_element(name, None, value.to_owned(), append)?;
    }
    let var = sh.vars.entry(name);
    var.readonly = flags.readonly.unwrap_or(var.readonly);
    Ok(())
}

async fn list(sh: &mut Shell, args: &[String], flags: &Flags) -> Exec {
    let mut text = String::new();
    for (name, var) in sh.vars.iter() {
        let wanted = flags.exported.is_none_or(|on| var.exported == on)
            && flags.readonly.is_none_or(|on| var.readonly == on)
            && flags.integer.is_none_or(|on| var.integer == on)
            && (!flags.array || matches!(var.value, Value::Array(_)))
            && (!flags.assoc || matches!(var.value, Value::Assoc(_)));
        if !wanted {
            continue;
        }
        let all = args.len() == 1 && args[0] == "declare";
        match (&var.value, all) {
            (Value::Scalar(value), true) => text.push_str(&format!("{name}={}\n", crate::text::quote(value))),
            _ => text.push_str(&shown(name, var)),
        }
    }
    sh.out(text).await?;
    Ok(0)
}

async fn functions(sh: &mut Shell, names: &[String]) -> Exec {
    let mut code = 0;
    let known: Vec<String> = sh.functions.keys().cloned().collect();
    for name in if names.is_empty() { &known } else { names } {
        if known.contains(name) {
            let line = if names.is_empty() { format!("declare -f {name}\n") } else { format!("{name}\n") };
            sh.out(line).await?;
        } else {
            code = 1;
        }
    }
    Ok(code)
}

pub(crate) async fn unset(sh: &mut Shell, args: &[String]) -> Exec {
    let (mut only_vars, mut only_functions, mut code) = (false, false, 0);
    for arg in &args[1..] {
        match arg.as_str() {
            "-v" => only_vars = true,
            "-f" => only_functions = true,
            option if option.len() > 1 && option.starts_with('-') => return bad_option(sh, "unset", option).await,
            name => {
                if only_functions {
                    sh.functions.remove(name);
                    continue;
                }
                if let Some((array, index)) = name.strip_suffix(']').and_then(|n| n.split_once('[')) {
                    unset_element(sh, array, index);
                    continue;
                }
                if sh.vars.get(name).is_none() && !only_vars {
                    sh.functions.remove(name);
                } else if sh.vars.unset(name).is_err() {
                    sh.complain(&format!("unset: {name}: cannot unset: readonly variable")).await;
                    code = 1;
                }
            }
        }
    }
    Ok(code)
}

fn unset_element(sh: &mut Shell, array: &str, index: &str) {
    let at = crate::expand::arith::evaluate(index, sh).unwrap_or(0);
    match sh.vars.get(array).map(|v| v.readonly) {
        Some(false) => {}
        _ => return,
    }
    match &mut sh.vars.entry(array).value {
        Value::Array(map) => {
            let at = crate::expand::wrap_index(map, at);
            map.remove(&at);
        }
        Value::Assoc(map) => {
            map.remove(index);
        }
        _ => {}
    }
}
