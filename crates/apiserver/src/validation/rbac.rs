//! Roles and their bindings (pkg/apis/rbac/validation).

use api::status::{FieldError, FieldErrors};
use json::Value;

use super::apps::label_selector;
use super::one_of;
use crate::value::{at, list, text};

const GROUP: &str = "rbac.authorization.k8s.io";

/// A Role.
pub fn role(object: &Value, errors: &mut FieldErrors) {
    rules(object, true, errors);
}

/// A ClusterRole.
pub fn cluster_role(object: &Value, errors: &mut FieldErrors) {
    rules(object, false, errors);
    let selectors = list(object, "aggregationRule.clusterRoleSelectors");
    if at(object, "aggregationRule").is_object() && selectors.is_empty() {
        let path = "aggregationRule.clusterRoleSelectors";
        errors.push(FieldError::required(
            path,
            "at least one clusterRoleSelector required if aggregationRule is non-nil",
        ));
    }
    for (i, selector) in selectors.iter().enumerate() {
        label_selector(selector, &format!("aggregationRule.clusterRoleSelectors[{i}]"), errors);
    }
}

fn rules(object: &Value, is_namespaced: bool, errors: &mut FieldErrors) {
    for (i, rule) in list(object, "rules").iter().enumerate() {
        let path = format!("rules[{i}]");
        if list(rule, "verbs").is_empty() {
            errors.push(FieldError::required(format!("{path}.verbs"), "verbs must contain at least one value"));
        }
        let (groups, resources, urls) =
            (list(rule, "apiGroups"), list(rule, "resources"), list(rule, "nonResourceURLs"));
        if !urls.is_empty() {
            let value = at(rule, "nonResourceURLs").clone();
            if is_namespaced {
                let detail = "namespaced rules cannot apply to non-resource URLs";
                errors.push(FieldError::invalid(format!("{path}.nonResourceURLs"), value.clone(), detail));
            }
            if !groups.is_empty() || !resources.is_empty() || !list(rule, "resourceNames").is_empty() {
                let detail = "rules cannot apply to both regular resources and non-resource URLs";
                errors.push(FieldError::invalid(format!("{path}.nonResourceURLs"), value, detail));
            }
            continue;
        }
        if groups.is_empty() {
            let detail = "resource rules must supply at least one api group";
            errors.push(FieldError::required(format!("{path}.apiGroups"), detail));
        }
        if resources.is_empty() {
            let detail = "resource rules must supply at least one resource";
            errors.push(FieldError::required(format!("{path}.resources"), detail));
        }
    }
}

/// A RoleBinding.
pub fn role_binding(object: &Value, errors: &mut FieldErrors) {
    binding(object, &["Role", "ClusterRole"], true, errors);
}

/// A ClusterRoleBinding.
pub fn cluster_role_binding(object: &Value, errors: &mut FieldErrors) {
    binding(object, &["ClusterRole"], false, errors);
}

fn binding(object: &Value, kinds: &[&str], is_namespaced: bool, errors: &mut FieldErrors) {
    one_of(text(object, "roleRef.apiGroup"), "roleRef.apiGroup", &[GROUP], errors);
    one_of(text(object, "roleRef.kind"), "roleRef.kind", kinds, errors);
    let name = text(object, "roleRef.name");
    if name.is_empty() {
        errors.push(FieldError::required("roleRef.name", ""));
    } else {
        errors.invalid_all("roleRef.name", name, api::names::path_segment(name));
    }
    for (i, subject) in list(object, "subjects").iter().enumerate() {
        one_subject(subject, &format!("subjects[{i}]"), is_namespaced, errors);
    }
}

fn one_subject(subject: &Value, path: &str, is_namespaced: bool, errors: &mut FieldErrors) {
    let (name, group) = (text(subject, "name"), text(subject, "apiGroup"));
    if name.is_empty() {
        errors.push(FieldError::required(format!("{path}.name"), ""));
    }
    match text(subject, "kind") {
        "ServiceAccount" => {
            if !name.is_empty() {
                errors.invalid_all(&format!("{path}.name"), name, api::names::dns1123_subdomain(name));
            }
            one_of(group, &format!("{path}.apiGroup"), &[""], errors);
            if !is_namespaced && text(subject, "namespace").is_empty() {
                errors.push(FieldError::required(format!("{path}.namespace"), ""));
            }
        }
        "User" | "Group" => one_of(group, &format!("{path}.apiGroup"), &[GROUP], errors),
        other => {
            errors.push(FieldError::not_supported(format!("{path}.kind"), other, &["ServiceAccount", "User", "Group"]));
        }
    }
}

/// Whom a binding is for may change, what it gives may not.
pub fn role_is_immutable(new: &Value, old: &Value, errors: &mut FieldErrors) {
    if at(new, "roleRef") != at(old, "roleRef") {
        errors.push(FieldError::invalid("roleRef", at(new, "roleRef").clone(), "cannot change roleRef"));
    }
}
