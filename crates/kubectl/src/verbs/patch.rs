//! `kubectl patch` (`kubectl/pkg/cmd/patch`).

use std::rc::Rc;

use api::schema;
use json::Value;

use crate::failure::{Failure, Outcome};
use crate::flags::common::{DRY_RUN, FILES, PRINT, field_manager};
use crate::flags::{Action, Args, COMMAND, Command, Flag, switch, text};
use crate::printers::output::{DryRun, Reporter};
use crate::rest::{JSON_PATCH, MERGE_PATCH, Rest, STRATEGIC_PATCH, with_query};
use crate::session::Session;
use crate::targets::{self, Info, Query};

static FLAGS: &[Flag] = &[
    field_manager("kubectl-patch"),
    switch("local", "Work on the file alone, without the server."),
    text("patch", "", "The patch, as JSON or YAML.").short('p'),
    text("patch-file", "", "File with the patch."),
    text("subresource", "", "Patch this subresource."),
    text("type", "strategic", "Kind of patch: json, merge or strategic."),
];

/// The command.
pub static PATCH: Command = Command {
    name: "patch",
    usage: "(-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE]",
    short: "Update fields of a resource",
    long: "Change fields of an object by a strategic merge patch, a JSON merge patch or a JSON patch.",
    examples: &[
        ("Change one field", "kubectl patch deployment web -p '{\"spec\":{\"replicas\":2}}'"),
        (
            "By a JSON patch",
            "kubectl patch deployment web --type=json -p '[{\"op\":\"replace\",\"path\":\"/spec/replicas\",\"value\":2}]'",
        ),
    ],
    flags: &[FLAGS, DRY_RUN, FILES, PRINT],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let dry_run = DryRun::from_args(&session, &args).await?;
    let reporter = Reporter::new(&session, &args, DryRun::None)?.each_alone();
    if args.text("patch").is_empty() && args.text("patch-file").is_empty() {
        return Err(Failure::message("must specify --patch or --patch-file containing the contents of the patch"));
    }
    let kind = match args.text("type") {
        "json" => JSON_PATCH,
        "merge" => MERGE_PATCH,
        "strategic" => STRATEGIC_PATCH,
        other => {
            return Err(Failure::message(format!("--type must be one of [json merge strategic], not \"{other}\"")));
        }
    };
    let patch = read(&session, &args)?;
    if args.on("local") {
        for info in targets::as_written(&session, &args).await? {
            let object = local(&info, kind, &patch)?;
            reporter.report(&info.named.resource, &object, "patched").await?;
        }
        return Ok(());
    }
    let rest = session.rest(&args)?;
    let query = Query::from_args(&rest, &args, &args.words).await?;
    let found = targets::fetch(&rest, &query).await?;
    let mut failures = found.failures;
    for info in found.infos {
        match one(&rest, &args, &info, (kind, &patch), dry_run).await {
            Ok(object) => {
                let same = object == *info.object.value();
                let what = if same { "patched (no change)" } else { "patched" };
                reporter.report(&info.named.resource, &object, what).await?;
            }
            Err(failure) if failure.reason() == "UnsupportedMediaType" => {
                failures.push(Failure::message(format!(
                    "{kind} is not supported by {}: {}",
                    targets::gvk(&info.named.resource),
                    failure.bare()
                )));
            }
            Err(failure) => failures.push(failure),
        }
    }
    Failure::several(failures)
}

/// The patch: text that is JSON already goes as it is, so that the server can complain about it.
fn read(session: &Session, args: &Args) -> Outcome<String> {
    let text = match args.text("patch-file") {
        "" => args.text("patch").to_owned(),
        file => {
            let bytes = session.place.read_file(&session.absolute(file));
            let bytes =
                bytes.map_err(|why| Failure::message(format!("unable to read patch file: open {file}: {why}")))?;
            String::from_utf8_lossy(&bytes).into_owned()
        }
    };
    if text.trim_start().starts_with(['{', '[']) {
        return Ok(text);
    }
    let values = api::yaml::parse(&text).map_err(|why| {
        Failure::message(format!("unable to parse {}: yaml: {}", crate::flags::parse::go_quote(&text), why.problem))
    })?;
    Ok(values.first().map(Value::to_string).unwrap_or_default())
}

async fn one(rest: &Rest, args: &Args, info: &Info, (kind, patch): (&str, &str), dry_run: DryRun) -> Outcome<Value> {
    if dry_run == DryRun::Client {
        return local(info, kind, patch);
    }
    let path = info.named.path_of(args.text("subresource"));
    let path = with_query(&path, &[("dryRun", dry_run.parameter()), ("fieldManager", args.text("field-manager"))]);
    rest.patch_text(&path, kind, patch).await
}

fn local(info: &Info, kind: &str, patch: &str) -> Outcome<Value> {
    let why = |why: String| Failure::Message(why);
    let patch: Value = json::from_str(patch).map_err(|e| why(e.to_string()))?;
    let old = info.object.value();
    let resource = &info.named.resource;
    match kind {
        JSON_PATCH => api::patch::json_patch(old, &patch).map_err(|e| why(e.to_string())),
        MERGE_PATCH => Ok(api::patch::merge_patch(old, &patch)),
        _ => {
            let definition = schema::definition_of(&resource.api_version(), &resource.kind);
            api::patch::strategic_merge(old, &patch, definition).map_err(|e| why(e.to_string()))
        }
    }
}
