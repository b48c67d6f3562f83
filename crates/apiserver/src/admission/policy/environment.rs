//! What the expressions of a policy can speak of (k8s.io/apiserver/pkg/admission/plugin/cel/compile.go).

use std::collections::BTreeMap;
use std::sync::Arc;

use cel::access::{authorizer_type, resource_check_type};
use cel::types::{ObjectType, Type};

/// The name of the type of `variables`.
const VARIABLES: &str = "kubernetes.variables";

/// The variables of the expressions of one policy.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The type of `object` and `oldObject`.
    pub object: Type,
    /// The type of `params`; `None` if the policy has none.
    pub params: Option<Type>,
    /// The fields of `variables`; `None` where they cannot be spoken of.
    pub variables: Option<BTreeMap<String, Type>>,
}

impl Environment {
    /// For what is asked about requests: objects are what they are.
    pub fn dynamic(has_params: bool, composes: bool) -> Environment {
        let params = has_params.then_some(Type::Dyn);
        Environment { object: Type::Dyn, params, variables: composes.then(BTreeMap::new) }
    }

    /// Makes what an expression comes to a field of `variables`; `None` if it came to nothing.
    pub fn add_variable(&mut self, name: &str, of: Option<&Type>) {
        if let Some(variables) = &mut self.variables {
            variables.insert(name.to_owned(), of.map_or(Type::Dyn, declared));
        }
    }

    /// The variables for the compiler.
    pub fn declarations(&self, has_authorizer: bool) -> Vec<(String, Type)> {
        let mut all = vec![
            ("object".to_owned(), self.object.clone()),
            ("oldObject".to_owned(), self.object.clone()),
            ("namespaceObject".to_owned(), namespace()),
            ("request".to_owned(), request()),
        ];
        all.extend(self.params.iter().map(|of| ("params".to_owned(), of.clone())));
        if has_authorizer {
            all.push(("authorizer".to_owned(), authorizer_type()));
            all.push(("authorizer.requestResource".to_owned(), resource_check_type()));
        }
        if let Some(fields) = &self.variables {
            let of = ObjectType { name: VARIABLES.to_owned(), fields: fields.clone() };
            all.push(("variables".to_owned(), Type::Object(Arc::new(of))));
        }
        all
    }
}

/// What is kept of the type of a variable (`convertCelTypeToDeclType`).
fn declared(of: &Type) -> Type {
    match of {
        Type::List(of) => Type::list(declared(of)),
        Type::Map(key, value) => Type::map(declared(key), declared(value)),
        Type::Bool
        | Type::Bytes
        | Type::Double
        | Type::Duration
        | Type::Int
        | Type::Null
        | Type::String
        | Type::Timestamp
        | Type::Uint => of.clone(),
        _ => Type::Dyn,
    }
}

fn object(name: &str, fields: &[(&str, Type)]) -> Type {
    let fields = fields.iter().map(|(name, of)| ((*name).to_owned(), of.clone())).collect();
    Type::Object(Arc::new(ObjectType { name: name.to_owned(), fields }))
}

fn texts() -> Type {
    Type::list(Type::String)
}

/// The request (`BuildRequestType`).
fn request() -> Type {
    let named = |name: &str, last: &str| {
        object(name, &[("group", Type::String), ("version", Type::String), (last, Type::String)])
    };
    let kind = named("kubernetes.GroupVersionKind", "kind");
    let resource = named("kubernetes.GroupVersionResource", "resource");
    let user = object(
        "kubernetes.UserInfo",
        &[
            ("username", Type::String),
            ("uid", Type::String),
            ("groups", texts()),
            ("extra", Type::map(Type::String, texts())),
        ],
    );
    object(
        "kubernetes.AdmissionRequest",
        &[
            ("kind", kind.clone()),
            ("resource", resource.clone()),
            ("subResource", Type::String),
            ("requestKind", kind),
            ("requestResource", resource),
            ("requestSubResource", Type::String),
            ("name", Type::String),
            ("namespace", Type::String),
            ("operation", Type::String),
            ("userInfo", user),
            ("dryRun", Type::Bool),
            ("options", Type::Dyn),
        ],
    )
}

/// The namespace of the request (`BuildNamespaceType`).
fn namespace() -> Type {
    let labels = || Type::map(Type::String, Type::String);
    let metadata = object(
        "kubernetes.NamespaceMetadata",
        &[
            ("name", Type::String),
            ("generateName", Type::String),
            ("namespace", Type::String),
            ("labels", labels()),
            ("annotations", labels()),
            ("UID", Type::String),
            ("creationTimestamp", Type::Timestamp),
            ("deletionGracePeriodSeconds", Type::Int),
            ("deletionTimestamp", Type::Timestamp),
            ("generation", Type::Int),
            ("resourceVersion", Type::String),
            ("finalizers", texts()),
        ],
    );
    let condition = object(
        "kubernetes.NamespaceCondition",
        &[
            ("status", Type::String),
            ("type", Type::String),
            ("lastTransitionTime", Type::Timestamp),
            ("message", Type::String),
            ("reason", Type::String),
        ],
    );
    let status =
        object("kubernetes.NamespaceStatus", &[("conditions", Type::list(condition)), ("phase", Type::String)]);
    let spec = object("kubernetes.NamespaceSpec", &[("finalizers", texts())]);
    object("kubernetes.Namespace", &[("metadata", metadata), ("spec", spec), ("status", status)])
}
