//! `kubectl create` and its sub-commands (`kubectl/pkg/cmd/create`).

pub mod configmap;
pub mod cronjob;
pub mod deployment;
pub mod from_files;
pub mod ingress;
pub mod job;
pub mod namespace;
pub mod policies;
pub mod role;
pub mod rolebinding;
pub mod secret;
pub mod secret_docker;
pub mod secret_tls;
pub mod service;
pub mod serviceaccount;
pub mod sources;
pub mod token;

use std::rc::Rc;

use json::Value;

use crate::discovery::Resource;
use crate::failure::{Failure, Outcome};
use crate::flags::common::{DRY_RUN, PRINT, SAVE_CONFIG, VALIDATE, field_manager};
use crate::flags::{Args, Flag};
use crate::last_applied;
use crate::printers::output::{DryRun, Reporter};
use crate::rest::with_query;
use crate::session::Session;

static MANAGER: &[Flag] = &[field_manager("kubectl-create")];

/// The flags of every sub-command.
pub static COMMON: [&[Flag]; 5] = [PRINT, DRY_RUN, VALIDATE, SAVE_CONFIG, MANAGER];

/// The one NAME that most sub-commands take.
pub fn name(args: &Args) -> Outcome<String> {
    match args.before_dash() {
        [name] => Ok(name.clone()),
        words => Err(args.usage(format!("exactly one NAME is required, got {}", words.len()))),
    }
}

/// A resource that can be named without asking the server.
pub fn resource(group: &str, version: &str, kind: &str, plural: &str, namespaced: bool) -> Resource {
    Resource {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
        namespaced,
        ..Resource::default()
    }
}

/// Creates an object that was made here, or shows it with `--dry-run=client`.
///
/// `what` is how failures name it: `failed to create deployment: ...`; empty leaves failures as they are.
pub async fn create(session: Rc<Session>, args: Args, resource: Resource, mut object: Value, what: &str) -> Outcome {
    let dry_run = DryRun::from_args(&session, &args).await?;
    let reporter = Reporter::new(&session, &args, dry_run)?;
    let rest = session.rest(&args)?;
    if resource.namespaced && rest.connection.namespace_given {
        object["metadata"]["namespace"] = rest.namespace().into();
    }
    if args.on("save-config") {
        last_applied::annotate(&mut object);
    }
    if dry_run == DryRun::Client {
        return reporter.report_typed(&resource, &object, "created").await;
    }
    let path = with_query(
        &resource.collection(rest.namespace()),
        &[
            ("dryRun", dry_run.parameter()),
            ("fieldManager", args.text("field-manager")),
            ("fieldValidation", validation(args.text("validate"))?),
        ],
    );
    let created = rest.post(&path, &object).await.map_err(|failure| match failure {
        Failure::Status(..) if !what.is_empty() => {
            Failure::message(format!("failed to create {what}: {}", failure.bare()))
        }
        other => other,
    })?;
    reporter.report_typed(&resource, &created, "created").await
}

/// `--append-hash`: a config map or secret with other content gets another name.
pub fn append_hash(args: &Args, object: &mut Value) {
    if args.on("append-hash") {
        let name = object["metadata"]["name"].as_str().unwrap_or("").to_owned();
        let hash = crate::hashes::suffix(object, &name, &Value::Null);
        object["metadata"]["name"] = format!("{name}-{hash}").into();
    }
}

/// The `fieldValidation` parameter for `--validate`.
pub fn validation(flag: &str) -> Outcome<&'static str> {
    match flag {
        "strict" | "true" | "" => Ok("Strict"),
        "warn" => Ok("Warn"),
        "ignore" | "false" => Ok("Ignore"),
        other => Err(Failure::message(format!(
            "invalid - validate option \"{other}\"; must be one of: strict (or true), warn, ignore (or false)"
        ))),
    }
}
