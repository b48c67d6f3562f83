//! wc.

use std::io::{Read, Result, Write};

use crate::applet::{Io, Options, Outcome, each_file};

/// Bytes that are counted at once: an input may be larger than the memory.
const CHUNK_BYTES: usize = 64 * 1024;

/// What is counted, in the order of the columns.
const COLUMNS: [char; 5] = ['l', 'w', 'm', 'c', 'L'];
/// Those that are shown when none is asked for.
const USUAL: [char; 3] = ['l', 'w', 'c'];

/// Lines, words, characters, bytes and the longest line.
#[derive(Clone, Copy, Default)]
struct Counts {
    lines: usize,
    words: usize,
    characters: usize,
    bytes: usize,
    longest: usize,
}

impl Counts {
    /// Counts an input. Its text is looked at only if more than its bytes is wanted.
    fn of(input: &mut dyn Read, text: bool) -> Result<Counts> {
        let mut counts = Counts::default();
        let (mut in_word, mut line) = (false, 0);
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let read = input.read(&mut chunk)?;
            if read == 0 {
                counts.longest = counts.longest.max(line);
                return Ok(counts);
            }
            counts.bytes += read;
            if text {
                for byte in &chunk[..read] {
                    counts.take(*byte, &mut in_word, &mut line);
                }
            }
        }
    }

    fn take(&mut self, byte: u8, in_word: &mut bool, line: &mut usize) {
        // The others go on with a character of UTF-8.
        let begins = byte & 0b1100_0000 != 0b1000_0000;
        self.characters += usize::from(begins);
        let space = byte.is_ascii_whitespace() || byte == 0x0b;
        self.words += usize::from(!space && !*in_word);
        *in_word = !space;
        if byte == b'\n' {
            self.lines += 1;
            self.longest = self.longest.max(*line);
            *line = 0;
        } else {
            *line += usize::from(begins);
        }
    }

    fn add(&mut self, other: &Counts) {
        self.lines += other.lines;
        self.words += other.words;
        self.characters += other.characters;
        self.bytes += other.bytes;
        self.longest = self.longest.max(other.longest);
    }

    fn columns(&self) -> [usize; 5] {
        [self.lines, self.words, self.characters, self.bytes, self.longest]
    }
}

/// Counts lines, words and bytes.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "clwmL", &[("lines", 'l'), ("bytes", 'c'), ("words", 'w')])?;
    let all = !COLUMNS.iter().any(|column| options.has(*column));
    let wanted = COLUMNS.map(|column| options.has(column) || (all && USUAL.contains(&column)));
    let text = COLUMNS.iter().zip(wanted).any(|(column, wanted)| wanted && *column != 'c');
    let show = |out: &mut dyn Write, counts: &Counts, name: &str| -> Result<()> {
        let picked: Vec<usize> = counts.columns().iter().zip(wanted).filter(|(_, w)| *w).map(|(c, _)| *c).collect();
        let text: Vec<String> = if picked.len() == 1 {
            vec![picked[0].to_string()]
        } else {
            picked.iter().map(|n| format!("{n:>9}")).collect()
        };
        let name = if name == "-" { String::new() } else { format!(" {name}") };
        writeln!(out, "{}{name}", text.join(" "))
    };
    let mut total = Counts::default();
    let status = each_file(io, "wc", &options.operands, |input, out, file| {
        let counts = Counts::of(input, text)?;
        total.add(&counts);
        Ok(show(out, &counts, file)?)
    })?;
    if options.operands.len() > 1 {
        show(io.out, &total, "total")?;
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
        check("wc", &["-c"], "a b\n", "4\n");
        check("wc", &["-m"], "日本\n", "3\n");
        check("wc", &["-L"], "a\nabc\nab", "3\n");
        check("wc", &["-lL"], "ab\nc", "        1         2\n");
    }
}
