//! `kubectl plugin`: programs called `kubectl-...` in `$PATH`.

use std::rc::Rc;

use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, HelpTo, switch};
use crate::session::Session;

/// The parent command.
pub static PLUGIN: Command = Command {
    name: "plugin",
    usage: "[flags]",
    short: "Provides utilities for interacting with plugins",
    long: "Plugins add commands to kubectl: a program called kubectl-NAME in $PATH becomes kubectl NAME.",
    commands: &[&LIST],
    action: Action::Group(HelpTo::Out),
    ..COMMAND
};

static FLAGS: &[Flag] = &[switch("name-only", "Print names only, not where they are.")];

static LIST: Command = Command {
    name: "list",
    short: "List all visible plugin executables on a user's PATH",
    long: "List the programs in $PATH whose names begin with kubectl-.",
    flags: &[FLAGS],
    action: Action::Run(|session, args| Box::pin(list(session, args))),
    ..COMMAND
};

async fn list(session: Rc<Session>, args: Args) -> Outcome {
    let path = session.place.env("PATH").unwrap_or_default();
    let mut found = Vec::new();
    for directory in path.split(':').filter(|d| !d.is_empty()) {
        for name in session.place.list(directory).into_iter().filter(|name| name.starts_with("kubectl-")) {
            found.push(if args.on("name-only") { name } else { format!("{}/{name}", directory.trim_end_matches('/')) });
        }
    }
    if found.is_empty() {
        return Err(Failure::message("unable to find any kubectl plugins in your PATH"));
    }
    let lines: String = found.iter().map(|line| format!("{line}\n")).collect();
    session.out(format!("The following compatible plugins are available:\n\n{lines}")).await
}
