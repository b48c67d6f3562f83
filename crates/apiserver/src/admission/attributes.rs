//! What a request does, as those see it who decide about it (k8s.io/apiserver/pkg/admission/attributes.go).

use api::Kind;
use api::kinds::NAMESPACES;
use json::Value;

use crate::registry::delete::DeleteOptions;
use crate::registry::update::Part;
use crate::value::text;

/// What a request does.
pub struct Attributes<'a> {
    /// `CREATE`, `UPDATE`, `DELETE` or `CONNECT`.
    pub operation: &'static str,
    /// The resource.
    pub resource: &'static Kind,
    /// The subresource; empty for the object itself.
    pub subresource: &'a str,
    /// The namespace. A namespace is in itself.
    pub namespace: &'a str,
    /// The name; empty for one of a collection that is deleted.
    pub name: &'a str,
    /// What is created, or what it becomes, or the options of a connection.
    pub object: Option<&'a Value>,
    /// What it was.
    pub old: Option<&'a Value>,
    /// Options that came in the body.
    pub options: Option<&'a DeleteOptions>,
}

impl<'a> Attributes<'a> {
    /// A request about an object of a kind.
    pub fn new(operation: &'static str, resource: &'static Kind, namespace: &'a str, name: &'a str) -> Attributes<'a> {
        let namespace = if *resource == NAMESPACES { name } else { namespace };
        Attributes { operation, resource, subresource: "", namespace, name, object: None, old: None, options: None }
    }

    /// A new object.
    pub fn create(resource: &'static Kind, namespace: &'a str, object: &'a Value) -> Attributes<'a> {
        let name = text(object, "metadata.name");
        Attributes { object: Some(object), ..Attributes::new("CREATE", resource, namespace, name) }
    }

    /// A change of a part of an object.
    pub fn update(
        resource: &'static Kind,
        part: Part,
        namespace: &'a str,
        (new, old): (&'a Value, &'a Value),
    ) -> Attributes<'a> {
        let subresource = part.subresource();
        let known = Attributes::new("UPDATE", resource, namespace, text(old, "metadata.name"));
        Attributes { subresource, object: Some(new), old: Some(old), ..known }
    }

    /// Something that is sent to a subresource.
    pub fn sent_to(
        resource: &'static Kind,
        subresource: &'a str,
        (namespace, name): (&'a str, &'a str),
        object: &'a Value,
    ) -> Attributes<'a> {
        Attributes { subresource, object: Some(object), ..Attributes::new("CREATE", resource, namespace, name) }
    }
}
