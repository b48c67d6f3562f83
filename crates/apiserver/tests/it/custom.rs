//! Custom resources from their definition to their deletion.

use json::{Value, json};

use crate::harness::Harness;

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const TABS: &str = "/apis/stable.example.com/v1/namespaces/default/crontabs";

fn definition() -> Value {
    let spec = json!({"type": "object", "required": ["cronSpec"], "properties": {
        "cronSpec": {"type": "string", "pattern": r"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$"},
        "replicas": {"type": "integer", "minimum": 1, "maximum": 10, "default": 1},
        "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port"],
            "items": {"type": "object", "required": ["port"], "properties": {
                "port": {"type": "integer"}, "name": {"type": "string"}}}},
    }});
    let status = json!({"type": "object", "properties": {"replicas": {"type": "integer"}}});
    let schema = json!({"type": "object", "properties": {"spec": spec, "status": status}});
    json!({
        "metadata": {"name": "crontabs.stable.example.com"},
        "spec": {
            "group": "stable.example.com", "scope": "Namespaced",
            "names": {"plural": "crontabs", "kind": "CronTab", "shortNames": ["ct"]},
            "versions": [
                {"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema},
                    "subresources": {"status": {}, "scale": {
                        "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}},
                    "additionalPrinterColumns": [{"name": "Spec", "type": "string", "jsonPath": ".spec.cronSpec"}]},
                {"name": "v1beta1", "served": true, "storage": false, "deprecated": true, "schema": {"openAPIV3Schema":
                    {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}},
            ],
        },
    })
}

fn tab(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"cronSpec": "* * * * */5"}})
}

fn with_definition() -> Harness {
    let h = Harness::new();
    h.ok("POST", DEFINITIONS, definition());
    h
}

#[test]
fn a_definition_is_served_once_its_names_are_accepted() {
    let h = Harness::new();
    assert_eq!(h.call("GET", TABS, Value::Null).0, 404);
    h.ok("POST", DEFINITIONS, definition());
    let found = h.get(&format!("{DEFINITIONS}/crontabs.stable.example.com"));
    assert_eq!(found["status"]["acceptedNames"]["listKind"], "CronTabList");
    assert_eq!(found["status"]["storedVersions"], json!(["v1"]));
    let conditions: Vec<&Value> =
        found["status"]["conditions"].as_array().unwrap().iter().map(|c| &c["reason"]).collect();
    assert_eq!(conditions, ["NoConflicts", "InitialNamesAccepted"]);
    let list = h.get("/apis/stable.example.com/v1");
    let names: Vec<&Value> = list["resources"].as_array().unwrap().iter().map(|r| &r["name"]).collect();
    assert_eq!(names, ["crontabs", "crontabs/scale", "crontabs/status"]);
    // A second definition cannot have the same short name.
    let mut other = definition();
    other["metadata"]["name"] = "others.stable.example.com".into();
    other["spec"]["names"] = json!({"plural": "others", "kind": "Other", "shortNames": ["ct"]});
    h.ok("POST", DEFINITIONS, other);
    let other = h.get(&format!("{DEFINITIONS}/others.stable.example.com"));
    assert_eq!(other["status"]["conditions"][0]["message"], "\"ct\" is already in use");
    assert_eq!(other["status"]["conditions"][1]["reason"], "NotAccepted");
}

#[test]
fn objects_are_pruned_filled_in_and_checked() {
    let h = with_definition();
    let made = h.ok("POST", TABS, tab("a"));
    assert_eq!((&made["spec"]["replicas"], &made["metadata"]["generation"]), (&json!(1), &json!(1)));
    let mut bad = tab("bad");
    bad["spec"] = json!({"cronSpec": "* *", "replicas": 15, "foo": 1});
    let strict = h.refusal("POST", &format!("{TABS}?fieldValidation=Strict"), bad.clone());
    assert_eq!(
        strict,
        "400 BadRequest: CronTab in version \"v1\" cannot be handled as a CronTab: strict decoding error: unknown field \"spec.foo\""
    );
    let refusal = h.refusal("POST", TABS, bad);
    assert!(
        refusal.contains("spec.replicas: Invalid value: 15: spec.replicas in body should be less than or equal to 10"),
        "{refusal}"
    );
    let merge = [("content-type", "application/merge-patch+json")];
    let path = format!("{TABS}/a");
    let (_, patched) =
        h.call_with("PATCH", &path, json!({"spec": {"replicas": 4, "foo": 1}, "status": {"replicas": 2}}), &merge);
    assert_eq!(
        (&patched["spec"]["replicas"], &patched["spec"]["foo"], &patched["status"]),
        (&json!(4), &Value::Null, &Value::Null)
    );
    assert_eq!(patched["metadata"]["generation"], 2);
    let strategic = [("content-type", "application/strategic-merge-patch+json")];
    assert_eq!(h.call_with("PATCH", &path, json!({"spec": {}}), &strategic).0, 415);
    let (_, status) = h.call_with(
        "PATCH",
        &format!("{path}/status"),
        json!({"spec": {"replicas": 9}, "status": {"replicas": 3}}),
        &merge,
    );
    assert_eq!((&status["spec"]["replicas"], &status["status"]["replicas"]), (&json!(4), &json!(3)));
    assert_eq!(status["metadata"]["generation"], 2);
    let scale = h.get(&format!("{path}/scale"));
    assert_eq!((&scale["spec"]["replicas"], &scale["status"]["replicas"]), (&json!(4), &json!(3)));
    h.call_with("PATCH", &format!("{path}/scale"), json!({"spec": {"replicas": 7}}), &merge);
    assert_eq!(h.get(&path)["spec"]["replicas"], 7);
}

#[test]
fn lists_are_owned_by_their_keys() {
    let h = with_definition();
    let apply = |manager: &str, port: i64| {
        let config = json!({"apiVersion": "stable.example.com/v1", "kind": "CronTab", "metadata": {"name": "a"},
            "spec": {"cronSpec": "* * * * *", "ports": [{"port": port, "name": manager}]}});
        let path = format!("{TABS}/a?fieldManager={manager}");
        h.call_with("PATCH", &path, config, &[("content-type", "application/apply-patch+yaml")])
    };
    assert_eq!(apply("one", 80).0, 201);
    let (code, both) = apply("two", 81);
    assert_eq!((code, both["spec"]["ports"].as_array().unwrap().len()), (200, 2), "{both}");
}

#[test]
fn every_version_shows_the_same_object() {
    let h = with_definition();
    h.ok("POST", TABS, tab("a"));
    let beta = "/apis/stable.example.com/v1beta1/namespaces/default/crontabs";
    let seen = h.get(&format!("{beta}/a"));
    assert_eq!((&seen["apiVersion"], &seen["spec"]["replicas"]), (&json!("stable.example.com/v1beta1"), &json!(1)));
    assert_eq!(h.get(beta)["items"][0]["apiVersion"], "stable.example.com/v1beta1");
    h.ok("POST", beta, json!({"metadata": {"name": "b"}, "spec": {"cronSpec": "1 1 1 1 1", "more": true}}));
    assert_eq!(h.get(&format!("{TABS}/b"))["apiVersion"], "stable.example.com/v1");
    let mut watch = h.watch(&format!("{beta}?watch=1"));
    assert!(watch.now().iter().all(|(_, object)| object.api_version() == "stable.example.com/v1beta1"));
}

#[test]
fn deletion_takes_the_objects_along() {
    let h = with_definition();
    let mut held = tab("held");
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    h.ok("POST", TABS, held);
    h.ok("POST", TABS, tab("a"));
    let path = format!("{DEFINITIONS}/crontabs.stable.example.com");
    let marked = h.ok("DELETE", &path, Value::Null);
    assert_eq!(marked["metadata"]["finalizers"], json!(["customresourcecleanup.apiextensions.k8s.io"]));
    let left = h.get(TABS);
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
    assert_eq!(h.call("POST", TABS, tab("late")).0, 405);
    let merge = [("content-type", "application/merge-patch+json")];
    h.call_with("PATCH", &format!("{TABS}/held"), json!({"metadata": {"finalizers": null}}), &merge);
    h.sleep(6);
    assert_eq!(h.call("GET", &path, Value::Null).0, 404);
    assert_eq!(h.call("GET", TABS, Value::Null).0, 404);
}

#[test]
fn definitions_keep_rules() {
    let h = Harness::new();
    let mut bad = definition();
    bad["metadata"]["name"] = "tabs.example.com".into();
    bad["spec"]["versions"][1]["storage"] = true.into();
    bad["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["x"] = json!({});
    let refusal = h.refusal("POST", DEFINITIONS, bad);
    for words in [
        "metadata.name: Invalid value: \"tabs.example.com\": must be spec.names.plural+\".\"+spec.group",
        "must have exactly one version marked as storage version",
        "spec.versions[0].schema.openAPIV3Schema.properties[spec].properties[x].type: Required value: must not be empty for specified object fields",
    ] {
        assert!(refusal.contains(words), "{refusal}");
    }
    let mut webhook = definition();
    webhook["spec"]["conversion"] = json!({"strategy": "Webhook"});
    assert!(h.refusal("POST", DEFINITIONS, webhook).contains("conversion webhooks"));
}

#[test]
fn lists_and_watches_select_by_fields_of_the_kind() {
    let h = Harness::new();
    let mut definition = definition();
    definition["spec"]["versions"][0]["selectableFields"] =
        json!([{"jsonPath": ".spec.replicas"}, {"jsonPath": ".spec.none"}]);
    let refused = h.refusal("POST", DEFINITIONS, definition.clone());
    assert!(
        refused
            .contains("jsonPath: Invalid value: \".spec.none\": is an invalid path: does not refer to a valid field"),
        "{refused}"
    );
    definition["spec"]["versions"][0]["selectableFields"] = json!([{"jsonPath": ".spec.replicas"}]);
    h.ok("POST", DEFINITIONS, definition);
    for (name, replicas) in [("a", 1), ("b", 4), ("c", 4)] {
        let mut tab = tab(name);
        tab["spec"]["replicas"] = replicas.into();
        h.ok("POST", TABS, tab);
    }
    let named = |selector: &str| -> Vec<String> {
        let list = h.get(&format!("{TABS}?fieldSelector={selector}"));
        let items = list["items"].as_array().expect("a list");
        items.iter().map(|item| item["metadata"]["name"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(named("spec.replicas%3D4"), ["b", "c"]);
    assert_eq!(named("spec.replicas!%3D4,metadata.name%3Da"), ["a"]);
    assert_eq!(
        h.refusal("GET", &format!("{TABS}?fieldSelector=spec.cronSpec%3Dx"), Value::Null),
        "400 BadRequest: field label not supported: spec.cronSpec"
    );
    let mut watch = h.watch(&format!("{TABS}?watch=true&fieldSelector=spec.replicas%3D1"));
    assert_eq!(watch.names(), ["ADDED a"]);
    let merge = [("content-type", "application/merge-patch+json")];
    h.call_with("PATCH", &format!("{TABS}/b"), json!({"spec": {"replicas": 1}}), &merge);
    h.call_with("PATCH", &format!("{TABS}/a"), json!({"spec": {"replicas": 2}}), &merge);
    assert_eq!(watch.names(), ["ADDED b", "DELETED a"]);
}
