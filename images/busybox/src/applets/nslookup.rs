//! nslookup.

use crate::applet::{Fail, Io, Outcome};

/// The first server of `/etc/resolv.conf`.
fn server() -> Option<String> {
    let text = std::fs::read_to_string("/etc/resolv.conf").ok()?;
    text.lines().find_map(|l| l.strip_prefix("nameserver ").map(|s| s.trim().to_owned()))
}

/// Asks for the addresses of a name.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let operands: Vec<&String> = args[1..].iter().filter(|a| !a.starts_with('-')).collect();
    let Some(name) = operands.first() else { return Err(Fail::Message("missing operand".to_owned())) };
    if operands.len() > 1 {
        return Err(Fail::Message("kubonsai does not support another DNS server (nslookup) yet".to_owned()));
    }
    let server = server().unwrap_or_else(|| "127.0.0.1".to_owned());
    let resolved = net::resolve(name);
    if matches!(&resolved, Err(error) if proc::Errno::from_io(error) == proc::Errno::AGAIN) {
        writeln!(io.out, ";; connection timed out; no servers could be reached\n")?;
        return Ok(1);
    }
    writeln!(io.out, "Server:\t\t{server}\nAddress:\t{server}:53\n")?;
    match resolved {
        Ok(addresses) => {
            for address in addresses {
                writeln!(io.out, "Name:\t{name}\nAddress: {address}")?;
            }
            writeln!(io.out)?;
            Ok(0)
        }
        Err(_) => {
            writeln!(io.out, "** server can't find {name}: NXDOMAIN\n")?;
            Ok(1)
        }
    }
}
