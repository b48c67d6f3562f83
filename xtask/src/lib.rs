//! The project's own commands, and the checks of the tree that its tests share (`tidy`).
//!
//! Nothing here is part of the product. `.ci/run` and people call the same commands, so what passes here passes there.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a build tool: it reads files, the environment and the clock, and it serves the page on loopback"
)]

mod bench;
mod browser;
mod ci;
mod clients;
mod counts;
mod dist;
mod fuzz;
mod images;
mod npm;
mod pictures;
mod process;
mod root;
mod serve;
mod setup;
mod split;
mod static_server;
mod test;
pub mod tidy;
mod tools;

use std::process::ExitCode;

use anyhow::{Result, bail};

const HELP: &str = "\
The project's own commands.

usage: cargo xtask <command>

  setup [--for serve|test]   check what is needed and install what is missing (default: test, which is everything)
  serve [--port N]           set up, build the page and serve it on loopback
  dist                       set up, build the page into dist/, a folder for any static host, and print its sizes
  test                       set up, then run every suite; the last line is `N passed, N failed`
  ci quick                   format, clippy and native unit tests: under a minute when warm
  ci full                    the same as `test`
  images                     build the guests and pack them into images/target/registry
  bench                      print the figures of the built page and the native core
  fuzz [SECONDS] [TARGET]    libFuzzer on what reads what comes from outside, each target for so long (default: 60)
  pictures                   make the pictures of README.md anew, from the built page
  split MODULE FOLDER        split a worker that has names by hand, with a report of which function is where
  tidy [--fix]               check the tree; --fix rewrites generated files (docs/stubs.md)

Environment:
  KUBONSAI_TOOLS      where set-up keeps the tools it builds (default: ~/.cache/kubonsai/tools)
  KUBONSAI_CHROMIUM   the browser that the tests drive (default: chromium or google-chrome on PATH)
  CHROMEDRIVER        its driver (default: chromedriver on PATH)
";

/// Runs the command line and turns a failure into words and an exit code.
pub fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<ExitCode> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["help" | "--help" | "-h", ..] => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        ["setup"] | ["setup", "--for", "test"] => done(setup::run(setup::Purpose::Test)),
        ["setup", "--for", "serve"] => done(setup::run(setup::Purpose::Serve)),
        ["serve", rest @ ..] => done(serve::run(rest)),
        ["dist"] => done(dist::run()),
        ["test"] | ["ci", "full"] => test::run(),
        ["ci", "quick"] => ci::quick(),
        ["images"] => done(images::run()),
        ["bench"] => done(bench::run()),
        ["fuzz", rest @ ..] => done(fuzz::run(rest)),
        ["pictures"] => done(pictures::run()),
        ["split", module, folder] => done(split::run(module.as_ref(), folder.as_ref())),
        ["tidy"] => tidy::run(false),
        ["tidy", "--fix"] => tidy::run(true),
        _ => bail!("unknown command `{}`; `cargo xtask help` lists them", words.join(" ")),
    }
}

fn done(result: Result<()>) -> Result<ExitCode> {
    result.map(|()| ExitCode::SUCCESS)
}
