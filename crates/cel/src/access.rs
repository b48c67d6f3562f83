//! Questions to the authorizer, and what an evaluation asks of who called it (k8s.io/apiserver/pkg/cel/library/authz.go,
//! .../cel/lazy).
//!
//! A question is put together here as a value, without anybody being asked; only `check` asks, and it asks the [`Host`].

use std::sync::Arc;

use crate::eval::Failure;
use crate::types::Type;
use crate::value::Value;

/// The name of who is asked.
pub(crate) const AUTHORIZER: &str = "kubernetes.authorization.Authorizer";
/// The name of questions about paths.
pub(crate) const PATH_CHECK: &str = "kubernetes.authorization.PathCheck";
/// The name of the first half of questions about resources.
pub(crate) const GROUP_CHECK: &str = "kubernetes.authorization.GroupCheck";
/// The name of questions about resources.
pub(crate) const RESOURCE_CHECK: &str = "kubernetes.authorization.ResourceCheck";
/// The name of answers.
pub(crate) const DECISION: &str = "kubernetes.authorization.Decision";

/// What somebody wants to do, as far as it has been said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Namespace and name of the service account that wants it; `None` for the user of the request.
    pub account: Option<(String, String)>,
    /// What it is about.
    pub about: About,
}

/// What a question is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum About {
    /// Nothing yet.
    #[default]
    Nothing,
    /// A path that is no resource.
    Path(String),
    /// Resources of a group.
    Group(String),
    /// A resource.
    Resource(Resource),
}

/// A resource that somebody wants to do something with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// The API group.
    pub group: String,
    /// The resource.
    pub resource: String,
    /// The subresource.
    pub subresource: String,
    /// The namespace; empty for the whole cluster.
    pub namespace: String,
    /// The object's name.
    pub name: String,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is allowed.
    pub allowed: bool,
    /// Why, in the authorizer's words.
    pub reason: String,
}

/// Who called an evaluation: it knows what is computed only when somebody asks for it.
pub trait Host {
    /// A field of `variables`; `None` if there is none of the name.
    fn variable(&self, name: &str) -> Option<Result<Value, Failure>>;
    /// Whether somebody may.
    fn check(&self, wanted: &Access, verb: &str) -> Decision;
}

impl Access {
    /// The name of its type.
    pub(crate) fn type_name(&self) -> &'static str {
        match self.about {
            About::Nothing => AUTHORIZER,
            About::Path(_) => PATH_CHECK,
            About::Group(_) => GROUP_CHECK,
            About::Resource(_) => RESOURCE_CHECK,
        }
    }
}

impl Value {
    /// `authorizer`.
    #[must_use]
    pub fn authorizer() -> Value {
        Value::Access(Arc::default())
    }

    /// `authorizer.requestResource`.
    #[must_use]
    pub fn resource_check(resource: Resource) -> Value {
        Value::Access(Arc::new(Access { account: None, about: About::Resource(resource) }))
    }
}

/// The type of `authorizer`.
#[must_use]
pub fn authorizer_type() -> Type {
    Type::Opaque(AUTHORIZER, Vec::new())
}

/// The type of `authorizer.requestResource`.
#[must_use]
pub fn resource_check_type() -> Type {
    Type::Opaque(RESOURCE_CHECK, Vec::new())
}
