//! wc.

use crate::applet::{Io, Options, Outcome, each_file, read_all};

/// Counts lines, words and bytes.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "clwmL", &[("lines", 'l'), ("bytes", 'c'), ("words", 'w')])?;
    let all = !['c', 'l', 'w', 'm'].iter().any(|l| options.has(*l));
    let show = |out: &mut dyn std::io::Write, counts: [usize; 4], name: &str| -> std::io::Result<()> {
        let wanted = [all || options.has('l'), all || options.has('w'), options.has('m'), all || options.has('c')];
        let picked: Vec<usize> = counts.iter().zip(wanted).filter(|(_, w)| *w).map(|(c, _)| *c).collect();
        let text: Vec<String> = if picked.len() == 1 {
            vec![picked[0].to_string()]
        } else {
            picked.iter().map(|n| format!("{n:>9}")).collect()
        };
        let name = if name == "-" { String::new() } else { format!(" {name}") };
        writeln!(out, "{}{name}", text.join(" "))
    };
    let mut total = [0; 4];
    let status = each_file(io, "wc", &options.operands, |input, out, file| {
        let bytes = read_all(input)?;
        let text = String::from_utf8_lossy(&bytes);
        let counts = [
            bytes.iter().filter(|b| **b == b'\n').count(),
            text.split_whitespace().count(),
            text.chars().count(),
            bytes.len(),
        ];
        for (sum, count) in total.iter_mut().zip(counts) {
            *sum += count;
        }
        Ok(show(out, counts, file)?)
    })?;
    if options.operands.len() > 1 {
        show(io.out, total, "total")?;
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use crate::applet::testing::check;

    #[test]
    fn wc() {
        check("wc", &["-l"], "a\nb\n", "2\n");
        check("wc", &["-w"], "a b\nc\n", "3\n");
        check("wc", &[], "a b\n", "        1         2         4\n");
    }
}
