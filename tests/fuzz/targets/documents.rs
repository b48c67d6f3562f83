//! YAML and JSON: what can be read can be written, and what was written reads as what is written like that.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(text) = fuzz::text(data) else { return };
    for document in api::yaml::parse_documents(text).into_iter().flatten() {
        let written = api::yaml::emit(&document);
        let again = api::yaml::parse_document(&written).map(|again| api::yaml::emit(&again));
        assert_eq!(again.as_ref(), Ok(&written), "{text:?} was written as {written:?}");
    }
    let _ = kubectl::manifests::read(text, "STDIN", &mut Vec::new());
});
