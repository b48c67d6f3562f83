//! What of the worker is not needed for the first prompt. The learner's machine has a shell and no cluster then.

use super::names::{PartRules, Rules};

/// For the worker of the page. When a part is fetched before it should be (`cargo xtask bench` says so of the rest), something
/// here is wanted earlier than that.
pub(crate) const WORKER: Rules = Rules {
    parts: &[REST, RARE, POLICIES, IMAGES],
    // The list of clusters: it is asked every time something happens, when it is still empty too.
    first: &["cluster::lifecycle::Clusters"],
    // Every program is installed under its names.
    methods: &["as machine::program::Program>::names"],
};

/// What every cluster and every command needs.
const REST: PartRules = PartRules {
    name: "rest",
    paths: &[
        // Clusters.
        "etcd",
        "apiserver",
        "client",
        "controllers",
        "scheduler",
        "kubelet",
        "runtime",
        "wasmi",
        "wasmi_core",
        "wasmi_ir",
        "wasmi_collections",
        "wasmparser",
        "cluster::lifecycle",
        "cluster::control_plane",
        "cluster::node",
        "cluster::browser",
        "cluster::follow",
        "network::http1",
        "network::dns",
        "network::proxy",
        "web::inspect",
        "web::picture",
        "http",
        // Programs, and what a command line needs once it is entered.
        "shell::builtins",
        "shell::exec",
        "shell::expand",
        "shell::syntax",
        "shell::regexes",
        "kubectl",
        "minikube",
        "shell::tools",
        "gotmpl",
        "miniz_oxide",
        "tar",
        "sha2",
        "base64",
    ],
};

/// What no lesson of the Basics does: commands of administrators, and kinds that come later in a course. What wakes a
/// controller is asked of every pod and is not here.
const RARE: PartRules = PartRules {
    name: "rare",
    paths: &[
        "kubectl::kustomize",
        "kubectl::verbs::auth",
        "kubectl::verbs::autoscale",
        "kubectl::verbs::certificate",
        "kubectl::verbs::cluster_info_dump",
        "kubectl::verbs::cp",
        "kubectl::verbs::debug",
        "kubectl::verbs::diff",
        "kubectl::verbs::events",
        "kubectl::verbs::explain",
        "kubectl::describe::networking",
        "kubectl::describe::policies",
        "kubectl::describe::rbac",
        "kubectl::describe::storage",
        "minikube::commands::addons",
        "minikube::commands::node",
        "shell::tools::diff",
        "shell::tools::find",
        "shell::tools::sort",
        "shell::tools::visual",
        "shell::tools::xargs",
        "api::managed::apply",
        "kubectl::verbs::edit",
        "kubectl::verbs::nodes",
        "kubectl::verbs::port_forward",
        "kubectl::verbs::prune",
        "kubectl::verbs::replace",
        "kubectl::verbs::set_last_applied",
        "kubectl::verbs::taint",
        "kubectl::verbs::top",
        "apiserver::admission::pod_security::checks",
        "apiserver::admission::resize",
        "apiserver::openapi::protobuf",
        "apiserver::protobuf",
        "apiserver::validation::batch",
        "apiserver::custom::columns",
        "apiserver::custom::definition::validate",
        "apiserver::custom::prune",
        "apiserver::custom::validate",
        "controllers::certificates::reconcile",
        "controllers::cronjob::reconcile",
        "controllers::cronjob::times",
        "controllers::job::backoff",
        "controllers::job::indexes",
        "controllers::job::manage",
        "controllers::job::per_index",
        "controllers::job::policy",
        "controllers::job::reconcile",
        "controllers::job::tracking",
        "controllers::loadbalancer",
        "controllers::podautoscaler::calculator",
        "controllers::podautoscaler::normalize",
        "controllers::podautoscaler::reconcile",
        "controllers::serviceaccounttoken::reconcile",
        "controllers::statefulset::pod",
        "controllers::statefulset::reconcile",
        "controllers::statefulset::retention",
        "controllers::statefulset::status",
        "network::policy::judge",
        "network::policy::spec",
        "cluster::cloud",
        "cluster::ingress::annotations",
        "cluster::ingress::certgen",
        "cluster::ingress::session",
        "cluster::ingress::site",
        "cluster::ingress::status",
        "cluster::profile::eks",
        "cluster::seats",
        "client::leader",
    ],
};

/// Images of the learner's own: docker, and what minikube does with it.
const IMAGES: PartRules = PartRules {
    name: "images",
    paths: &[
        "docker",
        "cluster::engines",
        "minikube::commands::docker_env",
        "minikube::commands::image",
        "minikube::engine",
        "vfs::diff",
    ],
};

/// What only clusters with rules in CEL need, which no introduction has: fetched when the first of them is written.
const POLICIES: PartRules = PartRules {
    name: "policies",
    paths: &[
        "cel",
        "apiserver::custom::rules",
        "apiserver::admission::policy",
        "apiserver::validation::admission_policy",
    ],
};
