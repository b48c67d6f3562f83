//! A stand-in for `jq`: the command line of jq 1.7 around the interpreter jaq.
//!
//! Differences: messages of errors at run time are jaq's; values print with jq's default layout, without colours unless
//! asked for (`-C`). It is a guest, so a filter without end runs on its fuel and Ctrl-C ends it.

mod filter;
mod options;

use std::io::{self, Read, Write};

use jaq_json::{Val, read};

use filter::{Filter, Outcome};
use options::{Options, Parsed};

fn main() {
    proc::start();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let options = match options::parse(&args) {
        Ok(Parsed::Run(options)) => *options,
        Ok(Parsed::Say(text)) => {
            print!("{text}");
            return;
        }
        Err(message) => {
            eprintln!(
                "jq: error: {message}\nUse jq --help for help with command-line options,\nor see the jq manpage, or online docs  at https://jqlang.github.io/jq"
            );
            std::process::exit(2);
        }
    };
    std::process::exit(run(&options));
}

fn run(options: &Options) -> i32 {
    let program = match &options.from_file {
        None => options.program.clone(),
        Some(path) => match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("jq: error: Could not open {path}: {}", words(&error));
                return 2;
            }
        },
    };
    let filter = match Filter::compile(&program, &options.variables) {
        Ok(filter) => filter,
        Err(problems) => {
            problems.iter().for_each(|problem| eprintln!("jq: error: {problem}"));
            let noun = if problems.len() == 1 { "error" } else { "errors" };
            eprintln!("jq: {} compile {noun}", problems.len());
            return 3;
        }
    };
    let mut unreadable = false;
    let inputs = inputs(options, &mut unreadable);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let Outcome { code, last } = filter.run(inputs, options, &mut out);
    if out.flush().is_err() {
        return 2;
    }
    match (code, unreadable, options.exit_status) {
        (0, true, _) => 2,
        (0, false, true) => match last {
            None => 4,
            Some(Val::Null | Val::Bool(false)) => 1,
            Some(_) => 0,
        },
        (code, ..) => code,
    }
}

/// The values to run the filter on. What cannot be read is said and left out.
fn inputs(options: &Options, unreadable: &mut bool) -> Vec<Result<Val, String>> {
    let mut text = Vec::new();
    if options.files.is_empty() && !options.null_input {
        *unreadable = io::stdin().read_to_end(&mut text).is_err();
    }
    for path in &options.files {
        match std::fs::read(path) {
            Ok(bytes) => text.extend(bytes),
            Err(error) => {
                eprintln!("jq: error: Could not open {path}: {}", words(&error));
                *unreadable = true;
            }
        }
    }
    let values: Vec<Result<Val, String>> = if options.raw_input && options.slurp {
        vec![Ok(Val::from(String::from_utf8_lossy(&text).into_owned()))]
    } else if options.raw_input {
        let text = String::from_utf8_lossy(&text).into_owned();
        text.lines().map(|line| Ok(Val::from(line.to_owned()))).collect()
    } else {
        values(&text)
    };
    if options.slurp && !options.raw_input {
        return vec![values.into_iter().collect::<Result<Val, String>>()];
    }
    values
}

/// The values of a text, up to the first that cannot be read: nothing after it makes sense.
fn values(text: &[u8]) -> Vec<Result<Val, String>> {
    let mut values = Vec::new();
    for value in read::parse_many(text) {
        let failed = value.is_err();
        values.push(value.map_err(|error| error.to_string()));
        if failed {
            break;
        }
    }
    values
}

/// An error without its number.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
