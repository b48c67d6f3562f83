//! The half of ingress-nginx that reads the API (docs/decisions/0022-ingress-controller-in-two-halves.md).
//!
//! nginx's half is a container (images/ingress-nginx). It calls the machine at [`PORT`] of the address where the machine also answers
//! for names, and is sent its configuration for as long as the connection lives. A pod is known by its address; what is done
//! for it is done as its service account, so what that one may not see is not seen. Nothing happens while nobody calls.
//!
//! Upstream: github.com/kubernetes/ingress-nginx, `internal/ingress/{controller,status}`.

mod annotations;
mod certgen;
mod names;
mod session;
mod site;
mod status;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use api::http::{Request, Response, Transport, TransportError, header};
use api::{Object, kinds};
use client::Client;
use futures_util::future::LocalBoxFuture;
use network::{Listener, NetNs, TcpStream};
use simulation::{Duration, Sim, Task};

/// The port at which the machine is called; the same number is in images/ingress-nginx.
const PORT: u16 = 10_246;
/// Bytes of the line with which a caller says what it is.
const HELLO_BYTES_MAX: usize = 4 * 1024;
/// Callers at a time; further ones are hung up on.
const CALLERS_MAX: usize = 64;

/// Calls of one address at a time: a second one for a container that starts anew before its end was noticed.
const CALLS_OF_ONE_MAX: usize = 2;
/// How long a caller may take to say what it is.
const HELLO_PATIENCE: Duration = Duration::from_secs(5);
/// How long a caller may take to read a piece of what it is told.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of such a piece.
const PIECE_BYTES: usize = 64 * 1024;

/// The controller's name for itself.
const AGENT: &str = "nginx-ingress-controller";

/// Takes calls; stops when told.
pub(crate) struct Desk {
    inner: Rc<Inner>,
    accepting: Task<()>,
    listener: Option<Listener>,
}

struct Inner {
    sim: Sim,
    net: NetNs,
    server: Rc<dyn Transport>,
    callers: RefCell<BTreeMap<u64, Calling>>,
    count: Cell<u64>,
    /// The controllers among the callers, by their election; the first of each leads.
    controllers: RefCell<BTreeSet<(String, u64)>>,
}

/// A call that is being answered.
struct Calling {
    address: Ipv4Addr,
    task: Task<()>,
}

impl Desk {
    /// Takes calls in a namespace of the machine. `server` is the way to the API server.
    pub(crate) fn start(sim: &Sim, net: &NetNs, server: Rc<dyn Transport>) -> Desk {
        let inner = Rc::new(Inner {
            sim: sim.clone(),
            net: net.clone(),
            server,
            callers: RefCell::default(),
            count: Cell::new(0),
            controllers: RefCell::default(),
        });
        let listener = net.listen(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, PORT)).ok();
        let (calls, desk) = (listener.clone(), Rc::downgrade(&inner));
        let accepting = sim.spawn(async move {
            let Some(calls) = calls else { return };
            while let Ok(stream) = calls.accept().await {
                let Some(inner) = desk.upgrade() else { return };
                Inner::take(&inner, stream);
            }
        });
        Desk { inner, accepting, listener }
    }

    /// Hangs up on everyone.
    pub(crate) fn stop(&self) {
        self.accepting.abort();
        if let Some(listener) = &self.listener {
            listener.close();
        }
        let callers = std::mem::take(&mut *self.inner.callers.borrow_mut());
        callers.values().for_each(|caller| caller.task.abort());
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Inner {
    fn take(inner: &Rc<Inner>, stream: TcpStream) {
        let address = *stream.peer_addr().ip();
        // Who is neither a pod nor a node has nothing to say here.
        let Some(name) = inner.net.fabric().name_of(address) else { return stream.abort() };
        let limit = {
            let callers = inner.callers.borrow();
            let own = callers.values().filter(|caller| caller.address == address).count();
            match (own >= CALLS_OF_ONE_MAX, callers.len() >= CALLERS_MAX) {
                (true, _) => Some("CALLS_OF_ONE_MAX"),
                (_, true) => Some("CALLERS_MAX"),
                _ => None,
            }
        };
        if let Some(limit) = limit {
            let what = format!("a call from {}", stream.peer_addr());
            inner.sim.trace(simulation::TraceKind::Limit { limit: limit.into(), what });
            return stream.abort();
        }
        let number = inner.count.get() + 1;
        inner.count.set(number);
        let desk = Rc::clone(inner);
        let task = inner.sim.spawn(async move {
            desk.answer(number, &name, stream).await;
            desk.controllers.borrow_mut().retain(|(_, controller)| *controller != number);
            desk.callers.borrow_mut().remove(&number);
        });
        inner.callers.borrow_mut().insert(number, Calling { address, task });
    }

    async fn answer(self: &Rc<Inner>, number: u64, name: &str, stream: TcpStream) {
        // Who has no image of ingress-nginx does not get as far as saying something.
        let pod = match self.pod(name).await {
            Some(pod) if pod.list("spec.containers").iter().any(|c| is_of(c, "ingress-nginx/")) => Some(pod),
            None if !name.starts_with("pod/") => None,
            _ => return stream.abort(),
        };
        let mut lines = Lines::new(stream.clone());
        let Ok(Some(hello)) = self.sim.timeout(HELLO_PATIENCE, lines.next()).await else { return stream.abort() };
        let words: Vec<&str> = hello.split('\t').collect();
        match (&words[..], pod) {
            (["controller", _], None) => {
                self.refuse(&stream).await;
                // It would call again at once.
                while lines.next().await.is_some() {}
            }
            (["controller", _], Some(pod)) => {
                let Some(caller) = self.caller(&stream, pod, "ingress-nginx/controller") else { return stream.abort() };
                session::run(self, number, caller, stream, lines).await;
            }
            (["certgen", command, namespace, secret], Some(pod)) => {
                let Some(caller) = self.caller(&stream, pod, "ingress-nginx/kube-webhook-certgen") else {
                    return stream.abort();
                };
                certgen::run(&caller, &stream, command, namespace, secret).await;
            }
            _ => stream.abort(),
        }
    }

    /// Tells a controller that shares the address of its node that it cannot be known.
    async fn refuse(&self, stream: &TcpStream) {
        let why = simulation::stub!("ingress-nginx", "a controller on the network of its node (hostNetwork)");
        let mut text = String::new();
        site::line(&mut text, ["log", "E", "main.go:112", why].map(str::to_owned));
        send(&self.sim, stream, text.as_bytes()).await;
    }

    /// The pod with the name of a namespace of the network.
    async fn pod(&self, name: &str) -> Option<Object> {
        let (namespace, name) = name.strip_prefix("pod/")?.split_once('/')?;
        Client::new(Rc::clone(&self.server), AGENT).get(&kinds::PODS, namespace, name).await.ok()
    }

    /// Who calls: the pod with the address, if one of its containers is of the image. Any other caller is hung up on, so that
    /// no container learns more than its sandbox holds.
    fn caller(&self, stream: &TcpStream, pod: Object, image: &str) -> Option<Caller> {
        let containers = pod.list("spec.containers");
        let container = containers.iter().find(|c| is_of(c, image))?;
        let args = container["args"].as_array().into_iter().flatten().filter_map(|a| a.as_str()).map(str::to_owned);
        let args = args.collect();
        let (namespace, account) = (pod.namespace(), pod.str("spec.serviceAccountName"));
        let user =
            format!("system:serviceaccount:{namespace}:{}", if account.is_empty() { "default" } else { account });
        let server = Rc::new(As { user, server: Rc::clone(&self.server) });
        let net = self.net.fabric().routine_of(*stream.peer_addr().ip())?;
        Some(Caller { client: Client::new(server, AGENT), sim: self.sim.clone(), net, pod, args })
    }

    /// A controller follows everything that it follows: from now on it may lead.
    fn join(&self, election: &str, number: u64) {
        self.controllers.borrow_mut().insert((election.to_owned(), number));
    }

    /// Whether a controller is the one that writes statuses. Upstream: the holder of the Lease of its namespace and election.
    fn leads(&self, election: &str, number: u64) -> bool {
        let first = (election.to_owned(), 0);
        self.controllers.borrow().range(first..).next().is_some_and(|(e, n)| e == election && *n == number)
    }
}

fn is_of(container: &json::Value, image: &str) -> bool {
    container["image"].as_str().is_some_and(|own| own.contains(image))
}

/// Sends everything; false if the other end has gone, or does not read.
async fn send(sim: &Sim, stream: &TcpStream, bytes: &[u8]) -> bool {
    for piece in bytes.chunks(PIECE_BYTES) {
        if !matches!(sim.timeout(WRITE_PATIENCE, stream.write_all(piece)).await, Ok(Ok(()))) {
            return false;
        }
    }
    true
}

/// A pod that called.
struct Caller {
    /// Asks as its service account.
    client: Client,
    sim: Sim,
    /// Its network, through which names are resolved as it would resolve them.
    net: NetNs,
    pod: Object,
    /// Arguments of its container.
    args: Vec<String>,
}

impl Caller {
    /// `--name=value` among the arguments.
    fn flag(&self, name: &str) -> Option<&str> {
        self.args.iter().find_map(|arg| arg.strip_prefix("--")?.strip_prefix(name)?.strip_prefix('='))
    }
}

/// The API server, asked as somebody else.
struct As {
    user: String,
    server: Rc<dyn Transport>,
}

impl Transport for As {
    fn call(&self, mut request: Request) -> LocalBoxFuture<'static, Result<Response, TransportError>> {
        if let Ok(user) = header::HeaderValue::from_str(&self.user) {
            request.headers_mut().insert("impersonate-user", user);
        }
        self.server.call(request)
    }
}

/// The lines that come over a stream.
struct Lines {
    stream: TcpStream,
    bytes: Vec<u8>,
}

impl Lines {
    fn new(stream: TcpStream) -> Lines {
        Lines { stream, bytes: Vec::new() }
    }

    /// The next line; none when the stream has ended, or says too much.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.bytes.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.bytes.drain(..=end).collect();
                return Some(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            match self.stream.read().await {
                Ok(bytes) if !bytes.is_empty() && self.bytes.len() < HELLO_BYTES_MAX => {
                    self.bytes.extend_from_slice(&bytes);
                }
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests;
