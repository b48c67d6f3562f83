//! The grammar: text in, tree out. Never sees variables, files or time.
//!
//! A subset of bash's grammar, written by hand; docs/decisions/shell-parser.md says why and what is left out.

pub mod ast;
mod braces;
mod command;
mod cond;
mod error;
mod param;
mod parser;
mod word;

pub use braces::expand as expand_braces;
pub use error::{Incomplete, SyntaxError};
pub use parser::{Parser, is_name, is_reserved};
