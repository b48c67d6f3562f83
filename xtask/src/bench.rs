//! `cargo xtask bench`: the figures that the project holds itself to. What cannot be measured yet says why.

use anyhow::{Context as _, Result, bail};

use crate::process::Cmd;
use crate::static_server::StaticServer;
use crate::{browser, dist};

/// Prints one line a figure.
pub(crate) fn run() -> Result<()> {
    if !dist::dir().join("index.html").is_file() {
        bail!("bench measures dist/, which does not exist; `cargo xtask serve` or `cargo xtask test` builds it");
    }
    let Some(chromium) = browser::chromium() else {
        bail!("bench drives a browser and found none; `cargo xtask setup` installs one");
    };
    let server = StaticServer::start(&dist::dir(), "/", 0)?;
    Cmd::new("node")
        .args(["tests/e2e/bench.mjs".as_ref(), dist::dir().as_os_str()])
        .env("KUBONSAI_URL", &server.url)
        .env("KUBONSAI_CHROMIUM", chromium)
        .run()?;
    native()
}

/// Figures of the native program, from a scenario that it plays itself.
fn native() -> Result<()> {
    let cargo = ["run", "--quiet", "--release", "--bin", "kubonsai", "--", "bench"];
    let output = Cmd::cargo().args(cargo).output().context("`kubonsai bench` failed")?;
    for line in output.lines() {
        let (figure, value) = line.split_once(' ').unwrap_or((line, ""));
        println!("{:<44} {value}", format!("native {}", figure.replace('_', " ")));
    }
    Ok(())
}
