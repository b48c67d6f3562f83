//! The commands, one file each. The next one is a file and a row.

mod addons;
mod dashboard;
mod delete;
mod image;
mod info;
mod node;
mod refused;
mod service;
mod start;
mod status;
mod stop;

use crate::command::Command;

pub(crate) static COMMANDS: &[&Command] = &[
    &start::COMMAND,
    &status::COMMAND,
    &stop::COMMAND,
    &delete::COMMAND,
    &info::IP,
    &service::COMMAND,
    &node::COMMAND,
    &info::PROFILE,
    &info::VERSION,
    &info::KUBECTL,
    &dashboard::COMMAND,
    &refused::SSH,
    &refused::TUNNEL,
    &addons::COMMAND,
    &image::COMMAND,
    &refused::PAUSE,
    &refused::UNPAUSE,
    &refused::LOGS,
];
