//! One look at one StatefulSet (`updateStatefulSet`).

use std::time::Duration;

use api::{Object, kinds};
use client::DeleteOptions;
use json::Value;

use super::{pod, retention, status};
use crate::change::{Change, Conflict, Note, Plan, Retry, Write};
use crate::claim::claim;
use crate::history::{self, HASH};
use crate::pods;
use crate::view::View;

pub(crate) fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let Some(set) = view.get(&kinds::STATEFUL_SETS, key) else { return Ok(Vec::new()) };
    let mut plan = Plan::default();
    let result = sync(view, &mut plan, set);
    Ok(plan.finish(result))
}

/// A set with everything that its pods are decided by.
struct Sync<'a, 'p> {
    view: &'a View<'a>,
    plan: &'p mut Plan,
    set: &'a Object,
    /// The revision that pods are updated from, and the one they are updated to.
    current: Object,
    update: Object,
    /// The pods with a number in the range, by number; none where there is no pod.
    replicas: Vec<(i64, Option<&'a Object>)>,
    /// Those beyond the range, highest number first.
    condemned: Vec<&'a Object>,
    /// Pods wait for those before them.
    in_order: bool,
}

fn sync(view: &View<'_>, plan: &mut Plan, set: &Object) -> Result<(), Conflict> {
    let all = view.of(&kinds::PODS);
    let of = |uid: &str| all.controlled_by(set.namespace(), uid).filter(|p| pod::ordinal(set, p).is_some());
    let mine: Vec<&Object> = claim(plan, (&kinds::STATEFUL_SETS, set), &kinds::PODS, of(set.uid()), of(""));
    let revisions = history::revisions(view, plan, (&kinds::STATEFUL_SETS, set));
    let (current, update) = choose_revisions(plan, set, &revisions)?;
    let (first, last) = pod::range(set);
    let replicas = (first..=last)
        .map(|number| (number, mine.iter().copied().find(|p| pod::ordinal(set, p) == Some(number))))
        .collect();
    let mut condemned: Vec<&Object> =
        mine.iter().copied().filter(|p| pod::ordinal(set, p).is_some_and(|n| n < first || n > last)).collect();
    condemned.sort_by_key(|p| std::cmp::Reverse(pod::ordinal(set, p)));
    let in_order = set.str("spec.podManagementPolicy") != "Parallel";
    let mut counts = status::count(view, set, &mine, current.name(), update.name());
    let (current_name, update_name) = (current.name().to_owned(), update.name().to_owned());
    if !set.is_deleting() && view.failure.is_none() {
        let mut sync = Sync { view, plan, set, current, update, replicas, condemned, in_order };
        if sync.run()? {
            counts.current -= 1;
        }
    }
    let new_status = counts.status(set, &current_name, &update_name);
    if new_status != *set.at("status") {
        let mut updated = set.clone();
        updated.set("status", new_status);
        plan.update_status(&kinds::STATEFUL_SETS, &updated)?;
    }
    let in_use = |r: &Object| {
        [&current_name, &update_name].iter().any(|n| *n == r.name())
            || mine.iter().any(|p| pod::revision(p) == r.name())
    };
    let unused: Vec<&Object> = revisions.iter().filter(|r| !in_use(r)).collect();
    history::truncate(plan, set, &unused);
    if view.failure.is_some() {
        plan.push(Change::Again);
    }
    Ok(())
}

/// The revisions to update from and to; the latter is made, or brought forward, if need be (`getStatefulSetRevisions`).
fn choose_revisions(plan: &mut Plan, set: &Object, revisions: &[Object]) -> Result<(Object, Object), Conflict> {
    let patch = history::patch(set);
    let next = revisions.last().map_or(1, |last| history::number(last) + 1);
    let equal = revisions.iter().rfind(|r| *r.at("data") == patch);
    let update = match equal {
        Some(equal) if revisions.last().is_some_and(|last| last.uid() == equal.uid()) => equal.clone(),
        Some(equal) => plan.update(history::renumber(equal, next))?,
        None => {
            let hash = history::hash(&patch, set.int("status.collisionCount").unwrap_or(0));
            let revision = history::new((&kinds::STATEFUL_SETS, set), patch, next, (HASH, &hash));
            plan.create(Write::create(&kinds::CONTROLLER_REVISIONS, revision))
        }
    };
    let current = revisions.iter().find(|r| r.name() == set.str("status.currentRevision"));
    Ok((current.unwrap_or(&update).clone(), update))
}

impl Sync<'_, '_> {
    /// Takes the next steps; says whether a pod was deleted for an update.
    fn run(&mut self) -> Result<bool, Conflict> {
        for (number, pod) in self.replicas.clone() {
            if !self.replica(number, pod)? && self.in_order {
                return Ok(false);
            }
        }
        for pod in &self.condemned {
            let number = pod::ordinal(self.set, pod).unwrap_or(0);
            if !retention::matches(self.view, self.set, pod, number) {
                retention::update(self.view, self.plan, (self.set, pod), number)?;
            }
        }
        for pod in self.condemned.clone() {
            if !self.condemn(pod) && self.in_order {
                return Ok(false);
            }
        }
        Ok(self.set.str("spec.updateStrategy.type") == "RollingUpdate" && self.replace_one())
    }

    fn is_healthy(&self, pod: &Object) -> bool {
        let minimum = self.set.int("spec.minReadySeconds").unwrap_or(0);
        pod.str("status.phase") == "Running"
            && pods::is_ready(pod)
            && !pod.is_deleting()
            && pods::is_available(pod, minimum, self.view.now)
    }

    /// Brings one pod into being; says whether the next one may follow (`processReplica`).
    fn replica(&mut self, number: i64, pod: Option<&Object>) -> Result<bool, Conflict> {
        let Some(pod) = pod else {
            self.create(number)?;
            return Ok(false);
        };
        if pods::is_terminal(pod) {
            if !pod.is_deleting() {
                self.delete(pod);
            }
            return Ok(false);
        }
        let is_pending = pod.str("status.phase") == "Pending";
        if is_pending {
            let problems = self.create_claims(number, pod.name());
            if !problems.is_empty() {
                self.plan.push(Change::Again);
                return Ok(false);
            }
            retention::update(self.view, self.plan, (self.set, pod), number)?;
        }
        if self.in_order && !self.is_healthy(pod) {
            if pods::is_ready(pod) && !pod.is_deleting() {
                let minimum = self.set.int("spec.minReadySeconds").unwrap_or(0);
                let rest = pods::available_in(pod, minimum, self.view.now).unwrap_or(Duration::ZERO);
                self.plan.push(Change::After(rest.max(Duration::from_millis(1))));
            }
            return Ok(false);
        }
        if !is_pending && !retention::matches(self.view, self.set, pod, number) {
            retention::update(self.view, self.plan, (self.set, pod), number)?;
            let told = format!("Update Pod {} in StatefulSet {} successful", pod.name(), self.set.name());
            self.plan.event(self.set, Note::normal("SuccessfulUpdate", told));
        }
        Ok(true)
    }

    /// Takes one pod away that is too many; says whether the next one may follow (`processCondemned`).
    fn condemn(&mut self, pod: &Object) -> bool {
        if pod.is_deleting() {
            return !self.in_order;
        }
        let unhealthy = self.first_unhealthy().map(str::to_owned);
        if self.in_order && !self.is_healthy(pod) && unhealthy.as_deref() != Some(pod.name()) {
            return false;
        }
        self.delete(pod);
        false
    }

    /// The name of the first pod that is not as it should be: in the range, or the lowest of those beyond.
    fn first_unhealthy(&self) -> Option<&str> {
        let all = self.replicas.iter().filter_map(|(_, pod)| *pod).chain(self.condemned.iter().rev().copied());
        all.filter(|pod| !self.is_healthy(pod)).map(Object::name).next()
    }

    /// Deletes the pod with the highest number that is of an older revision, if all above it are well.
    fn replace_one(&mut self) -> bool {
        let partition = self.set.int("spec.updateStrategy.rollingUpdate.partition").unwrap_or(0);
        let partition = usize::try_from(partition).unwrap_or(0);
        for (_, pod) in self.replicas.clone().into_iter().skip(partition).rev() {
            let Some(pod) = pod else { return false };
            if pod::revision(pod) != self.update.name() && !pod.is_deleting() {
                self.delete(pod);
                return true;
            }
            if !self.is_healthy(pod) {
                return false;
            }
        }
        false
    }

    /// The template, and the name of the revision, of a new pod (`newVersionedStatefulSetPod`).
    fn version(&self, number: i64) -> (Value, String) {
        let (first, _) = pod::range(self.set);
        let strategy = self.set.at("spec.updateStrategy");
        let old_below = match &strategy["rollingUpdate"] {
            _ if strategy["type"] != "RollingUpdate" => 0,
            Value::Null => self.set.int("status.currentReplicas").unwrap_or(0),
            rolling => rolling["partition"].as_i64().unwrap_or(0),
        };
        let revision = if number < first + old_below { &self.current } else { &self.update };
        (history::template(revision), revision.name().to_owned())
    }

    fn create(&mut self, number: i64) -> Result<(), Conflict> {
        let (template, revision) = self.version(number);
        let pod = pod::new(self.set, &template, number, &revision);
        if retention::blocks(self.view, self.set, &pod, number) {
            return Ok(());
        }
        let (set, name) = (self.set, pod.name().to_owned());
        let told = |word: &str| format!("Create Pod {name} in StatefulSet {} {word}", set.name());
        let problems = self.create_claims(number, &name);
        if !problems.is_empty() {
            let error = match problems.as_slice() {
                [one] => one.clone(),
                several => format!("[{}]", several.join(", ")),
            };
            self.plan.event(set, Note::warning("FailedCreate", told(&format!("failed error: {error}"))));
            self.plan.push(Change::Again);
            return Ok(());
        }
        self.plan.write(
            Write::create(&kinds::PODS, pod.clone())
                .on_success(Note::normal("SuccessfulCreate", told("successful")), set)
                .on_failure(Note::warning("FailedCreate", told("failed error: {error}")), set),
        );
        retention::update(self.view, self.plan, (set, &pod), number)
    }

    /// Creates the claims that a pod lacks; says why it cannot have them yet (`createPersistentVolumeClaims`).
    fn create_claims(&mut self, number: i64, pod: &str) -> Vec<String> {
        let mut problems = Vec::new();
        for (_, claim) in pod::claims(self.set, number) {
            if let Some(existing) = self.view.get(&kinds::PERSISTENT_VOLUME_CLAIMS, &claim.key()) {
                problems.extend(existing.is_deleting().then(|| format!("pvc {} is being deleted", claim.name())));
                continue;
            }
            let told = |word: &str| {
                format!("Create Claim {} Pod {pod} in StatefulSet {} {word}", claim.name(), self.set.name())
            };
            let (success, failure) = (told("success"), told("failed error: {error}"));
            self.plan.write(
                Write::create(&kinds::PERSISTENT_VOLUME_CLAIMS, claim)
                    .on_success(Note::normal("SuccessfulCreate", success), self.set)
                    .on_failure(Note::warning("FailedCreate", failure), self.set),
            );
        }
        problems
    }

    fn delete(&mut self, pod: &Object) {
        let told = |word: &str| format!("Delete Pod {} in StatefulSet {} {word}", pod.name(), self.set.name());
        self.plan.write(
            Write::delete_with(&kinds::PODS, pod, DeleteOptions::default())
                .on_success(Note::normal("SuccessfulDelete", told("successful")), self.set)
                .on_failure(Note::warning("FailedDelete", told("failed error: {error}")), self.set),
        );
    }
}
