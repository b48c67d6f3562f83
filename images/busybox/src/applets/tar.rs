//! tar: archives of files, folders and links in the ustar format. No compression, no devices.

use std::fs;
use std::io::{Read, Write};
use std::path::{Component, Path, PathBuf};

use crate::applet::{Fail, Io, Outcome, about, cannot};

const BLOCK: usize = 512;
/// Two empty blocks end an archive.
const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];
/// Names longer than the header's field are told by an entry of their own.
const NAME_BYTES_MAX: usize = 100;
/// Deepest folder that is archived.
const DEPTH_MAX: usize = 64;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Create,
    Extract,
    List,
}

/// A command line.
struct Plan {
    action: Action,
    /// `-`: the standard streams.
    archive: String,
    folder: PathBuf,
    verbose: bool,
    to_stdout: bool,
    strip: usize,
    operands: Vec<String>,
}

fn usage(text: &str) -> Fail {
    Fail::Message(text.to_owned())
}

/// The first word may come without its dash.
fn parse(args: &[String]) -> Result<Plan, Fail> {
    let (mut action, mut operands) = (None, Vec::new());
    let mut plan = Plan {
        action: Action::List,
        archive: "-".to_owned(),
        folder: PathBuf::new(),
        verbose: false,
        to_stdout: false,
        strip: 0,
        operands: Vec::new(),
    };
    let mut words = args.iter().enumerate();
    while let Some((i, word)) = words.next() {
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) = long.split_once('=').map_or((long, None), |(n, v)| (n, Some(v)));
            match (name, value) {
                ("no-same-permissions" | "no-same-owner" | "numeric-owner", _) => {}
                ("strip-components", Some(value)) => {
                    plan.strip = value.parse().map_err(|_| Fail::Message(format!("invalid number '{value}'")))?;
                }
                ("directory", Some(value)) => plan.folder = PathBuf::from(value),
                ("file", Some(value)) => plan.archive = value.to_owned(),
                ("", None) => operands.extend(words.by_ref().map(|(_, word)| word.clone())),
                _ => return Err(Fail::Message(format!("unrecognized option '{word}'"))),
            }
            continue;
        }
        let letters = match word.strip_prefix('-') {
            Some(letters) if !letters.is_empty() => letters,
            None if i == 0 => word,
            _ => {
                operands.push(word.clone());
                continue;
            }
        };
        for letter in letters.chars() {
            match letter {
                'c' => action = Some(Action::Create),
                'x' => action = Some(Action::Extract),
                't' => action = Some(Action::List),
                'v' => plan.verbose = true,
                'O' => plan.to_stdout = true,
                'm' | 'o' | 'p' | 'k' | 'h' => {}
                'f' | 'C' => {
                    let value = words.next().map(|(_, word)| word.clone());
                    let value =
                        value.ok_or_else(|| Fail::Message(format!("option requires an argument -- '{letter}'")))?;
                    if letter == 'f' { plan.archive = value } else { plan.folder = PathBuf::from(value) }
                }
                'z' | 'j' | 'J' => return Err(usage("kubonsai does not support compressed archives (busybox) yet")),
                other => return Err(Fail::Message(format!("invalid option -- '{other}'"))),
            }
        }
    }
    plan.action = action.ok_or_else(|| usage("need at least one option (c, x or t)"))?;
    plan.operands = operands;
    Ok(plan)
}

/// Makes, unpacks or lists an archive.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let plan = parse(&args[1..])?;
    let failed = |error: std::io::Error| Fail::Message(cannot("open", &plan.archive, &error));
    match (plan.action, plan.archive.as_str()) {
        (Action::Create, "-") => {
            let mut bytes = Vec::new();
            let status = create(&plan, &mut bytes, io.err)?;
            io.out.write_all(&bytes)?;
            Ok(status)
        }
        (Action::Create, file) => {
            let mut bytes = Vec::new();
            let status = create(&plan, &mut bytes, io.err)?;
            fs::write(file, bytes).map_err(failed)?;
            Ok(status)
        }
        (_, "-") => {
            let (input, out, err) = (&mut *io.input, &mut *io.out, &mut *io.err);
            read(&plan, input, out, err)
        }
        (_, file) => {
            let mut input = fs::File::open(file).map_err(failed)?;
            read(&plan, &mut input, io.out, io.err)
        }
    }
}

// --- making ---

fn create(plan: &Plan, archive: &mut dyn Write, err: &mut dyn Write) -> Outcome {
    if plan.operands.is_empty() {
        return Err(usage("empty archive"));
    }
    let (mut status, mut told) = (0, false);
    for operand in &plan.operands {
        let name = operand.trim_start_matches('/');
        if name.len() != operand.len() && !told {
            writeln!(err, "tar: removing leading '/' from member names")?;
            told = true;
        }
        let name = if name.is_empty() { "." } else { name };
        if let Err(fail) = add(plan, &plan.folder.join(operand), name.trim_end_matches('/'), archive, err, 0) {
            let Fail::Message(message) = fail else { return Err(fail) };
            writeln!(err, "tar: {message}")?;
            status = 1;
        }
    }
    archive.write_all(&END)?;
    if status != 0 {
        writeln!(err, "tar: error exit delayed from previous errors")?;
    }
    Ok(status)
}

fn add(
    plan: &Plan,
    path: &Path,
    name: &str,
    archive: &mut dyn Write,
    err: &mut dyn Write,
    depth: usize,
) -> Result<(), Fail> {
    let shown = path.to_string_lossy();
    let failed = |error: std::io::Error| Fail::Message(about(&shown, &error));
    let meta = fs::symlink_metadata(path).map_err(failed)?;
    let mode = proc::mode(&shown, false).map_or(if meta.is_dir() { 0o755 } else { 0o644 }, |(mode, ..)| mode & 0o7777);
    if plan.verbose {
        writeln!(err, "{name}{}", if meta.is_dir() { "/" } else { "" })?;
    }
    if meta.is_dir() {
        header(archive, &format!("{name}/"), mode, 0, b'5', "")?;
        if depth > DEPTH_MAX {
            return Err(Fail::Message(format!("{shown}: too deep")));
        }
        let mut entries: Vec<_> = fs::read_dir(path).map_err(failed)?.filter_map(Result::ok).collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let inner = format!("{name}/{}", entry.file_name().to_string_lossy());
            add(plan, &entry.path(), &inner, archive, err, depth + 1)?;
        }
    } else if meta.file_type().is_symlink() {
        let target = fs::read_link(path).map_err(failed)?;
        header(archive, name, 0o777, 0, b'2', &target.to_string_lossy())?;
    } else {
        let bytes = fs::read(path).map_err(failed)?;
        header(archive, name, mode, bytes.len(), b'0', "")?;
        archive.write_all(&bytes)?;
        archive.write_all(&END[..padding(bytes.len())])?;
    }
    Ok(())
}

fn padding(size: usize) -> usize {
    (BLOCK - size % BLOCK) % BLOCK
}

fn header(archive: &mut dyn Write, name: &str, mode: u32, size: usize, kind: u8, link: &str) -> Result<(), Fail> {
    if name.len() >= NAME_BYTES_MAX {
        header(archive, "././@LongLink", 0, name.len() + 1, b'L', "")?;
        archive.write_all(name.as_bytes())?;
        archive.write_all(&END[..padding(name.len() + 1) + 1])?;
    }
    let mut block = [0_u8; BLOCK];
    let mut put = |at: usize, text: &[u8], most: usize| {
        let text = &text[..text.len().min(most)];
        block[at..at + text.len()].copy_from_slice(text);
    };
    put(0, name.as_bytes(), NAME_BYTES_MAX);
    put(100, format!("{mode:07o}").as_bytes(), 7);
    put(108, b"0000000", 7);
    put(116, b"0000000", 7);
    put(124, format!("{size:011o}").as_bytes(), 11);
    put(136, b"00000000000", 11);
    put(148, b"        ", 8);
    put(156, &[kind], 1);
    put(157, link.as_bytes(), NAME_BYTES_MAX);
    put(257, b"ustar  ", 7);
    put(265, b"root", 4);
    put(297, b"root", 4);
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    archive.write_all(&block)?;
    Ok(())
}

// --- unpacking ---

/// The text of a field, up to its first zero.
fn field(block: &[u8], at: usize, size: usize) -> String {
    let bytes = &block[at..at + size];
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(size);
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn octal(text: &str) -> u64 {
    u64::from_str_radix(text.trim(), 8).unwrap_or(0)
}

fn content(input: &mut dyn Read, size: usize) -> Result<Vec<u8>, Fail> {
    let mut bytes = Vec::new();
    input.take((size + padding(size)) as u64).read_to_end(&mut bytes)?;
    if bytes.len() < size {
        return Err(usage("short read"));
    }
    bytes.truncate(size);
    Ok(bytes)
}

fn read(plan: &Plan, input: &mut dyn Read, out: &mut dyn Write, err: &mut dyn Write) -> Outcome {
    let mut long = None;
    loop {
        let mut block = Vec::new();
        (&mut *input).take(BLOCK as u64).read_to_end(&mut block)?;
        if block.is_empty() || block.iter().all(|b| *b == 0) {
            // What follows the end is padding; a writer that is still at it must not break.
            std::io::copy(input, &mut std::io::sink())?;
            return Ok(0);
        }
        if block.len() < BLOCK {
            return Err(usage("short read"));
        }
        if &block[257..262] != b"ustar" {
            return Err(usage("invalid tar magic"));
        }
        let size = usize::try_from(octal(&field(&block, 124, 12))).unwrap_or(usize::MAX);
        let (kind, link) = (block[156], field(&block, 157, NAME_BYTES_MAX));
        let prefix = if block[263] == b'0' { field(&block, 345, 155) } else { String::new() };
        let own = field(&block, 0, NAME_BYTES_MAX);
        let own = if prefix.is_empty() { own } else { format!("{prefix}/{own}") };
        match kind {
            b'L' => {
                let bytes = content(input, size)?;
                long = Some(String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned());
            }
            b'x' | b'g' => drop(content(input, size)?),
            _ => {
                let bytes = if matches!(kind, b'0' | 0) { content(input, size)? } else { Vec::new() };
                let name = long.take().unwrap_or(own);
                let mode = u32::try_from(octal(&field(&block, 100, 8))).unwrap_or(0o644);
                entry(plan, &Entry { name, kind, link, mode, bytes }, out, err)?;
            }
        }
    }
}

struct Entry {
    name: String,
    kind: u8,
    link: String,
    mode: u32,
    bytes: Vec<u8>,
}

/// Whether an operand names the entry or a folder above it.
fn is_wanted(operands: &[String], name: &str) -> bool {
    let name = name.trim_end_matches('/');
    operands.is_empty()
        || operands.iter().map(|o| o.trim_matches('/')).any(|o| name == o || name.starts_with(&format!("{o}/")))
}

fn entry(plan: &Plan, entry: &Entry, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Fail> {
    if !is_wanted(&plan.operands, &entry.name) {
        return Ok(());
    }
    if plan.action == Action::List {
        writeln!(out, "{}", entry.name)?;
        return Ok(());
    }
    if plan.verbose {
        writeln!(err, "{}", entry.name)?;
    }
    // Never out of the folder.
    let parts: Vec<_> =
        Path::new(&entry.name).components().filter(|c| matches!(c, Component::Normal(_))).skip(plan.strip).collect();
    if plan.to_stdout {
        out.write_all(&entry.bytes)?;
        return Ok(());
    }
    let path = parts.iter().fold(plan.folder.clone(), |path, part| path.join(part));
    let shown = path.to_string_lossy();
    let failed = |error: std::io::Error| Fail::Message(cannot("open", &shown, &error));
    if parts.is_empty() {
        return Ok(());
    }
    if entry.kind == b'5' {
        fs::create_dir_all(&path).map_err(failed)?;
    } else {
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        match entry.kind {
            b'2' => {
                let _ = fs::remove_file(&path);
                return super::ln::symlink(&entry.link, &shown);
            }
            b'0' | 0 => fs::write(&path, &entry.bytes).map_err(failed)?,
            _ => {
                return Err(Fail::Message(format!(
                    "kubonsai does not support entries of type {} (busybox) yet",
                    entry.kind
                )));
            }
        }
    }
    let _ = proc::chmod(&shown, entry.mode & 0o7777);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::applet::testing::{check, run};

    #[test]
    fn what_is_packed_is_unpacked() {
        let root = std::env::temp_dir().join(format!("kubonsai-tar-{}", std::process::id()));
        let path = |name: &str| root.join(name).to_string_lossy().into_owned();
        let long = format!("d/{}", "n".repeat(120));
        check("mkdir", &["-p", &path("from/d"), &path("to")], "", "");
        check("tee", &[&path("from/d/f")], "text\n", "text\n");
        check("tee", &[&path(&format!("from/{long}"))], "long\n", "long\n");
        let archive = path("a.tar");
        check("tar", &["-cf", &archive, "-C", &path("from"), "d"], "", "");
        check("tar", &["tf", &archive], "", &format!("d/\nd/f\n{long}\n"));
        check("tar", &["-xmf", &archive, "-C", &path("to")], "", "");
        check("cat", &[&path("to/d/f"), &path(&format!("to/{long}"))], "", "text\nlong\n");
        check("tar", &["xOf", &archive, "d/f"], "", "text\n");
        assert_eq!(run("tar", &["-czf", &archive, "d"], "").0, 1);
        let (status, _, err) = run("tar", &["cf", &archive, &path("none")], "");
        assert_eq!(status, 1);
        assert!(err.contains("removing leading '/'") && err.contains("No such file or directory"), "{err}");
        check("rm", &["-rf", &root.to_string_lossy()], "", "");
    }
}
