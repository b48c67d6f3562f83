//! tail.

use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

use super::head::modern;
use super::numbers::sized;
use crate::applet::{Fail, Io, Options, Outcome, each_file, read_all};

/// How often a followed file is looked at.
const FOLLOW_STEP: Duration = Duration::from_secs(1);

/// Prints the last lines, and with -f what is added.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options =
        Options::parse(&modern(&args[1..]), "n:c:fFqvs:", &[("lines", 'n'), ("follow", 'f'), ("bytes", 'c')])?;
    let by_bytes = options.value('c');
    let text = by_bytes.or(options.value('n')).unwrap_or("10");
    let from_start = text.starts_with('+');
    let count = sized(text.trim_start_matches(['+', '-'])).and_then(|n| usize::try_from(n).ok());
    let count = count.ok_or_else(|| Fail::Message(format!("invalid number '{text}'")))?;
    let titled = (options.operands.len() > 1 && !options.has('q')) || options.has('v');
    let mut first = true;
    let status = each_file(io, "tail", &options.operands, |input, out, file| {
        if titled {
            let gap = if std::mem::take(&mut first) { "" } else { "\n" };
            writeln!(out, "{gap}==> {} <==", if file == "-" { "standard input" } else { file })?;
        }
        let all = read_all(input)?;
        let start = match (by_bytes.is_some(), from_start) {
            (true, true) => count.saturating_sub(1).min(all.len()),
            (true, false) => all.len().saturating_sub(count),
            (false, _) => line_start(&all, count, from_start),
        };
        out.write_all(&all[start..])?;
        Ok(())
    })?;
    if options.has('f') || options.has('F') {
        follow(io, &options.operands)?;
    }
    Ok(status)
}

/// Where the wanted lines start.
fn line_start(bytes: &[u8], count: usize, from_start: bool) -> usize {
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let ends: Vec<usize> = body.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i + 1).collect();
    let lines = ends.len() + 1;
    let skipped = if from_start { count.saturating_sub(1) } else { lines.saturating_sub(count) };
    match skipped {
        0 => 0,
        n => ends.get(n - 1).copied().unwrap_or(bytes.len()),
    }
}

fn follow(io: &mut Io<'_>, files: &[String]) -> Result<(), Fail> {
    io.out.flush()?;
    let Some(file) = files.first().filter(|f| *f != "-") else { return Ok(()) };
    let mut at = std::fs::metadata(file)?.len();
    loop {
        std::thread::sleep(FOLLOW_STEP);
        let length = std::fs::metadata(file).map_or(at, |m| m.len());
        if length < at {
            at = 0;
        }
        if length > at {
            let mut opened = std::fs::File::open(file)?;
            opened.seek(SeekFrom::Start(at))?;
            let mut bytes = Vec::new();
            opened.read_to_end(&mut bytes)?;
            at += bytes.len() as u64;
            io.out.write_all(&bytes)?;
            io.out.flush()?;
        }
    }
}
