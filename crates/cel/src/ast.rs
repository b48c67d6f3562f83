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

impl Kind {
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
