//! Programs that are known but not built: a refusal by name, not a "not found".

use crate::applet::{Fail, Io, Outcome};

/// Refuses.
pub fn run(_: &mut Io<'_>, args: &[String]) -> Outcome {
    let name = args.first().map_or("", |a| a.rsplit('/').next().unwrap_or(a));
    Err(Fail::Status(126, format!("kubonsai does not support {name} (busybox) yet")))
}
