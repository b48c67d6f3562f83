//! `kubectl create cronjob`.

use std::rc::Rc;

use json::json;

use super::{COMMON, create, job, name, resource};
use crate::failure::Outcome;
use crate::flags::{Action, Args, COMMAND, Command, Flag, text};
use crate::session::Session;

static FLAGS: &[Flag] = &[
    text("image", "", "Image to run."),
    text("schedule", "", "When to run: minute, hour, day, month and weekday as cron writes them."),
    text("restart", "", "What happens to a pod that fails: OnFailure or Never."),
];

/// The command.
pub static CRON_JOB: Command = Command {
    name: "cronjob",
    aliases: &["cj"],
    usage: "NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...]",
    short: "Create a cron job with the specified name",
    long: "Create a cron job: it makes a job at every time that its schedule names.",
    examples: &[
        ("Every minute", "kubectl create cronjob my-job --image=busybox --schedule=\"*/1 * * * *\""),
        (
            "With a command of your own",
            "kubectl create cronjob my-job --image=busybox --schedule=\"*/1 * * * *\" -- date",
        ),
    ],
    flags: &[FLAGS, COMMON[0], COMMON[1], COMMON[2], COMMON[3], COMMON[4]],
    required: &["image", "schedule"],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let name = name(&args)?;
    let restart = match args.text("restart") {
        "" => "OnFailure",
        given => given,
    };
    let template = job::template(&name, args.text("image"), args.after_dash(), restart);
    let object = json!({
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name},
        "spec": {
            "jobTemplate": {"metadata": {"name": name}, "spec": {"template": template}},
            "schedule": args.text("schedule"),
        },
        "status": {},
    });
    create(session, args, resource("batch", "v1", "CronJob", "cronjobs", true), object, "cronjob").await
}
