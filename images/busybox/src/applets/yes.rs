//! yes.

use crate::applet::{Io, Outcome};

/// Prints a line for ever.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let text = if args.len() > 1 { args[1..].join(" ") } else { "y".to_owned() };
    loop {
        writeln!(io.out, "{text}")?;
    }
}
