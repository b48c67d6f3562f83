//! `-o jsonpath` and `-o go-template` with a pod.
#![no_main]

use std::sync::LazyLock;

use json::{Value, json};
use kubectl::gotemplate::GoTemplate;
use kubectl::jsonpath::Template;
use libfuzzer_sys::fuzz_target;

static POD: LazyLock<Value> = LazyLock::new(|| {
    json!({"kind": "List", "items": [
        {"metadata": {"name": "a", "labels": {"app": "web"}, "creationTimestamp": "2026-01-01T00:00:00Z"},
         "spec": {"containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80}, {"containerPort": 8080}]}], "replicas": 3},
         "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "share": 0.5}},
        {"metadata": {"name": "b"}, "spec": null}]})
});

fuzz_target!(|data: &[u8]| {
    let Some(text) = fuzz::text(data) else { return };
    if let Ok(template) = Template::parse(text) {
        let _ = template.execute(&POD);
        let _ = template.execute_as_json(&POD);
    }
    for allow_missing in [true, false] {
        if let Ok(template) = GoTemplate::parse(text, allow_missing) {
            let _ = template.execute(&POD);
        }
    }
});
