//! `kubectl certificate approve|deny` (`kubectl/pkg/cmd/certificates`).

use std::rc::Rc;

use json::{Value, json};

use super::create::resource;
use crate::failure::{Failure, Outcome};
use crate::flags::common::{FILES, PRINT};
use crate::flags::{Action, Args, COMMAND, Command, Flag, HelpTo, switch};
use crate::printers::output::{DryRun, Reporter};
use crate::session::Session;
use crate::targets::{self, Query};

static FLAGS: &[Flag] = &[switch("force", "Write the request even if it is decided already.")];

/// The group.
pub static CERTIFICATE: Command = Command {
    name: "certificate",
    usage: "SUBCOMMAND",
    short: "Modify certificate resources",
    long: "Approve or deny requests for certificates.",
    commands: &[&APPROVE, &DENY],
    action: Action::Group(HelpTo::Err),
    ..COMMAND
};

static APPROVE: Command = Command {
    name: "approve",
    usage: "(-f FILENAME | NAME)",
    short: "Approve a certificate signing request",
    long: "Approve a request for a certificate: a signer may then issue it. What it says of its owner becomes true by that, so read it first.",
    examples: &[("Approve a request", "kubectl certificate approve csr-sqgzp")],
    flags: &[FLAGS, FILES, PRINT],
    action: Action::Run(|session, args| Box::pin(run(session, args, &APPROVAL))),
    ..COMMAND
};

static DENY: Command = Command {
    name: "deny",
    usage: "(-f FILENAME | NAME)",
    short: "Deny a certificate signing request",
    long: "Deny a request for a certificate: no signer will issue it.",
    examples: &[("Deny a request", "kubectl certificate deny csr-sqgzp")],
    flags: &[FLAGS, FILES, PRINT],
    action: Action::Run(|session, args| Box::pin(run(session, args, &DENIAL))),
    ..COMMAND
};

/// A decision: its condition, the one that excludes it, and its words.
struct Decision {
    condition: &'static str,
    other: &'static str,
    reason: &'static str,
    message: &'static str,
    done: &'static str,
}

static APPROVAL: Decision = Decision {
    condition: "Approved",
    other: "Denied",
    reason: "KubectlApprove",
    message: "This CSR was approved by kubectl certificate approve.",
    done: "approved",
};

static DENIAL: Decision = Decision {
    condition: "Denied",
    other: "Approved",
    reason: "KubectlDeny",
    message: "This CSR was denied by kubectl certificate deny.",
    done: "denied",
};

async fn run(session: Rc<Session>, args: Args, decision: &'static Decision) -> Outcome {
    if args.words.is_empty() && !targets::has_files(&args) {
        return Err(Failure::message("one or more CSRs must be specified as <name> or -f <filename>"));
    }
    let reporter = Reporter::new(&session, &args, DryRun::None)?;
    let rest = session.rest(&args)?;
    let mut words = args.words.clone();
    if !words.is_empty() {
        words.insert(0, "certificatesigningrequests".to_owned());
    }
    let query = Query::from_args(&rest, &args, &words).await?;
    let found = targets::fetch(&rest, &query).await?;
    let mut failures = found.failures;
    let requests =
        resource("certificates.k8s.io", "v1", "CertificateSigningRequest", "certificatesigningrequests", false);
    for info in &found.infos {
        let name = info.object.name();
        let path = requests.object("", name);
        let mut request = rest.get(&path).await?;
        match decide(&mut request, decision) {
            Err(why) => {
                failures.push(Failure::message(format!("certificate signing request {name:?} is already {why}")));
                continue;
            }
            Ok(changed) if changed || args.on("force") => {
                rest.put(&format!("{path}/approval"), &request).await?;
            }
            Ok(_) => {}
        }
        reporter.report(&requests, info.object.value(), decision.done).await?;
    }
    Failure::several(failures)
}

/// Adds the condition; whether it was not there. `Err` names the other decision that has been taken.
fn decide(request: &mut Value, decision: &Decision) -> Result<bool, &'static str> {
    let conditions = request["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let has = |kind: &str| conditions.iter().any(|c| c["type"] == kind);
    if has(decision.other) {
        return Err(decision.other);
    }
    if has(decision.condition) {
        return Ok(false);
    }
    let mut conditions = conditions;
    conditions.push(json!({"type": decision.condition, "status": "True", "reason": decision.reason,
        "message": decision.message}));
    request["status"]["conditions"] = conditions.into();
    Ok(true)
}
