//! `kubectl kustomize`: prints what a kustomization makes.

use std::rc::Rc;

use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, text};
use crate::kustomize;
use crate::session::Session;

static FLAGS: &[Flag] = &[text("output", "", "File to write to, instead of standard output.").short('o')];

/// The command.
pub static KUSTOMIZE: Command = Command {
    name: "kustomize",
    usage: "DIR",
    short: "Build a kustomization target from a directory or URL",
    long: "Print the objects that the kustomization.yaml of a directory makes. kubectl apply -k DIR applies them.",
    examples: &[
        ("The current directory", "kubectl kustomize"),
        ("A variant for production", "kubectl kustomize overlays/production"),
    ],
    flags: &[FLAGS],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let directory = match args.words.as_slice() {
        [] => ".",
        [directory] => directory,
        _ => return Err(Failure::message("specify one path to kustomization.yaml")),
    };
    let built = kustomize::build(&session, directory)?;
    let text = built.iter().map(api::yaml::emit).collect::<Vec<_>>().join("---\n");
    match args.text("output") {
        "" => session.out(text).await,
        file => session.place.write_file(&session.absolute(file), text.as_bytes()).map_err(Failure::message),
    }
}
