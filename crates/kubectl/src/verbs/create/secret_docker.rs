//! `kubectl create secret docker-registry`.

use std::rc::Rc;

use base64::Engine;
use json::{Map, Value, json};

use super::secret::finish;
use super::{COMMON, name, sources};
use crate::failure::{Failure, Outcome};
use crate::flags::parse::go_quote;
use crate::flags::{Action, Args, COMMAND, Command, Flag, slice, switch, text};
use crate::session::Session;

const KEY: &str = ".dockerconfigjson";

static FLAGS: &[Flag] = &[
    switch("append-hash", "Append a hash of the content to the name."),
    text("docker-email", "", "E-mail address at the registry."),
    text("docker-password", "", "Password at the registry."),
    text("docker-server", "https://index.docker.io/v1/", "Address of the registry."),
    text("docker-username", "", "Name at the registry."),
    slice("from-file", "File that docker login has written."),
];

/// The command.
pub static DOCKER: Command = Command {
    name: "docker-registry",
    usage: "NAME --docker-username=user --docker-password=password --docker-email=email [--docker-server=string] [--from-file=[key=]source] [--dry-run=server|client|none]",
    short: "Create a secret for use with a Docker registry",
    long: "Create a secret with which a node can pull images from a registry that asks for a password. Pods name it in imagePullSecrets.",
    examples: &[(
        "For a registry",
        "kubectl create secret docker-registry regcred --docker-server=registry.example.com --docker-username=me --docker-password=s3cr3t",
    )],
    flags: &[FLAGS, COMMON[0], COMMON[1], COMMON[2], COMMON[3], COMMON[4]],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let name = name(&args)?;
    let part = |flag: &str| args.text(&format!("docker-{flag}")).to_owned();
    let (user, password, server) = (part("username"), part("password"), part("server"));
    let missing = user.is_empty() || password.is_empty() || server.is_empty();
    if missing && !args.changed("from-file") {
        return Err(Failure::message(
            "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required",
        ));
    }
    let base64 = base64::engine::general_purpose::STANDARD;
    let mut data = Map::new();
    if args.changed("from-file") {
        let pairs = sources::read(&session, &args)?;
        sources::check_keys(&pairs, "Secret", &name)?;
        data.extend(pairs.into_iter().map(|(key, value)| (key, Value::from(base64.encode(value)))));
    } else {
        // In the order of Docker's own struct.
        let mut entry = format!("\"username\":{},\"password\":{}", go_quote(&user), go_quote(&password));
        let email = part("email");
        if !email.is_empty() {
            entry += &format!(",\"email\":{}", go_quote(&email));
        }
        let auth = base64.encode(format!("{user}:{password}"));
        let config = format!("{{\"auths\":{{{}:{{{entry},\"auth\":\"{auth}\"}}}}}}", go_quote(&server));
        data.insert(KEY.into(), base64.encode(config).into());
    }
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "type": "kubernetes.io/dockerconfigjson",
        "data": data,
    });
    finish(session, args, secret).await
}
