//! clear.

use crate::applet::{Io, Outcome};

/// Clears the screen.
pub fn run(io: &mut Io<'_>, _: &[String]) -> Outcome {
    io.out.write_all(b"\x1b[H\x1b[J")?;
    Ok(0)
}
