//! `ls`.

use machine::Ctx;
use simulation::Time;
use vfs::Metadata;

use super::Outcome;
use super::io::complain;
use super::options::{Parsed, Spec, parse};
use crate::text::{quote, width};

struct Entry {
    name: String,
    meta: Metadata,
    target: Option<String>,
}

/// `Nov 21 03:08`, or the year for what is older than half a year.
fn stamp(time: Time, now: Time) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = time.rfc3339();
    let month = text.get(5..7).and_then(|m| m.parse::<usize>().ok()).unwrap_or(1);
    let name = MONTHS[(month - 1).min(11)];
    let day = text.get(8..10).unwrap_or("01").trim_start_matches('0');
    let recent = now.saturating_since(time).as_secs() < 15_778_476 && time <= now;
    if recent {
        format!("{name} {day:>2} {}", text.get(11..16).unwrap_or("00:00"))
    } else {
        format!("{name} {day:>2}  {}", text.get(..4).unwrap_or("1970"))
    }
}

fn human(bytes: u64) -> String {
    if bytes < 1024 {
        return bytes.to_string();
    }
    let mut value = bytes as f64;
    let mut units = "KMGT".chars();
    let mut unit = 'K';
    while value >= 1024.0 {
        value /= 1024.0;
        unit = units.next().unwrap_or('T');
    }
    if value < 10.0 {
        format!("{:.1}{unit}", (value * 10.0).ceil() / 10.0)
    } else {
        format!("{:.0}{unit}", value.ceil())
    }
}

struct Lister<'a> {
    ctx: &'a Ctx,
    parsed: &'a Parsed,
    tty: bool,
    columns: usize,
    code: i32,
}

impl Lister<'_> {
    fn has(&self, letter: char) -> bool {
        self.parsed.has(letter)
    }

    fn colour(&self, entry: &Entry) -> Option<&'static str> {
        if !self.tty {
            return None;
        }
        match entry.meta.kind {
            vfs::FileKind::Directory => Some("01;34"),
            vfs::FileKind::Symlink => Some("01;36"),
            vfs::FileKind::CharDevice => Some("40;33;01"),
            vfs::FileKind::Regular if entry.meta.mode & 0o111 != 0 => Some("01;32"),
            vfs::FileKind::Regular => None,
        }
    }

    fn shown(&self, entry: &Entry) -> String {
        let mut name = if self.tty { quote(&entry.name) } else { entry.name.clone() };
        if let Some(code) = self.colour(entry) {
            name = format!("\x1b[0m\x1b[{code}m{name}\x1b[0m");
        }
        if self.has('F') || (self.has('p') && entry.meta.is_dir()) {
            name.push_str(match entry.meta.kind {
                vfs::FileKind::Directory => "/",
                vfs::FileKind::Symlink => "@",
                vfs::FileKind::Regular if entry.meta.mode & 0o111 != 0 => "*",
                _ => "",
            });
        }
        name
    }

    fn sort(&self, entries: &mut [Entry]) {
        if self.has('t') {
            entries.sort_by(|a, b| b.meta.modified.cmp(&a.meta.modified).then(a.name.cmp(&b.name)));
        } else if self.has('S') {
            entries.sort_by(|a, b| b.meta.size.cmp(&a.meta.size).then(a.name.cmp(&b.name)));
        } else if !self.has('U') {
            entries.sort_by(|a, b| a.name.cmp(&b.name));
        }
        if self.has('r') {
            entries.reverse();
        }
    }

    fn format(&self, entries: &[Entry]) -> String {
        if self.has('l') {
            return self.long(entries);
        }
        let names: Vec<String> = entries.iter().map(|e| self.shown(e)).collect();
        if !self.tty || self.has('1') || entries.is_empty() {
            return names.iter().map(|n| format!("{n}\n")).collect();
        }
        let widths: Vec<usize> =
            entries.iter().map(|e| width(&quote(&e.name)) + usize::from(self.has('F') && e.meta.is_dir())).collect();
        grid(&names, &widths, self.columns)
    }

    fn long(&self, entries: &[Entry]) -> String {
        let size = |e: &Entry| if self.has('h') { human(e.meta.size) } else { e.meta.size.to_string() };
        let owner = |id: u32| match id {
            0 => "root".to_owned(),
            1000 => "learner".to_owned(),
            other => other.to_string(),
        };
        let widest = |f: &dyn Fn(&Entry) -> usize| entries.iter().map(f).max().unwrap_or(0);
        let links = widest(&|e| e.meta.links.to_string().len());
        let sizes = widest(&|e| size(e).len());
        let users = widest(&|e| owner(e.meta.uid).len());
        let groups = widest(&|e| owner(e.meta.gid).len());
        let mut out = String::new();
        for e in entries {
            let arrow = e.target.as_ref().map(|t| format!(" -> {t}")).unwrap_or_default();
            out.push_str(&format!(
                "{} {:>links$} {:<users$} {:<groups$} {:>sizes$} {} {}{arrow}\n",
                e.meta.mode_string(),
                e.meta.links,
                owner(e.meta.uid),
                owner(e.meta.gid),
                size(e),
                stamp(e.meta.modified, self.ctx.sim.now()),
                self.shown(e),
            ));
        }
        out
    }

    fn entry(&self, name: &str, path: &str) -> Result<Entry, vfs::Errno> {
        let full = self.ctx.path(path);
        let meta = if self.has('L') { self.ctx.fs.stat(&full)? } else { self.ctx.fs.lstat(&full)? };
        let target = if meta.is_symlink() { self.ctx.fs.readlink(&full).ok() } else { None };
        Ok(Entry { name: name.to_owned(), meta, target })
    }

    fn blocks(entries: &[Entry]) -> u64 {
        entries.iter().map(|e| if e.meta.is_dir() { 4 } else { e.meta.size.div_ceil(4096) * 4 }).sum()
    }

    /// The entries of a directory.
    fn directory(&self, path: &str) -> Result<Vec<Entry>, vfs::Errno> {
        let mut entries = Vec::new();
        if self.has('a') {
            entries.push(self.entry(".", path)?);
            entries.push(self.entry("..", &format!("{path}/.."))?);
        }
        for item in self.ctx.fs.readdir(&self.ctx.path(path))? {
            if item.name.starts_with('.') && !self.has('a') && !self.has('A') {
                continue;
            }
            entries.push(self.entry(&item.name, &format!("{path}/{}", item.name))?);
        }
        self.sort(&mut entries);
        Ok(entries)
    }

    async fn show_directory(
        &mut self,
        path: &str,
        title: bool,
        first: &mut bool,
    ) -> Result<Vec<String>, machine::BrokenPipe> {
        let entries = match self.directory(path) {
            Ok(entries) => entries,
            Err(errno) => {
                complain(self.ctx, "ls", format!("cannot open directory '{path}': {errno}")).await;
                self.code = 2;
                return Ok(Vec::new());
            }
        };
        let mut text = String::new();
        if title {
            text.push_str(&format!("{}{path}:\n", if *first { "" } else { "\n" }));
        }
        *first = false;
        if self.has('l') {
            text.push_str(&format!("total {}\n", Self::blocks(&entries)));
        }
        text.push_str(&self.format(&entries));
        self.ctx.out(text).await?;
        let below = entries.iter().filter(|e| e.meta.is_dir() && e.name != "." && e.name != "..");
        Ok(below.map(|e| format!("{}/{}", path.trim_end_matches('/'), e.name)).collect())
    }
}

/// Columns filled downwards, as `ls` on a terminal and completion lists show names.
pub(crate) fn grid(names: &[String], widths: &[usize], columns: usize) -> String {
    let count = names.len();
    for rows in 1..=count {
        let cols = count.div_ceil(rows);
        let column_width = |c: usize| (c * rows..((c + 1) * rows).min(count)).map(|i| widths[i]).max().unwrap_or(0);
        let total: usize = (0..cols).map(|c| column_width(c) + 2).sum::<usize>().saturating_sub(2);
        if total > columns && rows < count {
            continue;
        }
        let mut out = String::new();
        for row in 0..rows {
            let mut c = 0;
            while c * rows + row < count {
                let i = c * rows + row;
                out.push_str(&names[i]);
                if (c + 1) * rows + row < count {
                    out.extend(std::iter::repeat_n(' ', column_width(c) + 2 - widths[i]));
                }
                c += 1;
            }
            out.push('\n');
        }
        return out;
    }
    String::new()
}

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec {
        short: "aAl1RdhrtSFpUnLCgois",
        long: &[
            ("all", 'a'),
            ("almost-all", 'A'),
            ("recursive", 'R'),
            ("directory", 'd'),
            ("human-readable", 'h'),
            ("reverse", 'r'),
            ("classify", 'F'),
            ("color=", 'K'),
            ("color", 'K'),
        ],
        permute: true,
    };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "ls", message).await;
            return Ok(2);
        }
    };
    let tty = ctx.stdout.is_tty();
    let columns = ctx.tty.as_ref().map_or(80, |t| usize::from(t.size().cols));
    let mut lister = Lister { ctx: &ctx, parsed: &parsed, tty, columns, code: 0 };
    let mut operands = parsed.operands.clone();
    if operands.is_empty() {
        operands.push(".".into());
    }
    let (mut files, mut dirs) = (Vec::new(), Vec::new());
    for path in &operands {
        let is_dir = ctx.fs.is_dir(&ctx.path(path));
        match lister.entry(path, path) {
            Ok(entry) if !is_dir || parsed.has('d') || (entry.meta.is_symlink() && parsed.has('l')) => {
                files.push(entry)
            }
            Ok(_) => dirs.push(path.clone()),
            Err(errno) => {
                complain(&ctx, "ls", format!("cannot access '{path}': {errno}")).await;
                lister.code = 2;
            }
        }
    }
    lister.sort(&mut files);
    dirs.sort();
    let mut first = files.is_empty();
    ctx.out(lister.format(&files)).await?;
    let titles = operands.len() > 1 || parsed.has('R');
    let mut stack: Vec<String> = dirs.into_iter().rev().collect();
    while let Some(path) = stack.pop() {
        let below = lister.show_directory(&path, titles, &mut first).await?;
        if parsed.has('R') {
            stack.extend(below.into_iter().rev());
        }
    }
    Ok(lister.code)
}
