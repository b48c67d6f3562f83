//! managedFields of every kind of write, and server-side apply.

use json::{Value, json};

use crate::harness::{Harness, deployment};

const APPLY: (&str, &str) = ("content-type", "application/apply-patch+yaml");
const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn config_map(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data})
}

/// Applies a ConfigMap: the code and the answer.
fn apply(h: &Harness, query: &str, data: Value) -> (u16, Value) {
    h.call_with("PATCH", &format!("{MAPS}/x?{query}"), config_map(data), &[APPLY])
}

/// `manager operation subresource fields` of each entry.
fn owners(object: &Value) -> Vec<String> {
    let entries = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let text = |e: &Value, field: &str| e[field].as_str().unwrap_or("-").to_owned();
    let line = |e: &Value| {
        let subresource = text(e, "subresource");
        format!("{} {} {subresource} {}", text(e, "manager"), text(e, "operation"), e["fieldsV1"])
    };
    entries.iter().map(line).collect()
}

#[test]
fn apply_creates_changes_conflicts_and_forces() {
    let h = Harness::new();
    let (code, made) = apply(&h, "fieldManager=kubectl", json!({"k": "v1"}));
    assert_eq!(code, 201, "{made}");
    assert_eq!(owners(&made), [r#"kubectl Apply - {"f:data":{"f:k":{}}}"#]);
    assert_eq!(made["metadata"]["managedFields"][0]["fieldsType"], "FieldsV1");
    h.sleep(5);
    let (code, same) = apply(&h, "fieldManager=kubectl", json!({"k": "v1"}));
    assert_eq!((code, &same), (200, &made), "what changes nothing writes nothing");
    let (code, refused) = apply(&h, "fieldManager=other", json!({"k": "v2", "k2": "x"}));
    assert_eq!(
        (code, &refused["reason"], &refused["message"], &refused["details"]),
        (
            409,
            &json!("Conflict"),
            &json!("Apply failed with 1 conflict: conflict with \"kubectl\": .data.k"),
            &json!({"causes": [{"reason": "FieldManagerConflict", "message": "conflict with \"kubectl\"", "field": ".data.k"}]})
        )
    );
    let (_, forced) = apply(&h, "fieldManager=other&force=true", json!({"k": "v2", "k2": "x"}));
    assert_eq!(owners(&forced), [r#"other Apply - {"f:data":{"f:k":{},"f:k2":{}}}"#]);
    let (_, dropped) = apply(&h, "fieldManager=other", json!({"k": "v2"}));
    assert_eq!(dropped["data"], json!({"k": "v2"}));
    let (code, dry) = apply(&h, "fieldManager=third&force=true&dryRun=All", json!({"k": "v3"}));
    assert_eq!((code, &dry["data"]["k"]), (200, &json!("v3")));
    assert_eq!(h.get(&format!("{MAPS}/x"))["data"]["k"], "v2");
}

#[test]
fn apply_is_refused_where_it_makes_no_sense() {
    let h = Harness::new();
    let refusal = |path: &str, body: Value| {
        let (code, status) = h.call_with("PATCH", path, body, &[APPLY]);
        format!("{code} {}: {}", status["reason"].as_str().unwrap_or("-"), status["message"].as_str().unwrap_or("-"))
    };
    let x = format!("{MAPS}/x?fieldManager=me");
    assert_eq!(refusal(&x, json!({"metadata": {"name": "x"}})), "400 BadRequest: invalid object type: /, Kind=");
    assert_eq!(
        refusal(&x, json!({"apiVersion": "apps/v1", "kind": "Deployment"})),
        "400 BadRequest: invalid object type: apps/v1, Kind=Deployment"
    );
    let mut managed = config_map(json!({}));
    managed["metadata"]["managedFields"] = json!([]);
    assert_eq!(refusal(&x, managed), "400 BadRequest: metadata.managedFields must be nil");
    let deployments = "/apis/apps/v1/namespaces/default/deployments";
    let mut unknown = deployment("web");
    unknown["apiVersion"] = "apps/v1".into();
    unknown["kind"] = "Deployment".into();
    unknown["spec"]["replica"] = 3.into();
    assert_eq!(
        refusal(&format!("{deployments}/web?fieldManager=me"), unknown),
        "500 -: failed to create typed patch object (/web; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema"
    );
    let status = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}});
    assert_eq!(
        refusal(&format!("{deployments}/web/status?fieldManager=me"), status),
        "404 NotFound: deployments.apps \"web\" not found"
    );
    let (code, status) = h.call_with(
        "PATCH",
        &format!("{MAPS}/x?force=true"),
        json!({}),
        &[("content-type", "application/merge-patch+json")],
    );
    assert_eq!(
        (code, &status["message"]),
        (
            422,
            &json!(
                "PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for non-apply patch"
            )
        )
    );
}

#[test]
fn each_write_names_its_manager() {
    let h = Harness::new();
    let path = "/apis/apps/v1/namespaces/default/deployments";
    let made = h.ok("POST", &format!("{path}?fieldManager=kubectl-create"), deployment("web"));
    assert_eq!(owners(&made).len(), 1);
    assert!(owners(&made)[0].starts_with("kubectl-create Update - "), "{:?}", owners(&made));
    assert!(owners(&made)[0].contains(r#""f:replicas":{}"#) && !owners(&made)[0].contains("f:status"));
    let mut reported = made.clone();
    reported["status"] = json!({"replicas": 3});
    reported["spec"]["replicas"] = 9.into();
    let reported = h.ok("PUT", &format!("{path}/web/status"), reported);
    assert_eq!(owners(&reported)[1], r#"test Update status {"f:status":{"f:replicas":{}}}"#);
    let scale = json!({"spec": {"replicas": 5}});
    let merge = [("content-type", "application/merge-patch+json")];
    assert_eq!(h.call_with("PATCH", &format!("{path}/web/scale"), scale, &merge).0, 200);
    let scaled = h.get(&format!("{path}/web"));
    let find = |manager: &str| owners(&scaled).into_iter().find(|o| o.starts_with(manager)).unwrap();
    assert_eq!(find("test Update scale"), r#"test Update scale {"f:spec":{"f:replicas":{}}}"#);
    assert!(!find("kubectl-create").contains(r#""f:replicas""#));
    // A configuration of the scale meets that owner.
    let scale =
        json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 7}});
    let (code, status) = h.call_with("PATCH", &format!("{path}/web/scale?fieldManager=hpa"), scale.clone(), &[APPLY]);
    assert_eq!(code, 409, "{status}");
    let (code, _) = h.call_with("PATCH", &format!("{path}/web/scale?fieldManager=hpa&force=true"), scale, &[APPLY]);
    assert_eq!(code, 200);
    let forced = h.get(&format!("{path}/web"));
    assert_eq!(forced["spec"]["replicas"], 7);
    assert_eq!(owners(&forced)[0], r#"hpa Apply scale {"f:spec":{"f:replicas":{}}}"#);
}

#[test]
fn clients_may_send_reset_and_patch_them() {
    let h = Harness::new();
    let (_, made) = apply(&h, "fieldManager=me", json!({"k": "1"}));
    // Without them, and with an empty list that means the same in Go: they stay.
    let mut put = made.clone();
    put["metadata"].as_object_mut().unwrap().remove("managedFields");
    put["data"]["l"] = "2".into();
    let put = h.ok("PUT", &format!("{MAPS}/x"), put);
    assert_eq!(owners(&put), [r#"me Apply - {"f:data":{"f:k":{}}}"#, r#"test Update - {"f:data":{"f:l":{}}}"#]);
    let json = [("content-type", "application/json-patch+json")];
    let renamed = json!([{"op": "replace", "path": "/metadata/managedFields/0/manager", "value": "you"}]);
    let (code, patched) = h.call_with("PATCH", &format!("{MAPS}/x"), renamed, &json);
    assert_eq!(code, 200, "{patched}");
    assert!(owners(&patched)[0].starts_with("you Apply"), "{:?}", owners(&patched));
    let merge = [("content-type", "application/merge-patch+json")];
    let reset = json!({"metadata": {"managedFields": [{}]}});
    let (_, gone) = h.call_with("PATCH", &format!("{MAPS}/x"), reset, &merge);
    assert!(gone["metadata"].get("managedFields").is_none(), "{gone}");
    let mut again = gone.clone();
    again["data"]["m"] = "3".into();
    assert!(
        owners(&h.ok("PUT", &format!("{MAPS}/x"), again)).is_empty(),
        "nobody keeps account until somebody applies"
    );
    let (_, applied) = apply(&h, "fieldManager=me", json!({"k": "1"}));
    assert_eq!(
        owners(&applied),
        [
            r#"me Apply - {"f:data":{"f:k":{}}}"#,
            r#"before-first-apply Update - {"f:data":{".":{},"f:k":{},"f:l":{},"f:m":{}}}"#
        ]
    );
}

#[test]
fn a_write_that_changes_nothing_keeps_the_times() {
    let h = Harness::new();
    let made = h.ok("POST", MAPS, config_map(json!({"k": "1"})));
    h.sleep(3);
    let same = h.ok("PUT", &format!("{MAPS}/x?fieldManager=other"), made.clone());
    assert_eq!(same, made);
    let names = ["a".repeat(129)];
    let (code, status) = h.call("PUT", &format!("{MAPS}/x?fieldManager={}", names[0]), made);
    assert_eq!(code, 422);
    assert!(
        status["message"].as_str().unwrap().contains("fieldManager: Too long: may not be more than 128 bytes"),
        "{status}"
    );
}

#[test]
fn who_adds_an_ephemeral_container_owns_that_alone() {
    let h = Harness::new();
    let pods = "/api/v1/namespaces/default/pods";
    let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    h.ok("POST", pods, pod);
    let patch = |value: Value| {
        let strategic = [("content-type", "application/strategic-merge-patch+json")];
        h.call_with("PATCH", &format!("{pods}/p/ephemeralcontainers"), value, &strategic)
    };
    let before = h.get(&format!("{pods}/p"));
    let (code, answer) = patch(json!({"metadata": {"labels": {"a": "b"}}, "spec": {"activeDeadlineSeconds": 5}}));
    assert_eq!((code, &answer), (200, &before));
    let container = json!({"name": "e", "image": "i"});
    let (code, answer) =
        patch(json!({"metadata": {"labels": {"a": "b"}}, "spec": {"ephemeralContainers": [container]}}));
    assert_eq!(code, 200, "{answer}");
    let entries = answer["metadata"]["managedFields"].as_array().unwrap();
    let own: Vec<&Value> = entries.iter().filter(|entry| entry["subresource"] == "ephemeralcontainers").collect();
    assert_eq!(own.len(), 1, "{answer}");
    let fields = own[0]["fieldsV1"]["f:spec"].as_object().unwrap();
    assert_eq!(own[0]["fieldsV1"].as_object().unwrap().len(), 1, "{answer}");
    assert!(
        fields.len() == 1 && fields["f:ephemeralContainers"]["k:{\"name\":\"e\"}"]["f:image"].is_object(),
        "{answer}"
    );
}
