//! Asks the filters about one node (`framework/runtime/framework.go`, `RunFilterPluginsWithNominatedPods`).

use api::Object;
use serde::Serialize;

use crate::cluster::{Cluster, NodeInfo};
use crate::framework::{Cycle, Verdict};
use crate::plugins::PLUGINS;

/// What one filter said about one node, for the explanation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FilterExplanation {
    plugin: &'static str,
    passed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
}

/// What all filters said about one node.
pub(crate) struct Filtered {
    /// Up to the first refusal.
    pub(crate) told: Vec<FilterExplanation>,
    /// The plugin that refuses, and how.
    pub(crate) refusal: Option<(&'static str, Verdict)>,
}

/// A node that is out.
pub(crate) struct Refusal<'a> {
    pub(crate) node: &'a NodeInfo,
    pub(crate) plugin: &'static str,
    pub(crate) verdict: Verdict,
}

/// Whether the pod may run on the node, and also beside the pods that are to come there and go before it.
pub(crate) fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Filtered {
    if cycle.cluster.nominated_before(cycle.pod, node.name()).is_empty() {
        return ask(cycle, node);
    }
    filter_in(&mut cycle.cluster.clone(), cycle.pod, node.name())
}

/// The same in a cluster that may be changed for a while. Both answers count: pods that are to come take room, but
/// nobody can rely on them either.
pub(crate) fn filter_in(scratch: &mut Cluster, pod: &Object, node: &str) -> Filtered {
    let nominated = scratch.nominated_before(pod, node);
    for other in &nominated {
        scratch.put(other, node);
    }
    let filtered = ask_in(scratch, pod, node);
    for other in &nominated {
        scratch.remove(&other.key());
    }
    if nominated.is_empty() || filtered.refusal.is_some() { filtered } else { ask_in(scratch, pod, node) }
}

fn ask_in(cluster: &Cluster, pod: &Object, node: &str) -> Filtered {
    ask(&Cycle::new(cluster, pod), cluster.node(node).expect("only nodes that exist are asked about"))
}

fn ask(cycle: &Cycle<'_>, node: &NodeInfo) -> Filtered {
    let mut told = Vec::new();
    for plugin in PLUGINS {
        let Some(filter) = plugin.filter else { continue };
        let verdict = filter(cycle, node);
        let passed = verdict == Verdict::Pass;
        told.push(FilterExplanation { plugin: plugin.name, passed, reasons: verdict.reasons().to_vec() });
        if !passed {
            return Filtered { told, refusal: Some((plugin.name, verdict)) };
        }
    }
    Filtered { told, refusal: None }
}
