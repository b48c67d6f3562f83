//! mktemp.

use crate::applet::{Fail, Io, Options, Outcome};

/// How many names are tried.
const TRIES_MAX: u64 = 1000;

/// Makes an empty file or folder of a new name.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "dqup:t", &[("directory", 'd')])?;
    let folder = options.value('p').unwrap_or("/tmp");
    let template = match options.operands.first() {
        Some(template) => template.clone(),
        None => format!("{folder}/tmp.XXXXXX"),
    };
    let stem = template.trim_end_matches('X');
    let letters = template.len() - stem.len();
    if letters < 6 {
        return Err(Fail::Message(format!("{template}: Invalid argument")));
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    let mut seed = u64::try_from(now % u128::from(u64::MAX)).unwrap_or(1) ^ u64::from(proc::id()).rotate_left(32);
    for _ in 0..TRIES_MAX {
        let mut name = stem.to_owned();
        for _ in 0..letters {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            name.push(char::from(
                b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[(seed >> 33) as usize % 62],
            ));
        }
        let made = if options.has('d') {
            std::fs::create_dir(&name)
        } else {
            std::fs::OpenOptions::new().write(true).create_new(true).open(&name).map(drop)
        };
        match made {
            Ok(()) => {
                writeln!(io.out, "{name}")?;
                return Ok(0);
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Fail::Message(format!("{template}: {}", proc::Errno::from_io(&error)))),
        }
    }
    Err(Fail::Message(format!("{template}: File exists")))
}
