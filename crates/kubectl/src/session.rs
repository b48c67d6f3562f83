//! What one run of kubectl has around it: time, files, streams, the way to API servers.
//!
//! Verbs see nothing of the learner's machine but this, so that they can be tested without one.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use api::http::{Transport, TransportError};
use futures_util::future::LocalBoxFuture;
use simulation::notify::Signal;
use simulation::{Sim, Time};

use crate::discovery::Discovery;
use crate::failure::{Failure, Outcome};
use crate::flags::Args;
use crate::kubeconfig::{self, Connection};
use crate::rest::Rest;

/// The learner's machine, as far as kubectl needs it. Paths are absolute.
pub trait Place {
    /// Writes to standard output; false when nobody reads it any more.
    fn write_out(&self, bytes: Vec<u8>) -> LocalBoxFuture<'static, bool>;
    /// Writes to standard error.
    fn write_err(&self, bytes: Vec<u8>) -> LocalBoxFuture<'static, bool>;
    /// Reads from standard input; empty at its end.
    fn read_in(&self) -> LocalBoxFuture<'static, Vec<u8>>;
    /// A whole file, or why not (`no such file or directory`).
    fn read_file(&self, path: &str) -> Result<Vec<u8>, String>;
    /// Writes a whole file, making its directory.
    fn write_file(&self, path: &str, bytes: &[u8]) -> Result<(), String>;
    /// Makes a directory and those above it.
    fn make_dir(&self, path: &str) -> Result<(), String>;
    /// Removes a file; one that is not there is no matter.
    fn remove_file(&self, _path: &str) {}
    /// Runs a program with this one's streams and terminal; its exit code, or none if there is no such program.
    fn run(&self, _words: Vec<String>) -> LocalBoxFuture<'static, Option<i32>> {
        Box::pin(std::future::ready(None))
    }
    /// Whether the path exists, and whether it is a directory.
    fn stat(&self, path: &str) -> Option<bool>;
    /// The names in a directory, sorted.
    fn list(&self, path: &str) -> Vec<String>;
    /// The working directory.
    fn cwd(&self) -> String;
    /// An environment variable.
    fn env(&self, name: &str) -> Option<String>;
    /// Whether standard input is a terminal, and its size in columns and rows.
    fn tty(&self) -> Option<(u16, u16)>;
    /// Whether standard output is a terminal.
    fn out_is_tty(&self) -> bool {
        self.tty().is_some()
    }
    /// Completes with the terminal's new size when it is no longer `known`.
    fn resized(&self, known: (u16, u16)) -> LocalBoxFuture<'static, (u16, u16)>;
    /// Switches the terminal between raw and cooked input.
    fn set_raw(&self, raw: bool);
    /// The way to the API server at a URL.
    fn api(&self, server: &str) -> Result<Rc<dyn Transport>, TransportError>;
    /// Raised by Ctrl-C.
    fn interrupt(&self) -> Signal;
    /// The sockets of the machine.
    fn net(&self) -> Option<network::NetNs>;
}

/// One run of kubectl.
pub struct Session {
    /// Time.
    pub sim: Sim,
    /// The machine.
    pub place: Rc<dyn Place>,
    /// Discovery of the servers met so far, kept between runs.
    pub discovery: Rc<RefCell<BTreeMap<String, Rc<Discovery>>>>,
}

impl Session {
    /// Virtual now.
    pub fn now(&self) -> Time {
        self.sim.now()
    }

    /// Prints to standard output.
    pub async fn out(&self, text: impl Into<String>) -> Outcome {
        let text: String = text.into();
        self.out_bytes(text.into_bytes()).await
    }

    /// Writes to standard output.
    pub async fn out_bytes(&self, bytes: Vec<u8>) -> Outcome {
        if bytes.is_empty() || self.place.write_out(bytes).await { Ok(()) } else { Err(Failure::Exit(141)) }
    }

    /// Prints to standard error.
    pub async fn err(&self, text: impl Into<String>) {
        let text: String = text.into();
        if !text.is_empty() {
            self.place.write_err(text.into_bytes()).await;
        }
    }

    /// An absolute path for one that was typed.
    pub fn absolute(&self, path: &str) -> String {
        if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("{}/{path}", self.place.cwd().trim_end_matches('/'))
        }
    }

    /// Everything on standard input.
    pub async fn stdin_to_end(&self) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let part = self.place.read_in().await;
            if part.is_empty() {
                return all;
            }
            if all.len() + part.len() > STDIN_BYTES_MAX {
                return all;
            }
            all.extend_from_slice(&part);
        }
    }

    /// The server, namespace and user that the flags and the kubeconfig give.
    pub fn connection(&self, args: &Args) -> Outcome<Connection> {
        kubeconfig::Config::load(self, args)?.connection(args)
    }

    /// A client of the API server that the flags and the kubeconfig give.
    ///
    /// # Errors
    /// Those of the kubeconfig; flags that are not built are refused by name rather than ignored.
    pub fn rest(self: &Rc<Self>, args: &Args) -> Outcome<Rest> {
        let timeout = args.text("request-timeout");
        if !timeout.is_empty() && timeout.parse::<i64>().is_err() && crate::duration::parse(timeout).is_err() {
            return Err(Failure::message(
                "Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time unit (e.g. 1s | 2m | 3h)",
            ));
        }
        let connection = self.connection(args)?;
        Ok(Rest::new(Rc::clone(self), connection))
    }
}

/// Longest standard input that is read as a manifest, in bytes.
const STDIN_BYTES_MAX: usize = 16 << 20;
