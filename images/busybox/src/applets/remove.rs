//! rm, rmdir.

use crate::applet::{Fail, Io, Options, Outcome};

fn remove(path: &str, recursive: bool) -> std::io::Result<()> {
    let meta = std::fs::symlink_metadata(path)?;
    if !meta.is_dir() {
        return std::fs::remove_file(path);
    }
    if !recursive {
        return Err(proc::Errno::ISDIR.into());
    }
    for entry in std::fs::read_dir(path)? {
        remove(&entry?.path().to_string_lossy(), true)?;
    }
    std::fs::remove_dir(path)
}

/// Removes files.
pub fn rm(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "rRfiv", &[("recursive", 'r'), ("force", 'f')])?;
    if options.operands.is_empty() && !options.has('f') {
        return Err(Fail::Message("missing operand".to_owned()));
    }
    let mut status = 0;
    for path in &options.operands {
        let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or("");
        if matches!(last, "" | "." | "..") {
            writeln!(io.err, "rm: can't remove '.' or '..' or '/'")?;
            status = 1;
            continue;
        }
        match remove(path, options.has('r') || options.has('R')) {
            Ok(()) => {}
            Err(error) if options.has('f') && error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                let errno = proc::Errno::from_io(&error);
                let what = if errno == proc::Errno::ISDIR {
                    format!("'{path}' is a directory")
                } else {
                    format!("can't remove '{path}': {errno}")
                };
                writeln!(io.err, "rm: {what}")?;
                status = 1;
            }
        }
    }
    Ok(status)
}

/// Removes empty folders.
pub fn rmdir(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "p", &[("parents", 'p')])?;
    let mut status = 0;
    for path in &options.operands {
        let mut folder = path.trim_end_matches('/');
        loop {
            if let Err(error) = std::fs::remove_dir(folder) {
                writeln!(io.err, "rmdir: '{folder}': {}", proc::Errno::from_io(&error))?;
                status = 1;
                break;
            }
            match folder.rsplit_once('/') {
                Some((above, _)) if options.has('p') && !above.is_empty() => folder = above,
                _ => break,
            }
        }
    }
    Ok(status)
}
