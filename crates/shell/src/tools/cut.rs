//! `cut`.

use machine::Ctx;

use super::Outcome;
use super::io::{Lines, complain, inputs, open};
use super::options::{Spec, parse};

/// Positions from 1; the end may be open.
fn ranges(list: &str) -> Option<Vec<(usize, usize)>> {
    list.split([',', ' '])
        .map(|item| {
            let (from, to) = match item.split_once('-') {
                Some((from, to)) => {
                    let from = if from.is_empty() { 1 } else { from.parse().ok()? };
                    (from, if to.is_empty() { usize::MAX } else { to.parse().ok()? })
                }
                None => {
                    let at = item.parse().ok()?;
                    (at, at)
                }
            };
            (from >= 1 && to >= from).then_some((from, to))
        })
        .collect()
}

fn pick<T: Clone>(items: &[T], ranges: &[(usize, usize)], complement: bool) -> Vec<T> {
    let wanted = |at: usize| ranges.iter().any(|(a, b)| (*a..=*b).contains(&at));
    items.iter().enumerate().filter(|(i, _)| wanted(i + 1) != complement).map(|(_, item)| item.clone()).collect()
}

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let spec = Spec {
        short: "b:c:f:d:sn",
        long: &[
            ("bytes=", 'b'),
            ("characters=", 'c'),
            ("fields=", 'f'),
            ("delimiter=", 'd'),
            ("only-delimited", 's'),
            ("complement", 'C'),
            ("output-delimiter=", 'O'),
        ],
        permute: true,
    };
    let parsed = match parse(&args, &spec) {
        Ok(parsed) => parsed,
        Err(message) => {
            complain(&ctx, "cut", message).await;
            return Ok(1);
        }
    };
    let hint = "\nTry 'cut --help' for more information.";
    let Some((letter, list)) = "bcf".chars().find_map(|l| parsed.value(l).map(|v| (l, v.to_owned()))) else {
        complain(&ctx, "cut", format!("you must specify a list of bytes, characters, or fields{hint}")).await;
        return Ok(1);
    };
    let Some(ranges) = ranges(&list) else {
        let zero = list.split([',', '-']).any(|n| n == "0");
        let what = match (letter, zero) {
            ('f', true) => "fields are numbered from 1".to_owned(),
            (_, true) => "byte/character positions are numbered from 1".to_owned(),
            ('f', false) => format!("invalid field value '{list}'"),
            _ => format!("invalid byte/character position '{list}'"),
        };
        complain(&ctx, "cut", what + hint).await;
        return Ok(1);
    };
    let delimiter = parsed.value('d').unwrap_or("\t").to_owned();
    if delimiter.chars().count() > 1 {
        complain(&ctx, "cut", format!("the delimiter must be a single character{hint}")).await;
        return Ok(1);
    }
    let output = parsed.value('O').unwrap_or(&delimiter).to_owned();
    let mut code = 0;
    for path in inputs(&parsed.operands) {
        let mut lines = match open(&ctx, &path) {
            Ok(reader) => Lines::new(reader),
            Err(errno) => {
                complain(&ctx, "cut", format!("{path}: {errno}")).await;
                code = 1;
                continue;
            }
        };
        while let Some((text, _)) = lines.next_text().await {
            let result = match letter {
                'f' if !text.contains(&delimiter) => {
                    if parsed.has('s') {
                        continue;
                    }
                    text
                }
                'f' => {
                    let fields: Vec<&str> = text.split(delimiter.as_str()).collect();
                    pick(&fields, &ranges, parsed.has('C')).join(&output)
                }
                'b' => String::from_utf8_lossy(&pick(text.as_bytes(), &ranges, parsed.has('C'))).into_owned(),
                _ => pick(&text.chars().collect::<Vec<_>>(), &ranges, parsed.has('C')).into_iter().collect(),
            };
            ctx.out(format!("{result}\n")).await?;
        }
    }
    Ok(code)
}
