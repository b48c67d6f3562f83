//! `cargo xtask test`: every suite in order, then the counts. A suite whose parts do not exist is not in the list.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::counts::Counts;
use crate::process::Cmd;
use crate::root::{files, root, target};
use crate::static_server::StaticServer;
use crate::{browser, clients, dist, images, setup, tidy, tools};

/// Crates that are never compiled for the browser.
const NATIVE_ONLY: [&str; 5] = ["descriptions", "kubonsai", "laws", "oracle", "xtask"];

/// The sub-path under which the page is also tested.
const SUB_PATH: &str = "/some/sub/path/";

/// The tests with a client library of others, a workspace of its own.
const KUBE: &str = "tests/kube/Cargo.toml";

/// The targets of `cargo xtask fuzz`, a workspace of its own.
const FUZZ: &str = "tests/fuzz/Cargo.toml";

/// One suite: its name and what it does.
struct Suite {
    name: &'static str,
    run: fn() -> Result<Counts>,
}

/// What a suite did.
struct Outcome {
    name: &'static str,
    counts: Counts,
    seconds: f64,
}

/// Sets up, runs everything, prints the counts.
pub(crate) fn run() -> Result<ExitCode> {
    setup::run(setup::Purpose::Test)?;
    let outcomes: Vec<Outcome> = suites().iter().map(run_suite).collect();
    Ok(report(&outcomes))
}

fn suites() -> Vec<Suite> {
    let all: [(bool, Suite); 12] = [
        (true, Suite { name: "format", run: format }),
        (true, Suite { name: "lint", run: lint }),
        (true, Suite { name: "lint for wasm", run: lint_wasm }),
        (true, Suite { name: "tidy", run: tidy }),
        // Later suites pull what this one packs.
        (images::present(), Suite { name: "images", run: pack_images }),
        (images::present(), Suite { name: "left out", run: left_out }),
        (true, Suite { name: "native", run: native }),
        (images::present(), Suite { name: "real clients", run: real_clients }),
        (has_wasm_tests(), Suite { name: "browser engine", run: browser_engine }),
        (dist::present(), Suite { name: "page build", run: page_build }),
        (dist::present() && has_files("tests/e2e", ".spec.mjs"), Suite { name: "end to end", run: end_to_end }),
        (has_files("tutorials", ".md") && has_check_command(), Suite { name: "lessons", run: lessons }),
    ];
    all.into_iter().filter(|(present, _)| *present).map(|(_, suite)| suite).collect()
}

fn has_files(dir: &str, ending: &str) -> bool {
    files(&root().join(dir)).iter().any(|file| file.to_string_lossy().ends_with(ending))
}

fn has_wasm_tests() -> bool {
    files(&root().join("web")).iter().any(|file| {
        file.extension().is_some_and(|extension| extension == "rs")
            && std::fs::read_to_string(file).is_ok_and(|text| text.contains("#[wasm_bindgen_test]"))
    })
}

/// Whether the native command can play lessons.
fn has_check_command() -> bool {
    files(&root().join("crates/cli/src"))
        .iter()
        .any(|file| std::fs::read_to_string(file).is_ok_and(|text| text.contains("check")))
}

fn run_suite(suite: &Suite) -> Outcome {
    println!("\n==== {} ====", suite.name);
    let began = Instant::now();
    let counts = (suite.run)().unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        Counts::one(false, suite.name)
    });
    Outcome { name: suite.name, counts, seconds: began.elapsed().as_secs_f64() }
}

fn report(outcomes: &[Outcome]) -> ExitCode {
    println!("\n{:<16} {:>7} {:>7} {:>8}", "suite", "passed", "failed", "seconds");
    let mut total = Counts::default();
    for outcome in outcomes {
        let Counts { passed, failed, .. } = outcome.counts;
        println!("{:<16} {passed:>7} {failed:>7} {:>8.1}", outcome.name, outcome.seconds);
        total += outcome.counts.clone();
    }
    total.print_failures();
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Formatting of the workspace and, once it exists, of the guests.
pub(crate) fn format() -> Result<Counts> {
    let mut counts = Counts::one(Cmd::cargo().args(["fmt", "--all", "--check"]).status()?, "cargo fmt --all --check");
    let others = [(images::present(), "images/Cargo.toml"), (true, KUBE), (true, FUZZ)];
    for (_, manifest) in others.into_iter().filter(|(is_present, _)| *is_present) {
        let command = Cmd::cargo().args(["fmt", "--all", "--check", "--manifest-path", manifest]);
        counts += Counts::one(command.status()?, &format!("cargo fmt of {manifest}"));
    }
    Ok(counts)
}

/// Clippy on everything, for this machine.
pub(crate) fn lint() -> Result<Counts> {
    let args = ["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"];
    linted(&Cmd::cargo().args(args))
}

/// Clippy on what runs in the tab, for the tab.
fn lint_wasm() -> Result<Counts> {
    let excluded = NATIVE_ONLY.iter().flat_map(|name| ["--exclude", name]);
    let command = Cmd::cargo()
        .args(["clippy", "--quiet", "--workspace", "--target", "wasm32-unknown-unknown"])
        .args(excluded)
        .args(["--", "-D", "warnings"]);
    linted(&command)
}

/// Runs clippy; what it denies is named by its first line and place.
fn linted(command: &Cmd) -> Result<Counts> {
    let ended = command.tee(&mut |_| {})?;
    let mut counts = Counts::one(ended.success, &command.line());
    counts.names.extend(ended.errors);
    Ok(counts)
}

fn tidy() -> Result<Counts> {
    let found = tidy::check_tree()?;
    for finding in &found {
        println!("{finding}");
    }
    Ok(Counts::one(found.is_empty(), "tidy"))
}

fn pack_images() -> Result<Counts> {
    images::run()?;
    Ok(Counts::one(true, ""))
}

/// Tests that `cargo test` leaves out: images on a node and docker with them, which need what the suite before has packed, and a
/// thousand pods. Asked of the whole workspace: one package alone has other features, and everything is built again.
fn left_out() -> Result<Counts> {
    counted(&Cmd::cargo().args([
        "test",
        "--workspace",
        "--test",
        "guests",
        "--test",
        "docker",
        "--test",
        "it",
        "--",
        "--ignored",
    ]))
}

fn native() -> Result<Counts> {
    counted(&Cmd::cargo().args(["test", "--workspace", "--no-fail-fast"]))
}

/// The real kubectl and helm, and a client library, against `kubonsai serve`.
fn real_clients() -> Result<Counts> {
    let missing = "is missing: run `cargo xtask setup`";
    let kubectl = clients::KUBECTL.find().with_context(|| format!("kubectl {missing}"))?;
    let helm = clients::HELM.find().with_context(|| format!("helm {missing}"))?;
    let kubonsai = kubonsai()?;
    let recordings = Cmd::cargo()
        .args(["test", "--workspace", "--test", "real", "--", "--ignored"])
        .env("KUBONSAI_KUBECTL", kubectl)
        .env("KUBONSAI_HELM", helm)
        .env("KUBONSAI_NATIVE", &kubonsai);
    let library = Cmd::cargo()
        .args(["test", "--manifest-path", KUBE, "--target-dir"])
        .args([target().join("kube")])
        .env("KUBONSAI_NATIVE", &kubonsai);
    let mut counts = counted(&recordings)?;
    counts += counted(&library)?;
    Ok(counts)
}

fn browser_engine() -> Result<Counts> {
    let wasm_pack = tools::wasm_pack().find().context("wasm-pack is missing: run `cargo xtask setup`")?;
    let driver = browser::chromedriver().context("chromedriver is missing: run `cargo xtask setup`")?;
    // web/webdriver.json holds the browser's arguments.
    let command = Cmd::new(wasm_pack)
        .args(["test", "--headless", "--chrome", "--mode", "no-install", "--chromedriver"])
        .args([driver.as_os_str(), "web".as_ref()])
        .env("PATH", tools::path()?)
        .env("WASM_BINDGEN_TEST_TIMEOUT", "120");
    counted(&command)
}

fn page_build() -> Result<Counts> {
    dist::build()?;
    Ok(Counts::one(true, ""))
}

fn end_to_end() -> Result<Counts> {
    let chromium = browser::chromium().context("no Chromium: run `cargo xtask setup`")?;
    let at_root = StaticServer::start(&dist::dir(), "/", 0)?;
    let below = StaticServer::start(&dist::dir(), SUB_PATH, 0)?;
    let command = Cmd::new("node")
        .args(["tests/e2e/run.mjs"])
        .env("KUBONSAI_URL", &at_root.url)
        .env("KUBONSAI_SUB_PATH_URL", &below.url)
        .env("KUBONSAI_NATIVE", kubonsai()?)
        .env("KUBONSAI_CHROMIUM", chromium);
    counted(&command)
}

/// The native command, with the features of the whole workspace, as the native suite has built it.
fn kubonsai() -> Result<PathBuf> {
    Cmd::cargo().args(["build", "--quiet", "--workspace", "--bin", "kubonsai"]).run()?;
    Ok(target().join("debug/kubonsai"))
}

/// Each lesson's solution, played by the command that the native tests built already. It ends with `N passed, N failed`.
fn lessons() -> Result<Counts> {
    counted(&Cmd::new(kubonsai()?).args(["check", "tutorials/"]))
}

/// Runs a command that prints summaries. A failure that no summary tells of (a build error, a crash) counts as one,
/// and so does a success that reports no test at all.
pub(crate) fn counted(command: &Cmd) -> Result<Counts> {
    println!("$ {}", command.line());
    let mut counts = Counts::default();
    let ended = command.tee(&mut |line| counts.read(line))?;
    if !ended.success && counts.failed == 0 {
        counts += Counts::one(false, &command.line());
        counts.names.extend(ended.errors);
    }
    if ended.success && counts == Counts::default() {
        eprintln!("error: `{}` ended well but reported no tests", command.line());
        counts += Counts::one(false, &command.line());
    }
    Ok(counts)
}
