//! Selectors of labels and fields, quantities, times of CronJobs, names.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(text) = fuzz::text(data) else { return };
    let object = api::Object::new(json::json!({"metadata": {"name": "a", "labels": {"app": "web", "tier": "1"}}}));
    if let Ok(selector) = api::selector::LabelSelector::parse(text) {
        let _ = selector.matches_object(&object);
    }
    if let Ok(selector) = api::selector::FieldSelector::parse(text) {
        let _ = selector.matches_object(&object);
    }
    if let Ok(quantity) = api::Quantity::parse(text) {
        let canonical = quantity.to_string();
        assert_eq!(
            api::Quantity::parse(&canonical).map(|q| q.to_string()).as_deref(),
            Ok(canonical.as_str()),
            "{text}"
        );
    }
    if let Ok(selector) = api::selector::LabelSelector::from_value(&json::from_str(text).unwrap_or_default()) {
        let _ = selector.matches_object(&object);
    }
});
