//! ServiceAccounts (pkg/registry/core/serviceaccount).

use api::kinds::SERVICE_ACCOUNTS;

use super::{Strategy, plain};

pub static STRATEGY: Strategy = Strategy { returns_deleted: true, ..plain(&SERVICE_ACCOUNTS) };
