//! One tab a session: a lock of the browser, held by the worker that saves it. Who does not get it works on a copy that
//! is not saved; who takes it over makes the other one's a copy.
//!
//! A browser without locks (a page that did not come over https) is taken at its word that there is one tab.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// Real time to wait for a lock, in milliseconds: a tab that is being reloaded lets go of it a moment late.
const WAIT_MS: u32 = 800;

#[wasm_bindgen(inline_js = "let letGo = () => {};
export function holdLock(name, steal, wait, lost) {
  letGo();
  const locks = globalThis.navigator.locks;
  if (!locks) return Promise.resolve(true);
  const options = steal ? { steal: true } : { signal: AbortSignal.timeout(wait) };
  return new Promise((resolve) => {
    let held = false;
    const holding = locks.request(name, options, () => {
      held = true;
      resolve(true);
      return new Promise((release) => { letGo = release; });
    });
    // Not given in time, or taken away by another tab.
    holding.catch(() => (held ? lost() : resolve(false)));
  });
}")]
extern "C" {
    #[wasm_bindgen(js_name = holdLock)]
    fn hold_lock(name: &str, steal: bool, wait: u32, lost: &JsValue) -> Promise;
}

/// Lets go of the lock held so far and asks for that of a lesson's session. Whether it is held now; `lost` is called
/// when another tab takes it over.
pub async fn hold(course: &str, lesson: &str, take_over: bool, lost: impl FnOnce() + 'static) -> bool {
    let lost = Closure::once_into_js(lost);
    let held = JsFuture::from(hold_lock(&format!("kubonsai/{course}/{lesson}"), take_over, WAIT_MS, &lost)).await;
    // The promise is never rejected.
    held.is_ok_and(|held| held.is_truthy())
}
