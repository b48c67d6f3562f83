//! Refusals that name a resource, from its row in the table of kinds.

use api::status::{FieldErrors, Status};
use api::{Kind, Object};

/// 500: etcd's members follow nobody.
pub fn no_leader() -> Status {
    Status::failure(500, "", "etcdserver: no leader")
}

/// 500: etcd's members followed nobody for too long.
pub fn etcd_timed_out() -> Status {
    Status::failure(500, "", "etcdserver: request timed out")
}

/// 404: `pods "x" not found`.
pub fn not_found(kind: &Kind, name: &str) -> Status {
    Status::not_found(kind.group, kind.plural, name)
}

/// 409: the name is taken, perhaps by what is about to go.
pub fn taken(kind: &Kind, name: &str, existing: &Object) -> Status {
    let mut status = Status::already_exists(kind.group, kind.plural, name);
    if existing.is_deleting() {
        status.message = format!("object is being deleted: {}", status.message);
    }
    status
}

/// 409: the object is not in the state that the request assumed.
pub fn conflict(kind: &Kind, name: &str, why: &str) -> Status {
    Status::conflict(kind.group, kind.plural, name, why)
}

/// 409: a newer write came first.
pub fn modified(kind: &Kind, name: &str) -> Status {
    Status::modified(kind.group, kind.plural, name)
}

/// 403: an admission plugin said no.
pub fn forbidden(kind: &Kind, name: &str, why: &str) -> Status {
    Status::forbidden(kind.group, kind.plural, name, why)
}

/// 422: the object breaks rules of its kind.
pub fn invalid(kind: &Kind, name: &str, errors: &FieldErrors) -> Status {
    Status::invalid(kind.group, kind.kind, name, errors)
}

/// 504: a revision from the future (`storage.NewTooLargeResourceVersionError`).
pub fn too_large_resource_version(requested: u64, current: u64) -> Status {
    let mut status = Status::timeout(&format!("Too large resource version: {requested}, current: {current}"), 1);
    if let Some(details) = &mut status.details {
        details.causes.push(api::status::Cause {
            reason: "ResourceVersionTooLarge".into(),
            message: "Too large resource version".into(),
            field: String::new(),
        });
    }
    status
}

/// 409 on a subresource: `pods/binding "x"`.
pub fn conflict_sub(kind: &Kind, subresource: &str, name: &str, why: &str) -> Status {
    Status::conflict(kind.group, &format!("{}/{subresource}", kind.plural), name, why)
}
