//! Reading and writing objects, the same for every kind (k8s.io/apiserver/pkg/registry/generic/registry/store.go).
//!
//! Invariants:
//! * A stored object carries `apiVersion`, `kind` and the `metadata.resourceVersion` of its last write, so that reads,
//!   lists and watches share it without a copy.
//! * Every write goes through [`Context::commit`] or [`Context::erase`], which trace it.
//!
//! Difference from upstream: items of lists carry their `apiVersion` and `kind`.

pub mod create;
pub mod decode;
pub mod delete;
pub mod expiry;
pub mod options;
pub mod read;
pub mod strict;
pub mod update;
pub mod watch;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use api::managed::ManagedFields;
use api::status::Status;
use api::{Kind, Object};
use etcd::{Expect, KeyValue, Refused};
use json::Value;
use simulation::TraceKind;

use crate::authentication::User;
use crate::request::Query;
use crate::server::Server;
use crate::strategy;
use crate::value::metadata_mut;
use crate::{allocator, failure};

/// One request's view of the server.
pub struct Context<'a> {
    /// The server.
    pub(crate) server: &'a Server,
    /// Who asks, for the trace.
    pub caller: &'a str,
    /// Who asks; `None` for the server itself, which may do everything.
    pub user: Option<&'a User>,
    /// Who comes to own the fields that are written.
    pub manager: &'a str,
    /// `dryRun=All`: everything happens but the write.
    pub dry_run: Cell<bool>,
    /// The parameters of the request.
    pub query: Option<&'a Query>,
    /// What the `Warning` headers of the answer will say.
    pub warnings: RefCell<Vec<String>>,
}

/// The key of an object, or of a collection when `name` is empty (then it ends with `/`).
pub fn key(kind: &Kind, namespace: &str, name: &str) -> String {
    // The events of both groups are the same.
    let table = if kind.group == "events.k8s.io" { kind.plural.to_owned() } else { kind.group_resource() };
    if kind.namespaced && !(namespace.is_empty() && name.is_empty()) {
        format!("{table}/{namespace}/{name}")
    } else {
        format!("{table}/{name}")
    }
}

impl<'a> Context<'a> {
    /// The server's own view of itself.
    pub(crate) fn internal(server: &'a Server) -> Context<'a> {
        let me = "kube-apiserver";
        Context {
            server,
            caller: me,
            user: None,
            manager: me,
            dry_run: Cell::new(false),
            query: None,
            warnings: RefCell::default(),
        }
    }

    /// What is stored under a name.
    pub fn find(&self, kind: &Kind, namespace: &str, name: &str) -> Option<Rc<KeyValue>> {
        let found = self.server.etcd.get(&key(kind, namespace, name))?;
        match strategy::of(kind) {
            strategy if strategy.conversion.is_some() => {
                Some(Rc::new(KeyValue { value: strategy.present(&found.value), ..KeyValue::clone(&found) }))
            }
            _ => Some(found),
        }
    }

    /// What is stored under a name, or 404.
    pub fn require(&self, kind: &Kind, namespace: &str, name: &str) -> Result<Rc<KeyValue>, Status> {
        self.find(kind, namespace, name).ok_or_else(|| failure::not_found(kind, name))
    }

    /// Every object of a kind in a namespace (empty: in all).
    pub fn all(&self, kind: &Kind, namespace: &str) -> Vec<Object> {
        let range = self.server.etcd.range(&key(kind, namespace, ""), 0).unwrap_or_default();
        let strategy = strategy::of(kind);
        range.iter().map(|kv| strategy.present(&kv.value)).collect()
    }

    /// Virtual now as `metav1.Time`.
    pub fn now(&self) -> String {
        self.server.sim.now().rfc3339()
    }

    /// Writes an object; on a dry run only says what would be written.
    fn commit(
        &self,
        kind: &'static Kind,
        expect: Expect,
        mut object: Value,
        managed: Arc<ManagedFields>,
    ) -> Result<Object, Status> {
        let metadata = metadata_mut(&mut object);
        let text = |field: &str| metadata.get(field).and_then(Value::as_str).unwrap_or("").to_owned();
        let (namespace, name) = (text("namespace"), text("name"));
        if self.dry_run.get() {
            return Ok(Object::with_managed(object, managed));
        }
        let strategy = strategy::of(kind);
        if let Some(conversion) = strategy.conversion {
            (conversion.to_stored)(kind, &mut object);
        }
        let written = self.server.etcd.put(&key(kind, &namespace, &name), expect, |revision| {
            metadata_mut(&mut object).insert("resourceVersion".into(), revision.to_string().into());
            object.settle(None);
            Object::with_managed(object, managed)
        });
        let written = written.map_err(|refused| match (refused, expect) {
            (Refused::NoLeader, _) => failure::no_leader(),
            (Refused::Unexpected(Some(existing)), Expect::Absent) => failure::taken(kind, &name, &existing.value),
            _ => failure::modified(kind, &name),
        })?;
        let op = if matches!(expect, Expect::Absent) { "ADDED" } else { "MODIFIED" };
        self.trace_write(op, kind, &written.value, written.mod_revision);
        self.followed_up(kind, &written.value, false);
        if let Some(lifetime) = strategy.lifetime {
            self.server.expiry.add(self.server.sim.now() + lifetime, &written);
        }
        Ok(strategy.present(&written.value))
    }

    /// Definitions say what else is served: a change of one makes it worth asking again. Services have addresses, and get
    /// one back that somebody takes away (upstream: ipallocator/controller/repairip.go).
    fn followed_up(&self, kind: &Kind, object: &Object, is_gone: bool) {
        if std::ptr::eq(kind, &api::kinds::CUSTOM_RESOURCE_DEFINITIONS) {
            self.server.customs.take();
        }
        if crate::admission::asked::concerns(kind) {
            self.server.policies.borrow_mut().forget();
        }
        if std::ptr::eq(kind, &api::kinds::SERVICES) {
            allocator::record(self.server, object, is_gone);
        }
        if is_gone
            && std::ptr::eq(kind, &api::kinds::IP_ADDRESSES)
            && object.str("spec.parentRef.resource") == "services"
        {
            let (namespace, name) = (object.str("spec.parentRef.namespace"), object.str("spec.parentRef.name"));
            if let Some(service) = self.find(&api::kinds::SERVICES, namespace, name) {
                allocator::record(self.server, &service.value, false);
            }
        }
    }

    /// Removes an object and returns its last state, which carries the revision of the deletion.
    pub(crate) fn erase(&self, kind: &'static Kind, object: &Object) -> Result<Object, Status> {
        if self.dry_run.get() {
            return Ok(object.clone());
        }
        let key = key(kind, object.namespace(), object.name());
        let last = self.server.etcd.delete(&key, Expect::Anything, |revision, last| {
            let mut last = last.clone();
            last.set("metadata.resourceVersion", revision.to_string());
            last
        });
        let last = last.map_err(|refused| match refused {
            Refused::NoLeader => failure::no_leader(),
            Refused::Unexpected(_) => failure::not_found(kind, object.name()),
        })?;
        self.trace_write("DELETED", kind, &last, self.server.etcd.revision());
        self.followed_up(kind, &last, true);
        Ok(strategy::of(kind).present(&last))
    }

    fn trace_write(&self, op: &str, kind: &Kind, object: &Object, revision: u64) {
        self.server.sim.trace(TraceKind::Write {
            by: self.caller.to_owned(),
            op: op.to_owned(),
            kind: kind.kind.to_owned(),
            namespace: object.namespace().to_owned(),
            name: object.name().to_owned(),
            revision,
        });
    }
}
