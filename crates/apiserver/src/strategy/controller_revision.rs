//! ControllerRevisions (pkg/registry/apps/controllerrevision).

use api::kinds::CONTROLLER_REVISIONS;

use super::{Strategy, plain};
use crate::validation;

pub static STRATEGY: Strategy = Strategy {
    validate: validation::apps::controller_revision,
    validate_update: validation::apps::controller_revision_update,
    ..plain(&CONTROLLER_REVISIONS)
};
