//! `cargo xtask tidy`: rules of the tree that the compiler does not know. Also a test (tests/laws), so that
//! `cargo test` alone tells everything.
//!
//! A rule is a function from the tree to findings. Rules read text, so they can be wrong in rare cases; they prefer a
//! false alarm with a clear line to silence.

pub mod ambient;
pub mod crates;
pub mod edges;
pub mod stubs;
pub mod text;
pub mod translations;

use std::fmt;
use std::process::ExitCode;

use anyhow::Result;

use crate::root::{files, root};

/// One thing that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, relative to the root of the tree.
    pub file: String,
    /// The line, from 1; 0 means the file as a whole.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}

/// A text file of the tree.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path, relative to the root of the tree, with `/`.
    pub path: String,
    /// Its content.
    pub text: String,
}

impl Source {
    /// A file for tests of the rules.
    #[must_use]
    pub fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// A finding in this file.
    #[must_use]
    pub fn finding(&self, line: usize, message: impl Into<String>) -> Finding {
        Finding { file: self.path.clone(), line, message: message.into() }
    }

    /// Whether the name ends in `.extension`.
    #[must_use]
    pub fn is(&self, extension: &str) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, found)| found == extension)
    }
}

/// Reads every text file of the tree (files that are not UTF-8 are no text).
#[must_use]
pub fn sources() -> Vec<Source> {
    let root = root();
    files(&root)
        .into_iter()
        .filter_map(|file| {
            let path = file.strip_prefix(&root).ok()?.to_string_lossy().replace('\\', "/");
            Some(Source { path, text: std::fs::read_to_string(&file).ok()? })
        })
        .collect()
}

/// Runs every rule on the tree.
pub fn check_tree() -> Result<Vec<Finding>> {
    let sources = sources();
    let mut found = text::check(&sources);
    found.extend(crates::check(&sources));
    found.extend(ambient::check(&sources));
    found.extend(stubs::check(&sources));
    found.extend(translations::check(&sources));
    found.extend(edges::check(&edges::read()?));
    found.sort();
    Ok(found)
}

/// The command: prints findings, or rewrites generated files first.
pub(crate) fn run(fix: bool) -> Result<ExitCode> {
    if fix {
        let text = stubs::page(&sources());
        std::fs::write(root().join(stubs::PAGE), text)?;
    }
    let found = check_tree()?;
    for finding in &found {
        println!("{finding}");
    }
    println!("tidy: {} findings", found.len());
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
