//! `kubectl create configmap`.

use std::rc::Rc;

use base64::Engine;
use json::{Map, Value, json};

use super::{COMMON, create, name, resource, sources};
use crate::failure::Outcome;
use crate::flags::{Action, Args, COMMAND, Command};
use crate::session::Session;

/// The command.
pub static CONFIG_MAP: Command = Command {
    name: "configmap",
    aliases: &["cm"],
    usage: "NAME [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]",
    short: "Create a config map from a local file, directory or literal value",
    long: "Create a config map from files, directories or values on the command line.",
    examples: &[
        ("Two values", "kubectl create configmap settings --from-literal=color=blue --from-literal=size=large"),
        ("A file under its own name", "kubectl create configmap settings --from-file=app.properties"),
        ("A file under a name of your own", "kubectl create configmap settings --from-file=app=app.properties"),
    ],
    flags: &[sources::FLAGS, COMMON[0], COMMON[1], COMMON[2], COMMON[3], COMMON[4]],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let name = name(&args)?;
    let pairs = sources::read(&session, &args)?;
    sources::check_keys(&pairs, "ConfigMap", &name)?;
    let (mut data, mut binary) = (Map::new(), Map::new());
    for (key, value) in pairs {
        match String::from_utf8(value) {
            Ok(text) => data.insert(key.into(), text.into()),
            Err(bytes) => {
                let text = base64::engine::general_purpose::STANDARD.encode(bytes.as_bytes());
                binary.insert(key.into(), text.into())
            }
        };
    }
    let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
    for (field, map) in [("data", data), ("binaryData", binary)] {
        if !map.is_empty() {
            object[field] = Value::Object(map);
        }
    }
    super::append_hash(&args, &mut object);
    create(session, args, resource("", "v1", "ConfigMap", "configmaps", true), object, "configmap").await
}
