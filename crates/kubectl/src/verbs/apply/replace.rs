//! `kubectl apply --force`: what cannot be changed is deleted and made anew (`Patcher.deleteAndCreate`).

use std::time::Duration;

use json::{Value, json};

use crate::failure::{Failure, Outcome};
use crate::flags::Args;
use crate::printers::output::DryRun;
use crate::rest::Rest;
use crate::targets::Named;

/// How long it waits between two looks at whether the object is gone.
const LOOK: Duration = Duration::from_secs(1);

/// Refuses what does not go together.
///
/// # Errors
/// `--force` with something that it does not work with.
pub(super) fn check(args: &Args, dry_run: DryRun) -> Outcome {
    if !args.on("force") {
        return Ok(());
    }
    let with = if args.on("server-side") {
        "--force cannot be used with --server-side"
    } else if dry_run == DryRun::Server {
        "--dry-run=server cannot be used with --force"
    } else if args.on("prune") {
        "--force cannot be used with --prune"
    } else {
        return Ok(());
    };
    Err(Failure::message(with))
}

/// Whether the object is to be replaced after the server has refused its patch.
pub(super) fn is_wanted(args: &Args, refusal: &Failure) -> bool {
    args.on("force") && (refusal.is_conflict() || refusal.reason() == "Invalid")
}

/// Deletes the object, waits until it is gone, and creates it as it is wanted; if that is refused, as it was.
///
/// # Errors
/// It cannot be deleted, is not gone in time, or cannot be created.
pub(super) async fn replace(rest: &Rest, args: &Args, named: &Named, wanted: &Value, was: &Value) -> Outcome<Value> {
    let policy = match args.text("cascade") {
        "foreground" => "Foreground",
        "orphan" => "Orphan",
        _ => "Background",
    };
    let mut options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": policy});
    if args.int("grace-period") >= 0 {
        options["gracePeriodSeconds"] = args.int("grace-period").into();
    }
    rest.delete(&named.path(), &options).await?;
    let deadline = rest.session.sim.now() + Duration::from_nanos(u64::try_from(args.duration("timeout")).unwrap_or(0));
    loop {
        match rest.get(&named.path()).await {
            Ok(_) => {}
            Err(failure) if failure.is_not_found() => break,
            Err(failure) => return Err(failure),
        }
        let left = deadline.saturating_since(rest.session.sim.now());
        if left.is_zero() {
            return Err(Failure::message("context deadline exceeded"));
        }
        rest.session.sim.sleep(left.min(LOOK)).await;
    }
    let collection = named.resource.collection(&named.namespace);
    let refused = match rest.post(&collection, wanted).await {
        Ok(created) => return Ok(created),
        Err(refused) => refused,
    };
    let mut was = was.clone();
    if let Some(metadata) = was["metadata"].as_object_mut() {
        // Nothing that is created has one.
        metadata.remove("resourceVersion");
    }
    match rest.post(&collection, &was).await {
        Ok(_) => Err(refused),
        Err(again) => Err(Failure::message(format!(
            "An error occurred force-replacing the existing object with the newly provided one:\n\n{}.\n\nAdditionally, an error occurred attempting to restore the original object:\n\n{}",
            refused.bare(),
            again.bare()
        ))),
    }
}
