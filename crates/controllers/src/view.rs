//! What a reconciliation is given to look at.

use api::{Kind, Object};
use json::Value;
use simulation::Time;

use crate::cache::{Cache, Caches};
use crate::loadbalancer::Cloud;

/// The state of the world at one moment. Everything that a `reconcile` function may depend on.
pub(crate) struct View<'a> {
    pub(crate) caches: &'a Caches,
    pub(crate) now: Time,
    /// The write of the last plan for this key that the server refused, if that is why we are here.
    pub(crate) failure: Option<&'a Failure>,
    /// What was answered to [`crate::change::Change::Ask`], if that is why we are here: the body, or why there is none.
    pub(crate) answer: Option<&'a Result<Value, String>>,
    /// Who makes load balancers.
    pub(crate) cloud: Option<Cloud>,
    /// When the controllers began: they know of nothing that was before.
    pub(crate) started: Time,
    /// What the last plan for this key wanted to be remembered.
    pub(crate) memory: &'a Value,
}

static NOTHING: Value = Value::Null;

/// The kinds of writes, as far as it matters which one was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Create,
    Change,
    Delete,
}

/// A refused write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What was to be done.
    pub(crate) verb: Verb,
    /// Kind of the object.
    pub(crate) kind: &'static str,
    /// HTTP status of the refusal; 0 when no answer came.
    pub(crate) code: u16,
    /// Reason of the refusal, e.g. `AlreadyExists`.
    pub(crate) reason: String,
    /// The server's sentence.
    pub(crate) message: String,
}

impl<'a> View<'a> {
    /// The state at a moment, at a first look.
    pub(crate) fn new(caches: &'a Caches, now: Time) -> View<'a> {
        View { caches, now, failure: None, answer: None, cloud: None, started: Time::default(), memory: &NOTHING }
    }

    /// The copy of a kind.
    pub(crate) fn of(&self, kind: &Kind) -> &'a Cache {
        self.caches.of(kind)
    }

    /// One object by key.
    pub(crate) fn get(&self, kind: &Kind, key: &str) -> Option<&'a Object> {
        self.caches.of(kind).get(key)
    }

    /// Now, as `metav1.Time` is written.
    pub(crate) fn now_text(&self) -> String {
        self.now.rfc3339()
    }

    /// The object that a controller reference means: same name and uid (`resolveControllerRef`).
    pub(crate) fn owner(&self, kind: &Kind, of: &Object) -> Option<&'a Object> {
        // Field by field: it is asked of every change of every pod, by several controllers.
        let owner = of.list("metadata.ownerReferences").iter().find(|reference| reference["controller"] == true)?;
        let text = |field: &str| owner[field].as_str().unwrap_or("");
        if text("kind") != kind.kind {
            return None;
        }
        let name = text("name");
        let found =
            if kind.namespaced { self.get(kind, &format!("{}/{name}", of.namespace())) } else { self.get(kind, name) };
        found.filter(|found| found.uid() == text("uid"))
    }
}
