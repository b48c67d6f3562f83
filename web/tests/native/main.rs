//! Tests of the plain Rust of the page: state, map and session.

#![cfg(not(target_arch = "wasm32"))]

mod lessons;
mod map;
mod session;
mod state;
