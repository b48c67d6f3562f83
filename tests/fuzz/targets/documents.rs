//! YAML and JSON: what can be read can be written, and reads as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(text) = fuzz::text(data) else { return };
    for document in api::yaml::parse_documents(text).into_iter().flatten() {
        let written = api::yaml::emit(&document);
        let again = api::yaml::parse_document(&written);
        assert_eq!(again.as_ref(), Ok(&document), "{text:?} was written as {written:?}");
    }
    let _ = kubectl::manifests::read(text, "STDIN", &mut Vec::new());
});
