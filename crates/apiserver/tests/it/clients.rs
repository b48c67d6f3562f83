//! What clients see first: discovery, forms of answers, health, paths that lead nowhere.

use api::http::{Body, header};
use expect_test::{Expect, expect};
use json::{Value, json};

use crate::harness::{Harness, deployment, pod, value};

#[track_caller]
fn check(h: &Harness, path: &str, headers: &[(&str, &str)], expected: Expect) {
    let response = h.send(Harness::request("GET", path, Body::Empty, headers));
    let kind = response.headers().get(header::CONTENT_TYPE).map_or("-", |v| v.to_str().unwrap()).to_owned();
    let code = response.status().as_u16();
    let body = response.into_body().into_bytes().unwrap();
    expected.assert_eq(&format!("{code} {kind}\n{}", String::from_utf8_lossy(&body)));
}

#[test]
fn texts_as_recorded() {
    let h = Harness::new();
    check(
        &h,
        "/healthz",
        &[],
        expect![[r#"
        200 text/plain; charset=utf-8
        ok"#]],
    );
    check(
        &h,
        "/nope",
        &[],
        expect![[r#"
        404 text/plain; charset=utf-8
        404 page not found
    "#]],
    );
    check(
        &h,
        "/api",
        &[],
        expect![[r#"
        200 application/json
        {"kind":"APIVersions","versions":["v1"],"serverAddressByClientCIDRs":[{"clientCIDR":"0.0.0.0/0","serverAddress":"192.168.49.2:8443"}]}
    "#]],
    );
    check(
        &h,
        "/apis/apps",
        &[],
        expect![[r#"
        200 application/json
        {"kind":"APIGroup","apiVersion":"v1","name":"apps","versions":[{"groupVersion":"apps/v1","version":"v1"}],"preferredVersion":{"groupVersion":"apps/v1","version":"v1"}}
    "#]],
    );
    check(
        &h,
        "/apis/apps/v1",
        &[],
        expect![[r#"
            200 application/json
            {"kind":"APIResourceList","apiVersion":"v1","groupVersion":"apps/v1","resources":[{"name":"controllerrevisions","singularName":"controllerrevision","namespaced":true,"kind":"ControllerRevision","verbs":["create","delete","deletecollection","get","list","patch","update","watch"],"storageVersionHash":"85nkx63pcBU="},{"name":"daemonsets","singularName":"daemonset","namespaced":true,"kind":"DaemonSet","verbs":["create","delete","deletecollection","get","list","patch","update","watch"],"shortNames":["ds"],"categories":["all"],"storageVersionHash":"dd7pWHUlMKQ="},{"name":"daemonsets/status","singularName":"","namespaced":true,"kind":"DaemonSet","verbs":["get","patch","update"]},{"name":"deployments","singularName":"deployment","namespaced":true,"kind":"Deployment","verbs":["create","delete","deletecollection","get","list","patch","update","watch"],"shortNames":["deploy"],"categories":["all"],"storageVersionHash":"8aSe+NMegvE="},{"name":"deployments/scale","singularName":"","namespaced":true,"group":"autoscaling","version":"v1","kind":"Scale","verbs":["get","patch","update"]},{"name":"deployments/status","singularName":"","namespaced":true,"kind":"Deployment","verbs":["get","patch","update"]},{"name":"replicasets","singularName":"replicaset","namespaced":true,"kind":"ReplicaSet","verbs":["create","delete","deletecollection","get","list","patch","update","watch"],"shortNames":["rs"],"categories":["all"],"storageVersionHash":"P1RzHs8/mWQ="},{"name":"replicasets/scale","singularName":"","namespaced":true,"group":"autoscaling","version":"v1","kind":"Scale","verbs":["get","patch","update"]},{"name":"replicasets/status","singularName":"","namespaced":true,"kind":"ReplicaSet","verbs":["get","patch","update"]},{"name":"statefulsets","singularName":"statefulset","namespaced":true,"kind":"StatefulSet","verbs":["create","delete","deletecollection","get","list","patch","update","watch"],"shortNames":["sts"],"categories":["all"],"storageVersionHash":"H+vl74LkKdo="},{"name":"statefulsets/scale","singularName":"","namespaced":true,"group":"autoscaling","version":"v1","kind":"Scale","verbs":["get","patch","update"]},{"name":"statefulsets/status","singularName":"","namespaced":true,"kind":"StatefulSet","verbs":["get","patch","update"]}]}
        "#]],
    );
    check(
        &h,
        "/api/v1/podds",
        &[],
        expect![[r#"
            404 application/json
            {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"the server could not find the requested resource","reason":"NotFound","details":{},"code":404}
        "#]],
    );
    check(
        &h,
        "/apis/batch/v1/jobs",
        &[],
        expect![[r#"
            200 application/json
            {"kind":"JobList","apiVersion":"batch/v1","metadata":{"resourceVersion":"187"},"items":[]}
        "#]],
    );
}

#[test]
fn aggregated_discovery() {
    let h = Harness::new();
    let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
    let (code, list) = h.call_with("GET", "/apis", Value::Null, &[("accept", accept)]);
    assert_eq!((code, &list["kind"]), (200, &json!("APIGroupDiscoveryList")));
    assert_eq!(list["items"][0]["metadata"]["name"], "apiregistration.k8s.io");
    let apps = &list["items"][1];
    let resources = apps["versions"][0]["resources"].as_array().unwrap();
    assert_eq!(
        *resources.iter().find(|r| r["resource"] == "deployments").unwrap(),
        json!({"categories": ["all"], "resource": "deployments",
            "responseKind": {"group": "", "kind": "Deployment", "version": ""}, "scope": "Namespaced",
            "shortNames": ["deploy"], "singularResource": "deployment", "subresources": [
                {"responseKind": {"group": "autoscaling", "kind": "Scale", "version": "v1"}, "subresource": "scale",
                    "verbs": ["get", "patch", "update"]},
                {"responseKind": {"group": "", "kind": "Deployment", "version": ""}, "subresource": "status",
                    "verbs": ["get", "patch", "update"]}],
            "verbs": ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]})
    );
}

const TABLE: &str =
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";

#[test]
fn tables() {
    let h = Harness::new();
    h.ok("POST", "/api/v1/namespaces/default/pods", pod("x"));
    h.sleep(65);
    let path = "/api/v1/namespaces/default/pods";
    let (_, table) = h.call_with("GET", path, Value::Null, &[("accept", TABLE)]);
    assert_eq!((&table["kind"], &table["apiVersion"]), (&json!("Table"), &json!("meta.k8s.io/v1")));
    assert_eq!(
        table["rows"][0]["cells"],
        json!(["x", "0/1", "Pending", "0", "65s", "<none>", "<none>", "<none>", "<none>"])
    );
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    assert_eq!(table["columnDefinitions"][0]["name"], "Name");
    let response = h.send(Harness::request(
        "GET",
        &format!("{path}?watch=true&includeObject=Object"),
        Body::Empty,
        &[("accept", TABLE)],
    ));
    let Body::Stream(stream) = response.into_body() else { panic!("not a stream") };
    let mut watch = crate::harness::Watch(stream);
    h.ok("POST", path, pod("y"));
    let events = watch.now();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].1.list("columnDefinitions").len(), 9);
    assert!(events[1].1.at("columnDefinitions").is_null(), "headers come once");
    assert_eq!(events[1].1.list("rows")[0]["object"]["kind"], "Pod");
}

#[test]
fn forms_of_answers_and_bodies() {
    let h = Harness::new();
    let path = "/api/v1/namespaces/default/configmaps";
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n";
    let yaml = |method: &str, path: &str, body: Body| {
        let headers = [("content-type", "application/yaml"), ("accept", "application/yaml")];
        h.send(Harness::request(method, path, body, &headers))
    };
    let response = yaml("POST", path, Body::Bytes(text.into()));
    assert_eq!(response.status(), 201);
    let Value::String(said) = value(response) else { panic!("not text") };
    assert!(said.starts_with("apiVersion: v1\ndata:\n  k: v\nkind: ConfigMap\n"), "{said}");
    let with = |accept: &str| h.call_with("GET", &format!("{path}/a"), Value::Null, &[("accept", accept)]);
    let (code, status) = with("application/vnd.kubernetes.protobuf");
    assert_eq!((code, &status["reason"]), (406, &json!("NotAcceptable")));
    assert_eq!(with("application/vnd.kubernetes.protobuf,application/json").0, 200);
    let (_, partial) = with("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
    assert_eq!((&partial["kind"], &partial["data"]), (&json!("PartialObjectMetadata"), &Value::Null));
    let (code, status) =
        h.call_with("POST", path, json!({}), &[("content-type", "application/vnd.kubernetes.protobuf")]);
    assert_eq!(code, 422, "an object in process needs no media type: {status}");
    let request = Harness::request("POST", path, Body::Bytes("x".into()), &[("content-type", "application/cbor")]);
    assert_eq!(h.send(request).status(), 415);
    let curl = h.send(Harness::request("GET", &format!("{path}/a"), Body::Empty, &[("accept", "*/*")]));
    assert_eq!(curl.status(), 200);
    let pretty = h.send(Harness::request("GET", &format!("{path}/a?pretty=true"), Body::Empty, &[]));
    let Body::Bytes(bytes) = pretty.into_body() else { panic!("not text") };
    assert!(bytes.starts_with(
        b"{\n  \"kind\": \"ConfigMap\",\n  \"apiVersion\": \"v1\",\n  \"metadata\": {\n    \"name\": \"a\","
    ));
    assert!(h.refusal("POST", "/api/v1/namespaces/default/pods/a", json!({})).starts_with("405 MethodNotAllowed"));
}

#[test]
fn unknown_fields_warn_or_refuse() {
    let h = Harness::new();
    let mut wrong = deployment("web");
    wrong["spec"]["replica"] = 3.into();
    let path = "/apis/apps/v1/namespaces/default/deployments";
    assert_eq!(
        h.refusal("POST", &format!("{path}?fieldValidation=Strict"), wrong.clone()),
        "400 BadRequest: Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: unknown \
         field \"spec.replica\""
    );
    let body = Body::Object(api::Object::new(wrong));
    let response = h.send(Harness::request("POST", &format!("{path}?fieldValidation=Warn"), body, &[]));
    assert_eq!(response.headers()[header::WARNING], "299 - \"unknown field \\\"spec.replica\\\"\"");
    assert!(value(response)["spec"].get("replica").is_none());
}

#[test]
fn dry_run_writes_nothing() {
    let h = Harness::new();
    let revision = h.server.store().revision();
    let made = h.ok("POST", "/api/v1/namespaces/default/pods?dryRun=All", pod("x"));
    assert_eq!(made["metadata"]["name"], "x");
    assert_eq!(h.server.store().revision(), revision);
    assert_eq!(
        h.refusal("GET", "/api/v1/namespaces/default/pods/x", Value::Null),
        "404 NotFound: pods \"x\" not found"
    );
}

#[test]
fn patches() {
    let h = Harness::new();
    let path = "/apis/apps/v1/namespaces/default/deployments";
    h.ok("POST", path, deployment("web"));
    let path = format!("{path}/web");
    let patch = |kind: &str, body: Value| {
        h.call_with("PATCH", &path, body, &[("content-type", &format!("application/{kind}-patch+json"))])
    };
    let said = |kind: &str, body: Value| {
        let (code, status) = patch(kind, body);
        format!("{code} {}: {}", status["reason"].as_str().unwrap_or("-"), status["message"].as_str().unwrap_or("-"))
    };
    let image = json!({"spec": {"template": {"spec": {"containers": [{"name": "nginx", "image": "nginx:1.26"}]}}}});
    let (code, patched) = patch("strategic-merge", image);
    assert_eq!((code, &patched["metadata"]["generation"]), (200, &json!(2)));
    assert_eq!(patched["spec"]["template"]["spec"]["containers"][0]["terminationMessagePath"], "/dev/termination-log");
    let (_, patched) = patch("json", json!([{"op": "replace", "path": "/spec/replicas", "value": 5}]));
    assert_eq!(patched["spec"]["replicas"], 5);
    let (_, patched) = patch("merge", json!({"metadata": {"labels": {"app": null, "tier": "x"}}}));
    assert_eq!(patched["metadata"]["labels"], json!({"tier": "x"}));
    let (_, same) = patch("merge", json!({"metadata": {"labels": {"tier": "x"}}}));
    assert_eq!(same["metadata"]["resourceVersion"], patched["metadata"]["resourceVersion"]);
    let rejected = "422 Invalid: the server rejected our request due to an error in our request";
    assert_eq!(said("json", json!([{"op": "remove", "path": "/metadata/labels/zzz"}])), rejected);
    assert_eq!(said("json", json!([{"op": "test", "path": "/spec/replicas", "value": 9}])), rejected);
    assert_eq!(
        said("json", json!({"spec": {}})),
        "400 BadRequest: error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
    );
    assert_eq!(
        said("strategic-merge", json!({"spec": {"replicas": "x"}})),
        "422 Invalid:  \"\" is invalid: patch: Invalid value: \"map[spec:map[replicas:x]]\": unrecognized type: int32"
    );
    assert_eq!(
        said("strategic-merge", json!({"spec": {"selector": {"matchLabels": {"app": "other"}}}})),
        "422 Invalid: Deployment.apps \"web\" is invalid: [spec.template.metadata.labels: Invalid value: {\"app\":\"web\"}: \
         `selector` does not match template `labels`, spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"other\"}}: field \
         is immutable]"
    );
    assert_eq!(
        said("merge", json!({"metadata": {"name": "other"}})),
        "400 BadRequest: the name of the object (other) does not match the name on the URL (web)"
    );
    assert!(said("merge", json!({"metadata": {"resourceVersion": "1"}})).starts_with("409 Conflict"));
    assert_eq!(
        said("merge", json!({"metadata": {"uid": "x"}})),
        "422 Invalid: Deployment.apps \"web\" is invalid: metadata.uid: Invalid value: \"x\": field is immutable"
    );
    let (code, status) = h.call_with("PATCH", &path, json!({}), &[("content-type", "application/apply-patch+yaml")]);
    let message = "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch";
    assert_eq!((code, &status["message"]), (422, &json!(message)));
}

#[test]
fn warnings() {
    let h = Harness::new();
    let warning = |method: &str, path: &str, body: Body, headers: &[(&str, &str)]| {
        let response = h.send(Harness::request(method, path, body, headers));
        response.headers().get(header::WARNING).map(|w| w.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    assert_eq!(
        warning("GET", "/api/v1/endpoints", Body::Empty, &[]),
        "299 - \"v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\""
    );
    let service = json!({"metadata": {"name": "x"}, "spec": {"externalIPs": ["1.2.3.4"], "ports": [{"port": 80}]}});
    let body = Body::Object(api::Object::new(service));
    assert_eq!(
        warning("POST", "/api/v1/namespaces/default/services", body, &[]),
        "299 - \"spec.externalIPs is deprecated and may no longer be implemented in some clusters\""
    );
    let body = Body::Object(api::Object::new(json!({"spec": {"foo": 1}})));
    let patch = [("content-type", "application/strategic-merge-patch+json")];
    let path = "/api/v1/namespaces/default/services/x";
    assert_eq!(warning("PATCH", path, body, &patch), "299 - \"unknown field \\\"spec.foo\\\"\"");
}
