//! What is seen. Starts the worker and shows that it answers.

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{Element, MessageEvent, Worker};

use crate::bridge;

/// The element of index.html that the page lives in.
const PLACE: &str = "app";

/// Mounts the page and starts its worker.
pub fn start() {
    let document = web_sys::window().and_then(|window| window.document());
    let Some(place) = document.and_then(|document| document.get_element_by_id(PLACE)) else { return };
    mount(&place);
    match bridge::start_worker() {
        Ok(worker) => listen(&worker, place),
        Err(error) => web_sys::console::error_2(&"the worker did not start".into(), &error),
    }
}

/// Draws the page into an element.
pub fn mount(place: &Element) {
    place.set_text_content(Some("Kubonsai"));
}

fn listen(worker: &Worker, place: Element) {
    let on_message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
        if event.data().as_string().as_deref() == Some(bridge::READY) {
            let _ = place.set_attribute("data-worker", "ready");
        }
    });
    worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    // The listener lives as long as the page.
    on_message.forget();
}
