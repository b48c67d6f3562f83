//! Files of the site, by paths relative to the page: it works under any sub-path.

use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DedicatedWorkerGlobalScope, Response};

/// The bytes of a file; none when there is no such file.
///
/// # Errors
/// The browser's words when the file cannot be had now (offline, refused).
pub async fn fetch(path: &str) -> Result<Option<Vec<u8>>, String> {
    let scope: DedicatedWorkerGlobalScope = js_sys::global().dyn_into().map_err(|_| "not in a worker".to_owned())?;
    let words = |error: JsValue| error_words(&error);
    let response = JsFuture::from(scope.fetch_with_str(path)).await.map_err(words)?;
    let response: Response = response.dyn_into().map_err(words)?;
    if response.status() == 404 {
        return Ok(None);
    }
    if !response.ok() {
        return Err(format!("{path}: HTTP status {}", response.status()));
    }
    let buffer = JsFuture::from(response.array_buffer().map_err(words)?).await.map_err(words)?;
    let buffer: ArrayBuffer = buffer.dyn_into().map_err(words)?;
    Ok(Some(Uint8Array::new(&buffer).to_vec()))
}

/// A text file.
///
/// # Errors
/// As [`fetch`], and when the file is missing or no UTF-8.
pub async fn fetch_text(path: &str) -> Result<String, String> {
    let bytes = fetch(path).await?.ok_or_else(|| format!("{path}: not found"))?;
    String::from_utf8(bytes).map_err(|_| format!("{path}: not UTF-8"))
}

/// What an exception says.
pub fn error_words(error: &JsValue) -> String {
    let message = js_sys::Reflect::get(error, &"message".into()).ok().and_then(|m| m.as_string());
    message.or_else(|| error.as_string()).unwrap_or_else(|| format!("{error:?}"))
}
