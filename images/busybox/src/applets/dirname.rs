//! dirname.

use crate::applet::{Fail, Io, Outcome};

/// A path without its last part.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let Some(path) = args.get(1) else { return Err(Fail::Message("missing operand".to_owned())) };
    let folder = match path.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
        None if path.starts_with('/') => "/",
        None => ".",
    };
    writeln!(io.out, "{folder}")?;
    Ok(0)
}
