//! Snapshots: when they are due, and what the server refuses while its files cannot be written.

use crate::commands::{Answer, lower};
use crate::core::Core;
use crate::disk::Disk;
use crate::resp::{Bytes, Reply};

/// How long the server waits after a snapshot that failed, as the original's `CONFIG_BGSAVE_RETRY_DELAY`. Without it a
/// full disk would keep the processor busy for nothing.
const RETRY_MILLIS: u64 = 5_000;

/// What a write is answered while snapshots fail.
const CANNOT_SAVE: &str = "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.";

impl Core {
    /// When a snapshot is due, in ms since 1970, by which `save SECONDS CHANGES`.
    pub fn save_due(&self) -> Option<(u64, u64, u64)> {
        let changes = self.store.changes - self.saved.1;
        let retry = self.failed_save.map_or(0, |failed| failed + RETRY_MILLIS);
        let points = self.config.save_points().into_iter();
        let hit = points.filter(|(_, least)| changes >= *least && changes > 0);
        hit.map(|(seconds, least)| ((self.saved.0 + seconds * 1000).max(retry), seconds, least)).min()
    }

    /// Saves if it is due.
    pub fn save_when_due(&mut self) {
        if let Some((_, seconds, least)) = self.save_due().filter(|(at, ..)| *at <= self.now) {
            self.log.push(format!("* {least} changes in {seconds} seconds. Saving..."));
            self.save_beside();
        }
    }

    /// Saves without anybody waiting for it, as the process that the original starts for it.
    fn save_beside(&mut self) {
        self.log.push("* Background saving started by pid 20".to_owned());
        match self.save() {
            Ok(()) => self.log.push("* Background saving terminated with success".to_owned()),
            Err(_) => {
                self.failed_save = Some(self.now);
                self.log.push("# Background saving error".to_owned());
            }
        }
    }

    /// Writes the snapshot.
    ///
    /// # Errors
    /// The answer of SAVE.
    pub fn save(&mut self) -> Result<(), String> {
        if let Some(disk) = &self.disk
            && let Err(error) = disk.save(&mut self.store, &self.version, self.now)
        {
            let what = proc::Errno::from_io(&error);
            self.log.push(format!("# Failed opening the temp RDB file for saving: {what}"));
            return Err("ERR".to_owned());
        }
        (self.saved, self.failed_save) = ((self.now, self.store.changes), None);
        self.log.push("* DB saved on disk".to_owned());
        Ok(())
    }

    /// Refuses while the files cannot be written.
    ///
    /// # Errors
    /// The answer to every request that writes, and to PING.
    pub fn can_keep(&mut self) -> Result<(), String> {
        let saves = self.config.yes("stop-writes-on-bgsave-error") && !self.config.save_points().is_empty();
        if saves && self.failed_save.is_some() {
            return Err(CANNOT_SAVE.to_owned());
        }
        let written = self.disk.as_mut().map_or(Ok(()), Disk::flush);
        written.map_err(|error| format!("MISCONF Errors writing to the AOF file: {}", proc::Errno::from_io(&error)))
    }
}

/// SAVE.
pub fn save(core: &mut Core, _: u64, _: &[Bytes]) -> Answer {
    core.save().map(|()| Reply::ok())
}

/// BGSAVE.
pub fn save_beside(core: &mut Core, _: u64, words: &[Bytes]) -> Answer {
    if words.len() > 2 || words.get(1).is_some_and(|word| lower(word) != "schedule") {
        return Err("ERR syntax error".to_owned());
    }
    core.save_beside();
    Ok(Reply::Simple("Background saving started".to_owned()))
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::commands::find;
    use crate::config::Config;

    /// A server whose folder is missing, so that no snapshot succeeds.
    pub fn cannot_save(version: &str) -> Core {
        let mut config = Config::default();
        config.set("dir", "/nonexistent/redis-test").expect("valid");
        config.set("save", "60 1").expect("valid");
        let mut core = Core::new(version, config, 1_000);
        let disk = Disk::open(&core.config, version, &mut core.store, 1_000, &mut |_| {}).expect("nothing to read");
        core.disk = Some(disk);
        core
    }

    pub fn set(core: &mut Core) -> Answer {
        let words = crate::resp::split_words("SET a 1").expect("words");
        core.run(find("set").expect("known"), 0, &words)
    }

    #[test]
    fn a_snapshot_that_fails_is_tried_again_later_and_stops_writes() {
        let mut core = cannot_save("7.2.4");
        set(&mut core).expect("done");
        assert_eq!(core.due(), Some(61_000));
        core.tick(61_000);
        assert_eq!(core.log.last().map(String::as_str), Some("# Background saving error"));
        assert_eq!(core.due(), Some(66_000), "not at once, else the server spins");
        assert_eq!(set(&mut core), Err(CANNOT_SAVE.to_owned()));
        core.config.set("stop-writes-on-bgsave-error", "no").expect("valid");
        assert_eq!(set(&mut core), Ok(Reply::ok()));
        core.config.set("stop-writes-on-bgsave-error", "yes").expect("valid");
        core.disk = None;
        core.tick(66_000);
        assert_eq!((set(&mut core), core.failed_save), (Ok(Reply::ok()), None));
    }
}
