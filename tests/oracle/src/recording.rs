//! A recording as a file: JSON lines, the first with the files of the working folder.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use json::Value;
use simulation::{Duration, Time};

/// One recorded command.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its number in the sequence.
    pub index: usize,
    /// A line for bash.
    pub command: String,
    /// What it read on standard input.
    pub stdin: String,
    /// Files that were written before it.
    pub files: Vec<String>,
    /// What it said.
    pub stdout: String,
    /// What it said on standard error.
    pub stderr: String,
    /// Its exit code.
    pub exit: i64,
    /// When it began, to the second.
    pub at: Time,
    /// How long it took.
    pub took: Duration,
}

impl Recorded {
    /// Whether what it printed came out of a container: the verb is `logs` or `exec`, and it succeeded. The recorded
    /// containers were stand-ins, so this is no fact about Kubernetes (docs/decisions/0011).
    pub fn is_from_container(&self) -> bool {
        let mut words = self.command.split_whitespace().peekable();
        let mut is_found = false;
        while let Some(word) = words.next() {
            is_found |= word == "kubectl" && matches!(words.peek(), Some(&"logs" | &"exec"));
        }
        is_found && self.exit == 0
    }
}

/// A sequence of commands on one cluster.
#[derive(Clone, Debug)]
pub struct Recording {
    /// `01-deploy-get`
    pub name: String,
    /// Files of the working folder.
    pub files: BTreeMap<String, String>,
    /// The commands in order.
    pub commands: Vec<Recorded>,
}

/// Recorded times are cut to the second: a command may have begun up to a second later than it says, and so may the one
/// before it.
pub(crate) const HALF_SECOND: Duration = Duration::from_millis(500);

impl Recording {
    /// The files that are there from the beginning: those that no command is said to come after.
    pub fn first_files(&self) -> Vec<&str> {
        let later: Vec<&String> = self.commands.iter().flat_map(|c| &c.files).collect();
        self.files.keys().filter(|name| !later.contains(name)).map(String::as_str).collect()
    }

    /// Whether a command or what it said contains `text`.
    pub(crate) fn names(&self, text: &str) -> bool {
        self.commands.iter().any(|c| c.command.contains(text) || c.stdout.contains(text))
    }

    /// How long nothing was typed after a command. Times are to the second, so less than one is nothing.
    pub(crate) fn pause_after(&self, recorded: &Recorded) -> Duration {
        let next = self.commands.get(recorded.index + 1);
        let pause = next.map_or(Duration::ZERO, |n| n.at.saturating_since(recorded.at + recorded.took));
        if pause < Duration::from_secs(1) { Duration::ZERO } else { pause }
    }

    /// From the first command to the end of the last.
    pub fn length(&self) -> Duration {
        let ends = self.commands.first().zip(self.commands.last());
        ends.map_or(Duration::ZERO, |(first, last)| (last.at + last.took).saturating_since(first.at))
    }
}

/// The folder of this package.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every recording, by name.
///
/// # Errors
/// A file cannot be read, or is no recording.
pub fn all() -> Result<Vec<Recording>> {
    let folder = root().join("recordings");
    let entries = std::fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "jsonl"));
    paths.sort();
    paths.iter().map(|path| read(path).with_context(|| path.display().to_string())).collect()
}

fn read(path: &std::path::Path) -> Result<Recording> {
    let name = path.file_stem().context("a file has a name")?.to_string_lossy().into_owned();
    let mut recording = Recording { name, files: BTreeMap::new(), commands: Vec::new() };
    for line in std::fs::read_to_string(path)?.lines() {
        let line: Value = json::from_str(line)?;
        let text = |field: &str| line[field].as_str().unwrap_or("").to_owned();
        if line["i"] == -1 {
            for (name, content) in line["files"].as_object().into_iter().flatten() {
                recording.files.insert(name.to_string(), content.as_str().unwrap_or("").to_owned());
            }
            continue;
        }
        recording.commands.push(Recorded {
            index: usize::try_from(line["i"].as_u64().context("a command has a number")?)?,
            command: text("cmd"),
            stdin: text("stdin"),
            files: line["files"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            stdout: text("stdout"),
            stderr: text("stderr"),
            exit: line["exit"].as_i64().context("a command has an exit code")?,
            at: Time::parse_rfc3339(&text("at")).context("a command has a time")?,
            took: Duration::from_millis(line["ms"].as_u64().unwrap_or(0)),
        });
    }
    Ok(recording)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verb_and_the_exit_code_say_what_a_container_printed() {
        let recorded = |command: &str, exit: i64| Recorded {
            index: 0,
            command: command.to_owned(),
            stdin: String::new(),
            files: Vec::new(),
            stdout: String::new(),
            stderr: String::new(),
            exit,
            at: Time::from_nanos(0),
            took: Duration::ZERO,
        };
        assert!(recorded("kubectl logs nginx", 0).is_from_container());
        assert!(recorded("sleep 1; timeout 5 kubectl exec nginx -- env", 0).is_from_container());
        assert!(!recorded("kubectl logs nope", 1).is_from_container(), "the server's refusal is Kubernetes' own");
        assert!(!recorded("kubectl get pods # logs", 0).is_from_container());
    }
}
