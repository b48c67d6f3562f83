//! Named limits and periods of the kubelet; the names and values are upstream's where there is one.

use simulation::Duration;

/// Between two looks at the runtime upstream; here the delay with which a change is noticed at most.
pub const PLEG_RELIST_PERIOD: Duration = Duration::from_secs(1);
/// First back-off of a failed container or pull.
pub const BACK_OFF_START: Duration = Duration::from_secs(10);
/// Longest back-off of a failed container or pull (`MaxCrashLoopBackOff`).
pub const BACK_OFF_MAX: Duration = Duration::from_secs(300);
/// So long a container that crashed is seen as it ended (`Error`), before the back-off is (`CrashLoopBackOff`): upstream
/// shows it with the next sync of the pod.
pub const CRASH_SHOWN: Duration = Duration::from_secs(2);
/// Until a pod whose sync failed is tried again, lengthened by up to half.
pub const SYNC_RETRY: Duration = Duration::from_secs(10);
/// Between two tries to mount a volume that cannot be mounted: first.
pub const MOUNT_RETRY_START: Duration = Duration::from_millis(500);
/// Between two tries to mount a volume that cannot be mounted: longest.
pub const MOUNT_RETRY_MAX: Duration = Duration::from_secs(122);
/// Containers always get this long between SIGTERM and SIGKILL.
pub const GRACE_MIN: Duration = Duration::from_secs(2);
/// Between two renewals of the node's lease.
pub const LEASE_PERIOD: Duration = Duration::from_secs(10);
/// How long a lease holds.
pub const LEASE_SECONDS: i64 = 40;
/// Between two reports of an unchanged node status (`nodeStatusReportFrequency`).
pub const NODE_STATUS_PERIOD: Duration = Duration::from_secs(300);
/// Until a pod's status that somebody else has written over is put right, at most (`syncPeriod` of the status manager).
pub const STATUS_RECONCILE_PERIOD: Duration = Duration::from_secs(10);
/// Until a resize for which the node has no room is looked at again, if nothing happens before (`retryDelay`).
pub const RESIZE_RETRY: Duration = Duration::from_secs(180);
/// So long a node still says that it is short of what it was short of last (`evictionPressureTransitionPeriod`).
pub const PRESSURE_TRANSITION_PERIOD: Duration = Duration::from_secs(300);
/// Until evicted pods are no longer waited for (`podCleanupTimeout`).
pub const POD_CLEANUP_TIMEOUT: Duration = Duration::from_secs(30);
/// Between two looks whether evicted pods have stopped (`podCleanupPollFreq`).
pub const POD_CLEANUP_POLL: Duration = Duration::from_secs(1);
/// Bytes of a disk for each file that it can have, as mke2fs makes them.
pub const DISK_BYTES_PER_INODE: i64 = 16 * 1024;
/// Until a failed call to the API server is tried again.
pub const API_RETRY: Duration = Duration::from_secs(1);
/// Between two refreshes of a pod's configMap, secret and downwardAPI volumes.
pub const VOLUME_REFRESH_PERIOD: Duration = Duration::from_secs(60);
/// The age at which a token is renewed, however long it holds (`maxTTL`).
pub const TOKEN_AGE_MAX: Duration = Duration::from_secs(24 * 3600);
/// Bytes of a probe's output that an event shows.
pub const PROBE_OUTPUT_BYTES_MAX: usize = 10 * 1024;
/// Bytes of a container's termination message.
pub const TERMINATION_MESSAGE_BYTES_MAX: usize = 4 * 1024;
/// Bytes of the end of a log that stand in for a termination message.
pub const TERMINATION_LOG_TAIL_BYTES_MAX: usize = 2 * 1024;
/// Lines of a log that stand in for a termination message.
pub const TERMINATION_LOG_TAIL_LINES_MAX: u64 = 80;
/// Bytes that all the volumes of a pod made from API objects may hold.
pub const API_VOLUME_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Bytes of a file of environment variables: a ConfigMap's at most. Upstream reads any file.
pub const ENV_FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Bytes of a line of such a file (`bufio.MaxScanTokenSize`); as many are too many.
pub const ENV_FILE_LINE_BYTES_MAX: usize = 64 * 1024;
/// Images in the node's status (`nodeStatusMaxImages`).
pub const NODE_STATUS_IMAGES_MAX: usize = 50;
