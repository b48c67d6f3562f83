//! xargs.

use crate::applet::{Fail, Io, Options, Outcome, read_all};

/// Arguments given to one command at most.
const ARGUMENTS_MAX: usize = 1000;

/// The words of the input: split at blanks, with quotes and backslashes.
fn words(text: &str) -> Vec<String> {
    let (mut out, mut current, mut quote) = (Vec::new(), None::<String>, None);
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            (c, Some(_)) => current.get_or_insert_default().push(c),
            ('\'' | '"', None) => {
                quote = Some(c);
                current.get_or_insert_default();
            }
            ('\\', None) => current.get_or_insert_default().extend(chars.next()),
            (c, None) if c.is_whitespace() => out.extend(current.take()),
            (c, None) => current.get_or_insert_default().push(c),
        }
    }
    out.extend(current);
    out
}

/// Runs a program on the words of the input.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "+n:I:0rtL:P:d:", &[("null", '0'), ("no-run-if-empty", 'r')])?;
    let text = String::from_utf8_lossy(&read_all(io.input)?).into_owned();
    let replace = options.value('I');
    let all: Vec<String> = if options.has('0') {
        text.split('\0').filter(|w| !w.is_empty()).map(str::to_owned).collect()
    } else if replace.is_some() || options.has('L') {
        text.lines().map(str::trim).filter(|l| !l.is_empty()).map(str::to_owned).collect()
    } else {
        words(&text)
    };
    let command = if options.operands.is_empty() { vec!["echo".to_owned()] } else { options.operands.clone() };
    let env: Vec<(String, String)> = std::env::vars().collect();
    let per_call = options
        .number('n')?
        .or(options.number('L')?)
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(ARGUMENTS_MAX)
        .max(1);
    let mut calls: Vec<Vec<String>> = Vec::new();
    if let Some(mark) = replace {
        calls.extend(all.iter().map(|word| command.iter().map(|part| part.replace(mark, word)).collect()));
    } else if all.is_empty() && !options.has('r') {
        calls.push(command);
    } else {
        calls.extend(all.chunks(per_call).map(|words| command.iter().chain(words).cloned().collect()));
    }
    let mut status = 0;
    for argv in calls {
        if options.has('t') {
            writeln!(io.err, "{}", argv.join(" "))?;
        }
        match super::which::launch(&argv, &env) {
            Ok(0) => {}
            Ok(255) => return Err(Fail::Status(124, format!("{}: exited with status 255; aborting", argv[0]))),
            Ok(_) => status = 123,
            Err(Fail::Status(code, message)) => return Err(Fail::Status(code, message)),
            Err(other) => return Err(other),
        }
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_split() {
        assert_eq!(words("a 'b c'\n\"d\" e\\ f"), ["a", "b c", "d", "e f"]);
    }
}
