//! `kubectl set` (`kubectl/pkg/cmd/set`).

pub mod env;
pub mod image;
pub mod others;

use std::rc::Rc;

use json::Value;

use crate::failure::{Failure, Outcome};
use crate::flags::common::{DRY_RUN, FILES, PRINT, SELECTOR, field_manager};
use crate::flags::{Action, Args, COMMAND, Command, Flag, HelpTo, switch};
use crate::printers::output::{DryRun, Reporter};
use crate::rest::{MERGE_PATCH, Rest, with_query};
use crate::session::Session;
use crate::targets::{self, Info, Query};

/// The parent command.
pub static SET: Command = Command {
    name: "set",
    usage: "SUBCOMMAND",
    short: "Set specific features on objects",
    long: "Change one feature of objects that exist.",
    commands: &[
        &env::ENV,
        &image::IMAGE,
        &others::RESOURCES,
        &others::SELECTOR_COMMAND,
        &others::SERVICE_ACCOUNT,
        &crate::verbs::refused::SET_SUBJECT,
    ],
    action: Action::Group(HelpTo::Err),
    ..COMMAND
};

static OWN: &[Flag] = &[
    switch("all", "All objects of the given types in the namespace."),
    switch("local", "Work on the file alone, without the server."),
    field_manager("kubectl-set"),
];

/// The flags of every sub-command.
pub static COMMON: [&[Flag]; 5] = [OWN, DRY_RUN, FILES, PRINT, SELECTOR];

/// Sends what changed in an object and reports; says nothing when nothing changed.
///
/// `failing` begins the sentence of a failure, e.g. `failed to patch image update to pod template: `.
pub async fn send(
    rest: &Rest,
    args: &Args,
    info: &Info,
    changed: Value,
    (reporter, dry_run): (&Reporter, DryRun),
    (what, failing): (&str, &str),
) -> Outcome {
    let patch = api::patch::create_merge_patch(info.object.value(), &changed);
    if patch.as_object().is_some_and(json::Map::is_empty) {
        return Ok(());
    }
    if dry_run == DryRun::Client || args.on("local") {
        return reporter.report(&info.named.resource, &changed, what).await;
    }
    let path = with_query(
        &info.named.path(),
        &[("dryRun", dry_run.parameter()), ("fieldManager", args.text("field-manager"))],
    );
    let object = rest.patch(&path, MERGE_PATCH, &patch).await.map_err(|failure| match failure {
        Failure::Status(..) => Failure::message(format!("{failing}{}", failure.bare())),
        other => other,
    })?;
    reporter.report(&info.named.resource, &object, what).await
}

/// The objects to be changed: from the server, or with `--local` as the files have them.
pub async fn objects(session: &Rc<Session>, rest: &Rest, args: &Args, words: &[String]) -> Outcome<Vec<Info>> {
    if args.on("local") {
        return targets::local(session, args).await;
    }
    let query = Query::from_args(rest, args, words).await?;
    targets::fetch(rest, &query).await?.all()
}
