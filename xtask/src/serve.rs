//! `cargo xtask serve`: from a fresh clone to the page in a browser.

use anyhow::{Context, Result, bail};

use crate::static_server::StaticServer;
use crate::{dist, images, setup};

/// Not a port that common development servers take.
const PORT_DEFAULT: u16 = 8086;

/// Sets up, builds and serves until interrupted.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let port = match arguments {
        [] => PORT_DEFAULT,
        ["--port", port] => port.parse().with_context(|| format!("`{port}` is not a port number"))?,
        _ => bail!("usage: cargo xtask serve [--port N]"),
    };
    if !dist::present() {
        bail!("there is no page to serve yet: web/src/bin/app.rs does not exist");
    }
    setup::run(setup::Purpose::Serve)?;
    images::run()?;
    println!("building the page (about 5 minutes the first time)");
    dist::build()?;
    let server = StaticServer::start(&dist::dir(), "/", port)?;
    println!("\nKubonsai is at {}\nCtrl-C stops it.", server.url);
    loop {
        std::thread::park();
    }
}
