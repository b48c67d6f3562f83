//! `kubectl apply` (`kubectl/pkg/cmd/apply`): three-way strategic merge by the client, or server-side apply.

mod replace;
mod server_side;

use std::rc::Rc;

use api::schema;
use json::{Value, json};

use super::create::validation;
use super::{prune, set_last_applied};
use crate::failure::{Failure, Outcome};
use crate::flags::common::{DRY_RUN, FILES, PRINT, SELECTOR, VALIDATE, field_manager};
use crate::flags::{Action, Args, COMMAND, Command, Flag, duration, int, slice, switch, switch_on, text};
use crate::last_applied;
use crate::printers::output::{DryRun, Reporter};
use crate::rest::{MERGE_PATCH, Rest, STRATEGIC_PATCH, with_query};
use crate::session::Session;
use crate::targets::{self, Named, Query, Target, has_files};
use server_side::{MANAGER, ServerSide};

static FLAGS: &[Flag] = &[
    switch("all", "All objects, with --prune."),
    text("cascade", "background", "What happens to dependents of what is replaced.").bare("background"),
    field_manager("kubectl-client-side-apply"),
    switch("force", "Replace an object that cannot be changed."),
    switch("force-conflicts", "With --server-side, take fields over from other managers."),
    int("grace-period", "-1", "Seconds that a replaced object is given to end."),
    switch_on("openapi-patch", "Use the server's schema to compute the change."),
    switch_on("overwrite", "Overwrite what others changed."),
    switch("prune", "Delete what was applied before and is no longer in the files."),
    slice("prune-allowlist", "Types that --prune may delete."),
    switch("server-side", "Let the server merge."),
    text("subresource", "", "Apply to a subresource."),
    duration("timeout", "0s", "How long to wait for a deletion."),
    switch("wait", "Wait until what is replaced is gone."),
];

/// The command.
pub static APPLY: Command = Command {
    name: "apply",
    usage: "(-f FILENAME | -k DIRECTORY)",
    short: "Apply a configuration to a resource by file name or stdin",
    long: "Make objects be as files describe them: what is missing is created, what differs is changed, and what an earlier apply had set and the file no longer has is removed.",
    examples: &[
        ("What a file describes", "kubectl apply -f ./deployment.yaml"),
        ("All files of a directory", "kubectl apply -f ./manifests/"),
        ("From standard input", "cat deployment.yaml | kubectl apply -f -"),
    ],
    flags: &[FLAGS, DRY_RUN, FILES, PRINT, SELECTOR, VALIDATE],
    commands: &[&set_last_applied::EDIT, &set_last_applied::SET, &VIEW_LAST_APPLIED],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

static VIEW_FLAGS: &[Flag] =
    &[switch("all", "All objects of the type."), text("output", "yaml", "yaml or json.").short('o')];

/// `kubectl apply view-last-applied`.
static VIEW_LAST_APPLIED: Command = Command {
    name: "view-last-applied",
    usage: "(TYPE [NAME | -l label] | TYPE/NAME | -f FILENAME)",
    short: "View the latest last-applied-configuration annotations of a resource/object",
    long: "Show what was applied last.",
    flags: &[VIEW_FLAGS, FILES, SELECTOR],
    action: Action::Run(|session, args| Box::pin(view_last_applied(session, args))),
    ..COMMAND
};

struct Apply {
    rest: Rest,
    args: Args,
    dry_run: DryRun,
    validation: &'static str,
}

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    if !args.words.is_empty() {
        return Err(args.usage(format!("Unexpected args: [{}]", args.words.join(" "))));
    }
    if args.changed("filename") && args.changed("kustomize") {
        return Err(Failure::message("only one of -f or -k can be specified"));
    }
    if !has_files(&args) {
        return Err(Failure::message("must specify one of -f and -k"));
    }
    prune::check(&args)?;
    let dry_run = DryRun::from_args(&session, &args).await?;
    let reporter = Reporter::new(&session, &args, dry_run)?;
    if args.on("force-conflicts") && !args.on("server-side") {
        return Err(Failure::message("--force-conflicts only works with --server-side"));
    }
    if dry_run == DryRun::Client && args.on("server-side") {
        return Err(Failure::message(
            "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)",
        ));
    }
    replace::check(&args, dry_run)?;
    if !args.text("subresource").is_empty() && !args.on("server-side") {
        return Err(Failure::message("--subresource can only be specified for --server-side"));
    }
    let validation = validation(args.text("validate"))?;
    let rest = session.rest(&args)?;
    let query = Query::from_args(&rest, &args, &[]).await?;
    let (wanted, mut failures) = targets::resolve(&rest, &query).await?;
    if wanted.is_empty() && failures.is_empty() {
        return Err(Failure::message("no objects passed to apply"));
    }
    let apply = Apply { rest, args, dry_run, validation };
    let (mut visited, mut applied) = (prune::Visited::default(), Vec::new());
    for target in wanted {
        let Target::Named(named) = target else { continue };
        match apply.one(&named).await {
            Ok((object, what)) => {
                visited.note(object["metadata"]["uid"].as_str().unwrap_or(""), &named.namespace);
                if !object["metadata"]["deletionTimestamp"].is_null() {
                    let name = object["metadata"]["name"].as_str().unwrap_or_default();
                    let warning =
                        format!("Warning: Detected changes to resource {name} which is currently being deleted.\n");
                    apply.rest.session.err(warning).await;
                }
                match reporter.prints_list() {
                    true => applied.push(object),
                    false => reporter.report(&named.resource, &object, what).await?,
                }
            }
            Err(failure @ (Failure::Transport(..) | Failure::Exit(_))) => return Err(failure),
            Err(failure) => failures.push(failure),
        }
    }
    Failure::several(failures)?;
    reporter.list(applied).await?;
    if apply.args.on("prune") {
        prune::run(&apply.rest, &apply.args, &visited, dry_run, &reporter).await?;
    }
    Ok(())
}

impl Apply {
    fn parameters(&self) -> [(&'static str, &str); 3] {
        [
            ("dryRun", self.dry_run.parameter()),
            ("fieldManager", self.args.text("field-manager")),
            ("fieldValidation", self.validation),
        ]
    }

    async fn one(&self, named: &Named) -> Outcome<(Value, &'static str)> {
        let (manifest, source) = match &named.manifest {
            Some(document) => (document.value.clone(), document.source.clone()),
            None => (Value::Null, String::new()),
        };
        if self.args.on("server-side") {
            return self.on_server(named, &manifest).await;
        }
        if named.name.is_empty() {
            let generate = manifest["metadata"]["generateName"].as_str().unwrap_or("");
            if !generate.is_empty() {
                return Err(Failure::message(format!("from {generate}: cannot use generate name with apply")));
            }
            return Err(Failure::message(format!(
                "error when retrieving current configuration of:\n{}\nfrom server for: \"{source}\": resource name may not be empty",
                description(named)
            )));
        }
        let current = match self.rest.get(&named.path()).await {
            Ok(current) => current,
            Err(failure) if failure.is_not_found() => return self.create(named, manifest, &source).await,
            Err(failure) => {
                let doing = format!("retrieving current configuration of:\n{}\nfrom server for:", description(named));
                return Err(failure.while_doing(&doing, &source));
            }
        };
        self.change(named, &manifest, current, &source).await
    }

    async fn create(&self, named: &Named, mut manifest: Value, source: &str) -> Outcome<(Value, &'static str)> {
        last_applied::annotate(&mut manifest);
        prune_nulls(&mut manifest);
        if self.dry_run == DryRun::Client {
            return Ok((manifest, "created"));
        }
        let path = with_query(&named.resource.collection(&named.namespace), &self.parameters());
        let created = self.rest.post(&path, &manifest).await.map_err(|f| f.while_doing("creating", source))?;
        Ok((created, "created"))
    }

    async fn change(
        &self,
        named: &Named,
        manifest: &Value,
        current: Value,
        source: &str,
    ) -> Outcome<(Value, &'static str)> {
        if last_applied::of(&current).is_none() {
            self.rest
                .session
                .err(format!(
                    "Warning: resource {}/{} is missing the {} annotation which is required by kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create --save-config or kubectl apply. The missing annotation will be patched automatically.\n",
                    named.resource.plural,
                    named.name,
                    last_applied::KEY
                ))
                .await;
        }
        let mut modified = manifest.clone();
        last_applied::annotate(&mut modified);
        let mut live = current;
        // Someone else may have changed the object between reading and patching it.
        for attempt in 1.. {
            let (patch, strategic) = three_way(named, &modified, &live)?;
            if patch.as_object().is_some_and(json::Map::is_empty) {
                return Ok((live, "unchanged"));
            }
            if self.dry_run == DryRun::Client {
                let definition = schema::definition_of(&named.resource.api_version(), &named.resource.kind);
                let merged = api::patch::strategic_merge(&live, &patch, definition)
                    .map_err(|why| Failure::message(why.to_string()))?;
                return Ok((merged, "configured"));
            }
            let kind = if strategic { STRATEGIC_PATCH } else { MERGE_PATCH };
            let path = with_query(&named.path(), &self.parameters());
            match self.rest.patch(&path, kind, &patch).await {
                Ok(object) => return Ok((object, "configured")),
                Err(f)
                    if f.is_conflict()
                        && attempt <= CONFLICT_RETRIES_MAX
                        && patch["metadata"]["resourceVersion"].is_null() =>
                {
                    live = self.rest.get(&named.path()).await?;
                }
                Err(f) if replace::is_wanted(&self.args, &f) => {
                    let made = replace::replace(&self.rest, &self.args, named, &modified, &live).await;
                    let patch = crate::goval::json(&modified) + "\n";
                    return made
                        .map(|made| (made, "configured"))
                        .map_err(|f| f.while_doing(&applying(named, &patch), source));
                }
                Err(f) => return Err(self.failed(named, f, &patch, source)),
            }
        }
        Ok((live, "unchanged"))
    }

    fn failed(&self, named: &Named, failure: Failure, patch: &Value, source: &str) -> Failure {
        let doing = format!("{} \"{source}\": error when patching", applying(named, &crate::goval::json(patch)));
        match failure {
            Failure::Status(status, _) => Failure::Status(status, format!("error when {doing} \"{source}\"")),
            other => other,
        }
    }

    async fn on_server(&self, named: &Named, manifest: &Value) -> Outcome<(Value, &'static str)> {
        if named.name.is_empty() {
            let generate = manifest["metadata"]["generateName"].as_str().unwrap_or("");
            if !generate.is_empty() {
                return Err(Failure::message(format!("from {generate}: cannot use generate name with apply")));
            }
        }
        let server_side = ServerSide {
            rest: &self.rest,
            path: named.path_of(self.args.text("subresource")),
            manager: if self.args.changed("field-manager") { self.args.text("field-manager") } else { MANAGER },
            dry_run: self.dry_run.parameter(),
            validation: self.validation,
            force: self.args.on("force-conflicts"),
        };
        let object = server_side.apply(manifest).await?;
        Ok((server_side.migrated(manifest, object).await?, "serverside-applied"))
    }
}

/// The patch that brings a live object to a manifest, and whether it is a strategic one.
pub fn three_way(named: &Named, modified: &Value, live: &Value) -> Outcome<(Value, bool)> {
    let original: Value = last_applied::of(live).and_then(|t| json::from_str(t).ok()).unwrap_or_else(|| json!({}));
    let definition = schema::definition_of(&named.resource.api_version(), &named.resource.kind);
    let patch = match definition {
        Some(definition) => api::patch::three_way_strategic(&original, modified, live, Some(definition)),
        None => api::patch::three_way_json(&original, modified, live),
    };
    let patch = patch.map_err(|why| Failure::message(why.to_string()))?;
    Ok((patch, definition.is_some()))
}

/// How often a patch is computed anew after a conflict.
const CONFLICT_RETRIES_MAX: u32 = 5;

/// What is being done, as messages say it before the name of the file.
fn applying(named: &Named, patch: &str) -> String {
    format!("applying patch:\n{patch}\nto:\n{}\nfor:", description(named))
}

/// The object in the words of `resource.Info.String`.
fn description(named: &Named) -> String {
    let resource = &named.resource;
    let version = if resource.group.is_empty() { format!("/{}", resource.version) } else { resource.api_version() };
    format!(
        "Resource: \"{version}, Resource={}\", GroupVersionKind: \"{version}, Kind={}\"\nName: \"{}\", Namespace: \"{}\"",
        resource.plural, resource.kind, named.name, named.namespace
    )
}

fn prune_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, v| !v.is_null());
            map.values_mut().for_each(prune_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(prune_nulls),
        _ => {}
    }
}

async fn view_last_applied(session: Rc<Session>, args: Args) -> Outcome {
    let as_json = match args.text("output") {
        "json" => true,
        "yaml" | "" => false,
        other => {
            return Err(Failure::message(format!(
                "Unexpected -o output mode: {other}, the flag 'output' must be one of yaml|json"
            )));
        }
    };
    let rest = session.rest(&args)?;
    let query = Query::from_args(&rest, &args, &args.words).await?;
    for info in targets::fetch(&rest, &query).await?.all()? {
        let Some(text) = last_applied::of(info.object.value()) else {
            return Err(Failure::message(format!(
                "no last-applied-configuration annotation found on resource: {}",
                info.named.name
            )));
        };
        let value: Value = json::from_str(text).map_err(|why| Failure::message(why.to_string()))?;
        let text = if as_json { crate::goval::json_indent(&value, "  ") + "\n" } else { api::yaml::emit(&value) };
        session.out(text).await?;
    }
    Ok(())
}
