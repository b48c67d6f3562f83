//! A small SQL engine: MySQL's language, errors and rules over tables in memory, with a log on the disk.
//!
//! It knows no protocol, no clock and no socket: [`Engine::execute`] takes a statement of a [`Session`] and gives rows or
//! what was changed. What it does not know it refuses by name. Why it is one of our own says docs/decisions/0024-sql-engine.md.

mod alter;
mod ast;
mod bind;
mod catalog;
mod codec;
mod ddl;
mod disk;
mod error;
mod eval;
mod exec;
mod foreign;
mod functions;
mod lexer;
mod parse;
mod plan;
mod session;
mod show;
mod system;
mod time;
mod types;
mod users;
mod value;
mod variables;
mod write;

#[cfg(test)]
mod tests;

pub use error::{Error, Result};
pub use lexer::split;
pub use plan::OutColumn;
pub use session::{Engine, Outcome, Server, Session};
pub use types::Type;
pub use value::{Row, Value};
