//! The tree of commands, in the groups of `kubectl --help`.

use crate::flags::help::{self, Group};
use crate::flags::parse;
use crate::flags::{Action, COMMAND, Command, HelpTo};
use crate::verbs::{create, get, version};

/// The groups of `kubectl --help`.
pub static GROUPS: &[Group] = &[
    Group { title: "Basic Commands (Beginner)", commands: &[&create::from_files::CREATE] },
    Group { title: "Basic Commands (Intermediate)", commands: &[&get::GET] },
    Group { title: "Other Commands", commands: &[&version::VERSION] },
];

/// kubectl itself. Suggestions for mistyped commands come in this order.
pub static ROOT: Command = Command {
    name: "kubectl",
    usage: "[flags]",
    short: "Controls a Kubernetes cluster",
    long: "kubectl controls the Kubernetes cluster manager.

 Find more information at: https://kubernetes.io/docs/reference/kubectl/",
    commands: &[&create::from_files::CREATE, &get::GET, &version::VERSION, &OPTIONS, &HELP],
    action: Action::Group(HelpTo::Out),
    ..COMMAND
};

static OPTIONS: Command = Command {
    name: "options",
    short: "Print the list of flags inherited by all commands",
    long: "Print the list of flags inherited by all commands",
    action: Action::Run(|session, _| Box::pin(async move { session.out(help::globals()).await })),
    ..COMMAND
};

static HELP: Command = Command {
    name: "help",
    usage: "[command]",
    short: "Help about any command",
    long: "Print the help of any command.",
    action: Action::Run(|session, args| {
        Box::pin(async move {
            let (command, path, rest) = parse::find(&ROOT, &args.words);
            let mut text = crate::program::help_of(command, &path);
            if !rest.is_empty() {
                text = format!("Unknown help topic [`{}`]\n\n\n{text}", args.words.join(" "));
            }
            session.out(text).await
        })
    }),
    ..COMMAND
};
