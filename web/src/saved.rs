//! A session as it is saved, exported and shared: what it was made from and what was done in it. Not its state: that
//! comes back by playing it again.

use cluster::{Input, LogEntry};
use serde::{Deserialize, Serialize};
use simulation::{Duration, Time};

use crate::session::Seed;

/// The build that wrote a session. Another build may behave differently; the page says so when it plays it again.
pub const BUILD: &str = env!("CARGO_PKG_VERSION");

/// Bytes of a file that is read.
pub const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Inputs of a session that is taken from outside.
pub const ENTRIES_MAX: usize = 100_000;
/// Virtual time that a session from outside may have run, in seconds: it is all played again.
const VIRTUAL_SECONDS_MAX: u64 = 48 * 3_600;
/// What a file says it is.
const FORMAT: &str = "kubonsai session 1";

/// A session as it is saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSession {
    /// The [`BUILD`] that wrote it.
    #[serde(default)]
    pub build: String,
    /// What it was made from.
    pub seed: Seed,
    /// The inputs.
    pub log: Vec<LogEntry>,
    /// Virtual time that it had reached.
    #[serde(default)]
    pub reached: Option<Time>,
}

#[derive(Serialize, Deserialize)]
struct File {
    format: String,
    #[serde(flatten)]
    session: SavedSession,
}

impl SavedSession {
    /// The text of a file that holds it.
    pub fn to_file(&self) -> String {
        let file = File { format: FORMAT.to_owned(), session: self.clone() };
        json::to_string_pretty(&file).expect("sessions are plain data") + "\n"
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Why the text is no session, in English. Trying again does not help.
    pub fn from_file(text: &str) -> Result<SavedSession, String> {
        if text.len() > FILE_BYTES_MAX {
            return Err(format!("the file is larger than {FILE_BYTES_MAX} bytes"));
        }
        let file: File = json::from_str(text).map_err(|error| format!("the file is no session: {error}"))?;
        if file.format != FORMAT {
            return Err(format!("the file is `{}`, not `{FORMAT}`", file.format));
        }
        file.session.check()?;
        Ok(file.session)
    }

    /// Whether the learner did anything in it: what the page puts in by itself, its language and the first terminal, is
    /// there without that.
    pub fn is_begun(&self) -> bool {
        self.log.iter().filter(|entry| !matches!(entry.input, Input::Language { .. })).count() > 1
    }

    /// Whether a session that comes from outside can be played: its size is bounded and its times are in order.
    ///
    /// # Errors
    /// What is wrong, in English.
    pub fn check(&self) -> Result<(), String> {
        if self.log.len() > ENTRIES_MAX {
            return Err(format!("the session has more than {ENTRIES_MAX} inputs"));
        }
        let times = std::iter::once(self.seed.start).chain(self.log.iter().map(|entry| entry.at)).chain(self.reached);
        let times: Vec<Time> = times.collect();
        if times.windows(2).any(|pair| pair[1] < pair[0]) {
            return Err("the times of the session are not in order".to_owned());
        }
        let last = times.last().copied().unwrap_or_default();
        if last.saturating_since(self.seed.start) > Duration::from_secs(VIRTUAL_SECONDS_MAX) {
            return Err(format!("the session is longer than {} hours", VIRTUAL_SECONDS_MAX / 3_600));
        }
        Ok(())
    }

    /// A name for its file.
    pub fn file_name(&self) -> String {
        format!("{}-{}.kubonsai.json", self.seed.course, self.seed.lesson)
    }
}
