//! `cargo xtask bench`: the figures that the project holds itself to. What cannot be measured yet says why.

use anyhow::{Result, bail};

use crate::process::Cmd;
use crate::static_server::StaticServer;
use crate::{browser, dist};

/// A figure that nothing measures yet, and the reason.
const NOT_MEASURED: [(&str, &str); 1] =
    [("native steps per second", "no scenario for it exists in the native command line yet")];

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
    for (figure, reason) in NOT_MEASURED {
        println!("{figure:<44} not measured: {reason}");
    }
    Ok(())
}
