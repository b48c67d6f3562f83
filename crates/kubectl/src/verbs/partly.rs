//! Commands of which only the outside is built: they complain about wrong words as kubectl does, and then refuse by name.

use std::rc::Rc;

use crate::failure::{Failure, Outcome};
use crate::flags::common::{DRY_RUN, FILES, PRINT, SELECTOR};
use crate::flags::{Action, Args, COMMAND, Command, Flag, HelpTo, array, int, slice, switch, text};
use crate::session::Session;
use crate::targets::{self, Query};
use crate::verbs::create;

macro_rules! partly {
    ($($(#[$doc:meta])* $id:ident $name:literal $aliases:tt $short:literal flags $flags:expr, required $required:tt, $run:ident;)*) => {
        $(
            $(#[$doc])*
            pub static $id: Command = Command {
                name: $name,
                aliases: &$aliases,
                short: $short,
                long: $short,
                flags: $flags,
                required: &$required,
                action: Action::Run(|session, args| Box::pin($run(session, args))),
                ..COMMAND
            };
        )*
    };
}

static AUTOSCALE_FLAGS: &[Flag] = &[
    int("cpu-percent", "-1", "Average use of CPU to aim at."),
    int("max", "-1", "Most pods."),
    int("min", "-1", "Fewest pods."),
    text("name", "", "Name of the new object."),
];
static TOP_FLAGS: &[Flag] = &[
    switch("all-namespaces", "Pods of all namespaces.").short('A'),
    switch("containers", "Show containers, too."),
    switch("no-headers", "Leave the header line out."),
    text("sort-by", "", "Sort by cpu or memory."),
];
static RULE_FLAGS: &[Flag] = &[
    slice("verb", "Verbs that are allowed."),
    slice("resource", "Resources they are allowed on."),
    array("resource-name", "Names they are allowed on."),
    slice("non-resource-url", "Paths they are allowed on."),
    text("aggregation-rule", "", "Labels of roles to gather."),
];
static BINDING_FLAGS: &[Flag] = &[
    text("clusterrole", "", "The cluster role."),
    text("role", "", "The role."),
    array("user", "A user."),
    array("group", "A group."),
    array("serviceaccount", "A service account, as namespace:name."),
];
static QUOTA_FLAGS: &[Flag] = &[text("hard", "", "Limits, as resource=amount,..."), text("scopes", "", "Scopes.")];
static INGRESS_FLAGS: &[Flag] = &[
    array("annotation", "An annotation."),
    text("class", "", "Ingress class."),
    text("default-backend", "", "Where everything else goes."),
    array("rule", "host/path=service:port[,tls[=secret]]"),
];

partly! {
    /// `kubectl autoscale`.
    AUTOSCALE "autoscale" [] "Auto-scale a deployment, replica set, stateful set, or replication controller" flags &[AUTOSCALE_FLAGS, DRY_RUN, FILES, PRINT], required ["max"], autoscale;
    /// `kubectl completion`.
    COMPLETION "completion" [] "Output shell completion code for the specified shell (bash, zsh, fish, or powershell)" flags &[], required [], completion;
    /// `kubectl top pod`.
    TOP_POD "pod" ["pods", "po"] "Display resource (CPU/memory) usage of pods" flags &[TOP_FLAGS, SELECTOR], required [], top;
    /// `kubectl top node`.
    TOP_NODE "node" ["nodes", "no"] "Display resource (CPU/memory) usage of nodes" flags &[TOP_FLAGS, SELECTOR], required [], top;
    /// `kubectl create role`.
    CREATE_ROLE "role" [] "Create a role with single rule" flags &[RULE_FLAGS, DRY_RUN, PRINT], required [], role;
    /// `kubectl create clusterrole`.
    CREATE_CLUSTER_ROLE "clusterrole" [] "Create a cluster role" flags &[RULE_FLAGS, DRY_RUN, PRINT], required [], role;
    /// `kubectl create rolebinding`.
    CREATE_ROLE_BINDING "rolebinding" [] "Create a role binding for a particular role or cluster role" flags &[BINDING_FLAGS, DRY_RUN, PRINT], required [], role_binding;
    /// `kubectl create clusterrolebinding`.
    CREATE_CLUSTER_ROLE_BINDING "clusterrolebinding" [] "Create a cluster role binding for a particular cluster role" flags &[BINDING_FLAGS, DRY_RUN, PRINT], required ["clusterrole"], role_binding;
    /// `kubectl create quota`.
    CREATE_QUOTA "quota" ["resourcequota"] "Create a quota with the specified name" flags &[QUOTA_FLAGS, DRY_RUN, PRINT], required [], quota;
    /// `kubectl create ingress`.
    CREATE_INGRESS "ingress" ["ing"] "Create an ingress with the specified name" flags &[INGRESS_FLAGS, DRY_RUN, PRINT], required [], ingress;
}

/// `kubectl top`.
pub static TOP: Command = Command {
    name: "top",
    usage: "[flags]",
    short: "Display resource (CPU/memory) usage",
    long: "Show how much CPU and memory nodes or pods use. The cluster needs a metrics server for that.",
    commands: &[&TOP_NODE, &TOP_POD],
    action: Action::Group(HelpTo::Err),
    ..COMMAND
};

fn refuse(sentence: &'static str) -> Outcome {
    Err(Failure::message(sentence))
}

async fn autoscale(session: Rc<Session>, args: Args) -> Outcome {
    if args.int("max") < 1 {
        return Err(Failure::message(format!(
            "--max=MAXPODS is required and must be at least 1, max: {}",
            args.int("max")
        )));
    }
    let rest = session.rest(&args)?;
    let query = Query::from_args(&rest, &args, &args.words).await?;
    targets::fetch(&rest, &query).await?.all()?;
    refuse(simulation::stub!("kubectl", "autoscale"))
}

async fn completion(_: Rc<Session>, args: Args) -> Outcome {
    match args.words.as_slice() {
        [] => Err(args.usage("Shell not specified.")),
        [shell] if matches!(shell.as_str(), "bash" | "zsh" | "fish" | "powershell") => {
            refuse(simulation::stub!("kubectl", "completion scripts (the Tab key works without one)"))
        }
        [shell] => Err(args.usage(format!("Unsupported shell type \"{shell}\"."))),
        _ => Err(args.usage("Too many arguments. Expected only the shell type.")),
    }
}

async fn top(session: Rc<Session>, args: Args) -> Outcome {
    let rest = session.rest(&args)?;
    if rest.discover().await?.group_versions.iter().any(|v| v.starts_with("metrics.k8s.io/")) {
        return refuse(simulation::stub!("kubectl", "top"));
    }
    Err(Failure::message("Metrics API not available"))
}

async fn role(_: Rc<Session>, args: Args) -> Outcome {
    create::name(&args)?;
    if args.list("verb").is_empty() && args.text("aggregation-rule").is_empty() {
        return Err(Failure::message("at least one verb must be specified"));
    }
    refuse(simulation::stub!("kubectl", "create role and create clusterrole"))
}

async fn role_binding(_: Rc<Session>, args: Args) -> Outcome {
    create::name(&args)?;
    if args.text("clusterrole").is_empty() == args.text("role").is_empty() {
        return Err(Failure::message("exactly one of clusterrole or role must be specified"));
    }
    if args.list("serviceaccount").iter().any(|s| s.split(':').count() != 2) {
        return Err(Failure::message("serviceaccount must be <namespace>:<name>"));
    }
    refuse(simulation::stub!("kubectl", "create rolebinding and create clusterrolebinding"))
}

async fn quota(_: Rc<Session>, args: Args) -> Outcome {
    create::name(&args)?;
    for part in args.text("hard").split(',').filter(|p| !p.is_empty()) {
        if !part.contains('=') {
            return Err(Failure::message(format!("Invalid argument syntax {part}, expected <resource>=<value>")));
        }
    }
    refuse(simulation::stub!("kubectl", "create quota"))
}

async fn ingress(_: Rc<Session>, args: Args) -> Outcome {
    create::name(&args)?;
    let rules = args.list("rule");
    if rules.is_empty() && args.text("default-backend").is_empty() {
        return Err(Failure::message(
            "not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)",
        ));
    }
    for rule in rules {
        let valid = rule.split_once('=').is_some_and(|(host, backend)| host.contains('/') && backend.contains(':'));
        if !valid {
            return Err(Failure::message(format!(
                "rule {rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"
            )));
        }
    }
    refuse(simulation::stub!("kubectl", "create ingress"))
}
