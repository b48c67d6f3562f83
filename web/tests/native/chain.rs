//! The chain of what a command set in motion, as one reads it.

use expect_test::{Expect, expect};
use simulation::{Time, TraceEvent, TraceKind};
use web::chain::{Chain, Reader, STEPS_MAX};
use web::text::Language;

fn learner(what: &str) -> TraceKind {
    TraceKind::Learner { what: what.to_owned() }
}

fn write(by: &str, op: &str, kind: &str, name: &str) -> TraceKind {
    TraceKind::Write {
        by: by.to_owned(),
        op: op.to_owned(),
        kind: kind.to_owned(),
        namespace: "default".to_owned(),
        name: name.to_owned(),
        revision: 1,
    }
}

fn container(what: &str) -> TraceKind {
    TraceKind::Container {
        node: "minikube".to_owned(),
        namespace: "default".to_owned(),
        pod: "web-1-a".to_owned(),
        container: "web".to_owned(),
        what: what.to_owned(),
    }
}

fn decision(node: Option<&str>) -> TraceKind {
    TraceKind::Decision {
        namespace: "default".to_owned(),
        pod: "web-1-a".to_owned(),
        node: node.map(str::to_owned),
        explanation: String::new(),
    }
}

fn tell(reader: &mut Reader, told: &mut Chain) {
    if let Some(news) = reader.news() {
        told.hear(news);
    }
}

fn taken(kinds: impl IntoIterator<Item = TraceKind>) -> Chain {
    let (mut reader, mut told) = (Reader::default(), Chain::default());
    for (index, kind) in kinds.into_iter().enumerate() {
        let time = Time::from_nanos(1_795_000_000_000_000_000 + index as i64 * 5_000_000);
        reader.take_in(&[TraceEvent { seq: index as u64 + 1, time, kind }]);
        // Told now and then, in pieces of several steps.
        if index % 3 == 2 {
            tell(&mut reader, &mut told);
        }
    }
    tell(&mut reader, &mut told);
    assert_eq!(&told, reader.chain(), "the page knows what the worker knows");
    assert_eq!(reader.news(), None);
    told
}

fn check(chain: &Chain, language: Language, expected: &Expect) {
    let mut text = format!("$ {}\n", chain.command);
    for step in &chain.steps {
        text += &format!("{:>4} ms {:?}: {}\n", step.after_ms, step.station, step.sentence(language));
    }
    expected.assert_eq(&text);
}

const DEPLOYMENT: &str = "kube-controller-manager/deployment-controller";
const REPLICA_SET: &str = "kube-controller-manager/replicaset-controller";
const SLICES: &str = "kube-controller-manager/endpointslice-controller";

fn created() -> Vec<TraceKind> {
    vec![
        learner("kubectl create deployment web --image=nginx"),
        write("kubectl", "ADDED", "Deployment", "web"),
        write(DEPLOYMENT, "ADDED", "ReplicaSet", "web-1"),
        write(DEPLOYMENT, "MODIFIED", "Deployment", "web"),
        write(DEPLOYMENT, "ADDED", "Event", "web.1"),
        write(REPLICA_SET, "ADDED", "Pod", "web-1-a"),
        write(REPLICA_SET, "MODIFIED", "ReplicaSet", "web-1"),
        decision(Some("minikube")),
        write("kube-scheduler", "MODIFIED", "Pod", "web-1-a"),
        write("kubelet/minikube", "MODIFIED", "Pod", "web-1-a"),
        container("pulling"),
        container("created"),
        container("started"),
        write("kubelet/minikube", "MODIFIED", "Lease", "minikube"),
        write("kubelet/minikube", "MODIFIED", "Pod", "web-1-a"),
        write("kubelet/minikube", "MODIFIED", "Pod", "web-1-a"),
    ]
}

#[test]
fn a_deployment_becomes_a_running_pod() {
    let chain = taken(created());
    check(
        &chain,
        Language::En,
        &expect![[r#"
            $ kubectl create deployment web --image=nginx
               0 ms Command: Your command asked the API server to create Deployment web.
               0 ms Etcd: The API server checked it, recorded Deployment web in etcd, and told the parts that watch.
               5 ms Controllers: The deployment-controller heard of it and created ReplicaSet web-1.
              20 ms Controllers: The replicaset-controller heard of it and created Pod web-1-a.
              30 ms Scheduler: The scheduler chose node minikube for Pod web-1-a.
              40 ms Kubelet: The kubelet on minikube reported the state of Pod web-1-a to the API server.
              45 ms Kubelet: The kubelet on minikube began to pull the image of Pod web-1-a.
              55 ms Kubelet: The kubelet on minikube started the container of Pod web-1-a.
        "#]],
    );
    check(
        &chain,
        Language::Ja,
        &expect![[r#"
        $ kubectl create deployment web --image=nginx
           0 ms Command: コマンドが API server に、Deployment web を作るよう頼みました。
           0 ms Etcd: API server は内容を確かめて Deployment web を etcd に記録し、見守っている部品に知らせました。
           5 ms Controllers: deployment-controller が知らせを受けて、ReplicaSet web-1 を作りました。
          20 ms Controllers: replicaset-controller が知らせを受けて、Pod web-1-a を作りました。
          30 ms Scheduler: scheduler が、Pod web-1-a を置くノードとして minikube を選びました。
          40 ms Kubelet: minikube の kubelet が、Pod web-1-a の状態を API server に報告しました。
          45 ms Kubelet: minikube の kubelet が、Pod web-1-a のイメージを取り寄せはじめました。
          55 ms Kubelet: minikube の kubelet が、Pod web-1-a のコンテナを起動しました。
    "#]],
    );
}

#[test]
fn a_pod_is_ended_and_replaced() {
    let chain = taken([
        learner("kubectl delete pod web-1-a"),
        write("kubectl", "MODIFIED", "Pod", "web-1-a"),
        write(REPLICA_SET, "ADDED", "Pod", "web-1-b"),
        write(SLICES, "MODIFIED", "EndpointSlice", "web-x"),
        container("killed"),
        write("kubelet/minikube", "DELETED", "Pod", "web-1-a"),
    ]);
    check(
        &chain,
        Language::En,
        &expect![[r#"
        $ kubectl delete pod web-1-a
           0 ms Command: Your command asked the API server to delete Pod web-1-a.
           0 ms Etcd: The API server checked it, recorded Pod web-1-a in etcd, and told the parts that watch.
           5 ms Controllers: The replicaset-controller heard of it and created Pod web-1-b.
          10 ms Controllers: The endpointslice-controller rewrote EndpointSlice web-x, the list of Pods that requests go to.
          15 ms Kubelet: The kubelet on minikube stopped the container of Pod web-1-a.
          20 ms Kubelet: The kubelet on minikube finished cleaning up, and Pod web-1-a is gone.
    "#]],
    );
}

#[test]
fn looking_around_does_not_end_a_chain_and_changing_does() {
    let mut kinds = created();
    kinds.extend([learner("kubectl get pods"), container("killed")]);
    let chain = taken(kinds.clone());
    assert_eq!((chain.command.as_str(), chain.number), ("kubectl create deployment web --image=nginx", 1));
    kinds.extend([
        learner("kubectl scale deployment web --replicas=0"),
        write("kubectl", "MODIFIED", "Deployment", "web"),
    ]);
    let chain = taken(kinds.clone());
    assert_eq!((chain.command.as_str(), chain.steps.len()), ("kubectl scale deployment web --replicas=0", 2));
    kinds.push(learner("minikube node stop minikube-m02"));
    assert_eq!(taken(kinds).command, "minikube node stop minikube-m02");
}

#[test]
fn what_the_system_does_for_itself_is_no_step() {
    let boot = taken([write(DEPLOYMENT, "ADDED", "ReplicaSet", "coredns-1"), decision(None)]);
    assert_eq!(boot, Chain::default(), "no command, no chain");
    let system = TraceKind::Write {
        by: "kubectl".to_owned(),
        op: "ADDED".to_owned(),
        kind: "Pod".to_owned(),
        namespace: "kube-system".to_owned(),
        name: "x".to_owned(),
        revision: 1,
    };
    assert!(taken([learner("kubectl run x -n kube-system"), system]).steps.is_empty());
}

#[test]
fn a_long_chain_is_cut_and_counted() {
    let pods = (0..200).map(|n| write(REPLICA_SET, "ADDED", "Pod", &format!("web-1-{n}")));
    let scale = [learner("kubectl scale"), write("kubectl", "MODIFIED", "Deployment", "web")];
    let chain = taken(scale.into_iter().chain(pods));
    assert_eq!((chain.steps.len(), chain.more), (STEPS_MAX, 202 - STEPS_MAX));
}
