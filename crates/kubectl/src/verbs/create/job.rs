//! `kubectl create job`.

use std::rc::Rc;

use json::{Map, Value, json};

use super::{COMMON, create, name, resource};
use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, text};
use crate::rest::Rest;
use crate::session::Session;
use crate::targets::{self, Query};

static FLAGS: &[Flag] = &[
    text("image", "", "Image to run."),
    text("from", "", "Where to take the job from: cronjob/NAME runs a cron job now."),
];

/// The command.
pub static JOB: Command = Command {
    name: "job",
    usage: "NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...]",
    short: "Create a job with the specified name",
    long: "Create a job: it runs a pod until that has ended well.",
    examples: &[
        ("A job", "kubectl create job my-job --image=busybox"),
        ("With a command of your own", "kubectl create job my-job --image=busybox -- date"),
        ("What a cron job does, now", "kubectl create job test-job --from=cronjob/a-cronjob"),
    ],
    flags: &[FLAGS, COMMON[0], COMMON[1], COMMON[2], COMMON[3], COMMON[4]],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let name = name(&args)?;
    let (image, from) = (args.text("image").to_owned(), args.text("from").to_owned());
    if image.is_empty() == from.is_empty() {
        return Err(Failure::message("either --image or --from must be specified"));
    }
    let command = args.after_dash().to_vec();
    if !command.is_empty() && !from.is_empty() {
        return Err(Failure::message("cannot specify --from and command"));
    }
    let object = if from.is_empty() {
        json!({
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name},
            "spec": {"template": template(&name, &image, &command, "Never")},
            "status": {},
        })
    } else {
        from_cron_job(&session.rest(&args)?, &args, &name, from).await?
    };
    create(session, args, resource("batch", "v1", "Job", "jobs", true), object, "job").await
}

/// The pods of a job that was made from flags.
pub(super) fn template(name: &str, image: &str, command: &[String], restart: &str) -> Value {
    let mut container = json!({"image": image, "name": name, "resources": {}});
    if !command.is_empty() {
        container["command"] = json!(command);
    }
    json!({"metadata": {}, "spec": {"containers": [container], "restartPolicy": restart}})
}

async fn from_cron_job(rest: &Rest, args: &Args, name: &str, from: String) -> Outcome<Value> {
    let query = Query::from_args(rest, args, &[from]).await?;
    let mut found = targets::fetch(rest, &query).await?.all()?;
    let Some(source) = found.pop().filter(|_| found.is_empty()) else {
        return Err(Failure::message("from must be an existing cronjob"));
    };
    let cron_job = source.object;
    if cron_job.kind() != "CronJob" {
        return Err(Failure::message(format!("unknown object type *v1.{}", cron_job.kind())));
    }
    let mut annotations = Map::new();
    annotations.insert("cronjob.kubernetes.io/instantiate".into(), "manual".into());
    let own = cron_job.at("spec.jobTemplate.metadata.annotations").as_object().cloned();
    annotations.extend(own.unwrap_or_default());
    let mut metadata = json!({
        "name": name,
        "annotations": annotations,
        "ownerReferences": [{"apiVersion": "batch/v1", "kind": "CronJob", "name": cron_job.name(),
            "uid": cron_job.uid(), "controller": true}],
    });
    let labels = cron_job.at("spec.jobTemplate.metadata.labels");
    if labels.is_object() {
        metadata["labels"] = labels.clone();
    }
    Ok(json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": cron_job.at("spec.jobTemplate.spec"),
        "status": {},
    }))
}
