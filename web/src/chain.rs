//! What a command set in motion: kubectl, API server, etcd, controllers, scheduler, kubelet, one sentence each.
//!
//! Read from the trace. A chain begins with a change that the learner asks for and goes on with everything that is
//! done because of it or while it lasts; system namespaces, heartbeats and events are left out.
//!
//! The worker reads the trace ([`Reader`]), also while it plays a session again, and tells the page what is new.

use serde::{Deserialize, Serialize};
use simulation::{TraceEvent, TraceKind};

use crate::map::{Anchor, Part, caller};
use crate::text::{Language, T, fill};

/// Steps kept of a chain; the rest of a long one is only counted.
pub const STEPS_MAX: usize = 80;

/// The stations of a chain in the order of the diagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Station {
    /// The learner's command.
    Command,
    /// kube-apiserver.
    ApiServer,
    /// etcd.
    Etcd,
    /// kube-controller-manager.
    Controllers,
    /// kube-scheduler.
    Scheduler,
    /// A kubelet.
    Kubelet,
}

impl Station {
    /// All, from left to right.
    pub const ALL: [Station; 6] = [
        Station::Command,
        Station::ApiServer,
        Station::Etcd,
        Station::Controllers,
        Station::Scheduler,
        Station::Kubelet,
    ];
}

/// What a step says. Its words are those of [`T`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the texts themselves say what they are")]
pub enum Says {
    AsksCreate,
    AsksChange,
    AsksDelete,
    Stored,
    Made,
    Changed,
    Ends,
    Removed,
    Endpoints,
    Chose,
    NoPlace,
    Pulls,
    Started,
    Exited,
    Killed,
    Reported,
    Gone,
    Machine,
}

impl Says {
    fn text(self) -> T {
        match self {
            Says::AsksCreate => T::ChainAsksCreate,
            Says::AsksChange => T::ChainAsksChange,
            Says::AsksDelete => T::ChainAsksDelete,
            Says::Stored => T::ChainStored,
            Says::Made => T::ChainMade,
            Says::Changed => T::ChainChanged,
            Says::Ends => T::ChainEnds,
            Says::Removed => T::ChainRemoved,
            Says::Endpoints => T::ChainEndpoints,
            Says::Chose => T::ChainChose,
            Says::NoPlace => T::ChainNoPlace,
            Says::Pulls => T::ChainPulls,
            Says::Started => T::ChainStarted,
            Says::Exited => T::ChainExited,
            Says::Killed => T::ChainKilled,
            Says::Reported => T::ChainReported,
            Says::Gone => T::ChainGone,
            Says::Machine => T::ChainMachine,
        }
    }
}

/// One step of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Its position in the trace.
    pub seq: u64,
    /// Virtual time since the chain began, in milliseconds.
    pub after_ms: u64,
    /// Who acts.
    pub station: Station,
    /// The sentence, with its places `{n}` and `{m}`.
    pub says: Says,
    /// What it is about, e.g. `Pod web-1`.
    pub about: String,
    /// The second name in the sentence: a controller or a node.
    pub by: String,
    /// The things on the map that take part.
    pub anchors: Vec<Anchor>,
}

impl Step {
    /// The sentence in a language.
    pub fn sentence(&self, language: Language) -> String {
        fill(self.says.text().get(language), &self.about, &self.by)
    }
}

/// The last chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// The command that began it.
    pub command: String,
    /// Its steps.
    pub steps: Vec<Step>,
    /// Steps beyond [`STEPS_MAX`].
    pub more: usize,
    /// Counts chains.
    pub number: u64,
}

/// What is new of the last chain: steps that follow those known, or another chain from its beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct News {
    /// As in [`Chain`].
    pub number: u64,
    /// As in [`Chain`].
    pub command: String,
    /// Steps before the new ones.
    pub known: usize,
    /// The new ones.
    pub steps: Vec<Step>,
    /// As in [`Chain`].
    pub more: usize,
}

impl Chain {
    /// Takes in what is new. Whether a new chain began.
    pub fn hear(&mut self, news: News) -> bool {
        let begins = self.number != news.number;
        if begins {
            *self = Chain::default();
        }
        self.number = news.number;
        self.command = news.command;
        self.more = news.more;
        self.steps.truncate(news.known);
        self.steps.extend(news.steps);
        begins
    }
}

/// Reads the last chain from the trace.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    chain: Chain,
    /// The last command line, which may yet begin a chain.
    typed: String,
    /// Whether that command line has begun this chain.
    begun: bool,
    begun_at: simulation::Time,
    /// Number, steps and more of the chain as they were told.
    told: (u64, usize, usize),
}

impl Reader {
    /// The chain so far.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Takes in what happened.
    pub fn take_in(&mut self, events: &[TraceEvent]) {
        events.iter().for_each(|event| self.take(event));
    }

    /// What is new since the last call; none if nothing is.
    pub fn news(&mut self) -> Option<News> {
        let Chain { command, steps, more, number } = &self.chain;
        let now = (*number, steps.len(), *more);
        let before = std::mem::replace(&mut self.told, now);
        if before == now {
            return None;
        }
        let known = if before.0 == *number { before.1 } else { 0 };
        let steps = steps[known..].to_vec();
        Some(News { number: *number, command: command.clone(), known, steps, more: *more })
    }

    fn take(&mut self, event: &TraceEvent) {
        match &event.kind {
            TraceKind::Learner { what } if !what.starts_with("browse ") => {
                self.typed.clone_from(what);
                self.begun = false;
                if works_on_machines(what) {
                    self.begin(event);
                    self.add(event, Station::Command, Says::Machine, what.clone(), String::new(), vec![you()]);
                }
            }
            TraceKind::Write { by, op, kind, namespace, name, .. } if matters(kind, namespace) => {
                self.write(event, by, op, kind, namespace, name);
            }
            TraceKind::Decision { namespace, pod, node, .. } if matters("Pod", namespace) => {
                let mut anchors = vec![Anchor::Part(Part::Scheduler), Anchor::Pod(namespace.clone(), pod.clone())];
                anchors.extend(node.clone().map(Anchor::Node));
                let says = if node.is_some() { Says::Chose } else { Says::NoPlace };
                let node = node.clone().unwrap_or_default();
                self.add(event, Station::Scheduler, says, format!("Pod {pod}"), node, anchors);
            }
            TraceKind::Container { node, namespace, pod, what, .. } if matters("Pod", namespace) => {
                let says = match what.as_str() {
                    "pulling" => Says::Pulls,
                    "started" => Says::Started,
                    "exited" => Says::Exited,
                    "killed" => Says::Killed,
                    _ => return,
                };
                let anchors = vec![Anchor::Node(node.clone()), Anchor::Pod(namespace.clone(), pod.clone())];
                self.add(event, Station::Kubelet, says, format!("Pod {pod}"), node.clone(), anchors);
            }
            _ => {}
        }
    }

    fn write(&mut self, event: &TraceEvent, by: &str, op: &str, kind: &str, namespace: &str, name: &str) {
        let about = format!("{kind} {name}");
        let thing = match kind {
            "Pod" => Some(Anchor::Pod(namespace.to_owned(), name.to_owned())),
            "Service" => Some(Anchor::Service(namespace.to_owned(), name.to_owned())),
            "Node" => Some(Anchor::Node(name.to_owned())),
            "Deployment" | "ReplicaSet" => {
                Some(Anchor::Workload(kind.to_owned(), namespace.to_owned(), name.to_owned()))
            }
            _ => None,
        };
        let with = |anchor: Anchor| [Some(anchor), thing.clone()].into_iter().flatten().collect::<Vec<_>>();
        match caller(by) {
            Some(Anchor::Part(Part::You)) => {
                if !self.begun {
                    self.begin(event);
                }
                let says = match op {
                    "ADDED" => Says::AsksCreate,
                    "DELETED" => Says::AsksDelete,
                    // A pod that is to go is marked first and removed by its kubelet.
                    _ if self.chain.command.split_whitespace().any(|word| word == "delete") => Says::AsksDelete,
                    _ => Says::AsksChange,
                };
                self.add(event, Station::Command, says, about.clone(), String::new(), with(you()));
                let stores = vec![Anchor::Part(Part::ApiServer), Anchor::Part(Part::Etcd)];
                self.add(event, Station::Etcd, Says::Stored, about, String::new(), stores);
            }
            Some(Anchor::Part(Part::Controllers)) => {
                let controller = by.split_once('/').map_or(by, |(_, controller)| controller).to_owned();
                // A controller counts in the status of what it looks after: that is not what moves things on.
                let own = controller.trim_end_matches("-controller").eq_ignore_ascii_case(kind);
                let says = match (op, kind) {
                    (_, "EndpointSlice" | "Endpoints") => Says::Endpoints,
                    ("ADDED", _) => Says::Made,
                    ("DELETED", _) => Says::Removed,
                    ("MODIFIED", "Pod") => Says::Ends,
                    _ if own => return,
                    _ => Says::Changed,
                };
                self.add(event, Station::Controllers, says, about, controller, with(Anchor::Part(Part::Controllers)));
            }
            Some(Anchor::Node(node)) if kind == "Pod" => {
                let says = if op == "DELETED" { Says::Gone } else { Says::Reported };
                self.add(event, Station::Kubelet, says, about, node.clone(), with(Anchor::Node(node)));
            }
            _ => {}
        }
    }

    fn begin(&mut self, event: &TraceEvent) {
        let number = self.chain.number + 1;
        self.chain = Chain { command: self.typed.clone(), number, ..Chain::default() };
        self.begun = true;
        self.begun_at = event.time;
    }

    fn add(
        &mut self,
        event: &TraceEvent,
        station: Station,
        says: Says,
        about: String,
        by: String,
        anchors: Vec<Anchor>,
    ) {
        // What happens before the first command (a cluster that boots) is nobody's chain.
        if self.chain.number == 0 {
            return;
        }
        // The same again is no step: kubelets report and controllers count in small pieces.
        let same = |step: &Step| step.says == says && step.about == about && step.by == by;
        if self.chain.steps.iter().rev().take(3).any(same) {
            return;
        }
        if self.chain.steps.len() == STEPS_MAX {
            self.chain.more += 1;
            return;
        }
        let after_ms = u64::try_from(event.time.saturating_since(self.begun_at).as_millis()).unwrap_or(u64::MAX);
        self.chain.steps.push(Step { seq: event.seq, after_ms, station, says, about, by, anchors });
    }
}

fn you() -> Anchor {
    Anchor::Part(Part::You)
}

fn matters(kind: &str, namespace: &str) -> bool {
    !namespace.starts_with("kube-") && !["Event", "Lease"].contains(&kind)
}

/// Commands that change machines, not objects.
fn works_on_machines(command: &str) -> bool {
    let mut words = command.split_whitespace();
    words.next() == Some("minikube") && matches!(words.next(), Some("start" | "stop" | "delete" | "node"))
}
