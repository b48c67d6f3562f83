//! The learner's shell: a grammar, an executor and a line editor that follow bash, and the everyday file tools.
//!
//! Invariants:
//! * It runs on virtual time and virtual files only; what it starts are [`machine::Program`]s.
//! * It never sees the cluster: kubectl and its like are programs among others.
//! * Words, exit codes and streams are bash's; what is not built refuses by name.

mod builtins;
pub mod editor;
mod exec;
mod expand;
mod hints;
mod jobs;
mod own_task;
mod process;
mod race;
mod record;
mod regexes;
mod shell;
mod streams;
pub mod syntax;
mod terminal;
mod text;
pub mod tools;
mod vars;
mod words;

pub use process::Processes;
pub use shell::{Place, Shell};
pub use terminal::Terminal;
pub use tools::install;

/// Runs a text as `bash -c` does; the value is the exit code. Its output goes to the streams of `ctx`; each of its commands
/// is told to the trace as those of a terminal are.
pub async fn run_script(ctx: machine::Ctx, text: impl AsRef<str>) -> i32 {
    let mut shell = Shell::recorded(ctx, Processes::default());
    shell.set_place(Place::Script { name: "bash".into(), origin: "-c: " });
    shell.run_script(text.as_ref()).await
}
