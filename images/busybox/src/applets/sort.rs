//! sort.

use std::cmp::Ordering;

use crate::applet::{Io, Options, Outcome, each_file, lines, read_all};

/// The leading number of a text.
fn number(text: &str, human: bool) -> f64 {
    let text = text.trim_start();
    let end = text
        .char_indices()
        .find(|(i, c)| !(c.is_ascii_digit() || *c == '.' || (*i == 0 && *c == '-')))
        .map_or(text.len(), |(i, _)| i);
    let value: f64 = text[..end].parse().unwrap_or(0.0);
    let unit = match text[end..].chars().next() {
        Some('K' | 'k') if human => 1024.0,
        Some('M') if human => 1_048_576.0,
        Some('G') if human => 1_073_741_824.0,
        _ => 1.0,
    };
    value * unit
}

/// The part of a line that `-k` names.
fn key<'a>(line: &'a str, spec: &str, separator: Option<char>) -> &'a str {
    let (from, to) = spec.split_once(',').map_or((spec, None), |(f, t)| (f, Some(t)));
    let field =
        |text: &str| text.split('.').next().and_then(|t| t.trim_end_matches(char::is_alphabetic).parse::<usize>().ok());
    let mut starts = vec![0];
    match separator {
        Some(separator) => starts.extend(line.match_indices(separator).map(|(i, s)| i + s.len())),
        None => {
            let mut before_blank = true;
            starts.clear();
            for (i, c) in line.char_indices() {
                if before_blank && !c.is_whitespace() {
                    starts.push(i);
                }
                before_blank = c.is_whitespace();
            }
        }
    }
    let start = starts.get(field(from).unwrap_or(1).saturating_sub(1)).copied().unwrap_or(line.len());
    let end = to.and_then(field).and_then(|n| starts.get(n)).copied().unwrap_or(line.len());
    let text = line.get(start..end.max(start)).unwrap_or("");
    if to.is_some() {
        text.trim_end_matches(|c: char| Some(c) == separator || (separator.is_none() && c.is_whitespace()))
    } else {
        text
    }
}

/// Sorts lines.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(
        &args[1..],
        "nrufhbgk:t:o:c",
        &[("reverse", 'r'), ("unique", 'u'), ("numeric-sort", 'n'), ("key", 'k')],
    )?;
    let mut all: Vec<String> = Vec::new();
    let status = each_file(io, "sort", &options.operands, |input, _, _| {
        all.extend(lines(&read_all(input)?).iter().map(|l| String::from_utf8_lossy(l).into_owned()));
        Ok(())
    })?;
    let separator = options.value('t').and_then(|t| t.chars().next());
    let specs: Vec<&str> = options.values('k').collect();
    let one = |a: &str, b: &str, flags: &str| -> Ordering {
        let has = |c: char| options.has(c) || flags.contains(c);
        let order = if has('n') || has('h') || has('g') {
            number(a, has('h')).total_cmp(&number(b, has('h')))
        } else if has('f') {
            a.to_lowercase().cmp(&b.to_lowercase())
        } else {
            a.cmp(b)
        };
        if has('r') { order.reverse() } else { order }
    };
    let compare = |a: &String, b: &String| -> Ordering {
        let mut order = Ordering::Equal;
        for spec in &specs {
            let flags: String = spec.chars().filter(|c| c.is_alphabetic()).collect();
            order = order.then_with(|| one(key(a, spec, separator), key(b, spec, separator), &flags));
        }
        if specs.is_empty() {
            order = one(a, b, "");
        }
        order
    };
    all.sort_by(|a, b| {
        let last = || if options.has('r') { b.cmp(a) } else { a.cmp(b) };
        compare(a, b).then_with(|| if options.has('u') { Ordering::Equal } else { last() })
    });
    if options.has('u') {
        all.dedup_by(|a, b| compare(a, b) == Ordering::Equal);
    }
    let text: String = all.iter().map(|l| format!("{l}\n")).collect();
    match options.value('o') {
        Some(file) => std::fs::write(file, text)?,
        None => io.out.write_all(text.as_bytes())?,
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use crate::applet::testing::check;

    #[test]
    fn sort() {
        check("sort", &[], "b\na\n", "a\nb\n");
        check("sort", &["-n"], "10\n9\n", "9\n10\n");
        check("sort", &["-rn"], "9\n10\n", "10\n9\n");
        check("sort", &["-u"], "b\na\nb\n", "a\nb\n");
        check("sort", &["-k2", "-n"], "a 10\nb 9\n", "b 9\na 10\n");
        check("sort", &["-t:", "-k2,2"], "x:b:1\ny:a:2\n", "y:a:2\nx:b:1\n");
        check("sort", &["-h"], "1M\n2K\n", "2K\n1M\n");
    }
}
