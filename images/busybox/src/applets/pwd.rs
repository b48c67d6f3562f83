//! pwd.

use crate::applet::{Io, Outcome};

/// Prints the working directory.
pub fn run(io: &mut Io<'_>, _: &[String]) -> Outcome {
    let cwd = std::env::current_dir()?;
    writeln!(io.out, "{}", cwd.display())?;
    Ok(0)
}
