//! What a test may do to a running cluster and no learner can: pull plugs, crash parts of the control plane, and lead the
//! lines to the API server its own way. Compiled with the feature `faults` alone, so it weighs nothing in the tab.

use std::rc::Rc;

use runtime::engine::WasmiEngine;

use crate::lines::{Leads, Lines};
use crate::world::{World, WorldConfig};

impl World {
    /// A new world whose parts reach the API server on lines that `leads` makes.
    ///
    /// # Errors
    /// As [`World::new`].
    pub fn with_lines(config: WorldConfig, leads: Leads) -> Result<World, String> {
        World::build(config, Lines { leads: Some(leads) }, Rc::new(WasmiEngine::new()))
    }

    /// Names of the machines of the running cluster, switched on or off.
    pub fn machines(&self) -> Vec<String> {
        let machines = self.clusters.running().map(|cluster| cluster.machines()).unwrap_or_default();
        machines.into_iter().map(|(_, name, _)| name).collect()
    }

    /// Pulls the plug of the machine in the `place`-th place: its containers are gone at once, and nobody is told.
    pub fn stop_machine(&self, place: u32) {
        if let Some(cluster) = self.clusters.running()
            && let Some(index) = cluster.machine_at(place)
        {
            cluster.stop_node(index);
        }
    }

    /// Switches the machine in the `place`-th place on.
    pub fn start_machine(&self, place: u32) {
        if let Some(cluster) = self.clusters.running()
            && let Some(index) = cluster.machine_at(place)
        {
            cluster.start_node(&self.clusters, index);
        }
    }

    /// The controller manager crashes, between any two polls, and comes up again.
    pub fn restart_controllers(&self) {
        if let Some(cluster) = self.clusters.running() {
            cluster
                .with_plane(&self.clusters, |plane, sim, roads| plane.restart_controllers(sim, roads, cluster.profile));
        }
    }

    /// The scheduler crashes, between any two polls, and comes up again.
    pub fn restart_scheduler(&self) {
        if let Some(cluster) = self.clusters.running() {
            cluster.with_plane(&self.clusters, |plane, sim, roads| plane.restart_scheduler(sim, roads));
        }
    }
}
