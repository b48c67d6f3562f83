use expect_test::{Expect, expect};
use json::json;

use super::*;

fn ingress(name: &str, created: u32, annotations: Value, spec: Value) -> Object {
    let created = format!("2026-11-21T09:00:{created:02}Z");
    Object::new(json!({
        "metadata": {"name": name, "namespace": "default", "creationTimestamp": created, "annotations": annotations},
        "spec": spec,
    }))
}

fn path(path: &str, path_type: &str, service: &str) -> Value {
    json!({"path": path, "pathType": path_type, "backend": {"service": {"name": service, "port": {"number": 80}}}})
}

fn rule(host: &str, paths: &[Value]) -> Value {
    let paths = paths.to_vec();
    if host.is_empty() { json!({"http": {"paths": paths}}) } else { json!({"host": host, "http": {"paths": paths}}) }
}

#[track_caller]
fn check(ingresses: &[Object], expected: Expect) {
    expected.assert_eq(&site(ingresses, &[], &[], &Names::new()).servers.replace('\t', " "));
}

#[test]
fn without_ingresses_everything_is_unknown() {
    check(
        &[],
        expect![[r#"
        server _ plain prefix
        location prefix / upstream-default-backend log=off
    "#]],
    );
}

#[test]
fn the_tutorial_with_its_second_version() {
    let paths = [path("/", "Prefix", "web"), path("/v2", "Prefix", "web2")];
    let tutorial = ingress("example-ingress", 0, json!({}), json!({"rules": [rule("hello-world.example", &paths)]}));
    check(
        &[tutorial],
        expect![[r#"
        server _ plain prefix
        location prefix / upstream-default-backend log=off
        server hello-world.example plain prefix
        location prefix /v2/ default-web2-80
        location exact /v2 default-web2-80
        location prefix / default-web-80
    "#]],
    );
}

#[test]
fn the_first_ingress_has_a_path_and_exact_goes_beside_prefix() {
    let one = rule("a", &[path("/x", "Prefix", "first"), path("/x", "Exact", "exact"), path("/same", "Exact", "one")]);
    let two = rule("a", &[path("/x", "ImplementationSpecific", "second"), path("/same", "Exact", "two")]);
    let older = ingress("z", 0, json!({}), json!({"rules": [one]}));
    let newer = ingress("a", 1, json!({}), json!({"rules": [two], "tls": [{"hosts": ["a"]}]}));
    check(
        &[newer, older],
        expect![[r#"
        server _ plain prefix
        location prefix / upstream-default-backend log=off
        server a tls prefix
        location exact /same default-one-80
        location prefix /x/ default-first-80
        location exact /x default-exact-80
        location prefix / upstream-default-backend
    "#]],
    );
}

#[test]
fn a_rewrite_makes_expressions_of_all_paths() {
    let rewrite = json!({"nginx.ingress.kubernetes.io/rewrite-target": "/$2"});
    let with = ingress(
        "r",
        0,
        rewrite,
        json!({"rules": [rule("a", &[path("/s(/|$)(.*)", "ImplementationSpecific", "web")])]}),
    );
    let plain = ingress("s", 1, json!({}), json!({"rules": [rule("a", &[path("/p", "Prefix", "web")])]}));
    check(
        &[with, plain],
        expect![[r#"
        server _ plain prefix
        location prefix / upstream-default-backend log=off
        server a plain regex
        location prefix /s(/|$)(.*) default-web-80 rewrite=/$2
        location prefix /p/ default-web-80
        location exact /p default-web-80
        location prefix / upstream-default-backend rewrite=/$2
    "#]],
    );
}

#[test]
fn default_backends() {
    let backend = json!({"service": {"name": "fallback", "port": {"name": "http"}}});
    let all = ingress("all", 0, json!({}), json!({"defaultBackend": backend.clone()}));
    let one = ingress(
        "one",
        1,
        json!({}),
        json!({"defaultBackend": backend, "rules": [rule("a", &[path("/x/", "Prefix", "web")])]}),
    );
    let named = ingress("any", 2, json!({}), json!({"rules": [rule("", &[path("/any", "Exact", "web")])]}));
    check(
        &[all, one, named],
        expect![[r#"
        server _ plain prefix
        location exact /any default-web-80
        location prefix / default-fallback-http
        server a plain prefix
        location prefix /x/ default-web-80
        location exact /x/ default-web-80
        location prefix / default-fallback-http
    "#]],
    );
}

#[test]
fn endpoints_are_the_ready_ones_of_the_port() {
    let service = |ports: Value, spec: Value| {
        let mut service = Object::new(json!({"metadata": {"name": "web", "namespace": "default"}, "spec": spec}));
        service.set("spec.ports", ports);
        service
    };
    let slice = Object::new(json!({
        "metadata": {"namespace": "default", "labels": {"kubernetes.io/service-name": "web"}},
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}, {"name": "admin", "port": 9000, "protocol": "TCP"}],
        "endpoints": [
            {"addresses": ["10.244.0.7"], "conditions": {"ready": true}},
            {"addresses": ["10.244.0.5"]},
            {"addresses": ["10.244.0.6"], "conditions": {"ready": false}}],
    }));
    let ports = json!([{"name": "http", "port": 80, "targetPort": 8080}, {"name": "admin", "port": 81}]);
    let web = service(ports, json!({}));
    let found = |web: &Object, number, name: &str| {
        let index = Index::new(std::slice::from_ref(web), std::slice::from_ref(&slice));
        match endpoints(&index, "default", "web", number, name) {
            Endpoints::At(all) => all,
            Endpoints::Named(name, port) => vec![format!("name {name}:{port}")],
        }
    };
    assert_eq!(found(&web, Some(80), ""), ["10.244.0.5:8080", "10.244.0.7:8080"]);
    assert_eq!(found(&web, None, "admin"), ["10.244.0.5:9000", "10.244.0.7:9000"]);
    assert!(found(&web, Some(8080), "").is_empty());
    let outside = service(json!([{"port": 80}]), json!({"type": "ExternalName", "externalName": "db.example"}));
    assert_eq!(found(&outside, Some(80), ""), ["name db.example:80"]);
    for name in
        ["localhost", "LOCALHOST.", "127.0.0.1", "127.9.9.9", "a.localhost", "0.0.0.0", "a_b", "-a.b", "a..b", "::1"]
    {
        let outside = service(json!([{"port": 80}]), json!({"type": "ExternalName", "externalName": name}));
        assert!(found(&outside, Some(80), "").is_empty(), "{name}");
    }
    let outside = service(json!([{"port": 80}]), json!({"type": "ExternalName", "externalName": "10.1.2.3"}));
    assert_eq!(found(&outside, Some(80), ""), ["10.1.2.3:80"]);
}

#[test]
fn words_keep_their_bounds() {
    let mut out = String::new();
    line(&mut out, ["a\tb".to_owned(), "50%".to_owned()]);
    assert_eq!(out, "a%09b\t50%25\n");
}

#[test]
fn names_outside_become_addresses_once_they_are_known() {
    let service = Object::new(json!({"metadata": {"name": "db", "namespace": "default"},
        "spec": {"type": "ExternalName", "externalName": "db.example"}}));
    let ingress = ingress("i", 0, json!({}), json!({"rules": [rule("a", &[path("/", "Prefix", "db")])]}));
    let with = |names: &Names| site(std::slice::from_ref(&ingress), std::slice::from_ref(&service), &[], names);
    let unknown = with(&Names::new());
    assert_eq!(unknown.upstreams, "upstream\tdefault-db-80\n");
    assert!(unknown.names.iter().eq(["db.example"]));
    let known = with(&Names::from([("db.example".to_owned(), vec![[127, 0, 0, 1].into(), [10, 9, 8, 7].into()])]));
    assert_eq!(known.upstreams, "upstream\tdefault-db-80\t10.9.8.7:80\n");
}

#[test]
fn a_configuration_has_an_end() {
    let long = json!({"nginx.ingress.kubernetes.io/rewrite-target": format!("/{}", "x".repeat(200 * 1024))});
    let paths: Vec<Value> = (0..5_000).map(|n| path(&format!("/{n}"), "Exact", "web")).collect();
    let all = site(&[ingress("i", 0, long, json!({"rules": [rule("a", &paths)]}))], &[], &[], &Names::new());
    assert!(all.servers.len() <= SERVERS_BYTES_MAX && all.servers.len() > SERVERS_BYTES_MAX - 300 * 1024);
    let written = all.servers.lines().filter(|line| line.contains("/0") || line.contains("xxx")).count();
    assert!(all.left_out > 4_900 && written >= 40, "{} {written}", all.left_out);
}
