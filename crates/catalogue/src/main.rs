//! Writes the lessons of a folder as the page reads them: `catalogue FOLDER INTO`. The build of the page calls it.

#![allow(clippy::disallowed_methods, reason = "outside the core: lessons are written to files")]

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use catalogue::published;

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let [from, into] = arguments else { bail!("two folders are due: the lessons, and where they are written to") };
    let lessons = published::read(Path::new(from))?;
    if !lessons.problems.is_empty() {
        bail!("the lessons in {from} cannot be published:\n{}", lessons.problems.join("\n"));
    }
    for (name, text) in &lessons.files {
        let file = Path::new(into).join(name);
        let folder = file.parent().context("a file in a folder")?;
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        std::fs::write(&file, text).with_context(|| file.display().to_string())?;
    }
    Ok(())
}
