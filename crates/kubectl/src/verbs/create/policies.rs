//! `kubectl create quota`, `poddisruptionbudget` and `priorityclass`.

use std::rc::Rc;

use json::{Map, Value, json};

use super::{COMMON, create, name, resource};
use crate::failure::{Failure, Outcome};
use crate::flags::{Action, Args, COMMAND, Command, Flag, int32, switch, text};
use crate::session::Session;

static QUOTA_FLAGS: &[Flag] = &[
    text("hard", "", "What may be used at most, as resource=amount,..."),
    text("scopes", "", "Which pods count, e.g. BestEffort."),
];

/// `kubectl create quota`.
pub static QUOTA: Command = Command {
    name: "quota",
    aliases: &["resourcequota"],
    usage: "NAME [--hard=key1=value1,key2=value2] [--scopes=Scope1,Scope2] [--dry-run=server|client|none]",
    short: "Create a quota with the specified name",
    long: "Create a quota: what all objects of a namespace may use together.",
    examples: &[
        ("Processors, memory and pods", "kubectl create quota my-quota --hard=cpu=1,memory=1G,pods=2,services=3"),
        ("Pods that ask for nothing", "kubectl create quota best-effort --hard=pods=100 --scopes=BestEffort"),
    ],
    flags: &[QUOTA_FLAGS, COMMON[0], COMMON[1], COMMON[2], COMMON[3], COMMON[4]],
    action: Action::Run(|session, args| Box::pin(quota(session, args))),
    ..COMMAND
};

async fn quota(session: Rc<Session>, args: Args) -> Outcome {
    let name = name(&args)?;
    let mut hard = Map::new();
    for part in args.text("hard").split(',').filter(|part| !part.is_empty()) {
        let Some((resource, amount)) = part.split_once('=') else {
            return Err(Failure::message(format!("Invalid argument syntax {part}, expected <resource>=<value>")));
        };
        let amount = api::Quantity::parse(amount).map_err(|error| Failure::message(error.to_string()))?;
        hard.insert(resource.into(), amount.to_string().into());
    }
    let mut spec = json!({});
    if !hard.is_empty() {
        spec["hard"] = hard.into();
    }
    let scopes: Vec<&str> = args.text("scopes").split(',').filter(|scope| !scope.is_empty()).collect();
    if !scopes.is_empty() {
        spec["scopes"] = json!(scopes);
    }
    let object =
        json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name}, "spec": spec, "status": {}});
    create(session, args, resource("", "v1", "ResourceQuota", "resourcequotas", true), object, "quota").await
}

static BUDGET_FLAGS: &[Flag] = &[
    text("min-available", "", "How many pods must stay, as a number or a percentage."),
    text("max-unavailable", "", "How many pods may go, as a number or a percentage."),
    text("selector", "", "The labels of the pods."),
];

/// `kubectl create poddisruptionbudget`.
pub static DISRUPTION_BUDGET: Command = Command {
    name: "poddisruptionbudget",
    aliases: &["pdb"],
    usage: "NAME --selector=SELECTOR --min-available=N [--dry-run=server|client|none]",
    short: "Create a pod disruption budget with the specified name",
    long: "Create a budget: how many pods may be taken away on purpose at the same time.",
    examples: &[
        ("One pod must stay", "kubectl create poddisruptionbudget my-pdb --selector=app=rails --min-available=1"),
        ("Half of them must stay", "kubectl create pdb my-pdb --selector=app=nginx --min-available=50%"),
    ],
    flags: &[BUDGET_FLAGS, COMMON[0], COMMON[1], COMMON[2], COMMON[3], COMMON[4]],
    action: Action::Run(|session, args| Box::pin(disruption_budget(session, args))),
    ..COMMAND
};

/// A number if it is one, else the text: a percentage.
fn number_or_percent(text: &str) -> Value {
    text.parse::<i64>().map_or_else(|_| text.into(), Value::from)
}

async fn disruption_budget(session: Rc<Session>, args: Args) -> Outcome {
    let name = name(&args)?;
    let (least, most) = (args.text("min-available").to_owned(), args.text("max-unavailable").to_owned());
    let chosen = args.text("selector").to_owned();
    if chosen.is_empty() {
        return Err(Failure::message("a selector must be specified"));
    }
    if least.is_empty() && most.is_empty() {
        return Err(Failure::message("one of min-available or max-unavailable must be specified"));
    }
    if !least.is_empty() && !most.is_empty() {
        return Err(Failure::message("min-available and max-unavailable cannot be both specified"));
    }
    let mut labels = Map::new();
    for pair in chosen.split(',') {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(Failure::message(format!("couldn't parse the selector string {chosen:?}")));
        };
        labels.insert(key.into(), value.trim_start_matches('=').into());
    }
    let mut spec = json!({"selector": {"matchLabels": labels}});
    if least.is_empty() {
        spec["maxUnavailable"] = number_or_percent(&most);
    } else {
        spec["minAvailable"] = number_or_percent(&least);
    }
    let status = json!({"currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0});
    let object = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name},
        "spec": spec, "status": status});
    let resource = resource("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", true);
    create(session, args, resource, object, "poddisruptionbudgets").await
}

static PRIORITY_FLAGS: &[Flag] = &[
    int32("value", "0", "The priority that pods of this class get."),
    switch("global-default", "Give it to pods that name no class."),
    text("description", "", "What the class is for."),
    text("preemption-policy", "PreemptLowerPriority", "Whether pods of lower priority make room."),
];

/// `kubectl create priorityclass`.
pub static PRIORITY_CLASS: Command = Command {
    name: "priorityclass",
    aliases: &["pc"],
    usage: "NAME --value=VALUE --global-default=BOOL [--dry-run=server|client|none]",
    short: "Create a priority class with the specified name",
    long: "Create a priority class: which pods come first when there is not room for all.",
    examples: &[
        ("A high priority", "kubectl create priorityclass high-priority --value=1000 --description=\"high priority\""),
        ("For pods that name none", "kubectl create priorityclass default-priority --value=1000 --global-default=true"),
    ],
    flags: &[PRIORITY_FLAGS, COMMON[0], COMMON[1], COMMON[2], COMMON[3], COMMON[4]],
    action: Action::Run(|session, args| Box::pin(priority_class(session, args))),
    ..COMMAND
};

async fn priority_class(session: Rc<Session>, args: Args) -> Outcome {
    let name = name(&args)?;
    let mut object = json!({
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": args.int("value"),
        "preemptionPolicy": args.text("preemption-policy"),
    });
    if args.on("global-default") {
        object["globalDefault"] = true.into();
    }
    if !args.text("description").is_empty() {
        object["description"] = args.text("description").into();
    }
    let resource = resource("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", false);
    create(session, args, resource, object, "priorityclass").await
}
