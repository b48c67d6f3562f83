//! Notices that a lesson has changed, and says what is wrong in the terminal and to the page.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use catalogue::Catalogue;

/// Time between two looks at the folder.
const EVERY: Duration = Duration::from_millis(300);

/// A folder that is looked at.
#[derive(Clone)]
pub(super) struct Watch {
    root: PathBuf,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    /// Every file with its size and time of change.
    files: Vec<(PathBuf, u64, SystemTime)>,
    /// Raised with every change.
    version: u64,
    problems: Vec<String>,
}

impl Watch {
    /// Looks now, and from now on.
    pub(super) fn start(root: &Path) -> Watch {
        let watch = Watch { root: root.to_owned(), seen: Arc::default() };
        watch.look();
        let looking = watch.clone();
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(EVERY);
                looking.look();
            }
        });
        watch
    }

    /// Looks, and reads everything again if something has changed.
    pub(super) fn look(&self) {
        let files = files(&self.root);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.files == files {
            return;
        }
        let problems = match Catalogue::all_problems(&self.root) {
            Ok(problems) => problems.iter().map(ToString::to_string).collect(),
            Err(error) => vec![format!("{error:#}")],
        };
        match problems.len() {
            0 if seen.problems.is_empty() && seen.version > 0 => println!("changed"),
            0 => println!("all lessons can be read"),
            count => {
                println!("{count} problems:");
                problems.iter().for_each(|problem| println!("  {problem}"));
            }
        }
        *seen = Seen { files, version: seen.version + 1, problems };
    }

    /// For the page, as JSON.
    pub(super) fn state(&self) -> String {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        json::json!({"version": seen.version, "problems": seen.problems}).to_string()
    }
}

/// The files below a folder, in order; those that vanish meanwhile are left out.
fn files(root: &Path) -> Vec<(PathBuf, u64, SystemTime)> {
    let mut found = Vec::new();
    let mut pending = vec![root.to_owned()];
    while let Some(folder) = pending.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            match entry.metadata() {
                Ok(about) if about.is_dir() => pending.push(path),
                Ok(about) => found.push((path, about.len(), about.modified().unwrap_or(SystemTime::UNIX_EPOCH))),
                Err(_) => {}
            }
        }
    }
    found.sort();
    found
}
