//! head.

use super::numbers::sized;
use crate::applet::{Fail, Io, Options, Outcome, each_file, lines, read_all};

/// The count of `-5` as well as `-n 5`.
pub fn modern(args: &[String]) -> Vec<String> {
    let is_count = |a: &str| a.len() > 1 && a.starts_with('-') && a[1..].bytes().all(|b| b.is_ascii_digit());
    args.iter().map(|a| if is_count(a) { format!("-n{}", &a[1..]) } else { a.clone() }).collect()
}

/// Copies so many lines and reads no further: the input may never end.
fn first_lines(input: &mut dyn std::io::Read, out: &mut dyn std::io::Write, mut count: usize) -> Result<(), Fail> {
    let mut buffer = [0u8; 4096];
    while count > 0 {
        let read = match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        let mut end = read;
        for (i, _) in buffer[..read].iter().enumerate().filter(|(_, b)| **b == b'\n') {
            count -= 1;
            if count == 0 {
                end = i + 1;
                break;
            }
        }
        out.write_all(&buffer[..end])?;
        out.flush()?;
    }
    Ok(())
}

/// Prints the first lines.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&modern(&args[1..]), "n:c:qv", &[("lines", 'n'), ("bytes", 'c')])?;
    let count = |letter| match options.value(letter) {
        Some(text) => sized(text).map(Some).ok_or_else(|| Fail::Message(format!("invalid number '{text}'"))),
        None => Ok(None),
    };
    let (bytes, wanted) = (count('c')?, count('n')?.unwrap_or(10));
    let titled = (options.operands.len() > 1 && !options.has('q')) || options.has('v');
    let mut first = true;
    each_file(io, "head", &options.operands, |input, out, file| {
        if titled {
            let gap = if std::mem::take(&mut first) { "" } else { "\n" };
            writeln!(out, "{gap}==> {} <==", if file == "-" { "standard input" } else { file })?;
        }
        if let (None, Ok(count)) = (bytes, usize::try_from(wanted)) {
            return first_lines(input, out, count);
        }
        let all = read_all(input)?;
        if let Some(bytes) = bytes {
            let length = i64::try_from(all.len()).unwrap_or(i64::MAX);
            let end = if bytes < 0 { (length + bytes).max(0) } else { bytes.min(length) };
            out.write_all(&all[..usize::try_from(end).unwrap_or(0)])?;
            return Ok(());
        }
        let lines = lines(&all);
        let length = i64::try_from(lines.len()).unwrap_or(i64::MAX);
        let end = if wanted < 0 { (length + wanted).max(0) } else { wanted.min(length) };
        for line in &lines[..usize::try_from(end).unwrap_or(0)] {
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
    fn head_and_tail() {
        check("head", &["-n", "2"], "a\nb\nc\n", "a\nb\n");
        check("head", &["-1"], "a\nb\n", "a\n");
        check("head", &["-c", "2"], "abc", "ab");
        check("head", &["-n-1"], "a\nb\nc\n", "a\nb\n");
        check("tail", &["-n", "2"], "a\nb\nc\n", "b\nc\n");
        check("tail", &["-1"], "a\nb", "b");
        check("tail", &["-n", "+2"], "a\nb\nc\n", "b\nc\n");
        check("tail", &["-c", "2"], "abc", "bc");
    }
}
