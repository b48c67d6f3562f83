//! What names lead to: `type`, `command`, `builtin`, `alias`, `unalias`.

use std::collections::BTreeMap;

use super::{bad_option, find};
use crate::exec::{Exec, Target};
use crate::shell::Shell;
use crate::syntax::is_reserved;

/// Programs in other systems that are builtins here: shown as files.
const SHOWN_AS_FILES: &[&str] = &["ps"];

/// What a name is.
enum Kind {
    Alias(String),
    Keyword,
    Function,
    Builtin,
    File(String),
}

fn look_up(sh: &Shell, name: &str, functions: bool) -> Option<Kind> {
    if let Some(text) = sh.aliases.get(name).filter(|_| sh.interactive || sh.options.expand_aliases) {
        return Some(Kind::Alias(text.clone()));
    }
    if is_reserved(name) {
        return Some(Kind::Keyword);
    }
    if functions && sh.functions.contains_key(name) {
        return Some(Kind::Function);
    }
    if find(name).is_some() {
        let file = SHOWN_AS_FILES.contains(&name);
        return Some(if file { Kind::File(format!("/usr/bin/{name}")) } else { Kind::Builtin });
    }
    file_of(sh, name).map(Kind::File)
}

/// The path of a program.
pub(crate) fn file_of(sh: &Shell, name: &str) -> Option<String> {
    match sh.find_program(name)? {
        Target::Program(_, path) | Target::Script(path, _) => Some(path),
        Target::Error(..) => None,
    }
}

/// `type`.
pub(crate) async fn kind(sh: &mut Shell, args: &[String]) -> Exec {
    let (mut word_only, mut path_only, mut code) = (false, false, 0);
    let mut functions = true;
    for name in &args[1..] {
        match name.as_str() {
            "-t" => word_only = true,
            "-p" | "-P" => path_only = true,
            "-f" => functions = false,
            "-a" => {}
            option if option.len() > 1 && option.starts_with('-') => return bad_option(sh, "type", option).await,
            _ => {
                let found = look_up(sh, name, functions);
                let line = match (&found, word_only, path_only) {
                    (None, false, false) => {
                        sh.complain(&format!("type: {name}: not found")).await;
                        code = 1;
                        continue;
                    }
                    (None, ..) => {
                        code = 1;
                        continue;
                    }
                    (Some(Kind::File(path)), false, true) => path.clone(),
                    (Some(_), false, true) => continue,
                    (Some(kind), true, _) => match kind {
                        Kind::Alias(_) => "alias",
                        Kind::Keyword => "keyword",
                        Kind::Function => "function",
                        Kind::Builtin => "builtin",
                        Kind::File(_) => "file",
                    }
                    .to_owned(),
                    (Some(kind), ..) => match kind {
                        Kind::Alias(text) => format!("{name} is aliased to `{text}'"),
                        Kind::Keyword => format!("{name} is a shell keyword"),
                        Kind::Function => format!("{name} is a function"),
                        Kind::Builtin => format!("{name} is a shell builtin"),
                        Kind::File(path) => format!("{name} is {path}"),
                    },
                };
                sh.out(format!("{line}\n")).await?;
            }
        }
    }
    Ok(code)
}

pub(crate) async fn command(sh: &mut Shell, args: &[String]) -> Exec {
    let mut rest = &args[1..];
    let mut describe = None;
    while let Some(option) = rest.first().filter(|a| a.len() > 1 && a.starts_with('-')) {
        match option.as_str() {
            "-v" | "-V" => describe = Some(option.clone()),
            "-p" => {}
            "--" => {
                rest = &rest[1..];
                break;
            }
            other => return bad_option(sh, "command", other).await,
        }
        rest = &rest[1..];
    }
    match describe.as_deref() {
        None if rest.is_empty() => Ok(0),
        None => sh.run_named(rest.to_vec(), BTreeMap::new(), false).await,
        Some("-V") => {
            let mut all = vec!["type".to_owned()];
            all.extend_from_slice(rest);
            kind(sh, &all).await
        }
        Some(_) => {
            let mut code = if rest.is_empty() { 0 } else { 1 };
            for name in rest {
                let line = match look_up(sh, name, true) {
                    Some(Kind::Alias(text)) => format!("alias {name}='{text}'"),
                    Some(Kind::File(path)) => path,
                    Some(_) => name.clone(),
                    None => continue,
                };
                code = 0;
                sh.out(format!("{line}\n")).await?;
            }
            Ok(code)
        }
    }
}

pub(crate) async fn builtin(sh: &mut Shell, args: &[String]) -> Exec {
    let Some(name) = args.get(1) else { return Ok(0) };
    match find(name) {
        Some(found) => (found.run)(sh, &args[1..]).await,
        None => sh.failed(&format!("builtin: {name}: not a shell builtin"), 1).await,
    }
}

pub(crate) async fn alias(sh: &mut Shell, args: &[String]) -> Exec {
    let line = |name: &str, text: &str| format!("alias {name}='{}'\n", text.replace('\'', "'\\''"));
    let mut code = 0;
    let names: Vec<&String> = args[1..].iter().filter(|a| *a != "-p").collect();
    if names.is_empty() {
        let text: String = sh.aliases.iter().map(|(n, t)| line(n, t)).collect();
        sh.out(text).await?;
    }
    for argument in names {
        if let Some((name, text)) = argument.split_once('=') {
            sh.aliases.insert(name.to_owned(), text.to_owned());
        } else if let Some(text) = sh.aliases.get(argument) {
            let shown = line(argument, text);
            sh.out(shown).await?;
        } else {
            sh.complain(&format!("alias: {argument}: not found")).await;
            code = 1;
        }
    }
    Ok(code)
}

pub(crate) async fn unalias(sh: &mut Shell, args: &[String]) -> Exec {
    let mut code = 0;
    for name in &args[1..] {
        if name == "-a" {
            sh.aliases.clear();
        } else if sh.aliases.remove(name).is_none() {
            sh.complain(&format!("unalias: {name}: not found")).await;
            code = 1;
        }
    }
    Ok(code)
}
