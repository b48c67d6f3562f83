//! ls.

use std::fs::Metadata;
use std::time::{SystemTime, UNIX_EPOCH};

use super::id::name_of;
use super::numbers::human;
use crate::applet::{Io, Options, Outcome, about};

/// Seconds after which the year is shown instead of the time: half a year.
const RECENT_SECONDS: u64 = 15_778_476;

struct Entry {
    name: String,
    path: String,
    meta: Metadata,
}

/// `drwxr-xr-x`
pub fn mode_text(mode: u32) -> String {
    let kind = match mode & 0o170_000 {
        0o040_000 => 'd',
        0o120_000 => 'l',
        0o020_000 => 'c',
        0o060_000 => 'b',
        0o010_000 => 'p',
        0o140_000 => 's',
        _ => '-',
    };
    let mut out = String::from(kind);
    for shift in [6, 3, 0] {
        let bits = mode >> shift & 7;
        out.push(if bits & 4 != 0 { 'r' } else { '-' });
        out.push(if bits & 2 != 0 { 'w' } else { '-' });
        let (special, letter) = match shift {
            6 => (mode & 0o4000 != 0, 's'),
            3 => (mode & 0o2000 != 0, 's'),
            _ => (mode & 0o1000 != 0, 't'),
        };
        out.push(match (bits & 1 != 0, special) {
            (true, true) => letter,
            (false, true) => letter.to_ascii_uppercase(),
            (true, false) => 'x',
            (false, false) => '-',
        });
    }
    out
}

/// Mode, user and group of a path itself; the defaults of the kind where they cannot be known.
pub fn owner(path: &str, meta: &Metadata) -> (u32, u32, u32) {
    proc::mode(path, false).unwrap_or_else(|_| {
        let mode = if meta.is_dir() {
            0o040_755
        } else if meta.is_symlink() {
            0o120_777
        } else {
            0o100_644
        };
        (mode, 0, 0)
    })
}

fn nanos(meta: &Metadata) -> u128 {
    meta.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok()).map_or(0, |d| d.as_nanos())
}

fn shown(entry: &Entry, options: &Options) -> String {
    let mut text = entry.name.clone();
    let mark = options.has('F') || options.has('p');
    if mark && entry.meta.is_dir() {
        text.push('/');
    } else if options.has('F') && entry.meta.is_symlink() {
        text.push('@');
    } else if options.has('F') && owner(&entry.path, &entry.meta).0 & 0o111 != 0 {
        text.push('*');
    }
    text
}

fn long(entry: &Entry, options: &Options) -> Vec<String> {
    let (mode, uid, gid) = owner(&entry.path, &entry.meta);
    let name = |file: &str, id: u32| match name_of(file, id) {
        Some(name) if !options.has('n') => name,
        _ => id.to_string(),
    };
    let size = if options.has('h') { human(entry.meta.len()) } else { entry.meta.len().to_string() };
    let modified = entry.meta.modified().unwrap_or(UNIX_EPOCH);
    let c = net::http::civil(modified);
    let recent = SystemTime::now().duration_since(modified).is_ok_and(|d| d.as_secs() < RECENT_SECONDS);
    let clock = if recent { format!("{:02}:{:02}", c.hour, c.minute) } else { format!("{:5}", c.year) };
    let mut text = shown(entry, options);
    if entry.meta.is_symlink()
        && let Ok(target) = std::fs::read_link(&entry.path)
    {
        text.push_str(&format!(" -> {}", target.display()));
    }
    vec![
        mode_text(mode),
        links(&entry.path, &entry.meta).to_string(),
        name("/etc/passwd", uid),
        name("/etc/group", gid),
        size,
        format!("{} {:>2} {clock}", c.month_name(), c.day),
        text,
    ]
}

fn links(path: &str, meta: &Metadata) -> usize {
    // std has no link count on WASI; a folder has one for each folder in it and two more.
    if !meta.is_dir() {
        return 1;
    }
    let folders =
        std::fs::read_dir(path).into_iter().flatten().flatten().filter(|e| e.file_type().is_ok_and(|t| t.is_dir()));
    2 + folders.count()
}

fn print(io: &mut Io<'_>, mut entries: Vec<Entry>, options: &Options, total: bool) -> std::io::Result<()> {
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    if options.has('t') {
        entries.sort_by_key(|e| std::cmp::Reverse(nanos(&e.meta)));
    } else if options.has('S') {
        entries.sort_by_key(|e| std::cmp::Reverse(e.meta.len()));
    }
    if options.has('r') {
        entries.reverse();
    }
    if options.has('l') || options.has('n') {
        if total {
            let blocks: u64 = entries.iter().map(|e| e.meta.len().div_ceil(4096) * 4).sum();
            writeln!(io.out, "total {blocks}")?;
        }
        let rows: Vec<Vec<String>> = entries.iter().map(|e| long(e, options)).collect();
        let width = |i: usize| rows.iter().map(|r| r[i].len()).max().unwrap_or(0);
        let (links, user, group, size) = (width(1).max(4), width(2).max(8), width(3).max(8), width(4).max(9));
        for r in rows {
            writeln!(
                io.out,
                "{} {:>links$} {:<user$} {:<group$} {:>size$} {} {}",
                r[0], r[1], r[2], r[3], r[4], r[5], r[6]
            )?;
        }
        return Ok(());
    }
    let names: Vec<String> = entries.iter().map(|e| shown(e, options)).collect();
    match proc::tty_size(1) {
        Ok((columns, _)) if !options.has('1') => columns_of(io, &names, columns as usize),
        _ => names.iter().try_for_each(|name| writeln!(io.out, "{name}")),
    }
}

/// Names in columns, downwards.
fn columns_of(io: &mut Io<'_>, names: &[String], width: usize) -> std::io::Result<()> {
    let widest = names.iter().map(|n| n.chars().count()).max().unwrap_or(0) + 2;
    let columns = (width.max(20) / widest.max(1)).max(1);
    let rows = names.len().div_ceil(columns);
    for row in 0..rows {
        let line: String = names.iter().skip(row).step_by(rows.max(1)).map(|n| format!("{n:<widest$}")).collect();
        writeln!(io.out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn children(folder: &str, options: &Options) -> std::io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let join = |name: &str| format!("{}/{name}", folder.trim_end_matches('/'));
    if options.has('a') {
        for name in [".", ".."] {
            entries.push(Entry { name: name.to_owned(), path: join(name), meta: std::fs::metadata(join(name))? });
        }
    }
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') && !options.has('a') && !options.has('A') {
            continue;
        }
        let path = join(&name);
        let meta = std::fs::symlink_metadata(&path)?;
        entries.push(Entry { name, path, meta });
    }
    Ok(entries)
}

/// Lists files.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "1AaCdFhilnpRrSt_", &[("color", '_'), ("all", 'a')])?;
    let mut operands = options.operands.clone();
    if operands.is_empty() {
        operands.push(".".to_owned());
    }
    let (mut files, mut folders, mut status) = (Vec::new(), Vec::new(), 0);
    for path in operands {
        let meta = if options.has('l') {
            std::fs::symlink_metadata(&path)
        } else {
            std::fs::metadata(&path).or_else(|_| std::fs::symlink_metadata(&path))
        };
        match meta {
            Ok(meta) if meta.is_dir() && !options.has('d') => folders.push(path),
            Ok(meta) => files.push(Entry { name: path.clone(), path, meta }),
            Err(error) => {
                writeln!(io.err, "ls: {}", about(&path, &error))?;
                status = 1;
            }
        }
    }
    let titled = folders.len() > 1 || !files.is_empty() || options.has('R');
    let mut first = files.is_empty();
    if !files.is_empty() {
        print(io, files, &options, false)?;
    }
    folders.reverse();
    while let Some(folder) = folders.pop() {
        if titled {
            let gap = if std::mem::take(&mut first) { "" } else { "\n" };
            writeln!(io.out, "{gap}{folder}:")?;
        }
        match children(&folder, &options) {
            Ok(entries) => {
                if options.has('R') {
                    let mut inner: Vec<String> = entries
                        .iter()
                        .filter(|e| e.meta.is_dir() && !matches!(e.name.as_str(), "." | ".."))
                        .map(|e| e.path.clone())
                        .collect();
                    inner.sort_by(|a, b| b.cmp(a));
                    folders.extend(inner);
                }
                print(io, entries, &options, true)?;
            }
            Err(error) => {
                writeln!(io.err, "ls: can't open '{folder}': {}", proc::Errno::from_io(&error))?;
                status = 1;
            }
        }
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_written_out() {
        assert_eq!(mode_text(0o100_644), "-rw-r--r--");
        assert_eq!(mode_text(0o041_777), "drwxrwxrwt");
        assert_eq!(mode_text(0o120_777), "lrwxrwxrwx");
    }
}
