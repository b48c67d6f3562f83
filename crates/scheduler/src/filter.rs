//! Asks the filters about one node (`framework/runtime/framework.go`, `RunFilterPluginsWithNominatedPods`).

use std::rc::Rc;

use crate::cluster::Cluster;
use crate::framework::{Cycle, Verdict};
use crate::node_info::NodeInfo;
use crate::plugins::PLUGINS;
use crate::pod_info::PodInfo;

/// The plugin that refuses a node.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) plugin: &'static str,
    pub(crate) verdict: Verdict,
}

/// A node that is out.
pub(crate) struct Refusal<'a> {
    pub(crate) node: &'a NodeInfo,
    pub(crate) plugin: &'static str,
    pub(crate) verdict: Verdict,
}

/// Who says that the pod may not run on the node, also beside the pods that are to come there and go before it.
pub(crate) fn filter(cycle: &Cycle<'_>, node: &NodeInfo) -> Option<Refused> {
    if cycle.cluster.nominated_before(cycle.pod, node.name()).is_empty() {
        return ask(cycle, node);
    }
    filter_as(cycle.cluster, cycle.info, node)
}

/// The same with the node as it would be. Both answers count: pods that are to come take room, but nobody can rely on them
/// either.
pub(crate) fn filter_as(cluster: &Cluster, pod: &PodInfo, node: &NodeInfo) -> Option<Refused> {
    let nominated = cluster.nominated_before(&pod.object, node.name());
    if nominated.is_empty() {
        return ask(&Cycle::supposing(cluster, pod, node), node);
    }
    let mut fuller = node.clone();
    for other in &nominated {
        fuller.put(Rc::new(PodInfo::new(other)));
    }
    let refused = ask(&Cycle::supposing(cluster, pod, &fuller), &fuller);
    if refused.is_some() {
        return refused;
    }
    ask(&Cycle::supposing(cluster, pod, node), node)
}

fn ask(cycle: &Cycle<'_>, node: &NodeInfo) -> Option<Refused> {
    PLUGINS.iter().find_map(|plugin| {
        let verdict = plugin.filter?(cycle, node);
        (verdict != Verdict::Pass).then_some(Refused { plugin: plugin.name, verdict })
    })
}
