//! Tests that need a browser's engine: `wasm-pack test --headless --chrome web`.

#![cfg(target_arch = "wasm32")]

use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen_test]
fn the_page_mounts_into_an_element() {
    let document = web_sys::window().and_then(|window| window.document()).expect("tests run in a page");
    // Not the body: the test runner reports through it.
    let place = document.create_element("div").expect("a valid name");
    web::app::mount(&place);
    assert_eq!(place.text_content().as_deref(), Some("Kubonsai"));
}
