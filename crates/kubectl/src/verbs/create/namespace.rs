//! `kubectl create namespace`.

use std::rc::Rc;

use json::json;

use super::{COMMON, create, name, resource};
use crate::failure::Outcome;
use crate::flags::{Action, Args, COMMAND, Command};
use crate::session::Session;

/// The command.
pub static NAMESPACE: Command = Command {
    name: "namespace",
    aliases: &["ns"],
    usage: "NAME [--dry-run=server|client|none]",
    short: "Create a namespace with the specified name",
    long: "Create a namespace: a room of its own for names.",
    examples: &[("A namespace called team-a", "kubectl create namespace team-a")],
    flags: &COMMON,
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let name = name(&args)?;
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "spec": {}, "status": {}});
    create(session, args, resource("", "v1", "Namespace", "namespaces", false), object, "").await
}
