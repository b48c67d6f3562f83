//! The Common Expression Language, as Kubernetes uses it in rules about objects (github.com/google/cel-go v0.26,
//! k8s.io/apiserver/pkg/cel).
//!
//! An expression is read, checked against the types of its variables, and evaluated on values, each step with cel-go's words and
//! places when something is wrong, and with its costs. Types and values come from the schema of a custom resource ([`schema`]).
//! Nothing here knows of requests or objects' rules; that is the API server's part.
//!
//! Differences: parsing ends at the first error of syntax and goes down a hundred brackets, not 250; regular expressions are
//! those of `regex-lite` (no classes of Unicode), and what is wrong with them is in Go's words for what is usual; time zones are
//! `UTC` and offsets, and times are shown in UTC; there are no messages. What an evaluation may look at inside
//! of values, and how long texts and lists may become, has limits of ours beside upstream's costs, which say little of lists
//! inside of lists.

pub mod access;
mod ast;
mod checker;
mod cost;
mod declarations;
mod estimate;
mod eval;
pub mod functions;
mod issue;
mod lexer;
mod macros;
mod parser;
pub mod schema;
mod time;
pub mod types;
pub mod value;

use std::collections::BTreeSet;

pub use access::Host;
use ast::Expr;
pub use eval::Failure;
pub use issue::{Issue, Issues};
use types::Type;
use value::Value;

/// What one evaluation may cost (`PerCallLimit` of k8s.io/apiserver/pkg/apis/cel).
pub const PER_CALL_COST_MAX: u64 = 1_000_000;

/// An expression that makes sense.
#[derive(Clone, Debug)]
pub struct Program {
    expr: Expr,
    types: Vec<Type>,
    used: BTreeSet<String>,
}

/// What came of an evaluation.
pub struct Outcome {
    /// The value, or why there is none.
    pub result: Result<Value, Failure>,
    /// What it cost.
    pub cost: u64,
}

/// Reads and checks an expression about these variables.
///
/// # Errors
/// Everything that is wrong with the text, with its places.
pub fn compile(source: &str, variables: &[(String, Type)]) -> Result<Program, Issues> {
    let (mut expr, count) = parser::parse(source)?;
    let checked = checker::check(&mut expr, count, variables);
    if !checked.issues.is_empty() {
        return Err(Issues::new(source, checked.issues));
    }
    Ok(Program { expr, types: checked.types, used: checked.used })
}

impl Program {
    /// The type of what comes out.
    #[must_use]
    pub fn output(&self) -> &Type {
        &self.types[self.expr.id]
    }

    /// Whether the expression speaks of a variable.
    #[must_use]
    pub fn uses(&self, variable: &str) -> bool {
        self.used.contains(variable)
    }

    /// Whether all that is known beforehand can be made.
    ///
    /// # Errors
    /// What cannot.
    pub fn instantiate(&self) -> Result<(), String> {
        checker::makeable(&self.expr)
    }

    /// Evaluates with these variables, for at most `cost_max`.
    #[must_use]
    pub fn eval(&self, variables: &[(&str, Value)], cost_max: u64) -> Outcome {
        self.eval_with(variables, None, cost_max)
    }

    /// Evaluates with these variables and with those that a host computes when they are asked for.
    #[must_use]
    pub fn eval_with(&self, variables: &[(&str, Value)], host: Option<&dyn Host>, cost_max: u64) -> Outcome {
        let mut evaluation = eval::Evaluation::new(variables, host, cost_max);
        let result = evaluation.eval(&self.expr);
        Outcome { result, cost: evaluation.cost }
    }
}

#[cfg(test)]
mod tests;
