//! CertificateSigningRequests (pkg/registry/certificates).
//!
//! Who signs is `kubonsai serve`, which has an authority. Connections inside the simulation are not encrypted; without a
//! signer a request ends with being approved or denied.

use api::kinds::CERTIFICATE_SIGNING_REQUESTS;
use api::status::{FieldError, FieldErrors};
use base64::Engine as _;
use json::{Value, json};

use super::{Strategy, child, keep, plain};
use crate::value::{at, list, list_mut, text};

pub static STRATEGY: Strategy = Strategy {
    prepare_create: |cx, object| {
        let spec = child(object, "spec");
        for field in ["username", "uid", "groups", "extra"] {
            spec.as_object_mut().map(|s| s.remove(field));
        }
        if let Some(user) = cx.user {
            spec["username"] = user.name.clone().into();
            if !user.uid.is_empty() {
                spec["uid"] = user.uid.clone().into();
            }
            spec["groups"] = json!(user.groups);
            if !user.extra.is_empty() {
                spec["extra"] = json!(user.extra);
            }
        }
        object["status"] = json!({});
        Ok(())
    },
    prepare_update: |_, new, old| {
        keep(new, old, "spec");
        Ok(())
    },
    // Who approves writes elsewhere.
    prepare_status: |new, old| {
        let decided = |c: &Value| matches!(text(c, "type"), "Approved" | "Denied");
        let kept: Vec<Value> = list(old, "status.conditions").iter().filter(|c| decided(c)).cloned().collect();
        let others: Vec<Value> = list(new, "status.conditions").iter().filter(|c| !decided(c)).cloned().collect();
        let all: Vec<Value> = kept.into_iter().chain(others).collect();
        if !all.is_empty() {
            child(new, "status")["conditions"] = all.into();
        }
    },
    validate,
    has_status: true,
    fields: |object| vec![("spec.signerName", text(object, "spec.signerName").to_owned())],
    ..plain(&CERTIFICATE_SIGNING_REQUESTS)
};

fn validate(object: &Value, errors: &mut FieldErrors) {
    let spec = at(object, "spec");
    let request = text(spec, "request");
    let pem = base64::engine::general_purpose::STANDARD.decode(request).unwrap_or_default();
    if !String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE REQUEST-----") {
        let given = request.to_owned();
        errors.push(FieldError::invalid("spec.request", given, "PEM block type must be CERTIFICATE REQUEST"));
    }
    let signer = text(spec, "signerName");
    if signer.is_empty() {
        errors.push(FieldError::required("spec.signerName", ""));
    } else if !signer.split_once('/').is_some_and(|(domain, path)| domain.contains('.') && !path.is_empty()) {
        let why = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
        errors.push(FieldError::invalid("spec.signerName", signer, why));
    }
    if list(spec, "usages").is_empty() {
        errors.push(FieldError::required("spec.usages", ""));
    }
    if let Some(seconds) = at(spec, "expirationSeconds").as_i64().filter(|s| *s < 600) {
        let why = "may not specify a duration less than 600 seconds (10 minutes)";
        errors.push(FieldError::invalid("spec.expirationSeconds", seconds, why));
    }
}

/// A write of the approval changes the conditions alone; their times are filled in.
pub fn approve(new: &mut Value, old: &Value, now: &str) {
    for condition in list_mut(new, "status.conditions") {
        let same = |c: &&Value| c["type"] == condition["type"] && c["status"] == condition["status"];
        let before = list(old, "status.conditions").iter().find(same).map(|c| c["lastTransitionTime"].clone());
        if condition["lastUpdateTime"].is_null() {
            condition["lastUpdateTime"] = now.into();
        }
        if condition["lastTransitionTime"].is_null() {
            condition["lastTransitionTime"] = before.unwrap_or_else(|| now.into());
        }
    }
    let conditions = at(new, "status.conditions").clone();
    keep(new, old, "spec");
    keep(new, old, "status");
    if conditions.is_array() {
        child(new, "status")["conditions"] = conditions;
    }
}

/// What an approval must keep: it is not taken back, and there is one.
pub fn validate_approval(new: &Value, old: &Value, errors: &mut FieldErrors) {
    let has = |object: &Value, kind: &str| list(object, "status.conditions").iter().any(|c| c["type"] == kind);
    for kind in ["Approved", "Denied"] {
        if has(old, kind) && !has(new, kind) {
            let why = format!("updates may not remove a condition of type {kind:?}");
            errors.push(FieldError::forbidden("status.conditions", why));
        }
    }
    if has(new, "Approved") && has(new, "Denied") {
        let conditions = at(new, "status.conditions").clone();
        let why = "Approved and Denied conditions are mutually exclusive";
        errors.push(FieldError::invalid("status.conditions", conditions, why));
    }
    for (i, condition) in list(new, "status.conditions").iter().enumerate() {
        let status = text(condition, "status");
        if matches!(text(condition, "type"), "Approved" | "Denied" | "Failed") && status != "True" {
            let path = format!("status.conditions[{i}].status");
            errors.push(match status {
                "" => FieldError::required(path, ""),
                other => FieldError::not_supported(path, other, &["True"]),
            });
        }
    }
}
