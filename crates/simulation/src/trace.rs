//! What happened, in order: who called whom, what changed, what was decided. The diagram and the lessons' checks read it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::Time;
use crate::limits::{TRACE_EVENTS_MAX, TRACE_TEXT_BYTES_MAX};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceEvent {
    /// Position in the stream, from 1 without gaps.
    pub seq: u64,
    /// Virtual time.
    pub time: Time,
    /// What it was.
    pub kind: TraceKind,
}

/// The kinds of things that happen. Names of parts are those of the Kubernetes architecture diagram:
/// `kubectl`, `kube-apiserver`, `etcd`, `kube-controller-manager/<controller>`, `kube-scheduler`, `kubelet/<node>`,
/// `kube-proxy`, `coredns`, `learner`, `pod/<namespace>/<name>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TraceKind {
    /// A request to the API server was answered (a watch: was opened).
    #[serde(rename_all = "camelCase")]
    Call {
        /// Who asked, from its user agent.
        from: String,
        /// Upper-case HTTP method.
        method: String,
        /// Path with query.
        path: String,
        /// HTTP status of the answer.
        status: u16,
    },
    /// An object changed in the store.
    #[serde(rename_all = "camelCase")]
    Write {
        /// Who asked for it.
        by: String,
        /// `ADDED`, `MODIFIED` or `DELETED`.
        op: String,
        /// Kind, e.g. `Pod`.
        kind: String,
        /// Namespace, empty for cluster-scoped objects.
        namespace: String,
        /// Name.
        name: String,
        /// Revision of the store.
        revision: u64,
    },
    /// The scheduler decided, or could not.
    #[serde(rename_all = "camelCase")]
    Decision {
        /// Namespace of the pod.
        namespace: String,
        /// Name of the pod.
        pod: String,
        /// The chosen node; none if there was no place.
        node: Option<String>,
        /// The explanation as JSON text: filters and scores per node.
        explanation: String,
    },
    /// A request or packet stream travelled over the simulated network.
    #[serde(rename_all = "camelCase")]
    Flow {
        /// Identifies the connection.
        id: u64,
        /// Where from, e.g. `learner` or `pod/default/x`.
        from: String,
        /// The addresses and names passed on the way, in order.
        hops: Vec<String>,
        /// Where it arrived; empty when it did not.
        to: String,
        /// `connected`, `refused`, `dropped` (by a NetworkPolicy), `unreachable`, `timeout`, `closed`.
        outcome: String,
    },
    /// A container's life: `pulling`, `created`, `started`, `exited`, `killed`.
    #[serde(rename_all = "camelCase")]
    Container {
        /// Node name.
        node: String,
        /// Namespace of the pod.
        namespace: String,
        /// Name of the pod.
        pod: String,
        /// Name of the container.
        container: String,
        /// What happened to it.
        what: String,
    },
    /// A limit was hit. Never silent.
    #[serde(rename_all = "camelCase")]
    Limit {
        /// The name of the limit.
        limit: String,
        /// What was affected.
        what: String,
    },
    /// A command of a terminal or of a script has ended.
    #[serde(rename_all = "camelCase")]
    Command {
        /// Its exit code.
        code: i32,
        /// What it put on the screen; of much, the beginning and the end.
        output: String,
    },
    /// The learner did something in a terminal or on the page.
    #[serde(rename_all = "camelCase")]
    Learner {
        /// The command line or the name of the action.
        what: String,
    },
}

impl TraceKind {
    /// Bytes of the text that can be long.
    fn text_bytes(&self) -> usize {
        match self {
            TraceKind::Decision { explanation, .. } => explanation.len(),
            TraceKind::Command { output, .. } => output.len(),
            _ => 0,
        }
    }
}

/// A bounded stream of trace events.
#[derive(Default)]
pub struct Trace {
    events: VecDeque<TraceEvent>,
    next_seq: u64,
    /// Of the texts that can be long.
    text_bytes: usize,
}

impl Trace {
    pub(crate) fn push(&mut self, time: Time, kind: TraceKind) {
        self.next_seq += 1;
        self.text_bytes += kind.text_bytes();
        self.events.push_back(TraceEvent { seq: self.next_seq, time, kind });
        while self.events.len() > TRACE_EVENTS_MAX || (self.text_bytes > TRACE_TEXT_BYTES_MAX && self.events.len() > 1)
        {
            let oldest = self.events.pop_front().expect("there is more than one");
            self.text_bytes -= oldest.kind.text_bytes();
        }
    }

    /// Everything after `seq` that is still kept. A gap in `seq` tells that the reader was too slow.
    pub fn since(&self, seq: u64) -> Vec<TraceEvent> {
        let first = self.events.front().map_or(0, |e| e.seq);
        let skip = usize::try_from((seq + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        self.events.iter().skip(skip).cloned().collect()
    }

    /// The newest sequence number; 0 before the first event.
    pub fn last_seq(&self) -> u64 {
        self.next_seq
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_make_old_events_go() {
        let decision = |bytes: usize| TraceKind::Decision {
            namespace: "default".into(),
            pod: "web".into(),
            node: None,
            explanation: "x".repeat(bytes),
        };
        let mut trace = Trace::default();
        for _ in 0..5 {
            trace.push(Time::default(), decision(TRACE_TEXT_BYTES_MAX / 4));
        }
        let kept: Vec<u64> = trace.since(0).iter().map(|event| event.seq).collect();
        assert_eq!(kept, [2, 3, 4, 5], "a gap tells that the first is gone");
        trace.push(Time::default(), decision(TRACE_TEXT_BYTES_MAX + 1));
        assert_eq!(trace.since(0).len(), 1, "the newest is always told");
        for _ in 0..TRACE_EVENTS_MAX + 3 {
            trace.push(Time::default(), decision(0));
        }
        assert_eq!(trace.since(0).len(), TRACE_EVENTS_MAX);
    }
}
