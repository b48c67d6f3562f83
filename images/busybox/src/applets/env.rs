//! env, printenv.

use crate::applet::{Io, Options, Outcome};

/// Prints the environment, or runs a program with another one.
pub fn run(io: &mut Io<'_>, args: &[String]) -> Outcome {
    let options = Options::parse(&args[1..], "+iu:", &[("ignore-environment", 'i'), ("unset", 'u')])?;
    let mut env: Vec<(String, String)> = if options.has('i') { Vec::new() } else { std::env::vars().collect() };
    env.retain(|(name, _)| !options.values('u').any(|u| u == name));
    let mut rest = options.operands.as_slice();
    while let Some((name, value)) = rest.first().and_then(|a| a.split_once('=')) {
        env.retain(|(n, _)| n != name);
        env.push((name.to_owned(), value.to_owned()));
        rest = &rest[1..];
    }
    if rest.is_empty() {
        for (name, value) in env {
            writeln!(io.out, "{name}={value}")?;
        }
        return Ok(0);
    }
    io.out.flush()?;
    super::which::launch(rest, &env)
}

/// Prints the values of variables, or the whole environment.
pub fn printenv(io: &mut Io<'_>, args: &[String]) -> Outcome {
    if args.len() == 1 {
        return run(io, args);
    }
    let mut status = 0;
    for name in &args[1..] {
        match std::env::var(name) {
            Ok(value) => writeln!(io.out, "{value}")?,
            Err(_) => status = 1,
        }
    }
    Ok(status)
}
