//! The cluster of tests/oracle: the machines on which real Kubernetes was recorded.

use runtime::pace::Pace;
use simulation::Duration;

use super::{Profile, minikube};

/// The recorded kubelets were stand-ins: a pod was there 700 ms after it was bound, whatever the image, or 200 ms if the
/// node had the image, and gone 600 ms after it was deleted.
const STAND_IN: Pace = Pace {
    pull_bytes_per_second: u64::MAX,
    registry: Duration::from_millis(500),
    sandbox: Duration::from_millis(110),
    create: Duration::from_millis(20),
    start: Duration::from_millis(30),
    signal: Duration::from_millis(250),
    teardown: Duration::from_millis(250),
};

/// The profile.
pub(super) static PROFILE: Profile = Profile {
    name: "recorded",
    nodes: 3,
    memory_kib: 24_684_132,
    disk_kib: 263_112_772,
    host: "127.0.0.1",
    api_port: 16_443,
    is_published: true,
    pace: STAND_IN,
    system: &["all", "kubeadm", "recorded"],
    ..minikube::BASE
};
