//! Following a path of field names, as `kubectl explain` does.

use super::table::{Definition, Property, Type};

/// Where a path leads.
#[derive(Clone, Copy, Debug)]
pub struct Resolved {
    /// The definition that holds the last field; the root itself for an empty path.
    pub parent: &'static Definition,
    /// The last field; `None` for an empty path.
    pub property: Option<&'static Property>,
}

impl Resolved {
    /// The definition whose fields come next: that of the field's type, or the root.
    pub fn definition(&self) -> Option<&'static Definition> {
        match self.property {
            Some(property) => property.ty.definition(),
            None => Some(self.parent),
        }
    }

    /// The type of the field; `None` for the root.
    pub fn ty(&self) -> Option<&'static Type> {
        self.property.map(|p| &p.ty)
    }
}

/// Why a path leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The root is unknown.
    #[error("definition \"{0}\" is unknown")]
    NoDefinition(String),
    /// A field does not exist.
    #[error("field \"{0}\" does not exist")]
    NoField(String),
}

/// Follows `spec.template.spec.containers` from a definition, through lists and maps.
///
/// # Errors
/// Names the root or the first field that does not exist.
pub fn resolve_path(root: &str, path: &str) -> Result<Resolved, PathError> {
    let root = super::definition(root).ok_or_else(|| PathError::NoDefinition(root.to_owned()))?;
    let mut resolved = Resolved { parent: root, property: None };
    for field in path.split('.').filter(|f| !f.is_empty()) {
        let missing = || PathError::NoField(field.to_owned());
        let parent = resolved.definition().ok_or_else(missing)?;
        let property = parent.property(field).ok_or_else(missing)?;
        resolved = Resolved { parent, property: Some(property) };
    }
    Ok(resolved)
}
