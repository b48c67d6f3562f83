//! The page: the app that is seen, the worker that holds the cluster, and the messages between them.
//!
//! `chain`, `editors`, `history`, `inspect`, `map`, `news`, `picture`, `protocol`, `saved`, `screen`, `session`, `share`, `state`,
//! `text` and `visits` are plain Rust and tested natively; the rest is the browser.

pub mod app;
pub mod chain;
pub mod components;
pub mod courses;
pub mod editors;
pub mod handover;
pub mod history;
pub mod inspect;
pub mod link;
pub mod lock;
pub mod mailbox;
pub mod map;
pub mod news;
pub mod offline;
pub mod picture;
pub mod preferences;
pub mod protocol;
pub mod requests;
pub mod saved;
pub mod screen;
pub mod screens;
pub mod session;
pub mod share;
pub mod shortcuts;
pub mod site;
pub mod slices;
pub mod state;
pub mod storage;
pub mod text;
pub mod visits;
pub mod worker;
