//! `kubectl create -f`.

use std::rc::Rc;

use super::{
    configmap, cronjob, deployment, ingress, job, namespace, policies, role, rolebinding, secret, service,
    serviceaccount, validation,
};
use crate::failure::{Failure, Outcome};
use crate::flags::common::{DRY_RUN, FILES, PRINT, SAVE_CONFIG, SELECTOR, VALIDATE, field_manager};
use crate::flags::{Action, Args, COMMAND, Command, Flag, switch, text};
use crate::last_applied;
use crate::printers::output::{DryRun, Reporter};
use crate::rest::{Rest, with_query};
use crate::session::Session;
use crate::targets::{self, Named, Query, Target, has_files};
use crate::verbs::edit;

static FLAGS: &[Flag] = &[
    switch("edit", "Edit the objects before they are created."),
    field_manager("kubectl-create"),
    text("raw", "", "Send standard input or the file to this path of the server."),
    switch("windows-line-endings", "With --edit, end lines as Windows does."),
];

/// The command.
pub static CREATE: Command = Command {
    name: "create",
    usage: "-f FILENAME",
    short: "Create a resource from a file or from stdin",
    long: "Create objects from files or from standard input, as YAML or JSON. The sub-commands make common objects without a file.",
    examples: &[
        ("The object in pod.yaml", "kubectl create -f ./pod.yaml"),
        ("An object from standard input", "cat pod.yaml | kubectl create -f -"),
        ("A deployment without a file", "kubectl create deployment web --image=nginx"),
    ],
    flags: &[FLAGS, DRY_RUN, FILES, PRINT, SAVE_CONFIG, SELECTOR, VALIDATE],
    commands: &[
        &configmap::CONFIG_MAP,
        &cronjob::CRON_JOB,
        &deployment::DEPLOYMENT,
        &ingress::INGRESS,
        &job::JOB,
        &namespace::NAMESPACE,
        &policies::DISRUPTION_BUDGET,
        &policies::PRIORITY_CLASS,
        &policies::QUOTA,
        &role::CLUSTER_ROLE,
        &role::ROLE,
        &rolebinding::CLUSTER_ROLE_BINDING,
        &rolebinding::ROLE_BINDING,
        &secret::SECRET,
        &service::SERVICE,
        &serviceaccount::SERVICE_ACCOUNT,
        &super::token::TOKEN,
    ],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    if !args.words.is_empty() {
        return Err(args.usage(format!("Unexpected args: [{}]", args.words.join(" "))));
    }
    if !has_files(&args) {
        return Err(Failure::message("must specify one of -f and -k"));
    }
    if args.changed("filename") && args.changed("kustomize") {
        return Err(Failure::message("only one of -f or -k can be specified"));
    }
    if args.on("edit") {
        return edit::before_create(session, args).await;
    }
    let dry_run = DryRun::from_args(&session, &args).await?;
    let reporter = Reporter::new(&session, &args, dry_run)?;
    let validation = validation(args.text("validate"))?;
    let rest = session.rest(&args)?;
    let query = Query::from_args(&rest, &args, &[]).await?;
    let (wanted, mut failures) = targets::resolve(&rest, &query).await?;
    if wanted.is_empty() && failures.is_empty() {
        return Err(Failure::message("no objects passed to create"));
    }
    for target in wanted {
        let Target::Named(named) = target else { continue };
        match create_one(&rest, &args, &named, dry_run, validation).await {
            Ok(created) => reporter.report(&named.resource, &created, "created").await?,
            Err(failure @ Failure::Transport(..)) => return Err(failure),
            Err(failure) => {
                let source = named.manifest.as_ref().map_or("", |m| m.source.as_str());
                failures.push(failure.while_doing("creating", source));
            }
        }
    }
    Failure::several(failures)
}

async fn create_one(
    rest: &Rest,
    args: &Args,
    named: &Named,
    dry_run: DryRun,
    validation: &str,
) -> Outcome<json::Value> {
    let mut object = named.manifest.as_ref().map(|m| m.value.clone()).unwrap_or_default();
    if args.on("save-config") {
        last_applied::annotate(&mut object);
    }
    if dry_run == DryRun::Client {
        return Ok(object);
    }
    let path = with_query(
        &named.resource.collection(&named.namespace),
        &[
            ("dryRun", dry_run.parameter()),
            ("fieldManager", args.text("field-manager")),
            ("fieldValidation", validation),
        ],
    );
    rest.post(&path, &object).await
}
