//! Commands of which only the outside is built: they complain about wrong words as kubectl does, and then refuse by name.

use std::rc::Rc;

use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command};
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

partly! {
    /// `kubectl completion`.
    COMPLETION "completion" [] "Output shell completion code for the specified shell (bash, zsh, fish, or powershell)" flags &[], required [], completion;
}

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
