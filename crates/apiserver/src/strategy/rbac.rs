//! Roles and their bindings (pkg/registry/rbac).

use api::kinds::{CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES};
use json::Value;

use super::{Strategy, default_to, plain};
use crate::validation;
use crate::value::list_mut;

pub static ROLE: Strategy =
    Strategy { name_rule: api::names::path_segment, validate: validation::rbac::role, ..plain(&ROLES) };

pub static CLUSTER_ROLE: Strategy =
    Strategy { name_rule: api::names::path_segment, validate: validation::rbac::cluster_role, ..plain(&CLUSTER_ROLES) };

pub static ROLE_BINDING: Strategy = Strategy {
    name_rule: api::names::path_segment,
    defaults: binding_defaults,
    validate: validation::rbac::role_binding,
    validate_update: validation::rbac::role_is_immutable,
    ..plain(&ROLE_BINDINGS)
};

pub static CLUSTER_ROLE_BINDING: Strategy = Strategy {
    name_rule: api::names::path_segment,
    defaults: binding_defaults,
    validate: validation::rbac::cluster_role_binding,
    validate_update: validation::rbac::role_is_immutable,
    ..plain(&CLUSTER_ROLE_BINDINGS)
};

const GROUP: &str = "rbac.authorization.k8s.io";

fn binding_defaults(object: &mut Value) {
    if object["roleRef"].is_object() {
        default_to(&mut object["roleRef"], "apiGroup", GROUP);
    }
    for subject in list_mut(object, "subjects") {
        if matches!(subject["kind"].as_str(), Some("User" | "Group")) {
            default_to(subject, "apiGroup", GROUP);
        }
    }
}
