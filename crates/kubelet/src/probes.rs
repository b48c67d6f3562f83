//! Probes: one task a container and kind, their results, and what follows from them
//! (`pkg/kubelet/prober`).
//!
//! Differences: probe workers live with their container, not with the pod; the first probe of a kubelet that restarts is
//! not spread over the period.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use api::Object;
use api::http::{Body, Chunk, HeaderValue, Method, Request};
use client::EventRecorder;
use futures_util::{FutureExt as _, StreamExt as _, select_biased};
use json::Value;
use network::http1::HttpError;
use network::{NetError, NetNs};
use simulation::{Duration, Sim, Task};

use crate::cri::{Id, Runtime};
use crate::limits::PROBE_OUTPUT_BYTES_MAX;
use crate::spec;

/// The kinds of probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Startup,
    Liveness,
    Readiness,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Startup, Kind::Liveness, Kind::Readiness];

    fn field(self) -> &'static str {
        match self {
            Kind::Startup => "startupProbe",
            Kind::Liveness => "livenessProbe",
            Kind::Readiness => "readinessProbe",
        }
    }
}

/// What the probes say of containers.
pub(crate) trait Verdicts {
    fn liveness_failed(&self, id: &Id) -> bool;
    fn startup_failed(&self, id: &Id) -> bool;
    fn has_started(&self, id: &Id, container: &Value) -> bool;
    fn is_ready(&self, id: &Id, container: &Value) -> bool;
}

/// Results by container and kind.
#[derive(Clone, Default)]
pub(crate) struct Results(Rc<RefCell<BTreeMap<(Id, Kind), bool>>>);

impl Results {
    fn get(&self, id: &Id, kind: Kind) -> Option<bool> {
        self.0.borrow().get(&(id.clone(), kind)).copied()
    }

    /// True if that is news.
    fn set(&self, id: &Id, kind: Kind, good: bool) -> bool {
        self.0.borrow_mut().insert((id.clone(), kind), good) != Some(good)
    }
}

impl Verdicts for Results {
    fn liveness_failed(&self, id: &Id) -> bool {
        self.get(id, Kind::Liveness) == Some(false)
    }

    fn startup_failed(&self, id: &Id) -> bool {
        self.get(id, Kind::Startup) == Some(false)
    }

    fn has_started(&self, id: &Id, container: &Value) -> bool {
        container["startupProbe"].is_null() || self.get(id, Kind::Startup) == Some(true)
    }

    fn is_ready(&self, id: &Id, container: &Value) -> bool {
        container["readinessProbe"].is_null() || self.get(id, Kind::Readiness) == Some(true)
    }
}

/// The outcome of one try.
enum Outcome {
    Good,
    /// Good, with something to say.
    Warning(String),
    Bad(String),
    /// Could not be tried.
    Error(String),
}

/// What probing needs to know of the node.
#[derive(Clone)]
pub(crate) struct Prober {
    pub(crate) sim: Sim,
    pub(crate) runtime: Rc<dyn Runtime>,
    pub(crate) recorder: EventRecorder,
    /// The node's own network: probes come from there.
    pub(crate) net: NetNs,
}

/// One running container that is probed.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) pod: Object,
    pub(crate) container: Value,
    pub(crate) id: Id,
    pub(crate) pod_ip: Ipv4Addr,
}

/// The probes of one container; dropping it ends them.
pub(crate) struct Probing {
    tasks: Vec<(Kind, Task<()>)>,
    id: Id,
    results: Results,
}

impl Drop for Probing {
    fn drop(&mut self) {
        self.tasks.iter().for_each(|(_, task)| task.abort());
        self.results.0.borrow_mut().retain(|(id, _), _| *id != self.id);
    }
}

impl Probing {
    /// Ends liveness and startup probes, as when a pod begins to go.
    pub(crate) fn keep_only_readiness(&mut self) {
        self.tasks.retain(|(kind, task)| {
            let stays = *kind == Kind::Readiness;
            if !stays {
                task.abort();
            }
            stays
        });
    }
}

impl Prober {
    /// Starts every probe that the container has. `changed` is called when a result changes.
    pub(crate) fn start(&self, target: &Target, results: &Results, changed: Rc<dyn Fn()>) -> Option<Probing> {
        let kinds = Kind::ALL.into_iter().filter(|kind| !target.container[kind.field()].is_null());
        let tasks: Vec<(Kind, Task<()>)> = kinds
            .map(|kind| {
                match kind {
                    Kind::Readiness => results.set(&target.id, kind, false),
                    Kind::Liveness => results.set(&target.id, kind, true),
                    Kind::Startup => false, // unknown until the first verdict
                };
                let worker = Worker {
                    prober: self.clone(),
                    target: target.clone(),
                    kind,
                    results: results.clone(),
                    changed: Rc::clone(&changed),
                };
                (kind, self.sim.spawn(worker.run()))
            })
            .collect();
        (!tasks.is_empty()).then(|| Probing { tasks, id: target.id.clone(), results: results.clone() })
    }
}

struct Worker {
    prober: Prober,
    target: Target,
    kind: Kind,
    results: Results,
    changed: Rc<dyn Fn()>,
}

fn seconds(probe: &Value, field: &str, default: i64) -> Duration {
    let seconds = probe[field].as_i64().filter(|s| *s > 0).unwrap_or(default);
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

impl Worker {
    fn probe(&self) -> &Value {
        &self.target.container[self.kind.field()]
    }

    async fn run(self) {
        let probe = self.probe().clone();
        let period = seconds(&probe, "periodSeconds", 10);
        let threshold = |field: &str, default: u64| probe[field].as_u64().filter(|n| *n > 0).unwrap_or(default);
        let (successes, failures) = (threshold("successThreshold", 1), threshold("failureThreshold", 3));
        self.prober.sim.sleep(seconds(&probe, "initialDelaySeconds", 0)).await;
        let (mut last, mut run) = (None, 0_u64);
        loop {
            let started = self.results.has_started(&self.target.id, &self.target.container);
            if started != (self.kind == Kind::Startup)
                && let Some(good) = self.try_once(&probe).await
            {
                run = if last == Some(good) { run + 1 } else { 1 };
                last = Some(good);
                if run >= if good { successes } else { failures } {
                    if self.results.set(&self.target.id, self.kind, good) {
                        (self.changed)();
                    }
                    if self.kind == Kind::Startup || (self.kind == Kind::Liveness && !good) {
                        return; // the verdict stands until there is a new container
                    }
                }
            }
            if started && self.kind == Kind::Startup {
                return;
            }
            self.prober.sim.sleep(period).await;
        }
    }

    /// One verdict; none when the probe itself went wrong. Says what is wrong in an event.
    async fn try_once(&self, probe: &Value) -> Option<bool> {
        let event = |reason: &str, message: String| {
            let path = spec::field_path(&self.target.pod, spec::name(&self.target.container));
            self.prober.recorder.event_on_field(&self.target.pod, &path, "Warning", reason, &message);
        };
        let kind = format!("{:?}", self.kind);
        match self.prober.ask(probe, &self.target).await {
            Outcome::Good => Some(true),
            Outcome::Warning(what) => {
                event("ProbeWarning", format!("{kind} probe warning: {what}"));
                Some(true)
            }
            Outcome::Bad(what) => {
                event("Unhealthy", format!("{kind} probe failed: {what}"));
                Some(false)
            }
            Outcome::Error(what) => {
                event("Unhealthy", format!("{kind} probe errored and resulted in unknown state: {what}"));
                None
            }
        }
    }
}

/// A port by number, or by the name of one of the container's ports.
pub(crate) fn port_of(port: &Value, container: &Value) -> Result<u16, String> {
    if let Some(number) = port.as_u64() {
        return u16::try_from(number).ok().filter(|p| *p > 0).ok_or(format!("invalid port number: {number}"));
    }
    let name = port.as_str().unwrap_or("");
    let mut ports = spec::items(container, "ports").iter();
    let found = ports.find(|p| spec::name(p) == name).and_then(|p| p["containerPort"].as_u64());
    let number = found.or_else(|| name.parse().ok());
    number.and_then(|n| u16::try_from(n).ok()).ok_or_else(|| format!("couldn't find port: \"{name}\" in container"))
}

/// A Go program's words for a failed connection.
pub(crate) fn dial_error(to: SocketAddrV4, error: NetError) -> String {
    match error {
        NetError::Refused => format!("dial tcp {to}: connect: connection refused"),
        NetError::Unreachable => format!("dial tcp {to}: connect: no route to host"),
        NetError::TimedOut => format!("dial tcp {to}: i/o timeout"),
        other => format!("dial tcp {to}: connect: {other}"),
    }
}

impl Prober {
    async fn ask(&self, probe: &Value, target: &Target) -> Outcome {
        let timeout = seconds(probe, "timeoutSeconds", 1);
        if let Some(command) = probe["exec"]["command"].as_array() {
            let argv = command.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            return self.exec(&target.id, argv, timeout).await;
        }
        if !probe["httpGet"].is_null() {
            return self.http(&probe["httpGet"], target, timeout).await;
        }
        if !probe["tcpSocket"].is_null() {
            return self.tcp(&probe["tcpSocket"], target, timeout).await;
        }
        Outcome::Error(simulation::stub!("kubelet", "gRPC probes").to_owned())
    }

    async fn address(&self, action: &Value, target: &Target) -> Result<SocketAddrV4, String> {
        let port = port_of(&action["port"], &target.container)?;
        let ip = match spec::text(action, "host") {
            "" => target.pod_ip,
            host => {
                let found = self.net.resolve(host).await.map_err(|e| format!("lookup {host}: {e}"))?;
                found.first().copied().ok_or_else(|| format!("lookup {host}: no such host"))?
            }
        };
        Ok(SocketAddrV4::new(ip, port))
    }

    async fn tcp(&self, action: &Value, target: &Target, timeout: Duration) -> Outcome {
        let to = match self.address(action, target).await {
            Ok(to) => to,
            Err(error) => return Outcome::Error(error),
        };
        match self.sim.timeout(timeout, self.net.connect(to)).await {
            Ok(Ok(_)) => Outcome::Good,
            Ok(Err(error)) => Outcome::Bad(dial_error(to, error)),
            Err(_) => Outcome::Bad(dial_error(to, NetError::TimedOut)),
        }
    }

    async fn http(&self, action: &Value, target: &Target, timeout: Duration) -> Outcome {
        let to = match self.address(action, target).await {
            Ok(to) => to,
            Err(error) => return Outcome::Error(error),
        };
        match self.http_get(action, to, timeout).await {
            Ok((status, _)) if (200..300).contains(&status) => Outcome::Good,
            Ok((status, body)) if (300..400).contains(&status) => {
                Outcome::Warning(format!("Probe terminated redirects, Response body: {body}"))
            }
            Ok((status, _)) => Outcome::Bad(format!("HTTP probe failed with statuscode: {status}")),
            Err(error) => Outcome::Bad(error),
        }
    }

    /// Status and body of a GET; the error as Go's client words it.
    pub(crate) async fn http_get(
        &self,
        action: &Value,
        to: SocketAddrV4,
        timeout: Duration,
    ) -> Result<(u16, String), String> {
        let path = match spec::text(action, "path") {
            "" => "/".to_owned(),
            path if path.starts_with('/') => path.to_owned(),
            path => format!("/{path}"),
        };
        let scheme = if spec::text(action, "scheme") == "HTTPS" { "https" } else { "http" };
        let url = format!("{scheme}://{to}{path}");
        if scheme == "https" {
            return Err(format!("Get \"{url}\": {}", simulation::stub!("kubelet", "TLS to containers")));
        }
        let mut request = Request::new(Body::Empty);
        *request.method_mut() = Method::GET;
        *request.uri_mut() = path.parse().map_err(|_| format!("parse \"{url}\": invalid URI for request"))?;
        let mut headers = vec![("User-Agent", "kube-probe/1.36"), ("Accept", "*/*"), ("Connection", "close")];
        let own = spec::items(action, "httpHeaders").iter();
        headers.extend(own.map(|h| (spec::name(h), spec::text(h, "value"))));
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) = (name.parse::<http::HeaderName>(), HeaderValue::from_str(value)) {
                request.headers_mut().insert(name, value);
            }
        }
        let exchange = async {
            let stream = self.net.connect(to).await.map_err(|e| dial_error(to, e))?;
            let local = stream.local_addr();
            let answer = network::http1::request(stream, request).await;
            let response = answer.map_err(|error| match error {
                HttpError::Net(NetError::Reset) => format!("read tcp {local}->{to}: read: connection reset by peer"),
                other => other.to_string(),
            })?;
            let status = response.status().as_u16();
            let body = match response.into_body() {
                Body::Stream(pieces) => collect(pieces.map(Chunk::into_bytes).boxed_local()).await,
                body => String::from_utf8_lossy(&body.into_bytes().unwrap_or_default()).into_owned(),
            };
            Ok((status, limited(body)))
        };
        match self.sim.timeout(timeout, exchange).await {
            Ok(result) => result.map_err(|error: String| format!("Get \"{url}\": {error}")),
            Err(_) => Err(format!(
                "Get \"{url}\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
            )),
        }
    }

    async fn exec(&self, id: &Id, argv: Vec<String>, timeout: Duration) -> Outcome {
        let words = argv.join(" ");
        match self.run(id, argv, timeout).await {
            Ok((0, _)) => Outcome::Good,
            Ok((_, output)) => Outcome::Bad(output),
            Err(RunError::TimedOut) => {
                Outcome::Bad(format!("command timed out: \"{words}\" timed out after {}s", timeout.as_secs()))
            }
            Err(RunError::Refused(message)) => Outcome::Error(message),
        }
    }

    /// Runs a command in a container; its exit code and its output, standard output first.
    pub(crate) async fn run(&self, id: &Id, argv: Vec<String>, timeout: Duration) -> Result<(i32, String), RunError> {
        let session = self.runtime.exec(id, argv, false, false).map_err(RunError::Refused)?;
        let kill = Rc::clone(&session.kill);
        let mut all = Box::pin(
            async move {
                let (stdout, stderr, code) =
                    futures_util::join!(collect(session.stdout), collect(session.stderr), session.exit);
                (code, limited(stdout + &stderr))
            }
            .fuse(),
        );
        let mut over = Box::pin(self.sim.sleep(timeout).fuse());
        select_biased! {
            done = all => Ok(done),
            () = over => {
                kill();
                Err(RunError::TimedOut)
            }
        }
    }
}

/// Why a command in a container gave no exit code.
pub(crate) enum RunError {
    TimedOut,
    Refused(String),
}

async fn collect(mut pieces: futures_util::stream::LocalBoxStream<'static, bytes::Bytes>) -> String {
    let mut all = Vec::new();
    while let Some(piece) = pieces.next().await {
        if all.len() < PROBE_OUTPUT_BYTES_MAX {
            all.extend_from_slice(&piece);
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

fn limited(mut text: String) -> String {
    let mut end = PROBE_OUTPUT_BYTES_MAX.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}
