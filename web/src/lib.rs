//! The page: the app that is seen, the worker that holds the cluster, and the messages between them.
//!
//! `inspect`, `map`, `picture`, `protocol`, `screen`, `session`, `state` and `text` are plain Rust and tested natively;
//! the rest is the browser.

pub mod app;
pub mod components;
pub mod courses;
pub mod inspect;
pub mod link;
pub mod map;
pub mod picture;
pub mod preferences;
pub mod protocol;
pub mod screen;
pub mod screens;
pub mod session;
pub mod site;
pub mod state;
pub mod storage;
pub mod text;
pub mod worker;
