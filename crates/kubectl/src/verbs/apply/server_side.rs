//! `kubectl apply --server-side`, and the way there from apply without it (`client-go/util/csaupgrade`).

use std::sync::Arc;

use api::managed::{Element, Entry, ManagedFields, Operation, Text};
use json::{Value, json};

use crate::failure::{Failure, Outcome};
use crate::last_applied;
use crate::rest::{APPLY_PATCH, JSON_PATCH, Rest, with_query};

/// The manager of what is applied.
pub const MANAGER: &str = "kubectl";

/// The manager of the annotation that apply without `--server-side` needs.
const ANNOTATION_MANAGER: &str = "kubectl-last-applied";

/// How often the managed fields are patched anew after a conflict.
const RETRIES_MAX: u32 = 5;

const CONFLICT: &str = "Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts";

/// One object that the server merges.
pub struct ServerSide<'a> {
    /// The server.
    pub rest: &'a Rest,
    /// The object's path.
    pub path: String,
    /// Who applies.
    pub manager: &'a str,
    /// The parameter `dryRun`.
    pub dry_run: &'a str,
    /// The parameter `fieldValidation`.
    pub validation: &'a str,
    /// Whether to take fields from others.
    pub force: bool,
}

impl ServerSide<'_> {
    fn query(&self, manager: &str, force: bool) -> String {
        let force = if force { "true" } else { "false" };
        with_query(
            &self.path,
            &[
                ("dryRun", self.dry_run),
                ("fieldManager", manager),
                ("fieldValidation", self.validation),
                ("force", force),
            ],
        )
    }

    /// Applies a manifest.
    pub async fn apply(&self, manifest: &Value) -> Outcome<Value> {
        match self.rest.patch(&self.query(self.manager, self.force), APPLY_PATCH, manifest).await {
            Err(f) if f.is_conflict() => Err(Failure::message(format!("{}\n{CONFLICT}", f.bare()))),
            other => other,
        }
    }

    /// Makes the fields that apply without `--server-side` set ours, so that those we no longer name can go. What goes
    /// wrong here is a warning: the manifest is applied.
    pub async fn migrated(&self, manifest: &Value, object: Value) -> Outcome<Value> {
        let failed =
            |what: &str, f: &Failure| format!("Warning: server-side apply migration failed: {what}: {}\n", f.bare());
        if let Err(f) = self.keep_annotation(&object).await {
            self.rest.session.err(failed("the last-applied annotation", &f)).await;
            return Ok(object);
        }
        match self.migrate(&object).await {
            Ok(false) => Ok(object),
            Ok(true) => match self.rest.patch(&self.query(self.manager, self.force), APPLY_PATCH, manifest).await {
                Ok(object) => Ok(object),
                Err(f) => {
                    self.rest.session.err(failed("re-applying", &f)).await;
                    Ok(object)
                }
            },
            Err(f) => {
                self.rest.session.err(failed("the managed fields", &f)).await;
                Ok(object)
            }
        }
    }

    /// The annotation gets an owner of its own before its manager becomes ours and would drop it.
    async fn keep_annotation(&self, object: &Value) -> Outcome {
        let managed = managed(object);
        let Some(text) = last_applied::of(object) else { return Ok(()) };
        if self.manager != MANAGER || !owners(&managed, Operation::Apply).is_empty() {
            return Ok(());
        }
        let metadata = &object["metadata"];
        let mut only = json!({
            "apiVersion": object["apiVersion"], "kind": object["kind"],
            "metadata": {"name": metadata["name"], "annotations": {(last_applied::KEY): text}},
        });
        if metadata["namespace"].is_string() {
            only["metadata"]["namespace"] = metadata["namespace"].clone();
        }
        self.rest.patch(&self.query(ANNOTATION_MANAGER, true), APPLY_PATCH, &only).await.map(|_| ())
    }

    async fn migrate(&self, object: &Value) -> Outcome<bool> {
        let names: Vec<Text> =
            owners(&managed(object), Operation::Update).into_iter().map(|e| e.manager.clone()).collect();
        let mut object = object.clone();
        for attempt in 1.. {
            let Some(upgraded) = upgraded(&managed(&object), &names, self.manager) else { return Ok(false) };
            let patch = json!([
                {"op": "replace", "path": "/metadata/managedFields", "value": upgraded.to_value()},
                {"op": "replace", "path": "/metadata/resourceVersion", "value": object["metadata"]["resourceVersion"]},
            ]);
            let path = with_query(&self.path, &[("dryRun", self.dry_run), ("fieldManager", self.manager)]);
            match self.rest.patch(&path, JSON_PATCH, &patch).await {
                Ok(_) => return Ok(true),
                Err(f) if f.is_conflict() && attempt < RETRIES_MAX => object = self.rest.get(&self.path).await?,
                Err(f) => return Err(f),
            }
        }
        Ok(false)
    }
}

fn managed(object: &Value) -> ManagedFields {
    ManagedFields::from_value(&object["metadata"]["managedFields"]).unwrap_or_default()
}

/// The entries that own the annotation.
fn owners(managed: &ManagedFields, operation: Operation) -> Vec<&Entry> {
    let path = ["metadata", "annotations", last_applied::KEY].map(|name| Element::Field(Text::Static(name)));
    managed.entries().iter().filter(|e| e.operation == operation && e.fields.has(&path)).collect()
}

/// The managed fields with those of `names`, set by updates, given to `manager`; `None` if that changes nothing.
fn upgraded(managed: &ManagedFields, names: &[Text], manager: &str) -> Option<ManagedFields> {
    let mut entries: Vec<Entry> = managed.entries().to_vec();
    let is_old =
        |e: &Entry, name: &Text| e.operation == Operation::Update && e.manager == *name && e.subresource.is_empty();
    for name in names {
        let is_new = |e: &Entry| e.operation == Operation::Apply && &*e.manager == manager && e.subresource.is_empty();
        let target = match entries.iter().position(is_new) {
            Some(index) => index,
            None => {
                let Some(index) = entries.iter().position(|e| is_old(e, name)) else { continue };
                entries[index].operation = Operation::Apply;
                entries[index].manager = manager.into();
                index
            }
        };
        let version = entries[target].api_version.clone();
        if let Some(old) = entries.iter().find(|e| is_old(e, name) && e.api_version == version) {
            entries[target].fields = Arc::new(entries[target].fields.union(&old.fields));
        }
        entries.retain(|e| !is_old(e, name));
    }
    let upgraded = ManagedFields::new(entries);
    (upgraded != *managed).then_some(upgraded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_client_side_apply_owns_becomes_ours() {
        let entry = |manager: &str, operation: &str, fields: Value| json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields});
        let annotation = json!({"f:annotations": {(format!("f:{}", last_applied::KEY)): {}}});
        let before = json!({"metadata": {"managedFields": [
            entry("kubectl", "Apply", json!({"f:data": {"f:k": {}}})),
            entry("kubectl-client-side-apply", "Update", json!({"f:data": {"f:l": {}}, "f:metadata": annotation})),
            entry("kubectl-edit", "Update", json!({"f:data": {"f:m": {}}})),
        ]}});
        let managed = managed(&before);
        let names: Vec<Text> = owners(&managed, Operation::Update).into_iter().map(|e| e.manager.clone()).collect();
        let after = upgraded(&managed, &names, MANAGER).unwrap();
        assert_eq!(
            after.to_value(),
            json!([
                entry("kubectl", "Apply", json!({"f:data": {"f:k": {}, "f:l": {}}, "f:metadata": annotation})),
                entry("kubectl-edit", "Update", json!({"f:data": {"f:m": {}}})),
            ])
        );
        assert!(upgraded(&after, &names, MANAGER).is_none());
    }
}
