//! `cargo xtask ci quick`: what to run before every commit, under a minute when warm, without a network.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

use crate::counts::Counts;
use crate::process::Cmd;
use crate::test::{counted, format, lint};

/// Format, clippy, unit tests. Stops at nothing, so that one run tells everything.
pub(crate) fn quick() -> Result<ExitCode> {
    let began = Instant::now();
    let mut total = format()?;
    total += lint()?;
    total += unit_tests()?;
    total.print_failures();
    println!("{} passed, {} failed in {:.0} s", total.passed, total.failed, began.elapsed().as_secs_f64());
    Ok(if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn unit_tests() -> Result<Counts> {
    counted(&Cmd::cargo().args(["test", "--quiet", "--workspace", "--lib", "--bins", "--no-fail-fast"]))
}
