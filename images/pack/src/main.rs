//! Builds the guests and packs them into an OCI layout: `pack OUTDIR`.
//!
//! Every folder of `images/` with an `image.json` is an image. Same sources, same bytes: times are fixed, entries are
//! sorted, nothing of this machine goes in.

mod describe;
mod gzip;
mod layer;
mod layout;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// A complaint for the person at the terminal.
type Result<T> = std::result::Result<T, String>;

fn main() -> ExitCode {
    let Some(out) = std::env::args().nth(1) else {
        eprintln!("usage: pack OUTDIR");
        return ExitCode::from(2);
    };
    match run(Path::new(&out)) {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("pack: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(out: &Path) -> Result<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("images/ is the parent of pack/")?;
    let images = describe::read_all(root)?;
    let programs = build(root, &images)?;
    let applets = applets(root)?;
    let mut layout = layout::Layout::create(out)?;
    for image in &images {
        image.pack(root, &programs, &applets, &mut layout)?;
    }
    layout.finish()
}

/// Builds every program that an image names; gives the folder of the results.
fn build(root: &Path, images: &[describe::Image]) -> Result<PathBuf> {
    let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    // The linker's arguments are in .cargo/config.toml, which cargo looks for from where it runs.
    command.current_dir(root).args([
        "build",
        "--quiet",
        "--release",
        "--target",
        "wasm32-wasip1",
        "-p",
        layer::BUSYBOX,
    ]);
    let mut programs: Vec<&str> = images.iter().flat_map(|i| i.programs.values().map(String::as_str)).collect();
    programs.sort_unstable();
    programs.dedup();
    for program in programs {
        command.args(["-p", program]);
    }
    let status = command.status().map_err(|e| format!("cargo: {e}"))?;
    if !status.success() {
        return Err("the guests do not build".to_owned());
    }
    let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| root.join("target"), PathBuf::from);
    Ok(target.join("wasm32-wasip1/release"))
}

/// The names of busybox's applets, one a line in `busybox/applets.txt`: path of the link below the root.
fn applets(root: &Path) -> Result<Vec<String>> {
    let path = root.join(layer::BUSYBOX).join("applets.txt");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(text.lines().filter(|l| !l.is_empty()).map(str::to_owned).collect())
}
