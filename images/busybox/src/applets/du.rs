//! du.

use super::numbers::human;
use crate::applet::{Io, Options, Outcome, about};

/// Bytes that a file takes: whole blocks of 4 KiB.
const BLOCK_BYTES: u64 = 4096;

struct Walk<'o> {
    options: &'o Options,
    depth_max: i64,
}

impl Walk<'_> {
    fn size(&self, io: &mut Io<'_>, path: &str, depth: i64) -> std::io::Result<u64> {
        let meta = std::fs::symlink_metadata(path)?;
        let mut bytes = meta.len().div_ceil(BLOCK_BYTES) * BLOCK_BYTES;
        if meta.is_dir() {
            let mut paths: Vec<String> =
                std::fs::read_dir(path)?.flatten().map(|e| e.path().to_string_lossy().into_owned()).collect();
            paths.sort();
            for inner in paths {
                bytes += self.size(io, &inner, depth + 1)?;
            }
        }
        if depth == 0 || (depth <= self.depth_max && (meta.is_dir() || self.options.has('a'))) {
            let text = if self.options.has('h') { human(bytes) } else { (bytes / 1024).to_string() };
            writeln!(io.out, "{text}\t{path}")?;
        }
        Ok(bytes)
    }
}

/// Prints how much files take.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "ashkcd:", &[("max-depth", 'd')])?;
    let depth_max = if options.has('s') { 0 } else { options.number('d')?.unwrap_or(i64::MAX) };
    let mut operands = options.operands.clone();
    if operands.is_empty() {
        operands.push(".".to_owned());
    }
    let walk = Walk { options: &options, depth_max };
    let mut status = 0;
    for path in operands {
        if let Err(error) = walk.size(io, &path, 0) {
            writeln!(io.err, "du: {}", about(&path, &error))?;
            status = 1;
        }
    }
    Ok(status)
}
