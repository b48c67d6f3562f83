//! Programs of images: what is no program is refused, whatever it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use runtime::engine::{Engine as _, WasmiEngine};

fuzz_target!(|data: &[u8]| {
    let _ = WasmiEngine::default().load(data);
});
