//! The end of the server: what is saved before, and why it may stay up.

use crate::commands::{Answer, SYNTAX, lower};
use crate::core::Core;
use crate::disk::Disk;
use crate::resp::{Bytes, Reply};

/// That the server is to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stop {
    /// Whether to save; none as the settings say.
    pub save: Option<bool>,
    /// Whether to end even if saving fails.
    pub force: bool,
    /// Who asked; none for a signal.
    pub client: Option<u64>,
}

/// SHUTDOWN.
pub fn shutdown(core: &mut Core, id: u64, words: &[Bytes]) -> Answer {
    let mut stop = Stop { client: Some(id), ..Stop::default() };
    for word in &words[1..] {
        match (lower(word).as_str(), stop.save) {
            ("save", None | Some(true)) => stop.save = Some(true),
            ("nosave", None | Some(false)) => stop.save = Some(false),
            ("now", _) if core.major() >= 7 => {}
            ("force", _) if core.major() >= 7 => stop.force = true,
            ("abort", None) if core.major() >= 7 && words.len() == 2 => {
                return Err("ERR No shutdown in progress.".to_owned());
            }
            _ => return Err(SYNTAX.to_owned()),
        }
    }
    core.stop = Some(stop);
    Ok(Reply::Several(Vec::new()))
}

impl Core {
    /// Saves as it was asked for or as the settings say; whether the server ends.
    pub fn shut_down(&mut self, stop: Stop) -> bool {
        let mark = if self.since(7, 2) { '*' } else { '#' };
        self.log.push(format!("{mark} User requested shutdown..."));
        if self.disk.as_ref().is_some_and(|disk| disk.appends()) {
            self.log.push("* Calling fsync() on the AOF file.".to_owned());
        }
        if let Some(Err(error)) = self.disk.as_mut().map(Disk::flush) {
            self.log.push(format!("# Error writing to the AOF file: {}", proc::Errno::from_io(&error)));
        }
        if stop.save.unwrap_or(!self.config.save_points().is_empty()) {
            self.log.push("* Saving the final RDB snapshot before exiting.".to_owned());
            if self.save().is_err() {
                if !stop.force {
                    self.stay(stop);
                    return false;
                }
                self.log.push("# Error trying to save the DB. Exit anyway.".to_owned());
            }
        }
        self.log.push("# Redis is now ready to exit, bye bye...".to_owned());
        true
    }

    /// Goes on, since ending would lose data.
    fn stay(&mut self, stop: Stop) {
        self.log.push("# Error trying to save the DB, can't exit.".to_owned());
        match stop.client {
            None if !self.since(7, 0) => self.log.push(
                "# SIGTERM received but errors trying to shut down the server, check the logs for more information"
                    .to_owned(),
            ),
            Some(_) if !self.since(7, 0) => {}
            _ => self
                .log
                .push("# Errors trying to shut down the server. Check the logs for more information.".to_owned()),
        }
        if let Some(id) = stop.client {
            self.send(id, &Reply::Error("ERR Errors trying to SHUTDOWN. Check logs.".to_owned()));
        }
        // Nobody was answered since it was asked to end.
        let ids: Vec<u64> = self.sessions.keys().copied().collect();
        ids.into_iter().for_each(|id| self.work(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::saving::tests::cannot_save;

    fn ask(core: &mut Core, line: &str) -> bool {
        core.log.clear();
        core.connect(1, "10.244.0.9:1".to_owned());
        core.receive(1, format!("{line}\r\nPING\r\n").as_bytes(), 2_000);
        let stop = core.stop.take().expect("asked");
        core.shut_down(stop)
    }

    #[test]
    fn it_stays_up_if_it_cannot_save() {
        let mut core = cannot_save("7.2.4");
        assert!(!ask(&mut core, "SHUTDOWN"));
        let last = "# Errors trying to shut down the server. Check the logs for more information.";
        assert_eq!(core.log.last().map(String::as_str), Some(last));
        assert_eq!(core.sessions[&1].output, b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n+PONG\r\n");
        assert!(!core.shut_down(Stop::default()), "a signal");
        assert!(ask(&mut core, "SHUTDOWN NOSAVE") && ask(&mut core, "SHUTDOWN SAVE FORCE"));
    }
}
