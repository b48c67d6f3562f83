//! Two documents, `%%` between them: the second as a patch of the first in every way, and the patches that lead from one to
//! the other.
#![no_main]

use api::patch;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut parts = fuzz::parts(data).filter_map(|part| api::yaml::parse_document(part).ok());
    let (Some(first), Some(second)) = (parts.next(), parts.next()) else { return };
    let _ = patch::json_patch(&first, &second);
    let merged = patch::merge_patch(&first, &second);
    if merged.is_object() && first.is_object() {
        // What leads from one to the other does lead there, but for nulls, which a merge patch cannot write.
        let way = patch::create_merge_patch(&first, &merged);
        assert_eq!(patch::merge_patch(&first, &way), merged);
    }
    for name in ["io.k8s.api.core.v1.Pod", "io.k8s.api.apps.v1.Deployment"] {
        let Some(schema) = api::schema::definition(name) else { return };
        let _ = api::schema::check(schema, &first);
        let _ = patch::strategic_merge(&first, &second, Some(schema));
        if let Ok(way) = patch::two_way_strategic(&first, &second, Some(schema)) {
            let _ = patch::strategic_merge(&first, &way, Some(schema));
        }
        let _ = patch::three_way_strategic(&first, &second, &merged, Some(schema));
        let mut normal = first.clone();
        api::schema::apply_defaults(schema, &mut normal);
        api::schema::normalize(schema, &mut normal);
        let mut again = normal.clone();
        api::schema::normalize(schema, &mut again);
        assert_eq!(again, normal, "the normal form of the normal form is another");
    }
    let _ = patch::three_way_json(&first, &second, &merged);
});
