//! Types of expressions and how they fit each other (cel-go/common/types/types.go, checker/types.go).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The type of an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Anything; what it is shows when it is computed.
    Dyn,
    /// Already complained about.
    Error,
    /// `null`.
    Null,
    /// `bool`.
    Bool,
    /// `int`: 64 bits with a sign.
    Int,
    /// `uint`: 64 bits without a sign.
    Uint,
    /// `double`.
    Double,
    /// `string`.
    String,
    /// `bytes`.
    Bytes,
    /// `timestamp`.
    Timestamp,
    /// `duration`.
    Duration,
    /// A list of elements of one type.
    List(Arc<Type>),
    /// A map from keys to values.
    Map(Arc<Type>, Arc<Type>),
    /// An object whose fields are known.
    Object(Arc<ObjectType>),
    /// A type of a library, by its name: `optional_type`, `kubernetes.Quantity`, ...
    Opaque(&'static str, Vec<Type>),
    /// The type of a type.
    Type(Arc<Type>),
    /// A letter of a signature.
    Param(char),
    /// A type that is not known yet.
    Var(u32),
}

/// The fields of an object, by the names that expressions use.
#[derive(Clone, Debug, Default)]
pub struct ObjectType {
    /// How messages call it.
    pub name: String,
    /// The fields.
    pub fields: BTreeMap<String, Type>,
}

impl PartialEq for ObjectType {
    fn eq(&self, other: &ObjectType) -> bool {
        self.name == other.name
    }
}

/// The name of optional values.
pub const OPTIONAL: &str = "optional_type";

impl Type {
    /// A list.
    #[must_use]
    pub fn list(of: Type) -> Type {
        Type::List(Arc::new(of))
    }

    /// A map.
    #[must_use]
    pub fn map(key: Type, value: Type) -> Type {
        Type::Map(Arc::new(key), Arc::new(value))
    }

    /// A value that may be absent.
    #[must_use]
    pub fn optional(of: Type) -> Type {
        Type::Opaque(OPTIONAL, vec![of])
    }

    pub(crate) fn is_dyn_or_error(&self) -> bool {
        matches!(self, Type::Dyn | Type::Error)
    }

    /// What is inside an optional, and whether it was one.
    pub(crate) fn unwrap_optional(&self) -> (Type, bool) {
        match self {
            Type::Opaque(OPTIONAL, of) if of.len() == 1 => (of[0].clone(), true),
            other => (other.clone(), false),
        }
    }

    /// The name with parameters, as Go prints the type (`Type.String`); what the checker's messages say differs for some.
    #[must_use]
    pub fn go_name(&self) -> String {
        let with = |inner: &[&Type]| {
            let inner: Vec<String> = inner.iter().map(|t| t.go_name()).collect();
            format!("{}({})", self.name(), inner.join(", "))
        };
        match self {
            Type::List(of) => with(&[of]),
            Type::Map(key, value) => with(&[key, value]),
            Type::Type(of) => with(&[of]),
            Type::Opaque(_, of) if !of.is_empty() => with(&of.iter().collect::<Vec<_>>()),
            _ => self.name(),
        }
    }

    /// The name without parameters, as `type(x)` prints it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Type::Timestamp => "google.protobuf.Timestamp".into(),
            Type::Duration => "google.protobuf.Duration".into(),
            Type::Null => "null_type".into(),
            Type::List(_) => "list".into(),
            Type::Map(..) => "map".into(),
            Type::Type(_) => "type".into(),
            Type::Opaque(name, _) => (*name).into(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Type::Dyn => "dyn",
            Type::Error => "!error!",
            Type::Null => "null",
            Type::Bool => "bool",
            Type::Int => "int",
            Type::Uint => "uint",
            Type::Double => "double",
            Type::String => "string",
            Type::Bytes => "bytes",
            Type::Timestamp => "timestamp",
            Type::Duration => "duration",
            Type::List(of) => return write!(f, "list({of})"),
            Type::Map(key, value) => return write!(f, "map({key}, {value})"),
            Type::Object(object) => &object.name,
            Type::Opaque(name, of) if of.is_empty() => name,
            Type::Opaque(name, of) => {
                let of: Vec<String> = of.iter().map(ToString::to_string).collect();
                return write!(f, "{name}({})", of.join(", "));
            }
            Type::Type(of) => return write!(f, "type({of})"),
            Type::Param(letter) => return write!(f, "{letter}"),
            Type::Var(number) => return write!(f, "_var{number}"),
        };
        f.write_str(name)
    }
}

/// What is known so far of the types that are not known.
#[derive(Default)]
pub(crate) struct Mapping {
    known: BTreeMap<u32, Type>,
    /// What was known before, for what turns out not to fit.
    undo: Vec<(u32, Option<Type>)>,
}

impl Mapping {
    fn find(&self, t: &Type) -> Option<&Type> {
        match t {
            Type::Var(number) => self.known.get(number),
            _ => None,
        }
    }

    fn add(&mut self, var: &Type, t: Type) {
        if let Type::Var(number) = var {
            let before = self.known.insert(*number, t);
            self.undo.push((*number, before));
        }
    }

    /// Whether the types fit; what follows for unknown types is kept only if they do.
    pub fn assignable(&mut self, t1: &Type, t2: &Type) -> bool {
        let fits = self.fits(t1, t2);
        self.settle(fits)
    }

    /// Forgets how to go back, or goes back.
    fn settle(&mut self, fits: bool) -> bool {
        while let Some((number, before)) = self.undo.pop() {
            match before {
                _ if fits => {}
                Some(before) => _ = self.known.insert(number, before),
                None => _ = self.known.remove(&number),
            }
        }
        fits
    }

    /// The same for lists of types.
    pub fn all_assignable(&mut self, l1: &[Type], l2: &[Type]) -> bool {
        let fits = l1.len() == l2.len() && l1.iter().zip(l2).all(|(a, b)| self.fits(a, b));
        self.settle(fits)
    }

    fn fits(&mut self, t1: &Type, t2: &Type) -> bool {
        if matches!(t2, Type::Var(_)) {
            let (valid, known) = self.substitutes(t1, t2);
            if valid || known {
                return valid;
            }
        }
        if matches!(t1, Type::Var(_)) {
            return self.substitutes(t2, t1).0;
        }
        if t1.is_dyn_or_error() || t2.is_dyn_or_error() {
            return true;
        }
        match (t1, t2) {
            (Type::Null, other) | (other, Type::Null) => {
                matches!(other, Type::Null | Type::Opaque(..) | Type::Object(_) | Type::Duration | Type::Timestamp)
            }
            (Type::Type(_), Type::Type(_)) => true,
            (Type::List(a), Type::List(b)) => self.fits(a, b),
            (Type::Map(k1, v1), Type::Map(k2, v2)) => self.fits(k1, k2) && self.fits(v1, v2),
            (Type::Opaque(n1, p1), Type::Opaque(n2, p2)) => {
                n1 == n2 && p1.len() == p2.len() && p1.iter().zip(p2).all(|(a, b)| self.fits(a, b))
            }
            _ => t1 == t2,
        }
    }

    /// Whether `var` can be `t`, and whether something was known of `var`.
    fn substitutes(&mut self, t: &Type, var: &Type) -> (bool, bool) {
        if t == var {
            return (true, true);
        }
        if let Some(known) = self.find(var).cloned() {
            if *t == known {
                return (true, true);
            }
            if !self.fits(t, &known) {
                return (false, true);
            }
            let general = most_general(t, &known).clone();
            if self.is_absent(var, &general) {
                self.add(var, general);
            }
            return (true, true);
        }
        if self.is_absent(var, t) {
            self.add(var, t.clone());
            return (true, false);
        }
        (false, false)
    }

    /// Whether a type does not speak of `var`.
    fn is_absent(&self, var: &Type, within: &Type) -> bool {
        if var == within {
            return false;
        }
        match within {
            Type::Var(_) => self.find(within).is_none_or(|known| self.is_absent(var, known)),
            Type::List(of) | Type::Type(of) => self.is_absent(var, of),
            Type::Map(k, v) => self.is_absent(var, k) && self.is_absent(var, v),
            Type::Opaque(_, of) => of.iter().all(|of| self.is_absent(var, of)),
            _ => true,
        }
    }

    /// A type with what is known filled in, and `dyn` for what is not if `to_dyn`.
    pub fn substitute(&self, t: &Type, to_dyn: bool) -> Type {
        if let Some(known) = self.find(t) {
            return self.substitute(known, to_dyn);
        }
        match t {
            Type::Var(_) if to_dyn => Type::Dyn,
            Type::List(of) => Type::list(self.substitute(of, to_dyn)),
            Type::Map(k, v) => Type::map(self.substitute(k, to_dyn), self.substitute(v, to_dyn)),
            Type::Opaque(name, of) => Type::Opaque(name, of.iter().map(|t| self.substitute(t, to_dyn)).collect()),
            Type::Type(of) => Type::Type(Arc::new(self.substitute(of, to_dyn))),
            other => other.clone(),
        }
    }
}

/// The type that says less.
pub(crate) fn most_general<'a>(t1: &'a Type, t2: &'a Type) -> &'a Type {
    if is_less_specific(t1, t2) { t1 } else { t2 }
}

fn is_less_specific(t1: &Type, t2: &Type) -> bool {
    match (t1, t2) {
        (Type::Dyn | Type::Var(_), _) => true,
        (_, Type::Dyn | Type::Var(_)) => false,
        (Type::List(a), Type::List(b)) => is_less_specific(a, b),
        (Type::Map(k1, v1), Type::Map(k2, v2)) => is_less_specific(k1, k2) && is_less_specific(v1, v2),
        (Type::Opaque(n1, p1), Type::Opaque(n2, p2)) => {
            n1 == n2 && p1.len() == p2.len() && p1.iter().zip(p2).all(|(a, b)| is_less_specific(a, b))
        }
        (Type::Type(_), Type::Type(_)) => true,
        _ => t1 == t2,
    }
}

/// Puts fresh types in the place of the letters of a signature.
pub(crate) fn instantiate(t: &Type, of: &BTreeMap<char, Type>) -> Type {
    match t {
        Type::Param(letter) => of.get(letter).cloned().unwrap_or(Type::Dyn),
        Type::List(inner) => Type::list(instantiate(inner, of)),
        Type::Map(k, v) => Type::map(instantiate(k, of), instantiate(v, of)),
        Type::Opaque(name, inner) => Type::Opaque(name, inner.iter().map(|t| instantiate(t, of)).collect()),
        Type::Type(inner) => Type::Type(Arc::new(instantiate(inner, of))),
        other => other.clone(),
    }
}
