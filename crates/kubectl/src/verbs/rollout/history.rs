//! `kubectl rollout history`.

use std::rc::Rc;

use api::Object;

use super::{FOUND, infos, revisions, template_in};
use crate::describe;
use crate::failure::{Failure, Outcome};
use crate::flags::common::PRINT;
use crate::flags::{Action, Args, COMMAND, Command, Flag, int};
use crate::printers::output::{self, FORMATS, Format};
use crate::printers::tabwriter::DESCRIBE;
use crate::rest::Rest;
use crate::session::Session;
use crate::targets::Info;

static FLAGS: &[Flag] = &[int("revision", "0", "Show the pod template of this revision.")];

/// The annotation that says why a revision was made.
pub const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

/// The command.
pub static HISTORY: Command = Command {
    name: "history",
    usage: "(TYPE NAME | TYPE/NAME) [flags]",
    short: "View rollout history",
    long: "Show the revisions that a workload went through.",
    examples: &[
        ("All revisions", "kubectl rollout history deployment/web"),
        ("One revision in detail", "kubectl rollout history deployment/web --revision=3"),
    ],
    flags: &[FLAGS, FOUND[0], FOUND[1], PRINT],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    if args.int("revision") < 0 {
        return Err(Failure::message(format!("revision must be a positive integer: {}", args.int("revision"))));
    }
    let rest = session.rest(&args)?;
    let format = output::format(&session, &args, FORMATS)?;
    let found = infos(&rest, &args, true).await?;
    let mut failures = found.failures;
    for info in found.infos {
        match one(&rest, &args, &info, &format).await {
            Err(failure @ Failure::Exit(_)) => return Err(failure),
            other => failures.extend(other.err()),
        }
    }
    Failure::several(failures)
}

async fn one(rest: &Rest, args: &Args, info: &Info, format: &Format) -> Outcome {
    let sets = revisions(rest, &info.object).await?;
    let wanted = args.int("revision");
    if let Format::Objects(printer) = format {
        let set = sets.iter().find(|(revision, _)| wanted == 0 || *revision == wanted);
        let set = set.ok_or_else(|| Failure::message("unable to find the specified revision"))?;
        let shown = match info.object.kind() {
            "Deployment" => set.1.value().clone(),
            // The object as it was then.
            _ => {
                let mut object = info.object.clone();
                object.set("spec.template", template_in(&set.1));
                object.into_value()
            }
        };
        let (text, outcome) = printer.print(crate::targets::info(shown, &info.named.resource).object.value());
        rest.session.out(text).await?;
        return outcome;
    }
    let (title, body) = if wanted > 0 {
        let set = sets.iter().find(|(revision, _)| *revision == wanted);
        let (_, set) = set.ok_or_else(|| Failure::message("unable to find the specified revision"))?;
        (format!("with revision #{wanted}"), template_of(set))
    } else {
        (String::new(), table(&sets))
    };
    rest.session.out(format!("{} {title}\n{body}\n", info.named.title())).await
}

fn table(sets: &[(i64, Object)]) -> String {
    let mut text = "REVISION\tCHANGE-CAUSE\n".to_owned();
    for (revision, set) in sets {
        let cause = set.annotation(CHANGE_CAUSE).filter(|c| !c.is_empty()).unwrap_or("<none>");
        text.push_str(&format!("{revision}\t{cause}\n"));
    }
    DESCRIBE.layout(&text)
}

/// The pod template of a revision, with tabs, as this command prints it. The change cause moves into it.
pub fn template_of(set: &Object) -> String {
    let mut template = template_in(set);
    if let Some(cause) = set.annotation(CHANGE_CAUSE).filter(|c| !c.is_empty()) {
        template["metadata"]["annotations"][CHANGE_CAUSE] = cause.into();
    }
    describe::pod_template_text(&template)
}
