//! The commands, one file each. The next one is a file and a row.

pub(crate) mod addons;
mod dashboard;
mod delete;
mod docker_env;
mod image;
mod info;
mod logs;
mod node;
mod pause;
mod refused;
mod service;
mod ssh;
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
    &ssh::COMMAND,
    &refused::TUNNEL,
    &addons::COMMAND,
    &image::COMMAND,
    &docker_env::COMMAND,
    &pause::PAUSE,
    &pause::UNPAUSE,
    &logs::COMMAND,
];
