//! `diff`: normal and unified output of two files.

use machine::Ctx;

use super::Outcome;
use super::io::{complain, read_text};
use super::options::{Spec, parse};

/// Lines of each file that are compared; the table of the comparison grows with their product.
const DIFF_LINES_MAX: usize = 5_000;
/// Lines shown around a change by `-u`.
const CONTEXT_LINES: usize = 3;

/// A run of lines: from the first file, from the second.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Hunk {
    a: (usize, usize),
    b: (usize, usize),
}

/// The changes, by the longest common subsequence.
fn changes(a: &[&str], b: &[&str]) -> Vec<Hunk> {
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let tail = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(x, y)| x == y).count();
    let (x, y) = (&a[start..a.len() - tail], &b[start..b.len() - tail]);
    let width = y.len() + 1;
    let mut length = vec![0_u32; (x.len() + 1) * width];
    for i in (0..x.len()).rev() {
        for j in (0..y.len()).rev() {
            length[i * width + j] = if x[i] == y[j] {
                length[(i + 1) * width + j + 1] + 1
            } else {
                length[(i + 1) * width + j].max(length[i * width + j + 1])
            };
        }
    }
    let mut hunks = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < x.len() || j < y.len() {
        if i < x.len() && j < y.len() && x[i] == y[j] {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        let (from_a, from_b) = (i, j);
        while (i < x.len() || j < y.len()) && !(i < x.len() && j < y.len() && x[i] == y[j]) {
            let down = j == y.len() || (i < x.len() && length[(i + 1) * width + j] >= length[i * width + j + 1]);
            if down { i += 1 } else { j += 1 }
        }
        hunks.push(Hunk { a: (start + from_a, start + i), b: (start + from_b, start + j) });
    }
    hunks
}

fn normal(a: &[&str], b: &[&str], hunks: &[Hunk]) -> String {
    let range = |(from, to): (usize, usize)| match to - from {
        0 => from.to_string(),
        1 => (from + 1).to_string(),
        _ => format!("{},{to}", from + 1),
    };
    let mut out = String::new();
    for hunk in hunks {
        let letter = match (hunk.a.0 == hunk.a.1, hunk.b.0 == hunk.b.1) {
            (true, _) => 'a',
            (_, true) => 'd',
            _ => 'c',
        };
        out.push_str(&format!("{}{letter}{}\n", range(hunk.a), range(hunk.b)));
        for line in &a[hunk.a.0..hunk.a.1] {
            out.push_str(&marked('<', line, " "));
        }
        if letter == 'c' {
            out.push_str("---\n");
        }
        for line in &b[hunk.b.0..hunk.b.1] {
            out.push_str(&marked('>', line, " "));
        }
    }
    out
}

fn marked(mark: char, line: &str, gap: &str) -> String {
    match line.strip_suffix('\n') {
        Some(text) => format!("{mark}{gap}{text}\n"),
        None => format!("{mark}{gap}{line}\n\\ No newline at end of file\n"),
    }
}

fn unified(a: &[&str], b: &[&str], hunks: &[Hunk]) -> String {
    let mut out = String::new();
    let mut i = 0;
    while i < hunks.len() {
        let mut last = i;
        while last + 1 < hunks.len() && hunks[last + 1].a.0 - hunks[last].a.1 <= 2 * CONTEXT_LINES {
            last += 1;
        }
        let lead = hunks[i].a.0.min(CONTEXT_LINES);
        let trail = (a.len() - hunks[last].a.1).min(CONTEXT_LINES);
        let (a0, a1) = (hunks[i].a.0 - lead, hunks[last].a.1 + trail);
        let (b0, b1) = (hunks[i].b.0 - lead, hunks[last].b.1 + trail);
        let range = |from: usize, to: usize| match to - from {
            1 => (from + 1).to_string(),
            0 => format!("{from},0"),
            n => format!("{},{n}", from + 1),
        };
        out.push_str(&format!("@@ -{} +{} @@\n", range(a0, a1), range(b0, b1)));
        let mut at = a0;
        for hunk in &hunks[i..=last] {
            a[at..hunk.a.0].iter().for_each(|l| out.push_str(&marked(' ', l, "")));
            a[hunk.a.0..hunk.a.1].iter().for_each(|l| out.push_str(&marked('-', l, "")));
            b[hunk.b.0..hunk.b.1].iter().for_each(|l| out.push_str(&marked('+', l, "")));
            at = hunk.a.1;
        }
        a[at..a1].iter().for_each(|l| out.push_str(&marked(' ', l, "")));
        i = last + 1;
    }
    out
}

fn stamp(ctx: &Ctx, path: &str) -> String {
    let time = ctx.fs.stat(&ctx.path(path)).map_or(ctx.sim.now(), |m| m.modified);
    let text = time.rfc3339_micro().replace('T', " ");
    format!("{path}\t{}000 +0000", text.trim_end_matches('Z'))
}

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec { short: "uqsNabBw", long: &[("unified", 'u'), ("brief", 'q')], permute: true };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "diff", message).await;
            return Ok(2);
        }
    };
    let [first, second] = parsed.operands.as_slice() else {
        let after = parsed.operands.last().cloned().unwrap_or("diff".into());
        let what = if parsed.operands.len() > 2 {
            format!("extra operand '{after}'")
        } else {
            format!("missing operand after '{after}'")
        };
        complain(&ctx, "diff", format!("{what}\ndiff: Try 'diff --help' for more information.")).await;
        return Ok(2);
    };
    let mut texts = Vec::new();
    for path in [first, second] {
        match read_text(&ctx, path).await {
            Ok(text) => texts.push(text),
            Err(vfs::Errno::IsDirectory) => {
                complain(&ctx, "diff", format!("{path}: {}", simulation::stub!("shell", "comparing directories")))
                    .await;
                return Ok(2);
            }
            Err(errno) => {
                complain(&ctx, "diff", format!("{path}: {errno}")).await;
                return Ok(2);
            }
        }
    }
    if texts[0] == texts[1] {
        return Ok(0);
    }
    if parsed.has('q') {
        ctx.out(format!("Files {first} and {second} differ\n")).await?;
        return Ok(1);
    }
    let a: Vec<&str> = texts[0].split_inclusive('\n').collect();
    let b: Vec<&str> = texts[1].split_inclusive('\n').collect();
    if a.len().max(b.len()) > DIFF_LINES_MAX {
        complain(&ctx, "diff", format!("files longer than {DIFF_LINES_MAX} lines are not compared")).await;
        return Ok(2);
    }
    let hunks = changes(&a, &b);
    if parsed.has('u') {
        let head = format!("--- {}\n+++ {}\n", stamp(&ctx, first), stamp(&ctx, second));
        ctx.out(head + &unified(&a, &b, &hunks)).await?;
    } else {
        ctx.out(normal(&a, &b, &hunks)).await?;
    }
    Ok(1)
}
