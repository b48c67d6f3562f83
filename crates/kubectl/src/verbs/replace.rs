//! `kubectl replace` (`kubectl/pkg/cmd/replace`).

use std::rc::Rc;

use json::{Value, json};

use super::create::validation;
use crate::failure::{Failure, Outcome};
use crate::flags::common::{DRY_RUN, FILES, PRINT, SAVE_CONFIG, VALIDATE, field_manager};
use crate::flags::{Action, Args, COMMAND, Command, Flag, duration, int, switch, text};
use crate::last_applied;
use crate::printers::output::{DryRun, Reporter};
use crate::rest::{Rest, with_query};
use crate::session::Session;
use crate::targets::{self, Named, Query, Target, has_files};
use crate::waiting;

static FLAGS: &[Flag] = &[
    text("cascade", "background", "What happens to dependents of what is replaced.").bare("background"),
    field_manager("kubectl-replace"),
    switch("force", "Delete the object and create it anew."),
    int("grace-period", "-1", "With --force, seconds that the object is given to end."),
    text("raw", "", "Send PUT to this path of the server."),
    text("subresource", "", "Replace this subresource."),
    duration("timeout", "0s", "With --force, how long to wait for the deletion."),
    switch("wait", "With --force, wait until the object is gone."),
];

/// The command.
pub static REPLACE: Command = Command {
    name: "replace",
    usage: "-f FILENAME",
    short: "Replace a resource by file name or stdin",
    long: "Put what a file describes in the place of an object. The file must be whole.",
    examples: &[
        ("By a file", "kubectl replace -f ./pod.json"),
        ("Delete and create anew", "kubectl replace --force -f ./pod.json"),
    ],
    flags: &[FLAGS, DRY_RUN, FILES, PRINT, SAVE_CONFIG, VALIDATE],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    if !has_files(&args) {
        return Err(Failure::message("must specify one of -f and -k"));
    }
    let dry_run = DryRun::from_args(&session, &args).await?;
    let reporter = Reporter::new(&session, &args, dry_run)?;
    let validation = validation(args.text("validate"))?;
    let rest = session.rest(&args)?;
    let query = Query::from_args(&rest, &args, &[]).await?;
    let (wanted, mut failures) = targets::resolve(&rest, &query).await?;
    for target in wanted {
        let Target::Named(named) = target else { continue };
        match one(&rest, &args, &named, dry_run, validation).await {
            Ok(object) => reporter.report(&named.resource, &object, "replaced").await?,
            Err(failure @ (Failure::Transport(..) | Failure::Exit(_))) => return Err(failure),
            Err(failure) => {
                let source = named.manifest.as_ref().map_or("", |m| m.source.as_str());
                failures.push(failure.while_doing("replacing", source));
            }
        }
    }
    Failure::several(failures)
}

async fn one(rest: &Rest, args: &Args, named: &Named, dry_run: DryRun, validation: &str) -> Outcome<Value> {
    let mut object = named.manifest.as_ref().map(|m| m.value.clone()).unwrap_or_default();
    if args.on("save-config") {
        last_applied::annotate(&mut object);
    }
    if dry_run == DryRun::Client {
        return Ok(object);
    }
    let parameters = [
        ("dryRun", dry_run.parameter()),
        ("fieldManager", args.text("field-manager")),
        ("fieldValidation", validation),
    ];
    if args.on("force") {
        force_delete(rest, args, named).await?;
        return rest.post(&with_query(&named.resource.collection(&named.namespace), &parameters), &object).await;
    }
    let path = named.path_of(args.text("subresource"));
    // Without a version of its own, the manifest replaces whatever is there.
    if object["metadata"]["resourceVersion"].is_null() {
        // Some types may be created in this way: the server decides.
        if let Ok(current) = rest.get(&path).await {
            object["metadata"]["resourceVersion"] = current["metadata"]["resourceVersion"].clone();
        }
    }
    rest.put(&with_query(&path, &parameters), &object).await
}

async fn force_delete(rest: &Rest, args: &Args, named: &Named) -> Outcome {
    let mut options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"});
    if args.int("grace-period") >= 0 {
        options["gracePeriodSeconds"] = args.int("grace-period").into();
    }
    match rest.delete(&named.path(), &options).await {
        Ok(_) => {}
        Err(failure) if failure.is_not_found() => return Ok(()),
        Err(failure) => return Err(failure),
    }
    let place = if named.namespace.is_empty() { String::new() } else { format!(" from {} namespace", named.namespace) };
    let line = format!("{} \"{}\" deleted{place}\n", named.resource.group_kind_lower(), named.name);
    rest.session.out(line).await?;
    let time = match args.duration("timeout") {
        0 => waiting::FOREVER_NANOS,
        time => time,
    };
    waiting::deleted(rest, named, "", time).await
}
