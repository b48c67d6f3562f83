//! readlink, realpath.

use crate::applet::{Fail, Io, Options, Outcome, about};

/// Links followed before giving up.
const LINKS_MAX: usize = 40;

/// A path without links, `.` and `..`; the last part need not exist.
pub fn canonical(path: &str) -> std::io::Result<String> {
    let cwd = std::env::current_dir()?;
    let mut rest: Vec<String> = Vec::new();
    let push = |text: &str, rest: &mut Vec<String>| rest.extend(text.split('/').rev().map(str::to_owned));
    if path.starts_with('/') {
        push(path, &mut rest)
    } else {
        push(&format!("{}/{path}", cwd.display()), &mut rest)
    }
    let mut out = String::new();
    let mut links = 0;
    while let Some(part) = rest.pop() {
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                out.truncate(out.rfind('/').unwrap_or(0));
                continue;
            }
            _ => {}
        }
        let next = format!("{out}/{part}");
        match std::fs::symlink_metadata(&next) {
            Ok(meta) if meta.file_type().is_symlink() => {
                links += 1;
                if links > LINKS_MAX {
                    return Err(proc::Errno::LOOP.into());
                }
                let target = std::fs::read_link(&next)?.to_string_lossy().into_owned();
                if target.starts_with('/') {
                    out.clear();
                }
                push(&target, &mut rest);
            }
            Err(error) if !rest.iter().all(String::is_empty) => return Err(error),
            _ => out = next,
        }
    }
    Ok(if out.is_empty() { "/".to_owned() } else { out })
}

/// Prints where a link leads.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "fnvme", &[("canonicalize", 'f')])?;
    let mut status = 0;
    for path in &options.operands {
        let text = if options.has('f') || options.has('e') || options.has('m') {
            canonical(path).ok()
        } else {
            std::fs::read_link(path).ok().map(|t| t.to_string_lossy().into_owned())
        };
        match text {
            Some(text) => write!(io.out, "{text}{}", if options.has('n') { "" } else { "\n" })?,
            None => status = 1,
        }
    }
    Ok(status)
}

/// Prints paths without links.
pub fn realpath(io: &mut Io<'_>, args: &[String]) -> Outcome {
    for path in args[1..].iter().filter(|a| !a.starts_with('-')) {
        let real = canonical(path).and_then(|real| std::fs::metadata(&real).map(|_| real));
        writeln!(io.out, "{}", real.map_err(|e| Fail::Message(about(path, &e)))?)?;
    }
    Ok(0)
}
