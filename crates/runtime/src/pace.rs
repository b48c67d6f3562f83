//! How fast a machine is: the virtual time that the work of a container runtime takes.

use simulation::Duration;

/// How much longer any of these may take, as a share of it: no two machines are equally busy.
pub(crate) const JITTER: f64 = 0.5;

/// The least that each piece of work takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How fast images come, by the sizes of the originals.
    pub pull_bytes_per_second: u64,
    /// Until a registry answers.
    pub registry: Duration,
    /// Making a sandbox: the pause container and the CNI plugin.
    pub sandbox: Duration,
    /// Making a container.
    pub create: Duration,
    /// Starting it (`runc create` and `start`).
    pub start: Duration,
    /// Until a signal reaches a container (`runc kill`).
    pub signal: Duration,
    /// Taking a sandbox down.
    pub teardown: Duration,
}

impl Pace {
    /// An ordinary machine on a good line.
    pub const ORDINARY: Pace = Pace {
        pull_bytes_per_second: 32 * 1024 * 1024,
        registry: Duration::from_millis(650),
        sandbox: Duration::from_millis(350),
        create: Duration::from_millis(60),
        start: Duration::from_millis(120),
        signal: Duration::from_millis(80),
        teardown: Duration::from_millis(220),
    };
}

impl Default for Pace {
    fn default() -> Pace {
        Pace::ORDINARY
    }
}
