//! Commands of which only the outside is built: they complain about wrong words as kubectl does, and then refuse by name.

use std::rc::Rc;

use crate::failure::{Failure, Outcome};
use crate::flags::common::SELECTOR;
use crate::flags::{Action, Args, COMMAND, Command, Flag, HelpTo, switch, text};
use crate::session::Session;

macro_rules! partly {
    ($($(#[$doc:meta])* $id:ident $name:literal $aliases:tt $short:literal flags $flags:expr, required $required:tt, $run:ident;)*) => {
        $(
            $(#[$doc])*
            pub static $id: Command = Command {
                name: $name,
                aliases: &$aliases,
                short: $short,
                long: $short,
                flags: $flags,
                required: &$required,
                action: Action::Run(|session, args| Box::pin($run(session, args))),
                ..COMMAND
            };
        )*
    };
}

static TOP_FLAGS: &[Flag] = &[
    switch("all-namespaces", "Pods of all namespaces.").short('A'),
    switch("containers", "Show containers, too."),
    switch("no-headers", "Leave the header line out."),
    text("sort-by", "", "Sort by cpu or memory."),
];

partly! {
    /// `kubectl completion`.
    COMPLETION "completion" [] "Output shell completion code for the specified shell (bash, zsh, fish, or powershell)" flags &[], required [], completion;
    /// `kubectl top pod`.
    TOP_POD "pod" ["pods", "po"] "Display resource (CPU/memory) usage of pods" flags &[TOP_FLAGS, SELECTOR], required [], top;
    /// `kubectl top node`.
    TOP_NODE "node" ["nodes", "no"] "Display resource (CPU/memory) usage of nodes" flags &[TOP_FLAGS, SELECTOR], required [], top;
}

/// `kubectl top`.
pub static TOP: Command = Command {
    name: "top",
    usage: "[flags]",
    short: "Display resource (CPU/memory) usage",
    long: "Show how much CPU and memory nodes or pods use. The cluster needs a metrics server for that.",
    commands: &[&TOP_NODE, &TOP_POD],
    action: Action::Group(HelpTo::Err),
    ..COMMAND
};

fn refuse(sentence: &'static str) -> Outcome {
    Err(Failure::message(sentence))
}

async fn completion(_: Rc<Session>, args: Args) -> Outcome {
    match args.words.as_slice() {
        [] => Err(args.usage("Shell not specified.")),
        [shell] if matches!(shell.as_str(), "bash" | "zsh" | "fish" | "powershell") => {
            refuse(simulation::stub!("kubectl", "completion scripts (the Tab key works without one)"))
        }
        [shell] => Err(args.usage(format!("Unsupported shell type \"{shell}\"."))),
        _ => Err(args.usage("Too many arguments. Expected only the shell type.")),
    }
}

async fn top(session: Rc<Session>, args: Args) -> Outcome {
    let rest = session.rest(&args)?;
    if rest.discover().await?.group_versions.iter().any(|v| v.starts_with("metrics.k8s.io/")) {
        return refuse(simulation::stub!("kubectl", "top"));
    }
    Err(Failure::message("Metrics API not available"))
}
