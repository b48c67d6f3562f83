//! Expressions as trees (cel-go/common/ast/expr.go).

use crate::value::Value;

/// A node of the tree.
#[derive(Clone, Debug)]
pub struct Expr {
    /// Its number, by which types are remembered.
    pub id: usize,
    /// Where its text is: characters from the start.
    pub at: usize,
    /// How many nodes there are above each other in it.
    pub depth: usize,
    /// Whether it is the same whatever is asked: such parts are made once, before anything is evaluated, and cost nothing.
    pub constant: bool,
    /// What it is.
    pub kind: Kind,
}

/// What a node is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A value that is written out.
    Literal(Value),
    /// A name.
    Ident(String),
    /// `operand.field`; with `test`, whether the field is there.
    Select { operand: Box<Expr>, field: String, test: bool },
    /// A call; operators are calls too (`_+_`).
    Call { target: Option<Box<Expr>>, function: String, args: Vec<Expr> },
    /// `[a, ?b]`: elements, each with whether it is optional.
    List(Vec<(Expr, bool)>),
    /// `{k: v, ?k: v}`.
    Map(Vec<(Expr, Expr, bool)>),
    /// `Name{...}`: messages, of which there are none here.
    Message(String),
    /// What the macros become.
    Fold(Box<Fold>),
}

/// A loop over a list or the keys of a map that accumulates a value.
#[derive(Clone, Debug)]
pub struct Fold {
    /// What it goes over.
    pub range: Expr,
    /// The name of the element or key; with `var2`, of the index or key.
    pub var: String,
    /// The name of the element or value.
    pub var2: Option<String>,
    /// The name of what is accumulated.
    pub accu: String,
    /// What it is at first.
    pub init: Expr,
    /// Whether to go on.
    pub condition: Expr,
    /// What it becomes.
    pub step: Expr,
    /// What comes out.
    pub result: Expr,
}

/// Conversions, which are made once when they are of constants.
const CONVERSIONS: [&str; 10] =
    ["bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"];

impl Kind {
    /// Whether it is the same whatever is asked (`OptOptimize` of cel-go/interpreter).
    pub fn is_constant(&self) -> bool {
        match self {
            Kind::Literal(_) => true,
            Kind::List(items) => items.iter().all(|(item, optional)| item.constant && !optional),
            Kind::Map(entries) => entries.iter().all(|(k, v, optional)| k.constant && v.constant && !optional),
            Kind::Call { target: None, function, args } => {
                CONVERSIONS.contains(&function.as_str()) && args.len() == 1 && args[0].constant
            }
            _ => false,
        }
    }

    /// Whether it is a path: a name, or steps into something.
    pub fn is_path(&self) -> bool {
        match self {
            Kind::Ident(_) | Kind::Select { test: false, .. } => true,
            Kind::Call { function, .. } => matches!(function.as_str(), "_[_]" | "_[?_]" | "_?._"),
            _ => false,
        }
    }

    /// The nodes right below.
    pub fn children(&self) -> Vec<&Expr> {
        match self {
            Kind::Select { operand, .. } => vec![operand],
            Kind::Call { target, args, .. } => target.iter().map(AsRef::as_ref).chain(args).collect(),
            Kind::List(items) => items.iter().map(|(item, _)| item).collect(),
            Kind::Map(entries) => entries.iter().flat_map(|(k, v, _)| [k, v]).collect(),
            Kind::Fold(f) => vec![&f.range, &f.init, &f.condition, &f.step, &f.result],
            Kind::Literal(_) | Kind::Ident(_) | Kind::Message(_) => Vec::new(),
        }
    }
}

/// `a.b.c` for selections of names only.
pub(crate) fn qualified_name(expr: &Expr) -> Option<String> {
    match &expr.kind {
        Kind::Ident(name) => Some(name.clone()),
        Kind::Select { operand, field, test: false } => Some(format!("{}.{field}", qualified_name(operand)?)),
        _ => None,
    }
}
