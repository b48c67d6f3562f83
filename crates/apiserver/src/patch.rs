//! The patch types (k8s.io/apiserver/pkg/endpoints/handlers/patch.go).

use api::status::Status;
use api::{Kind, Object};
use serde_json::Value;

use crate::request::Head;

/// What can be applied, as messages name it.
const PATCHES: &[&str] = &[
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
];

/// A patch of one of the types.
pub enum Patch {
    /// RFC 6902.
    Json(Value),
    /// RFC 7386.
    Merge(Value),
    /// Kubernetes' own: lists merge by key.
    Strategic(Value),
}

impl Patch {
    /// Chooses the type by the content type.
    pub fn new(media_type: &str, body: Value) -> Result<Self, Status> {
        match media_type {
            "application/json-patch+json" => Ok(Patch::Json(body)),
            "application/merge-patch+json" => Ok(Patch::Merge(body)),
            "application/strategic-merge-patch+json" => Ok(Patch::Strategic(body)),
            "application/apply-patch+yaml" | "application/apply-patch+cbor" => {
                Err(Status::not_built(simulation::stub!("kube-apiserver", "server-side apply")))
            }
            _ => Err(Status::unsupported_media_type(PATCHES)),
        }
    }

    /// The patched object.
    pub fn apply(&self, kind: &'static Kind, _head: &Head, old: &Object) -> Result<Value, Status> {
        let mut value = old.value().clone();
        match self {
            Patch::Json(patch) => {
                let patch: json_patch::Patch =
                    serde_json::from_value(patch.clone()).map_err(|e| Status::bad_request(e.to_string()))?;
                json_patch::patch(&mut value, &patch).map_err(|e| {
                    Status::failure(
                        422,
                        "Invalid",
                        format!("the server rejected our request due to an error in our request: {e}"),
                    )
                })?;
            }
            Patch::Merge(patch) | Patch::Strategic(patch) => json_patch::merge(&mut value, patch),
        }
        crate::registry::decode::normalise(&mut value, kind);
        Ok(value)
    }
}
