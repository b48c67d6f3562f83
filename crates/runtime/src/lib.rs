//! Containers that run: images and their registry, the WASI host, processes on fuel, logs and limits.
//!
//! * [`engine`]: the contract between a program and the world, and wasmi behind it.
//! * [`abi`]: what programs may call; ABI.md describes it for their writers.
//! * [`kernel`]: what they are answered; knows no engine.
//! * [`process`]: turns, signals, limits, executables.
//! * [`image`]: references, the registry, the store of a node.
//! * [`cri`]: pods' sandboxes and containers as the kubelet sees them.
//!
//! Invariants: nothing a program does panics, hangs or slows the world for ever; every buffer is bounded by [`limits`];
//! what a program sees is a function of the seed and of the inputs.

pub mod abi;
pub mod cri;
pub mod engine;
pub mod image;
pub mod kernel;
pub mod limits;
pub mod pace;
pub mod process;
