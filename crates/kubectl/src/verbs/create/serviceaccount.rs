//! `kubectl create serviceaccount`.

use std::rc::Rc;

use json::json;

use super::{COMMON, create, name, resource};
use crate::failure::Outcome;
use crate::flags::{Action, Args, COMMAND, Command};
use crate::session::Session;

/// The command.
pub static SERVICE_ACCOUNT: Command = Command {
    name: "serviceaccount",
    aliases: &["sa"],
    usage: "NAME [--dry-run=server|client|none]",
    short: "Create a service account with the specified name",
    long: "Create a service account: a name under which pods talk to the API server.",
    examples: &[("A service account called robot", "kubectl create serviceaccount robot")],
    flags: &COMMON,
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let name = name(&args)?;
    let object = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}});
    create(session, args, resource("", "v1", "ServiceAccount", "serviceaccounts", true), object, "serviceaccount").await
}
