use std::sync::Arc;

use json::{Value, json};

use super::*;
use crate::schema::definition;

const CONFIG_MAP: &str = "api.core.v1.ConfigMap";
const DEPLOYMENT: &str = "api.apps.v1.Deployment";
const POD: &str = "api.core.v1.Pod";

/// An object and who owns it, written to by several managers.
struct World {
    kind: &'static str,
    object: Value,
    managed: Arc<ManagedFields>,
    seconds: u32,
}

impl World {
    fn new(kind: &'static str) -> World {
        World { kind, object: zero(definition(kind)), managed: Arc::default(), seconds: 0 }
    }

    fn now(&mut self) -> String {
        self.seconds += 1;
        format!("2026-01-01T00:00:{:02}Z", self.seconds)
    }

    fn update(&mut self, manager: &str, new: Value) -> &mut Self {
        let (time, atom) = (self.now(), Atom::of(definition(self.kind)));
        let writer =
            Writer { manager, api_version: "v1", subresource: "", time: &time, reach: Reach::Without(&[&["status"]]) };
        self.managed = self.managed.update(atom, &self.object, &new, &writer);
        self.object = new;
        self
    }

    fn try_apply(&mut self, manager: &str, force: bool, config: Value) -> Result<(), Refusal> {
        let (time, atom) = (self.now(), Atom::of(definition(self.kind)));
        let writer =
            Writer { manager, api_version: "v1", subresource: "", time: &time, reach: Reach::Without(&[&["status"]]) };
        let applied = Applier { atom, writer, force }.apply(
            &self.object,
            &zero(definition(self.kind)),
            &self.managed,
            &config,
        )?;
        self.object = applied.object.unwrap_or_else(|| self.object.clone());
        self.managed = applied.managed;
        Ok(())
    }

    #[track_caller]
    fn apply(&mut self, manager: &str, config: Value) -> &mut Self {
        self.try_apply(manager, false, config).unwrap();
        self
    }

    fn refused(&mut self, manager: &str, config: Value) -> String {
        self.try_apply(manager, false, config).unwrap_err().message()
    }

    /// `manager operation fields` of every entry.
    fn owners(&self) -> Vec<String> {
        let line = |e: &Entry| {
            format!(
                "{} {} {} {}",
                &*e.manager,
                e.operation.name(),
                e.fields.to_fields(),
                e.time.as_deref().unwrap_or("-")
            )
        };
        self.managed.entries().iter().map(line).collect()
    }
}

fn data(pairs: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": pairs})
}

#[test]
fn creation_owns_what_is_set_and_not_what_is_always_there() {
    let mut world = World::new(DEPLOYMENT);
    world.update(
        "kubectl-create",
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "labels": {"app": "web"}, "uid": "1", "creationTimestamp": "x"},
            "spec": {
                "replicas": 1, "selector": {"matchLabels": {"app": "web"}},
                "strategy": {"rollingUpdate": {"maxSurge": "25%"}, "type": "RollingUpdate"},
                "template": {"metadata": {}, "spec": {
                    "containers": [{"name": "nginx", "resources": {}, "ports": [{"containerPort": 80}]}],
                    "securityContext": {},
                }},
            },
            "status": {"replicas": 3},
        }),
    );
    let expected = concat!(
        r#"kubectl-create Update {"f:metadata":{"f:labels":{".":{},"f:app":{}}},"f:spec":{"f:replicas":{},"f:selector":{},"#,
        r#""f:strategy":{"f:rollingUpdate":{".":{},"f:maxSurge":{}},"f:type":{}},"f:template":{"f:spec":{"f:containers":"#,
        r#"{"k:{\"name\":\"nginx\"}":{".":{},"f:name":{},"f:ports":{".":{},"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":"#,
        r#"{".":{},"f:containerPort":{}}},"f:resources":{}}},"f:securityContext":{}}}}} 2026-01-01T00:00:01Z"#
    );
    assert_eq!(world.owners(), [expected]);
}

#[test]
fn an_update_takes_what_it_changes_from_its_owner() {
    let mut world = World::new(CONFIG_MAP);
    world.update("a", data(json!({"k": "1", "l": "1"}))).update("b", data(json!({"k": "2", "l": "1"})));
    assert_eq!(
        world.owners(),
        [
            r#"a Update {"f:data":{".":{},"f:l":{}}} 2026-01-01T00:00:01Z"#,
            r#"b Update {"f:data":{"f:k":{}}} 2026-01-01T00:00:02Z"#,
        ]
    );
    // A field that goes, goes for all; who only takes away owns nothing.
    world.update("c", data(json!({"k": "2"})));
    assert_eq!(world.owners().len(), 2);
    assert!(world.owners()[0].starts_with(r#"a Update {"f:data":{}}"#), "{:?}", world.owners());
    // Nothing changes: the very same set.
    let before = Arc::clone(&world.managed);
    world.update("d", data(json!({"k": "2"})));
    assert!(Arc::ptr_eq(&before, &world.managed));
}

#[test]
fn conflicts_force_and_shared_fields() {
    let mut world = World::new(CONFIG_MAP);
    world.apply("kubectl", data(json!({"k": "v1"})));
    assert_eq!(world.owners(), [r#"kubectl Apply {"f:data":{"f:k":{}}} 2026-01-01T00:00:01Z"#]);
    let other = data(json!({"k": "v2", "k2": "x"}));
    assert_eq!(
        world.refused("other", other.clone()),
        r#"Apply failed with 1 conflict: conflict with "kubectl": .data.k"#
    );
    world.try_apply("other", true, other).unwrap();
    assert_eq!(world.owners(), [r#"other Apply {"f:data":{"f:k":{},"f:k2":{}}} 2026-01-01T00:00:03Z"#]);
    assert_eq!(world.object["data"], json!({"k": "v2", "k2": "x"}));
    // The same value may be owned by two; then nobody alone takes it away.
    world.apply("kubectl", data(json!({"k": "v2"}))).apply("other", data(json!({"k2": "x"})));
    assert_eq!(world.object["data"], json!({"k": "v2", "k2": "x"}));
    world.apply("kubectl", data(json!({})));
    assert_eq!(world.object["data"], json!({"k2": "x"}));
}

#[test]
fn several_conflicts_are_grouped_by_owner() {
    let mut world = World::new(CONFIG_MAP);
    world.update("edit", data(json!({"a": "1", "b": "1"}))).apply("one", data(json!({"c": "1"})));
    let message = world.refused("two", data(json!({"a": "2", "b": "2", "c": "2"})));
    assert_eq!(
        message,
        "Apply failed with 3 conflicts: conflicts with \"edit\" using v1:\n- .data.a\n- .data.b\nconflicts with \"one\":\n- .data.c"
    );
}

#[test]
fn what_was_there_before_the_first_apply_has_an_owner() {
    let mut world = World::new(CONFIG_MAP);
    world.object = data(json!({"k": "1"}));
    let message = world.refused("me", data(json!({"k": "2"})));
    assert_eq!(message, r#"Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.k"#);
}

#[test]
fn kubectl_takes_over_what_its_client_side_apply_set() {
    let mut world = World::new(CONFIG_MAP);
    let mut first = data(json!({"k": "1", "l": "1"}));
    first["metadata"]["annotations"] =
        json!({"kubectl.kubernetes.io/last-applied-configuration": data(json!({"k": "1", "l": "1"})).to_string()});
    let mut changed = first.clone();
    changed["data"]["l"] = "2".into();
    world.update("kubectl-client-side-apply", first).update("someone", changed);
    assert!(world.refused("kubectl", data(json!({"l": "3"}))).contains("someone"));
    world.apply("kubectl", data(json!({"k": "9"})));
    let last = world.object["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"].as_str();
    assert_eq!(json::from_str::<Value>(last.unwrap()).unwrap(), data(json!({"k": "9"})));
}

#[test]
fn list_elements_merge_by_key_and_go_when_dropped() {
    let pod = |containers: Value| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": containers}});
    let mut world = World::new(POD);
    world
        .apply("one", pod(json!([{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}])))
        .apply("two", pod(json!([{"name": "c", "image": "c:1"}, {"name": "a", "tty": true}])));
    let names = |world: &World| -> Vec<String> {
        let list = world.object["spec"]["containers"].as_array().unwrap().iter();
        list.map(|c| c["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&world), ["c", "a", "b"]);
    world.apply("one", pod(json!([{"name": "b", "image": "b:2"}])));
    assert_eq!(world.object["spec"]["containers"].as_array().unwrap().len(), 3, "two still has a");
    assert!(world.object["spec"]["containers"].to_string().contains(r#"{"name":"a","tty":true}"#));
    world.apply("two", pod(json!([])));
    assert_eq!(names(&world), ["b"]);
}

#[test]
fn configurations_that_do_not_fit() {
    #[track_caller]
    fn check(config: Value, expected: &str) {
        assert_eq!(World::new(DEPLOYMENT).refused("x", config), expected);
    }
    check(json!({"spec": {"replica": 1}}), ".spec.replica: field not declared in schema");
    check(json!({"spec": {"replicas": "x"}}), ".spec.replicas: expected numeric (int or float), got string");
    check(
        json!({"spec": {"template": {"spec": {"containers": [{"name": "a"}, {"name": "a"}]}}}}),
        ".spec.template.spec.containers: duplicate entries for key [name=\"a\"]",
    );
    check(
        json!({"spec": {"template": {"spec": {"containers": [null]}}}}),
        ".spec.template.spec.containers: element 0: associative list with keys may not have a null element",
    );
}

#[test]
fn old_updates_are_put_together() {
    let mut world = World::new(CONFIG_MAP);
    for i in 0..14 {
        let mut pairs = json!({});
        for j in 0..=i {
            pairs[format!("k{j:02}")] = "x".into();
        }
        world.update(&format!("m{i:02}"), data(pairs));
    }
    let owners = world.owners();
    assert_eq!(owners.len(), 10);
    assert!(owners[0].starts_with("ancient-changes Update"), "{}", owners[0]);
    assert!(owners[0].contains("f:k04") && !owners[0].contains("f:k05"), "{}", owners[0]);
}

#[test]
fn as_json_and_back() {
    let mut world = World::new(POD);
    world.update("kubelet", json!({"metadata": {"finalizers": ["a/b"]}, "spec": {"containers": [{"name": "a", "ports": [{"containerPort": 80}]}]}}));
    let value = world.managed.to_value();
    assert_eq!(ManagedFields::from_value(&value).unwrap(), *world.managed);
    assert_eq!(value[0]["fieldsV1"]["f:metadata"]["f:finalizers"], json!({".": {}, "v:\"a/b\"": {}}));
    assert!(ManagedFields::is_reset(&json!([{}])) && ManagedFields::is_reset(&json!([])));
    assert!(!ManagedFields::is_reset(&value));
    let object =
        crate::Object::with_managed(json!({"metadata": {"name": "x", "labels": {}}}), Arc::clone(&world.managed));
    assert_eq!(json::to_value(&object).unwrap(), object.clone().into_value());
    assert_eq!(object.wire()["metadata"]["managedFields"], value);
    assert!(object.value()["metadata"].get("managedFields").is_none());
}
