//! Why some commands answer differently, as data: `reasons.txt`.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use crate::recording::root;

/// Reasons by recording and command.
#[derive(Clone, Debug, Default)]
pub struct Reasons(BTreeMap<(String, usize), String>);

impl Reasons {
    /// Reads `reasons.txt`: paragraphs, each a reason on one line and then lines `05: 22 23`.
    ///
    /// # Errors
    /// The file cannot be read or is malformed.
    pub fn read() -> Result<Reasons> {
        Reasons::parse(&Reasons::text("reasons.txt")?)
    }

    /// Those, and before them `reasons-real.txt`: why the real kubectl gets other answers.
    ///
    /// # Errors
    /// A file cannot be read or is malformed.
    pub fn read_real() -> Result<Reasons> {
        let mut all = Reasons::read()?;
        all.0.extend(Reasons::parse(&Reasons::text("reasons-real.txt")?)?.0);
        Ok(all)
    }

    fn text(name: &str) -> Result<String> {
        let path = root().join(name);
        std::fs::read_to_string(&path).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> Result<Reasons> {
        let mut reasons = BTreeMap::new();
        for paragraph in text.split("\n\n") {
            let mut lines = paragraph.lines().filter(|l| !l.starts_with('#') && !l.is_empty());
            let Some(reason) = lines.next() else { continue };
            for line in lines {
                let (sequence, commands) = line.split_once(": ").with_context(|| format!("{line:?}: no colon"))?;
                for command in commands.split(' ') {
                    let index = command.parse().with_context(|| format!("{line:?}: {command:?}"))?;
                    reasons.insert((sequence.to_owned(), index), reason.to_owned());
                }
            }
        }
        Ok(Reasons(reasons))
    }

    /// Why a command of a recording (`05-rollout`) answers differently.
    pub fn find(&self, recording: &str, index: usize) -> Option<&str> {
        self.0.get(&(recording.get(..2)?.to_owned(), index)).map(String::as_str)
    }

    /// Every command that has a reason.
    pub fn commands(&self) -> impl Iterator<Item = (&str, usize)> {
        self.0.keys().map(|(recording, index)| (recording.as_str(), *index))
    }
}

#[cfg(test)]
mod tests {
    use super::Reasons;

    #[test]
    fn a_reason_covers_commands() {
        let reasons = Reasons::parse("# says\n\nwhy not\n05: 1 2\n06: 7\n\nother\n05: 3\n").expect("well formed");
        assert_eq!(reasons.find("05-rollout", 2), Some("why not"));
        assert_eq!(reasons.find("06-label", 7), Some("why not"));
        assert_eq!(reasons.find("05-rollout", 3), Some("other"));
        assert_eq!(reasons.find("05-rollout", 4), None);
        assert!(Reasons::parse("why\n05 1\n").is_err());
    }
}
