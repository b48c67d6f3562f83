//! `read` and `mapfile`.

use std::collections::BTreeMap;
use std::time::Duration;

use super::bad_option;
use crate::exec::{Exec, Flow};
use crate::race::{Either, race};
use crate::shell::Shell;
use crate::syntax::is_name;
use crate::vars::Value;

/// Bytes of one line that `read` takes.
const LINE_BYTES_MAX: usize = 1024 * 1024;

#[derive(Default)]
struct Options {
    raw: bool,
    silent: bool,
    array: Option<String>,
    delimiter: Option<u8>,
    count: Option<usize>,
    prompt: Option<String>,
    timeout: Option<f64>,
    fd: u32,
}

/// A character and whether a backslash stood before it.
type Marked = (char, bool);

pub(crate) async fn read(sh: &mut Shell, args: &[String]) -> Exec {
    let (options, names) = match parse(&args[1..]) {
        Ok(parsed) => parsed,
        Err(option) if option.len() == 2 => return bad_option(sh, "read", &option).await,
        Err(message) => return sh.failed(&format!("read: {message}"), 1).await,
    };
    if let Some(bad) = names.iter().find(|n| !is_name(n)) {
        return sh.failed(&format!("read: `{bad}': not a valid identifier"), 1).await;
    }
    let Some(reader) = sh.fds.get(&options.fd).and_then(|f| f.read.clone()) else {
        let message = format!("read: {}: invalid file descriptor: Bad file descriptor", options.fd);
        return sh.failed(&message, 1).await;
    };
    if let Some(prompt) = options.prompt.as_ref().filter(|_| reader.is_tty()) {
        sh.err(prompt).await;
    }
    let quiet = options.silent && reader.is_tty();
    if let Some(tty) = sh.base.tty.as_ref().filter(|_| quiet) {
        tty.set_raw(true);
    }
    let line = line(&reader, &options);
    let seconds = options.timeout.filter(|t| *t > 0.0).unwrap_or(1e9);
    let timed = sh.sim.timeout(Duration::from_secs_f64(seconds), line);
    let ended = race(timed, sh.interrupt.wait()).await;
    if let Some(tty) = sh.base.tty.as_ref().filter(|_| quiet) {
        tty.set_raw(false);
    }
    let (bytes, complete) = match ended {
        Either::Right(()) => return Err(Flow::Interrupt),
        Either::Left(Err(_)) => return Ok(142),
        Either::Left(Ok(line)) => line,
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    store(sh, &options, &names, &text);
    Ok(i32::from(!complete))
}

fn parse(args: &[String]) -> Result<(Options, Vec<String>), String> {
    let mut options = Options::default();
    let mut i = 0;
    while let Some(arg) = args.get(i).filter(|a| a.len() > 1 && a.starts_with('-')) {
        i += 1;
        if arg == "--" {
            break;
        }
        let letters: Vec<char> = arg.chars().skip(1).collect();
        for (at, letter) in letters.iter().enumerate() {
            match letter {
                'r' => options.raw = true,
                's' => options.silent = true,
                'e' => {}
                'a' | 'd' | 'n' | 'N' | 'p' | 't' | 'u' => {
                    let rest: String = letters[at + 1..].iter().collect();
                    let value = if rest.is_empty() {
                        i += 1;
                        args.get(i - 1).cloned().ok_or(format!("-{letter}: option requires an argument"))?
                    } else {
                        rest
                    };
                    let invalid = || format!("{value}: invalid number");
                    match letter {
                        'a' => options.array = Some(value),
                        'd' => options.delimiter = Some(value.bytes().next().unwrap_or(0)),
                        'n' | 'N' => options.count = Some(value.parse().map_err(|_| invalid())?),
                        'p' => options.prompt = Some(value),
                        't' => {
                            options.timeout =
                                Some(value.parse().map_err(|_| format!("{value}: invalid timeout specification"))?);
                        }
                        _ => options.fd = value.parse().map_err(|_| invalid())?,
                    }
                    break;
                }
                _ => return Err(format!("-{letter}")),
            }
        }
    }
    Ok((options, args[i.min(args.len())..].to_vec()))
}

/// One line, without reading past it; the flag is false at the end of the input.
async fn line(reader: &machine::Reader, options: &Options) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let delimiter = options.delimiter.unwrap_or(b'\n');
    while bytes.len() < LINE_BYTES_MAX {
        let chunk = reader.read(1).await;
        let Some(&byte) = chunk.first() else { return (bytes, false) };
        if byte == delimiter {
            let continued = !options.raw && delimiter == b'\n' && trailing_backslashes(&bytes) % 2 == 1;
            if !continued {
                return (bytes, true);
            }
            bytes.pop();
            continue;
        }
        bytes.push(byte);
        if options.count.is_some_and(|n| {
            String::from_utf8_lossy(&bytes).chars().count() >= n && std::str::from_utf8(&bytes).is_ok()
        }) {
            return (bytes, true);
        }
    }
    (bytes, true)
}

fn trailing_backslashes(bytes: &[u8]) -> usize {
    bytes.iter().rev().take_while(|b| **b == b'\\').count()
}

fn store(sh: &mut Shell, options: &Options, names: &[String], text: &str) {
    let marked = unescape(text, options.raw);
    let ifs = sh.vars.get("IFS").map_or(" \t\n".to_owned(), |v| v.scalar().unwrap_or_default().to_owned());
    if let Some(array) = &options.array {
        let fields = split(&marked, &ifs, usize::MAX);
        sh.vars.entry(array).value = Value::Array((0..).zip(fields).collect());
        return;
    }
    if names.is_empty() {
        let whole: String = marked.iter().map(|(c, _)| *c).collect();
        // A read-only REPLY keeps its value.
        let _ = sh.assign("REPLY", whole);
        return;
    }
    let mut fields = split(&marked, &ifs, names.len()).into_iter();
    for name in names {
        let _ = sh.assign(name, fields.next().unwrap_or_default());
    }
}

fn unescape(text: &str, raw: bool) -> Vec<Marked> {
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\\' && !raw {
            if let Some(next) = chars.next() {
                out.push((next, true));
            }
        } else {
            out.push((c, false));
        }
    }
    out
}

/// At most `max` fields; the last one takes the rest of the line.
fn split(text: &[Marked], ifs: &str, max: usize) -> Vec<String> {
    let is_ifs = |m: &Marked| !m.1 && ifs.contains(m.0);
    let is_blank = |m: &Marked| is_ifs(m) && matches!(m.0, ' ' | '\t' | '\n');
    let mut rest = text;
    let mut fields = Vec::new();
    let skip_blanks = |rest: &mut &[Marked]| {
        while rest.first().is_some_and(is_blank) {
            *rest = &rest[1..];
        }
    };
    skip_blanks(&mut rest);
    while !rest.is_empty() {
        if fields.len() + 1 == max {
            let mut end = rest.len();
            while end > 0 && is_blank(&rest[end - 1]) {
                end -= 1;
            }
            fields.push(rest[..end].iter().map(|(c, _)| *c).collect());
            break;
        }
        let end = rest.iter().position(is_ifs).unwrap_or(rest.len());
        fields.push(rest[..end].iter().map(|(c, _)| *c).collect());
        rest = &rest[end..];
        skip_blanks(&mut rest);
        if rest.first().is_some_and(|m| is_ifs(m) && !is_blank(m)) {
            rest = &rest[1..];
            skip_blanks(&mut rest);
        }
    }
    fields
}

pub(crate) async fn mapfile(sh: &mut Shell, args: &[String]) -> Exec {
    let mut trim = false;
    let mut array = "MAPFILE".to_owned();
    for arg in &args[1..] {
        match arg.as_str() {
            "-t" => trim = true,
            option if option.starts_with('-') => return bad_option(sh, &args[0], option).await,
            name => array = name.to_owned(),
        }
    }
    let text = sh.stdin().read_to_string().await;
    let lines = text.split_inclusive('\n').map(|l| if trim { l.trim_end_matches('\n') } else { l }.to_owned());
    let map: BTreeMap<i64, String> = (0..).zip(lines).collect();
    sh.vars.entry(&array).value = Value::Array(map);
    Ok(0)
}
