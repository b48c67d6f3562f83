//! Pod Security Standards, asked for by labels of a namespace (k8s.io/pod-security-admission).
//!
//! `enforce` refuses pods, `warn` warns of pods and of what makes pods, `audit` would be written to a log that nobody here
//! could read: it is only checked.

mod checks;

use api::kinds::{
    CRON_JOBS, DAEMON_SETS, DEPLOYMENTS, JOBS, NAMESPACES, PODS, REPLICA_SETS, REPLICATION_CONTROLLERS, STATEFUL_SETS,
};
use api::status::{FieldError, FieldErrors, Status};
use api::{Kind, Object};
use json::Value;

use crate::failure;
use crate::registry::Context;
use crate::value::{at, list, text};

const PREFIX: &str = "pod-security.kubernetes.io/";
/// Pods of a namespace that a change of its labels is checked against (`namespaceMaxPodsToCheck`).
const PODS_CHECKED_MAX: usize = 3000;
/// The minor version that `latest` stands for.
const LATEST: u32 = 36;

/// How strict a standard is, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Everything goes.
    Privileged,
    /// Known ways out of a container are closed.
    Baseline,
    /// As little as an ordinary program needs.
    Restricted,
}

/// A level at a version of Kubernetes.
#[derive(Clone, Debug, PartialEq)]
struct Standard {
    level: Level,
    /// `latest` or `v1.N`.
    version: String,
}

impl Standard {
    fn name(&self) -> String {
        let level = match self.level {
            Level::Privileged => "privileged",
            Level::Baseline => "baseline",
            Level::Restricted => "restricted",
        };
        format!("{level}:{}", self.version)
    }

    fn minor(&self) -> u32 {
        self.version.strip_prefix("v1.").and_then(|minor| minor.parse().ok()).unwrap_or(LATEST)
    }

    /// What of a pod (its metadata and spec) the standard forbids.
    fn violations(&self, pod: &Value) -> Violations {
        // Most namespaces ask for nothing: in the tab the checks are code that comes when it is wanted.
        if self.level == Level::Privileged {
            return Violations(Vec::new());
        }
        Violations(checks::run(self.level, self.minor(), pod))
    }
}

struct Violations(Vec<checks::Violation>);

impl Violations {
    fn detail(&self) -> String {
        self.0.iter().map(|v| format!("{} ({})", v.reason, v.detail)).collect::<Vec<_>>().join(", ")
    }

    fn reasons(&self) -> String {
        self.0.iter().map(|v| v.reason.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// What a namespace asks for.
#[derive(Debug, PartialEq)]
struct Policy {
    enforce: Standard,
    audit: Standard,
    warn: Standard,
}

impl Policy {
    /// From the labels of a namespace, with what is wrong with them. A level that cannot be read is the strictest for
    /// `enforce` and none for the others.
    fn of(namespace: &Value) -> (Policy, FieldErrors) {
        let labels = at(namespace, "metadata.labels");
        let mut errors = FieldErrors::new();
        let mut mode = |mode: &str, unreadable: Level| {
            let label = |suffix: &str| labels.get(format!("{PREFIX}{mode}{suffix}")).and_then(Value::as_str);
            let mut complain = |suffix: &str, given: &str, why: &str| {
                errors.push(FieldError::invalid(format!("metadata.labels[{PREFIX}{mode}{suffix}]"), given, why));
            };
            let level = match label("") {
                None | Some("privileged") => Level::Privileged,
                Some("baseline") => Level::Baseline,
                Some("restricted") => Level::Restricted,
                Some(other) => {
                    complain("", other, "must be one of privileged, baseline, restricted");
                    unreadable
                }
            };
            let version = label("-version").unwrap_or("latest");
            let is_known = version == "latest" || version.strip_prefix("v1.").is_some_and(|m| m.parse::<u32>().is_ok());
            if !is_known {
                complain("-version", version, "must be \"latest\" or \"v1.x\"");
            }
            let version = if is_known { version } else { "latest" };
            Standard { level, version: version.to_owned() }
        };
        let enforce = mode("enforce", Level::Restricted);
        let audit = mode("audit", Level::Privileged);
        let mut warn = mode("warn", Level::Privileged);
        // Who enforces is warned too, unless the labels say otherwise.
        let given = |name: &str| labels.get(format!("{PREFIX}{name}")).is_some();
        if !given("warn") && enforce.level > warn.level {
            let version = if given("warn-version") { warn.version } else { enforce.version.clone() };
            warn = Standard { level: enforce.level, version };
        }
        (Policy { enforce, audit, warn }, errors)
    }
}

/// Checks a new object.
pub fn on_create(cx: &Context<'_>, kind: &Kind, namespace: &str, object: &Value) -> Result<(), Status> {
    if *kind == NAMESPACES {
        let (_, errors) = Policy::of(object);
        return if errors.is_empty() {
            Ok(())
        } else {
            Err(failure::invalid(kind, text(object, "metadata.name"), &errors))
        };
    }
    evaluate(cx, kind, namespace, object)
}

/// Checks a change.
pub fn on_update(cx: &Context<'_>, kind: &Kind, namespace: &str, new: &Value, old: &Value) -> Result<(), Status> {
    if *kind == NAMESPACES {
        return relabelled(cx, new, old);
    }
    if *kind == PODS && !changes_images(new, old) {
        return Ok(());
    }
    evaluate(cx, kind, namespace, new)
}

/// Where a kind that makes pods keeps their template.
fn template(kind: &Kind) -> Option<&'static str> {
    match kind {
        k if *k == CRON_JOBS => Some("spec.jobTemplate.spec.template"),
        k if [&DEPLOYMENTS, &REPLICA_SETS, &DAEMON_SETS, &STATEFUL_SETS, &JOBS, &REPLICATION_CONTROLLERS]
            .contains(&k) =>
        {
            Some("spec.template")
        }
        _ => None,
    }
}

fn evaluate(cx: &Context<'_>, kind: &Kind, namespace: &str, object: &Value) -> Result<(), Status> {
    let is_pod = *kind == PODS;
    let pod = match template(kind) {
        Some(path) => at(object, path),
        None if is_pod => object,
        None => return Ok(()),
    };
    let Some(found) = cx.find(&NAMESPACES, "", namespace) else { return Ok(()) };
    let (policy, _) = Policy::of(found.value.value());
    if is_pod {
        let violations = policy.enforce.violations(pod);
        if !violations.0.is_empty() {
            let why = format!("violates PodSecurity {:?}: {}", policy.enforce.name(), violations.detail());
            return Err(failure::forbidden(kind, text(object, "metadata.name"), &why));
        }
    }
    let violations = policy.warn.violations(pod);
    if !violations.0.is_empty() {
        let warning = format!("would violate PodSecurity {:?}: {}", policy.warn.name(), violations.detail());
        cx.warnings.borrow_mut().push(warning);
    }
    Ok(())
}

/// Of a pod that exists, little can be changed; what runs in it is checked again.
fn changes_images(new: &Value, old: &Value) -> bool {
    ["spec.containers", "spec.initContainers", "spec.ephemeralContainers"].iter().any(|field| {
        let images = |pod: &Value| -> Vec<String> {
            list(pod, field).iter().map(|c| format!("{} {}", text(c, "name"), text(c, "image"))).collect()
        };
        images(new) != images(old)
    })
}

/// Labels that enforce more than before do not touch the pods that are there, but tell of them.
fn relabelled(cx: &Context<'_>, new: &Value, old: &Value) -> Result<(), Status> {
    let name = text(new, "metadata.name");
    let ((policy, errors), (before, errors_before)) = (Policy::of(new), Policy::of(old));
    if !errors.is_empty() && errors != errors_before {
        return Err(failure::invalid(&NAMESPACES, name, &errors));
    }
    let (enforce, before) = (policy.enforce, before.enforce);
    let relaxed = enforce.version == before.version && enforce.level <= before.level;
    if enforce == before || enforce.level == Level::Privileged || relaxed {
        return Ok(());
    }
    let mut all: Vec<Object> = cx.all(&PODS, name);
    // One pod of each owner first: the others are likely to be like it.
    let mut owners = Vec::new();
    all.sort_by_key(|pod| {
        let owner = pod.controller_ref().map(|o| o.uid);
        let again = owner.as_ref().is_some_and(|o| owners.contains(o));
        owners.extend(owner);
        again
    });
    let mut warnings = Vec::new();
    if all.len() > PODS_CHECKED_MAX {
        warnings.push(format!(
            "new PodSecurity enforce level only checked against the first {PODS_CHECKED_MAX} of {} existing pods",
            all.len()
        ));
        all.truncate(PODS_CHECKED_MAX);
    }
    let mut found: std::collections::BTreeMap<String, (String, usize)> = std::collections::BTreeMap::new();
    for pod in &all {
        let violations = enforce.violations(pod.value());
        if !violations.0.is_empty() {
            let entry = found.entry(violations.reasons()).or_insert_with(|| (pod.name().to_owned(), 0));
            entry.1 += 1;
            if pod.name() < entry.0.as_str() {
                entry.0 = pod.name().to_owned();
            }
        }
    }
    if !found.is_empty() {
        let standard = enforce.name();
        warnings.push(format!(
            "existing pods in namespace {name:?} violate the new PodSecurity enforce level {standard:?}"
        ));
    }
    let mut each: Vec<String> = found
        .into_iter()
        .map(|(reasons, (first, count))| match count {
            1 => format!("{first}: {reasons}"),
            2 => format!("{first} (and 1 other pod): {reasons}"),
            _ => format!("{first} (and {} other pods): {reasons}", count - 1),
        })
        .collect();
    each.sort();
    warnings.extend(each);
    cx.warnings.borrow_mut().extend(warnings);
    Ok(())
}
