//! What of the worker is not needed for the first prompt. The learner's machine has a shell and no cluster then.

use super::Rules;

/// For the worker of the page. When the rest is fetched before the first prompt (`cargo xtask bench` says so), something
/// here is wanted earlier than it should be.
pub(crate) const WORKER: Rules = Rules {
    rest: &[
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
        // Programs.
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
    first: &[],
    // Every program is installed under its names.
    methods: &["as machine::program::Program>::names"],
};
