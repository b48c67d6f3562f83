use ::json::json;

use super::*;
use crate::schema::definition;

fn deployment() -> Option<&'static Definition> {
    definition("io.k8s.api.apps.v1.Deployment")
}

fn pod() -> Option<&'static Definition> {
    definition("io.k8s.api.core.v1.Pod")
}

fn check_strategic(document: Value, patch: Value, expected: Value) {
    assert_eq!(strategic_merge(&document, &patch, pod()).unwrap(), expected, "{patch}");
}

#[test]
fn strategic_merge_of_lists_and_maps() {
    let document =
        json!({"spec": {"containers": [{"name": "a", "image": "1", "args": ["x"]}, {"name": "b", "image": "2"}]}});
    check_strategic(
        document.clone(),
        json!({"spec": {"containers": [{"name": "b", "image": "3"}, {"name": "c", "image": "4"}]}}),
        json!({"spec": {"containers": [{"name": "a", "image": "1", "args": ["x"]}, {"name": "b", "image": "3"}, {"name": "c", "image": "4"}]}}),
    );
    check_strategic(
        document.clone(),
        json!({"spec": {"containers": [{"name": "a", "args": ["y"]}]}}),
        json!({"spec": {"containers": [{"name": "a", "image": "1", "args": ["y"]}, {"name": "b", "image": "2"}]}}),
    );
    check_strategic(
        document.clone(),
        json!({"spec": {"containers": [{"name": "a", "$patch": "delete"}]}}),
        json!({"spec": {"containers": [{"name": "b", "image": "2"}]}}),
    );
    check_strategic(
        document.clone(),
        json!({"spec": {"containers": [{"name": "z"}, {"$patch": "replace"}]}}),
        json!({"spec": {"containers": [{"name": "z"}]}}),
    );
    check_strategic(document.clone(), json!({"spec": {"$patch": "delete"}}), json!({"spec": {}}));
    check_strategic(document.clone(), json!({"spec": {"$patch": "replace", "x": 1}}), json!({"spec": {"x": 1}}));
    check_strategic(
        document.clone(),
        json!({"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}}),
        json!({"spec": {"containers": [{"name": "b", "image": "2"}, {"name": "a", "image": "1", "args": ["x"]}]}}),
    );
    check_strategic(document, json!({"spec": {"containers": null, "nodeName": null}}), json!({"spec": {}}));
}

#[test]
fn strategic_merge_of_primitives_and_retained_keys() {
    let document =
        json!({"metadata": {"finalizers": ["a", "b"]}, "spec": {"volumes": [{"name": "v", "emptyDir": {}}]}});
    check_strategic(
        document.clone(),
        json!({"metadata": {"finalizers": ["c"], "$deleteFromPrimitiveList/finalizers": ["a"]}}),
        json!({"metadata": {"finalizers": ["c", "b"]}, "spec": {"volumes": [{"name": "v", "emptyDir": {}}]}}),
    );
    check_strategic(
        document,
        json!({"spec": {"volumes": [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/x"}}]}}),
        json!({"metadata": {"finalizers": ["a", "b"]}, "spec": {"volumes": [{"name": "v", "hostPath": {"path": "/x"}}]}}),
    );
}

#[test]
fn refusals() {
    let document = json!({"spec": {"containers": [{"name": "a"}]}});
    let merge = |patch| strategic_merge(&document, &patch, pod()).unwrap_err().to_string();
    assert_eq!(
        merge(json!({"spec": {"containers": [{"image": "x"}]}})),
        "map: map[image:x] does not contain declared merge key: name"
    );
    assert_eq!(merge(json!({"spec": {"$patch": "foo"}})), "unknown patch type: foo in map: map[]");
    assert_eq!(
        json_patch(&document, &json!({"spec": {}})),
        Err(PatchError::Decode(
            "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp".into()
        ))
    );
    assert!(matches!(
        json_patch(&document, &json!([{"op": "remove", "path": "/metadata/labels/zzz"}])),
        Err(PatchError::Apply(_))
    ));
    assert!(
        matches!(json_patch(&document, &json!([{"op": "test", "path": "/spec", "value": 1}])), Err(PatchError::Apply(m)) if m == "testing value /spec failed: test failed")
    );
}

#[test]
fn json_patches_apply() {
    let document = json!({"a": {"b": [1, 2]}});
    let patch = json!([{"op": "add", "path": "/a/b/-", "value": 3}, {"op": "replace", "path": "/a/b/0", "value": 0}, {"op": "test", "path": "/a/b/2", "value": 3}]);
    assert_eq!(json_patch(&document, &patch), Ok(json!({"a": {"b": [0, 2, 3]}})));
    assert_eq!(merge_patch(&document, &json!({"a": {"b": null, "c": 1}})), json!({"a": {"c": 1}}));
}

#[test]
fn apply_writes_three_way_patches() {
    // As the second apply of the tutorial manifest with an image update and a removed field.
    let original = json!({"spec": {"replicas": 2, "minReadySeconds": 5, "template": {"spec": {"containers": [{"name": "nginx", "image": "nginx:1.14.2", "ports": [{"containerPort": 80}]}]}}}});
    let modified = json!({"spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "nginx", "image": "nginx:1.16.1", "ports": [{"containerPort": 80}]}]}}}});
    let current = json!({"spec": {"replicas": 5, "minReadySeconds": 5, "template": {"spec": {"containers": [{"name": "nginx", "image": "nginx:1.14.2", "imagePullPolicy": "Always", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]}}}});
    let patch = three_way_strategic(&original, &modified, &current, deployment()).unwrap();
    assert_eq!(
        patch,
        json!({"spec": {"minReadySeconds": null, "replicas": 2, "template": {"spec": {
            "$setElementOrder/containers": [{"name": "nginx"}],
            "containers": [{"image": "nginx:1.16.1", "name": "nginx"}]}}}})
    );
    let applied = strategic_merge(&current, &patch, deployment()).unwrap();
    let container = &applied["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["imagePullPolicy"], "Always");
    assert_eq!((&applied["spec"]["replicas"], &container["image"]), (&json!(2), &json!("nginx:1.16.1")));
    assert!(applied["spec"].get("minReadySeconds").is_none());
    // Nothing to do, nothing written.
    assert_eq!(three_way_strategic(&modified, &modified, &applied, deployment()).unwrap(), json!({}));
}

#[test]
fn removed_list_elements_are_deleted_by_key() {
    let original = json!({"spec": {"containers": [{"name": "a"}, {"name": "b"}]}});
    let modified = json!({"spec": {"containers": [{"name": "a"}]}});
    let current = json!({"spec": {"containers": [{"name": "a", "image": "x"}, {"name": "b"}, {"name": "injected"}]}});
    let patch = three_way_strategic(&original, &modified, &current, pod()).unwrap();
    assert_eq!(
        patch,
        json!({"spec": {"$setElementOrder/containers": [{"name": "a"}], "containers": [{"$patch": "delete", "name": "b"}]}})
    );
    let applied = strategic_merge(&current, &patch, pod()).unwrap();
    assert_eq!(applied, json!({"spec": {"containers": [{"name": "a", "image": "x"}, {"name": "injected"}]}}));
}

#[test]
fn two_way_patches_lead_from_one_to_the_other() {
    for (from, to) in [
        (
            json!({"spec": {"containers": [{"name": "a", "image": "1"}]}}),
            json!({"spec": {"containers": [{"name": "b"}, {"name": "a", "image": "2"}]}}),
        ),
        (json!({"metadata": {"finalizers": ["a", "b"]}}), json!({"metadata": {"finalizers": ["b", "c"]}})),
        (
            json!({"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}}),
            json!({"spec": {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}}),
        ),
        (json!({"metadata": {"labels": {"a": "1"}}}), json!({"metadata": {}})),
        (json!({"spec": {"tolerations": [{"key": "a"}]}}), json!({"spec": {"tolerations": []}})),
    ] {
        let patch = two_way_strategic(&from, &to, pod()).unwrap();
        assert_eq!(strategic_merge(&from, &patch, pod()).unwrap(), to, "{patch}");
    }
    let strategy = |value: Value| json!({"spec": {"strategy": value}});
    let patch = two_way_strategic(
        &strategy(json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}})),
        &strategy(json!({"type": "Recreate"})),
        deployment(),
    )
    .unwrap();
    assert_eq!(patch, strategy(json!({"$retainKeys": ["type"], "type": "Recreate", "rollingUpdate": null})));
}

#[test]
fn json_three_way() {
    let original = json!({"apiVersion": "v1", "spec": {"a": 1, "b": 2}});
    let modified = json!({"apiVersion": "v1", "spec": {"a": 3}});
    let current = json!({"apiVersion": "v1", "spec": {"a": 1, "b": 2, "c": 4}});
    assert_eq!(three_way_json(&original, &modified, &current), Ok(json!({"spec": {"a": 3, "b": null}})));
    let renamed = json!({"apiVersion": "v2", "spec": {"a": 3}});
    assert_eq!(three_way_json(&original, &renamed, &current), Err(PatchError::Precondition));
}

#[test]
fn a_json_patch_cannot_blow_an_object_up() {
    let double = |i: usize| json!({"op": "copy", "from": "/a", "path": format!("/a/{i}")});
    let patch: Vec<Value> = (0..40).map(double).collect();
    let refusal = json_patch(&json!({"a": {"text": "x".repeat(100)}}), &Value::from(patch));
    assert!(
        matches!(&refusal, Err(PatchError::Apply(why)) if why.contains("exceeding the limit 3145728")),
        "{refusal:?}"
    );
    // A level more with each.
    let mut path = "/a".to_owned();
    let mut deeper = Vec::new();
    for _ in 0..200 {
        deeper.push(json!({"op": "add", "path": path, "value": {}}));
        path.push_str("/a");
    }
    let refusal = json_patch(&json!({}), &Value::from(deeper.clone()));
    assert_eq!(refusal, Err(PatchError::Apply("exceeded max depth".to_owned())));
    assert!(json_patch(&json!({}), &Value::from(deeper[..100].to_vec())).is_ok());
}
