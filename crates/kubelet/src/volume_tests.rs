//! Volumes of pods on a node, as containers and events show them.

use api::{Object, kinds};
use json::{Value, json};
use vfs::Vfs;

use crate::testing::Cluster;

/// A pod of one container `c` that mounts each volume at `/NAME`.
fn with_volumes(volumes: &Value) -> Value {
    let names = volumes.as_array().unwrap().iter().map(|v| v["name"].clone());
    let mounts: Vec<Value> =
        names.map(|name| json!({"name": name, "mountPath": format!("/{}", name.as_str().unwrap())})).collect();
    json!({
        "containers": [{"name": "c", "image": "busybox:1", "args": ["run"], "volumeMounts": mounts}],
        "volumes": volumes.clone(),
    })
}

fn make(cluster: &Cluster, kind: &'static api::Kind, object: Value) {
    let client = cluster.client.clone();
    let namespace = if kind.namespaced { "default" } else { "" };
    cluster.run(async move { client.create(kind, namespace, Object::new(object)).await.map(drop) }).unwrap();
}

fn config_map(cluster: &Cluster, name: &str, data: Value) {
    make(cluster, &kinds::CONFIG_MAPS, json!({"metadata": {"name": name}, "data": data}));
}

fn secret(cluster: &Cluster, name: &str, data: Value) {
    make(cluster, &kinds::SECRETS, json!({"metadata": {"name": name}, "stringData": data}));
}

/// What a container sees at a place.
fn mounted(cluster: &Cluster, path: &str) -> (Vfs, String, bool) {
    let config = cluster.fake.config_of("c");
    let mount = config.mounts.into_iter().find(|m| m.path == path).unwrap();
    (mount.source, format!("/{}", mount.sub_path), mount.read_only)
}

/// `mode uid:gid name` of what is there, as `ls -ln` has it.
fn listed(tree: &Vfs, path: &str) -> Vec<String> {
    let line = |name: &str, path: &str| {
        let meta = tree.lstat(path).unwrap();
        let target = tree.readlink(path).map(|target| format!(" -> {target}")).unwrap_or_default();
        let target = if target.starts_with(" -> ..2") { " -> TIME".to_owned() } else { target };
        let name = if name.starts_with("..2") { "TIME" } else { name };
        format!("{} {}:{} {name}{target}", meta.mode_string(), meta.uid, meta.gid)
    };
    let entries = tree.readdir(path).unwrap();
    let below = |name: &str| format!("{}/{name}", path.trim_end_matches('/'));
    std::iter::once(line(".", path)).chain(entries.iter().map(|e| line(&e.name, &below(&e.name)))).collect()
}

#[test]
fn config_maps_and_secrets_have_their_modes_and_links() {
    let cluster = Cluster::new();
    config_map(&cluster, "cm", json!({"a": "1", "b": "2"}));
    secret(&cluster, "s", json!({"key": "x"}));
    let volumes = json!([
        {"name": "cm", "configMap": {"name": "cm", "items": [
            {"key": "a", "path": "dir/a"}, {"key": "b", "path": "b", "mode": 0o400}]}},
        {"name": "s", "secret": {"secretName": "s", "defaultMode": 0o440}},
    ]);
    cluster.create("p", with_volumes(&volumes));
    cluster.pass(3);
    assert_eq!(cluster.line("p"), "Running c+runningx0");
    let (tree, _, read_only) = mounted(&cluster, "/cm");
    assert!(read_only && !tree.usage().in_memory);
    let links =
        ["drwxrwxrwx 0:0 .", "drwxr-xr-x 0:0 TIME", "lrwxrwxrwx 0:0 ..data -> TIME", "lrwxrwxrwx 0:0 b -> ..data/b"];
    assert_eq!(listed(&tree, "/")[..4], links);
    assert_eq!(listed(&tree, "/..data/")[1..], ["-r-------- 0:0 b", "drwxr-xr-x 0:0 dir"]);
    let (tree, _, read_only) = mounted(&cluster, "/s");
    assert!(read_only && tree.usage().in_memory);
    assert_eq!(listed(&tree, "/")[0], "drwxrwxrwt 0:0 .");
    assert_eq!(listed(&tree, "/..data/")[1..], ["-r--r----- 0:0 key"]);
}

#[test]
fn a_group_gets_the_files() {
    let cluster = Cluster::new();
    config_map(&cluster, "cm", json!({"a": "1"}));
    let volumes = json!([
        {"name": "cm", "configMap": {"name": "cm"}},
        {"name": "empty", "emptyDir": {}},
        {"name": "host", "hostPath": {"path": "/data", "type": "DirectoryOrCreate"}},
        {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
    ]);
    let mut spec = with_volumes(&volumes);
    spec["securityContext"] =
        json!({"runAsUser": 1000, "runAsGroup": 3000, "fsGroup": 2000, "supplementalGroups": [4000]});
    cluster.create("p", spec);
    cluster.pass(3);
    assert_eq!(cluster.line("p"), "Running c+runningx0");
    assert_eq!(cluster.fake.config_of("c").groups, [2000, 4000]);
    let first = |path: &str| listed(&mounted(&cluster, path).0, &mounted(&cluster, path).1)[0].clone();
    assert_eq!(first("/cm"), "drwxrwsrwx 0:2000 .");
    assert_eq!(first("/empty"), "drwxrwsrwx 0:2000 .");
    assert_eq!(first("/host"), "drwxr-xr-x 0:0 .", "what is the node's stays as it is");
    assert_eq!(listed(&mounted(&cluster, "/cm").0, "/..data/")[1], "-rw-r--r-- 0:2000 a");
    assert_eq!(listed(&mounted(&cluster, "/token").0, "/..data/")[1], "-rw-r----- 1000:2000 token");
}

#[test]
fn volumes_follow_their_objects_and_sub_paths_do_not() {
    let cluster = Cluster::new();
    config_map(&cluster, "cm", json!({"a": "old", "gone": "x"}));
    let volumes = json!([
        {"name": "cm", "configMap": {"name": "cm"}},
        {"name": "all", "projected": {"sources": [
            {"serviceAccountToken": {"path": "token"}}, {"configMap": {"name": "cm"}},
            {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}}]}},
    ]);
    let mut spec = with_volumes(&volumes);
    spec["containers"][0]["volumeMounts"][0]["subPath"] = "a".into();
    spec["containers"][0]["env"] = json!([{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "a"}}}]);
    cluster.create("p", spec);
    cluster.pass(3);
    let view = Vfs::new(cluster.sim.clone());
    for path in ["/cm", "/all"] {
        let (source, sub_path, read_only) = mounted(&cluster, path);
        view.mount(path, &source, &vfs::MountOptions { read_only, sub_path: sub_path[1..].to_owned() }).unwrap();
    }
    let read = |path: &str| view.read_to_string(path).unwrap_or_else(|e| e.message().to_owned());
    let token = read("/all/token");
    assert_eq!((read("/cm").as_str(), read("/all/a").as_str(), read("/all/labels").as_str()), ("old", "old", ""));
    let client = cluster.client.clone();
    cluster.run(async move {
        let patch = json!({"data": {"a": "new", "gone": null}});
        client.patch(&kinds::CONFIG_MAPS, "default", "cm", "", client::PatchType::Merge, &patch).await.unwrap();
    });
    cluster.pass(70);
    assert_eq!((read("/all/a").as_str(), read("/all/gone").as_str()), ("new", "No such file or directory"));
    assert_eq!((read("/cm").as_str(), read("/all/token")), ("old", token), "what was mounted stays");
    assert_eq!(cluster.fake.config_of("c").env.iter().find(|(n, _)| n == "A").unwrap().1, "old");
    assert_eq!(view.write("/all/a", "mine"), Err(vfs::Errno::ReadOnly));
    let client = cluster.client.clone();
    cluster.run(async move {
        let patch = json!({"metadata": {"labels": {"app": "web"}}});
        client.patch(&kinds::PODS, "default", "p", "", client::PatchType::Merge, &patch).await.unwrap();
    });
    cluster.pass(2);
    assert_eq!(read("/all/labels"), "app=\"web\"", "shown at once");
}

#[test]
fn a_token_is_renewed_when_most_of_its_time_is_over() {
    let cluster = Cluster::new();
    let volumes = json!([{"name": "token", "projected": {"sources": [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 600, "audience": "vault"}}]}}]);
    cluster.create("p", with_volumes(&volumes));
    cluster.pass(3);
    let (tree, ..) = mounted(&cluster, "/token");
    let first = tree.read("/token").unwrap();
    cluster.pass(400);
    assert_eq!(tree.read("/token").unwrap(), first);
    cluster.pass(140);
    assert_ne!(tree.read("/token").unwrap(), first);
}

#[test]
fn what_cannot_be_mounted_is_told() {
    let volume = |source: Value| {
        let mut volume = source;
        volume["name"] = "v".into();
        json!([volume])
    };
    let mount = |what: &str| format!("Warning FailedMount MountVolume.SetUp failed for volume \"v\" : {what}");
    let all = |what: &str| {
        format!(
            "Warning FailedMount Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], \
             failed to process volumes=[v]: {what}"
        )
    };
    let cases = [
        (json!({"configMap": {"name": "no"}}), mount("configmap \"no\" not found")),
        (json!({"secret": {"secretName": "no"}}), mount("secret \"no\" not found")),
        (
            json!({"configMap": {"name": "cm", "items": [{"key": "k", "path": "p"}]}}),
            mount("configmap references non-existent config key: k"),
        ),
        (
            json!({"secret": {"secretName": "s", "items": [{"key": "k", "path": "p"}]}}),
            mount("references non-existent secret key: k"),
        ),
        (
            json!({"projected": {"sources": [{"configMap": {"name": "no"}}, {"secret": {"name": "no"}}]}}),
            mount("[configmap \"no\" not found, secret \"no\" not found]"),
        ),
        (
            json!({"hostPath": {"path": "/no", "type": "Directory"}}),
            mount("hostPath type check failed: /no is not a directory"),
        ),
        (
            json!({"nfs": {"server": "10.0.0.1", "path": "/"}}),
            mount("kubonsai does not support volumes of this type (kubelet) yet: nfs"),
        ),
        (
            json!({"persistentVolumeClaim": {"claimName": "no"}}),
            all("error processing PVC default/no: failed to fetch PVC from API server: persistentvolumeclaims \"no\" not found"),
        ),
        (json!({"persistentVolumeClaim": {"claimName": "waits"}}), all("error processing PVC default/waits: PVC is not bound")),
        (
            json!({"persistentVolumeClaim": {"claimName": "local"}}),
            "Warning FailedMount MountVolume.NewMounter initialization failed for volume \"pv\" : path \"/mnt/disk\" does not exist"
                .to_owned(),
        ),
        (
            json!({"persistentVolumeClaim": {"claimName": "raw"}}),
            all("volume v has volumeMode Block, but is specified in volumeMounts"),
        ),
    ];
    for (source, expected) in cases {
        let cluster = Cluster::new();
        config_map(&cluster, "cm", json!({}));
        secret(&cluster, "s", json!({}));
        claims(&cluster);
        cluster.create("p", with_volumes(&volume(source)));
        cluster.pass_for(simulation::Duration::from_millis(200));
        assert_eq!(cluster.line("p"), "Pending c-waiting:ContainerCreatingx0", "{expected}");
        assert_eq!(cluster.events("p").lines().next(), Some(&*expected));
    }
}

/// A claim that waits, and two that are bound.
fn claims(cluster: &Cluster) {
    let size = json!({"requests": {"storage": "1Gi"}});
    for (claim, mode, volume) in [("waits", "Filesystem", ""), ("local", "Filesystem", "pv"), ("raw", "Block", "rawpv")]
    {
        let mut spec = json!({"accessModes": ["ReadWriteOnce"], "resources": size.clone(), "volumeMode": mode});
        if !volume.is_empty() {
            spec["volumeName"] = volume.into();
        }
        let client = cluster.client.clone();
        let claim = json!({"metadata": {"name": claim}, "spec": spec});
        let path = json!({"path": "/mnt/disk"});
        cluster.run(async move {
            let kind = &kinds::PERSISTENT_VOLUME_CLAIMS;
            let mut made = client.create(kind, "default", Object::new(claim)).await.unwrap();
            if volume.is_empty() {
                return;
            }
            made.set("status.phase", "Bound");
            client.update_sub(kind, "status", made.clone()).await.unwrap();
            let affinity = json!({"required": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": ["minikube"]}]}]}});
            let spec = json!({"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "volumeMode": mode,
                "local": path, "nodeAffinity": affinity,
                "claimRef": {"namespace": "default", "name": made.name(), "uid": made.uid()}});
            let object = Object::new(json!({"metadata": {"name": volume}, "spec": spec}));
            client.create(&kinds::PERSISTENT_VOLUMES, "", object).await.unwrap();
        });
    }
}

#[test]
fn nobody_looks_at_a_volume_that_no_container_mounts() {
    let cluster = Cluster::new();
    let mut spec = with_volumes(&json!([{"name": "v", "configMap": {"name": "no"}}]));
    spec["containers"][0].as_object_mut().unwrap().remove("volumeMounts");
    cluster.create("p", spec);
    cluster.pass(3);
    assert_eq!(cluster.line("p"), "Running c+runningx0");
}

#[test]
fn sub_paths_are_made_and_do_not_lead_out() {
    let cluster = Cluster::new();
    let host = cluster.kubelet.host_files().clone();
    host.mkdir_all("/data/in").unwrap();
    host.symlink("/etc", "/data/out").unwrap();
    host.mkdir_all("/etc").unwrap();
    host.chmod("/data", 0o770).unwrap();
    let create = |name: &str, mount: Value| {
        let mut spec = with_volumes(&json!([{"name": "v", "hostPath": {"path": "/data"}}]));
        for (key, value) in mount.as_object().unwrap().iter() {
            spec["containers"][0]["volumeMounts"][0][key.as_str()] = value.clone();
        }
        spec["containers"][0]["env"] = json!([{"name": "POD", "value": name}, {"name": "UP", "value": ".."}]);
        cluster.create(name, spec);
        cluster.pass(3);
        let status = cluster.get(name).unwrap();
        status.list("status.containerStatuses")[0]["state"]["waiting"]["message"].as_str().unwrap_or("").to_owned()
    };
    assert_eq!(create("a", json!({"subPathExpr": "logs/$(POD)"})), "");
    assert_eq!(listed(&host, "/data/logs")[0], "drwxrwx--- 0:0 .", "as the volume's root");
    assert!(host.is_dir("/data/logs/a"));
    let cases = [
        ("b", json!({"subPathExpr": "$(NO)/$(NOR)"}), "missing value for NO, NOR"),
        ("d", json!({"subPathExpr": "$(UP)/x"}), "unable to provision SubPath `../x`: must not contain '..'"),
        ("e", json!({"subPath": "out"}), "failed to prepare subPath for volumeMount \"v\" of container \"c\""),
        (
            "f",
            json!({"subPath": "out/x"}),
            "failed to create subPath directory for volumeMount \"v\" of container \"c\"",
        ),
    ];
    for (name, mount, expected) in cases {
        assert_eq!(create(name, mount), expected);
        assert_eq!(cluster.line(name), "Pending c-waiting:CreateContainerConfigErrorx0");
        assert!(cluster.events(name).contains(&format!("Warning Failed Error: {expected}")), "{name}");
    }
    assert!(!host.exists("/etc/x"));
}

#[test]
fn memory_is_full_at_its_limit_and_one_container_pays() {
    let cluster = Cluster::new();
    let mut spec = with_volumes(&json!([
        {"name": "sized", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
        {"name": "of-pod", "emptyDir": {"medium": "Memory"}},
        {"name": "disk", "emptyDir": {}},
    ]));
    spec["containers"][0]["resources"] = json!({"limits": {"memory": "8Mi"}});
    let mut second = spec["containers"][0].clone();
    second["name"] = "second".into();
    spec["containers"] = json!([spec["containers"][0].clone(), second]);
    cluster.create("p", spec);
    cluster.pass(3);
    let usage = |path: &str| mounted(&cluster, path).0.usage();
    assert_eq!((usage("/sized").bytes_max, usage("/of-pod").bytes_max), (1 << 20, 16 << 20));
    assert!(usage("/sized").in_memory && !usage("/disk").in_memory);
    let big = vec![0; 2 << 20];
    assert_eq!(mounted(&cluster, "/sized").0.write("/file", big), Err(vfs::Errno::NoSpace));
    assert_eq!(cluster.fake.config_of("c").memory_files.len(), 2);
    assert_eq!(cluster.fake.config_of("second").memory_files.len(), 0);
}

#[test]
fn no_empty_dir_holds_more_than_any_tree_may() {
    let cluster = Cluster::new();
    let volumes = json!([
        {"name": "memory", "emptyDir": {"medium": "Memory"}},
        {"name": "large-memory", "emptyDir": {"medium": "Memory", "sizeLimit": "3Gi"}},
        {"name": "large", "emptyDir": {"sizeLimit": "3Gi"}},
        {"name": "small", "emptyDir": {"sizeLimit": "1Mi"}},
    ]);
    cluster.create("p", with_volumes(&volumes));
    cluster.pass(3);
    for name in ["memory", "large-memory", "large", "small"] {
        let bytes_max = mounted(&cluster, &format!("/{name}")).0.usage().bytes_max;
        assert_eq!(bytes_max, vfs::limits::TREE_BYTES_MAX, "{name}");
    }
}

#[test]
fn a_local_volume_goes_to_the_group_unless_it_is_read_only() {
    let cluster = Cluster::new();
    let host = cluster.kubelet.host_files().clone();
    host.mkdir_all("/mnt/disk").unwrap();
    claims(&cluster);
    for (name, read_only, expected) in [("reads", true, 0), ("writes", false, 2000)] {
        let claim = json!({"persistentVolumeClaim": {"claimName": "local", "readOnly": read_only}, "name": "v"});
        let mut spec = with_volumes(&json!([claim]));
        spec["securityContext"] = json!({"fsGroup": 2000});
        cluster.create(name, spec);
        cluster.pass(3);
        assert_eq!(cluster.line(name), "Running c+runningx0");
        assert_eq!(host.stat("/mnt/disk").unwrap().gid, expected, "{name}");
    }
}

#[test]
fn what_admission_added_is_not_read_again_every_minute() {
    let cluster = Cluster::new();
    config_map(&cluster, "cm", json!({"key": "old"}));
    let source = json!({"sources": [{"configMap": {"name": "cm"}}]});
    let volumes =
        json!([{"name": "kube-api-access-x", "projected": source.clone()}, {"name": "own", "projected": source}]);
    cluster.create("p", with_volumes(&volumes));
    cluster.pass(3);
    let client = cluster.client.clone();
    cluster.run(async move {
        let mut map = client.get(&kinds::CONFIG_MAPS, "default", "cm").await.unwrap();
        map.set("data.key", "new");
        client.update(&kinds::CONFIG_MAPS, map).await.unwrap();
    });
    cluster.pass(130);
    let content = |path: &str| mounted(&cluster, path).0.read_to_string("/key").unwrap();
    assert_eq!((content("/own").as_str(), content("/kube-api-access-x").as_str()), ("new", "old"));
}

#[test]
fn variables_come_from_files_that_an_init_container_wrote() {
    let cluster = Cluster::new();
    let reference = |key: &str, optional: bool| json!({"fileKeyRef": {"volumeName": "config", "path": "app.env", "key": key, "optional": optional}});
    let mut spec = with_volumes(&json!([{"name": "config", "emptyDir": {}}]));
    spec["initContainers"] = spec["containers"].clone();
    spec["initContainers"][0]["name"] = "init".into();
    spec["initContainers"][0]["args"] = json!(["exit", "0"]);
    spec["containers"][0]["env"] =
        json!([{"name": "A", "valueFrom": reference("A", false)}, {"name": "B", "valueFrom": reference("B", true)}]);
    cluster.create("p", spec);
    cluster.pass(2);
    let message = |cluster: &Cluster| {
        let pod = cluster.get("p").unwrap();
        pod.list("status.containerStatuses")[0]["state"]["waiting"]["message"].as_str().unwrap_or("").to_owned()
    };
    assert_eq!(message(&cluster), "couldn't parse env file");
    let init = cluster.fake.config_of("init");
    let tree = init.mounts.into_iter().find(|m| m.path == "/config").unwrap().source;
    tree.write("/app.env", "C='x'\n").unwrap();
    cluster.pass(20);
    let uid = cluster.get("p").unwrap().uid().to_owned();
    assert_eq!(
        message(&cluster),
        format!(
            "environment variable key \"A\" not found in file \
             \"/var/lib/kubelet/pods/{uid}/volumes/kubernetes.io~empty-dir/config/app.env\""
        )
    );
    let large = format!("A='x'\n{}", "# nothing\n".repeat(110_000));
    tree.write("/app.env", large).unwrap();
    cluster.pass(20);
    assert_eq!(message(&cluster), "couldn't parse env file", "more than 1 MiB");
    tree.write("/app.env", "A='from a file'\n").unwrap();
    cluster.pass(20);
    let env = cluster.fake.config_of("c").env;
    assert_eq!(env.iter().find(|(n, _)| n == "A").unwrap().1, "from a file");
    assert!(!env.iter().any(|(n, _)| n == "B"));
}

#[test]
fn an_image_is_mounted_as_a_volume() {
    let cluster = Cluster::new();
    let image =
        |reference: &str| json!([{"name": "v", "image": {"reference": reference, "pullPolicy": "IfNotPresent"}}]);
    let mut spec = with_volumes(&image("files:1"));
    spec["containers"][0]["volumeMounts"][0]["subPath"] = "dir".into();
    cluster.create("p", spec);
    cluster.pass(3);
    assert_eq!(cluster.line("p"), "Running c+runningx0");
    let (tree, root, read_only) = mounted(&cluster, "/v");
    assert_eq!((tree.read_to_string(&format!("{root}/name")).unwrap().as_str(), read_only), ("files:1", true));
    assert!(cluster.events("p").contains("Normal Pulling Pulling image \"files:1\""));
    cluster.create("q", with_volumes(&image("nope")));
    cluster.pass(3);
    assert!(cluster.events("q").contains("Warning Failed Failed to pull image \"nope\""));
    assert!(cluster.line("q").starts_with("Pending c-waiting:ImagePullBackOff"), "{}", cluster.line("q"));
}

#[test]
fn pull_secrets_reach_the_registry() {
    let cluster = Cluster::new();
    let auths = json!({"auths": {"ghcr.io": {"username": "cat", "password": "x"}}}).to_string();
    let mut made = json!({"metadata": {"name": "regcred"}, "type": "kubernetes.io/dockerconfigjson"});
    made["stringData"] = json!({".dockerconfigjson": auths});
    make(&cluster, &kinds::SECRETS, made);
    let pod = |image: &str, secrets: &[&str]| {
        let secrets: Vec<Value> = secrets.iter().map(|name| json!({"name": name})).collect();
        json!({"containers": [{"name": "c", "image": image}], "imagePullSecrets": secrets})
    };
    cluster.create("p", pod("ghcr.io/cat/app:1", &["regcred"]));
    cluster.pass(3);
    let users: Vec<String> = cluster.fake.logins.borrow().iter().map(|login| login.user.clone()).collect();
    assert_eq!(users, ["cat"]);
    cluster.create("q", pod("ghcr.io/cat/other:1", &["no", "nor"]));
    cluster.pass(3);
    assert!(cluster.fake.logins.borrow().is_empty());
    assert!(cluster.events("q").contains(
        "Warning FailedToRetrieveImagePullSecret Unable to retrieve some image pull secrets (no, nor); \
         attempting to pull the image may not succeed."
    ));
}

#[test]
fn an_image_that_took_a_login_is_not_open_to_every_pod() {
    let cluster = Cluster::new();
    let auths = json!({"auths": {"ghcr.io": {"username": "cat", "password": "x"}}}).to_string();
    let mut made = json!({"metadata": {"name": "regcred"}, "type": "kubernetes.io/dockerconfigjson"});
    made["stringData"] = json!({".dockerconfigjson": auths});
    make(&cluster, &kinds::SECRETS, made);
    let pod = |policy: &str, secrets: Value| {
        json!({"containers": [{"name": "c", "image": "ghcr.io/cat/app:1", "imagePullPolicy": policy}],
            "imagePullSecrets": secrets})
    };
    let secret = json!([{"name": "regcred"}]);
    cluster.create("a", pod("IfNotPresent", secret.clone()));
    cluster.pass(3);
    assert!(cluster.events("a").contains("Pulling image"));
    cluster.create("b", pod("IfNotPresent", secret));
    cluster.pass(3);
    assert!(cluster.events("b").contains("already present on machine and can be accessed by the pod"));
    cluster.create("c", pod("Never", json!([])));
    cluster.pass(3);
    assert_eq!(cluster.line("c"), "Pending c-waiting:ErrImageNeverPullx0");
    cluster.create("d", pod("IfNotPresent", json!([])));
    cluster.pass(3);
    assert!(cluster.events("d").contains("Pulling image"), "the registry decides");
    cluster.create("e", pod("Never", json!([])));
    cluster.pass(3);
    assert_eq!(cluster.line("e"), "Running c+runningx0", "it gave the image to anybody");
}
