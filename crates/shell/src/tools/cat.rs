//! `cat`.

use machine::Ctx;

use super::Outcome;
use super::io::{Lines, complain, inputs, open};
use super::options::{Spec, parse};

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec {
        short: "nbsETAuve",
        long: &[
            ("number", 'n'),
            ("number-nonblank", 'b'),
            ("squeeze-blank", 's'),
            ("show-ends", 'E'),
            ("show-tabs", 'T'),
            ("show-all", 'A'),
        ],
        permute: true,
    };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "cat", message).await;
            return Ok(1);
        }
    };
    let by_line = parsed.options.iter().any(|(l, _)| "nbsETA".contains(*l));
    let mut code = 0;
    let mut number = 0;
    let mut blank_before = false;
    for path in inputs(&parsed.operands) {
        let reader = match open(&ctx, &path) {
            Ok(reader) => reader,
            Err(errno) => {
                complain(&ctx, "cat", format!("{path}: {errno}")).await;
                code = 1;
                continue;
            }
        };
        if !by_line {
            loop {
                let chunk = reader.read(64 * 1024).await;
                if chunk.is_empty() {
                    break;
                }
                ctx.stdout.write_all(&chunk).await?;
            }
            continue;
        }
        let mut lines = Lines::new(reader);
        while let Some((text, ended)) = lines.next_text().await {
            if parsed.has('s') && text.is_empty() && std::mem::replace(&mut blank_before, text.is_empty()) {
                continue;
            }
            blank_before = text.is_empty();
            let mut line = String::new();
            if parsed.has('b') && !text.is_empty() || parsed.has('n') && !parsed.has('b') {
                number += 1;
                line.push_str(&format!("{number:6}\t"));
            }
            let tabs = parsed.has('T') || parsed.has('A');
            line.push_str(&if tabs { text.replace('\t', "^I") } else { text });
            if ended {
                line.push_str(if parsed.has('E') || parsed.has('A') { "$\n" } else { "\n" });
            }
            ctx.out(line).await?;
        }
    }
    Ok(code)
}
