//! `kubectl create secret`.

use std::rc::Rc;

use base64::Engine;
use json::{Map, Value, json};

use super::{COMMON, create, name, resource, sources};
use crate::failure::Outcome;
use crate::flags::{Action, Args, COMMAND, Command, Flag, HelpTo, text};
use crate::session::Session;

/// The parent command.
pub static SECRET: Command = Command {
    name: "secret",
    usage: "(docker-registry | generic | tls)",
    short: "Create a secret using a specified subcommand",
    long: "Create a secret: values that should not be shown by accident.",
    commands: &[&super::secret_docker::DOCKER, &GENERIC, &super::secret_tls::TLS],
    action: Action::Group(HelpTo::Err),
    ..COMMAND
};

static FLAGS: &[Flag] = &[text("type", "", "Type of the secret; Opaque when left out.")];

static GENERIC: Command = Command {
    name: "generic",
    usage: "NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]",
    short: "Create a secret from a local file, directory, or literal value",
    long: "Create a secret from files, directories or values on the command line.",
    examples: &[
        ("Two values", "kubectl create secret generic db --from-literal=user=admin --from-literal=password=s3cr3t"),
        (
            "Files under their own names",
            "kubectl create secret generic db --from-file=./username --from-file=./password",
        ),
    ],
    flags: &[sources::FLAGS, FLAGS, COMMON[0], COMMON[1], COMMON[2], COMMON[3], COMMON[4]],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let name = name(&args)?;
    let pairs = sources::read(&session, &args)?;
    sources::check_keys(&pairs, "Secret", &name)?;
    let data: Map = pairs
        .into_iter()
        .map(|(key, value)| (key, base64::engine::general_purpose::STANDARD.encode(value).into()))
        .collect();
    let mut object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}});
    if !data.is_empty() {
        object["data"] = Value::Object(data);
    }
    if !args.text("type").is_empty() {
        object["type"] = args.text("type").into();
    }
    finish(session, args, object).await
}

/// Creates the secret, its name ending with a hash if that is wanted.
pub async fn finish(session: Rc<Session>, args: Args, mut object: Value) -> Outcome {
    super::append_hash(&args, &mut object);
    create(session, args, resource("", "v1", "Secret", "secrets", true), object, "secret").await
}
