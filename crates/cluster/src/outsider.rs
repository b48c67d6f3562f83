//! Somebody outside the cluster who asks at a port of its nodes: the program behind `kubonsai serve --publish-node-ports`.
//!
//! Real clients come through docker's proxy there, so nodes see the gateway of their network, which is the learner's machine.
//! A cloud's nodes are in networks of their own: to them, whoever asks is on the internet.

use std::net::{Ipv4Addr, SocketAddrV4};

use network::{NetError, NetNs, Role, TcpStream};

use crate::world::World;

/// Somebody's address on the internet (RFC 5737, TEST-NET-3).
const INTERNET_ADDRESS: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);

/// Where connections from outside set out, and the node that they go to.
pub(crate) struct Outsider {
    net: NetNs,
    node: Ipv4Addr,
}

impl World {
    /// Connects from outside to a port of the running cluster's first machine, as Services and `hostPort` have it there. The
    /// future needs nothing of the world any more, and takes virtual time.
    ///
    /// # Errors
    /// Those of [`NetNs::connect`]; `Unreachable` while no cluster runs.
    pub fn connect_to_node(&mut self, port: u16) -> impl Future<Output = Result<TcpStream, NetError>> + use<> {
        let from = self.outsider();
        async move {
            let Outsider { net, node } = from.ok_or(NetError::Unreachable)?;
            net.connect(SocketAddrV4::new(node, port)).await
        }
    }

    fn outsider(&mut self) -> Option<Outsider> {
        let cluster = self.clusters.running()?;
        let (_, _, node) = cluster.machines().into_iter().next()?;
        let net = if cluster.profile.cloud.is_none() {
            self.learner_net()
        } else {
            let fabric = self.fabric();
            self.internet.get_or_insert_with(|| fabric.attach_as("internet", &[INTERNET_ADDRESS], Role::Public)).clone()
        };
        Some(Outsider { net, node })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use simulation::{StepLimits, Time};

    use super::*;
    use crate::world::WorldConfig;

    /// What becomes of a connection to a port of a node, before any machine is up.
    fn connected(profile: Option<&str>, port: u16) -> Option<Result<(), NetError>> {
        let profile = profile.map(str::to_owned);
        let mut world =
            World::new(WorldConfig { seed: 1, start: Time::from_unix_seconds(0), profile, nodes: 0 }).expect("a world");
        let (answer, sim) = (Rc::new(RefCell::new(None)), world.sim().clone());
        let (connecting, told) = (world.connect_to_node(port), Rc::clone(&answer));
        sim.spawn(async move { *told.borrow_mut() = Some(connecting.await.map(|_| ())) });
        world.step(Time::from_unix_seconds(1), StepLimits { polls_max: 100_000 });
        answer.take()
    }

    #[test]
    fn nodes_are_reached_from_outside() {
        // The node is there, and nobody listens; in a cloud, too.
        for profile in ["minikube", "eks"] {
            assert_eq!(connected(Some(profile), 30_080), Some(Err(NetError::Refused)), "{profile}");
        }
        assert_eq!(connected(None, 30_080), Some(Err(NetError::Unreachable)));
    }
}
