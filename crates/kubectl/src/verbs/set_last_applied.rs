//! `kubectl apply set-last-applied` and `edit-last-applied`: the annotation that `apply` compares with.

use std::rc::Rc;

use json::{Value, json};

use crate::editor;
use crate::failure::{Failure, Outcome};
use crate::flags::common::{DRY_RUN, FILES, PRINT, field_manager};
use crate::flags::{Action, Args, COMMAND, Command, Flag, switch};
use crate::printers::output::{DryRun, Reporter};
use crate::rest::{MERGE_PATCH, Rest, with_query};
use crate::session::Session;
use crate::targets::{self, Info, Named, Query, Target, has_files};
use crate::{goval, last_applied};

static SET_FLAGS: &[Flag] = &[switch("create-annotation", "Make the annotation if the object has none.")];

/// `kubectl apply set-last-applied`.
pub static SET: Command = Command {
    name: "set-last-applied",
    usage: "-f FILENAME",
    short: "Set the last-applied-configuration annotation on a live object to match the contents of a file",
    long: "Write down a file as what was applied last, without changing anything else of the object.",
    examples: &[("From a file", "kubectl apply set-last-applied -f deploy.yaml")],
    flags: &[SET_FLAGS, DRY_RUN, FILES, PRINT],
    action: Action::Run(|session, args| Box::pin(set(session, args))),
    ..COMMAND
};

static EDIT_FLAGS: &[Flag] =
    &[field_manager("kubectl-client-side-apply"), switch("windows-line-endings", "End lines as Windows does.")];

/// `kubectl apply edit-last-applied`.
pub static EDIT: Command = Command {
    name: "edit-last-applied",
    usage: "(RESOURCE/NAME | -f FILENAME)",
    short: "Edit latest last-applied-configuration annotations of a resource/object",
    long: "Open what was applied last in an editor, and keep what the editor saves as what was applied last.",
    examples: &[("Of a deployment", "kubectl apply edit-last-applied deployment/web")],
    flags: &[EDIT_FLAGS, FILES, PRINT],
    action: Action::Run(|session, args| Box::pin(edit(session, args))),
    ..COMMAND
};

const NOTHING_TO_EDIT: &str = "no last-applied-configuration annotation found on resources, to create the annotation, use command `kubectl apply set-last-applied --create-annotation`";

fn missing(name: &str, hint: &str) -> Failure {
    Failure::message(format!("no last-applied-configuration annotation found on resource: {name}{hint}"))
}

async fn set(session: Rc<Session>, args: Args) -> Outcome {
    let dry_run = DryRun::from_args(&session, &args).await?;
    let reporter = Reporter::new(&session, &args, dry_run)?;
    if !has_files(&args) {
        return Err(Failure::message("must specify one of -f and -k"));
    }
    let rest = session.rest(&args)?;
    let query = Query::from_args(&rest, &args, &[]).await?;
    let (wanted, failures) = targets::resolve(&rest, &query).await?;
    Failure::several(failures)?;
    let mut found = Vec::new();
    for target in wanted {
        let Target::Named(named) = target else { continue };
        let live = rest.get(&named.path()).await?;
        if last_applied::of(&live).is_none() && !args.on("create-annotation") {
            let hint = ", to create the annotation, run the command with --create-annotation";
            return Err(missing(&named.name, hint));
        }
        let manifest = named.manifest.as_ref().map_or(Value::Null, |document| document.value.clone());
        found.push((live, named, last_applied::text(&manifest)));
    }
    for (mut live, named, text) in found {
        if dry_run == DryRun::Client {
            live["metadata"]["annotations"][last_applied::KEY] = text.into();
        } else {
            live = write(&rest, &named, &text, dry_run).await?;
        }
        reporter.report(&named.resource, &live, "configured").await?;
    }
    Ok(())
}

/// Writes the annotation.
async fn write(rest: &Rest, named: &Named, text: &str, dry_run: DryRun) -> Outcome<Value> {
    let patch = json!({"metadata": {"annotations": {(last_applied::KEY): text}}});
    let path = with_query(&named.path(), &[("dryRun", dry_run.parameter())]);
    rest.patch(&path, MERGE_PATCH, &patch).await
}

async fn edit(session: Rc<Session>, args: Args) -> Outcome {
    let reporter = Reporter::new(&session, &args, DryRun::None)?;
    let rest = session.rest(&args)?;
    let query = Query::from_args(&rest, &args, &args.words).await?.all_of_type();
    for info in targets::fetch(&rest, &query).await?.all()? {
        one(&rest, &args, &info, &reporter).await?;
    }
    Ok(())
}

async fn one(rest: &Rest, args: &Args, info: &Info, reporter: &Reporter) -> Outcome {
    let Some(text) = last_applied::of(info.object.value()) else { return Err(Failure::message(NOTHING_TO_EDIT)) };
    let value: Value = json::from_str(text).map_err(|why| Failure::message(why.to_string()))?;
    let as_json = args.text("output") == "json";
    let (original, extension) =
        if as_json { (goval::json_indent(&value, "    ") + "\n", ".json") } else { (api::yaml::emit(&value), ".yaml") };
    let session = &rest.session;
    let original = if args.on("windows-line-endings") { original.replace('\n', "\r\n") } else { original };
    let (edited, file) = editor::launch(session, &original, extension).await.map_err(|(failure, _)| failure)?;
    session.place.remove_file(&file);
    let read = api::yaml::parse(&edited).map_err(|why| Failure::message(format!("{file}: {why}")))?;
    let Some(new) = read.into_iter().find(|v| !v.is_null()) else {
        session.err("Edit cancelled, saved file was empty.\n").await;
        return Ok(());
    };
    if new == value {
        session.err("Edit cancelled, no changes made.\n").await;
        return Ok(());
    }
    for field in ["apiVersion", "kind"] {
        if new[field] != value[field] {
            return Err(Failure::message(format!("{field} of the edited object must stay {}", value[field])));
        }
    }
    let object = write(rest, &info.named, &(goval::json(&new) + "\n"), DryRun::None).await?;
    reporter.report(&info.named.resource, &object, "edited").await
}
