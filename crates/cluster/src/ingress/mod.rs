//! The half of ingress-nginx that reads the API (docs/decisions/0022-ingress-controller-in-two-halves.md).
//!
//! nginx's half is a container (images/ingress-nginx). It calls the machine at [`PORT`] of the address where the machine also answers
//! for names, and is sent its configuration for as long as the connection lives. A pod is known by its address; what is done
//! for it is done as its service account, so what that one may not see is not seen. Nothing happens while nobody calls.
//!
//! Upstream: github.com/kubernetes/ingress-nginx, `internal/ingress/{controller,status}`.

mod annotations;
mod certgen;
mod session;
mod site;
mod status;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use api::http::{Request, Response, Transport, TransportError, header};
use api::{Object, kinds};
use client::Client;
use futures_util::future::LocalBoxFuture;
use network::{Listener, NetNs, TcpStream};
use simulation::{Sim, Task};

/// The port at which the machine is called; the same number is in images/ingress-nginx.
const PORT: u16 = 10_246;
/// Bytes of the line with which a caller says what it is.
const HELLO_BYTES_MAX: usize = 4 * 1024;
/// Callers at a time; further ones are hung up on.
const CALLERS_MAX: usize = 64;

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
    callers: RefCell<BTreeMap<u64, Task<()>>>,
    count: Cell<u64>,
    /// The controllers among the callers; the first of them leads.
    controllers: RefCell<std::collections::BTreeSet<u64>>,
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
        callers.values().for_each(Task::abort);
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Inner {
    fn take(inner: &Rc<Inner>, stream: TcpStream) {
        if inner.callers.borrow().len() >= CALLERS_MAX {
            let what = format!("a call from {}", stream.peer_addr());
            inner.sim.trace(simulation::TraceKind::Limit { limit: "CALLERS_MAX".into(), what });
            return stream.abort();
        }
        let number = inner.count.get() + 1;
        inner.count.set(number);
        let desk = Rc::clone(inner);
        let task = inner.sim.spawn(async move {
            desk.answer(number, stream).await;
            desk.controllers.borrow_mut().remove(&number);
            desk.callers.borrow_mut().remove(&number);
        });
        inner.callers.borrow_mut().insert(number, task);
    }

    async fn answer(self: &Rc<Inner>, number: u64, stream: TcpStream) {
        let mut lines = Lines::new(stream.clone());
        let Some(hello) = lines.next().await else { return };
        let words: Vec<&str> = hello.split('\t').collect();
        match words[..] {
            ["controller", _] => {
                let Some(caller) = self.caller(&stream, "ingress-nginx/controller").await else { return };
                self.controllers.borrow_mut().insert(number);
                session::run(self, number, caller, stream, lines).await;
            }
            ["certgen", command, namespace, secret] => {
                let Some(caller) = self.caller(&stream, "ingress-nginx/kube-webhook-certgen").await else { return };
                certgen::run(&caller, &stream, command, namespace, secret).await;
            }
            _ => {}
        }
    }

    /// Who calls: the pod with the address, if one of its containers is of the image. Any other caller is hung up on, so that
    /// no container learns more than its sandbox holds.
    async fn caller(&self, stream: &TcpStream, image: &str) -> Option<Caller> {
        let name = self.net.fabric().name_of(*stream.peer_addr().ip())?;
        let (namespace, name) = name.strip_prefix("pod/")?.split_once('/')?;
        let pod = Client::new(Rc::clone(&self.server), AGENT).get(&kinds::PODS, namespace, name).await.ok()?;
        let containers = pod.list("spec.containers");
        let container = containers.iter().find(|c| c["image"].as_str().is_some_and(|i| i.contains(image)))?;
        let args = container["args"].as_array().into_iter().flatten().filter_map(|a| a.as_str()).map(str::to_owned);
        let account = pod.str("spec.serviceAccountName");
        let user =
            format!("system:serviceaccount:{namespace}:{}", if account.is_empty() { "default" } else { account });
        let server = Rc::new(As { user, server: Rc::clone(&self.server) });
        let args = args.collect();
        Some(Caller { client: Client::new(server, AGENT), sim: self.sim.clone(), pod, args })
    }

    /// Whether a controller is the one that writes statuses. Upstream: the holder of the lease `ingress-nginx-leader`.
    fn leads(&self, number: u64) -> bool {
        self.controllers.borrow().first() == Some(&number)
    }
}

/// A pod that called.
struct Caller {
    /// Asks as its service account.
    client: Client,
    sim: Sim,
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
