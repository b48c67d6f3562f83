//! `kubectl create rolebinding` and `kubectl create clusterrolebinding`.

use std::rc::Rc;

use json::{Value, json};

use super::{COMMON, create, name, resource};
use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, array, text};
use crate::session::Session;

const GROUP: &str = "rbac.authorization.k8s.io";

static SUBJECTS: &[Flag] = &[
    text("clusterrole", "", "The cluster role that is given."),
    array("user", "A user; may be given several times."),
    array("group", "A group; may be given several times."),
    array("serviceaccount", "A service account, as namespace:name; may be given several times."),
];
static ROLE: &[Flag] = &[text("role", "", "The role that is given.")];

/// `kubectl create rolebinding`.
pub static ROLE_BINDING: Command = Command {
    name: "rolebinding",
    usage: "NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]",
    short: "Create a role binding for a particular role or cluster role",
    long: "Give a role, or a cluster role, to users, groups and service accounts in one namespace.",
    examples: &[
        (
            "A cluster role for two users and a group",
            "kubectl create rolebinding admin --clusterrole=admin --user=user1 --user=user2 --group=group1",
        ),
        (
            "A role for a service account",
            "kubectl create rolebinding admin-binding --role=admin --serviceaccount=namespace:serviceaccountname",
        ),
    ],
    flags: &[SUBJECTS, ROLE, COMMON[0], COMMON[1], COMMON[2], COMMON[3], COMMON[4]],
    action: Action::Run(|session, args| Box::pin(run(session, args, "RoleBinding"))),
    ..COMMAND
};

/// `kubectl create clusterrolebinding`.
pub static CLUSTER_ROLE_BINDING: Command = Command {
    name: "clusterrolebinding",
    usage: "NAME --clusterrole=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]",
    short: "Create a cluster role binding for a particular cluster role",
    long: "Give a cluster role to users, groups and service accounts in the whole cluster.",
    examples: &[(
        "For two users and a group",
        "kubectl create clusterrolebinding cluster-admin --clusterrole=cluster-admin --user=user1 --user=user2 --group=group1",
    )],
    flags: &[SUBJECTS, COMMON[0], COMMON[1], COMMON[2], COMMON[3], COMMON[4]],
    required: &["clusterrole"],
    action: Action::Run(|session, args| Box::pin(run(session, args, "ClusterRoleBinding"))),
    ..COMMAND
};

async fn run(session: Rc<Session>, args: Args, kind: &str) -> Outcome {
    let name = name(&args)?;
    let is_cluster = kind == "ClusterRoleBinding";
    let role = if is_cluster { String::new() } else { args.text("role").to_owned() };
    let cluster_role = args.text("clusterrole").to_owned();
    if cluster_role.is_empty() == role.is_empty() {
        return Err(Failure::message("exactly one of clusterrole or role must be specified"));
    }
    let (role_kind, role_name) = if role.is_empty() { ("ClusterRole", cluster_role) } else { ("Role", role) };
    let mut object = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "roleRef": {"apiGroup": GROUP, "kind": role_kind, "name": role_name},
    });
    let subjects = subjects(&args)?;
    if !subjects.is_empty() {
        object["subjects"] = subjects.into();
    }
    let plural = if is_cluster { "clusterrolebindings" } else { "rolebindings" };
    let what = if is_cluster { "clusterrolebinding" } else { "rolebinding" };
    create(session, args, resource(GROUP, "v1", kind, plural, !is_cluster), object, what).await
}

fn subjects(args: &Args) -> Outcome<Vec<Value>> {
    let mut all = Vec::new();
    for (flag, kind) in [("user", "User"), ("group", "Group")] {
        all.extend(args.list(flag).iter().map(|name| json!({"apiGroup": GROUP, "kind": kind, "name": name})));
    }
    for account in args.list("serviceaccount") {
        let [namespace, name] = account.split(':').collect::<Vec<_>>()[..] else {
            return Err(Failure::message("serviceaccount must be <namespace>:<name>"));
        };
        if namespace.is_empty() || name.is_empty() {
            return Err(Failure::message("serviceaccount must be <namespace>:<name>"));
        }
        all.push(json!({"kind": "ServiceAccount", "name": name, "namespace": namespace}));
    }
    Ok(all)
}
