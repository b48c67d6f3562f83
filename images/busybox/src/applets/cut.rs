//! cut.

use crate::applet::{Fail, Io, Options, Outcome, each_file, lines, read_all};

/// The ranges of `1,3-5,7-`, from 1.
fn ranges(text: &str) -> Result<Vec<(usize, usize)>, Fail> {
    let bad = || Fail::Message(format!("invalid range '{text}'"));
    text.split(',')
        .map(|part| {
            let (from, to) = part.split_once('-').map_or((part, part), |(f, t)| (f, t));
            let number =
                |t: &str, default: usize| if t.is_empty() { Ok(default) } else { t.parse().map_err(|_| bad()) };
            Ok((number(from, 1)?, number(to, usize::MAX)?))
        })
        .collect()
}

/// Prints parts of lines.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options =
        Options::parse(&args[1..], "b:c:f:d:s", &[("fields", 'f'), ("delimiter", 'd'), ("output-delimiter", 'o')])?;
    let list = ['b', 'c', 'f'].into_iter().find_map(|l| options.value(l).map(|v| (l, v)));
    let Some((kind, list)) = list else {
        return Err(Fail::Message("expected a list of bytes, characters, or fields".to_owned()));
    };
    let ranges = ranges(list)?;
    let wanted = |n: usize| ranges.iter().any(|(from, to)| (*from..=*to).contains(&n));
    let separator = options.value('d').and_then(|d| d.chars().next()).unwrap_or('\t').to_string();
    each_file(io, "cut", &options.operands, |input, out, _| {
        for line in lines(&read_all(input)?) {
            let text = String::from_utf8_lossy(line);
            let picked = if kind == 'f' {
                if !text.contains(&separator) {
                    if !options.has('s') {
                        writeln!(out, "{text}")?;
                    }
                    continue;
                }
                let fields: Vec<&str> =
                    text.split(&separator).enumerate().filter(|(i, _)| wanted(i + 1)).map(|(_, f)| f).collect();
                fields.join(&separator)
            } else {
                text.chars().enumerate().filter(|(i, _)| wanted(i + 1)).map(|(_, c)| c).collect()
            };
            writeln!(out, "{picked}")?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use crate::applet::testing::check;

    #[test]
    fn cut() {
        check("cut", &["-d:", "-f1,3"], "a:b:c\nplain\n", "a:c\nplain\n");
        check("cut", &["-d", " ", "-f", "2-"], "a b c\n", "b c\n");
        check("cut", &["-c", "2-3"], "abcd\n", "bc\n");
    }
}
