//! A pod's log that the inspector shows: read from the API server like anyone's, for as long as it is looked at.

use std::cell::RefCell;
use std::rc::Rc;

use api::http::{Body, Transport, header};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use simulation::{Sim, Task};

use crate::view::USER_AGENT;

/// Lines from before the moment at which one began to look.
const TAIL_LINES: u32 = 200;
/// Text that nobody has taken yet, in bytes; older text is dropped first.
const TEXT_BYTES_MAX: usize = 256 * 1024;

/// A piece of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPiece {
    /// The lines.
    pub text: String,
    /// Nothing more comes: the container has ended, or its log cannot be read (then `text` says why).
    pub ended: bool,
}

/// The log that is being looked at, if any.
#[derive(Clone, Default)]
pub(crate) struct Follow(Rc<Inner>);

#[derive(Default)]
struct Inner {
    piece: RefCell<LogPiece>,
    at_work: RefCell<Option<Task<()>>>,
}

impl Follow {
    /// Follows a container's log; an empty `container` is the pod's first.
    pub(crate) fn start(&self, sim: &Sim, server: Option<Rc<dyn Transport>>, subject: &str, container: &str) {
        self.stop();
        let (namespace, pod) = subject.split_once('/').unwrap_or(("default", subject));
        let container = if container.is_empty() { String::new() } else { format!("&container={container}") };
        let path =
            format!("/api/v1/namespaces/{namespace}/pods/{pod}/log?follow=true&tailLines={TAIL_LINES}{container}");
        let request = http::Request::builder().uri(path).header(header::USER_AGENT, USER_AGENT).body(Body::Empty);
        // Names that make no address belong to no pod.
        let (Some(server), Ok(request)) = (server, request) else { return self.0.add("", true) };
        let inner = Rc::clone(&self.0);
        let task = sim.spawn(async move {
            let text = match server.call(request).await.map(|response| response.into_body()) {
                Err(_) => "The API server does not answer.".to_owned(),
                Ok(Body::Stream(mut chunks)) => {
                    while let Some(chunk) = chunks.next().await {
                        inner.add(&String::from_utf8_lossy(&chunk.into_bytes()), false);
                    }
                    String::new()
                }
                Ok(Body::Object(status)) => status.str("message").to_owned(),
                Ok(body) => String::from_utf8_lossy(&body.into_bytes().unwrap_or_default()).into_owned(),
            };
            inner.add(&text, true);
        });
        *self.0.at_work.borrow_mut() = Some(task);
    }

    /// Looks at none.
    pub(crate) fn stop(&self) {
        if let Some(task) = self.0.at_work.take() {
            task.abort();
        }
        self.0.piece.take();
    }

    /// What came since the last call; none if nothing did.
    pub(crate) fn take(&self) -> Option<LogPiece> {
        Some(self.0.piece.take()).filter(|piece| *piece != LogPiece::default())
    }
}

impl Inner {
    fn add(&self, text: &str, ended: bool) {
        let piece = &mut *self.piece.borrow_mut();
        piece.text.push_str(text);
        piece.ended |= ended;
        if piece.text.len() > TEXT_BYTES_MAX {
            let cut = piece.text.ceil_char_boundary(piece.text.len() - TEXT_BYTES_MAX);
            piece.text.drain(..cut);
        }
    }
}
