//! Sockets on a fabric, driven by virtual time.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddrV4};

use simulation::{Duration, Sim, SimConfig, StepLimits, Time, TraceKind};

use crate::nat::{Protocol, Rules, ServiceRule};
use crate::{Fabric, NetError, NetNs, ResolvConf, Role, limits};

mod traffic;
mod wire;

pub(crate) fn sim() -> Sim {
    Sim::new(SimConfig { seed: 3, start: Time::from_unix_seconds(1_000_000) })
}

/// Runs a future to its end, at most a virtual hour.
pub(crate) fn run<T: 'static>(sim: &Sim, future: impl Future<Output = T> + 'static) -> T {
    let slot = std::rc::Rc::new(std::cell::RefCell::new(None));
    let out = std::rc::Rc::clone(&slot);
    sim.spawn(async move {
        *out.borrow_mut() = Some(future.await);
    });
    let until = sim.now() + Duration::from_secs(3600);
    sim.step(until, StepLimits { polls_max: 1_000_000 });
    slot.borrow_mut().take().expect("the future ends within an hour")
}

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

pub(crate) fn at(text: &str) -> SocketAddrV4 {
    text.parse().unwrap()
}

fn two_pods(sim: &Sim) -> (Fabric, NetNs, NetNs) {
    let fabric = Fabric::new(sim.clone());
    let a = fabric.attach("pod/default/a", &[ip("10.244.0.2")]);
    let b = fabric.attach("pod/default/b", &[ip("10.244.0.3")]);
    (fabric, a, b)
}

#[test]
fn bytes_travel_with_half_close_and_delay() {
    let sim = sim();
    let (_fabric, a, b) = two_pods(&sim);
    let listener = b.listen(at("0.0.0.0:80")).unwrap();
    sim.spawn(async move {
        let stream = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        loop {
            let bytes = stream.read().await.unwrap();
            if bytes.is_empty() {
                break;
            }
            heard.extend_from_slice(&bytes);
        }
        assert_eq!(*stream.peer_addr().ip(), ip("10.244.0.2"));
        stream.write_all(&heard).await.unwrap();
        stream.close();
    });
    let big = vec![7_u8; 200_000];
    let (echo, elapsed) = run(&sim, {
        let (sim, big) = (sim.clone(), big.clone());
        async move {
            let stream = a.connect(at("10.244.0.3:80")).await.unwrap();
            stream.write_all(&big).await.unwrap();
            stream.shutdown_write();
            assert_eq!(stream.try_write(b"x"), Some(Err(NetError::BrokenPipe)));
            let mut echo = Vec::new();
            loop {
                let bytes = stream.read().await.unwrap();
                if bytes.is_empty() {
                    break;
                }
                echo.extend_from_slice(&bytes);
            }
            (echo, sim.elapsed())
        }
    });
    assert_eq!(echo, big);
    assert!(elapsed >= limits::HOP_DELAY * 4, "connect and one exchange: {elapsed:?}");
    let outcomes: Vec<String> = flows(&sim).into_iter().map(|(_, _, outcome)| outcome).collect();
    assert_eq!(outcomes, ["connected", "closed"]);
}

fn flows(sim: &Sim) -> Vec<(Vec<String>, String, String)> {
    let events = sim.trace_since(0).into_iter();
    events
        .filter_map(|e| match e.kind {
            TraceKind::Flow { hops, to, outcome, .. } => Some((hops, to, outcome)),
            _ => None,
        })
        .collect()
}

#[test]
fn a_full_buffer_blocks_and_reading_frees_it() {
    let sim = sim();
    let (_fabric, a, b) = two_pods(&sim);
    let listener = b.listen(at("0.0.0.0:80")).unwrap();
    run(&sim, async move {
        let client = a.connect(at("10.244.0.3:80")).await.unwrap();
        let server = listener.accept().await.unwrap();
        let taken = client.try_write(&vec![0; 100_000]).unwrap().unwrap();
        assert_eq!(taken, limits::STREAM_BUFFER_BYTES_MAX);
        assert_eq!(client.try_write(b"x"), None);
        assert!(!client.is_writable());
        assert_eq!(server.read().await.unwrap().len(), taken);
        assert_eq!(client.try_write(b"x"), Some(Ok(1)));
    });
}

#[test]
fn what_cannot_be_reached() {
    let sim = sim();
    let (fabric, a, _b) = two_pods(&sim);
    let outside = fabric.attach_as("learner", &[ip("192.168.49.1")], Role::Outside);
    let _node = fabric.attach_as("node/minikube", &[ip("192.168.49.2")], Role::Node);
    let cases = [
        (&a, "10.244.0.3:80", NetError::Refused, limits::HOP_DELAY * 2),
        (&a, "127.0.0.1:80", NetError::Refused, limits::LOOPBACK_DELAY * 2),
        (&a, "10.244.9.9:80", NetError::Unreachable, limits::NEIGHBOUR_TIMEOUT),
        (&a, "10.96.1.1:80", NetError::TimedOut, limits::CONNECT_TIMEOUT),
        (&outside, "192.168.49.2:30000", NetError::Refused, limits::HOP_DELAY * 2),
        (&outside, "10.244.0.3:80", NetError::TimedOut, limits::CONNECT_TIMEOUT),
    ];
    for (from, to, error, after) in cases {
        let before = sim.now();
        let (from, to) = (from.clone(), at(to));
        let end = run(&sim, {
            let sim = sim.clone();
            async move { (from.connect(to).await.unwrap_err(), sim.now()) }
        });
        assert_eq!(end.0, error, "{to}");
        assert_eq!(end.1.saturating_since(before), after, "{to}");
    }
}

#[test]
fn binding_rules() {
    let sim = sim();
    let (_fabric, a, _b) = two_pods(&sim);
    let first = a.listen(at("0.0.0.0:80")).unwrap();
    assert_eq!(a.listen(at("10.244.0.2:80")).err(), Some(NetError::AddrInUse));
    assert_eq!(a.listen(at("10.244.0.3:81")).err(), Some(NetError::AddrNotAvailable));
    drop(first);
    let any = a.listen(at("10.244.0.2:80")).and_then(|_| a.listen(at("0.0.0.0:0"))).unwrap();
    assert!(limits::EPHEMERAL_PORTS.contains(&any.local_addr().port()));
}

#[test]
fn detaching_resets_the_peers() {
    let sim = sim();
    let (fabric, a, b) = two_pods(&sim);
    let listener = b.listen(at("0.0.0.0:80")).unwrap();
    let failed = run(&sim, async move {
        let client = a.connect(at("10.244.0.3:80")).await.unwrap();
        let server = listener.accept().await.unwrap();
        fabric.detach(&b);
        let seen = (client.read().await, listener.accept().await.err(), server.try_write(b"x"));
        assert_eq!(a.connect(at("10.244.0.3:80")).await.err(), Some(NetError::Unreachable));
        seen
    });
    assert_eq!(failed, (Err(NetError::Reset), Some(NetError::Down), Some(Err(NetError::BrokenPipe))));
}

fn rule(backends: &[&str]) -> ServiceRule {
    ServiceRule {
        service: "default/web".into(),
        protocol: Protocol::Tcp,
        addresses: vec![at("10.96.7.7:80")],
        external_ips: Vec::new(),
        balancers: Vec::new(),
        node_port: Some(30_080),
        backends: backends.iter().map(|b| at(b)).collect(),
        by_node: Default::default(),
        ready_by_node: Default::default(),
        external_local: false,
        internal_local: false,
        affinity: None,
    }
}

#[test]
fn services_choose_and_reject() {
    let sim = sim();
    let (fabric, a, b) = two_pods(&sim);
    let node = fabric.attach_as("node/minikube", &[ip("192.168.49.2")], Role::Node);
    let outside = fabric.attach_as("learner", &[ip("192.168.49.1")], Role::Outside);
    let listener = b.listen(at("0.0.0.0:8080")).unwrap();
    fabric.set_rules(Rules::new(vec![rule(&["10.244.0.3:8080"])]));
    let refused = run(&sim, async move {
        let client = a.connect(at("10.96.7.7:80")).await.unwrap();
        assert_eq!(client.peer_addr(), at("10.96.7.7:80"), "the client sees the Service");
        assert_eq!(*listener.accept().await.unwrap().peer_addr().ip(), ip("10.244.0.2"));
        outside.connect(at("192.168.49.2:30080")).await.unwrap();
        assert_eq!(*listener.accept().await.unwrap().peer_addr().ip(), ip("192.168.49.2"), "masqueraded");
        assert!(node.connect(at("192.168.49.2:30080")).await.is_ok());
        fabric.set_rules(Rules::new(vec![rule(&[])]));
        a.connect(at("10.96.7.7:80")).await.err()
    });
    assert_eq!(refused, Some(NetError::Refused));
    let hops: Vec<Vec<String>> = flows(&sim).into_iter().filter(|f| f.2 != "closed").map(|f| f.0).collect();
    assert_eq!(hops[0], ["10.96.7.7:80", "service/default/web", "10.244.0.3:8080"]);
    assert_eq!(hops[1], ["192.168.49.2:30080", "node/minikube", "service/default/web", "10.244.0.3:8080"]);
    assert_eq!(hops[3].last().map(String::as_str), Some("no endpoints: rejected"));
}

#[test]
fn host_ports_lead_to_a_pod() {
    let sim = sim();
    let (fabric, a, b) = two_pods(&sim);
    let _node = fabric.attach_as("node/minikube", &[ip("192.168.49.2")], Role::Node);
    let outside = fabric.attach_as("learner", &[ip("192.168.49.1")], Role::Outside);
    let listener = b.listen(at("0.0.0.0:80")).unwrap();
    let map = |pod| fabric.map_host_port(Protocol::Tcp, at("192.168.49.2:8080"), at(pod));
    assert!(map("10.244.0.3:80") && !map("10.244.0.2:80"), "one pod a port");
    let refused = run(&sim, async move {
        for from in [&a, &outside] {
            from.connect(at("192.168.49.2:8080")).await.unwrap();
            listener.accept().await.unwrap();
        }
        fabric.unmap_host_ports(ip("10.244.0.3"));
        a.connect(at("192.168.49.2:8080")).await.err()
    });
    assert_eq!(refused, Some(NetError::Refused));
}

#[test]
fn datagrams_and_their_refusal() {
    let sim = sim();
    let (_fabric, a, b) = two_pods(&sim);
    run(&sim, async move {
        let server = b.udp_bind(at("0.0.0.0:53")).unwrap();
        let client = a.udp_bind(at("0.0.0.0:0")).unwrap();
        client.send_to(b"ping", at("10.244.0.3:53")).unwrap();
        let (bytes, from) = server.recv_from().await.unwrap();
        assert_eq!((&bytes[..], *from.ip()), (&b"ping"[..], ip("10.244.0.2")));
        client.send_to(b"ping", at("10.244.0.3:54")).unwrap();
        assert_eq!(client.recv_from().await.err(), Some(NetError::Refused));
    });
}

#[test]
fn names_without_a_server() {
    let sim = sim();
    let (_fabric, a, _b) = two_pods(&sim);
    let conf = ResolvConf::cluster_first(ip("10.96.0.10"), "default", "cluster.local");
    assert_eq!(
        conf.candidates("web"),
        ["web.default.svc.cluster.local", "web.svc.cluster.local", "web.cluster.local", "web"]
    );
    assert_eq!(
        conf.to_file(),
        "nameserver 10.96.0.10\nsearch default.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n"
    );
    a.set_resolv(conf);
    run(&sim, async move {
        assert_eq!(a.resolve("localhost").await, Ok(vec![Ipv4Addr::LOCALHOST]));
        assert_eq!(a.resolve("10.1.2.3").await, Ok(vec![ip("10.1.2.3")]));
        assert_eq!(a.resolve("web").await, Err(NetError::NameTryAgain));
    });
}

#[test]
fn services_by_name_and_address() {
    use api::kinds;
    use json::json;

    let sim = sim();
    let (fabric, a, b) = two_pods(&sim);
    let server = apiserver::ApiServer::new(sim.clone(), apiserver::Config::default());
    let client = client::Client::new(std::rc::Rc::new(server), "test");
    let proxy = crate::proxy::KubeProxy::start(&sim, &client, &fabric);
    let dns = crate::dns::Dns::start(&sim, &client, &fabric, ip("10.96.0.10"), "cluster.local");
    let listener = b.listen(at("0.0.0.0:8080")).unwrap();
    a.set_resolv(ResolvConf::cluster_first(ip("10.96.0.10"), "default", "cluster.local"));
    let resolve = {
        let a = a.clone();
        move |sim: &Sim, name: &'static str| {
            let a = a.clone();
            run(sim, async move { a.resolve(name).await })
        }
    };
    run(&sim, {
        let sim = sim.clone();
        async move {
            let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
                "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}});
            let service = client.create(&kinds::SERVICES, "default", service.into()).await.unwrap();
            let address = service.str("spec.clusterIP").parse().unwrap();
            let to = SocketAddrV4::new(address, 80);
            sim.sleep(Duration::from_secs(2)).await;
            assert_eq!(a.resolve("web").await, Ok(vec![address]));
            assert_eq!(a.connect(to).await.err(), Some(NetError::Refused), "no endpoints yet");
            let slice = json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                "metadata": {"name": "web-x", "labels": {"kubernetes.io/service-name": "web"}},
                "ports": [{"name": "", "port": 8080, "protocol": "TCP"}],
                "endpoints": [{"addresses": ["10.244.0.3"], "conditions": {"ready": true}}]});
            client.create(&kinds::ENDPOINT_SLICES, "default", slice.into()).await.unwrap();
            sim.sleep(Duration::from_secs(2)).await;
            let stream = a.connect(to).await.unwrap();
            assert_eq!(listener.accept().await.unwrap().peer_addr(), stream.local_addr());
        }
    });
    let kubernetes = resolve(&sim, "kubernetes.default.svc.cluster.local");
    assert_eq!(kubernetes, Ok(vec![ip("10.96.0.1")]));
    assert_eq!(resolve(&sim, "nope"), Err(NetError::NameNotFound));
    let nobody = {
        let b = b.clone();
        run(&sim, async move { b.connect(at("10.96.9.9:80")).await.err() })
    };
    assert_eq!(nobody, Some(NetError::TimedOut), "a Service address that nobody has swallows packets");
    dns.stop();
    assert_eq!(resolve(&sim, "web"), Err(NetError::NameTryAgain), "nobody answers any more");
    drop(proxy);
    assert_eq!(fabric.rules().all().len(), 2, "rules stay when kube-proxy goes");
}

#[test]
fn the_last_pod_that_went_is_missed_as_quickly_as_any() {
    let sim = sim();
    let fabric = Fabric::new(sim.clone());
    let node = fabric.attach_as("node/minikube", &[ip("192.168.49.2")], Role::Node);
    fabric.attach("pod/default/a", &[ip("10.244.0.2")]).detach();
    let begun = sim.now();
    let error = run(&sim, async move { node.connect(at("10.244.0.2:80")).await.err() });
    assert_eq!(error, Some(NetError::Unreachable), "not a time-out of two minutes");
    assert!(sim.now() >= begun + limits::NEIGHBOUR_TIMEOUT);
}

#[test]
fn what_came_back_for_a_datagram_wakes_its_sender() {
    let sim = sim();
    let (_fabric, a, _b) = two_pods(&sim);
    let socket = a.udp_bind(at("0.0.0.0:53")).unwrap();
    socket.send_to(b"?", at("10.244.0.3:53")).unwrap();
    assert!(!socket.is_readable());
    run(&sim, {
        let sim = sim.clone();
        async move { sim.sleep(Duration::from_secs(1)).await }
    });
    assert!(socket.is_readable(), "nobody listens there");
    assert_eq!(socket.try_recv_from().map(|r| r.map(|_| ())), Some(Err(NetError::Refused)));
    assert!(!socket.is_readable());
}

#[test]
fn what_is_on_the_internet_is_reached_by_name_from_everywhere() {
    let sim = sim();
    let (fabric, pod, _) = two_pods(&sim);
    let learner = fabric.attach_as("learner", &[ip("192.168.49.1")], Role::Outside);
    let balancer = fabric.attach_as("elb/web", &[ip("44.224.0.10")], Role::Public);
    let hidden = fabric.attach_as("node/n", &[ip("192.168.3.6")], Role::Node);
    fabric.publish("web.example.com", &[ip("44.224.0.10")]);
    let _listeners = [balancer.listen(at("0.0.0.0:80")).unwrap(), hidden.listen(at("0.0.0.0:80")).unwrap()];
    for from in [&learner, &pod] {
        let from = from.clone();
        let reached = run(&sim, async move {
            let address = from.resolve("WEB.example.com").await?[0];
            from.connect(SocketAddrV4::new(address, 80)).await.map(|stream| stream.peer_addr())
        });
        assert_eq!(reached, Ok(at("44.224.0.10:80")));
    }
    let other = learner.clone();
    let node = run(&sim, async move { other.connect(at("192.168.3.6:80")).await.map(|_| ()) });
    assert_eq!(node, Err(NetError::TimedOut), "a node of another network is not on the internet");
    fabric.publish("web.example.com", &[]);
    assert_eq!(run(&sim, async move { learner.resolve("web.example.com").await }), Err(NetError::NameTryAgain));
}
