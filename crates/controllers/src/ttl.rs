//! Tells kubelets how long they may keep secrets and config maps, by the size of the cluster (`pkg/controller/ttl`).

use api::{Kind, kinds};
use client::{Event, PatchType};
use json::json;

use crate::change::{Change, Retry, Write};
use crate::controller::{Controller, Follows, Wake};
use crate::view::View;

const ANNOTATION: &str = "node.alpha.kubernetes.io/ttl";

pub(crate) static CONTROLLER: Controller = Controller {
    name: "ttl-controller",
    component: "ttl-controller",
    follows: Follows::Kinds(&[&kinds::NODES]),
    wake,
    reports_refusals: false,
    reconcile,
};

/// Nodes up to which a time holds, and the time in seconds.
const BOUNDARIES: [(usize, u32); 5] = [(100, 0), (500, 15), (1_000, 30), (2_000, 60), (usize::MAX, 300)];

fn wake(_view: &View<'_>, _kind: &Kind, event: &Event) -> Vec<Wake> {
    match event {
        Event::Deleted(_) => Vec::new(),
        other => vec![Wake::now(other.object())],
    }
}

fn reconcile(view: &View<'_>, key: &str) -> Result<Vec<Change>, Retry> {
    let Some(node) = view.get(&kinds::NODES, key) else { return Ok(Vec::new()) };
    let count = view.of(&kinds::NODES).list().count();
    let seconds = BOUNDARIES.iter().find(|(nodes, _)| count <= *nodes).map_or(0, |(_, seconds)| *seconds).to_string();
    if node.annotation(ANNOTATION) == Some(seconds.as_str()) {
        return Ok(Vec::new());
    }
    let patch = json!({ "metadata": { "annotations": { ANNOTATION: seconds } } });
    Ok(vec![Change::from(Write::patch(&kinds::NODES, node, "", PatchType::Strategic, patch))])
}
