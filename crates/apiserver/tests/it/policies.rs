//! Quotas, limit ranges, priority classes, disruption budgets and default classes at the door.

use json::{Value, json};

use crate::harness::Harness;

const PODS: &str = "/api/v1/namespaces/default/pods";

fn pod(name: &str, resources: Value) -> Value {
    json!({"metadata": {"name": name, "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "nginx", "resources": resources}]}})
}

fn full() -> Value {
    json!({"requests": {"cpu": "400m"}, "limits": {"cpu": "500m", "memory": "128Mi"}})
}

fn refusal(h: &Harness, path: &str, body: Value) -> String {
    let (code, answer) = h.call("POST", path, body);
    assert!(code >= 400, "{answer}");
    answer["message"].as_str().unwrap_or("").to_owned()
}

#[test]
fn a_quota_is_kept() {
    let h = Harness::new();
    let hard = json!({"pods": "2", "requests.cpu": "1", "limits.memory": "1Gi", "services": "1"});
    h.ok(
        "POST",
        "/api/v1/namespaces/default/resourcequotas",
        json!({"metadata": {"name": "q"}, "spec": {"hard": {"pods": "2", "requests.cpu": "1", "limits.memory": "1Gi"}}}),
    );
    assert_eq!(
        refusal(&h, PODS, pod("a", json!({}))),
        "pods \"a\" is forbidden: failed quota: q: must specify limits.memory for: c; requests.cpu for: c"
    );
    h.ok("POST", PODS, pod("a", full()));
    h.ok("POST", PODS, pod("b", full()));
    assert_eq!(
        refusal(&h, PODS, pod("c", full())),
        "pods \"c\" is forbidden: exceeded quota: q, requested: pods=1,requests.cpu=400m, used: pods=2,requests.cpu=800m, limited: pods=2,requests.cpu=1"
    );
    // The server's own service is in the namespace already.
    let services = json!({"metadata": {"name": "s"}, "spec": {"hard": {"services": hard["services"]}}});
    h.ok("POST", "/api/v1/namespaces/default/resourcequotas", services);
    let service = json!({"metadata": {"name": "s2"}, "spec": {"ports": [{"port": 80}]}});
    let message = refusal(&h, "/api/v1/namespaces/default/services", service);
    assert!(message.ends_with("exceeded quota: s, requested: services=1, used: services=1, limited: services=1"));
}

#[test]
fn limits_fill_in_and_refuse() {
    let h = Harness::new();
    let limits = json!({"type": "Container", "default": {"memory": "128Mi", "cpu": "200m"},
        "defaultRequest": {"memory": "64Mi", "cpu": "100m"}, "max": {"memory": "512Mi"}, "min": {"memory": "16Mi"}});
    let path = "/api/v1/namespaces/default/limitranges";
    h.ok("POST", path, json!({"metadata": {"name": "mem"}, "spec": {"limits": [limits]}}));
    let big = json!({"requests": {"memory": "1Gi"}, "limits": {"memory": "2Gi"}});
    assert_eq!(
        refusal(&h, PODS, pod("toobig", big)),
        "pods \"toobig\" is forbidden: maximum memory usage per Container is 512Mi, but limit is 2Gi"
    );
    let small = h.ok("POST", PODS, pod("small", json!({})));
    let filled = json!({"limits": {"cpu": "200m", "memory": "128Mi"}, "requests": {"cpu": "100m", "memory": "64Mi"}});
    assert_eq!(small["spec"]["containers"][0]["resources"], filled);
    assert_eq!(
        small["metadata"]["annotations"]["kubernetes.io/limit-ranger"],
        "LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for container c"
    );
}

#[test]
fn priorities_come_from_their_class() {
    let h = Harness::new();
    let classes = "/apis/scheduling.k8s.io/v1/priorityclasses";
    h.ok("POST", classes, json!({"metadata": {"name": "high"}, "value": 1000, "preemptionPolicy": "Never"}));
    let mut wanted = pod("p", json!({}));
    wanted["spec"]["priorityClassName"] = "high".into();
    let made = h.ok("POST", PODS, wanted.clone());
    assert_eq!((&made["spec"]["priority"], &made["spec"]["preemptionPolicy"]), (&json!(1000), &json!("Never")));
    wanted["metadata"]["name"] = "q".into();
    wanted["spec"]["priorityClassName"] = "none".into();
    assert!(refusal(&h, PODS, wanted).ends_with("no PriorityClass with name none was found"));
    h.ok("POST", classes, json!({"metadata": {"name": "usual"}, "value": 5, "globalDefault": true}));
    let made = h.ok("POST", PODS, pod("r", json!({})));
    assert_eq!((&made["spec"]["priority"], &made["spec"]["priorityClassName"]), (&json!(5), &json!("usual")));
}

#[test]
fn a_budget_keeps_pods() {
    let h = Harness::new();
    let budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
    let selector = json!({"matchLabels": {"app": "web"}});
    h.ok("POST", budgets, json!({"metadata": {"name": "b"}, "spec": {"minAvailable": 1, "selector": selector}}));
    h.ok("POST", PODS, pod("a", json!({})));
    let status = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    let merge = [("content-type", "application/merge-patch+json")];
    h.call_with("PATCH", &format!("{PODS}/a/status"), status, &merge);
    let counts = |allowed: i64| {
        let status = json!({"status": {"observedGeneration": 1, "disruptionsAllowed": allowed, "currentHealthy": 1,
            "desiredHealthy": 1, "expectedPods": 1}});
        h.call_with("PATCH", &format!("{budgets}/b/status"), status, &merge);
    };
    counts(0);
    let evict = || h.call("POST", &format!("{PODS}/a/eviction"), json!({"metadata": {"name": "a"}}));
    let (code, answer) = evict();
    assert_eq!(code, 429);
    assert_eq!(answer["message"], "Cannot evict pod as it would violate the pod's disruption budget.");
    assert_eq!(
        answer["details"]["causes"][0]["message"],
        "The disruption budget b needs 1 healthy pods and has 1 currently"
    );
    counts(1);
    assert_eq!(evict().0, 201);
    let budget = h.get(&format!("{budgets}/b"));
    assert_eq!(budget["status"]["disruptionsAllowed"], 0);
    assert!(budget["status"]["disruptedPods"]["a"].is_string(), "{budget}");
}

#[test]
fn claims_get_the_default_class_and_protection() {
    let h = Harness::new();
    let claim = json!({"metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}}}});
    let made = h.ok("POST", "/api/v1/namespaces/default/persistentvolumeclaims", claim);
    assert_eq!(made["spec"]["storageClassName"], "standard");
    assert_eq!(made["metadata"]["finalizers"], json!(["kubernetes.io/pvc-protection"]));
    assert_eq!(made["status"]["phase"], "Pending");
}

#[test]
fn a_claim_grows_if_its_class_lets_it() {
    let h = Harness::new();
    let claims = "/api/v1/namespaces/default/persistentvolumeclaims";
    let class = |name: &str, grows: bool| json!({"metadata": {"name": name}, "provisioner": "x.example.com", "allowVolumeExpansion": grows});
    for (name, grows) in [("still", false), ("grows", true)] {
        h.ok("POST", "/apis/storage.k8s.io/v1/storageclasses", class(name, grows));
        let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
            "storageClassName": name, "volumeName": "v"});
        let mut claim = h.ok("POST", claims, json!({"metadata": {"name": name}, "spec": spec}));
        claim["status"] = json!({"phase": "Bound", "capacity": {"storage": "1Gi"}});
        let mut bound = h.ok("PUT", &format!("{claims}/{name}/status"), claim);
        bound["spec"]["resources"]["requests"]["storage"] = "2Gi".into();
        let (code, answer) = h.call("PUT", &format!("{claims}/{name}"), bound);
        if grows {
            assert_eq!(code, 200, "{answer}");
            continue;
        }
        assert_eq!(code, 403);
        assert_eq!(
            answer["message"],
            "persistentvolumeclaims \"still\" is forbidden: only dynamically provisioned pvc can be resized and the \
             storageclass that provisions the pvc must support resize"
        );
    }
}

#[test]
fn a_namespace_asks_for_a_pod_security_standard() {
    let h = Harness::new();
    h.ok("POST", PODS, pod("old", json!({})));
    let namespace = "/api/v1/namespaces/default";
    let merge = [("content-type", "application/merge-patch+json")];
    let label = |name: &str, value: &str| {
        let labels = json!({"metadata": {"labels": {(format!("pod-security.kubernetes.io/{name}")): value}}});
        let request = Harness::request("PATCH", namespace, api::http::Body::Object(api::Object::new(labels)), &merge);
        let response = h.send(request);
        let warnings = response.headers().get_all("warning").iter().map(|w| w.to_str().unwrap().to_owned()).collect();
        (response.status().as_u16(), warnings)
    };
    let (code, _): (u16, Vec<String>) = label("enforce", "strict");
    assert_eq!(code, 422);
    let (code, warnings) = label("enforce", "restricted");
    assert_eq!(code, 200);
    assert_eq!(
        warnings,
        [
            r#"299 - "existing pods in namespace \"default\" violate the new PodSecurity enforce level \"restricted:latest\"""#,
            r#"299 - "old: allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile""#,
        ]
    );
    let message = refusal(&h, PODS, pod("new", json!({})));
    let begins = r#"pods "new" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), "#;
    assert!(message.starts_with(begins), "{message}");
    let web = crate::harness::deployment("web");
    let body = api::http::Body::Object(api::Object::new(web));
    let response = h.send(Harness::request("POST", "/apis/apps/v1/namespaces/default/deployments", body, &[]));
    assert_eq!(response.status(), 201);
    let warning = response.headers()["warning"].to_str().unwrap();
    assert!(
        warning.starts_with(r#"299 - "would violate PodSecurity \"restricted:latest\": allowPrivilegeEscalation"#),
        "{warning}"
    );
}
