//! Whether there are policies to be asked, and which: what every request pays for them.
//!
//! What asks is in [`super::policy`], whose code the page fetches when the first policy is written (docs/decisions/0018), so
//! nothing here calls it before there is one.

use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use api::kinds::{VALIDATING_ADMISSION_POLICIES, VALIDATING_ADMISSION_POLICY_BINDINGS};
use api::status::Status;
use api::{Kind, Object};
use futures_util::StreamExt as _;
use json::Value;

use super::policy;
use super::policy::compile::Policy;
use crate::registry::{Context, key};
use crate::request::{Head, Target};
use crate::server::Server;

/// A policy and what binds it.
pub struct Hook {
    /// The policy.
    pub policy: Rc<Policy>,
    /// Its bindings, by name.
    pub bindings: Vec<Object>,
}

/// The policies of a server that are bound, as they are asked.
#[derive(Default)]
pub struct Hooks {
    hooks: Option<Rc<[Hook]>>,
    /// By name; a policy whose expressions have not changed is not compiled again.
    compiled: BTreeMap<String, Rc<Policy>>,
}

impl Hooks {
    /// Something has changed: who asks next looks anew.
    pub fn forget(&mut self) {
        self.hooks = None;
    }
}

/// Whether a change of an object of the kind changes what is asked.
pub fn concerns(kind: &Kind) -> bool {
    *kind == VALIDATING_ADMISSION_POLICIES || *kind == VALIDATING_ADMISSION_POLICY_BINDINGS
}

/// The policies that are bound, by name.
pub fn hooks(server: &Server) -> Rc<[Hook]> {
    if let Some(known) = &server.policies.borrow().hooks {
        return Rc::clone(known);
    }
    let cx = Context::internal(server);
    let mut bound: BTreeMap<String, Vec<Object>> = BTreeMap::new();
    for binding in cx.all(&VALIDATING_ADMISSION_POLICY_BINDINGS, "") {
        bound.entry(binding.str("spec.policyName").to_owned()).or_default().push(binding);
    }
    let mut cache = server.policies.borrow_mut();
    let before = std::mem::take(&mut cache.compiled);
    let mut found = Vec::new();
    for (name, bindings) in bound {
        let Some(stored) = cx.find(&VALIDATING_ADMISSION_POLICIES, "", &name) else { continue };
        let object = &stored.value;
        let same = before.get(&name).filter(|policy| policy.is_of(object));
        let policy = same.map_or_else(|| Rc::new(Policy::new(object)), Rc::clone);
        cache.compiled.insert(name, Rc::clone(&policy));
        found.push(Hook { policy, bindings });
    }
    let hooks: Rc<[Hook]> = found.into();
    cache.hooks = Some(Rc::clone(&hooks));
    hooks
}

/// Whether anybody has to be asked about what this request does.
pub fn are_there(cx: &Context<'_>) -> bool {
    cx.user.is_some() && !hooks(cx.server).is_empty()
}

/// Asks about a connection, before anything is looked for.
///
/// # Errors
/// What a policy refuses; trying again cannot help.
pub fn about_connection(cx: &Context<'_>, head: &Head, target: &Target) -> Result<(), Status> {
    if target.subresource == "log" || !are_there(cx) { Ok(()) } else { policy::connect::ask(cx, head, target) }
}

/// Refuses a policy whose parameters, or a binding whose references, its writer may not read.
///
/// # Errors
/// 422, as if the object were wrong.
pub fn check_permission(cx: &Context<'_>, kind: &Kind, new: &Value, old: Option<&Value>) -> Result<(), Status> {
    if concerns(kind) { policy::permission::check(cx, kind, new, old) } else { Ok(()) }
}

/// Looks after the status of policies for as long as the server lives.
pub async fn look_after(server: Weak<Server>) {
    let table = key(&VALIDATING_ADMISSION_POLICIES, "", "");
    loop {
        let watch = server.upgrade().and_then(|s| s.etcd.watch(&table, s.etcd.revision()).ok());
        let Some(mut watch) = watch else { return };
        loop {
            let change = watch.next().await;
            let Some(server) = server.upgrade().filter(|_| change.is_some()) else { return };
            policy::status::settle(&server);
            // Too many changes at once: what they led to was just looked at, the next ones are followed anew.
            if !matches!(change, Some(Ok(_))) {
                break;
            }
        }
    }
}
