//! The line editor of the prompt.

mod history;

pub use history::History;
