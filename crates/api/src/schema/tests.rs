use json::json;

use super::*;

const DEPLOYMENT: &str = "io.k8s.api.apps.v1.Deployment";

#[test]
fn the_table_holds_every_published_type() {
    assert_eq!(definitions().count(), 584);
    for definition in definitions() {
        for property in &definition.properties {
            let mut ty = &property.ty;
            while let Type::List(inner) | Type::Map(inner) = ty {
                ty = inner;
            }
            assert!(!matches!(ty, Type::Ref(_)) || ty.definition().is_some(), "{}.{}", definition.name, property.name);
        }
    }
    for kind in crate::kinds::KINDS.iter().chain(crate::kinds::VERSIONS) {
        assert!(definition(kind.schema).is_some_and(|d| d.gvk.is_some()), "{}", kind.schema);
        assert_eq!(
            definition_of(&kind.api_version(), kind.kind).map(Definition::full_name).as_deref(),
            Some(kind.schema)
        );
    }
}

#[test]
fn properties_carry_what_merging_needs() {
    let container = definition("io.k8s.api.core.v1.Container").unwrap();
    let ports = container.property("ports").unwrap();
    assert_eq!((ports.merge_key, ports.merges(), ports.list_type), ("containerPort", true, ListType::Map));
    assert_eq!(ports.map_keys, ["containerPort", "protocol"]);
    assert_eq!(container.property("imagePullPolicy").unwrap().enumeration, ["Always", "IfNotPresent", "Never"]);
    assert_eq!(container.required().collect::<Vec<_>>(), ["name"]);
    let strategy = resolve_path(DEPLOYMENT, "spec.strategy").unwrap();
    assert!(strategy.property.unwrap().retains_keys());
    let volumes = resolve_path("io.k8s.api.core.v1.PodSpec", "volumes").unwrap().property.unwrap();
    assert!(volumes.merges() && volumes.retains_keys());
}

#[test]
fn paths_resolve_through_lists() {
    let containers = resolve_path(DEPLOYMENT, "spec.template.spec.containers").unwrap();
    assert_eq!(containers.ty().unwrap().explain_name(), "[]Container");
    assert_eq!(containers.definition().unwrap().type_name(), "Container");
    assert!(resolve_path(DEPLOYMENT, "spec.template.spec.containers.env.value").is_ok());
    assert_eq!(resolve_path(DEPLOYMENT, "spec.foo").unwrap_err(), PathError::NoField("foo".to_owned()));
    assert_eq!(resolve_path(DEPLOYMENT, "").unwrap().definition().unwrap().type_name(), "Deployment");
}

#[test]
fn unknown_fields_and_wrong_types_are_named_as_in_the_recordings() {
    let pod = definition("io.k8s.api.core.v1.Pod").unwrap();
    let deployment = definition(DEPLOYMENT).unwrap();
    let found = check(pod, &json!({"spec": {"containers": [{"name": "a", "comand": ["x"], "imagee": "b"}]}}));
    let complaints = [r#"unknown field "spec.containers[0].comand""#, r#"unknown field "spec.containers[0].imagee""#];
    assert_eq!(found.complaints(), complaints);
    let found = check(deployment, &json!({"spec": {"replica": 3}}));
    assert_eq!(found.complaints(), [r#"unknown field "spec.replica""#]);
    for (root, value, message) in [
        (
            DEPLOYMENT,
            json!({"spec": {"replicas": "x"}}),
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            "io.k8s.api.core.v1.Pod",
            json!({"spec": {"containers": [{"ports": [{"containerPort": "http"}]}]}}),
            "json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32",
        ),
        (
            "io.k8s.api.core.v1.ConfigMap",
            json!({"data": {"a": 1}}),
            "json: cannot unmarshal number into Go struct field ConfigMap.data of type string",
        ),
        (
            "io.k8s.api.core.v1.Pod",
            json!({"metadata": {"name": true}}),
            "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.name of type string",
        ),
        ("io.k8s.api.core.v1.Secret", json!({"data": {"a": "abc"}}), "illegal base64 data at input byte 0"),
        (
            "io.k8s.api.core.v1.Pod",
            json!({"spec": {"containers": [{"resources": {"limits": {"cpu": "abc"}}}]}}),
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
        (
            DEPLOYMENT,
            json!({"spec": {"template": "x"}}),
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.template of type v1.PodTemplateSpec",
        ),
        (
            DEPLOYMENT,
            json!({"spec": {"replicas": 1.5}}),
            "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
    ] {
        assert_eq!(check(definition(root).unwrap(), &value).error.as_deref(), Some(message));
    }
    assert_eq!(
        check(pod, &json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": null}})),
        Checked::default()
    );
}

#[test]
fn defaults_that_mean_something_are_filled() {
    let mut service = json!({"spec": {"ports": [{"port": 80}]}});
    apply_defaults(definition("io.k8s.api.core.v1.Service").unwrap(), &mut service);
    assert_eq!(service["spec"]["ports"][0], json!({"port": 80, "protocol": "TCP"}));
}

#[test]
fn normal_form_drops_what_go_would_not_write() {
    let mut pod = json!({"metadata": {"name": "a", "labels": {}, "annotations": null}, "nonsense": 1, "spec": {
        "containers": [{"name": "", "env": [], "image": "x", "resources": {"limits": {"cpu": "0.5", "memory": "1024Mi"}}}], "volumes": [{"name": "v", "emptyDir": {}}]}});
    normalize(definition("io.k8s.api.core.v1.Pod").unwrap(), &mut pod);
    assert_eq!(
        pod,
        json!({"metadata": {"name": "a"}, "spec": {
            "containers": [{"name": "", "image": "x", "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}}}], "volumes": [{"name": "v", "emptyDir": {}}]}, "status": {}})
    );
    let mut service = json!({"spec": {"ports": []}, "status": null});
    normalize(definition("io.k8s.api.core.v1.Service").unwrap(), &mut service);
    assert_eq!(service, json!({"metadata": {}, "spec": {}, "status": {"loadBalancer": {}}}));
}

#[test]
fn looking_up_in_order_finds_what_looking_up_finds() {
    for definition in definitions() {
        for pace in 1..8 {
            let mut in_order = definition.in_order();
            for property in definition.properties.iter().step_by(pace) {
                // Names that do not exist lie between those that do.
                let missing = &property.name[..property.name.len() - 1];
                let found = definition.property(missing).map(|p| p.name);
                let mut before = definition.in_order();
                assert_eq!(before.property(missing).map(|p| p.name), found, "{} {missing}", definition.name);
                assert_eq!(before.property(property.name).map(|p| p.name), Some(property.name));
                assert_eq!(in_order.property(property.name).map(|p| p.name), Some(property.name));
            }
            assert!(in_order.property("~").is_none());
        }
    }
}

#[test]
fn what_is_shared_with_a_known_object_is_not_looked_at_again() {
    let pod = definition("io.k8s.api.core.v1.Pod").unwrap();
    let known = json!({"spec": {"wrong": 1, "volumes": []}, "status": {"conditions": [{"type": "Ready", "odd": 1}]}});
    let mut new = known.clone();
    new["metadata"] = json!({"nope": 1});
    assert_eq!(check(pod, &new).unknown, ["metadata.nope", "spec.wrong", "status.conditions[0].odd"]);
    assert_eq!(check_change(pod, &new, Some(&known)).unknown, ["metadata.nope"]);
    new["spec"]["nodeName"] = json!("minikube");
    assert_eq!(check_change(pod, &new, Some(&known)).unknown, ["metadata.nope", "spec.wrong"]);
    normalize_change(pod, &mut new, Some(&known), |_, _, _| false);
    assert_eq!(new["spec"], json!({"nodeName": "minikube"}));
    assert!(new["status"].is_same(&known["status"]));
}
