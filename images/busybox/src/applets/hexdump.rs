//! hexdump, od.

use crate::applet::{Io, Options, Outcome, each_file, read_all};

/// Bytes shown on a line.
const LINE_BYTES: usize = 16;

fn printable(byte: u8) -> char {
    if (b' '..=b'~').contains(&byte) { char::from(byte) } else { '.' }
}

/// Prints bytes in hexadecimal.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "Cvn:", &[])?;
    let limit = options.number('n')?.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
    each_file(io, "hexdump", &options.operands, |input, out, _| {
        let bytes = read_all(input)?;
        let bytes = &bytes[..bytes.len().min(limit)];
        for (i, line) in bytes.chunks(LINE_BYTES).enumerate() {
            let at = i * LINE_BYTES;
            if options.has('C') {
                let hex: Vec<String> = line.iter().map(|b| format!("{b:02x}")).collect();
                let (left, right) = hex.split_at(hex.len().min(8));
                let text: String = line.iter().map(|b| printable(*b)).collect();
                writeln!(out, "{at:08x}  {:<23}  {:<23}  |{text}|", left.join(" "), right.join(" "))?;
            } else {
                let words: Vec<String> = line
                    .chunks(2)
                    .map(|w| format!("{:04x}", u16::from(w[0]) | w.get(1).map_or(0, |b| u16::from(*b) << 8)))
                    .collect();
                writeln!(out, "{at:07x} {}", words.join(" "))?;
            }
        }
        let width = if options.has('C') { 8 } else { 7 };
        writeln!(out, "{:0width$x}", bytes.len())?;
        Ok(())
    })
}

/// Prints bytes in octal.
pub fn od(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "cxbA:t:N:v", &[])?;
    let limit = options.number('N')?.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
    each_file(io, "od", &options.operands, |input, out, _| {
        let bytes = read_all(input)?;
        let bytes = &bytes[..bytes.len().min(limit)];
        for (i, line) in bytes.chunks(LINE_BYTES).enumerate() {
            let cells: Vec<String> = if options.has('c') {
                let name = |b: &u8| match b {
                    b'\n' => "\\n".to_owned(),
                    b'\t' => "\\t".to_owned(),
                    0 => "\\0".to_owned(),
                    b' '..=b'~' => char::from(*b).to_string(),
                    b => format!("{b:03o}"),
                };
                line.iter().map(|b| format!("{:>3}", name(b))).collect()
            } else {
                let word = |w: &[u8]| u16::from(w[0]) | w.get(1).map_or(0, |b| u16::from(*b) << 8);
                let hex = options.has('x') || options.value('t').is_some_and(|t| t.starts_with('x'));
                line.chunks(2)
                    .map(|w| if hex { format!("{:04x}", word(w)) } else { format!("{:06o}", word(w)) })
                    .collect()
            };
            writeln!(out, "{:07o} {}", i * LINE_BYTES, cells.join(" "))?;
        }
        writeln!(out, "{:07o}", bytes.len())?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use crate::applet::testing::check;

    #[test]
    fn dumps() {
        check(
            "hexdump",
            &["-C"],
            "hello kubernetes\n",
            "00000000  68 65 6c 6c 6f 20 6b 75  62 65 72 6e 65 74 65 73  |hello kubernetes|\n00000010  0a                                                |.|\n00000011\n",
        );
        check("od", &["-c"], "a\n", "0000000   a  \\n\n0000002\n");
    }
}
