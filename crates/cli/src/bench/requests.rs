//! What a request on the simulated network costs: from a pod through a Service to a second pod, which asks a third one through
//! another Service before it answers. No container runs here, so this is the network alone: kube-proxy's rules among those of many
//! Services, connections, HTTP/1.1 and the packet trace.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use api::http::{Body, Request, Response};
use network::nat::{Protocol, Rules, ServiceRule};
use network::{Fabric, NetNs, http1};
use simulation::{Sim, SimConfig, Step, StepLimits, Time};

use super::scale::Clock;

/// Requests that are measured; as many come before to fill caches and rings.
const REQUESTS: u32 = 20_000;
/// Services besides the two that are asked.
const SERVICES: u32 = 200;
/// What a request may cost, in microseconds of the processor: what the project holds itself to.
const REQUEST_MICROS_MAX: f64 = 50.0;

/// Prints the figure.
pub(super) fn run() -> anyhow::Result<()> {
    let micros = measure()?;
    println!("request_through_services_and_two_hops_in_microseconds {micros:.1}");
    println!("request_through_services_and_two_hops_may_take {REQUEST_MICROS_MAX:.0}");
    Ok(())
}

fn measure() -> anyhow::Result<f64> {
    let sim = Sim::new(SimConfig { seed: 1, start: Time::from_unix_seconds(1_000_000) });
    let fabric = Fabric::new(sim.clone());
    let node = fabric.attach_as("node/minikube", &[Ipv4Addr::new(192, 168, 49, 2)], network::Role::Node);
    let [client, front, back] = &["client", "front", "back"].map(|name| pod(&fabric, name));
    let many = (0..SERVICES).map(|number| rule(Ipv4Addr::from(0x0a61_0000 + number), back));
    fabric.set_rules(Rules::new([rule(FRONT, front), rule(BACK, back)].into_iter().chain(many).collect()));
    let everywhere = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 80);
    let asking = front.clone();
    let handler: http1::Handler = Rc::new(move |_| {
        let asking = asking.clone();
        Box::pin(async move { ask(&asking, BACK).await.unwrap_or_else(|_| Response::new(Body::Empty)) })
    });
    let _front = http1::serve(&sim, front.listen(everywhere)?, handler);
    let page: http1::Handler = Rc::new(|_| Box::pin(async { Response::new(Body::Bytes(PAGE.into())) }));
    let _back = http1::serve(&sim, back.listen(everywhere)?, page);
    let mut micros = 0.0;
    // The second time counts.
    for _ in 0..2 {
        let (answered, asking) = (Rc::new(Cell::new(0)), client.clone());
        let counted = Rc::clone(&answered);
        let begun = Clock::now();
        sim.spawn(async move {
            for _ in 0..REQUESTS {
                let answer = ask(&asking, FRONT).await.ok().and_then(|answer| answer.into_body().into_bytes());
                counted.set(counted.get() + u32::from(answer.is_some_and(|bytes| bytes == PAGE)));
            }
        });
        let until = sim.now() + std::time::Duration::from_secs(3_600);
        while sim.step(until, StepLimits { polls_max: u32::MAX }) == Step::Busy {}
        micros = begun.seconds() * 1e6 / f64::from(REQUESTS);
        anyhow::ensure!(answered.get() == REQUESTS, "{} of {REQUESTS} requests were answered", answered.get());
    }
    drop(node);
    Ok(micros)
}

/// What the last pod answers: as long as a small page.
const PAGE: &[u8] = &[b'x'; 600];
/// Addresses of the Services.
const FRONT: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 80);
const BACK: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 81);

fn pod(fabric: &Fabric, name: &str) -> NetNs {
    let host = match name {
        "client" => 2,
        "front" => 3,
        _ => 4,
    };
    let address = Ipv4Addr::new(10, 244, 0, host);
    let pod = fabric.attach(&format!("pod/default/{name}"), &[address]);
    pod.stands_on("minikube");
    pod
}

fn rule(address: Ipv4Addr, pod: &NetNs) -> ServiceRule {
    let backends: Vec<SocketAddrV4> = pod.addresses().iter().map(|ip| SocketAddrV4::new(*ip, 80)).collect();
    ServiceRule {
        service: format!("default/{address}"),
        protocol: Protocol::Tcp,
        addresses: vec![SocketAddrV4::new(address, 80)],
        external_ips: Vec::new(),
        balancers: Vec::new(),
        node_port: None,
        backends,
        by_node: BTreeMap::new(),
        ready_by_node: BTreeMap::new(),
        external_local: false,
        internal_local: false,
        affinity: None,
    }
}

async fn ask(from: &NetNs, service: Ipv4Addr) -> Result<Response, http1::HttpError> {
    let request = http::Request::get("/").header("user-agent", "bench").body(Body::Empty);
    let request: Request = request.map_err(|error| http1::HttpError::Malformed(error.to_string()))?;
    http1::request_to(from, SocketAddrV4::new(service, 80), request).await
}
