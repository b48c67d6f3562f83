//! Tests of the plain Rust of the page: state, map and session.

#![cfg(not(target_arch = "wasm32"))]

mod chain;
mod inspect;
mod lessons;
mod map;
mod requests;
mod saved;
mod session;
mod state;
mod visits;
