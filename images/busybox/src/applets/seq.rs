//! seq.

use crate::applet::{Fail, Io, Options, Outcome};

/// Prints a sequence of numbers.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    // A negative number is no option.
    let split = args[1..]
        .iter()
        .position(|a| !a.starts_with('-') || a[1..].starts_with(|c: char| c.is_ascii_digit() || c == '.'));
    let split = split.map_or(args.len(), |i| i + 1);
    let mut flags = args[1..split].to_vec();
    let mut operands = args[split..].to_vec();
    if flags.last().is_some_and(|f| f == "-s") && !operands.is_empty() {
        flags.push(operands.remove(0));
    }
    let options = Options::parse(&flags, "ws:", &[])?;
    let number = |t: &String| t.parse::<f64>().map_err(|_| Fail::Message(format!("invalid number '{t}'")));
    let numbers: Vec<f64> = operands.iter().map(number).collect::<Result<_, _>>()?;
    let (first, step, last) = match numbers[..] {
        [last] => (1.0, 1.0, last),
        [first, last] => (first, 1.0, last),
        [first, step, last] => (first, step, last),
        _ => return Err(Fail::Message("missing operand".to_owned())),
    };
    if step == 0.0 {
        return Err(Fail::Message("zero increment".to_owned()));
    }
    let digits = operands.iter().map(|t| t.split_once('.').map_or(0, |(_, f)| f.len())).max().unwrap_or(0);
    let width = if options.has('w') {
        [first, last].map(|n| format!("{n:.digits$}").len()).into_iter().max().unwrap_or(0)
    } else {
        0
    };
    let separator = options.value('s').unwrap_or("\n");
    let mut i = 0u32;
    loop {
        let value = first + f64::from(i) * step;
        if (step > 0.0 && value > last + 1e-9) || (step < 0.0 && value < last - 1e-9) {
            break;
        }
        if i > 0 {
            io.out.write_all(separator.as_bytes())?;
        }
        write!(io.out, "{value:0width$.digits$}")?;
        i += 1;
    }
    if i > 0 {
        io.out.write_all(b"\n")?;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use crate::applet::testing::check;

    #[test]
    fn seq() {
        check("seq", &["3"], "", "1\n2\n3\n");
        check("seq", &["-s", ",", "2", "2", "6"], "", "2,4,6\n");
        check("seq", &["3", "-1", "1"], "", "3\n2\n1\n");
        check("seq", &["-w", "9", "10"], "", "09\n10\n");
        check("seq", &["0", ".5", "1"], "", "0.0\n0.5\n1.0\n");
        check("seq", &["2", "1"], "", "");
    }
}
