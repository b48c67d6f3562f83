//! What an applet is.

use std::io::{self, Read, Write};

/// An applet's streams.
pub struct Io<'a> {
    /// Standard input.
    pub input: &'a mut dyn Read,
    /// Standard output.
    pub out: &'a mut dyn Write,
    /// Standard error.
    pub err: &'a mut dyn Write,
}

/// Why an applet stopped.
#[derive(Debug)]
pub enum Fail {
    /// With a message after the applet's name, and status 1.
    Message(String),
    /// The same with another status.
    Status(i32, String),
    /// Reading or writing failed.
    Io(io::Error),
}

/// The exit status, or why there is none.
pub type Outcome = Result<i32, Fail>;

impl From<io::Error> for Fail {
    fn from(error: io::Error) -> Fail {
        Fail::Io(error)
    }
}

impl From<String> for Fail {
    fn from(message: String) -> Fail {
        Fail::Message(message)
    }
}

/// A message about a file: `can't open 'x': No such file or directory`.
pub fn cannot(what: &str, file: &str, error: &io::Error) -> String {
    format!("can't {what} '{file}': {}", proc::Errno::from_io(error))
}

/// A message about a file: `x: No such file or directory`.
pub fn about(file: &str, error: &io::Error) -> String {
    format!("{file}: {}", proc::Errno::from_io(error))
}

/// A row of the table of applets.
pub struct Applet {
    /// Its name.
    pub name: &'static str,
    /// The folder of its link, e.g. `bin`: the packer reads it from applets.txt, which a test holds to this.
    #[cfg_attr(not(test), expect(dead_code, reason = "only the test of applets.txt reads it"))]
    pub folder: &'static str,
    /// What it does; `args[0]` is the name.
    pub run: fn(&mut Io<'_>, &[String]) -> Outcome,
    /// One line of help: its arguments.
    pub usage: &'static str,
    /// Whether the shell runs it within itself: it is quick, and neither reads input nor waits.
    pub in_shell: bool,
}

/// Status of a process that was ended by SIGPIPE.
const BROKEN_PIPE_STATUS: i32 = 141;

impl Applet {
    /// Runs it and reports its failure.
    pub fn run(&self, io: &mut Io<'_>, args: &[String]) -> i32 {
        if args.len() == 2 && args[1] == "--help" && !self.in_shell {
            // Help goes where busybox sends it.
            let text =
                format!("BusyBox stand-in of Kubonsai, multi-call program.\n\nUsage: {} {}\n", self.name, self.usage);
            let _ = io.err.write_all(text.trim_end_matches(' ').as_bytes());
            return 0;
        }
        let (status, message) =
            match (self.run)(io, args).and_then(|status| io.out.flush().map(|()| status).map_err(Fail::Io)) {
                Ok(status) => return status,
                Err(Fail::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => return BROKEN_PIPE_STATUS,
                Err(Fail::Io(error)) => (1, proc::Errno::from_io(&error).to_string()),
                Err(Fail::Message(message)) => (1, message),
                Err(Fail::Status(status, message)) => (status, message),
            };
        let _ = io.out.flush();
        if !message.is_empty() {
            let _ = writeln!(io.err, "{}: {message}", self.name);
        }
        status
    }
}

/// Options and operands, as getopt splits them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    flags: Vec<(char, String)>,
    /// What is left.
    pub operands: Vec<String>,
}

impl Options {
    /// Reads options; in `spec` a letter with `:` takes a value. Options may stand among operands unless `spec` starts
    /// with `+`. Long options are given as (`name`, letter).
    ///
    /// # Errors
    /// `unrecognized option: x`.
    pub fn parse(args: &[String], spec: &str, long: &[(&str, char)]) -> Result<Options, Fail> {
        let (spec, stops) = spec.strip_prefix('+').map_or((spec, false), |s| (s, true));
        let takes_value = |c: char| spec.find(c).is_some_and(|i| spec[i + c.len_utf8()..].starts_with(':'));
        let mut options = Options::default();
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            if arg == "--" {
                options.operands.extend(rest.cloned());
                break;
            }
            if let Some(name) = arg.strip_prefix("--") {
                let (name, value) = name.split_once('=').map_or((name, None), |(n, v)| (n, Some(v)));
                let Some((_, letter)) = long.iter().find(|(n, _)| *n == name) else {
                    return Err(Fail::Message(format!("unrecognized option: {name}")));
                };
                let value = match value {
                    Some(value) => value.to_owned(),
                    None if takes_value(*letter) => rest.next().cloned().unwrap_or_default(),
                    None => String::new(),
                };
                options.flags.push((*letter, value));
                continue;
            }
            if arg.len() < 2 || !arg.starts_with('-') {
                options.operands.push(arg.clone());
                if stops {
                    options.operands.extend(rest.cloned());
                    break;
                }
                continue;
            }
            for (i, letter) in arg[1..].char_indices() {
                if letter == ':' || !spec.contains(letter) {
                    return Err(Fail::Message(format!("unrecognized option: {letter}")));
                }
                if !takes_value(letter) {
                    options.flags.push((letter, String::new()));
                    continue;
                }
                let attached = &arg[1 + i + letter.len_utf8()..];
                let value = if attached.is_empty() { rest.next().cloned() } else { Some(attached.to_owned()) };
                let value = value.ok_or_else(|| Fail::Message(format!("option requires an argument: {letter}")))?;
                options.flags.push((letter, value));
                break;
            }
        }
        Ok(options)
    }

    /// Whether an option was given.
    pub fn has(&self, letter: char) -> bool {
        self.flags.iter().any(|(l, _)| *l == letter)
    }

    /// The last value of an option.
    pub fn value(&self, letter: char) -> Option<&str> {
        self.flags.iter().rev().find(|(l, _)| *l == letter).map(|(_, v)| v.as_str())
    }

    /// Every value of an option.
    pub fn values(&self, letter: char) -> impl Iterator<Item = &str> {
        self.flags.iter().filter(move |(l, _)| *l == letter).map(|(_, v)| v.as_str())
    }

    /// A number.
    ///
    /// # Errors
    /// `invalid number 'x'`.
    pub fn number(&self, letter: char) -> Result<Option<i64>, Fail> {
        let parse = |text: &str| text.parse().map_err(|_| Fail::Message(format!("invalid number '{text}'")));
        self.value(letter).map(parse).transpose()
    }
}

/// Opens each file in turn, `-` (or none at all) meaning the input; complaints go to the error stream and give status 1.
pub fn each_file(
    io: &mut Io<'_>,
    name: &str,
    files: &[String],
    mut f: impl FnMut(&mut dyn Read, &mut dyn Write, &str) -> Result<(), Fail>,
) -> Outcome {
    let dash = ["-".to_owned()];
    let files = if files.is_empty() { &dash[..] } else { files };
    let mut status = 0;
    for file in files {
        let result = if file == "-" {
            f(io.input, io.out, file)
        } else {
            match open(file) {
                Ok(mut opened) => f(&mut opened, io.out, file),
                Err(error) => Err(Fail::Message(cannot("open", file, &error))),
            }
        };
        match result {
            Ok(()) => {}
            Err(Fail::Message(message)) => {
                io.out.flush()?;
                writeln!(io.err, "{name}: {message}")?;
                status = 1;
            }
            Err(Fail::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => return Err(Fail::Io(error)),
            Err(Fail::Io(error)) => {
                io.out.flush()?;
                writeln!(io.err, "{name}: {}", about(file, &error))?;
                status = 1;
            }
            Err(other) => return Err(other),
        }
    }
    Ok(status)
}

/// Opens a file to read; a directory is an error at once, as reading it would be.
///
/// # Errors
/// `ENOENT`, `EISDIR`, ...
pub fn open(file: &str) -> io::Result<std::fs::File> {
    let opened = std::fs::File::open(file)?;
    if opened.metadata().is_ok_and(|m| m.is_dir()) {
        return Err(proc::Errno::ISDIR.into());
    }
    Ok(opened)
}

/// Reads everything.
///
/// # Errors
/// Of reading.
pub fn read_all(input: &mut dyn Read) -> Result<Vec<u8>, Fail> {
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Lines as they come: for tools whose input may never end.
pub struct Lines<'a> {
    input: &'a mut dyn Read,
    bytes: Vec<u8>,
    ended: bool,
    /// Whether the line that was read last had an end.
    pub terminated: bool,
}

impl<'a> Lines<'a> {
    /// Reads lines from an input.
    pub fn new(input: &'a mut dyn Read) -> Lines<'a> {
        Lines { input, bytes: Vec::new(), ended: false, terminated: true }
    }

    /// The next line without its end; none after the last.
    ///
    /// # Errors
    /// Of reading.
    pub fn next(&mut self) -> Result<Option<Vec<u8>>, Fail> {
        let mut searched = 0;
        loop {
            if let Some(end) = self.bytes[searched..].iter().position(|b| *b == b'\n') {
                let mut line: Vec<u8> = self.bytes.drain(..=searched + end).collect();
                line.pop();
                return Ok(Some(line));
            }
            searched = self.bytes.len();
            if self.ended {
                let rest = std::mem::take(&mut self.bytes);
                self.terminated = false;
                return Ok((!rest.is_empty()).then_some(rest));
            }
            let mut buffer = [0u8; 4096];
            match self.input.read(&mut buffer) {
                Ok(0) => self.ended = true,
                Ok(count) => self.bytes.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The lines of some bytes, without their ends.
pub fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = bytes.split(|b| *b == b'\n').collect();
    if lines.last().is_some_and(|l| l.is_empty()) {
        lines.pop();
    }
    lines
}

#[cfg(test)]
pub mod testing {
    use super::{Applet, Io};

    /// Runs an applet with some input; gives status, output and errors.
    pub fn run(applet: &str, args: &[&str], input: &str) -> (i32, String, String) {
        let applet: &Applet = crate::applets::find(applet).expect("an applet");
        let args: Vec<String> = [applet.name].iter().chain(args).map(|s| (*s).to_owned()).collect();
        let (mut input, mut out, mut err) = (input.as_bytes(), Vec::new(), Vec::new());
        let status = applet.run(&mut Io { input: &mut input, out: &mut out, err: &mut err }, &args);
        (status, String::from_utf8_lossy(&out).into_owned(), String::from_utf8_lossy(&err).into_owned())
    }

    /// Checks what an applet prints.
    pub fn check(applet: &str, args: &[&str], input: &str, expected: &str) {
        let (status, out, err) = run(applet, args, input);
        assert_eq!((status, out.as_str(), err.as_str()), (0, expected, ""), "{applet} {args:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_split_as_getopt_does() {
        let args: Vec<String> = ["-an5", "file", "--max=3", "--", "-x"].map(str::to_owned).into();
        let options = Options::parse(&args, "an:m:", &[("max", 'm')]).expect("options");
        assert!(options.has('a') && !options.has('x'));
        assert_eq!((options.value('n'), options.value('m')), (Some("5"), Some("3")));
        assert_eq!(options.operands, ["file", "-x"]);
        assert!(matches!(Options::parse(&args, "a", &[]), Err(Fail::Message(m)) if m == "unrecognized option: n"));
    }
}
