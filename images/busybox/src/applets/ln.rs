//! ln.

use std::path::Path;

use crate::applet::{Fail, Io, Options, Outcome};

#[cfg(target_os = "wasi")]
fn make(target: &str, link: &str) -> std::io::Result<()> {
    // std keeps this for nightly compilers; the C library underneath has it.
    unsafe extern "C" {
        fn symlink(target: *const std::ffi::c_char, link: *const std::ffi::c_char) -> i32;
    }
    let (target, link) = (std::ffi::CString::new(target)?, std::ffi::CString::new(link)?);
    // Both are NUL-terminated and live through the call.
    if unsafe { symlink(target.as_ptr(), link.as_ptr()) } == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

#[cfg(not(target_os = "wasi"))]
fn make(target: &str, link: &str) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

/// Makes a symbolic link.
pub fn symlink(target: &str, link: &str) -> Result<(), Fail> {
    make(target, link).map_err(|e| Fail::Message(format!("{link}: {}", proc::Errno::from_io(&e))))
}

/// Makes links.
pub fn run(_: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "sfnvrT", &[("symbolic", 's'), ("force", 'f')])?;
    let (last, targets) = match options.operands.as_slice() {
        [] => return Err(Fail::Message("missing operand".to_owned())),
        [only] => (".".to_owned(), std::slice::from_ref(only)),
        [targets @ .., last] => (last.clone(), targets),
    };
    let folder = Path::new(&last).is_dir() && !options.has('n') && !options.has('T');
    for target in targets {
        let name = target.trim_end_matches('/').rsplit('/').next().unwrap_or(target);
        let link = if folder { format!("{}/{name}", last.trim_end_matches('/')) } else { last.clone() };
        if options.has('f') {
            let _ = std::fs::remove_file(&link);
        }
        if options.has('s') {
            symlink(target, &link)?;
        } else {
            std::fs::hard_link(target, &link)
                .map_err(|e| Fail::Message(format!("{link}: {}", proc::Errno::from_io(&e))))?;
        }
    }
    Ok(0)
}
