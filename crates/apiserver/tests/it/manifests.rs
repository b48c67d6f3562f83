//! Manifests with mistakes that beginners make, and what a recorded v1.36.3 server says of them (manifests.yaml).

use api::http::{Body, header};

use crate::harness::{Harness, value};

/// Creates the object of a manifest as `kubectl apply` does when it does not exist; gives the refusal.
fn create(h: &Harness, manifest: &str) -> String {
    let object = api::yaml::parse_document(manifest).expect("the mistakes are not in the YAML");
    let api_version = object["apiVersion"].as_str().unwrap();
    let kind = api::kinds::by_kind(api_version, object["kind"].as_str().unwrap()).expect("a kind in the table");
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or("default");
    let path =
        format!("{}?fieldManager=kubectl-client-side-apply&fieldValidation=Strict", kind.collection_path(namespace));
    let headers = [(header::CONTENT_TYPE.as_str(), "application/json")];
    let response = h.send(Harness::request("POST", &path, Body::Bytes(object.to_string().into()), &headers));
    let code = response.status().as_u16();
    let status = value(response);
    format!("{code} {}: {}", status["reason"].as_str().unwrap_or("-"), status["message"].as_str().unwrap_or("-"))
}

#[test]
fn refusals_as_recorded() {
    let mut failed = Vec::new();
    let cases: Vec<&str> = include_str!("manifests.yaml").split("---\n").filter(|case| !case.is_empty()).collect();
    for case in &cases {
        // Two lines of comment, the name and the refusal, and then the manifest.
        let mut lines = case.splitn(3, '\n').map(|line| line.trim_start_matches("# "));
        let mut next = || lines.next().expect("a case has three parts");
        let (name, expected, manifest) = (next(), next(), next());
        let said = create(&Harness::new(), manifest);
        if said != expected {
            failed.push(format!("{name}\n  expected {expected}\n  said     {said}"));
        }
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), cases.len(), failed.join("\n"));
}
