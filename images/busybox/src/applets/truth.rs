//! true, false.

use crate::applet::{Io, Outcome};

/// `true`
pub fn yes(_: &mut Io<'_>, _: &[String]) -> Outcome {
    Ok(0)
}

/// `false`
pub fn no(_: &mut Io<'_>, _: &[String]) -> Outcome {
    Ok(1)
}
