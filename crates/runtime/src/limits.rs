//! Named limits of containers. Hitting one is an error of a call, a trace event, or the end of the process.

use std::time::Duration;

/// Fuel that stands for one second of one CPU. Chosen so that a tab, which manages about 150 million a second in all,
/// keeps up with a few busy containers at 1x.
pub const FUEL_PER_CPU_SECOND: u64 = 50_000_000;
/// Fuel of one turn of a process: 10 ms of virtual CPU time, a few ms of the tab's.
pub const FUEL_PER_SLICE: u64 = 500_000;
/// CPU of a container without a limit of its own, in thousandths: that of a node.
pub const CPU_MILLI_MAX: u64 = 2_000;
/// Period of a CPU limit, as the kernel's `cpu.cfs_period_us`.
pub const CPU_PERIOD: Duration = Duration::from_millis(100);
/// Between two readings of what a container has used (`--metric-resolution` of metrics-server).
pub const USAGE_WINDOW: Duration = Duration::from_secs(15);
/// CPU time that a process may be ahead of the clock before it has to wait for it.
pub const CPU_AHEAD_MAX: Duration = Duration::from_millis(1);
/// Processes of one container; more is `EAGAIN`.
pub const PROCESSES_MAX: usize = 256;
/// Descriptors of one process; more is `EMFILE`.
pub const DESCRIPTORS_MAX: usize = 256;
/// Memory of a container without a limit of its own; more is an out-of-memory kill.
pub const MEMORY_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Bytes of arguments and environment; more is `E2BIG`.
pub const ARGUMENT_BYTES_MAX: usize = 128 * 1024;
/// Bytes in a pipe.
pub const PIPE_BYTES_MAX: usize = 64 * 1024;
/// Bytes typed and not yet read on a terminal; more are dropped, as on Linux.
pub const TERMINAL_INPUT_BYTES_MAX: usize = 4096;
/// Interpreters of interpreters (`#!`).
pub const INTERPRETERS_MAX: usize = 4;
/// Bytes of one program; more is an exec format error.
pub const PROGRAM_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Loaded modules kept for further instances.
pub const MODULES_CACHED_MAX: usize = 64;
/// Bytes of one log line; a longer one is split, as container runtimes do.
pub const LOG_LINE_BYTES_MAX: usize = 16 * 1024;
/// Bytes that a container may write to its own layer; more is `ENOSPC`.
pub const CONTAINER_FILE_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// Bytes that a log line costs besides its text, so that empty lines are not free.
pub const LOG_LINE_OVERHEAD_BYTES: usize = 64;
/// Bytes of a container's log file from which on it is rotated (`containerLogMaxSize`).
pub const LOG_FILE_BYTES_MAX: usize = 10 * 1024 * 1024;
/// Files of a container's log (`containerLogMaxFiles`).
pub const LOG_FILES_MAX: usize = 5;
/// Between two looks at the sizes of log files (`containerLogMonitorInterval`).
pub const LOG_LOOK_PERIOD: Duration = Duration::from_secs(10);
/// How many times smaller a rotated log file is once it is compressed, which the newest of them is not. Nobody can read them here, so
/// they are reckoned with and not made; text of programs that repeat themselves shrinks about as much.
pub const LOG_COMPRESSION: u64 = 10;
/// Bytes of a log that can be read, its newest; a file counts in full on the node's disk, but a tab's memory is no disk and may have
/// to hold the logs of hundreds of containers.
pub const LOG_BYTES_MAX: usize = 1024 * 1024;
/// So long an image stays at least, whoever needs room (`imageMinimumGCAge`).
pub const IMAGE_AGE_MIN: Duration = Duration::from_secs(120);
/// Bytes of one image blob after unpacking.
pub const BLOB_BYTES_MAX: usize = 256 * 1024 * 1024;
