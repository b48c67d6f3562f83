//! Messages between the page and its worker.

use wasm_bindgen::prelude::*;
use web_sys::{Worker, WorkerOptions, WorkerType};

/// What the worker says first. Before it, nothing that is sent to the worker is sure to arrive.
pub const READY: &str = "ready";

/// The loader that the build puts beside index.html; relative, so that it works under a sub-path.
const LOADER: &str = "./worker_loader.js";

/// Starts the worker.
pub fn start_worker() -> Result<Worker, JsValue> {
    let options = WorkerOptions::new();
    options.set_type(WorkerType::Module);
    Worker::new_with_options(LOADER, &options)
}
