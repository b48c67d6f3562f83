//! hostname.

use crate::applet::{Fail, Io, Options, Outcome};

/// Prints the host's name, or with -i its address.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "isfdI", &[])?;
    if !options.operands.is_empty() {
        return Err(Fail::Message("sethostname: Operation not permitted".to_owned()));
    }
    let name = proc::hostname();
    if options.has('i') || options.has('I') {
        let addresses = net::resolve(&name).map_err(|_| Fail::Message(format!("{name}: Unknown host")))?;
        let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        writeln!(io.out, "{}", texts.join(" "))?;
    } else {
        writeln!(io.out, "{name}")?;
    }
    Ok(0)
}
