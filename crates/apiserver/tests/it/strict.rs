//! Fields that stand twice, as upstream's test/integration/apiserver/field_validation_test.go expects them to be told.

use api::http::{Body, header};
use json::Value;

use crate::harness::{Harness, deployment, value};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

const JSON: &str = r#"{"apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "dupename", "name": "web", "labels": {"app": "nginx"}, "unknownMeta": "metaVal"},
    "spec": {"unknown1": "val1", "unknownDupe": "valDupe", "unknownDupe": "valDupe2", "paused": true, "paused": false,
        "selector": {"matchLabels": {"app": "nginx"}},
        "template": {"metadata": {"labels": {"app": "nginx"}}, "spec": {"containers": [{"name": "nginx", "image": "nginx:latest",
            "unknownNested": "val1", "imagePullPolicy": "Always", "imagePullPolicy": "Never"}]}}}}"#;

const YAML: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: dupename
  name: web
spec:
  unknown1: val1
  paused: true
  paused: false
  selector:
    matchLabels: {app: nginx}
  template:
    metadata:
      labels: {app: nginx}
    spec:
      containers:
      - name: nginx
        image: nginx:latest
        imagePullPolicy: Always
        imagePullPolicy: Never
";

/// The code and message of what is answered, and its warnings.
fn said(h: &Harness, method: &str, path: &str, kind: &str, body: &str) -> (u16, String, Vec<String>) {
    let body = Body::Bytes(body.to_owned().into());
    let response = h.send(Harness::request(method, path, body, &[("content-type", kind)]));
    let code = response.status().as_u16();
    let warnings = response.headers().get_all(header::WARNING).iter();
    let quoted = |text: &str| text.strip_prefix("299 - \"")?.strip_suffix('"').map(|text| text.replace("\\\"", "\""));
    let warnings = warnings.map(|w| quoted(w.to_str().expect("text")).expect("a warning")).collect();
    (code, value(response)["message"].as_str().unwrap_or("-").to_owned(), warnings)
}

#[test]
fn in_json_in_the_order_of_the_text() {
    let h = Harness::new();
    let strict = said(&h, "POST", &format!("{DEPLOYMENTS}?fieldValidation=Strict"), "application/json", JSON);
    let complaints = [
        "duplicate field \"metadata.name\"",
        "unknown field \"metadata.unknownMeta\"",
        "unknown field \"spec.unknown1\"",
        "unknown field \"spec.unknownDupe\"",
        "duplicate field \"spec.paused\"",
        "unknown field \"spec.template.spec.containers[0].unknownNested\"",
        "duplicate field \"spec.template.spec.containers[0].imagePullPolicy\"",
    ];
    let head = "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: ";
    assert_eq!((strict.0, strict.1), (400, format!("{head}{}", complaints.join(", "))));
    let ignored =
        said(&h, "POST", &format!("{DEPLOYMENTS}?fieldValidation=Ignore&dryRun=All"), "application/json", JSON);
    assert_eq!((ignored.0, ignored.2), (201, Vec::new()));
    let (code, _, warnings) = said(&h, "POST", DEPLOYMENTS, "application/json", JSON);
    assert_eq!((code, warnings), (201, complaints.map(str::to_owned).to_vec()));
    assert_eq!(h.get(&format!("{DEPLOYMENTS}/web"))["spec"].get("paused"), None, "the last one counts");
}

#[test]
fn in_yaml_by_lines() {
    let h = Harness::new();
    let (code, message, _) =
        said(&h, "POST", &format!("{DEPLOYMENTS}?fieldValidation=Strict"), "application/yaml", YAML);
    let wanted = "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: yaml: unmarshal \
        errors:\n  line 5: key \"name\" already set in map\n  line 9: key \"paused\" already set in map\n  line 20: key \
        \"imagePullPolicy\" already set in map, unknown field \"spec.unknown1\"";
    assert_eq!((code, message.as_str()), (400, wanted));
    let (code, _, warnings) = said(&h, "POST", DEPLOYMENTS, "application/yaml", YAML);
    let wanted = [
        "line 5: key \"name\" already set in map",
        "line 9: key \"paused\" already set in map",
        "line 20: key \"imagePullPolicy\" already set in map",
        "unknown field \"spec.unknown1\"",
    ];
    assert_eq!((code, warnings), (201, wanted.map(str::to_owned).to_vec()));
}

#[test]
fn in_patches() {
    let h = Harness::new();
    h.ok("POST", DEPLOYMENTS, deployment("web"));
    let path = format!("{DEPLOYMENTS}/web");
    let patch = r#"{"spec": {"foo": 1, "foo": 2, "replicas": 2, "replicas": 3}}"#;
    let complaints =
        ["duplicate field \"spec.foo\"", "duplicate field \"spec.replicas\"", "unknown field \"spec.foo\""];
    for kind in ["merge", "strategic-merge"] {
        let kind = format!("application/{kind}-patch+json");
        let (code, _, warnings) = said(&h, "PATCH", &path, &kind, patch);
        assert_eq!((code, warnings), (200, complaints.map(str::to_owned).to_vec()), "{kind}");
        let (code, message, _) = said(&h, "PATCH", &format!("{path}?fieldValidation=Strict"), &kind, patch);
        let end = format!(": strict decoding error: {}", complaints.join(", "));
        assert!(
            code == 422 && message.starts_with(" \"\" is invalid: patch: Invalid value: ") && message.ends_with(&end),
            "{message}"
        );
    }
    assert_eq!(h.get(&path)["spec"]["replicas"], 3);
    let operations = r#"[{"op": "add", "path": "/spec/bar", "value": 1, "foo": 1},
        {"op": "add", "path": "/spec/paused", "path": "/spec/minReadySeconds", "value": 5}]"#;
    let (code, _, warnings) = said(&h, "PATCH", &path, "application/json-patch+json", operations);
    let wanted = [
        "json patch unknown field \"[0].foo\"",
        "json patch duplicate field \"[1].path\"",
        "unknown field \"spec.bar\"",
    ];
    assert_eq!((code, warnings), (200, wanted.map(str::to_owned).to_vec()));
}

#[test]
fn in_configurations_that_are_applied() {
    let h = Harness::new();
    let path = "/api/v1/namespaces/default/configmaps/a?fieldManager=me";
    let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: '1'\n  x: '2'\n";
    let kind = "application/apply-patch+yaml";
    let (code, message, _) = said(&h, "PATCH", &format!("{path}&fieldValidation=Strict"), kind, yaml);
    let wanted = "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 7: key \"x\" \
        already set in map";
    assert_eq!((code, message.as_str()), (400, wanted));
    let (code, _, warnings) = said(&h, "PATCH", path, kind, yaml);
    assert_eq!((code, warnings), (201, vec!["line 7: key \"x\" already set in map".to_owned()]));
    let (code, _, warnings) = said(&h, "PATCH", &format!("{path}&fieldValidation=Ignore"), kind, yaml);
    assert_eq!((code, warnings), (200, Vec::new()));
    let made: Value = h.get("/api/v1/namespaces/default/configmaps/a");
    assert_eq!(made["data"]["x"], "2");
}
