//! A preference for nodes whose CPU and memory are used alike (`plugins/noderesources/balanced_allocation.go`).

use crate::framework::{Cycle, Plugin, SCORE_MAX, Score, always};
use crate::node_info::NodeInfo;

pub(crate) static PLUGIN: Plugin = Plugin {
    name: "NodeResourcesBalancedAllocation",
    pre_filter: None,
    filter: None,
    score: Some(Score { weight: 1, score }),
    wakes: &[],
    helps: always,
};

fn score(cycle: &Cycle<'_>, nodes: &[&NodeInfo]) -> Option<Vec<i64>> {
    if cycle.info.requests.cpu_milli == 0 && cycle.info.requests.memory_bytes == 0 {
        return None; // a best-effort pod changes no balance
    }
    let one = |node: &&NodeInfo| {
        let (has, used) = (&node.allocatable, &node.requested);
        let amounts = |cpu: i64, memory: i64| {
            [(used.cpu_milli + cpu, has.cpu_milli), (used.memory_bytes + memory, has.memory_bytes)]
        };
        let with = balance(amounts(cycle.info.requests.cpu_milli, cycle.info.requests.memory_bytes));
        let without = balance(amounts(0, 0));
        SCORE_MAX / 2 + (SCORE_MAX / 2 + with - without) / 2
    };
    Some(nodes.iter().map(one).collect())
}

/// 100 when all fractions are equal, less the further they are apart.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "fractions, and a score of 0 to 100")]
fn balance(amounts: [(i64, i64); 2]) -> i64 {
    let fraction = |(used, has): (i64, i64)| (has > 0).then(|| (used as f64 / has as f64).min(1.0));
    let deviation = match amounts.map(fraction) {
        [Some(cpu), Some(memory)] => ((cpu - memory) / 2.0).abs(),
        _ => 0.0,
    };
    ((1.0 - deviation) * SCORE_MAX as f64) as i64
}
