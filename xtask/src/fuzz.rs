//! `cargo xtask fuzz [SECONDS] [TARGET]`: libFuzzer on what reads what comes from outside (tests/fuzz).

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::process::Cmd;
use crate::root::{root, target};

const MANIFEST: &str = "tests/fuzz/Cargo.toml";

/// Every target, with the longest input that it is given, in bytes.
const TARGETS: [(&str, u32); 8] = [
    ("documents", 4_096),
    ("selectors", 512),
    ("templates", 1_024),
    ("patches", 4_096),
    ("requests", 8_192),
    ("rules", 512),
    ("scripts", 2_048),
    ("modules", 16_384),
];

/// What a target may hold, in MiB; more counts as a failure.
const MEMORY_MIB_MAX: u32 = 2_048;
/// What one input may take, in seconds; more counts as a failure.
const INPUT_SECONDS_MAX: u32 = 20;
/// How long each target runs unless told otherwise, in seconds.
const SECONDS: u32 = 60;

/// As `cargo fuzz` compiles: counters at each edge, tables of places, comparisons. All of it works with the stable compiler.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Runs every target, or one.
pub(crate) fn run(words: &[&str]) -> Result<()> {
    let seconds = words.first().map_or(Ok(SECONDS), |word| word.parse()).context("how many seconds?")?;
    let only = words.get(1).copied();
    let built = target().join("fuzz");
    // With a target of its own, even if it is this machine, build scripts and macros are compiled without the counters.
    let said = Cmd::new("rustc").args(["--version", "--verbose"]).output();
    let triple = said.as_deref().and_then(|said| said.lines().find_map(|line| line.strip_prefix("host: ")));
    let triple = triple.context("rustc does not say what it compiles for")?;
    Cmd::cargo()
        .args(["build", "--release", "--manifest-path", MANIFEST, "--target", triple, "--target-dir"])
        .args([&built])
        .env("RUSTFLAGS", FLAGS)
        .run()?;
    let mut known = false;
    for (name, bytes) in TARGETS.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
        known = true;
        fuzz(&built.join(triple).join("release").join(name), name, *bytes, seconds)?;
    }
    if !known {
        let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
        bail!("no such target; there are {}", names.join(", "));
    }
    Ok(())
}

/// Runs one target. What it learns stays in the target folder; an input that fails is named.
fn fuzz(program: &Path, name: &str, bytes: u32, seconds: u32) -> Result<()> {
    let folder = |kind: &str| -> Result<PathBuf> {
        let folder = target().join("fuzz").join(kind).join(name);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    };
    let (corpus, found) = (folder("corpus")?, folder("found")?);
    Cmd::new(program)
        .args([corpus, root().join("tests/fuzz/seeds").join(name)])
        .args([
            format!("-max_total_time={seconds}"),
            format!("-max_len={bytes}"),
            format!("-timeout={INPUT_SECONDS_MAX}"),
            format!("-rss_limit_mb={MEMORY_MIB_MAX}"),
            format!("-artifact_prefix={}/", found.display()),
            "-print_final_stats=1".to_owned(),
            "-verbosity=0".to_owned(),
        ])
        .run()
        .with_context(|| format!("{name} fails on an input that lies in {}", found.display()))
}
