//! `cd`, `pwd`, `pushd`, `popd`, `dirs`.

use super::bad_option;
use crate::exec::Exec;
use crate::shell::Shell;

/// Goes to a directory; the error is the sentence after `cd: `.
fn change(sh: &mut Shell, dir: &str, physical: bool) -> Result<(), String> {
    let mut path = vfs::path::normalize(&sh.path(dir));
    if physical {
        path = sh.fs.canonicalize(&path).unwrap_or(path);
    }
    match sh.fs.stat(&path) {
        Ok(meta) if !meta.is_dir() => return Err(format!("{dir}: Not a directory")),
        Ok(_) => {}
        Err(errno) => return Err(format!("{dir}: {errno}")),
    }
    if sh.fs.access(&path, 1).is_err() {
        return Err(format!("{dir}: Permission denied"));
    }
    let old = std::mem::replace(&mut sh.cwd, path.clone());
    // A read-only PWD keeps its value; bash does the same.
    let _ = sh.vars.set("OLDPWD", old);
    let _ = sh.vars.set("PWD", path);
    sh.vars.entry("OLDPWD").exported = true;
    Ok(())
}

pub(crate) async fn cd(sh: &mut Shell, args: &[String]) -> Exec {
    let mut physical = false;
    let mut rest = &args[1..];
    while let Some(option) = rest.first().filter(|a| a.len() > 1 && a.starts_with('-')) {
        match option.as_str() {
            "-P" => physical = true,
            "-L" | "-e" => physical = false,
            "--" => {
                rest = &rest[1..];
                break;
            }
            other => return bad_option(sh, "cd", &other[..2.min(other.len())]).await,
        }
        rest = &rest[1..];
    }
    if rest.len() > 1 {
        return sh.failed("cd: too many arguments", 1).await;
    }
    let (dir, announce) = match rest.first().map(String::as_str) {
        None => match sh.vars.scalar("HOME") {
            Some(home) => (home.to_owned(), false),
            None => return sh.failed("cd: HOME not set", 1).await,
        },
        Some("-") => match sh.vars.scalar("OLDPWD") {
            Some(old) => (old.to_owned(), true),
            None => return sh.failed("cd: OLDPWD not set", 1).await,
        },
        Some("") => return Ok(0),
        Some(dir) => (dir.to_owned(), false),
    };
    if let Err(message) = change(sh, &dir, physical) {
        return sh.failed(&format!("cd: {message}"), 1).await;
    }
    if announce {
        sh.out(format!("{}\n", sh.cwd)).await?;
    }
    Ok(0)
}

pub(crate) async fn pwd(sh: &mut Shell, args: &[String]) -> Exec {
    let mut physical = false;
    for arg in &args[1..] {
        match arg.as_str() {
            "-P" => physical = true,
            "-L" => physical = false,
            option if option.starts_with('-') && option.len() > 1 => return bad_option(sh, "pwd", option).await,
            _ => {}
        }
    }
    let path = if physical { sh.fs.canonicalize(&sh.cwd).unwrap_or(sh.cwd.clone()) } else { sh.cwd.clone() };
    sh.out(format!("{path}\n")).await?;
    Ok(0)
}

fn short(sh: &Shell, path: &str) -> String {
    match sh.vars.scalar("HOME").filter(|h| h.len() > 1).and_then(|h| path.strip_prefix(h)) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("~{rest}"),
        _ => path.to_owned(),
    }
}

pub(crate) async fn dirs(sh: &mut Shell, _: &[String]) -> Exec {
    let mut all = vec![short(sh, &sh.cwd)];
    all.extend(sh.dir_stack.iter().rev().map(|d| short(sh, d)));
    sh.out(format!("{}\n", all.join(" "))).await?;
    Ok(0)
}

pub(crate) async fn pushd(sh: &mut Shell, args: &[String]) -> Exec {
    let here = sh.cwd.clone();
    let target = match args.get(1) {
        Some(dir) => dir.clone(),
        None => match sh.dir_stack.pop() {
            Some(dir) => dir,
            None => return sh.failed("pushd: no other directory", 1).await,
        },
    };
    if let Err(message) = change(sh, &target, false) {
        return sh.failed(&format!("pushd: {message}"), 1).await;
    }
    sh.dir_stack.push(here);
    dirs(sh, args).await
}

pub(crate) async fn popd(sh: &mut Shell, args: &[String]) -> Exec {
    let Some(dir) = sh.dir_stack.pop() else {
        return sh.failed("popd: directory stack empty", 1).await;
    };
    if let Err(message) = change(sh, &dir, false) {
        return sh.failed(&format!("popd: {message}"), 1).await;
    }
    dirs(sh, args).await
}
