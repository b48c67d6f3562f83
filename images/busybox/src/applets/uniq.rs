//! uniq.

use crate::applet::{Io, Options, Outcome, each_file, lines, read_all};

/// Joins equal lines that follow each other.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "cdui", &[("count", 'c')])?;
    each_file(io, "uniq", &options.operands[..options.operands.len().min(1)], |input, out, _| {
        let bytes = read_all(input)?;
        let mut groups: Vec<(&[u8], usize)> = Vec::new();
        for line in lines(&bytes) {
            match groups.last_mut() {
                Some((last, count)) if *last == line || (options.has('i') && last.eq_ignore_ascii_case(line)) => {
                    *count += 1
                }
                _ => groups.push((line, 1)),
            }
        }
        for (line, count) in groups {
            if (options.has('d') && count == 1) || (options.has('u') && count > 1) {
                continue;
            }
            if options.has('c') {
                write!(out, "{count:7} ")?;
            }
            out.write_all(line)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use crate::applet::testing::check;

    #[test]
    fn uniq() {
        check("uniq", &[], "a\na\nb\na\n", "a\nb\na\n");
        check("uniq", &["-c"], "a\na\nb\n", "      2 a\n      1 b\n");
        check("uniq", &["-d"], "a\na\nb\n", "a\n");
    }
}
