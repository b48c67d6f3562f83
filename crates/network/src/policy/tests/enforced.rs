//! Policies of an API server on sockets: what is dropped, what goes on, and when news count.

use std::net::SocketAddrV4;
use std::rc::Rc;

use api::{Kind, kinds};
use client::Client;
use json::{Value, json};
use simulation::{Duration, Sim, TraceKind};

use crate::nat::{Protocol, Rules, ServiceRule};
use crate::policy::NetworkPolicies;
use crate::tests::{at, run, sim};
use crate::{Fabric, NetError, NetNs, Role, limits};

/// Two pods on one node and the learner's machine beside it.
struct World {
    sim: Sim,
    client: Client,
    fabric: Fabric,
    web: NetNs,
    guest: NetNs,
    node: NetNs,
    learner: NetNs,
    _policies: NetworkPolicies,
}

fn world() -> World {
    let sim = sim();
    let fabric = Fabric::new(sim.clone());
    let server = apiserver::ApiServer::new(sim.clone(), apiserver::Config::default());
    let client = Client::new(Rc::new(server), "test");
    let attach = |name: &str, address: &str, role| fabric.attach_as(name, &[address.parse().unwrap()], role);
    let world = World {
        web: attach("pod/default/web", "10.244.0.2", Role::Pod),
        guest: attach("pod/default/guest", "10.244.0.3", Role::Pod),
        node: attach("node/minikube", "192.168.49.2", Role::Node),
        learner: attach("learner", "192.168.49.1", Role::Outside),
        _policies: NetworkPolicies::start(&sim, &client, &fabric),
        sim,
        client,
        fabric,
    };
    world.create(&kinds::SERVICE_ACCOUNTS, json!({"metadata": {"name": "default"}}));
    for name in ["web", "guest"] {
        let pod = json!({"metadata": {"name": name, "labels": {"app": name}},
            "spec": {"nodeName": "minikube", "containers": [{"name": "c", "image": "i", "ports": [{"name": "http", "containerPort": 80}]}]}});
        world.create(&kinds::PODS, pod);
    }
    world
}

impl World {
    fn create(&self, kind: &'static Kind, object: Value) {
        let client = self.client.clone();
        run(&self.sim, async move { client.create(kind, "default", object.into()).await.map(drop) }).unwrap();
    }

    fn policy(&self, name: &str, spec: Value) {
        self.create(&kinds::NETWORK_POLICIES, json!({"metadata": {"name": name}, "spec": spec}));
    }

    fn delete(&self, name: &'static str) {
        let client = self.client.clone();
        run(&self.sim, async move {
            client.delete(&kinds::NETWORK_POLICIES, "default", name, &Default::default()).await.map(drop)
        })
        .unwrap();
    }

    /// Whether a connection is there within two seconds.
    fn connects(&self, from: &NetNs, to: &str) -> Result<(), NetError> {
        let (sim, from, to) = (self.sim.clone(), from.clone(), at(to));
        run(&self.sim, async move {
            let attempt = sim.timeout(Duration::from_secs(2), from.connect(to)).await;
            attempt.unwrap_or(Err(NetError::TimedOut)).map(drop)
        })
    }
}

const DENY_ALL: &str = "deny-all";

fn deny_all() -> Value {
    json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
}

#[test]
fn what_is_denied_is_dropped_and_what_is_allowed_passes() {
    let w = world();
    let _listener = w.web.listen(at("0.0.0.0:80")).unwrap();
    assert_eq!(w.connects(&w.guest, "10.244.0.2:80"), Ok(()));
    assert_eq!(w.connects(&w.guest, "10.244.0.2:81"), Err(NetError::Refused));
    assert!(!w.fabric.0.is_filtered(), "nothing is looked at without a policy");

    w.policy(DENY_ALL, json!({"podSelector": {}}));
    assert_eq!(w.connects(&w.guest, "10.244.0.2:80"), Err(NetError::TimedOut));
    assert_eq!(w.connects(&w.guest, "10.244.0.2:81"), Err(NetError::TimedOut), "not refused either");
    assert_eq!(w.connects(&w.web, "127.0.0.1:80"), Ok(()), "loopback");
    assert_eq!(w.connects(&w.web, "10.244.0.2:80"), Ok(()), "to itself");
    assert_eq!(w.connects(&w.node, "10.244.0.2:80"), Ok(()), "from its node");

    w.policy(
        "allow",
        json!({"podSelector": {"matchLabels": {"app": "web"}},
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "guest"}}}], "ports": [{"port": "http"}]}]}),
    );
    assert_eq!(w.connects(&w.guest, "10.244.0.2:80"), Ok(()));
    assert_eq!(w.connects(&w.guest, "10.244.0.2:81"), Err(NetError::TimedOut));

    w.delete("allow");
    assert_eq!(w.connects(&w.guest, "10.244.0.2:80"), Err(NetError::TimedOut));
    w.delete(DENY_ALL);
    assert_eq!(w.connects(&w.guest, "10.244.0.2:80"), Ok(()));
    assert!(!w.fabric.0.is_filtered(), "the last policy is gone");
}

#[test]
fn labels_count_when_they_change() {
    let w = world();
    let _listener = w.web.listen(at("0.0.0.0:80")).unwrap();
    w.policy(
        "allow",
        json!({"podSelector": {"matchLabels": {"app": "web"}},
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"access": "true"}}}]}]}),
    );
    assert_eq!(w.connects(&w.guest, "10.244.0.2:80"), Err(NetError::TimedOut));
    let (client, sim, guest) = (w.client.clone(), w.sim.clone(), w.guest.clone());
    let after = run(&w.sim, async move {
        let mut pod = client.get(&kinds::PODS, "default", "guest").await.unwrap();
        pod.set_label("access", "true");
        client.update(&kinds::PODS, pod).await.unwrap();
        sim.sleep(Duration::from_millis(100)).await;
        guest.connect(at("10.244.0.2:80")).await.map(drop)
    });
    assert_eq!(after, Ok(()));
}

#[test]
fn a_first_packet_is_sent_again_and_judged_anew() {
    let w = world();
    let _listener = w.web.listen(at("0.0.0.0:80")).unwrap();
    w.policy(DENY_ALL, deny_all());
    let (sim, guest) = (w.sim.clone(), w.guest.clone());
    let given_up = run(&w.sim, async move {
        let began = sim.elapsed();
        (guest.connect(at("10.244.0.2:80")).await.err(), sim.elapsed() - began)
    });
    assert_eq!(given_up, (Some(NetError::TimedOut), limits::CONNECT_TIMEOUT));

    let (sim, guest, client) = (w.sim.clone(), w.guest.clone(), w.client.clone());
    let late = run(&w.sim, async move {
        let began = sim.elapsed();
        let attempt = sim.spawn({
            let (sim, client) = (sim.clone(), client.clone());
            async move {
                sim.sleep(Duration::from_millis(3_500)).await;
                client.delete(&kinds::NETWORK_POLICIES, "default", DENY_ALL, &Default::default()).await.map(drop)
            }
        });
        let outcome = guest.connect(at("10.244.0.2:80")).await.map(drop);
        drop(attempt);
        (outcome, sim.elapsed() - began)
    });
    assert_eq!(late.0, Ok(()));
    assert!(late.1 > Duration::from_secs(7) && late.1 < Duration::from_secs(8), "with the third retry: {:?}", late.1);
    let dropped = w.sim.trace_since(0).into_iter().filter(|event| {
        matches!(&event.kind, TraceKind::Flow { outcome, to, .. } if outcome == "dropped" && to == "pod/default/web")
    });
    assert_eq!(dropped.count(), 2, "each attempt is reported once, at once");
}

#[test]
fn open_connections_go_on_and_answers_pass() {
    let w = world();
    let listener = w.web.listen(at("0.0.0.0:80")).unwrap();
    let guest = w.guest.clone();
    let (near, far) = run(&w.sim, async move {
        let near = guest.connect(at("10.244.0.2:80")).await.unwrap();
        (near, listener.accept().await.unwrap())
    });
    w.policy(DENY_ALL, deny_all());
    assert_eq!(w.connects(&w.guest, "10.244.0.2:80"), Err(NetError::TimedOut));
    run(&w.sim, async move {
        near.write_all(b"still").await.unwrap();
        assert_eq!(&far.read().await.unwrap()[..], b"still");
        far.write_all(b"here").await.unwrap();
        assert_eq!(&near.read().await.unwrap()[..], b"here");
    });
}

#[test]
fn datagrams() {
    let w = world();
    let server = w.web.udp_bind(at("0.0.0.0:53")).unwrap();
    let asker = w.guest.udp_bind(at("0.0.0.0:4000")).unwrap();
    // The server may send nothing by itself, but may be asked.
    w.policy(
        "server",
        json!({"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"ports": [{"protocol": "UDP", "port": 53}]}]}),
    );
    let sim = w.sim.clone();
    run(&w.sim, async move {
        let patience = Duration::from_secs(1);
        server.send_to(b"unasked", at("10.244.0.3:4000")).unwrap();
        assert!(sim.timeout(patience, asker.recv_from()).await.is_err(), "nothing comes, not even an error");
        asker.send_to(b"question", at("10.244.0.2:53")).unwrap();
        let (question, from) = sim.timeout(patience, server.recv_from()).await.unwrap().unwrap();
        assert_eq!((&question[..], from), (&b"question"[..], at("10.244.0.3:4000")));
        server.send_to(b"answer", from).unwrap();
        assert_eq!(&sim.timeout(patience, asker.recv_from()).await.unwrap().unwrap().0[..], b"answer");
        asker.send_to(b"x", at("10.244.0.2:54")).unwrap();
        assert!(sim.timeout(patience, asker.recv_from()).await.is_err(), "dropped, so no port is unreachable");
        sim.sleep(limits::UDP_FLOW_TIMEOUT).await;
        server.send_to(b"late", from).unwrap();
        assert!(sim.timeout(patience, asker.recv_from()).await.is_err(), "the exchange is forgotten");
    });
}

#[test]
fn services_are_judged_by_what_is_behind_them() {
    let w = world();
    let _listener = w.web.listen(at("0.0.0.0:80")).unwrap();
    let backends = vec![SocketAddrV4::new([10, 244, 0, 2].into(), 80)];
    w.fabric.set_rules(Rules::new(vec![ServiceRule {
        service: "default/web".to_owned(),
        protocol: Protocol::Tcp,
        addresses: vec![at("10.96.0.7:8080")],
        external_ips: Vec::new(),
        balancers: Vec::new(),
        node_port: Some(30_080),
        backends,
        by_node: Default::default(),
        ready_by_node: Default::default(),
        external_local: false,
        internal_local: false,
        affinity: None,
    }]));
    let out = |cidr: &str| {
        json!({"podSelector": {"matchLabels": {"app": "guest"}}, "policyTypes": ["Egress"],
        "egress": [{"to": [{"ipBlock": {"cidr": cidr}}]}]})
    };
    w.policy("service", out("10.96.0.0/12"));
    assert_eq!(
        w.connects(&w.guest, "10.96.0.7:8080"),
        Err(NetError::TimedOut),
        "the Service's address is not looked at"
    );
    w.policy("pod", out("10.244.0.2/32"));
    assert_eq!(w.connects(&w.guest, "10.96.0.7:8080"), Ok(()));
    // From outside, the client's own address counts, although the pod sees the node's.
    assert_eq!(w.connects(&w.learner, "192.168.49.2:30080"), Ok(()));
    w.policy(
        "in",
        json!({"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [{"from": [{"podSelector": {}}]}]}),
    );
    assert_eq!(w.connects(&w.learner, "192.168.49.2:30080"), Err(NetError::TimedOut));
    assert_eq!(w.connects(&w.guest, "10.96.0.7:8080"), Ok(()));
    w.policy("learner", json!({"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "192.168.49.1/32"}}]}]}));
    assert_eq!(w.connects(&w.learner, "192.168.49.2:30080"), Ok(()));
}
