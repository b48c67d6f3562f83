//! CronJobs (pkg/registry/batch/cronjob).

use api::kinds::CRON_JOBS;
use json::{Value, json};

use super::{Strategy, child, default_to, differs, job, plain};
use crate::validation;
use crate::value::map_mut;

pub static STRATEGY: Strategy = Strategy {
    defaults,
    prepare_create: |_, object| {
        object["status"] = json!({});
        Ok(())
    },
    validate: validation::batch::cron_job,
    has_status: true,
    generation: Some(|new, old| differs(new, old, "spec")),
    ..plain(&CRON_JOBS)
};

fn defaults(object: &mut Value) {
    let spec = child(object, "spec");
    default_to(spec, "concurrencyPolicy", "Allow");
    default_to(spec, "suspend", false);
    default_to(spec, "successfulJobsHistoryLimit", 3);
    default_to(spec, "failedJobsHistoryLimit", 1);
    job::template_defaults(child(child(spec, "jobTemplate"), "spec"));
    map_mut(object).entry("status").or_insert_with(|| json!({}));
}
