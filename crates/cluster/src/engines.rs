//! The container engines that docker talks to: of the learner's machine, which nobody has until it is first asked for, and of the
//! machines of clusters, which are the ones that their kubelets use.

use std::cell::RefCell;
use std::net::Ipv4Addr;

use docker::{Daemon, Machine, Machines};
use network::{NetNs, Role};
use runtime::cri::{ContainerRuntime, Options};

use crate::learner::HOSTNAME;
use crate::lifecycle::Clusters;
use crate::profile::HOST_ADDRESS;

/// The port of an engine that is reached from other machines (minikube's `constants.DockerDaemonPort`).
const PORT: &str = "2376";
/// The network of containers of the learner's machine (Docker's `docker0`).
const BRIDGE: (Ipv4Addr, u32) = (Ipv4Addr::new(172, 17, 0, 0), 65_536);

/// The engines of a world.
pub(crate) struct Engines {
    clusters: Clusters,
    own: RefCell<Option<Daemon>>,
}

impl Engines {
    pub(crate) fn new(clusters: Clusters) -> Engines {
        Engines { clusters, own: RefCell::default() }
    }

    /// The engine of the learner's machine.
    fn of_learner(&self, net: &NetNs) -> Daemon {
        if let Some(daemon) = &*self.own.borrow() {
            return daemon.clone();
        }
        let sim = self.clusters.sim();
        let options = Options {
            node: HOSTNAME.to_owned(),
            node_net: net.clone(),
            pod_network: BRIDGE,
            shared: self.clusters.containers(),
            role: Role::Outside,
        };
        let runtime = ContainerRuntime::new(sim, &net.fabric(), options);
        let machine = Machine { sim: sim.clone(), name: HOSTNAME.to_owned(), net: net.clone(), runtime };
        let daemon = Daemon::new(machine);
        *self.own.borrow_mut() = Some(daemon.clone());
        daemon
    }
}

impl Machines for Engines {
    fn local(&self, net: &NetNs) -> Option<Daemon> {
        let address = net.addresses().first()?;
        if *address == HOST_ADDRESS {
            return Some(self.of_learner(net));
        }
        self.clusters.engine_at(*address)
    }

    fn at(&self, address: &str) -> Option<Daemon> {
        let (host, port) = address.split_once(':')?;
        let host: Ipv4Addr = host.parse().ok().filter(|_| port == PORT)?;
        self.clusters.engine_at(host)
    }
}
