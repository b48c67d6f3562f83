//! `kubectl auth reconcile` (`kubectl/pkg/cmd/auth/reconcile.go`, `component-helpers/auth/rbac/reconciliation`).

use std::rc::Rc;

use json::{Value, json};

use super::rules::{merged, rule_text, subject_text, subjects_without, uncovered};
use crate::failure::{Failure, Outcome};
use crate::flags::common::{DRY_RUN, FILES, PRINT};
use crate::flags::{Action, Args, COMMAND, Command, Flag, switch};
use crate::printers::output::{DryRun, Reporter};
use crate::rest::Rest;
use crate::session::Session;
use crate::targets::{self, Named, Query, Target, has_files};

/// How often it begins anew when somebody else is faster.
const ATTEMPTS_MAX: usize = 3;
/// With this annotation, `false` keeps a role or binding as it is.
const AUTO_UPDATE: &str = "rbac.authorization.kubernetes.io/autoupdate";

static FLAGS: &[Flag] = &[
    switch("remove-extra-permissions", "Take away from roles what the files do not grant."),
    switch("remove-extra-subjects", "Take subjects out of bindings that the files do not name."),
];

/// The command.
pub static RECONCILE: Command = Command {
    name: "reconcile",
    usage: "-f FILENAME",
    short: "Reconciles rules for RBAC role, role binding, cluster role, and cluster role binding objects",
    long: "Make roles grant and bindings name what the files say, and more only where they did before. What is missing is made, its namespace too. Unlike apply it knows which rules another one covers.",
    examples: &[("Roles and bindings of a file", "kubectl auth reconcile -f my-rbac-rules.yaml")],
    flags: &[FLAGS, DRY_RUN, FILES, PRINT],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

/// What has to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    None,
    Create,
    Update,
    /// Another role is bound, which cannot be changed.
    Recreate,
}

/// What came of an object.
struct Plan {
    object: Value,
    operation: Operation,
    /// The one that is there wants to be left alone.
    is_protected: bool,
    /// Rules or subjects that were not there.
    missing: Vec<Value>,
    /// Those that are there and not wanted.
    extra: Vec<Value>,
}

impl Plan {
    fn new(object: Value, operation: Operation) -> Plan {
        Plan { object, operation, is_protected: false, missing: Vec::new(), extra: Vec::new() }
    }
}

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    if !has_files(&args) {
        return Err(Failure::message("must specify one of -f and -k"));
    }
    if !args.words.is_empty() {
        return Err(Failure::message("no arguments are allowed"));
    }
    let dry_run = DryRun::from_args(&session, &args).await?;
    if dry_run == DryRun::Server {
        return Err(Failure::message("--dry-run=server for command reconcile is not supported yet"));
    }
    let reporter = Reporter::new(&session, &args, dry_run)?;
    let rest = session.rest(&args)?;
    let query = Query::from_args(&rest, &args, &[]).await?;
    let (wanted, mut failures) = targets::resolve(&rest, &query).await?;
    for target in wanted {
        let Target::Named(named) = target else { continue };
        if !is_role(&named) && !is_binding(&named) {
            continue;
        }
        match reconcile(&rest, &args, &named, dry_run).await {
            Ok(plan) => {
                reporter.report(&named.resource, &plan.object, "reconciled").await?;
                session.err(account(&plan, &args, is_role(&named))).await;
            }
            Err(failure @ Failure::Transport(..)) => return Err(failure),
            Err(failure) => failures.push(failure),
        }
    }
    Failure::several(failures)
}

fn kind(named: &Named) -> &str {
    named.manifest.as_ref().and_then(|m| m.value["kind"].as_str()).unwrap_or_default()
}

fn is_role(named: &Named) -> bool {
    matches!(kind(named), "Role" | "ClusterRole") && named.path().contains("/rbac.authorization.k8s.io/")
}

fn is_binding(named: &Named) -> bool {
    matches!(kind(named), "RoleBinding" | "ClusterRoleBinding") && named.path().contains("/rbac.authorization.k8s.io/")
}

async fn reconcile(rest: &Rest, args: &Args, named: &Named, dry_run: DryRun) -> Outcome<Plan> {
    for _ in 0..ATTEMPTS_MAX {
        if let Some(plan) = attempt(rest, args, named, dry_run).await? {
            return Ok(plan);
        }
    }
    Err(Failure::message("exceeded maximum attempts"))
}

/// Does what has to be done; none if it was made, deleted or changed meanwhile.
async fn attempt(rest: &Rest, args: &Args, named: &Named, dry_run: DryRun) -> Outcome<Option<Plan>> {
    let expected = named.manifest.as_ref().map(|m| m.value.clone()).unwrap_or_default();
    let existing = match rest.get(&named.path()).await {
        Ok(existing) => Some(existing),
        Err(failure) if failure.is_not_found() => None,
        Err(failure) => return Err(failure),
    };
    let mut plan = match (&existing, is_role(named)) {
        (None, is_role) => {
            let missing = items(&expected, if is_role { "rules" } else { "subjects" });
            Plan { missing, ..Plan::new(expected, Operation::Create) }
        }
        (Some(existing), true) => role(existing, &expected, args.on("remove-extra-permissions")),
        (Some(existing), false) => binding(existing, &expected, args.on("remove-extra-subjects")),
    };
    if plan.is_protected || dry_run == DryRun::Client {
        return Ok(Some(plan));
    }
    let done = match plan.operation {
        Operation::None => return Ok(Some(plan)),
        Operation::Update => rest.put(&named.path(), &plan.object).await,
        Operation::Create => create(rest, named, &plan.object).await,
        Operation::Recreate => {
            let uid = existing.as_ref().map_or(&Value::Null, |existing| &existing["metadata"]["uid"]);
            let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": uid}});
            match rest.delete(&named.path(), &options).await {
                Err(failure) if failure.is_conflict() => return Ok(None),
                Err(failure) if !failure.is_not_found() => return Err(failure),
                _ => create(rest, named, &plan.object).await,
            }
        }
    };
    match done {
        Ok(object) => {
            plan.object = object;
            Ok(Some(plan))
        }
        Err(failure) if failure.is_already_exists() || failure.is_conflict() => Ok(None),
        Err(failure) if failure.is_not_found() && plan.operation == Operation::Update => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Creates an object, and first its namespace. Who may not see or make namespaces leaves the complaint to the server.
async fn create(rest: &Rest, named: &Named, object: &Value) -> Outcome<Value> {
    if !named.namespace.is_empty() {
        match rest.get(&format!("/api/v1/namespaces/{}", named.namespace)).await {
            Ok(_) => {}
            Err(failure) if failure.is_not_found() || failure.reason() == "Forbidden" => {
                let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": named.namespace}});
                match rest.post("/api/v1/namespaces", &namespace).await {
                    Err(failure) if !failure.is_already_exists() && failure.reason() != "Forbidden" => {
                        return Err(failure);
                    }
                    _ => {}
                }
            }
            Err(failure) => return Err(failure),
        }
    }
    rest.post(&named.resource.collection(&named.namespace), object).await
}

fn items(value: &Value, field: &str) -> Vec<Value> {
    value[field].as_array().cloned().unwrap_or_default().into()
}

/// A copy of what is there with the labels and annotations that are wanted.
fn begun(existing: &Value, expected: &Value) -> Plan {
    let mut plan = Plan::new(existing.clone(), Operation::None);
    plan.is_protected = existing["metadata"]["annotations"][AUTO_UPDATE] == "false";
    for field in ["annotations", "labels"] {
        let merged = merged(&expected["metadata"][field], &existing["metadata"][field]);
        if merged != existing["metadata"][field] {
            plan.object["metadata"][field] = merged;
            plan.operation = Operation::Update;
        }
    }
    plan
}

/// Puts what is wanted into a list: beside what is there, or in its place.
fn fill(plan: &mut Plan, expected: &Value, field: &str, removes: bool) {
    if !removes && !plan.missing.is_empty() {
        let all: Vec<Value> = items(&plan.object, field).into_iter().chain(plan.missing.iter().cloned()).collect();
        plan.object[field] = all.into();
        plan.operation = Operation::Update;
    } else if removes && !(plan.missing.is_empty() && plan.extra.is_empty()) {
        plan.object[field] = expected[field].clone();
        plan.operation = Operation::Update;
    }
}

fn role(existing: &Value, expected: &Value, removes: bool) -> Plan {
    let mut plan = begun(existing, expected);
    let (held, wanted) = (items(existing, "rules"), items(expected, "rules"));
    // The rules of a role that collects others are not its own.
    if expected["aggregationRule"].is_null() || existing["aggregationRule"].is_null() {
        plan.extra = uncovered(&wanted, &held);
    }
    plan.missing = uncovered(&held, &wanted);
    fill(&mut plan, expected, "rules", removes);
    aggregate(&mut plan, existing, expected, removes);
    plan
}

/// The same for the selectors of a role that collects others.
fn aggregate(plan: &mut Plan, existing: &Value, expected: &Value, removes: bool) {
    let selectors = |role: &Value| items(&role["aggregationRule"], "clusterRoleSelectors");
    let (held, wanted) = (selectors(existing), selectors(expected));
    let missing: Vec<Value> = wanted.iter().filter(|one| !held.contains(one)).cloned().collect();
    let has_extra = held.iter().any(|one| !wanted.contains(one));
    if expected["aggregationRule"].is_null() {
        if !existing["aggregationRule"].is_null() {
            plan.object["aggregationRule"] = Value::Null;
            plan.operation = Operation::Update;
        }
    } else if !removes && !missing.is_empty() {
        let all: Vec<Value> = held.into_iter().chain(missing).collect();
        plan.object["aggregationRule"]["clusterRoleSelectors"] = all.into();
        plan.operation = Operation::Update;
    } else if removes && (has_extra || !missing.is_empty()) {
        plan.object["aggregationRule"] = expected["aggregationRule"].clone();
        plan.operation = Operation::Update;
    }
}

fn binding(existing: &Value, expected: &Value, removes: bool) -> Plan {
    let bound =
        |binding: &Value| ["apiGroup", "kind", "name"].map(|f| binding["roleRef"][f].as_str().unwrap_or("").to_owned());
    if bound(existing) != bound(expected) {
        let is_protected = existing["metadata"]["annotations"][AUTO_UPDATE] == "false";
        return Plan { is_protected, ..Plan::new(expected.clone(), Operation::Recreate) };
    }
    let mut plan = begun(existing, expected);
    let (held, wanted) = (items(existing, "subjects"), items(expected, "subjects"));
    plan.missing = subjects_without(&wanted, &held);
    plan.extra = subjects_without(&held, &wanted);
    fill(&mut plan, expected, "subjects", removes);
    plan
}

/// What is said of it on standard error.
fn account(plan: &Plan, args: &Args, is_role: bool) -> String {
    let operation = match plan.operation {
        Operation::None => return String::new(),
        Operation::Create => "create",
        Operation::Update => "update",
        Operation::Recreate => "recreate",
    };
    let caveat =
        if plan.is_protected { format!(", but object opted out ({AUTO_UPDATE}: false)") } else { String::new() };
    let mut said = format!("\treconciliation required {operation}{caveat}\n");
    let (what, text, switch): (_, fn(&Value) -> String, _) = match is_role {
        true => ("rules", rule_text, "remove-extra-permissions"),
        false => ("subjects", subject_text, "remove-extra-subjects"),
    };
    let extra = if args.on(switch) { &plan.extra[..] } else { &[] };
    for (list, head) in [(&plan.missing[..], format!("missing {what} added")), (extra, format!("extra {what} removed"))]
    {
        if !list.is_empty() {
            said += &format!("\t{head}:\n");
            said.extend(list.iter().map(|one| format!("\t\t{}\n", text(one))));
        }
    }
    said
}
