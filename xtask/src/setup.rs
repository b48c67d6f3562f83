//! `cargo xtask setup`: checks what is needed for a purpose and installs what is missing.
//!
//! Every step first looks (fast, no network), then says what it will do and how long that takes, then does it. A
//! refused download ends in a message that names the tool, what was tried and what to do instead.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, bail};

use crate::process::{Cmd, on_path};
use crate::tools::{self, CargoTool};
use crate::{browser, clients, npm, root};

/// What the machine shall be ready for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Building and serving the page.
    Serve,
    /// All of that, and every test.
    Test,
}

/// One thing that must be there.
pub(crate) struct Step {
    /// What it is, with its version.
    pub(crate) name: String,
    /// How long installing it takes.
    pub(crate) expected: &'static str,
    /// Commands that install it, tried in order until all ran.
    pub(crate) install: Vec<Cmd>,
    /// What a person can do when a command is refused.
    pub(crate) instead: String,
    /// Whether it is there already.
    pub(crate) present: bool,
    /// What is worse without it, when it can be done without.
    pub(crate) without: Option<&'static str>,
}

/// The targets that guests and the page are compiled for.
const TARGETS: [&str; 2] = ["wasm32-unknown-unknown", "wasm32-wasip1"];

/// Checks and installs.
pub(crate) fn run(purpose: Purpose) -> Result<()> {
    let began = Instant::now();
    let steps = steps(purpose)?;
    let missing: Vec<&Step> = steps.iter().filter(|step| !step.present).collect();
    if missing.is_empty() {
        println!("set-up: everything is here ({} checks, {:.1} s)", steps.len(), began.elapsed().as_secs_f64());
        return Ok(());
    }
    println!("set-up: {} of {} things are missing", missing.len(), steps.len());
    for step in &missing {
        println!("  {} ({})", step.name, step.expected);
    }
    for (index, step) in missing.iter().enumerate() {
        println!("\n[{}/{}] {}: {}", index + 1, missing.len(), step.name, step.expected);
        match (install(step), step.without) {
            (Err(error), Some(worse)) => println!("{error:#}\n  going on without it: {worse}"),
            (installed, _) => installed?,
        }
    }
    let build = root::tools().join("build");
    if build.is_dir() {
        std::fs::remove_dir_all(&build)?;
    }
    let after = self::steps(purpose)?;
    if let Some(step) = after.iter().find(|step| !step.present && step.without.is_none()) {
        bail!("{} was installed but is still not found\n  instead: {}", step.name, step.instead);
    }
    println!("\nset-up: done in {:.0} s", began.elapsed().as_secs_f64());
    Ok(())
}

fn steps(purpose: Purpose) -> Result<Vec<Step>> {
    let (bindgen, trunk) = (cargo_tool(&tools::wasm_bindgen()?), cargo_tool(&tools::trunk()));
    let mut steps = vec![npm::node(), targets(), standard_library_source(), bindgen, trunk, npm::packages()];
    if purpose == Purpose::Test {
        steps.push(cargo_tool(&tools::wasm_pack()));
        steps.push(browser::packages());
        steps.push(clients::step());
    }
    Ok(steps)
}

fn install(step: &Step) -> Result<()> {
    if step.install.is_empty() {
        bail!("{} is missing and set-up cannot install it here\n  instead: {}", step.name, step.instead);
    }
    for command in &step.install {
        println!("  $ {}", command.line());
        let refused = match command.tee(&mut |_| {}) {
            Ok(ended) if ended.success => continue,
            Ok(ended) => ended.tail.join("\n    "),
            Err(error) => format!("{error:#}"),
        };
        bail!(
            "{} could not be installed\n  tried:   {}\n  it said:\n    {refused}\n  instead: {}",
            step.name,
            command.line(),
            step.instead
        );
    }
    Ok(())
}

fn targets() -> Step {
    let missing: Vec<&str> = TARGETS.into_iter().filter(|target| !has_target(target)).collect();
    let install = if on_path("rustup").is_some() && !missing.is_empty() {
        vec![Cmd::new("rustup").args(["target", "add"]).args(&missing)]
    } else {
        Vec::new()
    };
    Step {
        name: format!("Rust targets {}", TARGETS.join(", ")),
        expected: "a few seconds and 60 MB",
        install,
        instead:
            "install Rust through rustup and run `rustup target add wasm32-unknown-unknown wasm32-wasip1`; with a \
                  distribution's Rust, install its packages of the standard library for these targets"
                .to_owned(),
        present: missing.is_empty(),
        without: None,
    }
}

/// The source of the standard library, which the page's build compiles for size (docs/decisions/0014).
fn standard_library_source() -> Step {
    let can_install = on_path("rustup").is_some();
    Step {
        name: "source of Rust's standard library".to_owned(),
        expected: "a few seconds and 5 MB",
        install: can_install.then(|| Cmd::new("rustup").args(["component", "add", "rust-src"])).into_iter().collect(),
        instead: "run `rustup component add rust-src`; with a distribution's Rust, install its package of that name"
            .to_owned(),
        present: sysroot().is_some_and(|sysroot| standard_library(&sysroot).is_dir()),
        without: Some("the page is some 70 kB larger"),
    }
}

/// Where the compiler keeps what belongs to it.
pub(crate) fn sysroot() -> Option<PathBuf> {
    let said = Cmd::new("rustc").args(["--print", "sysroot"]).output()?;
    Some(PathBuf::from(said.trim()))
}

/// Where the source of the standard library is, if it is there.
pub(crate) fn standard_library(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib/src/rust/library")
}

fn has_target(target: &str) -> bool {
    Cmd::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .output()
        .is_some_and(|dir| Path::new(dir.trim()).is_dir())
}

fn cargo_tool(tool: &CargoTool) -> Step {
    let present = tool.find().is_some();
    // The command runs in this folder, so it has to exist first.
    let folder = root::tools();
    let install = match std::fs::create_dir_all(&folder) {
        Ok(()) if !present => vec![tool.install()],
        _ => Vec::new(),
    };
    Step {
        name: format!("{} {}", tool.package, tool.version),
        expected: tool.expected,
        install,
        instead: format!(
            "put a `{}` of exactly version {} on PATH (its project publishes built ones), or set KUBONSAI_TOOLS to a \
             folder of a machine where set-up worked ({}-{}/bin/{} in it is what counts)",
            tool.binary, tool.version, tool.package, tool.version, tool.binary
        ),
        present,
        without: None,
    }
}
