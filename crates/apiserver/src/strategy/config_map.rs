//! ConfigMaps (pkg/registry/core/configmap).

use api::kinds::CONFIG_MAPS;

use super::{Strategy, plain};
use crate::validation;

pub static STRATEGY: Strategy = Strategy {
    validate: validation::config::config_map,
    validate_update: validation::config::immutable,
    ..plain(&CONFIG_MAPS)
};
