//! `wc`.

use machine::Ctx;

use super::Outcome;
use super::io::{complain, inputs, open};
use super::options::{Spec, parse};

#[derive(Clone, Copy, Default)]
struct Counts {
    lines: u64,
    words: u64,
    chars: u64,
    bytes: u64,
}

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec =
        Spec { short: "lwcm", long: &[("lines", 'l'), ("words", 'w'), ("bytes", 'c'), ("chars", 'm')], permute: true };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "wc", message).await;
            return Ok(1);
        }
    };
    let paths = inputs(&parsed.operands);
    let mut rows = Vec::new();
    let mut total = Counts::default();
    let mut code = 0;
    for path in &paths {
        let reader = match open(&ctx, path) {
            Ok(reader) => reader,
            Err(errno) => {
                complain(&ctx, "wc", format!("{path}: {errno}")).await;
                code = 1;
                continue;
            }
        };
        let mut counts = Counts::default();
        let mut in_word = false;
        loop {
            let chunk = reader.read(64 * 1024).await;
            if chunk.is_empty() {
                break;
            }
            counts.bytes += chunk.len() as u64;
            for byte in &chunk {
                counts.lines += u64::from(*byte == b'\n');
                counts.chars += u64::from(byte & 0xc0 != 0x80);
                let blank = byte.is_ascii_whitespace();
                counts.words += u64::from(in_word && blank);
                in_word = !blank;
            }
        }
        counts.words += u64::from(in_word);
        total.lines += counts.lines;
        total.words += counts.words;
        total.chars += counts.chars;
        total.bytes += counts.bytes;
        rows.push((counts, path.clone()));
    }
    if paths.len() > 1 {
        rows.push((total, "total".into()));
    }
    let all = parsed.options.is_empty();
    let wanted = |letter: char| parsed.has(letter) || (all && letter != 'm');
    let cells = |c: &Counts| {
        let mut cells = Vec::new();
        for (letter, value) in [('l', c.lines), ('w', c.words), ('m', c.chars), ('c', c.bytes)] {
            if wanted(letter) {
                cells.push(value.to_string());
            }
        }
        cells
    };
    let single = rows.len() == 1 && cells(&total).len() == 1;
    let widest = rows.iter().flat_map(|(c, _)| cells(c)).map(|t| t.len()).max().unwrap_or(1);
    let width = if single {
        0
    } else if paths.iter().any(|p| p == "-") {
        7
    } else {
        widest.max(total.bytes.to_string().len())
    };
    for (counts, path) in &rows {
        let text: Vec<String> = cells(counts).iter().map(|t| format!("{t:>width$}")).collect();
        let name = if path == "-" && parsed.operands.is_empty() { String::new() } else { format!(" {path}") };
        ctx.out(format!("{}{name}\n", text.join(" "))).await?;
    }
    Ok(code)
}
