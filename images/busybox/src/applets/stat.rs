//! stat.

use std::time::UNIX_EPOCH;

use super::id::name_of;
use super::ls::{mode_text, owner};
use crate::applet::{Fail, Io, Options, Outcome};

/// Prints what is known of files.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "c:Lt", &[("format", 'c')])?;
    for file in &options.operands {
        let meta = if options.has('L') { std::fs::metadata(file) } else { std::fs::symlink_metadata(file) };
        let meta = meta.map_err(|e| Fail::Message(format!("can't stat '{file}': {}", proc::Errno::from_io(&e))))?;
        let (mode, uid, gid) = owner(file, &meta);
        let modified = meta.modified().unwrap_or(UNIX_EPOCH);
        let c = net::http::civil(modified);
        let when = format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}000000 +0000",
            c.year, c.month, c.day, c.hour, c.minute, c.second, c.millis
        );
        let kind = match mode & 0o170_000 {
            0o040_000 => "directory",
            0o120_000 => "symbolic link",
            0o020_000 => "character special file",
            _ if meta.len() == 0 => "regular empty file",
            _ => "regular file",
        };
        let user = name_of("/etc/passwd", uid).unwrap_or_else(|| "UNKNOWN".to_owned());
        let group = name_of("/etc/group", gid).unwrap_or_else(|| "UNKNOWN".to_owned());
        if let Some(format) = options.value('c') {
            let seconds = modified.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
            let text = format
                .replace("%n", file)
                .replace("%s", &meta.len().to_string())
                .replace("%a", &format!("{:o}", mode & 0o7777))
                .replace("%A", &mode_text(mode))
                .replace("%u", &uid.to_string())
                .replace("%g", &gid.to_string())
                .replace("%U", &user)
                .replace("%G", &group)
                .replace("%F", kind)
                .replace("%Y", &seconds.to_string())
                .replace("%y", &when);
            writeln!(io.out, "{text}")?;
            continue;
        }
        writeln!(io.out, "  File: {file}")?;
        writeln!(
            io.out,
            "  Size: {:<10}\tBlocks: {:<10} IO Block: 4096   {kind}",
            meta.len(),
            meta.len().div_ceil(4096) * 8
        )?;
        writeln!(
            io.out,
            "Access: ({:04o}/{})  Uid: ({uid:5}/{user:>8})   Gid: ({gid:5}/{group:>8})",
            mode & 0o7777,
            mode_text(mode)
        )?;
        writeln!(io.out, "Modify: {when}")?;
    }
    Ok(0)
}
