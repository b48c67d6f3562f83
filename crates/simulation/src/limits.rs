//! Named limits of the simulation itself. Each crate names its own beside the thing it bounds.

/// Trace events kept in memory; the oldest are dropped and counted.
pub const TRACE_EVENTS_MAX: usize = 20_000;

/// Bytes of what the kept events explain: why a pod went to one of a thousand nodes is a long text. Beyond, the oldest events are
/// dropped too.
pub const TRACE_TEXT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Tasks alive at once. Above this, `spawn` still succeeds (a cluster must not lose a controller) but the trace says so.
pub const TASKS_WARN: usize = 50_000;
