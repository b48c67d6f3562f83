//! What reaches nodes and pods, and what is said when it cannot.

use std::rc::Rc;

use api::http::{Body, Request, Response, TransportError};
use apiserver::{Config, NodeProxy};
use futures_util::future::LocalBoxFuture;
use json::{Value, json};

use crate::harness::{Harness, pod, value};

/// A node that answers with what it was asked, and a pod that listens on port 8080 only.
struct Echo;

type Answer = LocalBoxFuture<'static, Result<Response, TransportError>>;

fn echo(whom: &str, request: &Request) -> Answer {
    let text = format!("{whom} {} {}", request.method(), request.uri());
    Box::pin(std::future::ready(Ok(Response::new(Body::Bytes(text.into())))))
}

impl NodeProxy for Echo {
    fn kubelet(&self, node: &str, request: Request) -> Answer {
        echo(node, &request)
    }
    fn http(&self, ip: &str, port: u16, request: Request) -> Answer {
        match port {
            8080 => echo(&format!("{ip}:{port}"), &request),
            _ => Box::pin(std::future::ready(Err(TransportError::Refused))),
        }
    }
}

fn harness() -> Harness {
    let h = Harness::with(Config { nodes: Rc::new(Echo), ..Config::default() });
    h.ok("POST", "/api/v1/namespaces/default/pods", pod("web"));
    h.ok(
        "POST",
        "/api/v1/namespaces/default/pods/web/binding",
        json!({"target": {"kind": "Node", "name": "minikube"}}),
    );
    let mut bound = h.get("/api/v1/namespaces/default/pods/web");
    bound["status"]["podIPs"] = json!([{"ip": "10.244.0.5"}]);
    h.ok("PUT", "/api/v1/namespaces/default/pods/web/status", bound);
    let service =
        json!({"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80, "targetPort": 8080, "name": "http"}]}});
    h.ok("POST", "/api/v1/namespaces/default/services", service);
    h
}

#[track_caller]
fn check(h: &Harness, path: &str, expected: &str) {
    let response = h.send(Harness::request("GET", &format!("/api/v1/namespaces/default/{path}"), Body::Empty, &[]));
    let code = response.status().as_u16();
    let said = match value(response) {
        Value::String(text) => text.to_string(),
        status => {
            format!("{}: {}", status["reason"].as_str().unwrap_or("-"), status["message"].as_str().unwrap_or("-"))
        }
    };
    assert_eq!(format!("{code} {said}"), expected, "{path}");
}

#[test]
fn kubelets_answer_for_logs_and_exec() {
    let h = harness();
    check(
        &h,
        "pods/web/log?follow=true&container=nginx",
        "200 minikube GET /containerLogs/default/web/nginx?follow=true",
    );
    check(
        &h,
        "pods/web/exec?command=sh&command=-c&command=echo+hi&stdin=true&tty=true",
        "200 minikube GET /exec/default/web/nginx?command=sh&command=-c&command=echo%20hi&stdin=true&tty=true",
    );
    check(&h, "pods/web/portforward?ports=80", "200 minikube GET /portForward/default/web?ports=80");
    check(&h, "pods/web/log?container=x", "400 BadRequest: container x is not valid for pod web");
    check(&h, "pods/nope/log", "404 NotFound: pods \"nope\" not found");
    h.ok("POST", "/api/v1/namespaces/default/pods", pod("new"));
    check(&h, "pods/new/log", "200 ");
    check(&h, "pods/new/exec?command=ls", "400 BadRequest: pod new does not have a host assigned");
}

#[test]
fn proxies_dial_pods_and_services() {
    let h = harness();
    check(&h, "pods/web:8080/proxy/", "200 10.244.0.5:8080 GET /");
    check(&h, "pods/http:web:8080/proxy/a%20b/c?x=1", "200 10.244.0.5:8080 GET /a%20b/c?x=1");
    check(
        &h,
        "pods/web/proxy/",
        "503 ServiceUnavailable: error trying to reach service: dial tcp 10.244.0.5:80: connect: connection refused",
    );
    check(&h, "services/web/proxy/", "404 NotFound: endpoints \"web\" not found");
    let subset = |name: &str| json!([{"addresses": [{"ip": "10.244.0.5"}], "ports": [{"port": 8080, "name": name}]}]);
    let endpoints = json!({"metadata": {"name": "web"}, "subsets": subset("http")});
    h.ok("POST", "/api/v1/namespaces/default/endpoints", endpoints);
    check(&h, "services/web:http/proxy/x", "200 10.244.0.5:8080 GET /x");
    check(&h, "services/http:web:80/proxy/", "200 10.244.0.5:8080 GET /");
    check(&h, "services/web:81/proxy/", "503 ServiceUnavailable: no service port 81 found for service \"web\"");
    check(&h, "services/web/proxy/", "503 ServiceUnavailable: no endpoints available for service \"web\"");
    check(&h, "services/web:a:b:c/proxy/", "400 BadRequest: invalid service request \"web:a:b:c\"");
    let response = h.send(Harness::request("GET", "/api/v1/namespaces/default/pods/web:8080/proxy", Body::Empty, &[]));
    assert_eq!(
        (response.status().as_u16(), &response.headers()["location"]),
        (301, &"/api/v1/namespaces/default/pods/web:8080/proxy/".parse().unwrap())
    );
}
