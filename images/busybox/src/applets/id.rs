//! id, whoami, tty.

use crate::applet::{Io, Options, Outcome};

/// The name of a user or group in a file of `/etc`.
pub fn name_of(file: &str, id: u32) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|l| l.split(':').nth(2).and_then(|n| n.parse().ok()) == Some(id))?;
    line.split(':').next().map(str::to_owned)
}

/// The number of a user or group in a file of `/etc`.
pub fn id_of(file: &str, name: &str) -> Option<u32> {
    if let Ok(id) = name.parse() {
        return Some(id);
    }
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|l| l.split(':').next() == Some(name))?;
    line.split(':').nth(2)?.parse().ok()
}

/// Prints user and group.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "ugnG", &[])?;
    let (uid, gid) = proc::user();
    let (user, group) = (name_of("/etc/passwd", uid), name_of("/etc/group", gid));
    let shown = |id: u32, name: &Option<String>| match name {
        Some(name) if options.has('n') => name.clone(),
        _ => id.to_string(),
    };
    let full = |id: u32, name: &Option<String>| match name {
        Some(name) => format!("{id}({name})"),
        None => id.to_string(),
    };
    if options.has('u') {
        writeln!(io.out, "{}", shown(uid, &user))?;
    } else if options.has('g') {
        writeln!(io.out, "{}", shown(gid, &group))?;
    } else {
        let mut all = proc::groups();
        if !all.contains(&gid) {
            all.insert(0, gid);
        }
        let name = |id: u32| name_of("/etc/group", id);
        if options.has('G') {
            let all: Vec<String> = all.into_iter().map(|id| shown(id, &name(id))).collect();
            writeln!(io.out, "{}", all.join(" "))?;
        } else {
            let all: Vec<String> = all.into_iter().map(|id| full(id, &name(id))).collect();
            let (user, group) = (full(uid, &user), full(gid, &group));
            writeln!(io.out, "uid={user} gid={group} groups={}", all.join(","))?;
        }
    }
    Ok(0)
}

/// Prints the user's name.
pub fn whoami(io: &mut Io<'_>, _: &[String]) -> Outcome {
    let (uid, _) = proc::user();
    match name_of("/etc/passwd", uid) {
        Some(name) => writeln!(io.out, "{name}")?,
        None => return Err(format!("unknown uid {uid}").into()),
    }
    Ok(0)
}

/// Prints the terminal's name.
pub fn tty(io: &mut Io<'_>, _: &[String]) -> Outcome {
    let there = proc::is_tty(0);
    writeln!(io.out, "{}", if there { "/dev/pts/0" } else { "not a tty" })?;
    Ok(i32::from(!there))
}
