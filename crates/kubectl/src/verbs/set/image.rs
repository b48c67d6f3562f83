//! `kubectl set image`.

use std::rc::Rc;

use json::Value;

use super::{COMMON, objects, send};
use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command};
use crate::podspec;
use crate::printers::output::{DryRun, Reporter};
use crate::session::Session;

/// The command.
pub static IMAGE: Command = Command {
    name: "image",
    usage: "(-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N",
    short: "Update the image of a pod template",
    long: "Change the images of containers. A deployment replaces its pods step by step when its image changes.",
    examples: &[
        ("A new image for one container", "kubectl set image deployment/web nginx=nginx:1.25"),
        ("The same image for every container", "kubectl set image deployment/web *=nginx:1.25"),
    ],
    flags: &COMMON,
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    let dry_run = DryRun::from_args(&session, &args).await?;
    let reporter = Reporter::new(&session, &args, dry_run)?;
    let (pairs, words): (Vec<String>, Vec<String>) = args.words.iter().cloned().partition(|w| w.contains('='));
    let rest = session.rest(&args)?;
    let infos = objects(&session, &rest, &args, &words).await?;
    let mut images: Vec<(String, String)> = Vec::new();
    for pair in &pairs {
        let (name, image) = pair.split_once('=').unwrap_or((pair, ""));
        if images.iter().any(|(n, _)| n == name) {
            return Err(Failure::message(
                "all containers are already specified by *, but saw more than one container_name=container_image pairs",
            ));
        }
        images.push((name.to_owned(), image.to_owned()));
    }
    if images.is_empty() {
        return Err(Failure::message("at least one image update is required"));
    }
    if images.len() > 1 && images.iter().any(|(n, _)| n == "*") {
        return Err(Failure::message(
            "all containers are already specified by *, but saw more than one container_name=container_image pairs",
        ));
    }
    let mut failures = Vec::new();
    for info in infos {
        let mut changed = info.object.value().clone();
        let missing = apply(&mut changed, &images);
        if !missing.is_empty() {
            failures.extend(missing.into_iter().map(Failure::Message));
            continue;
        }
        let words = ("image updated", "failed to patch image update to pod template: ");
        failures.extend(send(&rest, &args, &info, changed, (&reporter, dry_run), words).await.err());
    }
    // One failure in a list is said as it is.
    match failures.len() {
        0 => Ok(()),
        1 => Err(failures.remove(0)),
        _ => Err(Failure::Several(failures)),
    }
}

/// Puts the images in place; gives a sentence for each container that is not there.
fn apply(object: &mut Value, images: &[(String, String)]) -> Vec<String> {
    let Some(spec) = podspec::of_mut(object) else {
        return vec!["the object is not a pod or does not have a pod template: <nil>".to_owned()];
    };
    let mut missing = Vec::new();
    for (name, image) in images {
        let mut found = name == "*";
        podspec::each_container(spec, |container| {
            if name == "*" || podspec::name(container) == name {
                container["image"] = image.as_str().into();
                found = true;
            }
        });
        if !found {
            missing.push(format!("unable to find container named \"{name}\""));
        }
    }
    missing
}
