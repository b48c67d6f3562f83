//! What moves on the map: requests as dots, parts that light up. Everything here happened, as the trace tells it.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use simulation::{TraceEvent, TraceKind};

use crate::map::Part;
use crate::news::is_news;

/// Dots kept; older ones have long arrived.
const MOVES_MAX: usize = 24;

/// Where a dot starts or ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Anchor {
    /// A part of the control plane, or the learner.
    Part(Part),
    /// A node.
    Node(String),
    /// A pod by namespace and name.
    Pod(String, String),
    /// A Service by namespace and name.
    Service(String, String),
    /// A Deployment or ReplicaSet by kind, namespace and name.
    Workload(String, String, String),
}

/// What a dot stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveKind {
    /// A request that reads.
    Read,
    /// A request that changes something.
    Change,
    /// Traffic to an app.
    Traffic,
    /// A request that was refused or failed.
    Failed,
}

/// A dot on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Identifies it.
    pub seq: u64,
    /// The way.
    pub path: Vec<Anchor>,
    /// What it stands for.
    pub kind: MoveKind,
    /// The request on the network that it is, if it is one (`cluster::journey`).
    pub request: Option<u64>,
    /// Its place among the dots that came with it: they start one after another.
    pub order: usize,
}

/// All that moves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Motion {
    /// Dots, oldest first.
    pub moves: VecDeque<Move>,
    /// When each part last worked (trace position).
    pub lit: BTreeMap<Anchor, u64>,
}

impl Motion {
    /// Takes in what happened.
    pub fn take_in(&mut self, events: &[TraceEvent]) {
        let mut order = 0;
        for event in events {
            let Some((path, kind)) = read(&event.kind).filter(|_| is_news(&event.kind)) else { continue };
            for anchor in &path {
                self.lit.insert(anchor.clone(), event.seq);
            }
            if path.len() > 1 {
                let request = match &event.kind {
                    TraceKind::Flow { id, .. } => Some(*id),
                    _ => None,
                };
                self.moves.push_back(Move { seq: event.seq, path, kind, request, order });
                order += 1;
            }
        }
        while self.moves.len() > MOVES_MAX {
            self.moves.pop_front();
        }
    }

    /// The newest trace position of what moves or is lit; none when all is at rest.
    pub fn newest(&self) -> Option<u64> {
        self.moves.iter().map(|moving| moving.seq).chain(self.lit.values().copied()).max()
    }

    /// Lets go of what came up to a trace position: it has arrived, or has gone out.
    pub fn settle(&mut self, seq: u64) {
        self.moves.retain(|moving| moving.seq > seq);
        self.lit.retain(|_, lit| *lit > seq);
    }
}

fn read(kind: &TraceKind) -> Option<(Vec<Anchor>, MoveKind)> {
    let server = || Anchor::Part(Part::ApiServer);
    match kind {
        TraceKind::Call { from, method, status, .. } => {
            let caller = caller(from)?;
            let reads = method == "GET";
            let kind = match status {
                400.. => MoveKind::Failed,
                _ if reads => MoveKind::Read,
                _ => MoveKind::Change,
            };
            Some((vec![caller, server()], kind))
        }
        TraceKind::Write { .. } => Some((vec![server(), Anchor::Part(Part::Etcd)], MoveKind::Change)),
        TraceKind::Decision { node, .. } => {
            let mut path = vec![Anchor::Part(Part::Scheduler)];
            path.extend(node.clone().map(Anchor::Node));
            Some((path, MoveKind::Change))
        }
        TraceKind::Flow { from, hops, to, outcome, .. } => {
            if outcome == "closed" {
                return None;
            }
            let failed = outcome != "connected";
            let mut path = vec![place(from)?];
            path.extend(hops.iter().filter_map(|hop| place(hop)));
            path.extend(place(to));
            path.dedup();
            let kind = if failed { MoveKind::Failed } else { MoveKind::Traffic };
            (path.len() > 1).then_some((path, kind))
        }
        TraceKind::Container { node, .. } => Some((vec![Anchor::Node(node.clone())], MoveKind::Change)),
        TraceKind::Limit { .. } | TraceKind::Learner { .. } | TraceKind::Command { .. } => None,
    }
}

/// Who a user agent stands for; none for who is not on the map.
pub fn caller(agent: &str) -> Option<Anchor> {
    match agent.split_once('/').unwrap_or((agent, "")) {
        ("kube-controller-manager", _) => Some(Anchor::Part(Part::Controllers)),
        ("kube-scheduler", _) => Some(Anchor::Part(Part::Scheduler)),
        ("kubelet", node) => Some(Anchor::Node(node.to_owned())),
        (
            "kube-proxy"
            | "kube-network-policies"
            | "coredns"
            | "kubeadm"
            | "storage-provisioner"
            | "kubonsai-page"
            | "kube-apiserver",
            _,
        ) => None,
        _ => Some(Anchor::Part(Part::You)),
    }
}

/// What a name on the network stands for.
pub fn place(name: &str) -> Option<Anchor> {
    let mut parts = name.split('/');
    match (parts.next()?, parts.next(), parts.next()) {
        ("learner", None, None) => Some(Anchor::Part(Part::You)),
        ("node", Some(node), None) => Some(Anchor::Node(node.to_owned())),
        // Not on the map, see `Picture`.
        ("pod" | "service", Some(namespace), _) if namespace.starts_with("kube-") => None,
        ("pod", Some(namespace), Some(pod)) => Some(Anchor::Pod(namespace.to_owned(), pod.to_owned())),
        ("service", Some(namespace), Some(service)) => {
            let service = service.split(':').next().unwrap_or(service);
            Some(Anchor::Service(namespace.to_owned(), service.to_owned()))
        }
        _ => None,
    }
}
