//! The API servers of a cluster as those who call them find them: one a machine of the control plane, and an address before all of
//! them that leads to one that is up.
//!
//! They are one server here, since all that an API server knows is in etcd; what ends with a machine are its connections.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use api::http::{Body, Request, Response, Transport, TransportError};
use apiserver::ApiServer;
use futures_util::StreamExt as _;
use futures_util::future::{Either, LocalBoxFuture, select};
use simulation::notify::Signal;

/// Which API servers are up. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Fronts(Rc<Inner>);

#[derive(Default)]
struct Inner {
    /// By the number of the machine; what is raised when it goes down.
    up: RefCell<BTreeMap<u32, Signal>>,
    /// Requests so far: they go round.
    next: Cell<usize>,
}

impl Fronts {
    /// The API server of a machine has come up.
    pub(crate) fn open(&self, index: u32) {
        self.0.up.borrow_mut().entry(index).or_default();
    }

    /// The API server of a machine is gone, and every connection to it.
    pub(crate) fn close(&self, index: u32) {
        let front = self.0.up.borrow_mut().remove(&index);
        if let Some(gone) = front {
            gone.raise();
        }
    }

    /// Whether the API server of a machine is up.
    pub(crate) fn is_open(&self, index: u32) -> bool {
        self.0.up.borrow().contains_key(&index)
    }

    /// The machines whose API servers are up.
    pub(crate) fn open_ones(&self) -> Vec<u32> {
        self.0.up.borrow().keys().copied().collect()
    }

    /// The API server of one machine, or any of them.
    pub(crate) fn way(&self, server: &ApiServer, index: Option<u32>) -> Rc<dyn Transport> {
        Rc::new(Front { fronts: self.clone(), server: server.clone(), index })
    }

    fn choose(&self, index: Option<u32>) -> Option<Signal> {
        let up = self.0.up.borrow();
        match index {
            Some(index) => up.get(&index).cloned(),
            None if up.is_empty() => None,
            None => {
                let turn = self.0.next.get();
                self.0.next.set(turn.wrapping_add(1));
                up.values().nth(turn % up.len()).cloned()
            }
        }
    }
}

/// A way to one of them, or to any.
struct Front {
    fronts: Fronts,
    server: ApiServer,
    index: Option<u32>,
}

impl Transport for Front {
    fn call(&self, request: Request) -> LocalBoxFuture<'static, Result<Response, TransportError>> {
        let Some(gone) = self.fronts.choose(self.index) else {
            return Box::pin(std::future::ready(Err(TransportError::Unreachable)));
        };
        let answer = self.server.call(request);
        Box::pin(async move {
            match select(gone.wait(), answer).await {
                Either::Left(_) => Err(TransportError::Closed),
                Either::Right((answer, _)) => answer.map(|response| until(response, &gone)),
            }
        })
    }
}

/// What arrives over time ends with the server.
fn until(response: Response, gone: &Signal) -> Response {
    let (parts, body) = response.into_parts();
    let body = match body {
        Body::Stream(stream) => Body::Stream(stream.take_until(gone.wait()).boxed_local()),
        other => other,
    };
    Response::from_parts(parts, body)
}
