//! `kubectl describe`: a table of describers by group and kind (`kubectl/pkg/describe`).

mod autoscaling;
mod batch;
mod configs;
mod events;
mod generic;
mod networking;
mod node;
mod pod;
mod policies;
mod rbac;
mod services;
mod storage;
mod volumes;
mod workloads;
mod write;

use std::rc::Rc;

use api::Object;
use futures_util::future::LocalBoxFuture;
use json::Value;
use simulation::Time;

pub use events::interval;
pub use workloads::selector as selector_text;

use crate::failure::{Failure, Outcome};
use crate::flags::common::{ALL_NAMESPACES, CHUNK_SIZE, FILES, SELECTOR};
use crate::flags::{Action, Args, COMMAND, Command, Flag, switch_on};
use crate::rest::Rest;
use crate::session::Session;
use crate::targets::{self, Info, Query, has_files};

static FLAGS: &[Flag] = &[switch_on("show-events", "Show the events of the object.")];

/// The command.
pub static DESCRIBE: Command = Command {
    name: "describe",
    usage: "(-f FILENAME | TYPE [NAME_PREFIX | -l label] | TYPE/NAME)",
    short: "Show details of a specific resource or group of resources",
    long: "Show the details of one object or of several, with what belongs to them and what happened to them.

 If there is no object of the given name, those whose names begin with it are shown.

Use \"kubectl api-resources\" for a complete list of supported resources.",
    examples: &[
        ("One node", "kubectl describe nodes minikube"),
        ("One pod", "kubectl describe pods/web-1"),
        ("All pods", "kubectl describe pods"),
        ("Pods with a label", "kubectl describe pods -l app=web"),
        ("All pods of a deployment, by how their names begin", "kubectl describe pods web"),
    ],
    flags: &[FLAGS, ALL_NAMESPACES, CHUNK_SIZE, FILES, SELECTOR],
    action: Action::Run(|session, args| Box::pin(run(session, args))),
    ..COMMAND
};

/// What a describer has at hand.
#[derive(Clone)]
pub struct Context {
    /// The server.
    pub rest: Rest,
    /// Whether events are wanted.
    pub show_events: bool,
}

impl Context {
    fn now(&self) -> Time {
        self.rest.session.now()
    }
}

type Describer = fn(Context, Object) -> LocalBoxFuture<'static, Outcome<String>>;

/// Group, kind, describer.
static DESCRIBERS: &[(&str, &str, Describer)] = &[
    ("", "Pod", |c, o| Box::pin(pod::describe(c, o))),
    ("", "Service", |c, o| Box::pin(services::service(c, o))),
    ("", "Endpoints", |c, o| Box::pin(services::endpoints(c, o))),
    ("", "Node", |c, o| Box::pin(node::describe(c, o))),
    ("", "Namespace", |c, o| Box::pin(configs::namespace(c, o))),
    ("", "ConfigMap", |c, o| Box::pin(configs::config_map(c, o))),
    ("", "Secret", |c, o| Box::pin(configs::secret(c, o))),
    ("", "ServiceAccount", |c, o| Box::pin(configs::service_account(c, o))),
    ("", "LimitRange", |c, o| Box::pin(policies::limit_range(c, o))),
    ("", "ResourceQuota", |c, o| Box::pin(policies::quota(c, o))),
    ("", "PersistentVolume", |c, o| Box::pin(storage::volume(c, o))),
    ("", "PersistentVolumeClaim", |c, o| Box::pin(storage::claim(c, o))),
    ("", "ReplicationController", |c, o| Box::pin(workloads::replica_set(c, o))),
    ("apps", "DaemonSet", |c, o| Box::pin(workloads::daemon_set(c, o))),
    ("apps", "Deployment", |c, o| Box::pin(workloads::deployment(c, o))),
    ("apps", "ReplicaSet", |c, o| Box::pin(workloads::replica_set(c, o))),
    ("apps", "StatefulSet", |c, o| Box::pin(workloads::stateful_set(c, o))),
    ("autoscaling", "HorizontalPodAutoscaler", |c, o| Box::pin(autoscaling::autoscaler(c, o))),
    ("batch", "CronJob", |c, o| Box::pin(batch::cron_job(c, o))),
    ("batch", "Job", |c, o| Box::pin(batch::job(c, o))),
    ("discovery.k8s.io", "EndpointSlice", |c, o| Box::pin(services::endpoint_slice(c, o))),
    ("networking.k8s.io", "Ingress", |c, o| Box::pin(networking::ingress(c, o))),
    ("networking.k8s.io", "IngressClass", |c, o| Box::pin(networking::class(c, o))),
    ("networking.k8s.io", "IPAddress", |c, o| Box::pin(networking::address(c, o))),
    ("networking.k8s.io", "NetworkPolicy", |c, o| Box::pin(networking::policy(c, o))),
    ("networking.k8s.io", "ServiceCIDR", |c, o| Box::pin(networking::range(c, o))),
    ("policy", "PodDisruptionBudget", |c, o| Box::pin(policies::disruption_budget(c, o))),
    ("rbac.authorization.k8s.io", "ClusterRole", |c, o| Box::pin(rbac::role(c, o))),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", |c, o| Box::pin(rbac::binding(c, o))),
    ("rbac.authorization.k8s.io", "Role", |c, o| Box::pin(rbac::role(c, o))),
    ("rbac.authorization.k8s.io", "RoleBinding", |c, o| Box::pin(rbac::binding(c, o))),
    ("scheduling.k8s.io", "PriorityClass", |c, o| Box::pin(policies::priority_class(c, o))),
    ("storage.k8s.io", "CSINode", |c, o| Box::pin(storage::node(c, o))),
    ("storage.k8s.io", "StorageClass", |c, o| Box::pin(storage::class(c, o))),
    ("storage.k8s.io", "VolumeAttributesClass", |c, o| Box::pin(storage::attributes_class(c, o))),
];

/// The description of one object.
pub async fn describe(ctx: Context, info: &Info) -> Outcome<String> {
    let resource = &info.named.resource;
    let row = DESCRIBERS.iter().find(|(group, kind, _)| *group == resource.group && *kind == resource.kind);
    match row {
        Some((_, _, describer)) => describer(ctx, info.object.clone()).await,
        None => generic::describe(ctx, info.object.clone()).await,
    }
}

/// A pod template with its tabs, as `rollout history` prints it.
pub fn pod_template_text(template: &Value) -> String {
    let mut out = write::Text::new();
    pod::template(&mut out, template);
    out.with_tabs()
}

async fn run(session: Rc<Session>, args: Args) -> Outcome {
    if args.words.is_empty() && !has_files(&args) {
        return Err(Failure::message(
            "You must specify the type of resource to describe. Use \"kubectl api-resources\" for a complete list of supported resources.\n",
        ));
    }
    let rest = session.rest(&args)?;
    let query = Query::from_args(&rest, &args, &args.words).await?.all_of_type();
    let found = targets::fetch(&rest, &query).await?;
    let mut ctx = Context { rest: rest.clone(), show_events: args.on("show-events") };
    if let ([failure], [kind, prefix]) = (found.failures.as_slice(), args.words.as_slice())
        && failure.is_not_found()
        && found.infos.is_empty()
    {
        if !args.changed("show-events") {
            ctx.show_events = false;
        }
        return by_prefix(&ctx, kind, prefix, failure.clone()).await;
    }
    if (found.infos.len() > 1 || !found.failures.is_empty()) && !args.changed("show-events") {
        ctx.show_events = false;
    }
    if found.infos.is_empty() && found.failures.is_empty() {
        let place = if query.all_namespaces { String::new() } else { format!(" in {} namespace.", rest.namespace()) };
        session.err(format!("No resources found{place}\n")).await;
        return Ok(());
    }
    let mut failures = found.failures;
    for (i, info) in found.infos.iter().enumerate() {
        match describe(ctx.clone(), info).await {
            Ok(text) if i == 0 => session.out(text).await?,
            Ok(text) => session.out(format!("\n\n{text}")).await?,
            Err(failure) => failures.push(failure),
        }
    }
    Failure::several(failures)
}

/// The objects whose names begin with what was typed.
async fn by_prefix(ctx: &Context, kind: &str, prefix: &str, failure: Failure) -> Outcome {
    let query = Query { words: vec![kind.to_owned()], ..Query::default() }.all_of_type();
    let found = targets::fetch(&ctx.rest, &query).await?;
    let mut any = false;
    for info in found.infos.iter().filter(|i| i.named.name.starts_with(prefix)) {
        any = true;
        let text = describe(ctx.clone(), info).await?;
        ctx.rest.session.out(format!("{text}\n")).await?;
    }
    if any { Ok(()) } else { Err(failure) }
}
