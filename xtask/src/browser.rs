//! The browser that tests drive: Chromium, its driver and a font with Japanese letters.

use std::path::PathBuf;

use crate::process::{Cmd, on_path};
use crate::setup::Step;

/// The Debian packages, which exist under these names on Debian and its relatives.
const PACKAGES: [&str; 3] = ["chromium", "chromium-driver", "fonts-noto-cjk"];

/// The browser.
pub(crate) fn chromium() -> Option<PathBuf> {
    set_by("KUBONSAI_CHROMIUM")
        .or_else(|| ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(on_path))
}

/// Its WebDriver.
pub(crate) fn chromedriver() -> Option<PathBuf> {
    set_by("CHROMEDRIVER").or_else(|| on_path("chromedriver"))
}

fn set_by(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from).filter(|file| file.is_file())
}

fn has_japanese_font() -> bool {
    Cmd::new("fc-list").args([":lang=ja", "file"]).output().is_some_and(|fonts| !fonts.trim().is_empty())
}

/// All three, installed through apt-get when that is possible.
pub(crate) fn packages() -> Step {
    let present = chromium().is_some() && chromedriver().is_some() && has_japanese_font();
    let can_install = !present && on_path("apt-get").is_some() && is_root();
    let install = if can_install {
        let apt = || Cmd::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive");
        vec![
            apt().args(["update", "-q"]),
            apt().args(["install", "-q", "-y", "--no-install-recommends", "fontconfig"]).args(PACKAGES),
        ]
    } else {
        Vec::new()
    };
    Step {
        name: "Chromium, ChromeDriver and a Japanese font".to_owned(),
        expected: "about a minute and 400 MB",
        install,
        instead: format!(
            "sudo apt-get install fontconfig {} (elsewhere: install them and set KUBONSAI_CHROMIUM and CHROMEDRIVER to \
             the two programs)",
            PACKAGES.join(" ")
        ),
        present,
        without: None,
    }
}

fn is_root() -> bool {
    Cmd::new("id").args(["-u"]).output().is_some_and(|id| id.trim() == "0")
}
