//! `cargo xtask pictures`: the pictures of README.md, taken of the built page by a browser.

use anyhow::{Result, bail};

use crate::process::Cmd;
use crate::root::root;
use crate::static_server::StaticServer;
use crate::{browser, dist};

/// Writes docs/screenshot.png and docs/rolling-update.gif.
pub(crate) fn run() -> Result<()> {
    if !dist::dir().join("index.html").is_file() {
        bail!("pictures are taken of dist/, which does not exist; `cargo xtask dist` builds it");
    }
    let Some(chromium) = browser::chromium() else {
        bail!("pictures are taken by a browser and there is none; `cargo xtask setup` installs one");
    };
    let server = StaticServer::start(&dist::dir(), "/", 0)?;
    Cmd::new("node")
        .args(["tests/e2e/pictures.mjs".as_ref(), root().join("docs").as_os_str()])
        .env("KUBONSAI_URL", &server.url)
        .env("KUBONSAI_CHROMIUM", chromium)
        .run()
}
