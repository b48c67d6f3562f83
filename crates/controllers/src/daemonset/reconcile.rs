//! One look at one DaemonSet (`syncDaemonSet`).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use api::{Object, kinds};

use super::nodes::{self, Place};
use super::{rolling, status};
use crate::change::{Change, Conflict, Note, Plan, Retry, Write};
use crate::claim::claim;
use crate::deployment::template_hash;
use crate::history::{self, POD_HASH};
use crate::pods;
use crate::selector;
use crate::view::View;

/// Pods created or deleted in one look, at most (`BurstReplicas`).
const BURST_PODS_MAX: usize = 250;
/// A failed pod is kept at least this long.
const FAILED_POD_PAUSE: Duration = Duration::from_secs(1);

/// The pods of a set by node.
type ByNode<'a> = BTreeMap<String, Vec<&'a Object>>;

pub(crate) fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let Some(set) = view.get(&kinds::DAEMON_SETS, key) else { return Ok(Vec::new()) };
    let mut plan = Plan::default();
    if selector::of(set).is_everything() {
        let text = "This daemon set is selecting all pods. A non-empty selector is required.";
        plan.event(set, Note::warning("SelectingAll", text));
        return Ok(plan.finish(Ok(())));
    }
    if set.is_deleting() {
        return Ok(Vec::new());
    }
    let result = sync(view, &mut plan, set);
    Ok(plan.finish(result))
}

fn sync(view: &View<'_>, plan: &mut Plan, set: &Object) -> Result<(), Conflict> {
    let (hash, old) = construct_history(view, plan, set)?;
    let places = nodes::places(set, view.of(&kinds::NODES).list());
    let pods = view.of(&kinds::PODS);
    let of = |uid: &str| pods.controlled_by(set.namespace(), uid);
    let mine = claim(plan, (&kinds::DAEMON_SETS, set), &kinds::PODS, of(set.uid()), of(""));
    let pods_of = nodes::by_node(&mine);
    if view.failure.is_none() {
        let is_quiet = manage(view, plan, set, &places, &pods_of, &hash);
        // An update takes its next step when nothing is under way that would change the counts.
        if is_quiet && set.str("spec.updateStrategy.type") == "RollingUpdate" {
            let step = rolling::step(view, set, &places, &pods_of, &hash);
            sync_nodes(plan, set, step.victims, step.surge, &hash);
        }
        let used = |revision: &Object| {
            let hash = revision.label(POD_HASH);
            mine.iter().any(|pod| pod.label(POD_HASH).is_some() && pod.label(POD_HASH) == hash)
        };
        let unused: Vec<&Object> = old.iter().filter(|revision| !used(revision)).collect();
        history::truncate(plan, set, &unused);
    }
    let new_status = status::calculate(view, set, &places, &pods_of, &hash);
    if new_status != *set.at("status") {
        let mut updated = set.clone();
        updated.set("status", new_status);
        plan.update_status(&kinds::DAEMON_SETS, &updated)?;
    }
    if view.failure.is_some() {
        plan.push(Change::Again);
    }
    Ok(())
}

/// The hash of the current revision, which is made if there is none, and the others (`constructHistory`).
fn construct_history(view: &View<'_>, plan: &mut Plan, set: &Object) -> Result<(String, Vec<Object>), Conflict> {
    let patch = history::patch(set);
    let revisions = history::revisions(view, plan, (&kinds::DAEMON_SETS, set));
    let (current, old): (Vec<Object>, Vec<Object>) = revisions.into_iter().partition(|r| *r.at("data") == patch);
    let next = old.iter().map(history::number).max().unwrap_or(0) + 1;
    if let Some(current) = current.last() {
        if history::number(current) < next {
            plan.update(history::renumber(current, next))?;
        }
        return Ok((current.label(POD_HASH).unwrap_or("").to_owned(), old));
    }
    let hash = template_hash::of(set);
    let revision = history::new((&kinds::DAEMON_SETS, set), patch, next, (POD_HASH, &hash));
    plan.create(Write::create(&kinds::CONTROLLER_REVISIONS, revision));
    Ok((hash, old))
}

/// Creates missing pods and deletes surplus ones; says whether there was nothing to do (`manage`).
fn manage(
    view: &View<'_>,
    plan: &mut Plan,
    set: &Object,
    places: &[Place<'_>],
    pods_of: &ByNode<'_>,
    hash: &str,
) -> bool {
    let (mut victims, mut needy) = (Vec::new(), Vec::new());
    for Place { name, fate } in places {
        let pods = pods_of.get(*name).map_or(&[][..], Vec::as_slice);
        if fate.should_run && pods.is_empty() {
            needy.push((*name).to_owned());
        } else if fate.may_stay {
            on_node(view, plan, set, (name, fate.should_run), pods, &mut victims, &mut needy, hash);
        } else {
            victims.extend(pods.iter().copied().filter(|pod| !pod.is_deleting()));
        }
    }
    // Pods for nodes that are gone will never be placed.
    let there: BTreeSet<&str> = places.iter().map(|place| place.name).collect();
    let gone = pods_of.iter().filter(|(name, _)| !there.contains(name.as_str()));
    victims.extend(gone.flat_map(|(_, pods)| pods.iter().copied()).filter(|p| p.str("spec.nodeName").is_empty()));
    let is_quiet = victims.is_empty() && needy.is_empty();
    sync_nodes(plan, set, victims, needy, hash);
    is_quiet
}

/// Which pods of a node go: ended ones, and all but the oldest.
#[expect(clippy::too_many_arguments, reason = "the facts of one node, and the two lists that it adds to")]
fn on_node<'a>(
    view: &View<'_>,
    plan: &mut Plan,
    set: &Object,
    (node, should_run): (&str, bool),
    pods: &[&'a Object],
    victims: &mut Vec<&'a Object>,
    needy: &mut Vec<String>,
    hash: &str,
) {
    let mut running = Vec::new();
    for pod in pods.iter().copied().filter(|pod| !pod.is_deleting()) {
        let place = || format!("daemon pod {}/{} on node {node}, will try to", pod.namespace(), pod.name());
        match pod.str("status.phase") {
            "Failed" => {
                let due = pods::created(pod).map(|created| created + FAILED_POD_PAUSE);
                let rest = due.map_or(Duration::ZERO, |due| due.saturating_since(view.now));
                if rest.is_zero() {
                    plan.event(set, Note::warning("FailedDaemonPod", format!("Found failed {} kill it", place())));
                    victims.push(pod);
                } else {
                    plan.push(Change::After(rest));
                }
            }
            "Succeeded" => {
                plan.event(set, Note::normal("SucceededDaemonPod", format!("Found succeeded {} delete it", place())));
                victims.push(pod);
            }
            _ => running.push(pod),
        }
    }
    let surges = !matches!(set.at("spec.updateStrategy.rollingUpdate.maxSurge"), v if rolling::scaled(v, 100) == 0);
    if !surges {
        victims.extend(running.into_iter().skip(1));
        return;
    }
    if running.is_empty() && should_run {
        needy.push(node.to_owned());
    }
    let is_new = |pod: &&&Object| pod.label(POD_HASH) == Some(hash);
    let new = running.iter().find(is_new).copied();
    let old = running.iter().find(|pod| !is_new(pod)).copied();
    let kept = |pod: &&Object| [new, old].iter().flatten().any(|k| k.uid() == pod.uid());
    victims.extend(running.iter().copied().filter(|pod| !kept(pod)));
    if let (Some(new), Some(old)) = (new, old) {
        let minimum = set.int("spec.minReadySeconds").unwrap_or(0);
        if !pods::is_ready(old) || pods::is_available(new, minimum, view.now) {
            victims.push(old);
        }
    }
}

fn sync_nodes(plan: &mut Plan, set: &Object, victims: Vec<&Object>, needy: Vec<String>, hash: &str) {
    let mut needy = needy.into_iter().take(BURST_PODS_MAX);
    let mut batch = 1;
    loop {
        let create = |node: String| {
            Write::create(&kinds::PODS, nodes::pod_for(&kinds::DAEMON_SETS, set, &node, hash))
                .on_success(Note::normal("SuccessfulCreate", "Created pod: {name}"), set)
                .on_failure(Note::warning("FailedCreate", "Error creating: {error}"), set)
        };
        let writes: Vec<Write> = needy.by_ref().take(batch).map(create).collect();
        if writes.is_empty() {
            break;
        }
        plan.push(Change::Batch(writes));
        batch *= 2;
    }
    let delete = |pod: &Object| {
        Write::delete_with(&kinds::PODS, pod, client::DeleteOptions::default())
            .on_success(Note::normal("SuccessfulDelete", format!("Deleted pod: {}", pod.name())), set)
            .on_failure(Note::warning("FailedDelete", "Error deleting: {error}"), set)
    };
    let deletions: Vec<Write> = victims.into_iter().take(BURST_PODS_MAX).map(delete).collect();
    if !deletions.is_empty() {
        plan.push(Change::Batch(deletions));
    }
}
