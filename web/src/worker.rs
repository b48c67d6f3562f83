//! The worker's side: says that it is ready.

use wasm_bindgen::JsCast;
use web_sys::DedicatedWorkerGlobalScope;

use crate::bridge;

/// Runs in the worker's global scope.
pub fn start() {
    let Ok(scope) = js_sys::global().dyn_into::<DedicatedWorkerGlobalScope>() else { return };
    if let Err(error) = scope.post_message(&bridge::READY.into()) {
        web_sys::console::error_2(&"the worker cannot answer".into(), &error);
    }
}
