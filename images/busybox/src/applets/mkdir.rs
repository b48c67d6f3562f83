//! mkdir.

use crate::applet::{Fail, Io, Options, Outcome};

/// Makes folders.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "pm:v", &[("parents", 'p'), ("mode", 'm')])?;
    if options.operands.is_empty() {
        return Err(Fail::Message("missing operand".to_owned()));
    }
    let mut status = 0;
    for folder in &options.operands {
        let made = if options.has('p') { std::fs::create_dir_all(folder) } else { std::fs::create_dir(folder) };
        if let Err(error) = made {
            writeln!(io.err, "mkdir: can't create directory '{folder}': {}", proc::Errno::from_io(&error))?;
            status = 1;
        } else if let Some(mode) = options.value('m').and_then(|m| u32::from_str_radix(m, 8).ok()) {
            let _ = proc::chmod(folder, mode);
        }
    }
    Ok(status)
}
