//! The default profile: one plugin a file, one row a plugin (`apis/config/v1/default_plugins.go`).

use crate::framework::Plugin;

mod balanced_allocation;
mod image_locality;
pub(crate) mod inter_pod_affinity;
pub(crate) mod node_affinity;
mod node_name;
mod node_ports;
mod node_resources_fit;
mod node_unschedulable;
pub(crate) mod pod_topology_spread;
mod taint_toleration;
pub(crate) mod volume_binding;
mod volume_restrictions;

/// Every plugin, in the order in which filters are asked. A node is out at the first refusal.
///
/// Not in the table: NodeVolumeLimits and VolumeZone, as there are no volumes of drivers or of zones.
pub(crate) static PLUGINS: &[&Plugin] = &[
    &node_unschedulable::PLUGIN,
    &node_name::PLUGIN,
    &taint_toleration::PLUGIN,
    &node_affinity::PLUGIN,
    &node_ports::PLUGIN,
    &node_resources_fit::PLUGIN,
    &volume_restrictions::PLUGIN,
    &volume_binding::PLUGIN,
    &pod_topology_spread::PLUGIN,
    &inter_pod_affinity::PLUGIN,
    &balanced_allocation::PLUGIN,
    &image_locality::PLUGIN,
];
