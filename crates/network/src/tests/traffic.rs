//! What a Service's traffic policies, its affinity and its external IPs do to a connection.

use super::*;
use crate::Listener;
use crate::journey::{Choice, What};

/// Two nodes with a pod each, the learner's machine, and a Service whose endpoints are the second pod or both.
struct Cluster {
    sim: Sim,
    fabric: Fabric,
    nodes: [NetNs; 2],
    pods: [NetNs; 2],
    outside: NetNs,
    listeners: [Listener; 2],
}

const ENDPOINTS: [&str; 2] = ["10.244.0.2:80", "10.244.1.2:80"];

fn cluster(endpoints: &[usize], change: impl FnOnce(&mut ServiceRule)) -> Cluster {
    let sim = sim();
    let fabric = Fabric::new(sim.clone());
    let nodes = ["one", "two"].map(|name| {
        let address = if name == "one" { "192.168.49.2" } else { "192.168.49.3" };
        fabric.attach_as(&format!("node/{name}"), &[ip(address)], Role::Node)
    });
    let pods = ["one", "two"].map(|name| {
        let address = if name == "one" { "10.244.0.2" } else { "10.244.1.2" };
        let pod = fabric.attach(&format!("pod/default/{name}"), &[ip(address)]);
        pod.stands_on(name);
        pod
    });
    let outside = fabric.attach_as("learner", &[ip("192.168.49.1")], Role::Outside);
    let listeners = [0, 1].map(|i| pods[i].listen(at("0.0.0.0:80")).unwrap());
    let backends: Vec<&str> = endpoints.iter().map(|i| ENDPOINTS[*i]).collect();
    let mut rule = rule(&backends);
    rule.by_node = endpoints.iter().map(|i| (["one", "two"][*i].to_owned(), vec![at(ENDPOINTS[*i])])).collect();
    rule.ready_by_node = rule.by_node.clone();
    change(&mut rule);
    fabric.set_rules(Rules::new(vec![rule]));
    Cluster { sim, fabric, nodes, pods, outside, listeners }
}

impl Cluster {
    /// Which endpoint a connection comes to, and as whose; or why it does not, with what the rule decided.
    fn connect(&self, from: &NetNs, to: &str) -> (String, Choice) {
        let (from, to) = (from.clone(), at(to));
        let name = from.name().to_owned();
        let result = run(&self.sim, async move { from.connect(to).await.map(drop) });
        let heard = self.listeners.iter().position(Listener::is_readable);
        let text = match (result, heard) {
            (Ok(()), Some(index)) => {
                let stream = self.listeners[index].try_accept().unwrap().unwrap();
                format!("{} as {}", ["one", "two"][index], stream.peer_addr().ip())
            }
            (result, _) => format!("{:?}", result.err()),
        };
        let journey = self.fabric.journeys_since(0).into_iter().rev().find(|j| j.from == name).unwrap();
        let by = journey.hops.iter().find_map(|hop| match &hop.what {
            What::Rule { by, .. } => Some(*by),
            _ => None,
        });
        (text, by.unwrap_or(Choice::None))
    }
}

fn text(text: &str, by: Choice) -> (String, Choice) {
    (text.to_owned(), by)
}

#[test]
fn local_from_outside_keeps_the_source_and_drops_elsewhere() {
    let c = cluster(&[1], |rule| rule.external_local = true);
    assert_eq!(c.connect(&c.outside, "192.168.49.3:30080"), text("two as 192.168.49.1", Choice::Only));
    assert_eq!(c.connect(&c.outside, "192.168.49.2:30080"), text("Some(TimedOut)", Choice::NoneHere));
    // The policy is not for what comes to the cluster IP, nor for what sets out on the node itself.
    assert_eq!(c.connect(&c.pods[0], "10.96.7.7:80"), text("two as 10.244.0.2", Choice::Only));
    assert_eq!(c.connect(&c.nodes[0], "192.168.49.2:30080"), text("two as 192.168.49.2", Choice::Only));
    assert_eq!(c.connect(&c.pods[0], "192.168.49.2:30080"), text("two as 10.244.0.2", Choice::Only));
    let cluster_wide = cluster(&[1], |_| {});
    let answer = cluster_wide.connect(&cluster_wide.outside, "192.168.49.2:30080");
    assert_eq!(answer, text("two as 192.168.49.2", Choice::Only));
    let empty = cluster(&[], |rule| rule.external_local = true);
    let answer = empty.connect(&empty.outside, "192.168.49.2:30080");
    assert_eq!(answer, text("Some(Refused)", Choice::None), "without any endpoint it is rejected");
}

#[test]
fn local_from_inside_stays_on_the_node() {
    let c = cluster(&[0, 1], |rule| rule.internal_local = true);
    for _ in 0..4 {
        assert_eq!(c.connect(&c.pods[1], "10.96.7.7:80"), text("two as 10.244.1.2", Choice::Only));
        assert_eq!(c.connect(&c.nodes[0], "10.96.7.7:80"), text("one as 192.168.49.2", Choice::Only));
    }
    let c = cluster(&[1], |rule| rule.internal_local = true);
    assert_eq!(c.connect(&c.pods[0], "10.96.7.7:80"), text("Some(TimedOut)", Choice::NoneHere));
    assert_eq!(
        c.connect(&c.outside, "192.168.49.2:30080"),
        text("two as 192.168.49.2", Choice::Only),
        "not for node ports"
    );
}

#[test]
fn a_client_keeps_its_endpoint_until_it_was_silent_for_long() {
    let c = cluster(&[0, 1], |rule| rule.affinity = Some(Duration::from_secs(60)));
    let (first, by) = c.connect(&c.outside, "192.168.49.2:30080");
    assert_eq!(by, Choice::Chance);
    for _ in 0..20 {
        assert_eq!(c.connect(&c.outside, "192.168.49.2:30080"), (first.clone(), Choice::ClientIp));
        let sim = c.sim.clone();
        run(&c.sim, async move { sim.sleep(Duration::from_secs(50)).await });
    }
    let sim = c.sim.clone();
    run(&c.sim, async move { sim.sleep(Duration::from_secs(120)).await });
    assert_eq!(c.connect(&c.outside, "192.168.49.2:30080").1, Choice::Chance, "forgotten");
    // An endpoint that has gone is replaced.
    let mut rule = rule(&ENDPOINTS[..1]);
    rule.affinity = Some(Duration::from_secs(60));
    c.fabric.set_rules(Rules::new(vec![rule]));
    assert!(c.connect(&c.outside, "192.168.49.2:30080").0.starts_with("one "));
}

#[test]
fn external_ips_are_reached_where_a_node_has_them() {
    let external = |address: &'static str| {
        move |rule: &mut ServiceRule| {
            rule.addresses.push(at(&format!("{address}:80")));
            rule.external_ips.push(ip(address));
        }
    };
    let c = cluster(&[1], external("192.168.49.2"));
    assert_eq!(c.connect(&c.outside, "192.168.49.2:80"), text("two as 192.168.49.2", Choice::Only));
    assert_eq!(
        c.connect(&c.pods[1], "192.168.49.2:80"),
        text("two as 192.168.49.3", Choice::Only),
        "masqueraded by its node"
    );
    assert_eq!(c.connect(&c.outside, "10.96.7.7:80"), text("Some(TimedOut)", Choice::None), "no way to cluster IPs");
    let c = cluster(&[1], |rule| {
        external("192.168.49.2")(rule);
        rule.external_local = true;
    });
    assert_eq!(c.connect(&c.outside, "192.168.49.2:80"), text("Some(TimedOut)", Choice::NoneHere));
    // An address that no node has: those inside follow the rule, from outside nobody answers for it.
    let c = cluster(&[1], external("192.168.49.77"));
    assert_eq!(c.connect(&c.pods[0], "192.168.49.77:80"), text("two as 192.168.49.2", Choice::Only));
    assert_eq!(c.connect(&c.outside, "192.168.49.77:80"), text("Some(Unreachable)", Choice::None));
}

#[test]
fn nodes_tell_how_many_endpoints_they_have() {
    let c = cluster(&[1], |rule| rule.external_local = true);
    let health = crate::health::HealthServers::new(&c.sim, &c.fabric);
    let service = api::Object::new(json::json!({
        "metadata": {"namespace": "default", "name": "web"}, "spec": {"healthCheckNodePort": 31_000},
    }));
    health.serve(&[service]);
    let ask = |to: &str| {
        let (from, to) = (c.outside.clone(), at(to));
        run(&c.sim, async move {
            let stream = from.connect(to).await.ok()?;
            stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
            let mut all = Vec::new();
            while let Ok(bytes) = stream.read().await {
                if bytes.is_empty() {
                    break;
                }
                all.extend_from_slice(&bytes);
            }
            String::from_utf8(all).ok()
        })
    };
    let two = ask("192.168.49.3:31000").unwrap();
    assert!(two.starts_with("HTTP/1.1 200 OK\r\n") && two.contains("X-Load-Balancing-Endpoint-Weight: 1\r\n"), "{two}");
    assert!(two.contains("\"namespace\": \"default\"") && two.contains("\"localEndpoints\": 1,"), "{two}");
    let one = ask("192.168.49.2:31000").unwrap();
    assert!(one.starts_with("HTTP/1.1 503 ") && one.contains("\"localEndpoints\": 0,"), "{one}");
    health.serve(&[]);
    assert_eq!(ask("192.168.49.3:31000"), None, "nobody asks any more");
}
