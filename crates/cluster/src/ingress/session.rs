//! One controller: what it follows, and what it tells nginx's half (`internal/ingress/controller/{controller,nginx}.go`).

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use api::{Object, kinds};
use client::{Event, EventRecorder, Informer, ListOptions};
use futures_util::future::{Either, select};
use network::TcpStream;
use simulation::notify::{Signal, Waiters};
use simulation::{Duration, Task, Time};

use super::annotations::Annotations;
use super::names::Resolver;
use super::site::{Site, line, site};
use super::{AGENT, Caller, Inner, Lines, send, status};

/// Between two configurations (`--sync-rate-limit=0.3`).
const SYNC_PERIOD: Duration = Duration::from_millis(3_333);
/// Between two looks at statuses (`--status-update-interval=60`).
const STATUS_PERIOD: Duration = Duration::from_secs(60);
/// Lines for the log that wait to be sent; more are dropped.
const LOG_LINES_MAX: usize = 1_000;
/// What the class of an Ingress says when an annotation names it.
const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";

/// What handlers and the loop share.
pub(super) struct State {
    caller: Caller,
    recorder: EventRecorder,
    classes: Informer,
    controller_class: String,
    takes_all_without_class: bool,
    /// Addresses of names outside.
    names: Resolver,
    /// Lines for the log of the container.
    log: RefCell<String>,
    log_lines: Cell<usize>,
    /// The configuration may have changed.
    is_dirty: Cell<bool>,
    /// Since when statuses may have to change.
    status_dirty_since: Cell<Option<Time>>,
    over: Signal,
    /// The container ends in good order.
    is_shut_down: Cell<bool>,
    waiters: Waiters,
}

/// Everything that is followed.
struct Followed {
    ingresses: Informer,
    services: Informer,
    slices: Informer,
    pods: Informer,
}

/// Ends what was started for a session, however it ends.
struct Cleanup(Vec<Informer>, Task<()>);

impl Drop for Cleanup {
    fn drop(&mut self) {
        self.0.iter().for_each(Informer::stop);
        self.1.abort();
    }
}

/// Serves a controller until it goes.
pub(super) async fn run(desk: &Rc<Inner>, number: u64, caller: Caller, stream: TcpStream, lines: Lines) {
    let (sim, client) = (caller.sim.clone(), caller.client.clone());
    let follow = |kind, namespace: &str, options| Informer::start(&sim, &client, kind, namespace, options);
    let classes = follow(&kinds::INGRESS_CLASSES, "", ListOptions::default());
    let followed = Followed {
        ingresses: follow(&kinds::INGRESSES, "", ListOptions::default()),
        services: follow(&kinds::SERVICES, "", ListOptions::default()),
        slices: follow(&kinds::ENDPOINT_SLICES, "", ListOptions::default()),
        pods: follow(&kinds::PODS, caller.pod.namespace(), ListOptions::labels(status::selector(&caller.pod))),
    };
    let all = [&classes, &followed.ingresses, &followed.services, &followed.slices, &followed.pods].map(Clone::clone);
    let state = Rc::new(State {
        recorder: EventRecorder::new(&client, &sim, AGENT, ""),
        classes,
        controller_class: caller.flag("controller-class").unwrap_or("k8s.io/ingress-nginx").to_owned(),
        takes_all_without_class: caller.flag("watch-ingress-without-class") == Some("true"),
        caller,
        names: Resolver::default(),
        log: RefCell::default(),
        log_lines: Cell::new(0),
        is_dirty: Cell::new(false),
        status_dirty_since: Cell::new(None),
        over: Signal::new(),
        is_shut_down: Cell::new(false),
        waiters: Waiters::default(),
    });
    let hearing = sim.spawn(hear(Rc::clone(&state), lines));
    let _cleanup = Cleanup(all.to_vec(), hearing);
    for informer in &all {
        // What it may not see is never there.
        if let Either::Left(_) = select(state.over.wait(), pin!(informer.synced())).await {
            return;
        }
    }
    state.listen_to(&followed);
    let election = format!(
        "{}/{}",
        state.caller.pod.namespace(),
        state.caller.flag("election-id").unwrap_or("ingress-controller-leader")
    );
    desk.join(&election, number);
    state.serve(desk, (&election, number), &followed, &stream).await;
    stream.close();
}

/// The first tick at or after a moment.
fn tick(start: Time, moment: Time) -> Time {
    let period = STATUS_PERIOD.as_nanos();
    let ticks = moment.saturating_since(start).as_nanos().div_ceil(period);
    start + STATUS_PERIOD * u32::try_from(ticks).unwrap_or(u32::MAX)
}

/// Waits for the container's farewell, or its end.
async fn hear(state: Rc<State>, mut lines: Lines) {
    while let Some(line) = lines.next().await {
        if line == "shutdown" {
            state.is_shut_down.set(true);
            break;
        }
    }
    state.over.raise();
    state.waiters.wake_all();
}

impl State {
    fn listen_to(self: &Rc<Self>, followed: &Followed) {
        let on = |informer: &Informer, act: fn(&State, &Event)| {
            let state = Rc::downgrade(self);
            informer.on_event(move |event| {
                if let Some(state) = state.upgrade() {
                    act(&state, event);
                    state.waiters.wake_all();
                }
            });
        };
        on(&self.classes, |state, _| {
            state.is_dirty.set(true);
            state.want_statuses();
        });
        on(&followed.services, |state, _| state.is_dirty.set(true));
        on(&followed.slices, |state, _| state.is_dirty.set(true));
        on(&followed.pods, |state, _| state.want_statuses());
        on(&followed.ingresses, State::on_ingress);
        self.is_dirty.set(true);
    }

    /// The class by which an Ingress is this controller's, or why it is not.
    fn class(&self, ingress: &Object) -> Result<String, String> {
        let name = ingress.str("spec.ingressClassName");
        if !name.is_empty() {
            let found = self.classes.get(name).filter(|c| c.str("spec.controller") == self.controller_class);
            return found
                .map(|c| c.name().to_owned())
                .ok_or(format!("no object matching key \\\"{name}\\\" in local store"));
        }
        match ingress.annotation(CLASS_ANNOTATION) {
            Some("nginx") => Ok("nginx".to_owned()),
            Some(_) => Err("ingress class annotation is not equal to the expected by Ingress Controller".to_owned()),
            None if self.takes_all_without_class => Ok("_".to_owned()),
            None => Err("ingress does not contain a valid IngressClass".to_owned()),
        }
    }

    fn on_ingress(&self, event: &Event) {
        let ingress = event.object();
        let key = ingress.key();
        let class = self.class(ingress);
        match (event, &class) {
            (Event::Added(_), Ok(class)) => self.say(
                "I",
                "store.go:443",
                &format!("\"Found valid IngressClass\" ingress=\"{key}\" ingressclass=\"{class}\""),
            ),
            (Event::Added(_), Err(why)) => self.say(
                "I",
                "store.go:436",
                &format!("\"Ignoring ingress because of error while validating ingress class\" ingress=\"{key}\" error=\"{why}\""),
            ),
            _ => {}
        }
        let was_ours = matches!(event, Event::Modified { old, .. } if self.class(old).is_ok());
        if class.is_err() && !was_ours {
            return;
        }
        self.is_dirty.set(true);
        self.want_statuses();
        if class.is_ok() && !matches!(event, Event::Deleted(_)) {
            self.record(ingress, "Normal", "Sync", "Scheduled for sync");
            let spoke_before =
                matches!(event, Event::Modified { old, .. } if old.annotations() == ingress.annotations());
            let complaints = if spoke_before { Vec::new() } else { Annotations::of(ingress).complaints() };
            for why in complaints {
                let message = format!("Error parsing annotations: {why}");
                self.record(ingress, "Warning", "AnnotationParsingFailed", &message);
            }
        }
    }

    /// Statuses are looked at with the next tick from now.
    fn want_statuses(&self) {
        self.status_dirty_since.set(self.status_dirty_since.get().or(Some(self.caller.sim.now())));
    }

    fn record(&self, object: &Object, event_type: &str, reason: &str, message: &str) {
        self.recorder.event(object, event_type, reason, message);
        let reference = format!(
            "v1.ObjectReference{{Kind:\"{}\", Namespace:\"{}\", Name:\"{}\", UID:\"{}\", APIVersion:\"{}\", ResourceVersion:\"{}\", FieldPath:\"\"}}",
            object.kind(),
            object.namespace(),
            object.name(),
            object.uid(),
            object.api_version(),
            object.resource_version()
        );
        self.say(
            "I",
            "event.go:377",
            &format!("Event({reference}): type: '{event_type}' reason: '{reason}' {message}"),
        );
    }

    fn say(&self, severity: &str, place: &str, text: &str) {
        if self.log_lines.get() < LOG_LINES_MAX {
            self.log_lines.set(self.log_lines.get() + 1);
            line(&mut self.log.borrow_mut(), ["log", severity, place, text].map(str::to_owned));
        }
    }

    async fn serve(
        self: &Rc<Self>,
        desk: &Inner,
        (election, number): (&str, u64),
        followed: &Followed,
        stream: &TcpStream,
    ) {
        let sim = &self.caller.sim;
        let (mut sent, start): (Option<Site>, Time) = (None, sim.now());
        let mut sync_at = start;
        while !self.over.is_raised() {
            self.names.turn(self);
            if self.is_dirty.get() && sync_at <= sim.now() {
                self.is_dirty.set(false);
                sync_at = sim.now() + SYNC_PERIOD;
                self.configure(&mut sent, followed, stream).await;
            }
            if self.status_dirty_since.get().is_some_and(|since| tick(start, since) <= sim.now()) {
                self.status_dirty_since.set(None);
                if desk.leads(election, number) {
                    self.write_statuses(followed).await;
                }
            }
            self.flush(stream).await;
            let sync = Some(sync_at).filter(|_| self.is_dirty.get());
            let status = self.status_dirty_since.get().map(|since| tick(start, since));
            match sync.into_iter().chain(status).chain(self.names.due()).min() {
                _ if !self.log.borrow().is_empty() => {}
                // Whatever ends the wait, the loop looks at everything.
                Some(at) => drop(sim.timeout(at.saturating_since(sim.now()), self.changed()).await),
                None => self.changed().await,
            }
        }
        if self.is_shut_down.get() && desk.leads(election, number) {
            self.take_back_statuses(followed).await;
            self.flush(stream).await;
        }
    }

    /// Completes at the next change.
    async fn changed(&self) {
        let mut has_waited = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut has_waited, true) || self.over.is_raised() {
                return Poll::Ready(());
            }
            self.waiters.register(cx);
            Poll::Pending
        })
        .await;
    }

    async fn flush(&self, stream: &TcpStream) {
        let text = std::mem::take(&mut *self.log.borrow_mut());
        self.log_lines.set(0);
        self.send(stream, &text).await;
    }

    /// Who does not read is hung up on.
    async fn send(&self, stream: &TcpStream, text: &str) {
        if !send(&self.caller.sim, stream, text.as_bytes()).await {
            self.over.raise();
        }
    }

    /// A name has another address.
    pub(super) fn has_changed(&self) {
        self.is_dirty.set(true);
    }

    pub(super) fn names(&self) -> &Resolver {
        &self.names
    }

    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    pub(super) fn wake(&self) {
        self.waiters.wake_all();
    }

    fn ours(&self, followed: &Followed) -> Vec<Object> {
        followed.ingresses.list().into_iter().filter(|ingress| self.class(ingress).is_ok()).collect()
    }

    /// Sends the configuration if it is another one than before.
    async fn configure(&self, sent: &mut Option<Site>, followed: &Followed, stream: &TcpStream) {
        let known = self.names.known();
        let new = site(&self.ours(followed), &followed.services.list(), &followed.slices.list(), &known);
        let unresolved = self.names.want(&new.names);
        if sent.as_ref() == Some(&new) {
            return;
        }
        let reloads = sent.as_ref().is_none_or(|old| old.servers != new.servers);
        if reloads {
            self.say("I", "controller.go:217", "\"Configuration changes detected, backend reload required\"");
        }
        if unresolved > 0 {
            self.say(
                "W",
                "controller.go:217",
                &format!("\"{unresolved} names of Services are too many and not resolved\""),
            );
        }
        if new.left_out > 0 {
            let count = new.left_out;
            self.say(
                "W",
                "controller.go:217",
                &format!("\"{count} locations are left out: the configuration is too large\""),
            );
        }
        self.flush(stream).await;
        let text = format!("config\n{}{}apply\n", new.servers, new.upstreams);
        self.send(stream, &text).await;
        if reloads {
            self.say("I", "controller.go:231", "\"Backend successfully reloaded\"");
            self.record(
                &self.caller.pod,
                "Normal",
                "RELOAD",
                "NGINX reload triggered due to a change in configuration",
            );
        }
        if sent.is_none() {
            self.say("I", "controller.go:243", "\"Initial sync, sleeping for 1 second\"");
        }
        *sent = Some(new);
    }

    async fn write_statuses(&self, followed: &Followed) {
        let addresses = status::addresses(&self.caller.client, &self.caller.pod, &followed.pods).await;
        for ingress in self.ours(followed) {
            if let Some(line) = status::write(&self.caller.client, &ingress, &addresses).await {
                self.say("I", "status.go:311", &line);
            }
        }
    }

    /// The last controller takes its addresses with it.
    async fn take_back_statuses(&self, followed: &Followed) {
        if followed.pods.list().len() > 1 {
            return;
        }
        let addresses = status::addresses(&self.caller.client, &self.caller.pod, &followed.pods).await;
        self.say(
            "I",
            "status.go:139",
            &format!("\"removing value from ingress status\" address={}", status::list(&addresses)),
        );
        for ingress in self.ours(followed) {
            let _ = status::write(&self.caller.client, &ingress, &[]).await;
        }
    }
}
