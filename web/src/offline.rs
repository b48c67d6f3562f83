//! The page without a network: registers the service worker (js/sw.js) that keeps a copy of it, and hears from it when a
//! newer build is ready. A browser or a host that allows none has a page that needs the network, and nothing else.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(inline_js = "const AGAIN_MS = 3600000;
let waiting = null;
export function keepPage(updated) {
  const workers = navigator.serviceWorker;
  if (!workers) return;
  const look = (registration) => {
    // Without a controller this is the first copy, which is no update.
    if (registration.waiting && workers.controller) {
      waiting = registration.waiting;
      updated();
    }
  };
  workers.register(new URL('sw.js', document.baseURI), { updateViaCache: 'none' }).then((registration) => {
    look(registration);
    registration.addEventListener('updatefound', () => {
      registration.installing?.addEventListener('statechange', () => look(registration));
    });
    setInterval(() => registration.update().catch(() => {}), AGAIN_MS);
  }).catch(() => {});
}
export function takeUpdate() {
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
  waiting?.postMessage('take over');
}")]
extern "C" {
    #[wasm_bindgen(js_name = keepPage)]
    fn keep_page(updated: &JsValue);
    /// Goes on with the build that is ready: the page loads again.
    #[wasm_bindgen(js_name = takeUpdate)]
    pub fn take_update();
}

/// Keeps a copy of the page; `updated` is called when a newer build is ready.
pub fn keep(updated: impl Fn() + 'static) {
    let updated = Closure::<dyn Fn()>::new(updated);
    keep_page(updated.as_ref());
    // It listens as long as the page lives.
    updated.forget();
}
