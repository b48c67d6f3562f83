//! The commands. The next one is a row, and a function in the file of its kind.

mod build;
mod exec;
mod images;
mod info;
mod inspect;
mod lifecycle;
mod logs;
mod ps;
mod registry;
mod run;
mod transfer;

use crate::command::Command;

/// The commit that this version was built from.
pub(crate) const BUILD: &str = "d8eb465";

pub(crate) static COMMANDS: &[&Command] = &[
    &build::BUILD,
    &build::PRUNE,
    &lifecycle::COMMIT,
    &lifecycle::CREATE,
    &exec::EXEC,
    &exec::ATTACH,
    &images::HISTORY,
    &images::IMAGES,
    &images::PRUNE,
    &images::RMI,
    &images::TAG,
    &info::INFO,
    &info::VERSION,
    &inspect::INSPECT,
    &inspect::IMAGE,
    &inspect::CONTAINER,
    &lifecycle::KILL,
    &transfer::LOAD,
    &transfer::SAVE,
    &registry::LOGIN,
    &registry::LOGOUT,
    &registry::PULL,
    &registry::PUSH,
    &logs::COMMAND,
    &ps::COMMAND,
    &ps::PORT,
    &lifecycle::RENAME,
    &lifecycle::RESTART,
    &lifecycle::RM,
    &lifecycle::PRUNE,
    &run::COMMAND,
    &lifecycle::START,
    &lifecycle::STOP,
    &lifecycle::WAIT,
];
