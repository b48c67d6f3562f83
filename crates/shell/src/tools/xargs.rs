//! `xargs`.

use machine::{Ctx, Reader};

use super::Outcome;
use super::environment::run_command;
use super::io::complain;
use super::options::{Spec, parse};

/// Arguments of one command, in bytes, as `ARG_MAX` bounds them.
const ARGUMENT_BYTES_MAX: usize = 128 * 1024;

/// Words as xargs reads them: blanks separate, quotes and backslashes protect.
fn words(text: &str) -> Result<Vec<String>, char> {
    let mut out = Vec::new();
    let mut current: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\n' => out.extend(current.take()),
            '\\' => current.get_or_insert_default().extend(chars.next()),
            '\'' | '"' => {
                let word = current.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some(end) if end == c => break,
                        Some('\n') | None => return Err(c),
                        Some(inner) => word.push(inner),
                    }
                }
            }
            _ => current.get_or_insert_default().push(c),
        }
    }
    out.extend(current);
    Ok(out)
}

/// The commands to run: the items dealt out to them.
fn batches(
    command: &[String],
    items: &[String],
    replace: Option<&str>,
    max: usize,
    only_if_items: bool,
) -> Vec<Vec<String>> {
    let mut batches: Vec<Vec<String>> = Vec::new();
    match replace {
        Some(mark) => {
            for item in items {
                batches.push(command.iter().map(|w| w.replace(mark, item)).collect());
            }
        }
        None => {
            let mut bytes = 0;
            for item in items {
                let full = batches.last().is_none_or(|b| b.len() - command.len() >= max) || bytes > ARGUMENT_BYTES_MAX;
                if full {
                    batches.push(command.to_vec());
                    bytes = 0;
                }
                bytes += item.len() + 1;
                if let Some(batch) = batches.last_mut() {
                    batch.push(item.clone());
                }
            }
            if items.is_empty() && !only_if_items {
                batches.push(command.to_vec());
            }
        }
    }
    batches
}

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec {
        short: "n:I:rtd:0L:P:p",
        long: &[
            ("max-args=", 'n'),
            ("replace=", 'I'),
            ("no-run-if-empty", 'r'),
            ("verbose", 't'),
            ("delimiter=", 'd'),
            ("null", '0'),
        ],
        permute: false,
    };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "xargs", message).await;
            return Ok(1);
        }
    };
    let text = ctx.stdin.read_to_string().await;
    let split = |by: char| text.split(by).filter(|w| !w.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let replace = parsed.value('I').map(str::to_owned);
    let items = if parsed.has('0') {
        split('\0')
    } else if let Some(delimiter) = parsed.value('d') {
        let c = crate::text::unescape(delimiter, crate::text::Escapes::Printf).0.chars().next().unwrap_or('\n');
        split(c)
    } else if replace.is_some() {
        text.lines().map(|l| l.trim_start().to_owned()).filter(|l| !l.is_empty()).collect()
    } else {
        match words(&text) {
            Ok(words) => words,
            Err(quote) => {
                let kind = if quote == '\'' { "single" } else { "double" };
                let message = format!(
                    "unmatched {kind} quote; by default quotes are special to xargs unless you use the -0 option"
                );
                complain(&ctx, "xargs", message).await;
                return Ok(1);
            }
        }
    };
    let command = if parsed.operands.is_empty() { vec!["echo".to_owned()] } else { parsed.operands.clone() };
    let max = match parsed.value('n').or(parsed.value('L')).map(str::parse::<usize>) {
        None => usize::MAX,
        Some(Ok(n)) if n > 0 => n,
        Some(_) => {
            complain(&ctx, "xargs", "value for -n option should be >= 1").await;
            return Ok(1);
        }
    };
    let batches = batches(&command, &items, replace.as_deref(), max, parsed.has('r'));
    let mut code = 0;
    for words in batches {
        if parsed.has('t') {
            ctx.err(format!("{}\n", words.join(" "))).await;
        }
        let name = words[0].clone();
        match run_command(Ctx { stdin: Reader::empty(), ..ctx.clone() }, words).await {
            None => {
                complain(&ctx, "xargs", format!("{name}: No such file or directory")).await;
                return Ok(127);
            }
            Some(0) => {}
            Some(255) => {
                complain(&ctx, "xargs", format!("{name}: exited with status 255; aborting")).await;
                return Ok(124);
            }
            Some(n) if n > 128 => return Ok(125),
            Some(_) => code = 123,
        }
    }
    Ok(code)
}
