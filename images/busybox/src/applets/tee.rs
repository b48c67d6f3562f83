//! tee.

use std::fs::OpenOptions;
use std::io::Write;

use crate::applet::{Io, Options, Outcome, about};

/// Copies the input to the output and to files.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "ai", &[("append", 'a')])?;
    let (mut files, mut status) = (Vec::new(), 0);
    for name in &options.operands {
        let append = options.has('a');
        match OpenOptions::new().create(true).write(!append).append(append).truncate(!append).open(name) {
            Ok(file) => files.push(file),
            Err(error) => {
                writeln!(io.err, "tee: {}", about(name, &error))?;
                status = 1;
            }
        }
    }
    let mut buffer = [0u8; 4096];
    loop {
        let count = match io.input.read(&mut buffer) {
            Ok(0) => return Ok(status),
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
        io.out.write_all(&buffer[..count])?;
        io.out.flush()?;
        for file in &mut files {
            file.write_all(&buffer[..count])?;
        }
    }
}
