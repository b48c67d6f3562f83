use api::http::Body;
use network::Fabric;
use simulation::{SimConfig, StepLimits};

use super::*;

/// An API server that has one pod, of this image.
struct OnePod(&'static str);

impl Transport for OnePod {
    fn call(&self, _: Request) -> LocalBoxFuture<'static, Result<Response, TransportError>> {
        let image = self.0;
        let text = format!(
            r#"{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "x", "namespace": "default"}},
                "spec": {{"containers": [{{"name": "c", "image": "{image}"}}]}}}}"#
        );
        Box::pin(async move { Ok(Response::new(Body::Bytes(text.into()))) })
    }
}

/// After how many seconds calls of one pod are over, for each of them; 60 where they are not by then.
fn ends(image: &'static str, calls: usize) -> Vec<u64> {
    let sim = Sim::new(SimConfig { seed: 1, start: simulation::Time::default() });
    let fabric = Fabric::new(sim.clone());
    let machine = fabric.attach("dns", &[Ipv4Addr::new(169, 254, 20, 10)]);
    let pod = fabric.attach("pod/default/x", &[Ipv4Addr::new(10, 244, 0, 2)]);
    let _desk = Desk::start(&sim, &machine, Rc::new(OnePod(image)));
    let all: Vec<_> = (0..calls)
        .map(|_| {
            let (sim, pod, slot) = (sim.clone(), pod.clone(), Rc::new(Cell::new(60)));
            let out = Rc::clone(&slot);
            let task = sim.clone().spawn(async move {
                let began = sim.now();
                let to = SocketAddrV4::new(Ipv4Addr::new(169, 254, 20, 10), PORT);
                let stream = pod.connect(to).await.expect("a connection");
                let _ = stream.read().await;
                out.set(sim.now().saturating_since(began).as_secs());
            });
            (task, slot)
        })
        .collect();
    sim.step(sim.now() + Duration::from_secs(60), StepLimits { polls_max: 100_000 });
    all.iter().map(|(_, slot)| slot.get()).collect()
}

#[test]
fn silent_calls_end_and_leave_room() {
    assert_eq!(ends("registry.k8s.io/ingress-nginx/controller:v1.15.1", 4), [5, 5, 0, 0]);
    assert_eq!(ends("busybox", 1), [0], "who has no such image is not listened to");
}
