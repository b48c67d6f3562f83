//! `kubectl create token` (`kubectl/pkg/cmd/create/create_token.go`).

use std::rc::Rc;

use json::json;

use super::name;
use crate::failure::{Failure, Outcome};
use crate::flags::common::PRINT;
use crate::flags::{Action, Args, COMMAND, Command, Flag, array, duration, text};
use crate::printers::output::{self, Format};
use crate::session::Session;

static FLAGS: &[Flag] = &[
    array("audience", "Whom the token is meant for; may be repeated. Without it, the API server."),
    text("bound-object-kind", "", "Kind of an object with which the token ends: Node, Pod or Secret."),
    text("bound-object-name", "", "Name of that object."),
    text("bound-object-uid", "", "UID of that object."),
    duration("duration", "0s", "How long the token lasts; the server may decide otherwise."),
];

/// The command.
pub static TOKEN: Command = Command {
    name: "token",
    usage: "SERVICE_ACCOUNT_NAME",
    short: "Request a service account token",
    long: "Ask the server for a token with which you, or a program, act as a service account.",
    examples: &[
        ("A token of the service account robot", "kubectl create token robot"),
        ("One that lasts ten minutes", "kubectl create token robot --duration 10m"),
    ],
    flags: &[FLAGS, PRINT],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

/// Kinds to which a token can be bound; all of them are `v1`.
const KINDS: &[&str] = &["Node", "Pod", "Secret"];

/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;

fn check(args: &Args) -> Result<(), String> {
    let lasts = args.duration("duration");
    if lasts < 0 {
        return Err("--duration must be greater than or equal to 0".into());
    }
    if lasts % SECOND != 0 {
        return Err("--duration cannot be expressed in units less than seconds".into());
    }
    if args.list("audience").iter().any(|a| a.is_empty()) {
        return Err("--audience must not be an empty string".into());
    }
    let kind = args.text("bound-object-kind");
    if kind.is_empty() {
        for flag in ["bound-object-name", "bound-object-uid"] {
            if !args.text(flag).is_empty() {
                return Err(format!("--{flag} can only be set if --bound-object-kind is provided"));
            }
        }
        return Ok(());
    }
    if !KINDS.contains(&kind) {
        return Err(format!("supported --bound-object-kind values are {}", KINDS.join(", ")));
    }
    if args.text("bound-object-name").is_empty() {
        return Err("--bound-object-name is required if --bound-object-kind is provided".into());
    }
    Ok(())
}

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let name = name(&args)?;
    let format = output::format(&session, &args, output::FORMATS)?;
    check(&args).map_err(Failure::message)?;
    let mut request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
    if !args.list("audience").is_empty() {
        request["spec"]["audiences"] = json!(args.list("audience"));
    }
    if args.duration("duration") > 0 {
        request["spec"]["expirationSeconds"] = (args.duration("duration") / SECOND).into();
    }
    if !args.text("bound-object-kind").is_empty() {
        let mut bound = json!({
            "kind": args.text("bound-object-kind"), "apiVersion": "v1", "name": args.text("bound-object-name"),
        });
        if !args.text("bound-object-uid").is_empty() {
            bound["uid"] = args.text("bound-object-uid").into();
        }
        request["spec"]["boundObjectRef"] = bound;
    }
    let rest = session.rest(&args)?;
    let path = format!("/api/v1/namespaces/{}/serviceaccounts/{name}/token", rest.namespace());
    let failed = |why: &str| Failure::message(format!("failed to create token: {why}"));
    let answer = rest.post(&path, &request).await.map_err(|f| failed(&f.bare()))?;
    let token = answer["status"]["token"].as_str().unwrap_or("");
    if token.is_empty() {
        return Err(failed("no token in server response"));
    }
    if let Format::Objects(printer) = &format {
        let (text, outcome) = printer.print(&answer);
        session.out(text).await?;
        return outcome;
    }
    // People get a line, programs the token alone.
    session.out(if session.place.out_is_tty() { format!("{token}\n") } else { token.to_owned() }).await
}
