//! chmod, chown, chgrp.

use super::id::id_of;
use crate::applet::{Fail, Io, Options, Outcome};

/// The bits that a mode such as `755` or `u+x,go-w` makes of others.
fn changed(mode: &str, old: u32, is_dir: bool) -> Option<u32> {
    if mode.starts_with(|c: char| c.is_ascii_digit()) {
        return u32::from_str_radix(mode, 8).ok().filter(|m| *m <= 0o7777);
    }
    let mut bits = old & 0o7777;
    for clause in mode.split(',') {
        let at = clause.find(['+', '-', '='])?;
        let (who, rest) = clause.split_at(at);
        let mut shifts: Vec<u32> = Vec::new();
        for c in who.chars() {
            match c {
                'u' => shifts.push(6),
                'g' => shifts.push(3),
                'o' => shifts.push(0),
                'a' => shifts.extend([6, 3, 0]),
                _ => return None,
            }
        }
        if shifts.is_empty() {
            shifts.extend([6, 3, 0]);
        }
        let mut add = 0;
        for c in rest[1..].chars() {
            add |= match c {
                'r' => 4,
                'w' => 2,
                'x' => 1,
                'X' => u32::from(is_dir || old & 0o111 != 0),
                't' | 's' => 0,
                _ => return None,
            };
            if c == 't' {
                bits = if rest.starts_with('-') { bits & !0o1000 } else { bits | 0o1000 };
            }
        }
        for shift in shifts {
            bits = match &rest[..1] {
                "+" => bits | add << shift,
                "-" => bits & !(add << shift),
                _ => bits & !(7 << shift) | add << shift,
            };
        }
    }
    Some(bits)
}

fn walk(path: &str, recursive: bool, f: &mut dyn FnMut(&str) -> Result<(), Fail>) -> Result<(), Fail> {
    f(path)?;
    if recursive && std::fs::symlink_metadata(path).is_ok_and(|m| m.is_dir()) {
        for entry in std::fs::read_dir(path)? {
            walk(&entry?.path().to_string_lossy(), true, f)?;
        }
    }
    Ok(())
}

/// Changes permission bits.
pub fn run(_: &mut Io<'_>, args: &[String]) -> Outcome {
    // A mode such as -x is no option.
    let recursive = args.iter().any(|a| a == "-R");
    let rest: Vec<&String> = args[1..].iter().filter(|a| !matches!(a.as_str(), "-R" | "-v" | "-c" | "-f")).collect();
    let [mode, files @ ..] = rest.as_slice() else { return Err(Fail::Message("missing operand".to_owned())) };
    for file in files {
        walk(file, recursive, &mut |path| {
            let (old, ..) = proc::mode(path, true).map_err(|e| Fail::Message(format!("{path}: {e}")))?;
            let new = changed(mode, old, old & 0o170_000 == 0o040_000);
            let new = new.ok_or_else(|| Fail::Message(format!("invalid mode '{mode}'")))?;
            proc::chmod(path, new).map_err(|e| Fail::Message(format!("{path}: {e}")))
        })?;
    }
    Ok(0)
}

fn own(args: &[String], group_only: bool) -> Outcome {
    let options = Options::parse(&args[1..], "RhLHPcvf", &[])?;
    let [owner, files @ ..] = options.operands.as_slice() else {
        return Err(Fail::Message("missing operand".to_owned()));
    };
    let (user, group) =
        if group_only { ("", owner.as_str()) } else { owner.split_once([':', '.']).unwrap_or((owner, "")) };
    let id = |file: &str, name: &str, what: &str| match name {
        "" => Ok(None),
        name => id_of(file, name).map(Some).ok_or_else(|| Fail::Message(format!("unknown {what} {name}"))),
    };
    let (uid, gid) = (id("/etc/passwd", user, "user")?, id("/etc/group", group, "group")?);
    for file in files {
        walk(file, options.has('R'), &mut |path| {
            let (_, old_uid, old_gid) = proc::mode(path, true).map_err(|e| Fail::Message(format!("{path}: {e}")))?;
            proc::chown(path, uid.unwrap_or(old_uid), gid.unwrap_or(old_gid))
                .map_err(|e| Fail::Message(format!("{path}: {e}")))
        })?;
    }
    Ok(0)
}

/// Changes owners.
pub fn chown(_: &mut Io<'_>, args: &[String]) -> Outcome {
    own(args, false)
}

/// Changes groups.
pub fn chgrp(_: &mut Io<'_>, args: &[String]) -> Outcome {
    own(args, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes() {
        for (mode, old, new) in [
            ("755", 0o644, Some(0o755)),
            ("+x", 0o644, Some(0o755)),
            ("u+x,go-r", 0o644, Some(0o700)),
            ("a=r", 0o777, Some(0o444)),
            ("u=rwX", 0o644, Some(0o644)),
            ("z+x", 0o644, None),
            ("9", 0o644, None),
        ] {
            assert_eq!(changed(mode, old, false), new, "{mode}");
        }
    }
}
