//! HTTP/1.1 over simulated streams, to and from [`api::http`] types.
//!
//! Left out: upgrades, pipelining by the client, trailers, HTTP/1.0 keep-alive.

mod body;
mod client;
mod head;
mod reader;
mod server;

pub use client::{request, request_to};
pub use server::{Handler, Server, serve};

use api::http::TransportError;

use crate::NetError;

/// Why an exchange failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The stream failed.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The peer closed before the message was whole (Go says `EOF`).
    #[error("EOF")]
    Closed,
    /// What came is not HTTP/1.1; the text says what is wrong.
    #[error("malformed HTTP message: {0}")]
    Malformed(String),
    /// A named limit was hit.
    #[error("message exceeds {0}")]
    TooLarge(&'static str),
    /// The request's body is an upgraded connection, which a stream cannot carry.
    #[error("{}", simulation::stub!("network", "HTTP upgrades between containers"))]
    Upgrade,
}

impl From<HttpError> for TransportError {
    fn from(error: HttpError) -> TransportError {
        match error {
            HttpError::Net(NetError::Refused) => TransportError::Refused,
            HttpError::Net(NetError::Unreachable) => TransportError::Unreachable,
            HttpError::Net(NetError::TimedOut) => TransportError::Timeout,
            HttpError::Upgrade => {
                TransportError::Unsupported(simulation::stub!("network", "HTTP upgrades between containers"))
            }
            _ => TransportError::Closed,
        }
    }
}

#[cfg(test)]
mod tests;
