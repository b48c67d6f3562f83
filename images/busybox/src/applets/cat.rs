//! cat, tac, nl, and what stands for more and less.

use crate::applet::{Io, Options, Outcome, each_file, lines, read_all};

/// Bytes copied at a time.
const CHUNK_BYTES: usize = 16 * 1024;

/// Copies files to the output.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "nbvteAuETs", &[("number", 'n'), ("show-all", 'A')])?;
    let (number, nonblank) = (options.has('n') || options.has('b'), options.has('b'));
    let ends = options.has('e') || options.has('A') || options.has('E');
    let mut count = 0;
    each_file(io, "cat", &options.operands, |input, out, _| {
        if number || ends {
            for line in lines(&read_all(input)?) {
                if number && !(nonblank && line.is_empty()) {
                    count += 1;
                    write!(out, "{count:6}\t")?;
                }
                out.write_all(line)?;
                out.write_all(if ends { b"$\n" } else { b"\n" })?;
            }
            return Ok(());
        }
        let mut buffer = vec![0u8; CHUNK_BYTES];
        loop {
            let read = match input.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            // What came is shown at once: the other end may be a person or a program that goes on for hours.
            out.write_all(&buffer[..read])?;
            out.flush()?;
        }
    })
}

/// Copies files to the output; the terminal scrolls.
pub fn pager(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let files: Vec<String> = args.iter().filter(|a| !a.starts_with('-')).cloned().collect();
    run(io, &files)
}

/// Prints lines backwards.
pub fn tac(io: &mut Io<'_>, args: &[String]) -> Outcome {
    each_file(io, "tac", &args[1..], |input, out, _| {
        for line in lines(&read_all(input)?).into_iter().rev() {
            out.write_all(line)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    })
}

/// Numbers the lines that are not empty.
pub fn nl(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let mut numbered = vec!["cat".to_owned(), "-b".to_owned()];
    numbered.extend(args[1..].iter().cloned());
    run(io, &numbered)
}

#[cfg(test)]
mod tests {
    use crate::applet::testing::{check, run};

    #[test]
    fn cat() {
        check("cat", &[], "a\nb", "a\nb");
        check("cat", &["-n", "-"], "a\nb\n", "     1\ta\n     2\tb\n");
        check("tac", &[], "a\nb\n", "b\na\n");
        assert_eq!(
            run("cat", &["/nonexistent"], ""),
            (1, String::new(), "cat: can't open '/nonexistent': No such file or directory\n".into())
        );
        assert_eq!(run("cat", &["-Z"], "").2, "cat: unrecognized option: Z\n");
    }
}
