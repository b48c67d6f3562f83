//! Cluster DNS: a server on UDP port 53 that answers for Services and pods (CoreDNS with its `kubernetes` plugin).
//!
//! Differences: of what is outside the cluster domain only published names exist ([`Fabric::publish`]), the others are answered
//! with NXDOMAIN; no TCP, no wildcards, no zone transfers.

mod records;
pub mod wire;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use api::kinds;
use client::{Client, Informer, ListOptions};
use simulation::{Sim, Task};

pub use records::Zone;

use crate::{Fabric, NetNs, Role, UdpSocket};

/// Seconds that answers may be kept (CoreDNS's `ttl 30`).
pub const ANSWER_TTL_SECONDS: u32 = 30;

/// A running server; it stops when dropped, and then nobody answers at its address.
pub struct Dns {
    ns: NetNs,
    serving: Task<()>,
    informers: Vec<Informer>,
}

impl Dns {
    /// Starts a server at `address` (10.96.0.10) for `domain` (`cluster.local`). Answers once its caches are filled.
    pub fn start(sim: &Sim, client: &Client, fabric: &Fabric, address: Ipv4Addr, domain: &str) -> Dns {
        let follow = |kind| Informer::start(sim, client, kind, "", ListOptions::default());
        let services = follow(&kinds::SERVICES);
        let slices = follow(&kinds::ENDPOINT_SLICES);
        let namespaces = follow(&kinds::NAMESPACES);
        let informers = vec![services, slices, namespaces];
        let ns = fabric.attach_as("coredns", &[address], Role::Service);
        let serving = sim.spawn(serve(ns.clone(), informers.clone(), domain.to_owned()));
        Dns { ns, serving, informers }
    }

    /// The namespace that it answers in, for what else the machine answers there.
    pub fn namespace(&self) -> &NetNs {
        &self.ns
    }

    /// Stops answering.
    pub fn stop(&self) {
        self.serving.abort();
        self.informers.iter().for_each(Informer::stop);
        self.ns.detach();
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn serve(ns: NetNs, informers: Vec<Informer>, domain: String) {
    for informer in &informers {
        informer.synced().await;
    }
    let Ok(socket) = ns.udp_bind(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 53)) else { return };
    let [services, slices, namespaces] = &informers[..] else { return };
    let zone = Zone {
        domain: domain.clone(),
        services: Rc::new({
            let services = services.clone();
            move |key: &str| services.get(key)
        }),
        all_services: Rc::new({
            let services = services.clone();
            move || services.list()
        }),
        outside: Rc::new({
            let fabric = ns.fabric();
            move |name: &str| fabric.published(name)
        }),
        slices: Rc::new({
            let slices = slices.clone();
            move |namespace: &str| slices.list_namespace(namespace)
        }),
        has_namespace: Rc::new({
            let namespaces = namespaces.clone();
            move |name: &str| namespaces.get(name).is_some()
        }),
    };
    answer_all(&socket, &zone).await;
}

async fn answer_all(socket: &UdpSocket, zone: &Zone) {
    loop {
        match socket.recv_from().await {
            Ok((bytes, from)) => {
                // Malformed questions are dropped, as a firewall would see it.
                let Some(question) = wire::read_question(&bytes) else { continue };
                let (code, records) = zone.answer(&question);
                let _ = socket.send_to(&wire::respond(&question, code, &records), from);
            }
            Err(crate::NetError::Down) => return,
            Err(_) => {} // a client that left before its answer came
        }
    }
}
