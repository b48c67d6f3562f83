//! Static pods and their mirrors, as the API shows them.

use api::{Object, kinds};
use client::DeleteOptions;

use crate::testing::Cluster;

const FOLDER: &str = "/etc/kubernetes/manifests";
const FILE: &str = "/etc/kubernetes/manifests/web.yaml";
const MANIFEST: &str = "
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: c
    image: busybox:1
";

fn mirror(cluster: &Cluster) -> Option<Object> {
    cluster.get("web-minikube")
}

fn with_manifest(text: &str) -> Cluster {
    let cluster = Cluster::new();
    let files = cluster.kubelet.files();
    files.mkdir_all(FOLDER).unwrap();
    files.write(FILE, text.to_owned().into_bytes()).unwrap();
    cluster.pass(14);
    cluster
}

#[test]
fn a_file_is_a_pod_until_it_goes() {
    let cluster = with_manifest(MANIFEST);
    assert_eq!(cluster.line("web-minikube"), "Running c+runningx0");
    let pod = mirror(&cluster).unwrap();
    let owner = pod.controller_ref().unwrap();
    assert_eq!((owner.kind.as_str(), owner.name.as_str()), ("Node", "minikube"));
    assert_eq!(pod.annotation("kubernetes.io/config.source"), Some("file"));
    assert_eq!(pod.annotation("kubernetes.io/config.mirror"), pod.annotation("kubernetes.io/config.hash"));

    let changed = MANIFEST.replace("busybox:1", "busybox:2");
    cluster.kubelet.files().write(FILE, changed.into_bytes()).unwrap();
    cluster.pass(30);
    let pod = mirror(&cluster).unwrap();
    assert_eq!(pod.list("spec.containers")[0]["image"], "busybox:2");
    assert_eq!((cluster.line("web-minikube").as_str(), cluster.fake.running()), ("Running c+runningx0", 1));

    cluster.kubelet.files().unlink(FILE).unwrap();
    cluster.pass(30);
    assert_eq!((mirror(&cluster).is_none(), cluster.fake.running()), (true, 0));
}

#[test]
fn who_deletes_the_mirror_gets_another_and_stops_nothing() {
    let cluster = with_manifest(MANIFEST);
    let id = |pod: &Object| pod.list("status.containerStatuses")[0]["containerID"].clone();
    let before = mirror(&cluster).unwrap();
    let client = cluster.client.clone();
    cluster.run(async move {
        client.delete(&kinds::PODS, "default", "web-minikube", &DeleteOptions::default()).await.unwrap();
    });
    cluster.pass(2);
    let after = mirror(&cluster).unwrap();
    assert_ne!(before.uid(), after.uid());
    assert_eq!(id(&before), id(&after), "the same container");
    assert_eq!(cluster.line("web-minikube"), "Running c+runningx0");
}

#[test]
fn what_is_no_pod_is_passed_over() {
    for text in ["kind: Service", "{", "", "kind: Pod"] {
        let cluster = with_manifest(text);
        assert_eq!((mirror(&cluster).is_none(), cluster.fake.running()), (true, 0), "{text:?}");
    }
}
