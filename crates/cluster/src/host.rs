//! What the learner's machine reaches beyond its files and network: API servers, by the address in a kubeconfig.

use std::rc::Rc;

use api::http::{Transport, TransportError};
use machine::Host;

use crate::lifecycle::Clusters;

/// The world as its programs see it.
pub(crate) struct WorldHost {
    pub(crate) clusters: Clusters,
}

impl Host for WorldHost {
    fn api(&self, server: &str) -> Result<Rc<dyn Transport>, TransportError> {
        let rest = server.split_once("://").map_or(server, |(_, rest)| rest);
        let authority = rest.split('/').next().unwrap_or(rest);
        let (address, port) = authority.split_once(':').unwrap_or((authority, "443"));
        // Nothing on this machine serves an API; other addresses lead nowhere.
        if address == "localhost" || address.starts_with("127.") {
            return Err(TransportError::Refused);
        }
        self.clusters.api_at(address, port)
    }
}
