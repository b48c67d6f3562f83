//! df, mount.

use super::numbers::human;
use crate::applet::{Fail, Io, Options, Outcome};

fn mounts() -> Result<Vec<proc::Mount>, Fail> {
    proc::mounts().map_err(|e| Fail::Message(e.to_string()))
}

fn source(mount: &proc::Mount) -> &'static str {
    match mount.path.as_str() {
        "/" => "overlay",
        "/proc" => "proc",
        _ if mount.in_memory => "tmpfs",
        p if p.starts_with("/dev") || p.starts_with("/run") || p.starts_with("/sys") => "tmpfs",
        _ => "/dev/vda1",
    }
}

/// Prints how full file systems are.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "hkPT", &[])?;
    let unit = if options.has('h') { "Size" } else { "1K-blocks" };
    writeln!(io.out, "Filesystem           {unit:>9}      Used Available Use% Mounted on")?;
    let wanted = |mount: &proc::Mount| {
        options.operands.is_empty() || options.operands.iter().any(|o| o.starts_with(&mount.path))
    };
    for mount in mounts()?.iter().filter(|m| wanted(m)) {
        let show = |bytes: u64| if options.has('h') { human(bytes) } else { (bytes / 1024).to_string() };
        let free = mount.max_bytes.saturating_sub(mount.used_bytes);
        let percent = (mount.used_bytes * 100).checked_div(mount.max_bytes).unwrap_or(0);
        let (size, used, free) = (show(mount.max_bytes), show(mount.used_bytes), show(free));
        writeln!(io.out, "{:<20} {size:>9} {used:>9} {free:>9} {percent:>3}% {}", source(mount), mount.path)?;
    }
    Ok(0)
}

/// Prints what is mounted.
pub fn mount(io: &mut Io<'_>, args: &[String]) -> Outcome {
    if args.len() > 1 {
        return Err(Fail::Message("permission denied (are you root?)".to_owned()));
    }
    for mount in mounts()? {
        let (source, mode) = (source(&mount), if mount.read_only { "ro" } else { "rw" });
        let kind = if source.starts_with('/') { "ext4" } else { source };
        let size = if mount.in_memory { format!(",size={}k", mount.max_bytes / 1024) } else { String::new() };
        writeln!(io.out, "{source} on {} type {kind} ({mode},relatime{size})", mount.path)?;
    }
    Ok(0)
}
