//! What the scheduler reads in a pod, read once (`framework.PodInfo`).

use std::rc::Rc;

use api::Object;
use api::selector::LabelSelector;
use json::{Array, Map, Value};

use crate::resources::{Resources, pod_requests, reads_same};
use crate::tally::Clause;

/// A pod as plugins look at it.
#[derive(Clone, Debug)]
pub(crate) struct PodInfo {
    /// The pod itself, for what is seldom asked.
    pub(crate) object: Object,
    /// What it asks for.
    pub(crate) requests: Resources,
    /// The same, but containers without a request count a little.
    pub(crate) assumed_requests: Resources,
    /// How important it is.
    pub(crate) priority: i64,
    /// The ports of the node that it takes.
    pub(crate) host_ports: Vec<HostPort>,
    /// Which other pods it wants near or far; none if it does not care.
    pub(crate) affinity: Option<Rc<Affinity>>,
}

impl PodInfo {
    pub(crate) fn new(pod: &Object) -> PodInfo {
        PodInfo {
            object: pod.clone(),
            requests: pod_requests(pod, false),
            assumed_requests: pod_requests(pod, true),
            priority: priority(pod),
            host_ports: host_ports(pod),
            affinity: Affinity::read(pod).map(Rc::new),
        }
    }

    /// The same pod as it is now, if nothing has changed that is read here, or that tells it from other pods.
    pub(crate) fn refreshed(&self, pod: &Object) -> Option<PodInfo> {
        let same = |path: &str| self.object.at(path) == pod.at(path);
        let is_same = same("spec")
            && same("metadata.labels")
            && self.object.uid() == pod.uid()
            && self.object.is_deleting() == pod.is_deleting()
            // Its containers may have been given other resources.
            && (reads_same(&self.object, pod) || self.requests == pod_requests(pod, false));
        is_same.then(|| PodInfo { object: pod.clone(), ..self.clone() })
    }
}

/// How important a pod is.
pub(crate) fn priority(pod: &Object) -> i64 {
    pod.int("spec.priority").unwrap_or(0)
}

/// A port of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostPort {
    address: String,
    protocol: String,
    number: i64,
}

impl HostPort {
    /// Whether not both can be taken.
    pub(crate) fn conflicts(&self, other: &HostPort) -> bool {
        let everywhere = |port: &HostPort| port.address == "0.0.0.0";
        self.protocol == other.protocol
            && self.number == other.number
            && (self.address == other.address || everywhere(self) || everywhere(other))
    }
}

/// The ports of the node that a pod takes.
pub(crate) fn host_ports(pod: &Object) -> Vec<HostPort> {
    let sidecars = pod.list("spec.initContainers").iter().filter(|c| c["restartPolicy"] == "Always");
    let containers = pod.list("spec.containers").iter().chain(sidecars);
    let ports = containers.flat_map(|c| c["ports"].as_array().map_or(&[][..], Array::as_slice));
    let text =
        |value: &Value, default: &str| value.as_str().filter(|text| !text.is_empty()).unwrap_or(default).to_owned();
    let host_port = |port: &Value| {
        let number = port["hostPort"].as_i64().filter(|number| *number > 0)?;
        Some(HostPort { address: text(&port["hostIP"], "0.0.0.0"), protocol: text(&port["protocol"], "TCP"), number })
    };
    ports.filter_map(host_port).collect()
}

/// Which other pods a pod wants to be near, and from which it wants to be away.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Affinity {
    /// The pods of one workload say the same: this text tells them from others.
    pub(crate) key: String,
    /// `podAffinity`, required.
    pub(crate) near: Vec<Term>,
    /// `podAntiAffinity`, required.
    pub(crate) away: Vec<Term>,
    /// Both, preferred; what it would rather be away from weighs less than nothing.
    pub(crate) preferred: Vec<Term>,
}

/// One term of an affinity.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Term {
    pub(crate) topology_key: String,
    /// Which pods it means.
    pub(crate) pods: Clause,
    /// Of a preference; 0 where it is required.
    pub(crate) weight: i64,
}

impl Affinity {
    pub(crate) fn read(pod: &Object) -> Option<Affinity> {
        let (near, away) = (pod.at("spec.affinity.podAffinity"), pod.at("spec.affinity.podAntiAffinity"));
        if near.is_null() && away.is_null() {
            return None;
        }
        let list = |of: &Value, field: &str| of[field].as_array().cloned().unwrap_or_default();
        let required = |of: &Value| {
            let terms = list(of, "requiredDuringSchedulingIgnoredDuringExecution");
            terms.iter().map(|term| Term::read(pod, term, 0)).collect()
        };
        let preferred = |of: &Value, sign: i64| {
            let terms = list(of, "preferredDuringSchedulingIgnoredDuringExecution");
            let read = |weighted: &Value| {
                Term::read(pod, &weighted["podAffinityTerm"], sign * weighted["weight"].as_i64().unwrap_or(0))
            };
            terms.iter().map(read).collect::<Vec<Term>>()
        };
        Some(Affinity {
            key: format!("{} {near} {away}", pod.namespace()),
            near: required(near),
            away: required(away),
            preferred: [preferred(near, 1), preferred(away, -1)].concat(),
        })
    }
}

impl Term {
    fn read(owner: &Object, term: &Value, weight: i64) -> Term {
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let listed: Vec<String> = term["namespaces"].as_array().into_iter().flatten().map(text).collect();
        let selects_all = term["namespaceSelector"].as_object().is_some_and(Map::is_empty);
        let namespaces = match (selects_all, listed.is_empty()) {
            (true, _) => None,
            (false, true) => Some(vec![owner.namespace().to_owned()]),
            (false, false) => Some(listed),
        };
        let selector = LabelSelector::from_value(&term["labelSelector"]).unwrap_or_else(|_| LabelSelector::nothing());
        Term { topology_key: text(&term["topologyKey"]), pods: Clause { namespaces, selector }, weight }
    }
}
