//! What the page and the checks see of a cluster: local copies of its collections, kept by watches like anyone's.

use std::collections::BTreeMap;

use api::Object;
use api::kinds::{self, KINDS};
use client::{Client, Informer, ListOptions};
use simulation::Sim;

use crate::revision::Revision;

/// The name that the page gives to the API server.
pub(crate) const USER_AGENT: &str = "kubonsai-page";

/// Informers on every kind.
pub(crate) struct View {
    informers: BTreeMap<(String, &'static str), Informer>,
}

impl View {
    /// Starts to watch. `revision` is raised with every change.
    pub(crate) fn start(sim: &Sim, client: &Client, revision: &Revision) -> View {
        let informers = KINDS
            .iter()
            .map(|kind| {
                let informer = Informer::start(sim, client, kind, "", ListOptions::default());
                let revision = revision.clone();
                informer.on_event(move |_| revision.raise());
                ((kind.api_version(), kind.kind), informer)
            })
            .collect();
        View { informers }
    }

    /// The objects of a kind in a namespace, `*` for all.
    pub(crate) fn objects(&self, api_version: &str, kind: &str, namespace: &str) -> Vec<Object> {
        let Some(row) = kinds::by_kind(api_version, kind) else { return Vec::new() };
        match self.informers.get(&(row.api_version(), row.kind)) {
            None => Vec::new(),
            Some(informer) if namespace == "*" || !row.namespaced => informer.list(),
            Some(informer) => informer.list_namespace(namespace),
        }
    }

    /// Ends the watches.
    pub(crate) fn stop(&self) {
        for informer in self.informers.values() {
            informer.stop();
        }
    }
}
