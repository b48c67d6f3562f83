//! `kubectl apply --prune`: what was applied before and is no longer in the files is deleted (`apply/prune.go`).

use std::collections::BTreeSet;
use std::rc::Rc;

use json::json;

use crate::discovery::Resource;
use crate::failure::{Failure, Outcome};
use crate::flags::Args;
use crate::last_applied;
use crate::printers::output::{DryRun, Reporter};
use crate::rest::{Rest, with_query};
use crate::targets::items;

/// The types that are pruned unless `--prune-allowlist` says otherwise: group, version, kind.
const DEFAULT: &[(&str, &str, &str)] = &[
    ("", "v1", "ConfigMap"),
    ("", "v1", "Endpoints"),
    ("", "v1", "Namespace"),
    ("", "v1", "PersistentVolumeClaim"),
    ("", "v1", "PersistentVolume"),
    ("", "v1", "Pod"),
    ("", "v1", "ReplicationController"),
    ("", "v1", "Secret"),
    ("", "v1", "Service"),
    ("batch", "v1", "Job"),
    ("batch", "v1", "CronJob"),
    ("networking.k8s.io", "v1", "Ingress"),
    ("apps", "v1", "DaemonSet"),
    ("apps", "v1", "Deployment"),
    ("apps", "v1", "ReplicaSet"),
    ("apps", "v1", "StatefulSet"),
];

/// What an apply has gone through.
#[derive(Default)]
pub struct Visited {
    uids: BTreeSet<String>,
    namespaces: BTreeSet<String>,
}

impl Visited {
    /// Notes an object.
    pub fn note(&mut self, uid: &str, namespace: &str) {
        self.uids.insert(uid.to_owned());
        if !namespace.is_empty() {
            self.namespaces.insert(namespace.to_owned());
        }
    }
}

/// Refuses flags that would delete more than was meant.
///
/// # Errors
/// Neither a selector nor `--all` was given.
pub fn check(args: &Args) -> Outcome {
    if args.on("prune") && args.text("selector").is_empty() && !args.on("all") {
        return Err(Failure::message(
            "all resources selected for prune without explicitly passing --all. To prune all resources, pass the --all flag. If you did not mean to prune all resources, specify a label selector",
        ));
    }
    if args.on("prune") && !args.text("selector").is_empty() && args.on("all") {
        return Err(Failure::message("cannot set --all and --selector at the same time"));
    }
    Ok(())
}

/// Deletes what was applied before and has not been visited.
pub async fn run(rest: &Rest, args: &Args, visited: &Visited, dry_run: DryRun, reporter: &Reporter) -> Outcome {
    let resources = resources(rest, args).await?;
    let (namespaced, cluster): (Vec<_>, Vec<_>) = resources.into_iter().partition(|resource| resource.namespaced);
    for namespace in &visited.namespaces {
        for resource in &namespaced {
            prune(rest, args, (resource, namespace), visited, dry_run, reporter).await?;
        }
    }
    for resource in &cluster {
        prune(rest, args, (resource, ""), visited, dry_run, reporter).await?;
    }
    Ok(())
}

async fn resources(rest: &Rest, args: &Args) -> Outcome<Vec<Rc<Resource>>> {
    let mut wanted: Vec<(String, String)> = Vec::new();
    for text in args.list("prune-allowlist") {
        let parts: Vec<&str> = text.split('/').collect();
        let [group, version, kind] = parts[..] else {
            return Err(Failure::message(format!(
                "invalid GroupVersionKind format: {text}, please follow <group/version/kind>"
            )));
        };
        let api_version = if group == "core" { version.to_owned() } else { format!("{group}/{version}") };
        wanted.push((api_version, kind.to_owned()));
    }
    let asked = !wanted.is_empty();
    if !asked {
        wanted.extend(DEFAULT.iter().map(|(group, version, kind)| {
            let api_version = if group.is_empty() { (*version).to_owned() } else { format!("{group}/{version}") };
            (api_version, (*kind).to_owned())
        }));
    }
    let mut resources = Vec::new();
    for (api_version, kind) in wanted {
        match rest.resource_of_kind(&api_version, &kind).await {
            Ok(resource) => resources.push(resource),
            // A type of the usual list that the server does not have cannot have been applied.
            Err(Failure::Message(_)) if !asked => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(resources)
}

async fn prune(
    rest: &Rest,
    args: &Args,
    (resource, namespace): (&Rc<Resource>, &str),
    visited: &Visited,
    dry_run: DryRun,
    reporter: &Reporter,
) -> Outcome {
    let path = with_query(&resource.collection(namespace), &[("labelSelector", args.text("selector"))]);
    let answer = rest.get(&path).await?;
    for info in items(&answer, resource) {
        let was_applied = last_applied::of(info.object.value()).is_some();
        if !was_applied || visited.uids.contains(info.object.uid()) {
            continue;
        }
        if dry_run != DryRun::Client {
            let policy = match args.text("cascade") {
                "orphan" => "Orphan",
                "foreground" => "Foreground",
                _ => "Background",
            };
            let mut options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": policy});
            if args.int("grace-period") >= 0 {
                options["gracePeriodSeconds"] = args.int("grace-period").into();
            }
            let path = with_query(&info.named.path(), &[("dryRun", dry_run.parameter())]);
            rest.delete(&path, &options).await?;
        }
        reporter.report(resource, info.object.value(), "pruned").await?;
    }
    Ok(())
}
