//! What the learner's machine reaches beyond its files and network: API servers, by the address in a kubeconfig.

use std::rc::Rc;
use std::time::Duration;

use api::http::{Request, Response, Transport, TransportError};
use futures_util::future::LocalBoxFuture;
use machine::Host;
use simulation::Sim;

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
        let server = self.clusters.api_at(address, port)?;
        Ok(Rc::new(Distant { sim: self.clusters.sim().clone(), server }))
    }
}

/// Virtual time from a request on the learner's machine until the API server takes it up: the client, the wire and
/// TLS. Kept short: what a learner types should be answered at once, and at 1x this is time that the learner waits.
const REQUEST_TIME: Duration = Duration::from_millis(2);

/// A server on another machine.
struct Distant {
    sim: Sim,
    server: Rc<dyn Transport>,
}

impl Transport for Distant {
    fn call(&self, request: Request) -> LocalBoxFuture<'static, Result<Response, TransportError>> {
        let (sim, server) = (self.sim.clone(), Rc::clone(&self.server));
        Box::pin(async move {
            sim.sleep(REQUEST_TIME).await;
            server.call(request).await
        })
    }
}
