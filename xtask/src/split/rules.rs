//! What of the worker is not needed for the first prompt. The learner's machine has a shell and no cluster then.

use super::names::{PartRules, Rules};

/// For the worker of the page. When a part is fetched before it should be (`cargo xtask bench` says so of the rest), something
/// here is wanted earlier than that.
pub(crate) const WORKER: Rules = Rules {
    parts: &[REST, POLICIES],
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
        "json_patch",
        "miniz_oxide",
        "tar",
        "sha2",
        "base64",
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
