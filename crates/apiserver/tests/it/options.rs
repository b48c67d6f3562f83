//! Parameters of lists, watches and deletions.

use json::{Value, json};

use crate::harness::Harness;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

#[test]
fn what_goes_together() {
    let h = Harness::new();
    let said = |query: &str| h.refusal("GET", &format!("{MAPS}?{query}"), Value::Null);
    let invalid = |why: &str| format!("422 Invalid: ListOptions.meta.k8s.io \"\" is invalid: {why}");
    let field = "resourceVersionMatch";
    assert_eq!(
        said("resourceVersionMatch=Exact"),
        invalid(&format!("{field}: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"))
    );
    assert_eq!(
        said("resourceVersionMatch=Exact&resourceVersion=0"),
        invalid(&format!("{field}: Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""))
    );
    assert_eq!(
        said("resourceVersionMatch=No&resourceVersion=1"),
        invalid(&format!("{field}: Unsupported value: \"No\": supported values: \"Exact\", \"NotOlderThan\", \"\""))
    );
    assert_eq!(
        said("sendInitialEvents=true"),
        invalid("sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list")
    );
    assert_eq!(
        said("watch=true&resourceVersionMatch=NotOlderThan"),
        invalid(&format!(
            "{field}: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        ))
    );
    let delete = |options: Value| h.refusal("DELETE", &format!("{MAPS}/x"), options);
    let invalid = |why: &str| format!("422 Invalid: DeleteOptions.meta.k8s.io \"\" is invalid: {why}");
    assert_eq!(
        delete(json!({"propagationPolicy": "Never"})),
        invalid(
            "propagationPolicy: Unsupported value: \"Never\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
        )
    );
    assert_eq!(
        delete(json!({"propagationPolicy": "Orphan", "orphanDependents": true})),
        invalid(
            "propagationPolicy: Invalid value: \"Orphan\": orphanDependents and deletionPropagation cannot be both set"
        )
    );
}

#[test]
fn options_of_a_body_make_a_dry_run() {
    let h = Harness::new();
    h.ok("POST", MAPS, json!({"metadata": {"name": "x"}}));
    h.ok("DELETE", &format!("{MAPS}/x"), json!({"dryRun": ["All"]}));
    h.get(&format!("{MAPS}/x"));
    h.ok("DELETE", MAPS, json!({"dryRun": ["All"]}));
    h.get(&format!("{MAPS}/x"));
    h.ok("DELETE", &format!("{MAPS}/x"), Value::Null);
    assert_eq!(h.call("GET", &format!("{MAPS}/x"), Value::Null).0, 404);
}

#[test]
fn pages_are_of_one_revision_until_it_is_gone() {
    let h = Harness::new();
    for name in ["a", "b", "c"] {
        h.ok("POST", MAPS, json!({"metadata": {"name": name}}));
    }
    let names = |list: &Value| -> Vec<String> {
        list["items"].as_array().unwrap().iter().map(|o| o["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    let first = h.get(&format!("{MAPS}?limit=2"));
    assert_eq!(names(&first), ["a", "b"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 1);
    let token = first["metadata"]["continue"].as_str().unwrap().to_owned();
    h.ok("POST", MAPS, json!({"metadata": {"name": "d"}}));
    let rest = h.get(&format!("{MAPS}?limit=2&continue={token}"));
    assert_eq!(names(&rest), ["c"], "the second page is of the first one's revision");
    assert_eq!(rest["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    h.server.store().compact(h.server.store().revision());
    let (code, gone) = h.call("GET", &format!("{MAPS}?limit=2&continue={token}"), Value::Null);
    assert_eq!((code, gone["reason"].as_str()), (410, Some("Expired")));
    let token = gone["metadata"]["continue"].as_str().unwrap();
    assert_eq!(names(&h.get(&format!("{MAPS}?limit=2&continue={token}"))), ["c", "d"], "what is there now");
}
