//! A preference for nodes that have the images already (`plugins/imagelocality`).

use crate::framework::{Cycle, Plugin, SCORE_MAX, Score, always};
use crate::node_info::{NodeInfo, normalized_image};

/// Images below this size are as good as not there.
const THRESHOLD_BYTES_MIN: i64 = 23 * 1024 * 1024;
/// Above this size, per container, more does not count.
const THRESHOLD_BYTES_MAX: i64 = 1_000 * 1024 * 1024;

pub(crate) static PLUGIN: Plugin = Plugin {
    name: "ImageLocality",
    pre_filter: None,
    filter: None,
    score: Some(Score { weight: 1, score }),
    wakes: &[],
    helps: always,
};

fn score(cycle: &Cycle<'_>, nodes: &[&NodeInfo]) -> Option<Vec<i64>> {
    let containers = cycle.pod.list("spec.initContainers").iter().chain(cycle.pod.list("spec.containers"));
    let images: Vec<String> = containers.map(|c| normalized_image(c["image"].as_str().unwrap_or(""))).collect();
    let all = i64::try_from(cycle.cluster.nodes().count()).unwrap_or(1).max(1);
    // An image counts for more the more nodes have it, so that not all pods end on the first that pulled it.
    let spread = |image: &String, size: &i64| size * cycle.cluster.holders(image) / all;
    let max = THRESHOLD_BYTES_MAX * i64::try_from(images.len()).unwrap_or(1).max(1);
    let one = |node: &&NodeInfo| {
        let sum: i64 = images.iter().filter_map(|image| Some(spread(image, node.images.get(image)?))).sum();
        SCORE_MAX * (sum.clamp(THRESHOLD_BYTES_MIN, max) - THRESHOLD_BYTES_MIN) / (max - THRESHOLD_BYTES_MIN)
    };
    Some(nodes.iter().map(one).collect())
}
