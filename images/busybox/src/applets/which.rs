//! which, and starting other programs.

use crate::applet::{Fail, Io, Outcome};

const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The file that a program's name means.
pub fn find(name: &str) -> Option<String> {
    if name.contains('/') {
        return std::fs::metadata(name).is_ok().then(|| name.to_owned());
    }
    let path = std::env::var("PATH").unwrap_or_else(|_| DEFAULT_PATH.to_owned());
    path.split(':')
        .map(|folder| format!("{}/{name}", if folder.is_empty() { "." } else { folder }))
        .find(|file| std::fs::metadata(file).is_ok_and(|m| m.is_file()))
}

/// Starts a program on our own descriptors.
///
/// # Errors
/// Status 127 if there is no such program, 126 if it cannot run.
pub fn start(argv: &[String], env: &[(String, String)]) -> Result<u32, Fail> {
    let name = argv.first().map_or("", String::as_str);
    let Some(file) = find(name) else {
        return Err(Fail::Status(127, format!("can't execute '{name}': No such file or directory")));
    };
    proc::spawn(&file, argv, env, "", &[0, 1, 2]).map_err(|e| Fail::Status(126, format!("can't execute '{name}': {e}")))
}

/// Runs a program and gives its status.
///
/// # Errors
/// As [`start`].
pub fn launch(argv: &[String], env: &[(String, String)]) -> Outcome {
    let pid = start(argv, env)?;
    loop {
        match proc::wait(pid) {
            Ok(ended) => return Ok(ended.status.cast_signed()),
            Err(proc::Errno::INTR) => {}
            Err(error) => return Err(Fail::Message(error.to_string())),
        }
    }
}

/// Prints where programs are.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let mut status = 0;
    for name in args[1..].iter().filter(|a| !a.starts_with('-')) {
        match find(name) {
            Some(file) => writeln!(io.out, "{file}")?,
            None => status = 1,
        }
    }
    Ok(status)
}
