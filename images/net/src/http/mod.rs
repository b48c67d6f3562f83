//! HTTP/1.1, as much as small servers and clients need.

mod client;
mod connection;
mod date;
mod message;
mod server;
mod status;
mod tunnel;

pub use client::{Answer, ClientError, Patience, Url, request, request_keeping, request_within};
pub use connection::{Delayed, INPUT_BYTES_MAX};
pub use date::{civil, http_date, iso_millis, log_date};
pub use message::{Parsed, Request, Response, decode};
pub use server::{Server, StopSignal};
pub use status::reason;
