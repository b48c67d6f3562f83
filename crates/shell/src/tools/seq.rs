//! `seq`.

use machine::Ctx;

use super::Outcome;
use super::io::complain;
use crate::builtins::output::printf_text;

fn decimals(text: &str) -> usize {
    text.split_once('.').map_or(0, |(_, d)| d.len())
}

pub(super) async fn run(ctx: Ctx, args: Vec<String>) -> Outcome {
    let (mut separator, mut wide, mut format) = ("\n".to_owned(), false, None);
    let mut numbers = Vec::new();
    let mut words = args[1..].iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "-w" | "--equal-width" => wide = true,
            "-s" => separator = words.next().cloned().unwrap_or_default(),
            "-f" => format = words.next().cloned(),
            other if other.starts_with("-s") => separator = other[2..].to_owned(),
            other => numbers.push(other.to_owned()),
        }
    }
    let hint = "\nTry 'seq --help' for more information.";
    if numbers.is_empty() || numbers.len() > 3 {
        let what = numbers.get(3).map_or("missing operand".to_owned(), |n| format!("extra operand '{n}'"));
        complain(&ctx, "seq", format!("{what}{hint}")).await;
        return Ok(1);
    }
    let mut values = Vec::new();
    for text in &numbers {
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => values.push(value),
            _ => {
                complain(&ctx, "seq", format!("invalid floating point argument: '{text}'{hint}")).await;
                return Ok(1);
            }
        }
    }
    let (first, step, last) = match values.as_slice() {
        [last] => (1.0, 1.0, *last),
        [first, last] => (*first, 1.0, *last),
        [first, step, last] => (*first, *step, *last),
        _ => return Ok(1),
    };
    if step == 0.0 {
        complain(&ctx, "seq", format!("invalid Zero increment value: '{}'{hint}", numbers[1])).await;
        return Ok(1);
    }
    let places = numbers[..numbers.len().min(2)].iter().map(|n| decimals(n)).max().unwrap_or(0);
    let places = if numbers.len() == 1 { 0 } else { places };
    let plain = |value: f64| format!("{value:.places$}");
    let width = if wide { plain(first).len().max(plain(last).len()) } else { 0 };
    let mut i = 0.0;
    let mut any = false;
    let mut block = String::new();
    loop {
        let value = first + i * step;
        let done = if step > 0.0 { value > last + step * 1e-10 } else { value < last + step * 1e-10 };
        if done {
            break;
        }
        if any {
            block.push_str(&separator);
        }
        block.push_str(&match &format {
            Some(format) => printf_text(format, &[plain(value)]).0,
            None => format!("{:0>width$}", plain(value)),
        });
        any = true;
        i += 1.0;
        if block.len() > 32 * 1024 {
            ctx.out(std::mem::take(&mut block)).await?;
            ctx.sim.yield_now().await;
        }
    }
    if any {
        block.push('\n');
    }
    ctx.out(block).await?;
    Ok(0)
}
