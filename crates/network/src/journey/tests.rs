//! What the packet trace tells of requests between pods, through Services and policies, and from outside.

use std::future::ready;
use std::net::SocketAddrV4;
use std::rc::Rc;

use api::http::{Body, Request, Response};
use api::{Kind as ApiKind, kinds};
use client::Client;
use expect_test::{Expect, expect};
use json::{Value, json};
use simulation::{Duration, Sim};

use super::{Answer, Hop, Journey, Kind, Outcome, What};
use crate::policy::NetworkPolicies;
use crate::tests::{at, run, sim};
use crate::{Fabric, NetNs, ResolvConf, Role, http1, limits};

/// Two pods of an app on two nodes, a guest beside them, and the learner's machine.
struct World {
    sim: Sim,
    client: Client,
    fabric: Fabric,
    guest: NetNs,
    node: NetNs,
    learner: NetNs,
    _parts: (crate::proxy::KubeProxy, NetworkPolicies, crate::dns::Dns, Vec<http1::Server>, Vec<NetNs>),
}

fn world() -> World {
    let sim = sim();
    let fabric = Fabric::new(sim.clone());
    let server = apiserver::ApiServer::new(sim.clone(), apiserver::Config::default());
    let client = Client::new(Rc::new(server), "test");
    let attach = |name: &str, address: &str, role, node: &str| {
        let ns = fabric.attach_as(name, &[address.parse().unwrap()], role);
        ns.stands_on(node);
        ns
    };
    let node = attach("node/minikube", "192.168.49.2", Role::Node, "");
    let learner = attach("learner", "192.168.49.1", Role::Outside, "");
    let guest = attach("pod/default/guest", "10.244.0.9", Role::Pod, "minikube");
    guest.set_resolv(ResolvConf::cluster_first("10.96.0.10".parse().unwrap(), "default", "cluster.local"));
    let webs = vec![
        attach("pod/default/web-1", "10.244.0.2", Role::Pod, "minikube"),
        attach("pod/default/web-2", "10.244.1.2", Role::Pod, "minikube-m02"),
    ];
    let answer: http1::Handler = Rc::new(|request: Request| {
        let mut response = Response::new(Body::Bytes("hello".into()));
        if request.uri().path() != "/" {
            *response.status_mut() = api::http::StatusCode::NOT_FOUND;
        }
        Box::pin(ready(response))
    });
    let serve = |web: &NetNs| http1::serve(&sim, web.listen(at("0.0.0.0:80")).unwrap(), Rc::clone(&answer));
    let world = World {
        _parts: (
            crate::proxy::KubeProxy::start(&sim, &client, &fabric),
            NetworkPolicies::start(&sim, &client, &fabric),
            crate::dns::Dns::start(&sim, &client, &fabric, "10.96.0.10".parse().unwrap(), "cluster.local"),
            webs.iter().map(serve).collect(),
            webs,
        ),
        guest,
        node,
        learner,
        sim,
        client,
        fabric,
    };
    world.create(&kinds::SERVICE_ACCOUNTS, json!({"metadata": {"name": "default"}}));
    for name in ["guest", "web-1", "web-2"] {
        world.create(
            &kinds::PODS,
            json!({"metadata": {"name": name, "labels": {"app": name.split('-').next()}},
            "spec": {"nodeName": "minikube", "containers": [{"name": "c", "image": "i"}]}}),
        );
    }
    world
}

impl World {
    fn create(&self, kind: &'static ApiKind, object: Value) {
        let client = self.client.clone();
        run(&self.sim, async move { client.create(kind, "default", object.into()).await.map(drop) }).unwrap();
    }

    /// A Service with endpoints, and time for kube-proxy to hear of it.
    fn service(&self, name: &str, spec: Value, endpoints: &[&str]) {
        self.create(&kinds::SERVICES, json!({"metadata": {"name": name}, "spec": spec}));
        let endpoints: Vec<Value> =
            endpoints.iter().map(|ip| json!({"addresses": [ip], "conditions": {"ready": true}})).collect();
        self.create(
            &kinds::ENDPOINT_SLICES,
            json!({"addressType": "IPv4", "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
            "ports": [{"name": "", "port": 80, "protocol": "TCP"}], "endpoints": endpoints}),
        );
        self.wait(3);
    }

    fn wait(&self, seconds: u64) {
        let sim = self.sim.clone();
        run(&self.sim, async move { sim.sleep(Duration::from_secs(seconds)).await });
    }

    /// Resolves a name, connects and asks for a path, as curl does; gives the newest journey.
    fn ask(&self, from: &NetNs, host: &'static str, port: u16, path: &'static str) -> Journey {
        let before = self.revision();
        let (sim, from) = (self.sim.clone(), from.clone());
        run(&self.sim, async move {
            let asking = async move {
                for address in from.resolve(host).await.unwrap_or_default() {
                    if let Ok(stream) = from.connect(SocketAddrV4::new(address, port)).await {
                        let mut request = Request::new(Body::Empty);
                        *request.uri_mut() = path.parse().unwrap();
                        let _ = http1::request(stream, request).await;
                        return;
                    }
                }
            };
            let _ = sim.timeout(Duration::from_secs(10), asking).await;
        });
        let mut journeys = self.fabric.journeys_since(before);
        assert_eq!(journeys.len(), 1, "one request is one journey: {journeys:#?}");
        journeys.remove(0)
    }

    fn revision(&self) -> u64 {
        self.fabric.journeys_since(0).iter().map(|journey| journey.revision).max().unwrap_or(0)
    }
}

fn check(journey: &Journey, expected: Expect) {
    let Journey { from, kind, name, to, outcome, took_us, sent, received, .. } = journey;
    let to = to.map_or("-".to_owned(), |to| to.to_string());
    let name = name.as_deref().unwrap_or("-");
    let took = took_us.map_or("goes on".to_owned(), |us| format!("{us} us"));
    let mut text = format!("{from} {kind:?} {name} {to}: {outcome:?}, {took}, {sent} sent, {received} received\n");
    for Hop { after_us, what } in &journey.hops {
        text += &format!("{after_us:>6} {what:?}\n");
    }
    expected.assert_eq(&text);
}

const WEB: [&str; 2] = ["10.244.0.2", "10.244.1.2"];

fn web(world: &World, spec: Value) {
    let mut all = json!({"clusterIP": "10.96.7.7", "selector": {"app": "web"}, "ports": [{"port": 80}]});
    for (key, value) in spec.as_object().unwrap() {
        all[key] = value.clone();
    }
    world.service("web", all, &WEB);
}

#[test]
fn a_service_with_two_pods() {
    let world = world();
    web(&world, json!({}));
    check(
        &world.ask(&world.guest, "web", 80, "/"),
        expect![[r#"
            pod/default/guest Tcp web 10.96.7.7:80: Answered, 1200 us, 38 sent, 43 received
                 0 Asked { server: 10.96.0.10, by: "coredns", name: "web.default.svc.cluster.local", answer: Records(["A 10.96.7.7"]), took_us: 400 }
               400 Rule { service: "default/web", via: ClusterIp, address: 10.96.7.7:80, node: "", endpoints: 2, chosen: Some(10.244.0.2:80), chosen_name: "pod/default/web-1", by: Chance, local: false }
               400 NoPolicy
               400 Wire { from: "minikube", to: "minikube", delay_us: 200 }
               600 Arrived { at: "pod/default/web-1", address: 10.244.0.2:80, seen_as: 10.244.0.9 }
               800 Http { method: "GET", path: "/", status: Some(200), took_us: 400 }
        "#]],
    );
    let chosen: std::collections::BTreeSet<String> = (0..12)
        .map(|_| {
            let journey = world.ask(&world.guest, "web", 80, "/");
            journey.hops.into_iter().find_map(|hop| match hop.what {
                What::Arrived { at, .. } => Some(at),
                _ => None,
            })
        })
        .map(Option::unwrap)
        .collect();
    assert_eq!(chosen.into_iter().collect::<Vec<_>>(), ["pod/default/web-1", "pod/default/web-2"]);
}

#[test]
fn session_affinity_and_a_status_that_is_an_error() {
    let world = world();
    web(&world, json!({"sessionAffinity": "ClientIP", "externalIPs": ["203.0.113.5"]}));
    check(
        &world.ask(&world.guest, "203.0.113.5", 80, "/nope"),
        expect![[r#"
            pod/default/guest Tcp - 203.0.113.5:80: Answered, 800 us, 44 sent, 50 received
                 0 Rule { service: "default/web", via: ExternalIp, address: 203.0.113.5:80, node: "", endpoints: 2, chosen: Some(10.244.1.2:80), chosen_name: "pod/default/web-2", by: Chance, local: false }
                 0 NoPolicy
                 0 Wire { from: "minikube", to: "minikube-m02", delay_us: 200 }
               200 Arrived { at: "pod/default/web-2", address: 10.244.1.2:80, seen_as: 192.168.49.2 }
               400 Http { method: "GET", path: "/nope", status: Some(404), took_us: 400 }
        "#]],
    );
}

#[test]
fn a_headless_service_has_no_rule() {
    let world = world();
    world.service("db", json!({"clusterIP": "None", "selector": {"app": "web"}, "ports": [{"port": 80}]}), &WEB);
    check(
        &world.ask(&world.guest, "db.default", 80, "/"),
        expect![[r#"
            pod/default/guest Tcp db.default 10.244.0.2:80: Answered, 1600 us, 39 sent, 43 received
                 0 Asked { server: 10.96.0.10, by: "coredns", name: "db.default.default.svc.cluster.local", answer: NoSuchName, took_us: 400 }
               400 Asked { server: 10.96.0.10, by: "coredns", name: "db.default.svc.cluster.local", answer: Records(["A 10.244.0.2", "A 10.244.1.2"]), took_us: 400 }
               800 NoPolicy
               800 Wire { from: "minikube", to: "minikube", delay_us: 200 }
              1000 Arrived { at: "pod/default/web-1", address: 10.244.0.2:80, seen_as: 10.244.0.9 }
              1200 Http { method: "GET", path: "/", status: Some(200), took_us: 400 }
        "#]],
    );
}

#[test]
fn a_service_without_endpoints_rejects() {
    let world = world();
    let spec = json!({"clusterIP": "10.96.8.8", "ports": [{"port": 80}]});
    world.service("empty", spec, &[]);
    check(
        &world.ask(&world.guest, "empty", 80, "/"),
        expect![[r#"
            pod/default/guest Tcp empty 10.96.8.8:80: NoEndpoints, 420 us, 0 sent, 0 received
                 0 Asked { server: 10.96.0.10, by: "coredns", name: "empty.default.svc.cluster.local", answer: Records(["A 10.96.8.8"]), took_us: 400 }
               400 Rule { service: "default/empty", via: ClusterIp, address: 10.96.8.8:80, node: "", endpoints: 0, chosen: None, chosen_name: "", by: None, local: false }
        "#]],
    );
}

#[test]
fn a_port_of_a_node_from_outside() {
    let world = world();
    web(&world, json!({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]}));
    check(
        &world.ask(&world.learner, "192.168.49.2", 30_080, "/"),
        expect![[r#"
            learner Tcp - 192.168.49.2:30080: Answered, 800 us, 44 sent, 43 received
                 0 Rule { service: "default/web", via: NodePort, address: 192.168.49.2:30080, node: "minikube", endpoints: 2, chosen: Some(10.244.1.2:80), chosen_name: "pod/default/web-2", by: Chance, local: false }
                 0 NoPolicy
                 0 Wire { from: "learner", to: "minikube-m02", delay_us: 200 }
               200 Arrived { at: "pod/default/web-2", address: 10.244.1.2:80, seen_as: 192.168.49.2 }
               400 Http { method: "GET", path: "/", status: Some(200), took_us: 400 }
        "#]],
    );
}

#[test]
fn an_external_name_is_an_alias() {
    let world = world();
    world.service("out", json!({"type": "ExternalName", "externalName": "web.example.com"}), &[]);
    let _balancer = world.fabric.attach_as("elb/web", &["44.224.0.10".parse().unwrap()], Role::Public);
    world.fabric.publish("web.example.com", &["44.224.0.10".parse().unwrap()]);
    check(
        &world.ask(&world.guest, "out", 80, "/"),
        expect![[r#"
            pod/default/guest Tcp out 44.224.0.10:80: Refused, 800 us, 0 sent, 0 received
                 0 Asked { server: 10.96.0.10, by: "coredns", name: "out.default.svc.cluster.local", answer: Records(["CNAME web.example.com", "A 44.224.0.10"]), took_us: 400 }
               400 NoPolicy
               400 Wire { from: "minikube", to: "", delay_us: 200 }
               600 Refused { at: "elb/web", address: 44.224.0.10:80 }
        "#]],
    );
    assert_eq!(world.ask(&world.learner, "web.example.com", 80, "/").outcome, Outcome::Refused);
}

#[test]
fn a_wrong_name_was_asked_for_in_every_domain() {
    let world = world();
    check(
        &world.ask(&world.guest, "wbe", 80, "/"),
        expect![[r#"
            pod/default/guest Name wbe -: NoSuchName, 1600 us, 0 sent, 0 received
                 0 Asked { server: 10.96.0.10, by: "coredns", name: "wbe.default.svc.cluster.local", answer: NoSuchName, took_us: 400 }
               400 Asked { server: 10.96.0.10, by: "coredns", name: "wbe.svc.cluster.local", answer: NoSuchName, took_us: 400 }
               800 Asked { server: 10.96.0.10, by: "coredns", name: "wbe.cluster.local", answer: NoSuchName, took_us: 400 }
              1200 Asked { server: 10.96.0.10, by: "coredns", name: "wbe", answer: NoSuchName, took_us: 400 }
        "#]],
    );
}

#[test]
fn nobody_listens_there_and_nobody_is_there() {
    let world = world();
    web(&world, json!({}));
    check(
        &world.ask(&world.guest, "10.244.1.2", 81, "/"),
        expect![[r#"
        pod/default/guest Tcp - 10.244.1.2:81: Refused, 400 us, 0 sent, 0 received
             0 NoPolicy
             0 Wire { from: "minikube", to: "minikube-m02", delay_us: 200 }
           200 Refused { at: "pod/default/web-2", address: 10.244.1.2:81 }
    "#]],
    );
    check(
        &world.ask(&world.guest, "10.244.1.77", 80, "/"),
        expect![[r#"
            pod/default/guest Tcp - 10.244.1.77:80: Unreachable, 3000000 us, 0 sent, 0 received
                 0 Nobody { address: 10.244.1.77:80 }
        "#]],
    );
    check(
        &world.ask(&world.learner, "10.244.1.2", 80, "/"),
        expect![[r#"
            learner Tcp - 10.244.1.2:80: GivenUp, 10000000 us, 0 sent, 0 received
                 0 NoWay { at: "pod/default/web-2", address: 10.244.1.2:80 }
        "#]],
    );
}

#[test]
fn policies_say_who_decides() {
    let world = world();
    web(&world, json!({}));
    let policy = |name: &str, spec: Value| {
        world.create(&kinds::NETWORK_POLICIES, json!({"metadata": {"name": name}, "spec": spec}));
        world.wait(1);
    };
    policy("deny", json!({"podSelector": {"matchLabels": {"app": "web"}}}));
    let dropped = world.ask(&world.guest, "10.96.7.7", 80, "/");
    assert_eq!(dropped.outcome, Outcome::Dropped, "the client gave up, because it was dropped");
    check(
        &dropped,
        expect![[r#"
            pod/default/guest Tcp - 10.96.7.7:80: Dropped, 10000000 us, 0 sent, 0 received
                 0 Rule { service: "default/web", via: ClusterIp, address: 10.96.7.7:80, node: "", endpoints: 2, chosen: Some(10.244.0.2:80), chosen_name: "pod/default/web-1", by: Chance, local: false }
                 0 Judged(Verdict { egress: false, pod: "default/web-1", selected_by: ["deny"], allowed_by: None })
        "#]],
    );
    policy(
        "allow-guest",
        json!({"podSelector": {"matchLabels": {"app": "web"}},
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "guest"}}}]}]}),
    );
    check(
        &world.ask(&world.guest, "10.244.0.2", 80, "/"),
        expect![[r#"
        pod/default/guest Tcp - 10.244.0.2:80: Answered, 800 us, 39 sent, 43 received
             0 Judged(Verdict { egress: false, pod: "default/web-1", selected_by: ["allow-guest", "deny"], allowed_by: Some("allow-guest") })
             0 Wire { from: "minikube", to: "minikube", delay_us: 200 }
           200 Arrived { at: "pod/default/web-1", address: 10.244.0.2:80, seen_as: 10.244.0.9 }
           400 Http { method: "GET", path: "/", status: Some(200), took_us: 400 }
    "#]],
    );
    policy("no-way-out", json!({"podSelector": {"matchLabels": {"app": "guest"}}, "policyTypes": ["Egress"]}));
    let mute = world.ask(&world.guest, "10.244.0.2", 80, "/");
    let verdicts: Vec<&What> = mute.hops.iter().map(|hop| &hop.what).collect();
    assert!(matches!(&verdicts[..], [What::Judged(verdict)] if verdict.egress && verdict.allowed_by.is_none()));
}

#[test]
fn a_policy_that_takes_names_away() {
    let world = world();
    let dns = world.fabric.attach("pod/kube-system/dns", &["10.96.0.53".parse().unwrap()]);
    let _socket = dns.udp_bind(at("0.0.0.0:53")).unwrap();
    world.guest.set_resolv(ResolvConf::cluster_first("10.96.0.53".parse().unwrap(), "default", "cluster.local"));
    let spec = json!({"podSelector": {"matchLabels": {"app": "guest"}}, "policyTypes": ["Egress"]});
    world.create(&kinds::NETWORK_POLICIES, json!({"metadata": {"name": "mute"}, "spec": spec}));
    world.wait(1);
    let (sim, guest) = (world.sim.clone(), world.guest.clone());
    run(&world.sim, async move { sim.timeout(Duration::from_secs(60), guest.resolve("web")).await.map(drop) }).unwrap();
    let journeys = world.fabric.journeys_since(0);
    check(
        journeys.last().unwrap(),
        expect![[r#"
            pod/default/guest Name web -: NoNameServer, 10000000 us, 0 sent, 0 received
                 0 Judged(Verdict { egress: true, pod: "default/guest", selected_by: ["mute"], allowed_by: None })
                 0 Asked { server: 10.96.0.53, by: "pod/kube-system/dns", name: "web.default.svc.cluster.local", answer: Silence, took_us: 5000000 }
            5000000 Asked { server: 10.96.0.53, by: "pod/kube-system/dns", name: "web.default.svc.cluster.local", answer: Silence, took_us: 5000000 }
        "#]],
    );
}

#[test]
fn datagrams_are_exchanges() {
    let world = world();
    let server = world.node.udp_bind(at("0.0.0.0:5000")).unwrap();
    let asker = world.guest.udp_bind(at("0.0.0.0:4000")).unwrap();
    run(&world.sim, async move {
        for _ in 0..3 {
            asker.send_to(b"ping", at("192.168.49.2:5000")).unwrap();
            let (bytes, from) = server.recv_from().await.unwrap();
            server.send_to(&bytes, from).unwrap();
            asker.recv_from().await.unwrap();
        }
        asker.send_to(b"?", at("192.168.49.2:5001")).unwrap();
        asker.recv_from().await.unwrap_err();
    });
    let journeys = world.fabric.journeys_since(0);
    let [exchange, refused] = &journeys[..] else { panic!("two exchanges: {journeys:#?}") };
    check(
        exchange,
        expect![[r#"
            pod/default/guest Udp - 192.168.49.2:5000: Answered, 1200 us, 12 sent, 12 received
                 0 Wire { from: "minikube", to: "minikube", delay_us: 200 }
               200 Arrived { at: "node/minikube", address: 192.168.49.2:5000, seen_as: 10.244.0.9 }
        "#]],
    );
    check(
        refused,
        expect![[r#"
            pod/default/guest Udp - 192.168.49.2:5001: Refused, 400 us, 1 sent, 0 received
                 0 Wire { from: "minikube", to: "minikube", delay_us: 200 }
               400 Refused { at: "node/minikube", address: 192.168.49.2:5001 }
        "#]],
    );
}

#[test]
fn a_question_that_a_program_asks_by_itself_is_read() {
    let world = world();
    web(&world, json!({}));
    let socket = world.guest.udp_bind(at("0.0.0.0:0")).unwrap();
    run(&world.sim, async move {
        let question = crate::dns::wire::query(7, "web.default.svc.cluster.local").unwrap();
        socket.send_to(&question, at("10.96.0.10:53")).unwrap();
        socket.recv_from().await.unwrap();
    });
    check(
        world.fabric.journeys_since(0).last().unwrap(),
        expect![[r#"
            pod/default/guest Udp web.default.svc.cluster.local 10.96.0.10:53: Answered, 400 us, 47 sent, 92 received
                 0 Wire { from: "minikube", to: "", delay_us: 200 }
               200 Arrived { at: "coredns", address: 10.96.0.10:53, seen_as: 10.244.0.9 }
                 0 Asked { server: 10.96.0.10, by: "coredns", name: "web.default.svc.cluster.local", answer: Records(["A 10.96.7.7"]), took_us: 400 }
        "#]],
    );
}

#[test]
fn what_is_kept_is_bounded_and_probes_push_nothing_out() {
    let world = world();
    let (guest, probing) = (world.guest.clone(), world.node.for_routine());
    run(&world.sim, async move {
        guest.connect(at("10.244.0.2:81")).await.unwrap_err();
        for _ in 0..limits::JOURNEYS_MAX {
            probing.connect(at("10.244.0.2:81")).await.unwrap_err();
        }
    });
    let kept = world.fabric.journeys_since(0);
    assert_eq!(kept.len(), 1 + limits::ROUTINE_JOURNEYS_MAX);
    assert_eq!((kept[0].routine, kept[1].routine), (false, true));
    let guest = world.guest.clone();
    run(&world.sim, async move {
        let stream = guest.connect(at("10.244.0.2:80")).await.unwrap();
        for _ in 0..2 * limits::JOURNEY_HOPS_MAX {
            stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
            stream.read().await.unwrap();
        }
    });
    let long = world.fabric.journeys_since(0).pop().unwrap();
    assert_eq!((long.kind, long.hops.len()), (Kind::Tcp, limits::JOURNEY_HOPS_MAX));
    assert_eq!(long.hops_left_out as usize, limits::JOURNEY_HOPS_MAX + 3, "what came before the exchanges counts");
    let guest = world.guest.clone();
    run(&world.sim, async move {
        for _ in 0..2 * limits::JOURNEYS_MAX {
            guest.connect(at("10.244.0.2:81")).await.unwrap_err();
        }
    });
    assert_eq!(world.fabric.journeys_since(0).len(), limits::JOURNEYS_MAX + limits::ROUTINE_JOURNEYS_MAX);
    assert!(world.fabric.journey(long.id).is_none());
}

#[test]
fn journeys_are_told_again_when_they_change() {
    let world = world();
    let guest = world.guest.clone();
    let stream = run(&world.sim, async move { guest.connect(at("10.244.0.2:80")).await.unwrap() });
    let seen = world.fabric.journeys_since(0);
    assert_eq!((seen.len(), seen[0].outcome), (1, Outcome::Connected));
    assert_eq!(stream.journey(), Some(seen[0].id));
    assert_eq!(world.fabric.journeys_since(seen[0].revision), []);
    stream.close();
    let again = world.fabric.journeys_since(seen[0].revision);
    assert_eq!((again.len(), again[0].outcome), (1, Outcome::Answered));
}

#[test]
fn an_answer_of_records_is_text() {
    let answer = Answer::Records(vec!["A 10.96.0.1".to_owned()]);
    assert_eq!(json::to_value(&answer).unwrap(), json!({"records": ["A 10.96.0.1"]}));
}
