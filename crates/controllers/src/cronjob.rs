//! Makes jobs at the times that a CronJob names (`pkg/controller/cronjob`).
//!
//! Upstream names a new job in the status in the same look that makes it. Here the next look does: it knows the job by
//! the annotation that carries its time.

mod controller;
mod reconcile;
#[cfg(test)]
mod tests;
mod times;

pub(crate) use controller::CONTROLLER;

/// When the job was due.
const SCHEDULED_AT: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";
